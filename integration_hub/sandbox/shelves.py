"""The control room's shelves: what both shops show of their stock, and hands that reach in behind the hub's back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .store import Record
from .woo_products import WooProducts

_WOO = ("sku", "type", "status", "manage_stock", "stock_quantity")


class Shelves:
    """Levers for products and stock."""

    def __init__(self, woo: WooProducts) -> None:
        self._woo = woo

    def routes(self) -> list[tuple[str, str, Callable[..., Any]]]:
        return [
            ("GET", "/control/stock", self._stock),
            ("POST", "/control/woo/products/{number}", self._woo_product),
        ]

    def _stock(self, given: Record) -> Record:
        """Each shop's articles by id."""
        rows = [*self._woo.rows(), *self._woo.rows(variations=True)]
        return {"woo": {row["id"]: {name: self._woo.shown(row)[name] for name in _WOO} for row in rows}}

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
