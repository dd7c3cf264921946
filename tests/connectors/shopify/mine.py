"""The Shopify connector as the contract suite sees it."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, ClassVar

from integration_hub.connectors.base import Connector, Delivery, Incoming
from integration_hub.connectors.shopify import Shopify
from integration_hub.kernel.aftersales import CancelOrder, GoodsLine, Position, TellExchanged, TellRefunded
from integration_hub.kernel.funds import TellPayment
from integration_hub.kernel.goods import LevelToSet, SetStock
from integration_hub.kernel.messages import Command, Parcel, TellAccepted, TellCancelled, TellShipped
from tests.connectors.contract import Contract, Sample
from tests.connectors.world import World

from . import goods, payloads
from .shop import Shop

SECRET = "shpss_1234567890"
ACCEPTED = TellAccepted(reference="R1", order_id="1", sale_number="S/9", erp="Tryton")
PARCEL = Parcel(
    key="P1",
    number="CS7",
    carrier="DHL",
    tracking_number="00340",
    tracking_url="https://dhl.example/00340",
    lines=(("11", Decimal(2)), ("12", Decimal(1))),
)
SHIPPED = TellShipped(reference="R1", order_id="1", parcel=PARCEL, complete=False)
CANCELLED = TellCancelled(reference="R1", order_id="1", reason="out of stock")
REFUNDED = TellRefunded(
    key="teehaus:1/R-3",
    reference="teehaus:1",
    order_id="1",
    positions=(Position(quantity=Decimal(1), line_id="11", amount=Decimal("10.71"), tax=Decimal("1.71")),),
    amount=Decimal("15.61"),
    currency="EUR",
    shipping_amount=Decimal("4.90"),
    reason="broken",
)
PAID = TellPayment(
    key="money:4:paid:0", reference="R1", order_id="1", status="paid", amount=Decimal("37.03"), currency="EUR"
)
TAKEN_BACK = CancelOrder(key="R1/C-4", reference="R1", order_id="1", reason="out of stock")

EXCHANGED = TellExchanged(
    key="R1/E-5",
    reference="R1",
    order_id="1",
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
        LevelToSet(product_id="501", stock_id="1501", location_id="1", quantity=Decimal(9), expected=Decimal(12)),
        LevelToSet(product_id="501", stock_id="1501", location_id="2", quantity=Decimal(0)),
        LevelToSet(product_id="502", stock_id="1502", location_id="1", quantity=Decimal(20)),
    ),
)


def settings(**changes: Any) -> dict[str, Any]:
    return {
        "shop": "teeladen.myshopify.com",
        "access_token": "shpat_1234567890",
        "api_secret": SECRET,
        **changes,
    }


def sign(body: bytes, secret: str = SECRET) -> str:
    return base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()


class Mine(Contract):
    connector_class: ClassVar[type[Connector]] = Shopify
    signature_headers: ClassVar[tuple[str, ...]] = ("x-shopify-hmac-sha256",)

    def config(self) -> dict[str, Any]:
        return settings()

    def samples(self) -> Sequence[Sample]:
        net = payloads.order(taxes_included=False, total_price="42.94", total_price_set=payloads.money("42.94"))
        node = payloads.node(payloads.order())
        return [
            Sample("webhook", payloads.webhook(payloads.order())),
            Sample("polled", payloads.polled(payloads.node(payloads.order()))),
            Sample("refunded", payloads.webhook(payloads.order(refunds=[payloads.returned()]))),
            Sample("refunded, polled", payloads.polled({**node, "refunds": [payloads.refund_node()]})),
            Sample("return", payloads.webhook(payloads.return_node(), "return.polled")),
            Sample("net prices", payloads.webhook(net)),
            Sample("deleted", payloads.webhook({"id": 24}, "orders/delete")),
            Sample("product", payloads.webhook(goods.rest(), "products/update")),
            Sample("product polled", payloads.webhook(goods.polled(), "product.polled")),
            Sample("level", payloads.webhook(goods.level(), "inventory_levels/update")),
            Sample("levels polled", payloads.webhook(goods.shelf(), "stock.polled", **goods.SEEN)),
            Sample("location", payloads.webhook({"id": 1, "name": "Lager", "active": True}, "locations/update")),
            Sample("product deleted", payloads.webhook({"id": 50}, "products/delete")),
            Sample(
                "subscription", payloads.webhook({"id": "missing:ORDERS_CREATE", "status": "missing"}, "webhook.state")
            ),
        ]

    def commands(self) -> Sequence[Command]:
        return [ACCEPTED, SHIPPED, CANCELLED, STOCK, REFUNDED, PAID, TAKEN_BACK, EXCHANGED]

    def hints(self) -> Sequence[Delivery]:
        return [
            payloads.webhook({"id": 983, "order_id": 820982911946154508}, "refunds/create"),
            payloads.webhook({"id": 77}, "returns/approve"),
        ]

    def world(self) -> World:
        return Shop()

    def topic(self) -> str:
        return "orders/updated"

    def signed(self, body: bytes, topic: str) -> Incoming:
        return Incoming({"x-shopify-topic": topic, "x-shopify-hmac-sha256": sign(body)}, body)
