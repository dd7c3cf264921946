"""Shopify: signed webhooks and GraphQL polling in; tags, notes and fulfilments out.

Webhooks carry the REST shape, the GraphQL Admin API its own; both become the same report.  Shopify deletes a
subscription after eight failed deliveries, without a word, so the expected ones are watched.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from integration_hub.kernel import codec, fields
from integration_hub.kernel.aftersales import CancelOrder, TellExchanged, TellRefunded
from integration_hub.kernel.errors import HubError, Rejected, Unauthentic, Unsupported
from integration_hub.kernel.fields import Object
from integration_hub.kernel.funds import TellPayment
from integration_hub.kernel.goods import ProductGone, SetStock
from integration_hub.kernel.messages import (
    Command,
    Ignored,
    OrderGone,
    Report,
    SubscriptionReport,
    TellAccepted,
    TellCancelled,
    TellShipped,
    Written,
)
from integration_hub.kernel.text import say

from . import _shopify_check as checks
from . import _shopify_goods as goods
from . import _shopify_graphql as graphql
from . import _shopify_poll as polls
from . import _shopify_returns as returns
from . import _shopify_shelves as shelves
from ._shopify_after import Aftermath
from ._shopify_api import Api
from ._shopify_config import ShopifyConfig
from ._shopify_list import orders_placed
from ._shopify_order import STAGES
from ._shopify_refunds import polled_order, whole_order
from ._shopify_stock import Setter
from ._shopify_tell import Teller
from .base import Capability, Connector, Delivery, Finding, Incoming, Listing, Page, Role, Stream
from .http import Http

ORDER_TOPICS = frozenset(
    f"orders/{event}"
    for event in ("create", "updated", "paid", "cancelled", "fulfilled", "partially_fulfilled", "edited")
)
GONE_TOPICS = frozenset({"orders/delete", "order.gone"})
PRODUCT_TOPICS = frozenset({"products/create", "products/update"})
LOCATION_TOPICS = frozenset(f"locations/{event}" for event in ("create", "update", "activate", "deactivate", "delete"))
WATCHED = ("ORDERS_CREATE", "ORDERS_UPDATED")
SCOPES = (
    "read_orders",
    "write_orders",
    "read_merchant_managed_fulfillment_orders",
    "write_merchant_managed_fulfillment_orders",
)
ALL_ORDERS = "read_all_orders"
MORE_STREAMS: dict[str, Callable[..., Page]] = {
    "products": shelves.products,
    "stock": shelves.levels,
    "returns": returns.changed,
}
REFUND_TOPIC = "refunds/create"
RETURN_SCOPES = ("read_returns",)
STOCK_SCOPES = ("read_products", "read_locations", "write_inventory")


class Shopify(Connector):
    """One Shopify shop."""

    code: ClassVar[str] = "shopify"
    label: ClassVar[str] = "Shopify"
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
            Capability.TELL_REFUNDED,
            Capability.TELL_PAYMENT,
            Capability.CANCEL_ORDER,
            Capability.TELL_EXCHANGED,
        }
    )
    streams: ClassVar[tuple[Stream, ...]] = (
        Stream("orders", timedelta(minutes=5), timedelta(minutes=15), say("Orders")),
        Stream("products", timedelta(minutes=10), timedelta(minutes=15), say("Products")),
        Stream("returns", timedelta(minutes=10), timedelta(minutes=15), say("Returns")),
        Stream("stock", timedelta(minutes=5), timedelta(minutes=15), say("Stock"), after="products"),
        Stream("webhooks", timedelta(hours=1), timedelta(0), say("Webhooks")),
    )
    cannot: ClassVar[tuple[Any, ...]] = (
        say("Shopify shows orders older than 60 days only to apps with the right read_all_orders."),
        say("Shopify ships and counts whole pieces only."),
        say("Shopify sets stock only of articles whose quantity it tracks, at locations where they are stocked."),
        say("Shopify's webhooks do not say which articles are bundles; the poll does."),
        say(
            "What is taken out of an order in Shopify after it was placed stays in the hub's order; only money returned shows."
        ),
        say(
            "What the ERP cancelled is marked in Shopify with a tag and a note; only a cancellation in the hub cancels there."
        ),
        say(
            "Money refunded elsewhere is booked in Shopify only for payments by hand; else the articles are taken out and the amount stays open there."
        ),
        say("Shopify is told that an order is paid only while it waits for the payment; else by a tag."),
    )
    words = {"order": {**STAGES, "cancelled_at": "CANCELLED", "fulfilled": "COMPLETED"}, "return": returns.STAGES}
    Config = ShopifyConfig
    config: ShopifyConfig

    def __init__(self, config: ShopifyConfig, http: Http) -> None:
        super().__init__(config, http)
        http.base_url = config.base
        http.headers = {**http.headers, "X-Shopify-Access-Token": config.access_token}
        self.api = Api(http)

    def receive(self, request: Incoming) -> Sequence[Delivery]:
        # a request may carry both kinds of headers; then the new ones, without x-, are meant
        events = "shopify-hmac-sha256" in request.headers
        prefix = "shopify-" if events else "x-shopify-"
        self._verify(request, f"{prefix}hmac-sha256")
        headers = {name: request.headers.get(prefix + name, "") for name in ("topic", "action", "resource-id", "test")}
        context = {"test": "true"} if headers["test"].lower() == "true" else {}
        if events:
            context["events"] = "true"
        topic = _topic(headers["topic"], headers["action"])
        object_id = _object_id(topic, request.body) or headers["resource-id"].rpartition("/")[2][:100]
        return (Delivery(topic, object_id, request.body, context),)

    def _verify(self, request: Incoming, header: str) -> None:
        stated = request.headers.get(header, "").encode("utf-8", "replace")
        for secret in filter(None, (self.config.api_secret, self.config.notification_secret)):
            digest = hmac.new(secret.encode(), request.body, hashlib.sha256).digest()
            if hmac.compare_digest(base64.b64encode(digest), stated):
                return
        raise Unauthentic(say("The webhook's signature is missing or wrong."))

    def parse(self, delivery: Delivery) -> Sequence[Report]:
        read = self._readers(delivery).get(delivery.topic)
        if read is None:
            return (Ignored(reason=say("topic %(topic)s means nothing to the hub", topic=delivery.topic or "?")),)
        return read(codec.load_object(delivery.body))

    def is_hint(self, delivery: Delivery) -> bool:
        return delivery.topic in returns.RETURN_TOPICS or delivery.topic == REFUND_TOPIC

    def follow(self, delivery: Delivery) -> Sequence[Delivery]:
        """A return, or the order of a refund, as it is now."""
        body = codec.load_object(delivery.body)
        if delivery.topic == REFUND_TOPIC:
            wanted = graphql.gid("Order", fields.identifier(body, "order_id"))
            node = fields.child(self.api.query(graphql.ONE_ORDER, {"id": wanted}), "order")
            return (polls.delivery("order.polled", polls.whole(self.api, node)),) if node else ()
        return returns.read(self.api, fields.identifier(body, "id"))

    def _readers(self, delivery: Delivery) -> dict[str, Callable[[Object], Sequence[Report]]]:
        ready, seen = self.config.ready_financial_statuses, fields.moment(delivery.context, "seen")
        return {
            **dict.fromkeys(ORDER_TOPICS, lambda body: self._from_webhook(body, delivery)),
            **dict.fromkeys(GONE_TOPICS, lambda body: (OrderGone(external_id=fields.identifier(body, "id")),)),
            **dict.fromkeys(PRODUCT_TOPICS, goods.from_webhook),
            **dict.fromkeys(LOCATION_TOPICS, lambda body: (goods.place(body),)),
            "order.polled": lambda body: polled_order(body, ready),
            returns.POLLED: lambda body: (returns.report(body),),
            "product.polled": goods.polled,
            "product.gone": lambda body: (ProductGone(external_id=fields.identifier(body, "id")),),
            "products/delete": goods.deleted,
            "inventory_levels/update": lambda body: (goods.level(body),),
            "inventory_items/update": lambda body: (_of_an_item(body),),
            "stock.polled": lambda body: goods.shelf(body, seen),
            "webhook.state": lambda body: (_subscription(body),),
        }

    def _from_webhook(self, body: Object, delivery: Delivery) -> Sequence[Report]:
        if "order_edit" in body or (delivery.context.get("events") and "line_items" not in body):
            why = say("a change without the order itself; orders/updated and the next poll bring it")
            return (Ignored(reason=why),)
        is_test = delivery.context.get("test") == "true"
        return whole_order(body, self.config.ready_financial_statuses, is_test=is_test)

    def poll(self, stream: str, since: datetime | None, token: str | None) -> Page:
        if stream == "orders":
            return polls.orders(self.api, since, token)
        if stream in MORE_STREAMS:
            return polls.unless_denied(MORE_STREAMS[stream], self.api, since, token)
        if stream == "webhooks":
            return Page([polls.delivery("webhook.state", item) for item in self._webhooks()])
        raise Unsupported(say("%(system)s cannot be polled.", system=self.label))

    def _webhooks(self) -> list[Object]:
        found = fields.children(fields.child(self.api.query(graphql.WEBHOOKS), "webhookSubscriptions"), "nodes")
        present = {fields.words(item, "topic") for item in found}
        hour = datetime.now(UTC).strftime("%Y-%m-%dT%H")  # else the second time it is missing would look like a repeat
        missing = [
            {"id": f"missing:{topic}", "topic": topic, "status": "missing", "seen": hour}
            for topic in WATCHED
            if topic not in present
        ]
        return [*({**item, "status": "active"} for item in found), *missing]

    def gone(self, order_ids: Sequence[str]) -> Sequence[str]:
        data = self.api.query(graphql.PRESENT, {"ids": [graphql.gid("Order", order_id) for order_id in order_ids]})
        if not isinstance(data.get("nodes"), list) or len(data["nodes"]) != len(order_ids):
            raise Rejected(say("Shopify did not answer for every order."), code="unreadable")
        missing = [order_id for order_id, node in zip(order_ids, data["nodes"], strict=True) if node is None]
        if ALL_ORDERS in checks.scopes_of(data):
            return missing
        # without that right older orders look deleted; only what is newer than the oldest one we may see counts
        oldest = _oldest(data)
        return [order_id for order_id in missing if oldest and order_id.isdigit() and int(order_id) > oldest]

    def gone_delivery(self, order_id: str) -> Delivery:
        found = {"id": order_id, "found": datetime.now(UTC).isoformat(timespec="seconds")}
        return Delivery("order.gone", order_id, codec.canonical(found))

    def gone_products(self, product_ids: Sequence[str]) -> Sequence[str]:
        return shelves.missing(self.api, product_ids)

    def gone_product_delivery(self, product_id: str) -> Delivery:
        found = {"id": product_id, "found": datetime.now(UTC).isoformat(timespec="seconds")}
        return Delivery("product.gone", product_id, codec.canonical(found))

    def list_levels(self, token: str | None) -> Page:
        return shelves.levels(self.api, None, token)

    def list_orders(self, start: datetime, end: datetime, token: str | None) -> Listing:
        return orders_placed(self.api, start, end, token)

    def send(self, command: Command) -> Written:
        if isinstance(command, SetStock):
            return Setter(self.api).carry_out(command)
        written = self._tell(command, write=True)
        if written is None:
            raise Unsupported(say("%(system)s cannot carry this out.", system=self.label))
        return written

    def find(self, command: Command) -> Written | None:
        if isinstance(command, SetStock):
            return Setter(self.api).find(command)
        return self._tell(command, write=False)

    def _tell(self, command: Command, *, write: bool) -> Written | None:
        teller = Teller(self.api, notify=self.config.notify_customer)
        if isinstance(command, TellAccepted):
            return teller.tell_accepted(command, write=write)
        if isinstance(command, TellShipped):
            return teller.tell_shipped(command, write=write)
        if isinstance(command, TellCancelled):
            return teller.tell_cancelled(command, write=write)
        return self._tell_after(command, write=write)

    def _tell_after(self, command: Command, *, write: bool) -> Written | None:
        aftermath = Aftermath(self.api)
        if isinstance(command, TellRefunded):
            return aftermath.refunded(command, write=write)
        if isinstance(command, CancelOrder):
            return aftermath.cancelled(command, write=write)
        if isinstance(command, TellExchanged):
            return aftermath.exchanged(command, write=write)
        if isinstance(command, TellPayment):
            return aftermath.paid(command, write=write)
        raise Unsupported(say("%(system)s cannot carry this out.", system=self.label))

    def check(self) -> Sequence[Finding]:
        try:
            data = self.api.query(graphql.SHOP)
            present = {fields.words(item, "topic") for item in self._webhooks() if item["status"] == "active"}
            return checks.findings(
                data, present, scopes=(*SCOPES, ALL_ORDERS, *STOCK_SCOPES, *RETURN_SCOPES), topics=WATCHED
            )
        except HubError as error:
            return (Finding(False, error.text),)


def _object_id(topic: str, body: bytes) -> str:
    """A level has no id of its own: it is an inventory item at a location."""
    if topic.startswith("inventory_levels/"):
        return ":".join(codec.peek(body, name) for name in ("inventory_item_id", "location_id")).strip(":")
    return codec.peek(body, "id")


def _of_an_item(body: Object) -> Ignored:
    fields.identifier(body, "id")
    return Ignored(reason=say("an inventory item without its variant; products/update and the next poll bring it"))


def _topic(topic: str, action: str) -> str:
    """orders/create, however it is written: ORDERS_CREATE, or ``orders`` with the action apart."""
    if topic.isupper() and "_" in topic:
        return graphql.topic_of(topic)
    return f"{topic}/{action}" if action and "/" not in topic else topic


def _subscription(body: Object) -> SubscriptionReport:
    status = fields.words(body, "status")
    return SubscriptionReport(
        external_id=graphql.number_of(body.get("id")),
        topic=graphql.topic_of(fields.words(body, "topic")),
        active=status == "active",
        vendor_status=status,
        url=fields.words(body, "uri"),
    )


def _oldest(data: Object) -> int:
    orders = fields.children(fields.child(data, "orders"), "nodes")
    number = graphql.number_of(orders[0].get("id")) if orders else ""
    return int(number) if number.isdigit() else 0
