"""The replacement of an exchange is an order of its own: promised its goods at once, sent when the others are back.

Its shop does not know it: it is written into the ERP under its own reference, and the shop is told on the original order.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models.functions import Now

from integration_hub.kernel.aftersales import AfterSaleKind
from integration_hub.kernel.messages import AfterSaleMoved, SaleRecorded, ShipmentRecorded
from integration_hub.kernel.states import OrderStage
from integration_hub.kernel.text import say
from integration_hub.models.activity import note

from . import services
from .aftersales import exchange, flow, steps
from .aftersales.models import AfterSale
from .aftersales.states import AfterSaleState
from .models import Order, OrderAddress, OrderLine, Sale, Shipment
from .states import Payment

S = AfterSaleState


def moved(news: Sequence[AfterSaleMoved]) -> None:
    """Follow the exchange: promise, send, or withdraw what is sent instead."""
    ids = [one.after_sale_id for one in news]
    rows = AfterSale.objects.select_related("order__channel").filter(pk__in=ids, kind=AfterSaleKind.EXCHANGE)
    for row in rows.exclude(order=None).order_by("pk"):
        if row.state in (S.ANNOUNCED, S.RUNNING):
            order = _prepared(row)
            if order and (row.state == S.RUNNING or row.stated.get("advance")):
                _stage(order, OrderStage.READY, "replacement")
        elif row.state == S.DECLINED:
            _withdraw(row)


def _prepared(row: AfterSale) -> Order | None:
    """The replacement order, made if it is not there; what comes back pays for it as far as it is worth that."""
    sums = exchange.balance(row)
    AfterSale.objects.filter(pk=row.pk).update(credit=sums.credit)
    known = Order.objects.select_related("channel", "customer").filter(exchange=row).first()
    return known or (_make(row, sums) if sums.sent else None)


def _make(row: AfterSale, sums: exchange.Balance) -> Order:
    old = steps.order_of(row)
    order = Order.objects.create(
        channel=old.channel,
        external_id=f"{old.external_id}/{row.number}/new",
        number=f"{old.number}-{row.number}"[:60],
        customer=old.customer,
        customer_chosen=True,
        buyer=old.buyer,
        placed_at=Now(),
        source_updated_at=Now(),
        digest=f"exchange:{row.pk}",
        stage=OrderStage.PENDING,
        vendor_status="replacement",
        state="RECORDED",
        payment=Payment.OPEN if sums.difference > 0 else Payment.PAID,
        payment_method=old.payment_method,
        currency=old.currency,
        prices_include_tax=old.prices_include_tax,
        total=sums.sent,
        total_tax=0,
        note=str(say("Replacement for order %(number)s (%(case)s)", number=old.number, case=row.number)),
        exchange=row,
    )
    _furnish(order, old, row)
    note(order, "orders.replacement", say("Replaces goods of order %(number)s", number=old.number), system="hub")
    note(
        old,
        "orders.replacement",
        say("%(case)s is replaced by %(number)s", case=row.number, number=order.number),
        system="hub",
    )
    fresh = Order.objects.select_related("channel", "customer").get(pk=order.pk)
    services.route(fresh)
    return fresh


def _furnish(order: Order, old: Order, row: AfterSale) -> None:
    """Lines and addresses."""
    lines = exchange.lines_of(order, row)
    OrderLine.objects.bulk_create(lines)
    Order.objects.filter(pk=order.pk).update(total_tax=sum(line.tax for line in lines))
    addresses = list(old.addresses.all())
    for address in addresses:
        address.pk, address.order = None, order
    OrderAddress.objects.bulk_create(addresses)


def _stage(order: Order, stage: OrderStage, word: str) -> None:
    order.stage, order.vendor_status = stage, word
    order.save(update_fields=["stage", "vendor_status"])
    services.route(order)


def _withdraw(row: AfterSale) -> None:
    """The exchange does not happen: what was not written is cancelled, what was is cancelled there like any order."""
    AfterSale.objects.filter(pk=row.pk).update(credit=0)
    order = Order.objects.select_related("channel", "customer").filter(exchange=row).first()
    if order and order.stage != OrderStage.CANCELLED:
        _stage(order, OrderStage.CANCELLED, "withdrawn")


def written(news: Sequence[SaleRecorded]) -> None:
    """The ERP holds a replacement: tick the step of its exchange, and tell the shop."""
    sales = Sale.objects.filter(pk__in=[one.sale_id for one in news], order__exchange__isnull=False)
    for pk in list(sales.order_by("pk").values_list("order__exchange", flat=True)):
        row = flow.locked(pk)
        steps.done(row, steps.REPLACE, None)
        steps.tell_exchanged(row)
        flow.finish_if_done(row)


def shipped(news: Sequence[ShipmentRecorded]) -> None:
    """A parcel of a replacement: the shop gets its tracking on the original order."""
    parcels = Shipment.objects.filter(pk__in=[one.shipment_id for one in news], order__exchange__isnull=False)
    for parcel in parcels.select_related("order__exchange__order__channel").order_by("pk"):
        row = parcel.order.exchange
        if row is not None:
            steps.tell_parcel(row, parcel.pk)
