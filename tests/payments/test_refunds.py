"""Refunds from request to settlement: four eyes, what can still be refunded, what the provider did by itself, what failed."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from exceptions.actions import by_code
from exceptions.models import ExceptionCase
from integration_hub.backoffice.actions import perform
from integration_hub.kernel.errors import NotNow, Rejected, RetryLater
from integration_hub.models import Connection, OutboundCommand
from integration_hub.models.outbound import CommandState
from orders.models import Order
from payments import refunds
from payments.models import Dispute, OpenItem, Refund, Transaction
from payments.process_actions import APPROVE_REFUND, REFUND
from payments.refunds import Part
from payments.states import RefundState
from tests import spine
from tests.payments.provider import Till, capture, tell

pytestmark = pytest.mark.django_db


@pytest.fixture
def paid(psp: Connection, ordered: Callable[..., Order]) -> Order:
    """An order of 280.00, paid."""
    order = ordered(7, total="280.00")
    tell(psp, capture(gross="280.00", order="7"))
    return order


def back(amount: str, **more: Any) -> dict[str, Any]:
    return {"id": "re_1", "kind": "REFUND", "gross": f"-{amount}", "parent": "ch_1"} | more


def only() -> Refund:
    return Refund.objects.get()


def test_a_small_refund_goes_out_and_is_settled_by_the_report(
    paid: Order, psp: Connection, till: Till, person: Callable[..., Any]
) -> None:
    perform(REFUND, paid, by=person("operations"), data={"amount": "20.00", "why": "broken lid"})
    assert only().state == RefundState.APPROVED
    spine.run()
    assert [(one.payment_id, one.amount) for one in till.refunds.values()] == [("ch_1", Decimal("20.00"))]
    assert only().state == RefundState.PENDING
    assert OpenItem.objects.get().refunded == 0, "only the provider says that money is gone"
    tell(psp, back("20.00", id=only().external_id))
    assert (only().state, OpenItem.objects.get().state) == (RefundState.SETTLED, "PARTLY_REFUNDED")
    assert OpenItem.objects.get().open == 0


def test_above_the_limit_a_second_person_approves(paid: Order, till: Till, person: Callable[..., Any]) -> None:
    first, second = person("finance"), person("finance", "second")
    perform(REFUND, paid, by=first, data={"amount": "150.00", "why": "never arrived"})
    spine.run()
    assert (only().state, till.refunds) == (RefundState.REQUESTED, {})
    with pytest.raises(NotNow):
        perform(APPROVE_REFUND, only(), by=first)
    perform(APPROVE_REFUND, only(), by=second)
    spine.run()
    assert (only().state, len(till.refunds)) == (RefundState.PENDING, 1)


def test_many_small_ones_are_a_large_one(paid: Order, person: Callable[..., Any]) -> None:
    somebody = person("finance")
    for _each in range(3):
        refunds.request(paid, Decimal(40), by=somebody, why="again")
    assert list(Refund.objects.order_by("pk").values_list("state", flat=True)) == ["APPROVED", "APPROVED", "REQUESTED"]


def test_what_is_asked_for_counts_at_once(paid: Order, person: Callable[..., Any]) -> None:
    refunds.request(paid, Decimal(200), by=person("finance"), why="first")
    assert refunds.refundable(paid) == Decimal(80)
    with pytest.raises(NotNow):
        refunds.request(paid, Decimal("80.01"), by=person("finance", "other"), why="too much")


def test_lines_keep_their_tax(psp: Connection, ordered: Callable[..., Order], person: Callable[..., Any]) -> None:
    order = ordered(7)
    tell(psp, capture(order="7"))
    line = order.lines.get(position=1)
    refunds.request(order, Decimal("11.90"), by=person("finance"), why="one pot", parts=[Part(line, Decimal("11.90"))])
    row = only().lines.get()
    assert (row.net, row.tax, row.tax_rate) == (Decimal("10.00"), Decimal("1.90"), line.tax_rate)


def test_a_refund_made_at_the_provider_is_recognised(paid: Order, psp: Connection, person: Callable[..., Any]) -> None:
    refunds.request(paid, Decimal(200), by=person("finance"), why="waits for a second person")
    tell(psp, back("280.00"))
    asked, seen = Refund.objects.order_by("pk")
    assert (asked.state, seen.state, seen.order, seen.requested_by) == ("DECLINED", "SETTLED", paid, None)
    assert OpenItem.objects.get().state == "REFUNDED"
    assert not refunds.refundable(paid)
    tell(psp, back("280.00", status="said again"))
    assert Refund.objects.count() == 2


def test_the_report_may_come_before_the_answer(
    paid: Order, psp: Connection, till: Till, person: Callable[..., Any]
) -> None:
    till.broken = RetryLater("no answer", maybe_written=True)
    refunds.request(paid, Decimal(20), by=person("finance"), why="small")
    spine.run()
    tell(psp, back("20.00", id="re_refund"))
    assert (only().state, Refund.objects.count()) == (RefundState.SETTLED, 1)
    till.broken = None
    spine.later()
    assert OutboundCommand.objects.get().state in (CommandState.DONE, CommandState.CANCELLED)
    assert (till.refunds, only().state) == ({}, RefundState.SETTLED), "what is settled is not sent again"


def test_a_failed_refund_reopens_the_order_and_goes_out_again(
    paid: Order, psp: Connection, till: Till, person: Callable[..., Any]
) -> None:
    refunds.request(paid, Decimal(20), by=person("finance"), why="small")
    spine.run()
    tell(psp, back("20.00", id=only().external_id))
    tell(psp, back("20.00", id=only().external_id, state="FAILED", updated="2026-11-21T12:00:00Z"))
    assert (only().state, OpenItem.objects.get().state) == (RefundState.FAILED, "PAID")
    case = ExceptionCase.objects.get(kind="refund_failed")
    action = by_code(case, "payments.retry_refund")
    assert action
    perform(action, case, by=person("finance", "second"))
    spine.run()
    assert (only().state, len(till.refunds), spine.open_kinds()) == (RefundState.PENDING, 2, set())


def test_money_that_came_back_weeks_later_is_a_failed_refund(paid: Order, psp: Connection) -> None:
    tell(psp, back("20.00"))
    tell(psp, {"id": "rf_1", "kind": "REFUND_FAILED", "gross": "20.00", "parent": "re_1"})
    assert (only().state, OpenItem.objects.get().refunded) == (RefundState.FAILED, 0)
    assert "refund_failed" in spine.open_kinds()


def test_a_provider_that_refuses_parks_the_command(paid: Order, till: Till, person: Callable[..., Any]) -> None:
    till.broken = Rejected("charge already refunded")
    refunds.request(paid, Decimal(20), by=person("finance"), why="small")
    spine.run()
    assert OutboundCommand.objects.get().state == CommandState.PARKED
    assert only().state == RefundState.SENT
    assert spine.open_kinds()


@pytest.mark.parametrize("late", [False, True])
def test_a_dispute_is_due_in_time_and_moves_nothing_else(paid: Order, psp: Connection, late: bool) -> None:
    said = {"id": "dp_1", "payment": "ch_1", "amount": "280.00", "due": "2026-12-01T00:00:00Z"}
    state, stage = paid.state, paid.stage
    tell(psp, said, topic="dispute")
    case = ExceptionCase.objects.get(kind="dispute_due")
    assert f"{case.due_at:%Y-%m-%d}" == "2026-12-01"
    assert OpenItem.objects.get().state == "IN_DISPUTE"
    tell(psp, {"id": "tx_1", "kind": "DISPUTE", "gross": "-280.00", "parent": "ch_1"})
    assert (OpenItem.objects.get().disputed, OpenItem.objects.get().open) == (280, 280)
    won = said | {"stage": "WON", "updated": "2026-11-25T12:00:00Z"}
    tell(psp, {"id": "tx_2", "kind": "DISPUTE_REVERSAL", "gross": "280.00", "parent": "ch_1"})
    tell(psp, won, topic="dispute")
    if late:
        tell(psp, said | {"status": "needs_response, said late"}, topic="dispute")
    assert Dispute.objects.get().state == "WON"
    assert (OpenItem.objects.get().state, OpenItem.objects.get().open, spine.open_kinds()) == ("PAID", 0, set())
    paid.refresh_from_db()
    assert (paid.state, paid.stage) == (state, stage)


def test_a_dispute_before_its_payment_is_tied_when_it_comes(psp: Connection, ordered: Callable[..., Order]) -> None:
    ordered(7)
    tell(psp, {"id": "dp_1", "payment": "ch_1", "amount": "28.70"}, topic="dispute")
    tell(psp, capture(order="7"))
    assert Dispute.objects.get().transaction == Transaction.objects.get()
    assert OpenItem.objects.get().state == "IN_DISPUTE"
