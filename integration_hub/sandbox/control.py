"""The control room: what is there, what goes wrong, and levers to pull.  JSON, or plain forms from the page."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable
from dataclasses import asdict
from typing import Any
from urllib.parse import parse_qsl, urljoin, urlsplit

from . import odoo_sales, odoo_stock
from .basket import TROUBLES
from .books import Books
from .erpnext_levers import Levers
from .erpnext_schema import FrappeError
from .hooks import Sender, is_local
from .http import Request, Response, Router, json_response
from .odoo_schema import OdooError
from .orders import Orders, Wanted
from .page import page
from .shelves import Shelves
from .shopify import Shopify
from .shopify_hooks import ShopifyHooks
from .store import Record
from .till import Till
from .woo import Woo
from .woo_edit import doubled
from .woo_hooks import WooHooks
from .woo_shop import WooError
from .world import SWITCHES, World


class Control:
    """Everything under ``/control`` and the page at ``/``."""

    name = "control"
    prefix = "/"

    def __init__(
        self, world: World, woo: Woo, shopify: Shopify, orders: Orders, sender: Sender, till: Till, levers: Levers
    ) -> None:
        self._world = world
        self._woo = woo
        self._shopify = shopify
        self._orders = orders
        self._sender = sender
        self._levers = levers
        self._router = Router()
        shelves = Shelves(woo.shop.goods, shopify.shop.shelf)
        books = Books(world, sender, orders)
        more = [*books.routes(), *shelves.routes(), *odoo_stock.routes(world), *till.routes(), *levers.routes()]
        for method, path, handler in [*self._routes(), *more]:
            self._router.add(method, path, handler)

    def _routes(self) -> list[tuple[str, str, Callable[..., Any]]]:
        return [
            ("GET", "/control/state", self._state),
            ("POST", "/control/faults", self._faults),
            ("POST", "/control/reset", self._reset),
            ("POST", "/control/subscribe", self._subscribe),
            ("POST", "/control/orders", self._place),
            ("POST", "/control/switches", self._switches),
            ("POST", "/control/pause", lambda given: self._turn(ordering=False)),
            ("POST", "/control/resume", lambda given: self._turn(ordering=True)),
            ("POST", "/control/odoo/ship", self._ship),
            ("POST", "/control/odoo/cancel", self._cancel_sale),
            ("POST", "/control/woo/orders/{number}", self._woo_order),
            ("POST", "/control/shopify/orders/{number}", self._shopify_order),
        ]

    def handle(self, request: Request) -> Response:
        if request.path == "/" and request.method == "GET":
            return Response(
                200, page(self._world, self._levers.page()).encode(), {"Content-Type": "text/html; charset=utf-8"}
            )
        found = self._router.find(request.method, request.path)
        if found is None or not _same_origin(request):
            return json_response({"error": "not found"}, 404)
        handler, numbers = found
        try:
            given, is_form = _given(request)
            answer = handler(given, **numbers)
        except (KeyError, ValueError, TypeError, WooError, OdooError, FrappeError) as error:
            return json_response({"error": f"{type(error).__name__}: {error}"}, 400)
        if isinstance(answer, Response):
            return answer
        return Response(303, b"", {"Location": "/"}) if is_form else json_response(answer)

    def writes(self, request: Request) -> bool:
        return request.method == "POST"

    def failure(self, status: int, retry_after: int) -> Response:
        return json_response({"error": status}, status)

    def _state(self, given: Record) -> Record:
        store = self._world.store
        sales: dict[str, list[int]] = defaultdict(list)
        with self._world.lock:
            for sale in store.rows("sale.order"):
                if sale.get("client_order_ref"):
                    sales[sale["client_order_ref"]].append(sale["id"])
            return {
                "orders": self._orders.summary(),
                "woo": {
                    "orders": store.count("woo.orders"),
                    "notes": store.count("woo.notes"),
                    "trackings": store.count("woo.trackings"),
                },
                "shopify": {
                    "orders": store.count("shopify.orders"),
                    "fulfillments": store.count("shopify.fulfillments"),
                },
                "odoo": self._odoo(),
                "erpnext": self._levers.state(),
                "sales": sales,
                "doubles": {reference: ids for reference, ids in sales.items() if len(ids) > 1},
                "webhooks": dict(self._sender.counts),
                "subscriptions": [_light(row, "topic", "status") for row in store.rows("woo.webhooks")]
                + [_light(row, "topic") for row in store.rows("shopify.webhooks")],
                "faults": self._world.faults.as_json(),
                "switches": {name: self._world.switch(name) for name in SWITCHES},
                "list": store.rows("placed"),
            }

    def _odoo(self) -> Record:
        store = self._world.store
        pickings = store.rows("stock.picking")
        return {
            "sales": store.count("sale.order"),
            "confirmed": sum(row["state"] == "sale" for row in store.rows("sale.order")),
            "partners": store.count("res.partner"),
            "parcels": sum(row["state"] == "done" for row in pickings),
        }

    def _faults(self, given: Record) -> Record:
        values = {name: value for name, value in given.items() if name != "target" and value != ""}
        return asdict(self._world.faults.set(given["target"], values))

    def _reset(self, given: Record) -> Record:
        """No faults any more; with ``records`` an empty world as well (ids go on)."""
        self._world.faults.clear()
        self._sender.counts.clear()
        if given.get("records"):
            self._woo.shop.forget()
            self._shopify.shop.forget()
            for table in (
                "placed",
                "sale.order",
                "sale.order.line",
                "stock.picking",
                "stock.move",
                "stock.scrap",
                "account.payment",
                "res.partner",
            ):
                self._world.store.clear(table)
            odoo_stock.fill(self._world)
            self._levers.forget()
        return {"ok": True}

    def _subscribe(self, given: Record) -> Record:
        """Send a shop's webhooks to ``url`` (absolute, or a path of the hub's), signed with ``secret``; ``goods``: also of products.

        Subscriptions to the same path are replaced: a hub that was started again may stand at another port.
        """
        url = urljoin(f"{self._world.hub}/", given["url"])
        if not is_local(url):
            raise ValueError("webhooks go to this machine only")
        shops: dict[str, WooHooks | ShopifyHooks] = {"woo": self._woo.shop.hooks, "shopify": self._shopify.shop.hooks}
        hooks = shops[given["shop"]]
        hooks.forget(urlsplit(url).path)
        topics = hooks.topics + (hooks.goods_topics if given.get("goods") else ())
        return {"subscriptions": [hooks.subscribe(topic, url, given["secret"])["id"] for topic in topics]}

    def _place(self, given: Record) -> Record:
        if given.get("trouble"):
            TROUBLES[given["trouble"]]
        wanted = Wanted(
            shop=given["shop"],
            count=int(given.get("count") or 1),
            trouble=given.get("trouble", ""),
            days_ago=int(given.get("days_ago") or 0),
            announce=bool(given.get("webhooks", True)),
            sku=str(given.get("sku") or ""),
            pieces=int(given.get("pieces") or 1),
        )
        return {"ids": self._orders.place(wanted)}

    def _switches(self, given: Record) -> Record:
        return self._turn(**given)

    def _turn(self, **values: Any) -> Record:
        self._world.turn(**values)
        return {name: self._world.switch(name) for name in SWITCHES}

    def _sale(self, given: Record) -> Record:
        """A sale by its reference or its number."""
        wanted = str(given["order"])
        for sale in self._world.store.rows("sale.order"):
            if wanted in (sale.get("client_order_ref"), sale["name"], str(sale["id"])):
                return sale
        raise KeyError(wanted)

    def _ship(self, given: Record) -> Record:
        """Send the open parcels of a sale; with ``partial`` only a part of them."""
        with self._world.lock:
            sale = self._sale(given)
            for picking in self._world.store.where("stock.picking", "sale_id", sale["id"]):
                if picking["state"] == odoo_sales.OPEN_PICKING:
                    odoo_sales.ship(self._world, picking, bool(given.get("partial")))
            return odoo_sales.delivered(self._world, sale)

    def _cancel_sale(self, given: Record) -> Record:
        with self._world.lock:
            sale = self._sale(given)
            odoo_sales.cancel(self._world, sale)
            return odoo_sales.delivered(self._world, sale)

    def _woo_order(self, given: Record, number: int) -> Record:
        """Edit (``changes``), double the first line, refund (``refund_piece``: one piece of the first line), cancel, pay, or delete (``force``: for good) an order."""
        announce = bool(given.get("webhooks", True))
        if given["action"] == "double":
            with self._world.lock:
                return self._woo.shop.edit(number, doubled(self._woo.shop.order(number)), announce)
        if given["action"] == "edit":
            return self._woo.shop.edit(number, given.get("changes") or {}, announce)
        if given["action"] == "cancel":
            return self._woo.shop.edit(number, {"status": "cancelled"}, announce)
        if given["action"] in REFUNDS:
            order = self._woo.shop.order(number)
            lines, amount = _lines(given, order, paid=bool(order["date_paid_gmt"])), str(given.get("amount") or "")
            return self._woo.refunds.by_hand(number, lines, amount, str(given.get("reason") or ""))
        if given["action"] == "pay":
            self._woo.shop.pay(number)
            return self._woo.shop.order(number)
        if given["action"] == "delete":
            return self._woo.shop.delete(number, bool(given.get("force")))
        raise KeyError(given["action"])

    def _shopify_order(self, given: Record, number: int) -> Record:
        """Edit (``changes``), refund, pay or cancel an order, or move a return of it (``return``: how)."""
        if given["action"] in REFUNDS:
            order, amount = self._shopify.back.order(number), str(given.get("amount") or "")
            lines = _lines(given, order, paid=order["financial_status"] == "paid")
            return self._shopify.back.by_hand(number, lines, amount, str(given.get("reason") or ""))
        if given["action"] == "return":
            move, reason = str(given.get("move") or "request"), str(given.get("reason") or "")
            instead = {str(sku): int(pieces) for sku, pieces in (given.get("instead") or {}).items()}
            return self._shopify.back.turn_back(number, move, _lines(given, {}, paid=True), reason, instead)
        if given["action"] == "pay":
            self._shopify.shop.pay(number)
            return self._shopify.back.order(number)
        if given["action"] == "edit":
            return self._shopify.shop.edit(number, given.get("changes") or {})
        if given["action"] == "cancel":
            return self._shopify.shop.cancel(number, "OTHER")
        raise KeyError(given["action"])


REFUNDS = ("refund", "refund_piece")


def _lines(given: Record, order: Record, *, paid: bool) -> dict[str, int]:
    """Pieces by SKU; from a form as one article (``sku``) and how many (``pieces``).

    ``refund_piece`` is one piece of the order's first line; ValueError where nobody has paid for it.
    """
    if given["action"] == "refund_piece":
        if not paid:
            raise ValueError("not paid")
        return {order["line_items"][0]["sku"]: 1}
    if given.get("sku"):
        return {str(given["sku"]): int(given.get("pieces") or 1)}
    return {str(sku): int(pieces) for sku, pieces in (given.get("lines") or {}).items()}


def _light(row: Record, *names: str) -> Record:
    return {"id": row["id"], **{name: row[name] for name in names}}


def _given(request: Request) -> tuple[Record, bool]:
    """The parameters of a call, and whether they came from a form."""
    if request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        return dict(parse_qsl(request.body.decode(), keep_blank_values=True)), True
    given = json.loads(request.body or b"{}")
    if not isinstance(given, dict):
        raise TypeError("an object was expected")
    return given, False


def _same_origin(request: Request) -> bool:
    """Forms of other sites must not pull these levers, even though they can reach this machine."""
    origin = request.headers.get("origin", "")
    return origin in ("", f"http://{request.headers.get('host', '')}")
