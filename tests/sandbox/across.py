"""From a shop to the ERP as the hub would carry it: polled, translated, written."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

from integration_hub.connectors.base import Connector, Delivery
from integration_hub.kernel.messages import OrderReport, Parcel, SaleLine, WriteSale
from integration_hub.sandbox import world as facts

from .play import shopify, woo

SHOPS: dict[str, Callable[..., Any]] = {"woo": woo, "shopify": shopify}
SECRETS = {"woo": facts.WOO_WEBHOOK_SECRET, "shopify": facts.SHOPIFY_SECRET}


def polled(it: Connector, since: datetime | None = None) -> list[OrderReport]:
    """All orders of all pages."""
    found: list[OrderReport] = []
    token: str | None = None
    for _ in range(50):
        page = it.poll("orders", since, token)
        found += [parsed(it, item) for item in page.deliveries]
        token = page.token
        if token is None:
            return found
    raise AssertionError("the pages never end")


def parsed(it: Connector, item: Delivery) -> OrderReport:
    (report,) = it.parse(item)
    assert isinstance(report, OrderReport)
    return report


def as_sale(order: OrderReport, reference: str) -> WriteSale:
    """The order as the hub would write it into the ERP."""
    lines = tuple(
        SaleLine(
            kind=line.kind,
            title=line.title,
            sku=line.sku,
            quantity=line.quantity,
            unit_price=line.unit_price,
            discount=line.discount,
            net=line.net,
            tax=line.tax,
            gross=line.gross,
            tax_rate=line.taxes[0].rate if line.taxes else Decimal(0),
        )
        for line in order.lines
    )
    return WriteSale(
        reference=reference,
        number=order.number,
        channel="laden",
        customer_code=f"K-{order.external_id}",
        buyer=order.buyer,
        billing=order.billing,
        shipping=order.shipping or order.billing,
        placed_at=order.placed_at,
        currency=order.currency,
        prices_include_tax=order.prices_include_tax,
        lines=lines,
        total=order.total,
        total_tax=order.total_tax,
        note=order.note,
    )


def parcel_of(order: OrderReport) -> Parcel:
    return Parcel(
        key="P-1",
        number="WH/OUT/00001",
        carrier="DHL Paket",
        tracking_number="00340434101234567890",
        tracking_url="https://tracking.example/1",
        lines=tuple((line.external_id, line.quantity) for line in order.lines if line.sku),
    )
