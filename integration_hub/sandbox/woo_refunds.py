"""The played WooCommerce's refunds: shown in the order by amount only, with their lines at an address of their own.

A refund over an amount has no lines and no tax.  More than is left answers status 500, as the real one does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from .http import Request, Response, json_response
from .store import Record
from .woo_order import SITE_OFFSET, gmt
from .woo_shop import WooError, WooShop
from .world import World

ZERO = Decimal(0)
LISTS = ("line_items", "shipping_lines", "fee_lines")


class WooRefunds:
    """Refunds of one shop; the gateway is never really asked."""

    def __init__(self, world: World, shop: WooShop) -> None:
        self._world = world
        self._store = world.store
        self._shop = shop
        self._store.start_at("woo.refunds", 90_001)
        self._store.index("woo.refunds", "order_id")

    def routes(self, api: str) -> list[tuple[str, str, Callable[..., Response]]]:
        return [
            ("GET", f"{api}/orders/{{id}}/refunds", self._list),
            ("POST", f"{api}/orders/{{id}}/refunds", self._add),
        ]

    def _list(self, request: Request, id: int) -> Response:
        self._shop.order(id)
        rows = self._store.where("woo.refunds", "order_id", id)
        rows = rows if request.query.get("order") == "asc" else rows[::-1]
        return json_response([_shown(row) for row in rows], 200, {"X-WP-TotalPages": "1"})

    def _add(self, request: Request, id: int) -> Response:
        return json_response(_shown(self.refund(id, request.json())), 201)

    def by_hand(self, order_id: int, lines: Mapping[str, int], amount: str = "", reason: str = "") -> Record:
        """Staff refunds pieces by SKU, an amount, or (neither given) all that is left."""
        order = self._shop.order(order_id)
        wanted = [_piece(line, lines[line["sku"]]) for line in order["line_items"] if lines.get(line["sku"])]
        total = sum((Decimal(str(line["refund_total"])) + _tax(line) for line in wanted), ZERO)
        left = Decimal(order["total"]) - self._refunded(order_id)
        given = {"amount": amount or str(total or left), "reason": reason, "line_items": wanted}
        return self.refund(order_id, given)

    def refund(self, order_id: int, given: Mapping[str, Any], announce: bool = True) -> Record:
        """Write it; the status becomes ``refunded`` once nothing is left."""
        with self._world.lock:
            order = self._shop.order(order_id)
            left = Decimal(order["total"]) - self._refunded(order_id)
            amount = _amount(given.get("amount"))
            if not ZERO < amount <= left:
                raise WooError("woocommerce_rest_cannot_create_order_refund", "Invalid refund amount.", 500)
            row = self._store.add("woo.refunds", self._row(order, amount, given))
            named = {"id": row["id"], "reason": row["reason"], "total": f"-{amount}", "total_tax": f"-{row['tax']}"}
            changes: Record = {"refunds": [*order["refunds"], named]}
            if amount == left:
                changes["status"] = "refunded"
            if given.get("api_restock", True):
                self._shop.goods.move(_returned(order, row), 1, announce=announce)
        self._shop.edit(order_id, changes, announce)
        return row

    def _refunded(self, order_id: int) -> Decimal:
        return sum((Decimal(row["amount"]) for row in self._store.where("woo.refunds", "order_id", order_id)), ZERO)

    def _row(self, order: Record, amount: Decimal, given: Mapping[str, Any]) -> Record:
        wanted = {int(line["id"]): line for line in given.get("line_items") or []}
        parts = {
            name: [self._line(line, wanted[line["id"]]) for line in order[name] if line["id"] in wanted]
            for name in LISTS
        }
        lines = [line for name in LISTS for line in parts[name]]
        now = self._world.now()
        return {
            "order_id": order["id"],
            "date_created": gmt(now + SITE_OFFSET),
            "date_created_gmt": gmt(now),
            "amount": str(amount),
            "tax": str(-sum((Decimal(line["total_tax"]) for line in lines), ZERO)),
            "reason": str(given.get("reason") or ""),
            "refunded_by": 1,
            "refunded_payment": bool(given.get("api_refund", True)) and order["payment_method"] in ("paypal", "stripe"),
            "meta_data": [],
            **parts,
        }

    def _line(self, line: Record, given: Mapping[str, Any]) -> Record:
        """The order's line with what goes back, negative."""
        total, tax = -_amount(given.get("refund_total") or 0), -_tax(given)
        named = {"id": self._store.next_id("woo.meta"), "key": "_refunded_item_id", "value": str(line["id"])}
        taxes = [
            {"id": part["id"], "total": str(-_amount(part["refund_total"])), "subtotal": ""}
            for part in given.get("refund_tax") or []
        ]
        back = {"total": str(total), "total_tax": str(tax), "taxes": taxes, "meta_data": [named]}
        pieces = {"quantity": -int(given.get("quantity") or 0)} if "quantity" in line else {}
        return {**line, "id": self._store.next_id("woo.lines"), **back, **pieces}


def _shown(row: Record) -> Record:
    return {name: value for name, value in row.items() if name not in ("order_id", "tax")}


def _amount(value: Any) -> Decimal:
    try:
        return Decimal(str(value))
    except InvalidOperation:
        raise WooError("rest_invalid_param", "Invalid parameter(s): amount", 400) from None


def _tax(given: Mapping[str, Any]) -> Decimal:
    return sum((_amount(part["refund_total"]) for part in given.get("refund_tax") or []), ZERO)


def _piece(line: Record, pieces: int) -> Record:
    """So many pieces of a line, as the shop's own page sends it."""
    part = Decimal(pieces) / line["quantity"]
    cent = Decimal("0.01")
    return {
        "id": line["id"],
        "quantity": pieces,
        "refund_total": str((Decimal(line["total"]) * part).quantize(cent)),
        "refund_tax": [
            {"id": tax["id"], "refund_total": str((Decimal(tax["total"]) * part).quantize(cent))}
            for tax in line["taxes"]
            if tax["total"]
        ],
    }


def _returned(order: Record, row: Record) -> Sequence[Record]:
    """The order's lines with the pieces that came back."""
    held = {str(line["id"]): line for line in order["line_items"]}
    return [
        {**held[line["meta_data"][0]["value"]], "quantity": -line["quantity"]}
        for line in row["line_items"]
        if line["quantity"]
    ]
