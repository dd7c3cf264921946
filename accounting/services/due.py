"""What is to be issued: noted where it becomes due, worked off by the lane "books" in batches, one by one where a batch fails."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta

from django.db import transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from exceptions import services as cases
from exceptions.services import Trouble
from integration_hub.kernel.errors import HubError
from integration_hub.kernel.text import say
from integration_hub.messaging import pump
from integration_hub.models.patience import patiently
from orders.aftersales.models import AfterSale
from orders.aftersales.states import AfterSaleState
from orders.models import Order, Shipment
from orders.states import Fulfilment, OrderState, Payment

from ..models import Due, IssuingRule
from ..states import Issuer, Trigger
from . import issuing, reversing
from .planning import WHOLE, Delivery

logger = logging.getLogger(__name__)
LANE = "books"
BATCH = 200
AGAIN = timedelta(minutes=10)
LOOK_BACK = timedelta(days=92)
SWEEP = 2000
FAILED = "document_failed"


def note(rows: Iterable[Due]) -> None:
    """Write down what is due, once each, and wake the lane."""
    if Due.objects.bulk_create(rows, ignore_conflicts=True):
        pump.kick(LANE)


def rules_for(channels: Iterable[int]) -> dict[int, IssuingRule]:
    """The rules of channels where the hub issues."""
    rows = IssuingRule.objects.filter(channel_id__in=set(channels), issuer=Issuer.HUB)
    return {rule.channel_id: rule for rule in rows}


def counts(rule: IssuingRule | None, order: Order) -> bool:
    """Whether the rule is for this order: the hub issues, and it was placed late enough."""
    return rule is not None and (rule.since is None or order.placed_at >= rule.since)


def confirmed(orders: Sequence[Order]) -> None:
    """These orders were accepted."""
    _whole(orders, Trigger.CONFIRMED)


def paid(orders: Sequence[Order]) -> None:
    """These orders are paid: invoices where that is the trigger, advance invoices where goods are still to come."""
    _whole(orders, Trigger.PAID)
    rules = rules_for(order.channel_id for order in orders)
    shipped = {Trigger.SHIPPED, Trigger.EACH_SHIPMENT}
    wanted = [
        order
        for order in orders
        if counts(rule := rules.get(order.channel_id), order) and rule and rule.advances and rule.trigger in shipped
    ]
    note(Due(order=order, scope="advance:1") for order in wanted if not order.shipments.exists())


def _whole(orders: Sequence[Order], trigger: Trigger) -> None:
    rules = rules_for(order.channel_id for order in orders)
    chosen = [order for order in orders if counts(rule := rules.get(order.channel_id), order) and rule]
    note(Due(order=order, scope=WHOLE) for order in chosen if rules[order.channel_id].trigger == trigger)


def shipped(shipments: Sequence[Shipment]) -> None:
    """These parcels left the house."""
    rules = rules_for(row.order.channel_id for row in shipments)
    rows: list[Due] = []
    for row in shipments:
        rule = rules.get(row.order.channel_id)
        if not counts(rule, row.order) or rule is None:
            continue
        if rule.trigger == Trigger.SHIPPED and row.order.fulfilment == Fulfilment.FULL:
            rows.append(Due(order=row.order, scope=WHOLE))
        elif rule.trigger == Trigger.EACH_SHIPMENT:
            rows.append(Due(order=row.order, scope=f"shipment:{row.pk}"))
        elif rule.trigger == Trigger.MONTH_END:
            rows.append(Due(order=row.order, scope=f"shipment:{row.pk}", due_at=_next_month(row.shipped_at)))
    note(rows)


def _next_month(shipped_at: datetime | None) -> datetime:
    """The first moment of the month after, where the merchant is."""
    day = timezone.localdate(shipped_at) if shipped_at else timezone.localdate()
    first = date(day.year + day.month // 12, day.month % 12 + 1, 1)
    return timezone.make_aware(datetime(first.year, first.month, 1))  # noqa: DTZ001  made aware here


def given_back(rows: Sequence[AfterSale]) -> None:
    """These special cases are done: what they give back corrects what was billed."""
    rules = rules_for(row.order.channel_id for row in rows if row.order)
    note(
        Due(order=row.order, scope=f"after:{row.pk}", after_sale=row)
        for row in rows
        if row.order and row.order.channel_id in rules and row.amount >= 0
    )


def work() -> int:
    """Issue one batch of what is due; returns how many rows that was."""
    try:
        return patiently(_batch)
    except Exception:
        logger.exception("a batch of documents failed; its rows go one by one")
        return _one_by_one()


@transaction.atomic
def _batch(limit: int = BATCH) -> int:
    rows = list(
        Due.objects.select_for_update(skip_locked=True)
        .filter(due_at__lte=Now(), failures=0)
        .order_by("due_at", "pk")[:limit]
    )
    _do(rows)
    return len(rows)


def _do(rows: Sequence[Due]) -> None:
    """Issue these rows' documents and take the rows away."""
    originals = [row for row in rows if row.after_sale_id is None]
    if originals:
        issuing.issue_many(_deliveries(originals))
        _returned_before(originals)
    for row in rows:
        if row.after_sale_id:
            reversing.after(AfterSale.objects.select_related("order").get(pk=row.after_sale_id))
    Due.objects.filter(pk__in=[row.pk for row in rows]).delete()
    for row in rows:
        if row.failures:
            cases.settle(row.order, kinds=(FAILED,))


def _deliveries(rows: Sequence[Due]) -> list[Delivery]:
    """Those of month-end channels in groups of customer, currency and month, the others alone."""
    ids = {row.order_id for row in rows}
    orders = Order.objects.in_bulk(ids)
    rules = IssuingRule.objects.filter(channel_id__in={order.channel_id for order in orders.values()})
    monthly = {rule.channel_id for rule in rules if rule.trigger == Trigger.MONTH_END}
    return [Delivery(row.order_id, row.scope, _group(row, orders[row.order_id], monthly)) for row in rows]


def _group(row: Due, order: Order, monthly: set[int]) -> str:
    if order.channel_id not in monthly or order.customer_id is None:
        return ""
    month = timezone.localdate(row.due_at - timedelta(seconds=1))
    return f"month:{month:%Y-%m}:{order.channel_id}:{order.customer_id}:{order.currency}"[:40]


def _returned_before(rows: Sequence[Due]) -> None:
    """Special cases that were done before their order was billed correct it right after."""
    done = AfterSale.objects.filter(
        order_id__in={row.order_id for row in rows}, state=AfterSaleState.DONE, documents=None
    ).exclude(kind="CANCELLATION")
    given_back(list(done.select_related("order")))


def _one_by_one() -> int:
    """The same, each row in a transaction of its own; one that fails again waits, and a person is told."""
    pks = list(Due.objects.filter(due_at__lte=Now()).order_by("due_at", "pk").values_list("pk", flat=True)[:BATCH])
    for pk in pks:
        _one(pk)
    return len(pks)


def _one(pk: int) -> None:
    try:
        with transaction.atomic():
            rows = list(Due.objects.select_for_update(skip_locked=True).filter(pk=pk))
            _do(rows)
    except Exception as error:
        logger.exception("document of due row %s failed", pk)
        _failed(pk, error)


@transaction.atomic
def _failed(pk: int, error: Exception) -> None:
    row = Due.objects.select_related("order__channel").filter(pk=pk).first()
    if row is None:
        return
    Due.objects.filter(pk=pk).update(failures=F("failures") + 1, due_at=Now() + AGAIN * (row.failures + 1))
    why = error.text if isinstance(error, HubError) else say("%(what)s", what=f"{type(error).__name__}: {error}"[:200])
    cases.open_case(
        Trouble(kind=FAILED, cause=f"{FAILED}:{row.order_id}", params={"number": row.order.number}, found=why),
        row.order,
        connection=row.order.channel,
    )


def again(order: Order) -> int:
    """Try what failed of an order now; returns how many documents that was."""
    pks = list(Due.objects.filter(order=order).order_by("pk").values_list("pk", flat=True))
    for pk in pks:
        _one(pk)
    return len(pks)


def sweep() -> dict[str, int]:
    """Every hour: orders whose trigger has come while no rule stood, or whose news was lost."""
    found = 0
    for rule in IssuingRule.objects.filter(issuer=Issuer.HUB).select_related("channel"):
        orders = Order.objects.filter(channel=rule.channel, state=OrderState.ACCEPTED, origins=None)
        orders = orders.filter(placed_at__gte=rule.since or timezone.now() - LOOK_BACK).exclude(
            documents__state="DOUBT"
        )
        found += _late(rule, orders)
    return {"found": found}


def _late(rule: IssuingRule, orders: QuerySet[Order]) -> int:
    if rule.trigger in (Trigger.EACH_SHIPMENT, Trigger.MONTH_END):
        parcels = Shipment.objects.filter(order__in=orders).select_related("order").order_by("pk")[:SWEEP]
        shipped(list(parcels))
        return len(parcels)
    if rule.trigger == Trigger.PAID:
        orders = orders.filter(payment=Payment.PAID)
    elif rule.trigger == Trigger.SHIPPED:
        orders = orders.filter(fulfilment=Fulfilment.FULL)
    rows = list(orders.order_by("pk")[:SWEEP])
    note(Due(order=order, scope=WHOLE) for order in rows)
    return len(rows)


def retry() -> dict[str, int]:
    """Every few minutes: rows that failed before are tried one by one, and what nobody kicked is woken."""
    pks = list(Due.objects.filter(failures__gt=0, due_at__lte=Now()).values_list("pk", flat=True)[:BATCH])
    for pk in pks:
        _one(pk)
    if Due.objects.filter(due_at__lte=Now(), failures=0).exists():
        pump.kick(LANE)
    return {"tried": len(pks)}
