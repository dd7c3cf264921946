"""Giving up small differences: by rule up to a cap, by one person up to another, by two up to the last."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from django.db.models import F, Q

from integration_hub.kernel.errors import NotNow
from integration_hub.kernel.money import Money
from integration_hub.kernel.text import mark, say
from integration_hub.models.access import User
from integration_hub.models.activity import note
from orders.models import Order

from . import balances
from .models import OpenItem, Policy, WriteOff, bounds_of
from .moves import move
from .states import WRITE_OFF_MOVES, WriteOffState


def difference(item: OpenItem) -> Decimal:
    """What is missing of an order; negative: what was paid too much."""
    found: Decimal = item.open - item.overpaid
    return found


def request(order: Order, *, by: User, why: str) -> WriteOff:
    """Give up what is open of an order, or keep what was paid too much; above a limit a second person has to agree."""
    order = Order.objects.select_for_update(of=("self",)).get(pk=order.pk)
    balances.refresh([order.pk])
    amount = difference(OpenItem.objects.get(pk=order.pk))
    bounds = bounds_of(order.currency)
    if not amount:
        raise NotNow(say("Nothing is open."))
    if abs(amount) > bounds.write_off_most:
        most = Money(bounds.write_off_most, order.currency)
        raise NotNow(say("More than %(most)s is never written off.", most=most))
    if WriteOff.objects.filter(order=order, state=WriteOffState.REQUESTED).exists():
        raise NotNow(say("A write-off of this order waits for a second person already."))
    alone = abs(amount) <= bounds.write_off_alone
    made = WriteOff.objects.create(
        order=order,
        amount=amount,
        currency=order.currency,
        state=WriteOffState.DONE if alone else WriteOffState.REQUESTED,
        why=why,
        requested_by=by,
    )
    text = say("Write-off of %(money)s requested", money=Money(amount, order.currency))
    note(order, "payments.write_off", text, by=by, why=why)
    balances.refresh([order.pk])
    return made


def approve(row: WriteOff, *, by: User) -> None:
    """A second person agrees; nobody agrees to their own request, and only to what is still open."""
    row = WriteOff.objects.select_for_update(of=("self",)).select_related("order").get(pk=row.pk)
    if row.state != WriteOffState.REQUESTED:
        raise NotNow(say("This write-off does not wait for approval."))
    if row.requested_by_id == by.pk:
        raise NotNow(say("Somebody else has to approve what you requested."))
    balances.refresh([row.order_id])
    if difference(OpenItem.objects.get(pk=row.order_id)) != row.amount:
        raise NotNow(say("The difference is another one by now; decline this and request it anew."))
    move(row, WriteOffState.DONE, WRITE_OFF_MOVES, by=by, approved_by=by)
    balances.refresh([row.order_id])


def decline(row: WriteOff, *, by: User, why: str) -> None:
    row = WriteOff.objects.select_for_update(of=("self",)).get(pk=row.pk)
    if row.state != WriteOffState.REQUESTED:
        raise NotNow(say("This write-off does not wait for approval."))
    move(row, WriteOffState.DECLINED, WRITE_OFF_MOVES, by=by, why=why)


def by_rule(order_ids: Iterable[int]) -> int:
    """Give up differences of paid orders that a rule calls small; without a rule for the currency nothing is given up."""
    caps = {row.currency: row.write_off_by_rule for row in Policy.objects.filter(write_off_by_rule__gt=0)}
    if not caps:
        return 0
    small = Q(pk=None)
    for currency, cap in caps.items():
        small |= Q(currency=currency, open__lte=cap, overpaid__lte=cap)
    items = OpenItem.objects.filter(small, pk__in=list(order_ids), captured__gt=0, disputed=0)
    chosen = list(items.exclude(open=F("overpaid")).select_related("order").order_by("pk"))
    for item in chosen:
        _give_up(item)
    balances.refresh([item.pk for item in chosen])
    return len(chosen)


def _give_up(item: OpenItem) -> None:
    WriteOff.objects.create(
        order=item.order,
        amount=difference(item),
        currency=item.currency,
        state=WriteOffState.DONE,
        why=mark("small difference, by rule"),
        by_rule=True,
    )
    text = say("%(money)s written off by rule", money=Money(difference(item), item.currency))
    note(item.order, "payments.write_off", text, system="hub")
