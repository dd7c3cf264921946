"""A Shopify shop behind its counter: orders placed, paid, fulfilled, cancelled, and the webhooks of each."""

from __future__ import annotations

from collections.abc import Mapping

from .basket import Basket
from .hooks import Sender
from .shopify_hooks import ShopifyHooks
from .shopify_order import FIRST_ORDER, local, new_order
from .shopify_shelf import ShopifyShelf
from .store import Record
from .world import World


class ShopifyShop:
    """The shop's own doings; every change bumps ``updated_at`` and sends ``orders/updated``."""

    def __init__(self, world: World, sender: Sender) -> None:
        self._world = world
        self._store = world.store
        self.hooks = ShopifyHooks(world, sender)
        self.shelf = ShopifyShelf(world, self.hooks)
        self._store.start_at("shopify.orders", FIRST_ORDER)
        self._store.start_at("shopify.lines", 15_900_000_000_001)
        self._store.start_at("shopify.fulfillments", 5_100_000_000_001)

    def place(self, basket: Basket, announce: bool = True) -> Record:
        with self._world.lock:
            order = new_order(self._store, basket)
            self.shelf.sell(order["line_items"], announce=announce)
            if announce:
                topics = ("orders/create", "orders/updated") + (
                    ("orders/paid",) if order["financial_status"] == "paid" else ()
                )
                self.hooks.send(topics, order)
        return order

    def edit(self, order_id: int, changes: Mapping[str, object], *topics: str) -> Record:
        """Change an order; KeyError where there is none."""
        with self._world.lock:
            order = self._store.get("shopify.orders", order_id)
            if order is None:
                raise KeyError(order_id)
            order.update(changes)
            order["updated_at"] = local(self._world.now())
            self._store.put("shopify.orders", order)
            self.hooks.send(("orders/updated", *topics), order)
        return order

    def pay(self, order_id: int) -> None:
        """The bank transfer arrives."""
        order = self._store.get("shopify.orders", order_id)
        if order is not None and order["financial_status"] == "pending" and not order["cancelled_at"]:
            self.edit(order_id, {"financial_status": "paid"}, "orders/paid")

    def spoil_currency(self, order_id: int) -> None:
        """An app writes a currency that is none."""
        if self._store.get("shopify.orders", order_id) is not None:
            self.edit(order_id, {"currency": "XTS1"})

    def cancel(self, order_id: int, reason: str, *, restock: bool = True, void: bool = True) -> Record:
        """Cancel, void the payment (``void``); totals as placed stay, the ``current_`` ones fall to nothing."""
        now = local(self._world.now())
        order = self._store.get("shopify.orders", order_id)
        if restock and order is not None and not order["cancelled_at"]:
            self.shelf.put_back(order["line_items"])
        changes = {
            "cancelled_at": now,
            "closed_at": now,
            "cancel_reason": reason.lower(),
            "current_total_price": "0.00",
            **({"financial_status": "voided"} if void else {}),
        }
        return self.edit(order_id, changes, "orders/cancelled")

    def fulfil(self, order: Record, wanted: Mapping[int, int], tracking: Mapping[str, str]) -> Record:
        """A parcel with so much of each line; the caller has checked that it is still to be shipped."""
        with self._world.lock:
            number = self._store.next_id("shopify.fulfillments")
            now = local(self._world.now())
            shipped = []
            self.shelf.ship(order["line_items"], wanted)
            for line in order["line_items"]:
                quantity = wanted.get(line["id"], 0)
                line["fulfillable_quantity"] -= quantity
                line["fulfillment_status"] = _status(line["fulfillable_quantity"], line["quantity"])
                if quantity:
                    shipped.append({"id": line["id"], "sku": line["sku"], "quantity": quantity})
            row = {
                "id": number,
                "admin_graphql_api_id": f"gid://shopify/Fulfillment/{number}",
                "order_id": order["id"],
                "name": f"{order['name']}.{len(order['fulfillments']) + 1}",
                "status": "success",
                "created_at": now,
                "updated_at": now,
                "tracking_number": tracking.get("number") or None,
                "tracking_company": tracking.get("company") or None,
                "tracking_url": tracking.get("url") or None,
                "line_items": shipped,
            }
            self._store.put("shopify.fulfillments", row)
            left = sum(line["fulfillable_quantity"] for line in order["line_items"])
            status = "partial" if left else "fulfilled"
            topic = "orders/partially_fulfilled" if left else "orders/fulfilled"
            changes = {"fulfillments": [*order["fulfillments"], row], "fulfillment_status": status}
            self.edit(order["id"], changes, topic)
        return row

    def forget(self) -> None:
        """No orders any more; subscriptions stay."""
        for table in ("shopify.orders", "shopify.fulfillments", "shopify.refunds", "shopify.returns"):
            self._store.clear(table)


def _status(left: int, quantity: int) -> str | None:
    return "fulfilled" if not left else None if left == quantity else "partial"
