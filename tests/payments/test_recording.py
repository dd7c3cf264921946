"""Movements as reported: once each, newest counts, gaps filled by whatever comes; fees and what is open."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from itertools import permutations
from typing import Any

import pytest

from integration_hub.kernel.errors import NotNow
from integration_hub.models import Connection, InboundEvent, OutboundCommand, ProcessSwitch
from integration_hub.models.inbound import EventState
from orders.models import Order
from payments import chores, fees, telling, writeoffs
from payments.models import (
    BankLine,
    BankStatement,
    FeeCheck,
    FeeContract,
    OpenItem,
    PaymentTerm,
    Payout,
    Policy,
    Transaction,
    TransactionFee,
    WriteOff,
)
from tests import spine
from tests.payments.provider import capture, tell

pytestmark = pytest.mark.django_db

PROMISED = {"id": "ch_1", "gross": "28.70", "kind": "AUTHORISATION", "updated": "2026-11-20T12:00:00Z"}
TAKEN = {"id": "ch_1", "gross": "28.70", "updated": "2026-11-20T12:00:05Z", "status": "succeeded"}
SETTLED = capture(updated="2026-11-20T12:00:03Z", payout="po_1", order="7")


@pytest.mark.parametrize("order", list(permutations([PROMISED, TAKEN, SETTLED])))
def test_whatever_the_order_of_reports_the_movement_is_the_same(psp: Connection, order: tuple[Any, ...]) -> None:
    for place, one in enumerate(order):
        tell(psp, one | {"text": f"said {place}"})
    row = Transaction.objects.get()
    assert (row.kind, row.state, row.vendor_status) == ("CAPTURE", "SUCCEEDED", "succeeded")
    assert (row.settled_gross, row.fees, row.net) == (Decimal("28.70"), Decimal("0.68"), Decimal("28.02"))
    assert (row.payout_external_id, row.order_reference) == ("po_1", "7")
    assert TransactionFee.objects.get().amount == row.fees


def test_many_at_once_are_as_one_by_one(psp: Connection, ordered: Callable[..., Order]) -> None:
    numbers = [ordered(number) for number in range(1, 6)]
    tell(psp, *[capture(f"ch_{order.external_id}", order=order.external_id) for order in numbers])
    assert InboundEvent.objects.filter(connection=psp, state=EventState.DONE).count() == 5
    assert set(OpenItem.objects.values_list("state", flat=True)) == {"PAID"}


def test_the_books_have_their_own_currency_and_rate(psp: Connection) -> None:
    tell(
        psp,
        capture(gross="31.00", currency="USD", settled="28.50", settlement_currency="EUR", rate="0.919355", fee="0"),
    )
    row = Transaction.objects.get()
    assert (row.currency, row.settlement_currency, row.booked_currency) == ("USD", "EUR", "EUR")
    assert (row.booked, row.rate_source) == (Decimal("28.50"), "provider")
    tell(psp, {"id": "ch_2", "gross": "31.00", "currency": "USD"})
    assert Transaction.objects.get(external_id="ch_2").booked is None, "no rate is made up"


def test_a_test_payment_in_a_live_account_is_ignored(psp: Connection) -> None:
    Connection.objects.update(mode="LIVE")
    tell(psp, capture(test=True))
    assert not Transaction.objects.exists()


def test_a_failed_payment_pays_nothing(psp: Connection, ordered: Callable[..., Order]) -> None:
    ordered(7)
    tell(psp, capture(order="7", state="PENDING"))
    assert OpenItem.objects.get().captured == 0
    tell(psp, {"id": "ch_1", "gross": "28.70", "state": "FAILED", "updated": "2026-11-21T12:00:00Z"})
    assert (OpenItem.objects.get().state, spine.open_kinds()) == ("OPEN", set())


@pytest.mark.parametrize(
    ("paid", "kind"),
    [(["28.70", "28.70"], "double_payment"), (["20.00"], "amounts_disagree"), (["30.00"], "amounts_disagree")],
)
def test_too_much_and_too_little_are_cases_that_close(
    psp: Connection, ordered: Callable[..., Order], paid: list[str], kind: str
) -> None:
    ordered(7)
    for place, gross in enumerate(paid):
        tell(psp, capture(f"ch_{place}", gross=gross, order="7"))
    assert spine.open_kinds() == {kind}
    item = OpenItem.objects.get()
    rest = item.open or item.overpaid
    movement = (
        {"kind": "CAPTURE", "gross": str(rest)}
        if item.open
        else {"kind": "REFUND", "gross": f"-{rest}", "parent": "ch_0"}
    )
    tell(psp, {"id": "rest", "order": "7"} | movement)
    assert spine.open_kinds() == set()
    assert OpenItem.objects.get().open == OpenItem.objects.get().overpaid == 0


def test_paid_but_cancelled(psp: Connection, shop: Connection, ordered: Callable[..., Order]) -> None:
    ordered(7)
    tell(psp, capture(order="7"))
    ordered(7, stage="CANCELLED", updated_at="2026-11-21T10:00:00Z")
    chores.bring_up_to_date()
    assert "paid_but_cancelled" in spine.open_kinds()
    tell(psp, {"id": "re_1", "kind": "REFUND", "gross": "-28.70", "parent": "ch_1"})
    assert "paid_but_cancelled" not in spine.open_kinds()


def test_small_differences_go_by_rule_larger_ones_by_people(
    psp: Connection, ordered: Callable[..., Order], person: Callable[..., Any]
) -> None:
    Policy.objects.create(currency="EUR", write_off_by_rule="0.05")
    ordered(1)
    tell(psp, capture("ch_1", gross="28.66", order="1"))
    assert (WriteOff.objects.get().amount, OpenItem.objects.get().open) == (Decimal("0.04"), 0)
    order = ordered(2)
    tell(psp, capture("ch_2", gross="20.00", order="2"))
    made = writeoffs.request(order, by=person("finance"), why="customer moved away")
    assert made.state == "REQUESTED"
    with pytest.raises(NotNow):
        writeoffs.approve(made, by=person("finance", "x").__class__.objects.get(username="finance"))
    writeoffs.approve(made, by=person("finance", "second"))
    assert (OpenItem.objects.get(pk=order.pk).open, spine.open_kinds()) == (0, set())
    third = ordered(3, total="100.00")
    tell(psp, capture("ch_3", gross="20.00", order="3"))
    with pytest.raises(NotNow):
        writeoffs.request(third, by=person("finance", "third"), why="far too much")


def test_due_dates_follow_the_payment_method(psp: Connection, ordered: Callable[..., Order]) -> None:
    PaymentTerm.objects.create(method="karte", days=14)
    order = ordered(7)
    chores.bring_up_to_date()
    assert OpenItem.objects.get().due_on == (order.placed_at + timedelta(days=14)).date()


def test_fees_beyond_the_contract_are_listed_with_the_sum(psp: Connection) -> None:
    FeeContract.objects.create(connection=psp, percent="1.5", fixed="0.25", valid_from="2026-01-01")
    FeeContract.objects.create(connection=psp, percent="2.9", fixed="0.25", country="US", valid_from="2026-01-01")
    FeeContract.objects.create(
        connection=psp, percent="9", fixed="0", valid_from="2020-01-01", valid_until="2025-12-31"
    )
    tell(psp, capture("ch_1", fee="0.68"), capture("ch_2", fee="0.82"), capture("ch_3", fee="1.08", country="US"))
    found = {row.transaction.external_id: (row.expected, row.difference, row.beyond) for row in FeeCheck.objects.all()}
    assert found == {
        "ch_1": (Decimal("0.68"), 0, False),
        "ch_2": (Decimal("0.68"), Decimal("0.14"), True),
        "ch_3": (Decimal("1.08"), 0, False),
    }
    assert [(row["currency"], row["sum"]) for row in fees.year()] == [("EUR", Decimal("0.14"))]


def test_statements_are_a_chain_and_lines_come_once(
    bank: Connection, psp: Connection, ordered: Callable[..., Order]
) -> None:
    ordered(4711)
    first = {"key": "a", "amount": "28.70", "name": "Mustermann, Erika", "text": "Bestellung 4711"}
    rent = {"key": "b", "amount": "-900.00", "text": "Miete"}
    tell(
        bank,
        {"number": "1", "opening": "0", "closing": "28.70", "lines": [first], "at": "2026-11-01T12:00:00Z"},
        topic="statement",
    )
    assert (OpenItem.objects.get().state, BankLine.objects.get().purpose) == ("PAID", "PAYMENT")
    third = {"number": "3", "opening": "50.00", "closing": "-850.00", "lines": [rent], "at": "2026-11-03T12:00:00Z"}
    tell(bank, third, topic="statement")
    assert spine.open_kinds() == {"statement_gap"}
    tell(bank, third | {"account": "DE02 1203 0000 0000 2020 51"}, topic="statement")
    assert (BankLine.objects.count(), BankStatement.objects.count()) == (2, 2)
    gift = {"key": "c", "amount": "21.30", "text": "Stripe Auszahlung"}
    tell(
        bank,
        {"number": "2", "opening": "28.70", "closing": "50.00", "lines": [gift], "at": "2026-11-02T12:00:00Z"},
        topic="statement",
    )
    assert spine.open_kinds() == set()
    assert BankLine.objects.get(key="b").purpose == "OTHER"
    assert BankLine.objects.get(key="c").purpose == "OPEN", "a line of the provider's waits for its payout"


def test_a_statement_that_does_not_add_up_is_refused_whole(bank: Connection) -> None:
    line = {"key": "a", "amount": "28.70", "text": "x"}
    tell(bank, {"number": "1", "opening": "0", "closing": "28.71", "lines": [line]}, topic="statement")
    assert InboundEvent.objects.get().state == EventState.PARKED
    assert not BankStatement.objects.exists()
    assert not BankLine.objects.exists()


def test_nonsense_is_refused_and_nothing_stored(psp: Connection) -> None:
    tell(psp, {"id": "ch_1", "gross": "1E+20"}, {"id": "ch_2", "gross": "1", "currency": "XXX"})
    assert set(InboundEvent.objects.values_list("state", flat=True)) == {EventState.PARKED}
    tell(psp, {"id": "po", "amount": "1", "currency": "ABC"}, topic="payout")
    assert not Payout.objects.exists()


def test_shop_and_erp_are_told_where_the_process_is_on(
    psp: Connection, shop: Connection, erp: Connection, ordered: Callable[..., Order], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        type(shop), "capabilities", property(lambda self: frozenset({"TELL_PAYMENT", "REGISTER_PAYMENT"}))
    )
    order = ordered(7)
    ProcessSwitch.objects.create(channel=shop, process=telling.TO_SHOP, target=psp)
    ProcessSwitch.objects.create(channel=shop, process=telling.TO_ERP, target=erp)
    order.sales.create(connection=erp, external_id="S-1", number="VK-1", stage="CONFIRMED")
    tell(psp, capture(order="7"))
    tell(psp, {"id": "re_1", "kind": "REFUND", "gross": "-5.00", "parent": "ch_1"})
    built = {}
    for command in OutboundCommand.objects.filter(verb__startswith="payment.").order_by("pk"):
        build = telling.build_tell if command.verb == telling.TELL else telling.build_register
        built[command.key] = build(command)
    assert [getattr(one, "status", "") for one in built.values() if hasattr(one, "status")][-1] == "partly_refunded"
    registered = [getattr(one, "amount", 0) for one in built.values() if not hasattr(one, "status")]
    assert registered == [Decimal("28.70"), Decimal("-5.00")]
