"""The WooCommerce connector as the contract suite sees it."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, ClassVar

from integration_hub.connectors.base import Connector, Delivery, Incoming
from integration_hub.connectors.woocommerce import WooCommerce
from integration_hub.kernel.aftersales import CancelOrder, GoodsLine, Position, TellExchanged, TellRefunded
from integration_hub.kernel.funds import TellPayment
from integration_hub.kernel.goods import LevelToSet, SetStock
from integration_hub.kernel.messages import Command, Parcel, TellAccepted, TellCancelled, TellShipped
from tests.connectors.contract import Contract, Sample
from tests.connectors.world import World

from . import articles, payloads
from .shop import Shop

SECRET = "whsec-test/1234"
ACCEPTED = TellAccepted(reference="R1", order_id="4711", sale_number="S/9", erp="Tryton")
PARCEL = Parcel(
    key="P1",
    number="CS7",
    carrier="DHL",
    tracking_number="00340",
    tracking_url="https://dhl.example/00340",
    lines=(("1", Decimal(3)),),
)
SHIPPED = TellShipped(reference="R1", order_id="4711", parcel=PARCEL, complete=True)
CANCELLED = TellCancelled(reference="R1", order_id="4711", reason="out of stock")
REFUNDED = TellRefunded(
    key="laden:4711/S1-3",
    reference="laden:4711",
    order_id="4711",
    positions=(Position(quantity=Decimal(1), line_id="1", amount=Decimal("10.71"), tax=Decimal("1.71")),),
    amount=Decimal("15.61"),
    currency="EUR",
    shipping_amount=Decimal("4.90"),
    reason="broken",
)
PAID = TellPayment(
    key="money:4:paid:0",
    reference="R1",
    order_id="4711",
    status="paid",
    amount=Decimal("37.03"),
    currency="EUR",
    payment_id="ch_1",
)
TAKEN_BACK = CancelOrder(key="R1/S1-4", reference="R1", order_id="4711", reason="out of stock")

EXCHANGED = TellExchanged(
    key="R1/E-5",
    reference="R1",
    order_id="4711",
    number="E-5",
    sale_number="S/10",
    returned=(GoodsLine(sku="MUG-B", quantity=Decimal(1)),),
    sent=(GoodsLine(sku="MUG-R", quantity=Decimal(1)),),
    difference=Decimal("2.50"),
    currency="EUR",
)

STOCK = SetStock(
    key="K1",
    levels=(
        LevelToSet(product_id="7", quantity=Decimal(9)),
        LevelToSet(product_id="21", parent_id="20", quantity=Decimal(3)),
        LevelToSet(product_id="22", parent_id="20", quantity=Decimal(0)),
    ),
)


def settings(**changes: Any) -> dict[str, Any]:
    return {
        "url": "https://shop.example.test",
        "consumer_key": "ck_1234567890",
        "consumer_secret": "cs_0987654321",
        "webhook_secret": SECRET,
        "currency": "EUR",
        "prices": "gross",
        "weight_unit": "kg",
        **changes,
    }


def sign(body: bytes, secret: str = SECRET) -> str:
    return base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()


class Mine(Contract):
    connector_class: ClassVar[type[Connector]] = WooCommerce
    signature_headers: ClassVar[tuple[str, ...]] = ("x-wc-webhook-signature",)

    def config(self) -> dict[str, Any]:
        return settings()

    def samples(self) -> Sequence[Sample]:
        return [
            Sample("paid", payloads.delivery(payloads.order())),
            Sample("refunded", payloads.delivery(payloads.refunded(), "order.read")),
            Sample("refunded by amount", payloads.delivery(payloads.order(refunds=[payloads.named_refund()]))),
            Sample("net prices", payloads.delivery(payloads.order(prices_include_tax=False))),
            Sample("deleted", payloads.delivery({"id": 24}, "order.deleted")),
            Sample(
                "webhook", payloads.delivery({"id": 3, "topic": "order.created", "status": "disabled"}, "webhook.state")
            ),
            Sample("product", payloads.delivery(articles.product(), "product.updated")),
            Sample(
                "product with variations",
                payloads.delivery({**articles.shirt(20, 21), "hub_variations": [articles.size()]}, "product.polled"),
            ),
            Sample("bundle", payloads.delivery(articles.bundle(), "product.created")),
            Sample("product deleted", payloads.delivery({"id": 7}, "product.deleted")),
            Sample(
                "levels",
                payloads.delivery(
                    {"read_at": "2026-11-21T16:00:00Z", "rows": [{"id": 7, "sku": "M", "stock_quantity": "-2.5"}]},
                    "stock.listed",
                ),
            ),
            Sample("off by a cent", payloads.delivery(payloads.order(total="37.04")), agrees=False),
        ]

    def commands(self) -> Sequence[Command]:
        return [ACCEPTED, SHIPPED, CANCELLED, STOCK, REFUNDED, PAID, TAKEN_BACK, EXCHANGED]

    def hints(self) -> Sequence[Delivery]:
        return [payloads.delivery(payloads.order(refunds=[payloads.named_refund()]))]

    def world(self) -> World:
        return Shop()

    def topic(self) -> str:
        return "order.updated"

    def signed(self, body: bytes, topic: str) -> Incoming:
        headers = {
            "x-wc-webhook-topic": topic,
            "x-wc-webhook-signature": sign(body),
            "x-wc-webhook-delivery-id": "2eab3d73",
        }
        return Incoming(headers, body)
