"""Reports become calls of services; translation only."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import Q

from exceptions import jobs
from exceptions.models import ExceptionCase
from integration_hub.kernel.aftersales import AfterSaleKind
from integration_hub.kernel.messages import (
    AfterSaleMoved,
    OrderGone,
    OrderReport,
    ProductKnown,
    SaleReport,
    StockMoved,
    SubscriptionReport,
)
from integration_hub.kernel.text import mark
from integration_hub.messaging import cases as spine
from integration_hub.models import Connection, InboundEvent, User
from integration_hub.models.connection import Mode
from inventory.models import Variant

from . import erp, services, stock
from .aftersales.models import AfterSale
from .aftersales.states import AfterSaleState


def order_reported(channel: Connection, report: OrderReport, event: InboundEvent) -> str | None:
    if report.is_test and channel.mode == Mode.LIVE:
        return "a test order in a live shop"
    return services.record(channel, report, event)


def order_gone(channel: Connection, report: OrderGone, event: InboundEvent) -> str | None:
    return services.gone(channel, report.external_id, event)


def sale_reported(channel: Connection, report: SaleReport, event: InboundEvent) -> str | None:
    return erp.sale_reported(channel, report, event)


def products_known(news: Sequence[ProductKnown]) -> None:
    """Orders that waited for these products run on by themselves."""
    variants = Variant.objects.in_bulk([one.variant_id for one in news])
    for one in sorted(news, key=lambda one: one.variant_id):
        cases = ExceptionCase.objects.open().filter(_names(one, variants[one.variant_id]), kind="unknown_product")
        for case in cases.order_by("pk"):
            jobs.again(case, by=User.objects.filter(pk=one.by).first() if one.by else None)


def _names(known: ProductKnown, variant: Variant) -> Q:
    """The cases about this product: by its own numbers, or by what one system calls it."""
    if known.connection_id is None:
        return Q(data__sku=variant.sku) | (Q(data__gtin=variant.gtin) if variant.gtin else Q(pk=None))
    there = Q(data__product_id=known.product_id) if known.product_id else Q(pk=None)
    there |= Q(data__sku=known.sku) if known.sku else Q(pk=None)
    return there & Q(connection=known.connection_id)


def stock_moved(news: Sequence[StockMoved]) -> None:
    """Orders that waited for stock run on by themselves, each in a transaction of its own."""
    for pk in stock.waiting(news):
        services.reconsider(pk)


def subscription_reported(channel: Connection, report: SubscriptionReport, _event: InboundEvent) -> str | None:
    if report.active:
        spine.webhook_active(channel, report.topic)
        return mark("the webhook is active")
    spine.webhook_disabled(channel, report.topic, report.vendor_status)
    return None


def after_sales_moved(news: Sequence[AfterSaleMoved]) -> None:
    """An order that the hub itself has cancelled as a whole is taken back."""
    begun = [one.after_sale_id for one in news if one.state == AfterSaleState.RUNNING]
    whole = AfterSale.objects.filter(pk__in=begun, kind=AfterSaleKind.CANCELLATION, lines=None).exclude(order=None)
    for row in whole.select_related("order__channel").order_by("order_id"):
        if row.connection_id != (row.order.channel_id if row.order else None) and row.order:
            services.take_back(row.order)
