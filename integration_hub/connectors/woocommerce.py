"""WooCommerce: signed webhooks and polling in; notes, tracking and status out.

Facts that shape this file (seen on WooCommerce 11): a delivery is never repeated, a webhook is switched off after
seven failures in a row, a permanent deletion sends nothing, and one delivery id can stand on several orders.  So orders
are polled, webhooks are watched, and what we hold is swept against what the shop still has.  The same holds for products.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import quote

from requests.auth import AuthBase, HTTPBasicAuth
from requests_oauthlib import OAuth1

from integration_hub.kernel import codec, fields
from integration_hub.kernel.aftersales import TellRefunded
from integration_hub.kernel.errors import HubError, Unauthentic, Unsupported
from integration_hub.kernel.fields import Object
from integration_hub.kernel.goods import SetStock
from integration_hub.kernel.messages import (
    Command,
    Ignored,
    OrderGone,
    Report,
    SubscriptionReport,
    Written,
)
from integration_hub.kernel.text import say

from . import _woocommerce_check as checks
from . import _woocommerce_goods as goods
from . import _woocommerce_levels as shelves
from . import _woocommerce_poll as polls
from . import _woocommerce_refunds as refunds
from ._woocommerce_api import PER_PAGE, V3, Api
from ._woocommerce_config import WooCommerceConfig
from ._woocommerce_list import orders_placed
from ._woocommerce_order import STAGES, UNFINISHED, order_report, status_of
from ._woocommerce_stock import Setter
from ._woocommerce_tell import Tell, Teller, wish_of
from .base import Capability, Connector, Delivery, Finding, Incoming, Listing, Page, Role, Stream
from .http import Http

PING = re.compile(rb"webhook_id=\d+")
ORDER_TOPICS = frozenset({"order.created", "order.updated", "order.restored", "order.polled"})
WITH_REFUNDS = "order.read"  # our own: an order that named refunds, with all about them
GONE_TOPICS = frozenset({"order.deleted", "order.gone"})
PRODUCT_TOPICS = frozenset({"product.created", "product.updated", "product.restored", "product.polled"})
PRODUCT_GONE_TOPICS = frozenset({"product.deleted", "product.gone"})
WATCHED = ("order.created", "order.updated")


class WooCommerce(Connector):
    """One WooCommerce shop."""

    code: ClassVar[str] = "woocommerce"
    label: ClassVar[str] = "WooCommerce"
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
        Stream("webhooks", timedelta(hours=1), timedelta(0), say("Webhooks")),
    )
    cannot: ClassVar[tuple[Any, ...]] = (
        say("WooCommerce sends a webhook once and never again; what is lost on the way is found by polling."),
        say("WooCommerce says nothing when an order is deleted for good; the hub looks for it."),
        say("WooCommerce knows no parcels; tracking goes into a note or into the plugin Shipment Tracking."),
        say("WooCommerce has one stock per article; it knows no locations."),
        say(
            "WooCommerce takes a number without comparing; what was sold there between looking and writing shows with the next order."
        ),
        say(
            "Stock that WooCommerce keeps at a product for all its variations is set only where all of them have the same number."
        ),
        say("WooCommerce counts whole pieces unless a plugin allows fractions."),
        say("WooCommerce puts the goods of an order back into its stock itself when the order is cancelled."),
        say("WooCommerce knows no returns; what comes back shows there as a refund only."),
        say("The parts of bundles are read from the plugin Product Bundles only, where buyers cannot choose."),
    )
    words: ClassVar[Mapping[str, Mapping[str, str]]] = {"order": STAGES}
    Config = WooCommerceConfig
    config: WooCommerceConfig

    def __init__(self, config: WooCommerceConfig, http: Http) -> None:
        super().__init__(config, http)
        http.base_url = config.base
        http.auth = _auth(config)
        self.api = Api(http)

    def receive(self, request: Incoming) -> Sequence[Delivery]:
        if PING.fullmatch(request.body) and "x-wc-webhook-signature" not in request.headers:
            return ()
        self._verify(request)
        topic = request.headers.get("x-wc-webhook-topic", "")
        return (Delivery(topic, codec.peek(request.body, "id"), request.body),)

    def _verify(self, request: Incoming) -> None:
        key = self.config.webhook_secret.encode()
        expected = base64.b64encode(hmac.new(key, request.body, hashlib.sha256).digest())
        stated = request.headers.get("x-wc-webhook-signature", "").encode("utf-8", "replace")
        if not key or not hmac.compare_digest(expected, stated):
            raise Unauthentic(say("The webhook's signature is missing or wrong."))

    def parse(self, delivery: Delivery) -> Sequence[Report]:
        read = self._readers().get(delivery.topic)
        if read is None:
            return (Ignored(reason=say("topic %(topic)s means nothing to the hub", topic=delivery.topic or "?")),)
        return read(codec.load_object(delivery.body))

    def is_hint(self, delivery: Delivery) -> bool:
        return delivery.topic in ORDER_TOPICS and refunds.names_refunds(delivery.body)

    def follow(self, delivery: Delivery) -> Sequence[Delivery]:
        """The order with the lines of its refunds, which neither webhook nor list states."""
        order = codec.load_object(delivery.body)
        return (polls.delivery(WITH_REFUNDS, refunds.with_details(self.api, order)),)

    def _readers(self) -> dict[str, Callable[[Object], Sequence[Report]]]:
        return {
            **dict.fromkeys({*ORDER_TOPICS, WITH_REFUNDS}, self._order),
            **dict.fromkeys(GONE_TOPICS, lambda body: (OrderGone(external_id=fields.identifier(body, "id")),)),
            **dict.fromkeys(PRODUCT_TOPICS, lambda body: goods.reports(body, self.config.shop)),
            **dict.fromkeys(PRODUCT_GONE_TOPICS, lambda body: (goods.gone(body),)),
            "stock.listed": lambda body: (goods.levels_report(body),),
            "webhook.state": lambda body: (_subscription(body),),
        }

    def _order(self, body: Object) -> Sequence[Report]:
        if status_of(body) in UNFINISHED:
            return (Ignored(reason=say("the checkout is not finished (status %(status)s)", status=status_of(body))),)
        report = order_report(body, self.config.ready_statuses)
        return (report, *refunds.refund_reports(body, report))

    def poll(self, stream: str, since: datetime | None, token: str | None) -> Page:
        if stream == "orders":
            return polls.orders(self.api, since, token)
        if stream == "products":
            return polls.products(self.api, since, token)
        if stream == "webhooks":
            return self._poll_webhooks()
        raise Unsupported(say("%(system)s cannot be polled.", system=self.label))

    def _poll_webhooks(self) -> Page:
        found: list[Object] = []
        page, more = 1, True
        while more and page <= 10:
            items, more = self.api.items(f"{V3}/webhooks", {"page": page})
            found += items
            page += 1
        present = {fields.words(item, "topic") for item in found}
        hour = datetime.now(UTC).strftime("%Y-%m-%dT%H")  # else the second time it is missing would look like a repeat
        missing = [
            {"id": f"missing:{topic}", "topic": topic, "status": "missing", "seen": hour}
            for topic in WATCHED
            if topic not in present
        ]
        return Page([polls.delivery("webhook.state", item) for item in [*found, *missing]])

    def gone(self, order_ids: Sequence[str]) -> Sequence[str]:
        params = {"include": ",".join(order_ids), "status": "any", "per_page": PER_PAGE}
        items, _ = self.api.items(f"{V3}/orders", params)
        held = {fields.identifier(item, "id") for item in items}
        return [order_id for order_id in order_ids if order_id not in held and self._is_gone(order_id)]

    def _is_gone(self, order_id: str) -> bool:
        order = self.api.read_or_none(f"{V3}/orders/{quote(order_id, safe='')}")
        return order is None or status_of(order) == "trash"

    def gone_delivery(self, order_id: str) -> Delivery:
        found = {"id": order_id, "found": datetime.now(UTC).isoformat(timespec="seconds")}
        return Delivery("order.gone", order_id, codec.canonical(found))

    def gone_products(self, product_ids: Sequence[str]) -> Sequence[str]:
        return shelves.missing(self.api, product_ids)

    def gone_product_delivery(self, product_id: str) -> Delivery:
        found = {"id": product_id, "found": datetime.now(UTC).isoformat(timespec="seconds")}
        return Delivery("product.gone", product_id, codec.canonical(found))

    def list_levels(self, token: str | None) -> Page:
        return shelves.levels(self.api, token)

    def list_orders(self, start: datetime, end: datetime, token: str | None) -> Listing:
        return orders_placed(self.api, start, end, token)

    def send(self, command: Command) -> Written:
        if isinstance(command, SetStock):
            return Setter(self.api).carry_out(command)
        if isinstance(command, TellRefunded):
            return refunds.Refunder(self.api, self.config.base).carry_out(command)
        return Teller(self.api, self.config.base).carry_out(wish_of(self._told(command), self.config))

    def find(self, command: Command) -> Written | None:
        if isinstance(command, SetStock):
            return Setter(self.api).find(command)
        if isinstance(command, TellRefunded):
            return refunds.Refunder(self.api, self.config.base).find(command)
        return Teller(self.api, self.config.base).find(wish_of(self._told(command), self.config))

    def _told(self, command: Command) -> Tell:
        if not isinstance(command, Tell):
            raise Unsupported(say("%(system)s cannot carry this out.", system=self.label))
        return command

    def check(self) -> Sequence[Finding]:
        try:
            self.api.items(f"{V3}/orders", {"per_page": 1})
        except HubError as error:
            return (Finding(False, error.text),)
        readable = Finding(True, say("The shop answers, the key is right and may read orders."))
        return (readable, *checks.products(self.api), *checks.settings(self.api, self.config), *self._check_webhooks())

    def _check_webhooks(self) -> list[Finding]:
        try:
            reports = [report for item in self._poll_webhooks().deliveries for report in self.parse(item)]
        except HubError as error:
            return [Finding(False, say("The webhooks cannot be read: %(why)s", why=error.text))]
        states = [report for report in reports if isinstance(report, SubscriptionReport) and report.topic in WATCHED]
        return [_webhook_finding(topic, [state for state in states if state.topic == topic]) for topic in WATCHED]


def _auth(config: WooCommerceConfig) -> AuthBase:
    """Basic over TLS; without it WooCommerce takes only signed requests (OAuth 1.0a, one leg)."""
    if config.base.startswith("http://"):
        return OAuth1(config.consumer_key, config.consumer_secret, signature_method="HMAC-SHA256")
    return HTTPBasicAuth(config.consumer_key.encode(), config.consumer_secret.encode())


def _subscription(body: Object) -> SubscriptionReport:
    status = fields.words(body, "status")
    return SubscriptionReport(
        external_id=fields.identifier(body, "id"),
        topic=fields.words(body, "topic"),
        active=status == "active",
        vendor_status=status,
        url=fields.words(body, "delivery_url"),
    )


def _webhook_finding(topic: str, states: Sequence[SubscriptionReport]) -> Finding:
    if any(state.active for state in states):
        return Finding(
            True,
            say("The webhook %(topic)s is active and delivers to %(url)s.", topic=topic, url=_urls(states)),
        )
    if all(state.vendor_status == "missing" for state in states):
        return Finding(False, say("There is no webhook %(topic)s. Create it in WooCommerce.", topic=topic))
    return Finding(False, say("The webhook %(topic)s is switched off. Set it to active in WooCommerce.", topic=topic))


def _urls(states: Sequence[SubscriptionReport]) -> str:
    return ", ".join(sorted({state.url for state in states if state.active}))
