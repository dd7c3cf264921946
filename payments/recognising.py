"""Movements of money back, as providers report them, and the refunds they belong to: asked for here, or made there."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django.db.models import Q, Sum

from exceptions import services as cases
from exceptions.services import Trouble
from integration_hub.kernel.money import Money
from integration_hub.kernel.text import mark, say
from integration_hub.models.activity import note

from . import aftersales
from .models import Allocation, Refund, Transaction
from .moves import move
from .states import HOLDING, MONEY_BACK, REFUND_MOVES, Kind, RefundState, Standing

KINDS = ("refund_failed",)


def recognise(ids: Iterable[int]) -> None:
    """Tie movements of money back to their refunds; one that the hub did not ask for becomes a refund of its own."""
    rows = Transaction.objects.filter(pk__in=list(ids), kind__in=MONEY_BACK).select_related("connection")
    for row in rows.order_by("pk"):
        if row.kind == Kind.REFUND:
            _recognise(row)
        elif row.state == Standing.SUCCEEDED:
            _came_back(row)


def _recognise(row: Transaction) -> None:
    refund = _refund_of(row) or _expected(row) or _made_there(row)
    if refund is None:
        return
    target = _STATES[row.state]
    settled: dict[str, Any] = {"settled_at": row.occurred_at} if target == RefundState.SETTLED else {}
    linked: dict[str, Any] = (
        {} if target == RefundState.FAILED else {"transaction": row, "external_id": row.external_id}
    )
    if target != refund.state and target in REFUND_MOVES[refund.state]:
        move(refund, target, REFUND_MOVES, system=row.connection.name, **linked, **settled)
    elif linked and refund.transaction_id != row.pk:
        Refund.objects.filter(pk=refund.pk).update(**linked)
    if target == RefundState.FAILED:
        _failed(refund, row)
    else:
        cases.settle(refund, kinds=KINDS)
        aftersales.settled(refund)


_STATES: dict[str, RefundState] = {
    Standing.PENDING: RefundState.PENDING,
    Standing.SUCCEEDED: RefundState.SETTLED,
    Standing.FAILED: RefundState.FAILED,
    Standing.CANCELLED: RefundState.FAILED,
    Standing.EXPIRED: RefundState.FAILED,
}


def _refund_of(row: Transaction) -> Refund | None:
    """The refund that this movement is known to be, by link or by the id that the provider answered with."""
    held = Refund.objects.select_for_update(of=("self",)).select_related("capture__connection", "order")
    names = [row.external_id, *row.payment_ids]
    linked = held.filter(transaction=row).first()
    return (
        linked or held.filter(capture__connection=row.connection, external_id__in=names).exclude(external_id="").first()
    )


def _capture_of(row: Transaction) -> Transaction | None:
    name = row.parent_external_id
    parent = Transaction.objects.filter(
        Q(external_id=name) | Q(payment_ids__contains=[name]), connection=row.connection, kind=Kind.CAPTURE
    ).first()
    if parent or row.parent_external_id:
        return parent
    orders = Allocation.objects.filter(transaction_id=row.pk).values_list("order_id", flat=True)
    paid = Transaction.objects.filter(
        connection=row.connection, kind=Kind.CAPTURE, state=Standing.SUCCEEDED, allocations__order_id__in=list(orders)
    )
    return paid.order_by("pk").first()


def _expected(row: Transaction) -> Refund | None:
    """One that was sent, of the same payment and amount: the report may come before the answer."""
    capture = _capture_of(row)
    if capture is None:
        return None
    held = Refund.objects.select_for_update(of=("self",)).select_related("capture__connection", "order")
    waiting = held.filter(
        capture=capture,
        amount=-row.gross,
        transaction=None,
        external_id="",
        state__in=(RefundState.SENT, RefundState.PENDING),
    )
    return waiting.order_by("pk").first()


def _made_there(row: Transaction) -> Refund | None:
    """Somebody refunded at the provider: what was asked for here and has no room any more is declined."""
    capture = _capture_of(row)
    if capture is None or row.state not in (Standing.PENDING, Standing.SUCCEEDED) or row.gross >= 0:
        return None
    Transaction.objects.select_for_update(of=("self",)).get(pk=capture.pk)
    held = Refund.objects.filter(capture=capture, state__in=HOLDING).aggregate(sum=Sum("amount"))["sum"] or Decimal(0)
    _make_room(capture, held - row.gross - capture.gross)
    first = Allocation.objects.filter(transaction_id=row.pk).order_by("position").first()
    refund = Refund.objects.create(
        order_id=first.order_id if first else None,
        capture=capture,
        amount=-row.gross,
        currency=row.currency,
        state=RefundState.PENDING,
        why=mark("made at the provider"),
        transaction=row,
        external_id=row.external_id,
    )
    if refund.order:
        text = say(
            "Refund of %(money)s made at %(system)s",
            money=Money(refund.amount, refund.currency),
            system=row.connection.name,
        )
        note(refund.order, "payments.refund", text, system=row.connection.name)
    return refund


def _make_room(capture: Transaction, excess: Decimal) -> None:
    """The money is gone already, so what still waits for a person here is declined, newest first."""
    for refund in Refund.objects.filter(capture=capture, state=RefundState.REQUESTED).order_by("-pk"):
        if excess <= 0:
            return
        move(refund, RefundState.DECLINED, REFUND_MOVES, why=mark("refunded at the provider meanwhile"))
        excess -= refund.amount


def _came_back(row: Transaction) -> None:
    """Money of a refund that came back: the refund has failed after all."""
    held = Refund.objects.select_for_update(of=("self",)).select_related("capture__connection", "order")
    refund = held.filter(
        transaction__connection=row.connection, transaction__external_id=row.parent_external_id
    ).first()
    if refund and refund.state in (RefundState.SETTLED, RefundState.PENDING):
        move(refund, RefundState.FAILED, REFUND_MOVES, system=row.connection.name)
        _failed(refund, row)


def _failed(refund: Refund, row: Transaction) -> None:
    """The customer has no money: a person decides how it goes back, and the order is open again."""
    trouble = Trouble(
        kind="refund_failed",
        cause=f"refund:{refund.pk}:{refund.attempt}",
        params={"number": refund.order.number if refund.order else str(refund)},
        expected=say("%(money)s goes back to the customer", money=Money(refund.amount, refund.currency)),
        found=say("%(system)s: %(status)s", system=row.connection.name, status=row.vendor_status or row.state),
        data={"refund": refund.pk},
    )
    cases.open_case(trouble, refund, connection=row.connection)
    if refund.order:
        note(refund.order, "payments.refund", say("The refund failed"), system=row.connection.name)
