"""A WooCommerce shop in memory: orders, notes, webhooks and the tracking plugin, as far as the connector uses them."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests

from tests.connectors.world import Reply

from . import payloads
from .goods import Goods

_ORDER = re.compile(r"/wp-json/wc/v3/orders/(\d+)(/notes|/refunds)?")
_TRACKING = re.compile(r"/wp-json/wc-shipment-tracking/v3/orders/(\d+)/shipment-trackings")
INVALID_ID: Reply = (404, {}, '{"code":"woocommerce_rest_shop_order_invalid_id","message":"Invalid ID."}')
NO_ROUTE: Reply = (404, {}, '{"code":"rest_no_route","message":"No route was found."}')


def webhook(number: int, topic: str, status: str = "active") -> dict[str, Any]:
    url = "https://hub.example.test/in/shop/"
    return {"id": number, "topic": topic, "status": status, "delivery_url": url}


class Shop:
    """Keeps what is written, and products in ``goods``; ``plugin`` says whether Shipment Tracking is installed."""

    def __init__(self, *orders: dict[str, Any], plugin: bool = False) -> None:
        self.orders = {str(order["id"]): dict(order) for order in (orders or (payloads.order(),))}
        self.plugin = plugin
        self.webhooks = [webhook(1, "order.created"), webhook(2, "order.updated")]
        self.notes: list[dict[str, Any]] = []
        self.trackings: list[dict[str, Any]] = []
        self.puts: list[dict[str, Any]] = []
        self.queries: list[dict[str, str]] = []
        self.refunds: list[dict[str, Any]] = []
        self.goods = Goods()

    def is_write(self, request: requests.PreparedRequest) -> bool:
        return request.method != "GET"

    def made(self) -> Any:
        return [*self.notes, *self.trackings, *self.puts, *self.refunds, *self.goods.set]

    def answer(self, request: requests.PreparedRequest) -> Reply:
        parts = urlsplit(str(request.url))
        self.queries.append({name: values[0] for name, values in parse_qs(parts.query).items()})
        body = json.loads(request.body) if request.body else {}
        if found := _ORDER.fullmatch(parts.path):
            return self._order(request.method or "", found[1], found[2] or "", body)
        if found := _TRACKING.fullmatch(parts.path):
            return self._kept(request.method or "", self.trackings, body) if self.plugin else NO_ROUTE
        if parts.path.endswith("/orders"):
            return self._list(self.queries[-1])
        if parts.path.endswith("/webhooks"):
            return 200, {"X-WP-TotalPages": "1"}, json.dumps(self.webhooks)
        return self.goods.answer(request.method or "", parts.path, self.queries[-1], body) or NO_ROUTE

    def _order(self, method: str, order_id: str, part: str, body: dict[str, Any]) -> Reply:
        order = self.orders.get(order_id)
        if order is None:
            return INVALID_ID
        if part:
            kept = self._kept(method, self.notes if part == "/notes" else self.refunds, body)
            named = [{"id": one["id"], "reason": one["reason"], "total": f"-{one['amount']}"} for one in self.refunds]
            order["refunds"] = named or order["refunds"]
            return kept
        if method == "PUT":
            self.puts.append(body)
            order.update(body)
        return 200, {}, json.dumps(order)

    def _kept(self, method: str, kept: list[dict[str, Any]], body: dict[str, Any]) -> Reply:
        if method == "POST":
            kept.append({"id": len(kept) + 1, **body})
            return 201, {}, json.dumps(kept[-1])
        return 200, {}, json.dumps(kept)

    def _list(self, query: dict[str, str]) -> Reply:
        found = [order for order in self.orders.values() if order["status"] != "trash"]
        if "include" in query:
            found = [order for order in found if str(order["id"]) in query["include"].split(",")]
        after = query.get("modified_after", "").removesuffix("Z")
        found = sorted((o for o in found if o["date_modified_gmt"] > after), key=lambda o: str(o["date_modified_gmt"]))
        if "after" in query:
            placed = (query["after"].removesuffix("Z"), query["before"].removesuffix("Z"))
            found = [order for order in found if placed[0] < order["date_created_gmt"] < placed[1]]
        size, page = int(query["per_page"]), int(query["page"])
        pages = -(-len(found) // size)
        return 200, {"X-WP-TotalPages": str(pages)}, json.dumps(found[(page - 1) * size : page * size])
