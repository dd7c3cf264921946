"""Reads from Odoo which sales changed, with their parcels.

Pages go by id within the window, not by time: Odoo keeps microseconds of ``write_date`` but shows whole seconds, and a
row that is changed while we page would shift the others.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from integration_hub.kernel import codec
from integration_hub.kernel.errors import Rejected, unreadable
from integration_hub.kernel.messages import Listed

from ._odoo_cancel import COMING, NOT_COMING
from ._odoo_reports import listed
from ._odoo_rpc import OdooRpc
from .base import Delivery, Page

PAGE = 80
_SALE = ["name", "client_order_ref", "state", "write_date", "amount_total", "currency_id"]
_PICKING = ["name", "state", "origin", "date_done", "write_date", "sale_id"]
_CARRIER = ["carrier_id", "carrier_tracking_ref", "carrier_tracking_url"]  # with Odoo's delivery module only
_OUTGOING = ["picking_type_code", "=", "outgoing"]


class Poll:
    """Pages of one connection."""

    def __init__(self, rpc: OdooRpc) -> None:
        self._rpc = rpc

    def sales(self, since: datetime | None, token: str | None) -> Page:
        """First the sales that changed, then those whose parcels did (which leaves the sale's own time as it was)."""
        phase, _, last = (token or "sale:0").partition(":")
        if phase == "sale":
            return self._changed_sales(since, after_id(last))
        if phase == "picking":
            return self._changed_pickings(since, after_id(last))
        raise unreadable("unknown token %(token)s", token=token)

    def standing_under(self, references: Sequence[str]) -> list[Listed]:
        """Every sale under these references, drafts and cancelled ones too."""
        domain = [["client_order_ref", "in", list(references)]]
        rows = self._rpc.rows("sale.order", "search_read", domain=domain, names=_SALE, order="id") if references else []
        return [listed(row) for row in rows]

    def _changed_sales(self, since: datetime | None, last: int) -> Page:
        domain = [["client_order_ref", "!=", False], *window(since, last)]
        rows = self._rpc.rows("sale.order", "search_read", domain=domain, names=_SALE, order="id", limit=PAGE)
        if len(rows) == PAGE:
            return Page(self._deliveries(rows), f"sale:{rows[-1]['id']}")
        return Page(self._deliveries(rows), "picking:0" if since and self._stock_fields() else None)

    def _changed_pickings(self, since: datetime | None, last: int) -> Page:
        domain = [["sale_id.client_order_ref", "!=", False], "|", _OUTGOING, COMING, *window(since, last)]
        rows = self._rpc.rows("stock.picking", "search_read", domain=domain, names=["sale_id"], order="id", limit=PAGE)
        ids = sorted({row["sale_id"][0] for row in rows})
        sales = self._rpc.rows("sale.order", "search_read", domain=[["id", "in", ids]], names=_SALE) if ids else []
        return Page(self._deliveries(sales), f"picking:{rows[-1]['id']}" if len(rows) == PAGE else None)

    def _deliveries(self, sales: Sequence[dict[str, Any]]) -> list[Delivery]:
        """Sales with their pickings and returns; without returns they say what they said before there were any."""
        ids = [sale["id"] for sale in sales]
        pickings, returns = self._pickings(ids, [_OUTGOING, NOT_COMING]), self._pickings(ids, [COMING])
        bodies = []
        for sale in by_time(sales):
            number = sale["id"]
            told = {"returns": self._scrapped(returns[number])} if returns[number] else {}
            bodies.append((number, {"sale": sale, "pickings": pickings[number], **told}))
        return [delivery("sale.polled", number, body) for number, body in bodies]

    def _scrapped(self, returns: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Returns, each with what of it was written off."""
        domain = [["picking_id", "in", [row["id"] for row in returns]], ["state", "=", "done"]]
        names = ["picking_id", "product_id", "scrap_qty"]
        rows = self._rpc.rows("stock.scrap", "search_read", domain=domain, names=names, order="id")
        codes = self._codes(sorted({row["product_id"][0] for row in rows}))
        of: dict[int, list[dict[str, Any]]] = defaultdict(list)
        for row in rows:
            gone = {"sku": codes.get(row["product_id"][0], ""), "quantity": row["scrap_qty"]}
            of[row["picking_id"][0]].append(gone)
        return [{**row, "scraps": of[row["id"]]} for row in returns]

    def _stock_fields(self) -> list[str]:
        """The fields of a picking that this Odoo has; empty where sales and stock are not joined."""
        wanted = [*_PICKING, *_CARRIER]
        try:
            known = self._rpc.known("stock.picking", wanted)
        except Rejected:  # no such model: the stock module is not installed
            return []
        return [name for name in wanted if name in known] if "sale_id" in known else []

    def _pickings(self, sales: Sequence[int], which: Sequence[Any]) -> dict[int, list[dict[str, Any]]]:
        """Pickings by sale, each with what it moved or, of returns, is to move."""
        found: dict[int, list[dict[str, Any]]] = defaultdict(list)
        coming = COMING in which
        fields = [name for name in (self._stock_fields() if sales else []) if coming or name != "origin"]
        if not fields:
            return found
        domain = [["sale_id", "in", list(sales)], *which]
        rows = self._rpc.rows("stock.picking", "search_read", domain=domain, names=fields, order="id")
        moves = self._moves([row["id"] for row in rows if coming or row["state"] == "done"], coming)
        for row in rows:
            found[row["sale_id"][0]].append({**row, "moves": moves[row["id"]]})
        return found

    def _moves(self, pickings: Sequence[int], coming: bool) -> dict[int, list[dict[str, Any]]]:
        """What left with each picking, by product code, or also what is ``coming``; its field changed its name with 17."""
        found: dict[int, list[dict[str, Any]]] = defaultdict(list)
        if not pickings:
            return found
        known = self._rpc.known("stock.move", ["quantity", "quantity_done"])
        quantity = "quantity" if "quantity" in known else "quantity_done"
        domain = [["picking_id", "in", list(pickings)], ["state", "!=", "cancel"] if coming else ["state", "=", "done"]]
        fields = ["picking_id", "product_id", "state", "product_uom_qty", quantity]
        rows = self._rpc.rows("stock.move", "search_read", domain=domain, names=fields, order="id")
        codes = self._codes(sorted({row["product_id"][0] for row in rows}))
        for row in rows:
            moved = {
                "sku": codes.get(row["product_id"][0], ""),
                "quantity": row[quantity if row["state"] == "done" else "product_uom_qty"],
            }
            found[row["picking_id"][0]].append(moved)
        return found

    def _codes(self, products: Sequence[int]) -> dict[int, str]:
        if not products:
            return {}
        rows = self._rpc.rows("product.product", "read", ids=products, names=["default_code"])
        return {row["id"]: row["default_code"] or "" for row in rows}


def window(since: datetime | None, last: int) -> list[Any]:
    domain: list[Any] = [["id", ">", last]] if last else []
    if since is not None:
        domain.append(["write_date", ">=", since.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")])
    return domain


def after_id(token: str) -> int:
    if not (token.isascii() and token.isdigit() and len(token) < 19):
        raise unreadable("unknown token %(token)s", token=token)
    return int(token)


def by_time(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(rows, key=lambda row: (str(row["write_date"]), row["id"]))


def delivery(topic: str, number: int, body: dict[str, Any]) -> Delivery:
    return Delivery(topic, str(number), codec.canonical(body))
