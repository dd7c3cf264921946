"""Shopify: signed webhooks and GraphQL polling in; tags, notes and fulfilments out.

Webhooks carry the REST shape, the GraphQL Admin API its own; both become the same report.  Shopify deletes a
subscription after eight failed deliveries, without a word, so the expected ones are watched.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from integration_hub.kernel import codec, fields
from integration_hub.kernel.errors import HubError, Rejected, Unauthentic, Unsupported
from integration_hub.kernel.fields import Object
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

from . import _shopify_graphql as graphql
from ._shopify_api import Api
from ._shopify_config import ShopifyConfig
from ._shopify_list import orders_placed
from ._shopify_order import order_report
from ._shopify_tell import Teller
from .base import Capability, Connector, Delivery, Finding, Incoming, Listing, Page, Role, Stream
from .http import Http

ORDER_TOPICS = frozenset(
    f"orders/{event}"
    for event in ("create", "updated", "paid", "cancelled", "fulfilled", "partially_fulfilled", "edited")
)
GONE_TOPICS = frozenset({"orders/delete", "order.gone"})
WATCHED = ("ORDERS_CREATE", "ORDERS_UPDATED")
SCOPES = (
    "read_orders",
    "write_orders",
    "read_merchant_managed_fulfillment_orders",
    "write_merchant_managed_fulfillment_orders",
)
ALL_ORDERS = "read_all_orders"


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
            Capability.LIST_ORDERS,
            Capability.TELL_ACCEPTED,
            Capability.TELL_SHIPPED,
            Capability.TELL_CANCELLED,
        }
    )
    streams: ClassVar[tuple[Stream, ...]] = (
        Stream("orders", timedelta(minutes=5), timedelta(minutes=15), say("Orders")),
        Stream("webhooks", timedelta(hours=1), timedelta(0), say("Webhooks")),
    )
    cannot: ClassVar[tuple[Any, ...]] = (
        say("Shopify shows orders older than 60 days only to apps with the right read_all_orders."),
        say("Shopify ships whole pieces only."),
        say(
            "What is taken out of an order in Shopify after it was placed stays in the hub's order; only money returned shows."
        ),
        say("The hub does not cancel orders in Shopify; it marks them with a tag and a note."),
    )
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
        object_id = codec.peek(request.body, "id") or headers["resource-id"].rpartition("/")[2][:100]
        return (Delivery(_topic(headers["topic"], headers["action"]), object_id, request.body, context),)

    def _verify(self, request: Incoming, header: str) -> None:
        stated = request.headers.get(header, "").encode("utf-8", "replace")
        for secret in filter(None, (self.config.api_secret, self.config.notification_secret)):
            digest = hmac.new(secret.encode(), request.body, hashlib.sha256).digest()
            if hmac.compare_digest(base64.b64encode(digest), stated):
                return
        raise Unauthentic(say("The webhook's signature is missing or wrong."))

    def parse(self, delivery: Delivery) -> Sequence[Report]:
        topic = delivery.topic
        if topic not in ORDER_TOPICS | GONE_TOPICS | {"order.polled", "webhook.state"}:
            return (Ignored(reason=say("topic %(topic)s means nothing to the hub", topic=topic or "?")),)
        body = codec.load_object(delivery.body)
        if topic in GONE_TOPICS:
            return (OrderGone(external_id=fields.identifier(body, "id")),)
        if topic == "webhook.state":
            return (_subscription(body),)
        if topic == "order.polled":
            return (order_report(graphql.rest_shape(body), self.config.ready_financial_statuses),)
        return (self._from_webhook(body, delivery),)

    def _from_webhook(self, body: Object, delivery: Delivery) -> Report:
        if "order_edit" in body or (delivery.context.get("events") and "line_items" not in body):
            return Ignored(reason=say("a change without the order itself; orders/updated and the next poll bring it"))
        is_test = delivery.context.get("test") == "true"
        return order_report(body, self.config.ready_financial_statuses, is_test=is_test)

    def poll(self, stream: str, since: datetime | None, token: str | None) -> Page:
        if stream == "orders":
            return self._poll_orders(since, token)
        if stream == "webhooks":
            return Page([_delivery("webhook.state", item) for item in self._webhooks()])
        raise Unsupported(say("%(system)s cannot be polled.", system=self.label))

    def _poll_orders(self, since: datetime | None, token: str | None) -> Page:
        start = since.astimezone(UTC).strftime("updated_at:>='%Y-%m-%dT%H:%M:%SZ'") if since else None
        found = fields.child(self.api.query(graphql.ORDERS, {"after": token, "query": start}), "orders")
        deliveries = [_delivery("order.polled", self._whole(node)) for node in fields.children(found, "nodes")]
        info = fields.child(found, "pageInfo")
        return Page(deliveries, fields.words(info, "endCursor") or None if fields.flag(info, "hasNextPage") else None)

    def _whole(self, node: Object) -> Object:
        """The order with all its lines, however many pages they are."""
        first = fields.child(node, "lineItems")
        lines = self.api.follow(graphql.ORDER_LINES, fields.identifier(node, "id"), ("order", "lineItems"), first)
        return {**node, "lineItems": {"nodes": lines}}

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
        if ALL_ORDERS in _scopes(data):
            return missing
        # without that right older orders look deleted; only what is newer than the oldest one we may see counts
        oldest = _oldest(data)
        return [order_id for order_id in missing if oldest and order_id.isdigit() and int(order_id) > oldest]

    def gone_delivery(self, order_id: str) -> Delivery:
        found = {"id": order_id, "found": datetime.now(UTC).isoformat(timespec="seconds")}
        return Delivery("order.gone", order_id, codec.canonical(found))

    def list_orders(self, start: datetime, end: datetime, token: str | None) -> Listing:
        return orders_placed(self.api, start, end, token)

    def send(self, command: Command) -> Written:
        written = self._tell(command, write=True)
        if written is None:
            raise Unsupported(say("%(system)s cannot carry this out.", system=self.label))
        return written

    def find(self, command: Command) -> Written | None:
        return self._tell(command, write=False)

    def _tell(self, command: Command, *, write: bool) -> Written | None:
        teller = Teller(self.api, notify=self.config.notify_customer)
        if isinstance(command, TellAccepted):
            return teller.tell_accepted(command, write=write)
        if isinstance(command, TellShipped):
            return teller.tell_shipped(command, write=write)
        if isinstance(command, TellCancelled):
            return teller.tell_cancelled(command, write=write)
        raise Unsupported(say("%(system)s cannot carry this out.", system=self.label))

    def check(self) -> Sequence[Finding]:
        try:
            data = self.api.query(graphql.SHOP)
            present = {fields.words(item, "topic") for item in self._webhooks() if item["status"] == "active"}
            name, scopes = fields.words(fields.child(data, "shop"), "name"), _scopes(data)
        except HubError as error:
            return (Finding(False, error.text),)
        return (
            Finding(True, say("The shop %(name)s answers and the token is right.", name=name)),
            *(_scope_finding(scope, scope in scopes) for scope in (*SCOPES, ALL_ORDERS)),
            *(_webhook_finding(topic, topic in present) for topic in WATCHED),
        )


def _topic(topic: str, action: str) -> str:
    """orders/create, however it is written: ORDERS_CREATE, or ``orders`` with the action apart."""
    if topic.isupper() and "_" in topic:
        return topic.lower().replace("_", "/", 1)
    return f"{topic}/{action}" if action and "/" not in topic else topic


def _delivery(topic: str, item: Object) -> Delivery:
    return Delivery(topic, graphql.number_of(item.get("id")), codec.canonical(item))


def _subscription(body: Object) -> SubscriptionReport:
    status = fields.words(body, "status")
    return SubscriptionReport(
        external_id=graphql.number_of(body.get("id")),
        topic=fields.words(body, "topic").lower().replace("_", "/", 1),
        active=status == "active",
        vendor_status=status,
        url=fields.words(body, "uri"),
    )


def _scopes(data: Object) -> set[str]:
    """What the app may do; who may write something may read it as well."""
    app = fields.child(data, "currentAppInstallation")
    granted = {fields.words(scope, "handle") for scope in fields.children(app, "accessScopes")}
    return granted | {scope.replace("write_", "read_", 1) for scope in granted if scope.startswith("write_")}


def _oldest(data: Object) -> int:
    orders = fields.children(fields.child(data, "orders"), "nodes")
    number = graphql.number_of(orders[0].get("id")) if orders else ""
    return int(number) if number.isdigit() else 0


def _scope_finding(scope: str, granted: bool) -> Finding:
    if granted:
        return Finding(True, say("The app has the right %(scope)s.", scope=scope))
    return Finding(False, say("The app lacks the right %(scope)s. Grant it in the app's settings.", scope=scope))


def _webhook_finding(topic: str, present: bool) -> Finding:
    if present:
        return Finding(True, say("There is a webhook %(topic)s.", topic=topic))
    return Finding(
        False, say("There is no webhook %(topic)s; until there is one, orders come by polling only.", topic=topic)
    )
