"""What the played world holds in the end, for whoever wants to prove that nothing was lost or doubled."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from .hooks import Sender
from .orders import Orders
from .store import Record
from .world import World

_WOO = ("status", "total", "customer_note")
_SHOPIFY = ("cancelled_at", "financial_status", "total_price", "note")
_SALE = ("client_order_ref", "state", "amount_total")


class Books:
    """The control room's reading part."""

    def __init__(self, world: World, sender: Sender, orders: Orders) -> None:
        self._store = world.store
        self._lock = world.lock
        self._sender = sender
        self._orders = orders

    def routes(self) -> list[tuple[str, str, Callable[..., Any]]]:
        return [
            ("GET", "/control/books", self._books),
            ("GET", "/control/pulse", self._pulse),
            ("POST", "/control/receipts", self._keep_receipts),
        ]

    def _books(self, given: Record) -> Record:
        """Every order and sale as it stands now, what was told, and the digests of what the hub acknowledged."""
        with self._lock:
            return {
                "woo": {row["id"]: _cut(row, _WOO) for row in self._store.rows("woo.orders")},
                "shopify": {row["id"]: _cut(row, _SHOPIFY) for row in self._store.rows("shopify.orders")},
                "sales": [_cut(row, ("id", *_SALE)) for row in self._store.rows("sale.order")],
                "parcels": [_cut(row, ("id", "sale_id", "state")) for row in self._store.rows("stock.picking")],
                "notes": [_cut(row, ("order_id", "note")) for row in self._store.rows("woo.notes")],
                "refunds": [*self._refunds("woo", _woo_amount), *self._refunds("shopify", _shopify_amount)],
                "receipts": sorted(self._sender.receipts or ()),
            }

    def _refunds(self, shop: str, amount: Callable[[Record], str]) -> list[Record]:
        rows = self._store.rows(f"{shop}.refunds")
        return [{"shop": shop, "order": row["order_id"], "id": row["id"], "amount": amount(row)} for row in rows]

    def _pulse(self, given: Record) -> Record:
        """What is still under way, and how many subscriptions each shop has in force."""
        return {
            "pending": self._sender.pending() + self._orders.pending(),
            "open_parcels": len(self._store.where("stock.picking", "state", "assigned")),
            "woo": sum(row["status"] == "active" for row in self._store.rows("woo.webhooks")),
            "shopify": len(self._store.rows("shopify.webhooks")),
        }

    def _keep_receipts(self, given: Record) -> Record:
        """From now on remember what was acknowledged."""
        self._sender.receipts = set()
        return {"ok": True}


def _woo_amount(row: Record) -> str:
    return str(row["amount"])


def _shopify_amount(row: Record) -> str:
    return str(sum((Decimal(one["amount"]) for one in row["transactions"]), Decimal(0)))


def _cut(row: Record, names: tuple[str, ...]) -> Record:
    return {name: row.get(name) for name in names}
