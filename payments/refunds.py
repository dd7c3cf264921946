"""Refunds as processes: asked for, approved by a second person above a limit, sent once, settled or failed by reports.

What can be refunded of a payment is what was paid less what was refunded and what is under way; counted under a lock on the
payment, and held by a trigger.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db import transaction
from django.db.models import F, Sum

from exceptions import services as cases
from integration_hub.kernel.errors import NotNow
from integration_hub.kernel.funds import RefundPayment
from integration_hub.kernel.messages import Written
from integration_hub.kernel.money import Money
from integration_hub.kernel.states import Capability
from integration_hub.kernel.text import say
from integration_hub.messaging import outbox
from integration_hub.models import Attempt, OutboundCommand
from integration_hub.models.access import User
from integration_hub.models.activity import note
from orders.aftersales.models import AfterSale
from orders.models import Order, OrderLine

from . import recognising
from .models import Allocation, Refund, RefundLine, Transaction, bounds_of
from .moves import move
from .states import HOLDING, REFUND_MOVES, Kind, RefundState, Standing

SEND = "payment.refund"
KINDS = ("refund_failed",)


@dataclass(frozen=True)
class Part:
    """So much (gross) of an order's line is to go back."""

    line: OrderLine
    gross: Decimal


@dataclass(frozen=True)
class Source:
    """A payment of an order, and what of it can still be refunded for this order."""

    capture: Transaction
    free: Decimal


def sources(order: Order, *, lock: bool = False) -> list[Source]:
    """The order's payments with what each can still give back, oldest first.  ``lock`` holds them until the end."""
    rows = Transaction.objects.filter(
        kind=Kind.CAPTURE, state=Standing.SUCCEEDED, allocations__order_id=order.pk
    ).select_related("connection")
    captures = list(rows.select_for_update(of=("self",)).order_by("pk") if lock else rows.order_by("pk"))
    ids = [row.pk for row in captures]
    mine = dict(
        Allocation.objects.filter(order_id=order.pk, transaction_id__in=ids).values_list("transaction_id", "amount")
    )
    held = Refund.objects.filter(capture_id__in=ids, state__in=HOLDING).values_list("capture_id", "order_id")
    sums = {(row[0], row[1]): row[2] for row in held.annotate(sum=Sum("amount"))}
    return [Source(row, _free(row, order, mine[row.pk], sums)) for row in captures]


def _free(row: Transaction, order: Order, mine: Decimal, sums: dict[tuple[int, int | None], Decimal]) -> Decimal:
    """Neither more than the order has in this payment, nor more than the payment has at all."""
    everybody = sum((amount for (capture, _order), amount in sums.items() if capture == row.pk), Decimal(0))
    left: Decimal = row.gross - everybody
    return max(min(mine - sums.get((row.pk, order.pk), Decimal(0)), left), Decimal(0))


def refundable(order: Order) -> Decimal:
    """What can still be given back for this order, in the currency of its payments."""
    return sum((source.free for source in sources(order)), Decimal(0))


@transaction.atomic
def request(
    order: Order,
    amount: Decimal,
    *,
    by: User,
    why: str,
    parts: Sequence[Part] = (),
    after_sale: AfterSale | None = None,
) -> list[Refund]:
    """Ask for money to go back; several refunds where it came in several payments.  NotNow where there is not so much.

    Up to the limit of its currency it goes out at once; above it a second person has to approve.
    """
    held = sources(order, lock=True)
    free = sum((source.free for source in held), Decimal(0))
    if amount <= 0 or amount > free:
        raise NotNow(say("At most %(free)s can be refunded.", free=Money(free, order.currency)))
    made: list[Refund] = []
    left = amount
    for source in held:
        share = min(left, source.free)
        if share > 0:
            made.append(_make(order, source.capture, share, by=by, why=why, after_sale=after_sale))
            left -= share
    _lines(made[0], parts)
    if _alone(order) <= bounds_of(order.currency).refund_alone:
        for refund in made:
            _approve(refund, by=None)
    return made


def _alone(order: Order) -> Decimal:
    """What goes back for this order without a second person, together: many small refunds are a large one."""
    rows = Refund.objects.filter(order=order, approved_by=None, state__in=HOLDING).exclude(requested_by=None)
    found: Decimal = rows.aggregate(sum=Sum("amount"))["sum"] or Decimal(0)
    return found


def _make(
    order: Order, capture: Transaction, amount: Decimal, *, by: User, why: str, after_sale: AfterSale | None
) -> Refund:
    if Capability.REFUND not in capture.connection.capabilities:
        raise NotNow(
            say(
                "%(system)s takes no refunds from the hub; refund it there, the hub recognises it.",
                system=capture.connection.name,
            )
        )
    refund = Refund.objects.create(
        order=order,
        capture=capture,
        amount=amount,
        currency=capture.currency,
        requested_by=by,
        why=why,
        after_sale=after_sale,
    )
    text = say("Refund of %(money)s requested", money=Money(amount, capture.currency))
    note(order, "payments.refund", text, by=by, why=why, data={"refund": refund.pk})
    return refund


def _lines(refund: Refund, parts: Sequence[Part]) -> None:
    """Net and tax of each part by the line's own rate, so that the credit note can repeat them."""
    rows = [_line(refund, part) for part in parts if part.gross]
    RefundLine.objects.bulk_create(rows)


def _line(refund: Refund, part: Part) -> RefundLine:
    gross = Money(part.gross, refund.currency)
    net, tax = (
        gross.split([part.line.net, part.line.tax])
        if part.line.gross > 0
        else (gross, Money(Decimal(0), gross.currency))
    )
    return RefundLine(
        refund=refund,
        line=part.line,
        title=part.line.title,
        tax_rate=part.line.tax_rate,
        net=net.amount,
        tax=tax.amount,
        gross=part.gross,
    )


def approve(refund: Refund, *, by: User) -> None:
    """A second person agrees; nobody approves their own request above the limit."""
    refund = _locked(refund)
    if refund.state != RefundState.REQUESTED:
        raise NotNow(say("This refund does not wait for approval."))
    if refund.requested_by_id == by.pk:
        raise NotNow(say("Somebody else has to approve what you requested."))
    _approve(refund, by=by)


def _approve(refund: Refund, *, by: User | None) -> None:
    move(refund, RefundState.APPROVED, REFUND_MOVES, by=by, approved_by=by)
    _send(refund)


def _send(refund: Refund) -> None:
    outbox.command(refund.capture.connection, SEND, key_of(refund), refund)


def key_of(refund: Refund) -> str:
    """The key of this try: a refund that failed and is sent again is another one to the provider."""
    return f"refund:{refund.pk}:{refund.attempt}"


def decline(refund: Refund, *, by: User, why: str) -> None:
    """It is not to go out after all; possible as long as it was not sent."""
    refund = _locked(refund)
    if refund.state == RefundState.APPROVED and not outbox.cancel_pending(refund, SEND):
        raise NotNow(say("This refund has been sent already."))
    if refund.state not in (RefundState.REQUESTED, RefundState.APPROVED):
        raise NotNow(say("This refund has been sent already."))
    move(refund, RefundState.DECLINED, REFUND_MOVES, by=by, why=why)


def retry(refund: Refund, *, by: User) -> None:
    """Send one that failed again, as a refund of its own to the provider."""
    refund = _locked(refund)
    if refund.state != RefundState.FAILED or refund.order is None:
        raise NotNow(say("Only a refund that failed can be sent again."))
    sources(refund.order, lock=True)
    Refund.objects.filter(pk=refund.pk).update(attempt=F("attempt") + 1, transaction=None, external_id="")
    refund.refresh_from_db()
    move(refund, RefundState.APPROVED, REFUND_MOVES, by=by)
    _send(refund)
    cases.settle(refund, kinds=KINDS, by=by)


def _locked(refund: Refund) -> Refund:
    rows = Refund.objects.select_for_update(of=("self",)).select_related("capture__connection", "order")
    return rows.get(pk=refund.pk)


def build(command: OutboundCommand) -> RefundPayment | None:
    """The refund as the provider is asked for it; None if it is not to go out any more."""
    refund = _locked(Refund(pk=command.subject_id))
    if refund.state not in (RefundState.APPROVED, RefundState.SENT) or command.key != key_of(refund):
        return None
    if refund.state == RefundState.APPROVED:
        move(refund, RefundState.SENT, REFUND_MOVES)
    return RefundPayment(
        key=command.key,
        payment_id=refund.capture.external_id,
        amount=refund.amount,
        currency=refund.currency,
        reason=refund.why[:200],
        order_reference=refund.order.reference if refund.order else "",
    )


def sent(command: OutboundCommand, written: Written, attempt: Attempt) -> None:
    """The provider has taken it; its report says when the money is gone."""
    refund = _locked(Refund(pk=command.subject_id))
    if command.key != key_of(refund):
        return
    if not refund.external_id and written.external_id:
        Refund.objects.filter(pk=refund.pk).update(external_id=written.external_id[:120])
        refund.external_id = written.external_id[:120]
    if refund.state == RefundState.SENT:
        move(refund, RefundState.PENDING, REFUND_MOVES, system=command.connection.name)
    if refund.order:
        text = say("Refund of %(money)s sent", money=Money(refund.amount, refund.currency))
        note(refund.order, "payments.refund", text, system=command.connection.name, attempt=attempt, ms=attempt.ms)
    known = Transaction.objects.filter(connection=command.connection, external_id=refund.external_id).first()
    if known and refund.external_id:
        recognising.recognise([known.pk])
