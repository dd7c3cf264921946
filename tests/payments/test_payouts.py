"""Payouts explained to the cent: the worked examples, late and repeated reports, manual payouts, the bank, what is wrong."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exceptions.actions import by_code
from exceptions.models import ExceptionCase
from integration_hub.backoffice import invariants
from integration_hub.backoffice.actions import perform
from integration_hub.models import Connection, InboundEvent
from integration_hub.models.inbound import EventState
from payments import chores, payouts, solver
from payments.models import BankLine, Payout, PayoutItem, Transaction
from payments.states import PayoutState
from tests import spine
from tests.payments.provider import capture, tell

pytestmark = pytest.mark.django_db


def entry(id: str, kind: str, net: str, fee: str = "0", **more: Any) -> dict[str, Any]:
    """A movement by what it moves the balance by; the fee is taken from its gross."""
    gross = str(Decimal(net) + Decimal(fee))
    fees = [["DISPUTE" if kind == "DISPUTE" else "PROCESSING", fee]] if Decimal(fee) else []
    return {"id": id, "kind": kind, "gross": gross, "settled": gross, "fees": fees} | more


# shared fact sheet, G.1: 855.80 = 1190.00 - 35.70 - 119.00 - 59.50 - 20.00 - 100.00
WEEK = [
    entry("ch_kw10", "CAPTURE", "1154.30", "35.70", payout="po_1"),
    entry("re_kw10", "REFUND", "-119.00", payout="po_1"),
    entry("dp_1", "DISPUTE", "-79.50", "20.00", payout="po_1"),
    entry("rv_1", "RESERVE", "-100.00", payout="po_1"),
]


def state_of(external: str = "po_1") -> tuple[Any, ...]:
    payout = Payout.objects.get(external_id=external)
    return payout.state, payout.explained, payout.remainder


def test_the_worked_week_is_explained_to_the_cent(psp: Connection, bank: Connection) -> None:
    tell(psp, {"id": "po_1", "amount": "855.80", "reference": "STRIPE PO1X7"}, topic="payout")
    assert state_of() == (PayoutState.ANNOUNCED, 0, Decimal("855.80"))
    tell(psp, *WEEK)
    assert state_of() == (PayoutState.EXPLAINED, Decimal("855.80"), 0)
    line = {"key": "1", "amount": "855.80", "name": "Stripe Technology", "text": "STRIPE PO1X7 AUSZAHLUNG"}
    tell(bank, {"number": "1", "opening": "10.00", "closing": "865.80", "lines": [line]}, topic="statement")
    assert state_of() == (PayoutState.CLOSED, Decimal("855.80"), 0)
    assert BankLine.objects.get().purpose == "PAYOUT"
    assert "payout_does_not_add_up" not in spine.open_kinds()


@pytest.mark.parametrize("order", [[0, 1, 2, 3, 4], [4, 3, 2, 1, 0], [2, 0, 4, 2, 1, 0, 3, 3]])
def test_late_repeated_and_reordered_reports_do_no_harm(psp: Connection, order: list[int]) -> None:
    for place in order:
        if place == 4:
            tell(psp, {"id": "po_1", "amount": "855.80"}, topic="payout")
        else:
            tell(psp, WEEK[place] | {"status": f"said {order.index(place)}"})
    assert state_of() == (PayoutState.EXPLAINED, Decimal("855.80"), 0)
    assert PayoutItem.objects.count() == 4


def test_a_list_of_items_waits_for_those_not_seen_yet(psp: Connection) -> None:
    plain = [{name: value for name, value in row.items() if name != "payout"} for row in WEEK]
    tell(psp, *plain[:2])
    tell(psp, {"id": "po_1", "amount": "855.80", "items": [row["id"] for row in WEEK]}, topic="payout")
    assert (state_of()[0], spine.open_kinds() & {"payout_does_not_add_up"}) == (PayoutState.ANNOUNCED, set())
    tell(psp, *plain[2:])
    assert state_of() == (PayoutState.EXPLAINED, Decimal("855.80"), 0)


def test_a_cent_too_much_is_a_case_and_can_be_accepted(psp: Connection, person: Callable[..., Any]) -> None:
    tell(psp, *WEEK)
    tell(psp, {"id": "po_1", "amount": "855.81", "items": [row["id"] for row in WEEK]}, topic="payout")
    case = ExceptionCase.objects.get(kind="payout_does_not_add_up")
    action = by_code(case, "payments.accept_remainder")
    assert action
    perform(action, case, by=person("finance"), data={"why": "provider rounds up a cent"})
    assert state_of() == (PayoutState.EXPLAINED, Decimal("855.80"), Decimal("0.01"))
    assert "payout_does_not_add_up" not in spine.open_kinds()


def test_balances_that_do_not_follow_are_a_case(psp: Connection) -> None:
    tell(psp, *WEEK)
    wrong = {"id": "po_1", "amount": "855.80", "before": "5.00", "after": "6.00"}
    tell(psp, wrong, topic="payout")
    assert "payout_does_not_add_up" in spine.open_kinds()
    tell(psp, wrong | {"after": "5.00", "updated": "2026-11-20T13:00:00Z"}, topic="payout")
    assert "payout_does_not_add_up" not in spine.open_kinds()


def test_figures_of_a_provider_that_do_not_add_up_are_refused_whole(psp: Connection) -> None:
    tell(psp, capture(settled="28.70", net="28.01"))
    assert InboundEvent.objects.get().state == EventState.PARKED
    assert not Transaction.objects.exists()


@pytest.mark.parametrize(
    ("currency", "items", "amount"), [("JPY", ["1500", "-120"], "1380"), ("KWD", ["12.345", "-0.005"], "12.340")]
)
def test_currencies_without_and_with_three_decimals(
    psp: Connection, currency: str, items: list[str], amount: str
) -> None:
    rows = [
        entry(f"t{place}", "CAPTURE" if net[0] != "-" else "REFUND", net, currency=currency, payout="po_1")
        for place, net in enumerate(items)
    ]
    tell(psp, *rows)
    tell(psp, {"id": "po_1", "amount": amount, "currency": currency}, topic="payout")
    assert state_of()[0] == PayoutState.EXPLAINED


def test_another_currency_is_never_added(psp: Connection) -> None:
    tell(psp, {"id": "po_1", "amount": "10.00"}, topic="payout")
    tell(psp, entry("t1", "CAPTURE", "10.00", currency="USD", payout="po_1"))
    assert state_of() == (PayoutState.ANNOUNCED, 0, Decimal("10.00"))
    with pytest.raises(IntegrityError), transaction.atomic():
        PayoutItem.objects.create(
            payout=Payout.objects.get(), transaction=Transaction.objects.get(), amount=10, how="STATED"
        )


def test_a_manual_payout_is_proposed_and_confirmed(psp: Connection, person: Callable[..., Any]) -> None:
    for number, net in enumerate(["10.00", "20.00", "-5.00", "33.33"]):
        tell(psp, entry(f"t{number}", "CAPTURE" if net[0] != "-" else "REFUND", net, at=f"2026-11-1{number}T10:00:00Z"))
    tell(psp, {"id": "po_1", "amount": "25.00", "has_items": False}, topic="payout")
    case = ExceptionCase.objects.get(kind="payout_without_items")
    found, rest = payouts.propose(Payout.objects.get())
    assert [row.external_id for row in found] == ["t0", "t1", "t2"]
    assert not rest
    action = by_code(case, "payments.take_proposal")
    assert action
    perform(action, case, by=person("finance"), data={"movements": " ".join(str(row.pk) for row in found)})
    assert state_of() == (PayoutState.EXPLAINED, Decimal("25.00"), 0)


def test_a_payout_missing_in_the_bank_is_a_case_until_it_shows(psp: Connection, bank: Connection) -> None:
    tell(psp, *WEEK)
    tell(psp, {"id": "po_1", "amount": "855.80", "at": "2026-11-02T10:00:00Z"}, topic="payout")
    tell(
        bank,
        {"number": "1", "opening": "0", "closing": "0", "lines": [], "at": "2026-11-19T10:00:00Z"},
        topic="statement",
    )
    chores.look_after()
    assert "payout_not_in_bank" in spine.open_kinds()
    line = {"key": "2", "amount": "855.80", "text": "Stripe", "at": "2026-11-05T10:00:00Z"}
    tell(bank, {"number": "2", "opening": "0", "closing": "855.80", "lines": [line]}, topic="statement")
    assert (state_of()[0], "payout_not_in_bank" in spine.open_kinds()) == (PayoutState.CLOSED, False)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    nets=st.lists(st.integers(-50_000, 90_000).filter(bool), max_size=12),
    stated=st.integers(-10_000, 200_000),
    drop=st.integers(0, 12),
)
def test_explained_and_remainder_always_make_the_payout(
    psp: Connection, nets: list[int], stated: int, drop: int
) -> None:
    with transaction.atomic():
        mark = transaction.savepoint()
        payout = Payout.objects.create(
            connection=psp,
            external_id="po_x",
            stage="PAID",
            amount=Decimal(stated) / 100,
            remainder=0,
            currency="EUR",
            created_at=timezone.now(),
            source_updated_at=timezone.now(),
        )
        for place, net in enumerate(nets):
            _settled(psp, f"x{place}", Decimal(net) / 100)
        payouts.attach([payout.pk])
        PayoutItem.objects.filter(transaction__external_id=f"x{drop}").delete()
        Transaction.objects.filter(external_id="x0").update(settled_gross=7, net=7)
        payout.refresh_from_db()
        assert payout.explained + payout.remainder == payout.amount
        assert payout.explained == sum(item.amount for item in payout.items.all())
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        transaction.savepoint_rollback(mark)


def _settled(psp: Connection, name: str, net: Decimal) -> None:
    Transaction.objects.create(
        connection=psp,
        external_id=name,
        kind="ADJUSTMENT",
        state="SUCCEEDED",
        occurred_at=timezone.now(),
        source_updated_at=timezone.now(),
        gross=net,
        currency="EUR",
        settlement_currency="EUR",
        settled_gross=net,
        net=net,
        payout_external_id="po_x",
    )


@settings(max_examples=50, deadline=None)
@given(coins=st.lists(st.integers(-9999, 9999), max_size=14), data=st.data())
def test_the_solver_finds_what_is_there(coins: list[int], data: st.DataObject) -> None:
    chosen = data.draw(st.lists(st.sampled_from(range(len(coins))), unique=True)) if coins else []
    target = sum(coins[place] for place in chosen)
    found = solver.solve([solver.Item(place, amount) for place, amount in enumerate(coins)], target)
    assert sum(coins[place] for place in found.ids) + found.remainder == target
    assert found.remainder == 0, "a set that makes it was there"
    assert len(set(found.ids)) == len(found.ids)


def test_nothing_written_by_hand_gets_past_the_database(psp: Connection) -> None:
    tell(psp, *WEEK)
    tell(psp, {"id": "po_1", "amount": "855.80"}, topic="payout")
    with pytest.raises(IntegrityError):
        _at_once(lambda: Payout.objects.update(explained=1))
    with pytest.raises(IntegrityError):
        _at_once(lambda: Transaction.objects.filter(external_id="ch_kw10").update(fees=1, net="1189.00"))
    broken = {one.code for one in invariants.all_invariants() if not invariants.judge(one).kept}
    assert broken <= {"ledgers_only_grow"}, "tests truncate ledgers"


def _at_once(change: Callable[[], int]) -> None:
    """Change it and let the database look at once, not at the end."""
    with transaction.atomic():
        change()
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
