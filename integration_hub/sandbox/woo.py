"""A WooCommerce shop on the wire: REST ``wc/v3`` with the errors, headers and habits of the real one."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from datetime import datetime

from .hooks import Sender, is_local
from .http import Request, Response, Router, json_response
from .store import Record
from .woo_auth import refused
from .woo_goods import WooGoods
from .woo_hooks import GOODS_TOPICS, TOPICS
from .woo_lists import listed, paged
from .woo_order import SITE_OFFSET, gmt
from .woo_refunds import WooRefunds
from .woo_shop import WooError, WooShop
from .world import World

API = "/woo/wp-json/wc/v3"
TRACKING = "/woo/wp-json/wc-shipment-tracking/v3"
EDITABLE = ("status", "billing", "shipping", "customer_note", "currency", "transaction_id")


class Woo:
    """The played WooCommerce shop."""

    name = "woo"
    prefix = "/woo/"

    def __init__(self, world: World, sender: Sender) -> None:
        self._world = world
        self._store = world.store
        self.shop = WooShop(world, sender)
        self.refunds = WooRefunds(world, self.shop)
        self._router = Router()
        for method, path, handler in self._routes():
            self._router.add(method, re.escape(path).replace(r"\{id\}", "{id}"), handler)

    def _routes(self) -> list[tuple[str, str, Callable[..., Response]]]:
        return [
            ("GET", f"{API}/orders", self._list_orders),
            ("GET", f"{API}/orders/{{id}}", self._get_order),
            ("PUT", f"{API}/orders/{{id}}", self._put_order),
            ("POST", f"{API}/orders/{{id}}", self._put_order),
            ("DELETE", f"{API}/orders/{{id}}", self._delete_order),
            ("GET", f"{API}/orders/{{id}}/notes", self._list_notes),
            ("POST", f"{API}/orders/{{id}}/notes", self._add_note),
            *self.refunds.routes(API),
            *WooGoods(self._world, self.shop.goods).routes(API),
            ("GET", f"{API}/webhooks", self._list_webhooks),
            ("POST", f"{API}/webhooks", self._add_webhook),
            ("PUT", f"{API}/webhooks/{{id}}", self._put_webhook),
            ("GET", f"{API}/system_status", self._system_status),
            ("GET", f"{TRACKING}/orders/{{id}}/shipment-trackings", self._list_trackings),
            ("POST", f"{TRACKING}/orders/{{id}}/shipment-trackings", self._add_tracking),
        ]

    def handle(self, request: Request) -> Response:
        why = refused(request)
        if why:
            return WooError("woocommerce_rest_cannot_view", why, 401).response()
        found = self._router.find(request.method, request.path)
        plugin_missing = request.path.startswith(TRACKING) and not self._world.switch("woo_tracking_plugin")
        if found is None or plugin_missing:
            words = "No route was found matching the URL and request method."
            return WooError("rest_no_route", words, 404).response()
        handler, numbers = found
        try:
            with self._world.lock:
                return handler(request, **numbers)
        except WooError as error:
            return error.response()
        except ValueError:
            return WooError("rest_invalid_json", "Invalid JSON body passed.", 400).response()

    def writes(self, request: Request) -> bool:
        return request.method != "GET"

    def failure(self, status: int, retry_after: int) -> Response:
        kept = {"Content-Type": "text/html"} | ({"Retry-After": str(retry_after)} if retry_after else {})
        return Response(status, f"<html><body><h1>{status}</h1></body></html>".encode(), kept)

    def _list_orders(self, request: Request) -> Response:
        status = request.query.get("status", "any").split(",")
        rows = [
            row
            for row in self._store.rows("woo.orders")
            if row["status"] in status or ("any" in status and row["status"] != "trash")
        ]
        return listed(request, rows, self.shop.shown)

    def _get_order(self, request: Request, id: int) -> Response:
        return json_response(self.shop.shown(self.shop.order(id)))

    def _put_order(self, request: Request, id: int) -> Response:
        given = request.json()
        changes = {name: given[name] for name in EDITABLE if name in given}
        if "meta_data" in given:
            changes["meta_data"] = self._merged(self.shop.order(id)["meta_data"], given["meta_data"])
        return json_response(self.shop.shown(self.shop.edit(id, changes)))

    def _merged(self, old: list[Record], new: list[Record]) -> list[Record]:
        """Meta data by key: a known key is overwritten, a new one gets an id."""
        values = {item["key"]: item["value"] for item in new}
        kept = [{**item, "value": values.pop(item["key"], item["value"])} for item in old]
        added = [{"id": self._store.next_id("woo.meta"), "key": key, "value": value} for key, value in values.items()]
        return kept + added

    def _delete_order(self, request: Request, id: int) -> Response:
        force = request.query.get("force") in ("true", "1")
        return json_response(self.shop.shown(self.shop.delete(id, force)))

    def _list_notes(self, request: Request, id: int) -> Response:
        self.shop.order(id)
        return json_response(self._store.where("woo.notes", "order_id", id)[::-1])

    def _add_note(self, request: Request, id: int) -> Response:
        """A note for the customer; neither kind sends a webhook."""
        self.shop.order(id)
        given = request.json()
        if not given.get("note"):
            raise WooError("rest_missing_callback_param", "Missing parameter(s): note", 400)
        now = self._world.now()
        note = {
            "order_id": id,
            "author": "system",
            "date_created": gmt(now + SITE_OFFSET),
            "date_created_gmt": gmt(now),
            "note": given["note"],
            "customer_note": bool(given.get("customer_note", False)),
        }
        return json_response(self._store.add("woo.notes", note), 201)

    def _list_webhooks(self, request: Request) -> Response:
        return paged(request, self._store.rows("woo.webhooks"), self._hook)

    def _hook(self, row: Record) -> Record:
        """A subscription without what REST never shows: secret and failure count."""
        local = {
            name: gmt(datetime.fromisoformat(row[f"{name}_gmt"]) + SITE_OFFSET)
            for name in ("date_created", "date_modified")
        }
        return {**{name: value for name, value in row.items() if name not in ("secret", "failures")}, **local}

    def _add_webhook(self, request: Request) -> Response:
        given = request.json()
        if given.get("topic") not in TOPICS + GOODS_TOPICS:
            raise WooError("woocommerce_rest_invalid_webhook_topic", "Webhook topic must be valid.", 400)
        url = given.get("delivery_url", "")
        if not url.startswith(("http://", "https://")) or not is_local(url):
            words = "Webhook delivery URL must be a valid URL starting with http:// or https://."
            raise WooError("woocommerce_rest_invalid_webhook_delivery_url", words, 400)
        secret = given.get("secret") or secrets.token_hex(25)  # which nobody ever learns
        hook = self.shop.hooks.subscribe(given["topic"], url, secret, given.get("name", ""))
        return json_response(self._hook(hook), 201)

    def _put_webhook(self, request: Request, id: int) -> Response:
        """Change a subscription; activating it keeps the count of failures, so the next one switches it off again."""
        hook = self._store.get("woo.webhooks", id)
        if hook is None:
            raise WooError("woocommerce_rest_shop_webhook_invalid_id", "Invalid ID.", 404)
        given = request.json()
        names = ("name", "status", "topic", "delivery_url", "secret")
        hook.update({name: given[name] for name in names if name in given})
        hook["date_modified_gmt"] = gmt(self._world.now())
        self._store.put("woo.webhooks", hook)
        return json_response(self._hook(hook))

    def _system_status(self, request: Request) -> Response:
        settings = {"currency": "EUR", "currency_symbol": "€", "api_enabled": True}
        environment = {"home_url": f"{self._world.address}/woo", "version": "11.0.1", "wp_version": "7.0.4"}
        return json_response({"environment": environment, "settings": settings})

    def _list_trackings(self, request: Request, id: int) -> Response:
        self.shop.order(id)
        return json_response(self._store.where("woo.trackings", "order_id", id))

    def _add_tracking(self, request: Request, id: int) -> Response:
        """The plugin Shipment Tracking: it writes the order's meta, so ``order.updated`` follows."""
        self.shop.order(id)
        given = request.json()
        if not given.get("tracking_number"):
            raise WooError("rest_missing_callback_param", "Missing parameter(s): tracking_number", 400)
        number = self._store.next_id("woo.trackings")
        row = {
            "id": number,
            "order_id": id,
            "tracking_id": f"{number:032x}",
            "tracking_provider": given.get("tracking_provider") or given.get("custom_tracking_provider", ""),
            "tracking_link": given.get("custom_tracking_link", ""),
            "tracking_number": given["tracking_number"],
            "date_shipped": given.get("date_shipped") or self._world.now().date().isoformat(),
        }
        self._store.put("woo.trackings", row)
        self.shop.edit(id, {})
        return json_response(row, 201)
