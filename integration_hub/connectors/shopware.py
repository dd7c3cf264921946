"""Shopware 6: signed webhooks and polling in; custom fields, tracking codes and state transitions out.

Facts that shape this file: webhooks come only from an app, in no order, and are switched off after ten failures; what they
carry is no whole order.  So each is a hint, the order is read anew, and all orders are polled as well.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from integration_hub.kernel import codec, fields
from integration_hub.kernel.errors import HubError, Rejected, Unauthentic, Unsupported
from integration_hub.kernel.fields import Object
from integration_hub.kernel.goods import ProductGone, SetStock
from integration_hub.kernel.messages import Command, Ignored, OrderGone, Report, Written
from integration_hub.kernel.text import say

from . import _shopware_goods as goods
from . import _shopware_returns as returns
from . import _shopware_search as search
from . import _shopware_states as states
from ._shopware_api import Api, safe_id
from ._shopware_config import ShopwareConfig
from ._shopware_order import order_report
from ._shopware_special import REFUND_STAGES, special_cases
from ._shopware_tell import Teller
from .base import Capability, Connector, Delivery, Finding, Incoming, Listing, Page, Role, Stream
from .http import Http

_EVENT = re.compile(r"[a-z_]+(\.[a-z_]+)+")
_ABOUT_ORDERS = ("order.", "order_", "checkout.order.", "state_enter.order", "state_leave.order")
_READ_HERE = frozenset({"order.polled", "order.gone", "product.polled", "product.gone", "stock.listed", returns.POLLED})
_MOST_ROWS = 50


class Shopware(Connector):
    """One Shopware 6 shop."""

    code: ClassVar[str] = "shopware"
    label: ClassVar[str] = "Shopware 6"
    roles: ClassVar[frozenset[Role]] = frozenset({Role.SHOP})
    capabilities: ClassVar[frozenset[Capability]] = frozenset(
        {
            Capability.RECEIVE,
            Capability.POLL,
            Capability.SWEEP,
            Capability.SWEEP_PRODUCTS,
            Capability.LIST_ORDERS,
            Capability.LIST_LEVELS,
            Capability.SET_STOCK,
            Capability.TELL_ACCEPTED,
            Capability.TELL_SHIPPED,
            Capability.TELL_CANCELLED,
            Capability.TELL_PAYMENT,
            Capability.CANCEL_ORDER,
            Capability.TELL_EXCHANGED,
            Capability.TELL_REFUNDED,
            Capability.TELL_RETURNED,
        }
    )
    streams: ClassVar[tuple[Stream, ...]] = (
        Stream("orders", timedelta(minutes=5), timedelta(minutes=15), say("Orders")),
        Stream("products", timedelta(minutes=10), timedelta(minutes=15), say("Products")),
        Stream("returns", timedelta(minutes=10), timedelta(minutes=15), say("Returns")),
    )
    cannot: ClassVar[tuple[Any, ...]] = (
        say("Shopware signs webhooks only of apps; without one, orders come by polling."),
        say("Shopware puts the goods of a cancelled order back into its own stock."),
        say("Shopware does not say which pieces a parcel holds; a delivery is shipped in part or as a whole."),
        say(
            "Shopware says how much went back only where the payment plugin keeps refunds of a capture; else only that something did."
        ),
        say("Without its return management, Shopware does not say which pieces of a delivery came back in part."),
        say(
            "A product that a plugin sells with parts of its own is one line; only containers are read as their parts."
        ),
        say(
            "Prices and categories of products are not read from Shopware; sets that plugins sell come without their parts."
        ),
        say("Shopware has one stock per article and counts whole pieces; it knows no locations."),
    )
    words: ClassVar[Mapping[str, Mapping[str, str]]] = {
        "order": states.ORDER_STAGES,
        "payment": states.PAYMENT_STAGES,
        "delivery": states.DELIVERY_STAGES,
        "refund": REFUND_STAGES,
        "return": returns.STAGES,
    }
    Config = ShopwareConfig
    config: ShopwareConfig

    def __init__(self, config: ShopwareConfig, http: Http) -> None:
        super().__init__(config, http)
        http.base_url = config.base
        self.api = Api(http, config)

    def receive(self, request: Incoming) -> Sequence[Delivery]:
        self._verify(request)
        event, object_id, event_id = _about(request.body)
        return (Delivery(event, object_id, request.body, key=event_id),)

    def _verify(self, request: Incoming) -> None:
        """While a shop changes its secret, the old one signs a header of its own."""
        key = self.config.shop_secret.encode()
        expected = hmac.new(key, request.body, hashlib.sha256).hexdigest().encode()
        names = ("shopware-shop-signature", "shopware-shop-signature-previous")
        stated = [request.headers.get(name, "").encode("utf-8", "replace") for name in names]
        if not key or not any([hmac.compare_digest(expected, one) for one in stated]):  # noqa: C419 - both, always
            raise Unauthentic(say("The webhook's signature is missing or wrong."))

    def is_hint(self, delivery: Delivery) -> bool:
        return delivery.topic not in _READ_HERE and delivery.topic.startswith(_ABOUT_ORDERS)

    def follow(self, delivery: Delivery) -> Sequence[Delivery]:
        wanted = dict.fromkeys(_rows(codec.load_object(delivery.body)))
        found: list[Delivery] = []
        for entity in search.OWNERS:
            ids = [row_id for kind, row_id in wanted if kind == entity]
            for start in range(0, len(ids), _MOST_ROWS):
                found += self._read(entity, ids[start : start + _MOST_ROWS])
        back = [row_id for kind, row_id in wanted if kind == "order_return"]
        return [*found, *(returns.named(self.api, back[:_MOST_ROWS]) if back and self.config.returns else [])]

    def _read(self, entity: str, ids: Sequence[str]) -> list[Delivery]:
        """The orders as they are now; one that is not there is told as gone, whatever became of it."""
        orders = search.named(self.api, entity, ids)
        held = {fields.identifier(order, "id") for order in orders}
        lost = [order_id for order_id in ids if entity == "order" and order_id not in held]
        return [*map(search.delivery, orders), *map(self.gone_delivery, lost)]

    def parse(self, delivery: Delivery) -> Sequence[Report]:
        body = codec.load_object(delivery.body)
        if delivery.topic == "order.polled":
            order = order_report(body, self.config)
            return (order, *special_cases(body, order.updated_at, returns=self.config.returns))
        if delivery.topic == "product.polled":
            return goods.reports(body, fields.moment(delivery.context, "seen"))
        reader = _READERS.get(delivery.topic)
        if reader:
            return (reader(body),)
        return (Ignored(reason=say("topic %(topic)s means nothing to the hub", topic=delivery.topic or "?")),)

    def poll(self, stream: str, since: datetime | None, token: str | None) -> Page:
        if stream == "orders":
            return search.orders(self.api, since, token)
        if stream == "returns":
            return returns.changed(self.api, since, token) if self.config.returns else Page([])
        if stream == "products":
            return goods.products(self.api, since, token)
        raise Unsupported(say("%(system)s cannot be polled.", system=self.label))

    def gone(self, order_ids: Sequence[str]) -> Sequence[str]:
        return search.missing(self.api, order_ids)

    def gone_delivery(self, order_id: str) -> Delivery:
        return _gone("order.gone", order_id)

    def gone_products(self, product_ids: Sequence[str]) -> Sequence[str]:
        return goods.missing(self.api, product_ids)

    def gone_product_delivery(self, product_id: str) -> Delivery:
        return _gone("product.gone", product_id)

    def list_levels(self, token: str | None) -> Page:
        return goods.levels(self.api, token)

    def list_orders(self, start: datetime, end: datetime, token: str | None) -> Listing:
        return search.orders_placed(self.api, start, end, token)

    def send(self, command: Command) -> Written:
        if isinstance(command, SetStock):
            return goods.Setter(self.api).carry_out(command)
        return Teller(self.api, self.config).carry_out(command)

    def find(self, command: Command) -> Written | None:
        if isinstance(command, SetStock):
            return goods.Setter(self.api).find(command)
        return Teller(self.api, self.config).find(command)

    def check(self) -> Sequence[Finding]:
        try:
            self.poll("orders", datetime.now(UTC), None)
        except HubError as error:
            return (Finding(False, error.text),)
        readable = Finding(True, say("The shop answers, the key is right and may read orders."))
        try:
            self.poll("products", datetime.now(UTC), None)
        except HubError as error:
            return (readable, Finding(False, say("The products cannot be read: %(why)s", why=error.text)))
        if self.config.shop_secret:
            return (readable, Finding(True, say("Webhooks with the shop secret are taken.")))
        return (readable, Finding(True, say("No shop secret: orders come by polling every 5 minutes.")))


def _order_gone(body: Object) -> OrderGone:
    return OrderGone(external_id=fields.identifier(body, "id"))


def _product_gone(body: Object) -> ProductGone:
    return ProductGone(external_id=fields.identifier(body, "id"), stated_at=fields.moment(body, "found"))


_READERS: Mapping[str, Callable[[Object], Report]] = {
    "order.gone": _order_gone,
    "product.gone": _product_gone,
    "stock.listed": goods.levels_report,
    returns.POLLED: returns.report,
}


def _gone(topic: str, row_id: str) -> Delivery:
    found = {"id": row_id, "found": datetime.now(UTC).isoformat(timespec="seconds")}
    return Delivery(topic, row_id, codec.canonical(found))


def _about(body: bytes) -> tuple[str, str, str]:
    """Event, row and the sender's own id, read for the door only and trusted with nothing."""
    try:
        found = codec.load_object(body)
        event = fields.words(fields.child(found, "data"), "event", 100)
        event_id = fields.identifier(fields.child(found, "source"), "eventId", required=False)
    except Rejected:
        return "event", codec.peek(body, "id"), ""
    known = _EVENT.fullmatch(event) and event not in _READ_HERE
    return (event if known else "event"), _first_row(found) or codec.peek(body, "id"), event_id


def _first_row(body: Object) -> str:
    try:
        return next(_rows(body), ("", ""))[1]
    except Rejected:
        return ""  # judged when it is followed


def _rows(body: Object) -> Iterator[tuple[str, str]]:
    """The rows that an event is about: a business event holds the order, a written one lists entities and their keys."""
    data = fields.child(body, "data")
    payload = data.get("payload")
    if isinstance(payload, dict) and "order" in payload:
        yield "order", safe_id(fields.identifier(fields.child(payload, "order"), "id"))
    elif isinstance(payload, list):
        for row in fields.children(data, "payload"):
            entity = fields.words(row, "entity", 60)
            if entity in search.OWNERS or entity == "order_return":
                yield entity, safe_id(fields.identifier(row, "primaryKey"))
