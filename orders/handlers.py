"""Reports become calls of services; translation only."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import Q

from exceptions import services as exceptions
from exceptions.models import ExceptionCase
from integration_hub.kernel.messages import OrderGone, OrderReport, ProductKnown, SaleReport, SubscriptionReport
from integration_hub.kernel.text import mark
from integration_hub.messaging import cases as spine
from integration_hub.models import Connection, InboundEvent
from integration_hub.models.connection import Mode
from inventory.models import Variant

from . import erp, services


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
    for variant in Variant.objects.filter(pk__in=[one.variant_id for one in news]).order_by("pk"):
        names = Q(data__sku=variant.sku) | (Q(data__gtin=variant.gtin) if variant.gtin else Q(pk=None))
        for case in ExceptionCase.objects.open().filter(names, kind="unknown_product").order_by("pk"):
            exceptions.rerun(case)


def subscription_reported(channel: Connection, report: SubscriptionReport, _event: InboundEvent) -> str | None:
    if report.active:
        spine.webhook_active(channel, report.topic)
        return mark("the webhook is active")
    spine.webhook_disabled(channel, report.topic, report.vendor_status)
    return None
