"""The Shopware connector as the contract suite sees it."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any, ClassVar

import pytest

from integration_hub.connectors import _shopware_api
from integration_hub.connectors.base import Connector, Delivery, Incoming
from integration_hub.connectors.http import Http
from integration_hub.connectors.shopware import Shopware
from integration_hub.kernel.aftersales import (
    CancelOrder,
    GoodsLine,
    Position,
    TellExchanged,
    TellRefunded,
    TellReturned,
)
from integration_hub.kernel.funds import TellPayment
from integration_hub.kernel.goods import LevelToSet, SetStock
from integration_hub.kernel.messages import Command, Parcel, TellAccepted, TellCancelled, TellShipped
from tests.connectors.contract import Contract, Sample
from tests.connectors.world import World

from . import goods, payloads
from .shop import Shop

SECRET = "shop-secret-1234"
ACCEPTED = TellAccepted(reference="R1", order_id=payloads.ORDER, sale_number="S/9", erp="Tryton")
PARCEL = Parcel(
    key="P1",
    number="CS7",
    carrier="DHL",
    tracking_number="00340",
    tracking_url="https://dhl.example/00340",
    lines=((payloads.LINE, Decimal(3)),),
)
SHIPPED = TellShipped(reference="R1", order_id=payloads.ORDER, parcel=PARCEL, complete=True)
CANCELLED = TellCancelled(reference="R1", order_id=payloads.ORDER, reason="out of stock")
CANCEL = CancelOrder(key="K1", reference="R1", order_id=payloads.ORDER, reason="the customer does not want it any more")
REFUNDED = TellPayment(
    key="K2", reference="R1", order_id=payloads.ORDER, status="partly_refunded", amount=Decimal(5), currency="EUR"
)

EXCHANGED = TellExchanged(
    key="R1/E-5",
    reference="R1",
    order_id=payloads.ORDER,
    number="E-5",
    sale_number="S/10",
    returned=(GoodsLine(sku="MUG-B", quantity=Decimal(1)),),
    sent=(GoodsLine(sku="MUG-R", quantity=Decimal(1)),),
    difference=Decimal("2.50"),
    currency="EUR",
)
PAID_BACK = TellRefunded(
    key="R1/R-6", reference="R1", order_id=payloads.ORDER, positions=(), amount=Decimal("5.00"), currency="EUR"
)
CAME_BACK = TellReturned(
    key="R1/R-7",
    reference="R1",
    order_id=payloads.ORDER,
    positions=(Position(quantity=Decimal(1), line_id=payloads.LINE),),
    complete=False,
)
STOCK = SetStock(
    key="K3",
    levels=(
        LevelToSet(product_id=goods.MUG, quantity=Decimal(20)),
        LevelToSet(product_id=goods.LARGE, quantity=Decimal(3)),
    ),
)


def settings(**changes: Any) -> dict[str, Any]:
    return {
        "url": "https://shop.example.test",
        "access_key": "SWIATEST0001",
        "access_secret": "secret-of-the-key",
        "shop_secret": SECRET,
        **changes,
    }


def connect(**changes: Any) -> Shopware:
    """A connection that holds no token yet."""
    _shopware_api._tokens.clear()
    return Shopware(Shopware.Config(**settings(**changes)), Http())


def signed(body: bytes, secret: str = SECRET, header: str = "shopware-shop-signature") -> Incoming:
    return Incoming({header: hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}, body)


class Mine(Contract):
    connector_class: ClassVar[type[Connector]] = Shopware
    signature_headers: ClassVar[tuple[str, ...]] = ("shopware-shop-signature",)

    @pytest.fixture(autouse=True)
    def tokenless(self) -> Iterator[None]:
        """No token is held from another test."""
        _shopware_api._tokens.clear()
        yield
        _shopware_api._tokens.clear()

    def connector(self, **changes: Any) -> Connector:
        return connect(**({"returns": True} | changes))

    def config(self) -> dict[str, Any]:
        return settings(returns=True)

    def samples(self) -> Sequence[Sample]:
        net = payloads.order(
            taxStatus="net",
            amountTotal=32.13,
            price=payloads.cart(32.13, (19, 5.13, 27.0), taxStatus="net"),
            lineItems=[payloads.item(30.0, (19, 5.7, 30.0)), payloads.promotion(-3.0, (19, -0.57, -3.0))],
            deliveries=[],
            shippingCosts=payloads.price(0),
        )
        return [
            Sample("paid", payloads.delivery(payloads.order())),
            Sample("net prices", payloads.delivery(net)),
            Sample("deleted", payloads.delivery({"id": payloads.ORDER}, "order.gone")),
            Sample("product", payloads.delivery(goods.product(), "product.polled")),
            Sample("variant", payloads.delivery(goods.shelf()[2], "product.polled")),
            Sample("product deleted", payloads.delivery({"id": goods.MUG}, "product.gone")),
            Sample(
                "levels",
                payloads.delivery({"read_at": goods.CHANGED, "rows": goods.shelf()[2:]}, "stock.listed"),
            ),
            Sample("refunded in part", payloads.delivery(payloads.refunded())),
            Sample("returned", payloads.delivery(payloads.returned("returned"))),
            Sample("return", payloads.delivery(payloads.back(), "return.polled")),
            Sample("off by a cent", payloads.delivery(payloads.order(amountTotal=31.91)), agrees=False),
        ]

    def hints(self) -> Sequence[Delivery]:
        body = payloads.event("checkout.order.placed", {"order": {"id": payloads.ORDER}})
        return [Delivery("checkout.order.placed", payloads.ORDER, body)]

    def commands(self) -> Sequence[Command]:
        return [ACCEPTED, SHIPPED, CANCELLED, CANCEL, REFUNDED, EXCHANGED, PAID_BACK, CAME_BACK, STOCK]

    def world(self) -> World:
        return Shop()

    def topic(self) -> str:
        return "event"

    def signed(self, body: bytes, topic: str) -> Incoming:
        return signed(body)
