"""The played shop's webhooks: built when they are sent, never repeated, switched off after seven failures in a row."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Callable
from urllib.parse import urlsplit

from .hooks import Parcel, Sender, is_local, signature
from .store import Record
from .woo_order import gmt, shown
from .world import World

TOPICS = ("order.created", "order.updated", "order.deleted", "order.restored")
GOODS_TOPICS = ("product.created", "product.updated", "product.deleted", "product.restored")
TABLES = {"order": "woo.orders", "product": "woo.products"}
Show = Callable[[Record], Record]
LIMIT = 5
AGENT = "WooCommerce/11.0.1 Hookshot (WordPress/7.0.4)"


class WooHooks:
    """Subscriptions and deliveries of one shop."""

    topics = TOPICS
    goods_topics = GOODS_TOPICS

    def __init__(self, world: World, sender: Sender, show_product: Show) -> None:
        self._world = world
        self._sender = sender
        self._show = {"order": lambda row: shown(row, f"{world.address}/woo"), "product": show_product}
        self._pending: set[tuple[int, int]] = set()
        self._lock = threading.Lock()

    def subscribe(self, topic: str, url: str, secret: str, name: str = "") -> Record:
        """A new active subscription; the shop pings it without waiting for success."""
        now = gmt(self._world.now())
        resource, _, event = topic.partition(".")
        hook = self._world.store.add(
            "woo.webhooks",
            {
                "name": name or f"hub {topic}",
                "status": "active",
                "topic": topic,
                "resource": resource,
                "event": event,
                "delivery_url": url,
                "date_created_gmt": now,
                "date_modified_gmt": now,
                "secret": secret,
                "failures": 0,
            },
        )
        self._sender.soon(0, lambda: self._ping(hook))
        return hook

    def forget(self, path: str) -> None:
        """Delete the subscriptions to this path, whatever the host."""
        for hook in self._world.store.rows("woo.webhooks"):
            if urlsplit(hook["delivery_url"]).path == path:
                self._world.store.remove("woo.webhooks", hook["id"])

    def _ping(self, hook: Record) -> None:
        """Unsigned; whether it arrives changes nothing, the subscription stays."""
        if is_local(hook["delivery_url"]):
            headers = {"User-Agent": AGENT, "Content-Type": "application/x-www-form-urlencoded"}
            self._sender.post(Parcel("woo", hook["delivery_url"], f"webhook_id={hook['id']}".encode(), headers))

    def changed(self, event: str, number: int, resource: str = "order") -> None:
        """Queue what is to be sent; several changes before the queue runs are one webhook."""
        for hook in self._world.store.rows("woo.webhooks"):
            if hook["topic"] == f"{resource}.{event}" and hook["status"] == "active":
                self._queue(hook["id"], number)

    def _queue(self, hook_id: int, number: int) -> None:
        with self._lock:
            if (hook_id, number) in self._pending:
                return
            self._pending.add((hook_id, number))
        self._sender.soon(self._world.switch("woo_delivery_delay"), lambda: self._deliver(hook_id, number))

    def _deliver(self, hook_id: int, number: int) -> None:
        with self._lock:
            self._pending.discard((hook_id, number))
        parcel = self._parcel(hook_id, number)
        if parcel is not None:
            self._count(hook_id, self._sender.send(parcel))

    def _parcel(self, hook_id: int, number: int) -> Parcel | None:
        """The object as it is now; nothing for one that is gone for good or a subscription that is off."""
        with self._world.lock:
            hook = self._world.store.get("woo.webhooks", hook_id)
            if hook is None or hook["status"] != "active" or not is_local(hook["delivery_url"]):
                return None
            row = self._world.store.get(TABLES[hook["resource"]], number)
            if row is None:
                return None
            payload = {"id": number} if hook["event"] == "deleted" else self._show[hook["resource"]](row)
            body = json.dumps(payload, separators=(",", ":")).replace("/", "\\/").encode()
            return Parcel("woo", hook["delivery_url"], body, self._headers(hook, body))

    def _headers(self, hook: Record, body: bytes) -> dict[str, str]:
        stamp = hashlib.md5(f"{hook['id']}{int(time.time())}".encode(), usedforsecurity=False).hexdigest()
        return {
            "User-Agent": AGENT,
            "Content-Type": "application/json",
            "X-WC-Webhook-Source": f"{self._world.address}/woo/",
            "X-WC-Webhook-Topic": hook["topic"],
            "X-WC-Webhook-Resource": hook["resource"],
            "X-WC-Webhook-Event": hook["event"],
            "X-WC-Webhook-Signature": signature(hook["secret"], body),
            "X-WC-Webhook-ID": str(hook["id"]),
            "X-WC-Webhook-Delivery-ID": stamp,  # hook and second: not unique, as in the real one
        }

    def _count(self, hook_id: int, arrived: bool) -> None:
        with self._world.lock:
            hook = self._world.store.get("woo.webhooks", hook_id)
            if hook is None:
                return
            if arrived:
                hook["failures"] = 0
            elif hook["failures"] > LIMIT:
                hook["status"] = "disabled"
            else:
                hook["failures"] += 1
            self._world.store.put("woo.webhooks", hook)
