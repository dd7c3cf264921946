"""A WooCommerce shop behind its counter: what customers and staff do, and which webhooks follow."""

from __future__ import annotations

from .basket import Basket
from .hooks import Sender
from .http import Response, json_response
from .store import Record
from .woo_hooks import WooHooks
from .woo_order import gmt, new_order, shown
from .woo_products import WooProducts
from .world import World

STATUSES = frozenset("pending processing on-hold completed cancelled refunded failed trash checkout-draft".split())


class WooError(Exception):
    """An error in WooCommerce's own words."""

    def __init__(self, code: str, message: str, status: int) -> None:
        self.code = code
        self.message = message
        self.status = status
        super().__init__(message)

    def response(self) -> Response:
        return json_response({"code": self.code, "message": self.message, "data": {"status": self.status}}, self.status)


def invalid(name: str) -> WooError:
    return WooError("rest_invalid_param", f"Invalid parameter(s): {name}", 400)


class WooShop:
    """The shop's own doings."""

    def __init__(self, world: World, sender: Sender) -> None:
        self._world = world
        self._store = world.store
        self.goods = WooProducts(world)
        self.hooks = WooHooks(world, sender, self.goods.shown)
        self.goods.announce = self.hooks.changed
        self._store.start_at("woo.orders", 1001)
        self._store.start_at("woo.lines", 5001)
        self._store.index("woo.notes", "order_id")
        self._store.index("woo.trackings", "order_id")

    def order(self, order_id: int) -> Record:
        """The stored order; WooCommerce's error where there is none."""
        order = self._store.get("woo.orders", order_id)
        if order is None:
            raise WooError("woocommerce_rest_shop_order_invalid_id", "Invalid ID.", 404)
        return order

    def shown(self, order: Record) -> Record:
        return shown(order, f"{self._world.address}/woo")

    def place(self, basket: Basket, announce: bool = True) -> Record:
        """A customer orders; two webhooks follow, as a pair."""
        with self._world.lock:
            order = new_order(self._store, basket)
            self.goods.move(order["line_items"], -1, announce=announce)
        if announce:
            self.hooks.changed("created", order["id"])
            self.hooks.changed("updated", order["id"])
        return order

    def edit(self, order_id: int, changes: Record, announce: bool = True) -> Record:
        """Any change bumps ``date_modified`` and sends ``order.updated``, even an empty one."""
        with self._world.lock:
            order = self.order(order_id)
            self._check_status(changes)
            if changes.get("status") == "cancelled" != order["status"]:
                self.goods.move(order["line_items"], 1, announce=announce)
            order.update(changes)
            now = gmt(self._world.now())
            order["date_modified_gmt"] = now
            if changes.get("status") in ("processing", "completed") and not order["date_paid_gmt"]:
                order["date_paid_gmt"] = now
            if changes.get("status") == "completed" and not order["date_completed_gmt"]:
                order["date_completed_gmt"] = now
            self._store.put("woo.orders", order)
        if announce:
            self.hooks.changed("updated", order_id)
        return order

    def delete(self, order_id: int, force: bool) -> Record:
        """Into the bin (``order.deleted``), or for good, which tells nobody."""
        with self._world.lock:
            order = self.order(order_id)
            if force:
                self._store.remove("woo.orders", order_id)
                return order
        order = self.edit(order_id, {"status": "trash"})
        self.hooks.changed("deleted", order_id)
        return order

    def _check_status(self, changes: Record) -> None:
        if changes.get("status", "pending") not in STATUSES:
            raise invalid("status")

    def pay(self, order_id: int) -> None:
        """The bank transfer arrives for an order on hold."""
        order = self._store.get("woo.orders", order_id)
        if order is not None and order["status"] == "on-hold":
            self.edit(order_id, {"status": "processing", "date_paid_gmt": gmt(self._world.now())})

    def spoil_currency(self, order_id: int) -> None:
        """A plugin writes a currency that is none."""
        if self._store.get("woo.orders", order_id) is not None:
            self.edit(order_id, {"currency": "XTS1"})

    def forget(self) -> None:
        """No orders any more; subscriptions stay."""
        for table in ("woo.orders", "woo.notes", "woo.trackings", "woo.refunds"):
            self._store.clear(table)
