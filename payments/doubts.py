"""What is strange about an order's money, as cases that open and close with its figures."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from django.contrib.contenttypes.models import ContentType
from django.db.models import Q

from exceptions import services as cases
from exceptions.models import CaseState, CaseSubject
from exceptions.services import Trouble
from integration_hub.kernel.money import Money
from integration_hub.kernel.text import say
from orders.models import Order

from .models import Allocation, OpenItem, bounds_of
from .states import Kind, Standing

KINDS = ("paid_but_cancelled", "double_payment", "amounts_disagree")


def of_orders(order_ids: Sequence[int]) -> None:
    """Open what these orders' open items show to be wrong, let go of what is right now."""
    held = _held_up(order_ids)
    strange = Q(overpaid__gt=0) | Q(captured__gt=0, open__gt=0) | Q(pk__in=held)
    rows = OpenItem.objects.filter(strange, pk__in=order_ids).select_related("order__channel").order_by("pk")
    for item in rows:
        trouble = _trouble(item)
        if trouble:
            cases.open_case(trouble, item.order, connection=item.order.channel)
        if item.pk in held:
            cases.settle(item.order, kinds=KINDS, still=[(trouble.kind, trouble.cause)] if trouble else [])


def _held_up(order_ids: Sequence[int]) -> set[int]:
    """Those of the orders that have such a case already."""
    rows = CaseSubject.objects.filter(
        case__state=CaseState.OPEN,
        case__kind__in=KINDS,
        open=True,
        subject_type=ContentType.objects.get_for_model(Order),
        subject_id__in=order_ids,
    )
    return set(rows.values_list("subject_id", flat=True))


def _trouble(item: OpenItem) -> Trouble | None:
    if item.overpaid > 0 and not item.expected:
        return _case(item, "paid_but_cancelled", item.overpaid)
    if item.overpaid > 0:
        kind = "double_payment" if _paid_twice(item) else "amounts_disagree"
        return _case(item, kind, item.overpaid)
    owed = item.open - item.disputed
    if item.captured > 0 and not item.refunded and owed > 0 and not _promised(item, owed):
        return _case(item, "amounts_disagree", -owed)
    return None


def _paid_twice(item: OpenItem) -> bool:
    """Whether one payment alone was enough, and another one came."""
    paid = Allocation.objects.filter(
        order_id=item.pk, transaction__kind=Kind.CAPTURE, transaction__state=Standing.SUCCEEDED
    )
    amounts = list(paid.values_list("order_amount", flat=True))
    return len(amounts) > 1 and max(amounts) >= item.expected


def _promised(item: OpenItem, owed: Decimal) -> bool:
    """Whether what is missing is small enough to be written off by rule, or is under way already."""
    if owed <= bounds_of(item.currency).write_off_by_rule:
        return True
    waiting = Allocation.objects.filter(
        order_id=item.pk, transaction__kind=Kind.CAPTURE, transaction__state=Standing.PENDING
    )
    return sum((row.order_amount for row in waiting), Decimal(0)) >= owed


def _case(item: OpenItem, kind: str, amount: Decimal) -> Trouble:
    """``amount`` is what was paid too much, negative: too little."""
    expected, captured = Money(item.expected, item.currency), Money(item.captured, item.currency)
    return Trouble(
        kind=kind,
        cause=f"order:{item.pk}",
        params={"number": item.order.number},
        expected=say("%(expected)s for this order", expected=expected),
        found=say(
            "%(captured)s paid, %(refunded)s refunded; the difference is %(difference)s",
            captured=captured,
            refunded=Money(item.refunded, item.currency),
            difference=Money(amount, item.currency),
        ),
        data={"order": item.pk, "amount": str(amount)},
    )
