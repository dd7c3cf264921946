"""The played Shopify's webhooks: payload of the moment, eight retries, then the subscription is deleted."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from . import world as facts
from .hooks import Parcel, Sender, is_local, signature
from .store import Record
from .world import World

TOPICS = (
    "orders/create",
    "orders/updated",
    "orders/paid",
    "orders/cancelled",
    "orders/fulfilled",
    "orders/partially_fulfilled",
    "orders/delete",
    "refunds/create",
    *(f"returns/{move}" for move in ("request", "approve", "process", "close", "cancel", "decline")),
)
GOODS_TOPICS = (
    "products/create",
    "products/update",
    "products/delete",
    "inventory_levels/update",
    "inventory_items/update",
    "locations/update",
)
RETRIES = 8
VERSION = "2026-07"


def enum(topic: str) -> str:
    """A topic as GraphQL spells it."""
    return topic.replace("/", "_").upper()


@dataclass(frozen=True)
class Delivery:
    """One webhook with its id, which stays the same on every retry."""

    hook_id: int
    url: str
    body: bytes
    headers: Mapping[str, str]


class ShopifyHooks:
    """Subscriptions and deliveries of one shop."""

    topics = TOPICS
    goods_topics = GOODS_TOPICS

    def __init__(self, world: World, sender: Sender) -> None:
        self._world = world
        self._sender = sender
        self._store = world.store

    def subscribe(self, topic: str, url: str, secret: str = "") -> Record:
        """A new subscription (``topic`` as in the header); signed with the app's secret unless another is given."""
        now = self._world.now().isoformat()
        row = {"topic": topic, "url": url, "secret": secret or facts.SHOPIFY_SECRET, "failures": 0, "created_at": now}
        return self._store.add("shopify.webhooks", row)

    def forget(self, path: str) -> None:
        """Delete the subscriptions to this path, whatever the host."""
        for hook in self._store.rows("shopify.webhooks"):
            if urlsplit(hook["url"]).path == path:
                self._store.remove("shopify.webhooks", hook["id"])

    def send(self, topics: tuple[str, ...], payload: Record) -> None:
        """Send what happened; all subscriptions of one happening share the event id."""
        body = json.dumps(payload, ensure_ascii=False, separators=(",", ":")).replace("/", "\\/").encode()
        event = str(uuid.uuid4())
        for hook in self._store.rows("shopify.webhooks"):
            if hook["topic"] in topics and is_local(hook["url"]):
                delivery = Delivery(hook["id"], hook["url"], body, self._headers(hook, body, event))
                self._later(0.05, delivery, 0)

    def _later(self, seconds: float, delivery: Delivery, tries: int) -> None:
        self._sender.soon(seconds, lambda: self._deliver(delivery, tries))

    def _headers(self, hook: Record, body: bytes, event: str) -> dict[str, str]:
        return {
            "User-Agent": "Shopify-Captain-Hook",
            "Content-Type": "application/json",
            "X-Shopify-Topic": hook["topic"],
            "X-Shopify-Hmac-Sha256": signature(hook["secret"], body),
            "X-Shopify-Shop-Domain": facts.SHOPIFY_SHOP,
            "X-Shopify-API-Version": VERSION,
            "X-Shopify-Webhook-Id": str(uuid.uuid4()),
            "X-Shopify-Event-Id": event,
            "X-Shopify-Triggered-At": self._world.now().strftime("%Y-%m-%dT%H:%M:%S.000000000Z"),
        }

    def _deliver(self, delivery: Delivery, tries: int) -> None:
        if self._store.get("shopify.webhooks", delivery.hook_id) is None:
            return
        if self._sender.send(Parcel("shopify", delivery.url, delivery.body, delivery.headers)):
            self._arrived(delivery.hook_id)
        elif tries < RETRIES:
            self._later(self._world.switch("shopify_retry_seconds") * 2**tries, delivery, tries + 1)
        else:
            self._store.remove("shopify.webhooks", delivery.hook_id)

    def _arrived(self, hook_id: int) -> None:
        with self._world.lock:
            hook = self._store.get("shopify.webhooks", hook_id)
            if hook is not None and hook["failures"]:
                self._store.put("shopify.webhooks", {**hook, "failures": 0})
