"""The control room's shelves: what both shops show of their stock, and hands that reach in behind the hub's back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .shopify_shelf import ShopifyShelf
from .store import Record
from .woo_products import WooProducts

_WOO = ("sku", "type", "status", "manage_stock", "stock_quantity")


class Shelves:
    """Levers for products and stock."""

    def __init__(self, woo: WooProducts, shopify: ShopifyShelf) -> None:
        self._woo = woo
        self._shopify = shopify

    def routes(self) -> list[tuple[str, str, Callable[..., Any]]]:
        return [
            ("GET", "/control/stock", self._stock),
            ("POST", "/control/woo/products/{number}", self._woo_product),
            ("POST", "/control/shopify/variants/{number}", self._shopify_variant),
            ("POST", "/control/shopify/locations/{number}", self._shopify_location),
        ]

    def _stock(self, given: Record) -> Record:
        """Each shop's articles by id."""
        rows = [*self._woo.rows(), *self._woo.rows(variations=True)]
        return {
            "woo": {row["id"]: {name: self._woo.shown(row)[name] for name in _WOO} for row in rows},
            "shopify": {row["id"]: self._shopify_shown(row) for row in self._shopify.variants()},
        }

    def _shopify_shown(self, row: Record) -> Record:
        levels = {level["location"]: level["available"] for level in self._shopify.levels(row["item"])}
        return {"sku": row["sku"], "item": row["item"], "tracked": row["tracked"], "levels": levels}

    def _woo_product(self, given: Record, number: int) -> Record:
        """A colleague sets stock by hand, edits, or deletes (``force``: for good); a fault makes batches refuse it."""
        announce = bool(given.get("webhooks", True))
        if given["action"] == "stock":
            return self._woo.shown(self._woo.set_stock(number, int(given["quantity"]), announce=announce))
        if given["action"] == "edit":
            return self._woo.shown(self._woo.edit(number, given.get("changes") or {}, announce=announce))
        if given["action"] == "fault":
            return self._woo.edit(number, {"fault": str(given.get("message") or "")}, announce=False)
        if given["action"] == "delete":
            self._woo.delete(number, force=bool(given.get("force")))
            return {"ok": True}
        raise KeyError(given["action"])

    def _shopify_variant(self, given: Record, number: int) -> Record:
        """A colleague sets what is available at a location, or does so (``race``) just before the next push is compared."""
        action = given["action"]
        if action == "edit":
            return self._shopify.edit(number, given.get("changes") or {})
        if action == "delete":
            self._shopify.delete(number)
            return {"ok": True}
        place, quantity = int(given.get("location") or 1), int(given["quantity"])
        if action == "stock":
            return self._shopify.by_hand(number, place, quantity)
        if action == "race":
            self._shopify.races.append((number, place, quantity))
            return {"ok": True}
        raise KeyError(action)

    def _shopify_location(self, given: Record, number: int) -> Record:
        return self._shopify.rename(number, str(given["name"]))
