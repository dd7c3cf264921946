"""Money becomes postings to the cent: the worked settlement, fees with reverse charge, what changes later, locked months."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from accounting import ledger_actions
from accounting.events import Chart, Event, Standing
from accounting.models import AccountRule, Booking, Entry, Period, Posting
from accounting.services import changing, posting
from exceptions.models import ExceptionCase
from integration_hub.backoffice import invariants
from integration_hub.backoffice.actions import perform
from integration_hub.models import Connection, User
from orders.models import Order
from payments.models import Payout, Transaction
from tests import spine
from tests.accounting import ledger
from tests.conftest import make_connection
from tests.payments.provider import capture, tell
from tests.payments.test_payouts import entry

pytestmark = pytest.mark.django_db

OURS = ("entries_balance", "nothing_stands_twice", "entries_are_chained", "clearing_is_provable")


def sound() -> bool:
    verdicts = [invariants.judge(invariants.invariant_of(code)) for code in OURS]
    return all(verdict.kept for verdict in verdicts)


def settlement(psp: Connection, bank: Connection) -> None:
    """The worked week, accounting.md G.1: 855.80 = 1190.00 - 35.70 - 119.00 - 59.50 - 20.00 - 100.00."""
    tell(psp, {"id": "po_1", "amount": "855.80", "reference": "STRIPE PO1X7"}, topic="payout")
    tell(
        psp,
        capture("ch_kw10", "1190.00", fee="35.70", order="laden:1", payout="po_1"),
        entry("re_kw10", "REFUND", "-119.00", parent="ch_kw10", payout="po_1"),
        entry("dp_1", "DISPUTE", "-79.50", "20.00", parent="ch_kw10", payout="po_1"),
        entry("rv_1", "RESERVE", "-100.00", payout="po_1"),
    )
    line = {"key": "1", "amount": "855.80", "name": "Stripe Technology", "text": "STRIPE PO1X7 AUSZAHLUNG"}
    tell(bank, {"number": "1", "opening": "10.00", "closing": "865.80", "lines": [line]}, topic="statement")


@pytest.mark.parametrize(
    ("chart", "fee", "clearing", "reserve", "transit", "money"),
    [("03", "4970", "1361", "1362", "1360", "1200"), ("04", "6855", "1461", "1462", "1460", "1800")],
)
def test_the_worked_settlement(
    psp: Connection, bank: Connection, ordered: Callable[..., Order],
    chart: str, fee: str, clearing: str, reserve: str, transit: str, money: str,
) -> None:  # fmt: skip
    ledger.keep(Chart(chart))
    ordered(1, total="1190.00")
    settlement(psp, bank)
    ledger.post()
    assert sorted(ledger.row_list()) == sorted(
        [
            ("1190.00", "S", clearing, "10001", ""),
            ("35.70", "S", fee, clearing, ""),
            ("119.00", "S", "10001", clearing, ""),
            ("59.50", "S", "10001", clearing, ""),
            ("20.00", "S", fee, clearing, ""),
            ("100.00", "S", reserve, clearing, ""),
            ("855.80", "S", transit, clearing, ""),
            ("855.80", "S", money, transit, ""),
        ]
    )
    assert ledger.balances() == {
        "10001": Decimal("-1011.50"),
        fee: Decimal("55.70"),
        reserve: Decimal("100.00"),
        money: Decimal("855.80"),
    }
    assert sound()


def test_case_12_a_payout_whose_fee_bears_reverse_charge(
    psp: Connection, bank: Connection, ordered: Callable[..., Order]
) -> None:
    """145.21 = 49.99 + 109.36 - 11.25 - 2.89; on 3123 DATEV adds 0.55 input tax and 0.55 VAT."""
    ledger.keep()
    rule = AccountRule(chart="03", event=Event.FEE, channel=psp, account="3123")
    changing.change("03", bring=[rule], by=None, why="the adviser says reverse charge")
    ordered(1, total="49.99")
    ordered(2, total="109.36")
    tell(psp, {"id": "po_2", "amount": "145.21", "reference": "STRIPE PO2XX"}, topic="payout")
    tell(
        psp,
        capture("ch_1001", "49.99", fee="2.89", order="laden:1", payout="po_2"),
        capture("ch_1002", "109.36", fee="0", order="laden:2", payout="po_2"),
        entry("re_31", "REFUND", "-11.25", parent="ch_1002", payout="po_2"),
    )
    ledger.post()
    assert ledger.balances() == {
        "10001": Decimal("-148.10"),
        "3123": Decimal("2.89"),
        "1577": Decimal("0.55"),
        "1787": Decimal("-0.55"),
        "1360": Decimal("145.21"),
    }
    assert sound()


def test_each_provider_gets_a_clearing_account_of_its_own(psp: Connection, till: Any) -> None:
    ledger.keep()
    other = make_connection("standin-provider", "mollie", "PAYMENT")
    for provider in (psp, other):
        tell(provider, entry(f"fee_{provider.slug}", "ADJUSTMENT", "-1.00"))
    ledger.post()
    rules = AccountRule.objects.filter(event=Event.CLEARING, until=None).order_by("account")
    assert [(rule.account, rule.channel) for rule in rules] == [("1361", psp), ("1363", other)]


def test_a_movement_that_changes_is_reversed_and_posted_anew(psp: Connection, ordered: Callable[..., Order]) -> None:
    ledger.keep()
    ordered(1, total="28.70")
    tell(psp, capture("ch_1", order="laden:1"))
    ledger.post()
    assert ledger.balances()["4970"] == Decimal("0.68")
    tell(psp, capture("ch_1", order="laden:1", fee="0.70", updated="2026-11-21T12:00:00Z"))
    ledger.post()
    assert ledger.balances()["4970"] == Decimal("0.70")
    rows = list(Entry.objects.order_by("pk").values_list("revision", "reverses_id"))
    assert rows == [(1, None), (1, Entry.objects.earliest("pk").pk), (2, None)]
    assert sound()


def test_looking_again_posts_nothing_twice(psp: Connection, bank: Connection, ordered: Callable[..., Order]) -> None:
    ledger.keep()
    ordered(1, total="1190.00")
    settlement(psp, bank)
    ledger.post()
    before = Entry.objects.count()
    Booking.objects.update(state=Standing.DUE)
    ledger.post()
    assert Entry.objects.count() == before
    assert set(Booking.objects.values_list("state", flat=True)) <= {Standing.POSTED, Standing.NOTHING}


def test_money_whose_order_nobody_knows_is_unclear_money(psp: Connection) -> None:
    ledger.keep()
    tell(psp, capture("ch_9", text="no idea"))
    ledger.post()
    assert Booking.objects.get().state == Standing.WAITING
    Transaction.objects.get().unassigned.__class__.objects.update(search="ASKED")
    ledger.post()
    assert ledger.balances()["1792"] == Decimal("-28.70")


def test_a_payout_that_came_back(psp: Connection) -> None:
    ledger.keep()
    tell(psp, {"id": "po_1", "amount": "50.00", "stage": "IN_TRANSIT"}, topic="payout")
    ledger.post()
    assert ledger.balances() == {"1360": Decimal("50.00"), "1361": Decimal("-50.00")}
    tell(psp, {"id": "po_1", "amount": "50.00", "stage": "FAILED", "updated": "2026-11-21T12:00:00Z"}, topic="payout")
    ledger.post()
    assert ledger.balances() == {}
    tell(psp, entry("bt_back", "PAYOUT_FAILED", "50.00", parent="po_1"))
    ledger.post()
    assert ledger.balances() == {}  # both stand: the payout, and the movement that takes it back
    assert Booking.objects.filter(state=Standing.POSTED).count() == 2
    assert sound()


def test_a_currency_without_a_rate_is_a_case_and_is_posted_when_the_rate_comes(psp: Connection) -> None:
    ledger.keep()
    tell(psp, entry("ad_1", "ADJUSTMENT", "10.00", currency="USD"))
    ledger.post()
    assert Booking.objects.get().state == Standing.REFUSED
    assert "posting_refused" in spine.open_kinds()
    movement = Transaction.objects.get()
    movement.booked, movement.booked_rate, movement.booked_currency = Decimal("9.20"), Decimal("0.92"), "EUR"
    movement.save()
    Booking.objects.update(state=Standing.DUE)
    ledger.post()
    assert ledger.balances()["1361"] == Decimal("9.20")
    assert "posting_refused" not in spine.open_kinds()


def test_no_account_is_a_case_that_naming_it_solves(psp: Connection, person: Callable[..., User]) -> None:
    ledger.keep()
    shipped = AccountRule.objects.filter(chart="03", event=Event.UNCLEAR).values_list("pk", flat=True)
    changing.change("03", retire=list(shipped), by=None, why="a test")
    tell(psp, entry("ad_1", "ADJUSTMENT", "10.00"))
    ledger.post()
    case = ExceptionCase.objects.get(kind="posting_no_account")
    told = {"account": "1792", "scope": "CASE", "why": "as the adviser says"}
    perform(ledger_actions.MAP, case, by=person("finance"), data=told)
    ledger.post()
    case.refresh_from_db()
    assert (case.state, ledger.balances()["1792"]) == ("SOLVED", Decimal("-10.00"))


def test_a_locked_month_takes_nothing_and_what_comes_late_is_a_case(
    psp: Connection, person: Callable[..., User]
) -> None:
    ledger.keep()
    Period.objects.create(year=2026, month=10, state="LOCKED")
    tell(psp, entry("ad_1", "ADJUSTMENT", "10.00", at="2026-10-31T12:00:00Z"))
    ledger.post()
    assert Entry.objects.count() == 0
    case = ExceptionCase.objects.get(kind="posting_month_locked")
    perform(ledger_actions.MOVE, case, by=person("finance"), data={"day": "2026-11-02", "why": "came late"})
    ledger.post()
    assert f"{Entry.objects.get().booked_on}" == "2026-11-02"
    case.refresh_from_db()
    assert case.state == "SOLVED"


def refused(sql: str, *params: Any) -> str:
    """What the database says to this."""
    with pytest.raises(Exception) as told, transaction.atomic():  # noqa: PT011
        at_once(sql, *params)
    return str(told.value)


def at_once(sql: str, *params: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def test_the_database_refuses_what_no_program_may_do(psp: Connection) -> None:
    ledger.keep()
    tell(psp, entry("ad_1", "ADJUSTMENT", "10.00"))
    ledger.post()
    made = Entry.objects.get()
    assert "append-only" in refused("UPDATE accounting_posting SET debit = debit + 1")
    assert "append-only" in refused("DELETE FROM accounting_entry WHERE id = %s", made.pk)
    copy = """INSERT INTO accounting_entry (chart, source, subject_id, revision, booked_on, belegfeld1, belegfeld2, text, version_id,
      reverses_id, why, digest, previous) SELECT chart, source, subject_id, {}, booked_on, belegfeld1, belegfeld2, text, version_id,
      {}, why, digest, previous FROM accounting_entry"""
    assert "posted_once" in refused(copy.format("revision", "NULL"))
    assert "is posted already" in refused(copy.format("revision + 1", "NULL"))
    assert "does not balance" in refused(copy.format("revision", "id"))  # a reversal without lines
    Period.objects.update(state="LOCKED")
    assert "is locked" in refused(copy.format("revision", "id"))
    assert "never changed" in refused("UPDATE accounting_accountrule SET account = '1'")


def test_a_line_alone_does_not_balance(psp: Connection) -> None:
    ledger.keep()
    tell(psp, entry("ad_1", "ADJUSTMENT", "10.00"))
    ledger.post()
    line = Posting.objects.filter(side="HEAD").get()
    line.pk, line.position = None, 9
    line._state.adding = True

    def add() -> None:
        line.save()
        at_once("SELECT 1")

    with pytest.raises(IntegrityError, match="does not balance"), transaction.atomic():
        add()


def test_a_changed_entry_breaks_the_chain(psp: Connection) -> None:
    ledger.keep()
    tell(psp, entry("ad_1", "ADJUSTMENT", "10.00"), entry("ad_2", "ADJUSTMENT", "11.00"))
    ledger.post()
    assert sound()
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL hub.purge = 'on'")
        cursor.execute(
            "UPDATE accounting_posting SET text = 'another' WHERE entry_id = %s", [Entry.objects.latest("pk").pk]
        )
        cursor.execute("SET LOCAL hub.purge = 'off'")
    assert not invariants.judge(invariants.invariant_of("entries_are_chained")).kept


def test_posting_one_thing_at_once(psp: Connection) -> None:
    ledger.keep()
    tell(psp, {"id": "po_1", "amount": "50.00"}, topic="payout")
    booking = posting.post_payout(Payout.objects.get())
    assert booking.entry is not None
    assert (booking.state, booking.entry.payout_id) == (Standing.POSTED, Payout.objects.get().pk)
