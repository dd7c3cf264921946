"""Take a sale back in Odoo, or part of it, as far as nothing of it is packed.

The whole: ``action_cancel``, which cancels its open deliveries as well.  Part of it: the lines' quantities are reduced in
one call, and Odoo takes the difference out of the deliveries (``_action_launch_stock_rule`` of ``sale_stock``, both ways
since 15).  Price and discount are stated with the quantity, because before 18 Odoo computes them anew otherwise.  A note
at the sale keeps what is to stay, so that a second try ends where the first one was going.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from integration_hub.kernel import fields
from integration_hub.kernel.aftersales import CancelSale, GoodsLine
from integration_hub.kernel.errors import Rejected
from integration_hub.kernel.messages import Written
from integration_hub.kernel.text import say

from ._odoo_rpc import OdooRpc, Row

_SALE = ["name", "state", "partner_id"]
_LINE = ["product_id", "product_uom_qty", "qty_delivered", "price_unit", "discount"]
_PICKING = ["state", "picking_type_code", "picking_type_id"]
_LIVE = ("draft", "sent", "sale", "done")
_KEPT = re.compile(r" ([0-9]+)=([0-9.]+)")
COMING = ["location_id.usage", "=", "customer"]
NOT_COMING = ["location_id.usage", "!=", "customer"]
ZERO = Decimal(0)


@dataclass
class Moved:
    """By product, what is packed or has left, and what is still to leave."""

    left: defaultdict[int, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    open: defaultdict[int, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    begun: bool = False


@dataclass
class Canceller:
    """Carries out one wish."""

    rpc: OdooRpc
    command: CancelSale

    def find(self) -> Written | None:
        """The sale, if the wish was begun; unfinished where it does not stand as the wish wants it."""
        sale = the_sale(self.rpc, self.command.sale_reference)
        if sale is None:
            return None
        if sale["state"] == "cancel":
            return _written(sale, was_there=True)
        keep = self._kept(sale) if self.command.lines else None
        if keep is None:
            return None
        return _written(sale, was_there=True, unfinished=not self._done(sale, keep))

    def carry_out(self) -> Written:
        """Bring the sale there.  Raises Rejected (``already_shipped``) for what is packed or has left."""
        sale = the_sale(self.rpc, self.command.sale_reference)
        if sale is None:
            raise gone()
        if sale["state"] == "cancel":
            return _written(sale, was_there=True)
        return self._lines(sale) if self.command.lines else self._whole(sale)

    def _whole(self, sale: Row) -> Written:
        if self._moved(sale).begun:
            raise _shipped()
        self.rpc.call("sale.order", "action_cancel", ids=[sale["id"]], context={"disable_cancel_warning": True})
        sale = self._again()
        if sale["state"] != "cancel":
            raise Rejected(say("Odoo did not cancel the sale; it wants something first."), code="not_cancelled")
        return _written(sale, was_there=False)

    def _lines(self, sale: Row) -> Written:
        keep = self._kept(sale)
        was_there = keep is not None
        if keep is None:
            keep = self._wanted(sale)
            self._remember(sale, keep)
        changes = [
            [1, line["id"], {**_plain(line), "product_uom_qty": keep[line["id"]]}]
            for line in self._read_lines(sale)
            if _pieces(line) > keep.get(line["id"], _pieces(line))
        ]
        if changes:
            self.rpc.call("sale.order", "write", ids=[sale["id"]], vals={"order_line": changes})
        sale = self._again()
        if not self._done(sale, keep):
            raise Rejected(
                say("The sale in Odoo has fewer pieces now, but its delivery does not; change the delivery there."),
                code="delivery_unchanged",
            )
        return _written(sale, was_there=was_there)

    def _again(self) -> Row:
        sale = the_sale(self.rpc, self.command.sale_reference)
        if sale is None:
            raise gone()
        return sale

    def _read_lines(self, sale: Row) -> list[Row]:
        domain = [["order_id", "=", sale["id"]], ["product_id", "!=", False]]
        names = [name for name in _LINE if name in self.rpc.known("sale.order.line", _LINE)]
        return self.rpc.rows("sale.order.line", "search_read", domain=domain, names=names, order="id")

    def _moved(self, sale: Row) -> Moved:
        """What the sale's deliveries have done, those of several steps by their furthest."""
        found = Moved()
        if "sale_id" not in fields_of_pickings(self.rpc):
            return found
        domain = [["sale_id", "=", sale["id"]], NOT_COMING, ["state", "!=", "cancel"]]
        pickings = self.rpc.rows("stock.picking", "search_read", domain=domain, names=_PICKING, order="id")
        found.begun = any(row["state"] == "done" for row in pickings)
        of = {row["id"]: row for row in pickings}
        done: defaultdict[tuple[int, int], Decimal] = defaultdict(Decimal)
        for move in moves_of(self.rpc, list(of)):
            picking, product = of[move["picking_id"][0]], move["product_id"][0]
            if move["state"] == "done":
                done[product, picking["picking_type_id"][0]] += move["moved"]
            elif picking["picking_type_code"] == "outgoing":
                found.open[product] += fields.quantity(move, "product_uom_qty")
        for (product, _), pieces in done.items():
            found.left[product] = max(found.left[product], pieces)
        return found

    def _wanted(self, sale: Row) -> dict[int, Decimal]:
        """By line of the sale, how many pieces it is to have afterwards."""
        lines, moved = self._read_lines(sale), self._moved(sale)
        codes = codes_of(self.rpc, [line["product_id"][0] for line in lines])
        keep: dict[int, Decimal] = {}
        for wish in self.command.lines:
            meant = [line for line in lines if means(wish, line["product_id"][0], codes)]
            _take(wish, meant, keep, moved)
        return keep

    def _done(self, sale: Row, keep: Mapping[int, Decimal]) -> bool:
        """Whether no more than this is ordered, and no more than that is still to leave."""
        lines, moved = self._read_lines(sale), self._moved(sale)
        ordered: defaultdict[int, Decimal] = defaultdict(Decimal)
        for line in lines:
            ordered[line["product_id"][0]] += _pieces(line)
        touched = [line for line in lines if line["id"] in keep]
        return all(
            _pieces(line) <= keep[line["id"]] and moved.open[number] <= ordered[number] - moved.left[number]
            for line in touched
            if (number := line["product_id"][0])
        )

    def _marker(self) -> str:
        return f"[{self.command.key}]"

    def _kept(self, sale: Row) -> dict[int, Decimal] | None:
        """What an earlier try wrote down; None for none."""
        domain = [["model", "=", "sale.order"], ["res_id", "=", sale["id"]], ["body", "like", self._marker()]]
        notes = self.rpc.rows("mail.message", "search_read", domain=domain, names=["body"], order="id", limit=20)
        own = re.compile(re.escape(self._marker()) + rf"((?:{_KEPT.pattern})+)")
        for note in notes:
            if found := own.search(str(note["body"])):
                return {int(line): Decimal(number) for line, number in _KEPT.findall(found[1])}
        return None

    def _remember(self, sale: Row, keep: Mapping[int, Decimal]) -> None:
        kept = "".join(f" {line}={number:f}" for line, number in sorted(keep.items()))
        body = f"{self._marker()}{kept}\n{self.command.reason}"
        self.rpc.call("sale.order", "message_post", ids=[sale["id"]], body=body)


def the_sale(rpc: OdooRpc, reference: str) -> Row | None:
    """The live sale of this reference, else a cancelled one."""
    domain = [["client_order_ref", "=", reference]]
    found = rpc.rows("sale.order", "search_read", domain=domain, names=_SALE, order="id", limit=20)
    return min(found, key=lambda sale: (sale["state"] not in _LIVE, sale["id"]), default=None)


def gone() -> Rejected:
    return Rejected(say("The sale is gone from Odoo."), code="sale_gone")


def fields_of_pickings(rpc: OdooRpc) -> frozenset[str]:
    """Which of the fields we use a picking has here; none where sales and stock are not joined."""
    try:
        return rpc.known("stock.picking", ["sale_id", "group_id", "return_id"])
    except Rejected:  # no such model: the stock module is not installed
        return frozenset()


def quantity_field(rpc: OdooRpc) -> str:
    """What a move has moved; its field changed its name with 17."""
    return "quantity" if "quantity" in rpc.known("stock.move", ["quantity", "quantity_done"]) else "quantity_done"


def moves_of(rpc: OdooRpc, pickings: Sequence[int], *more: str) -> list[Row]:
    """The moves of these pickings that were not cancelled, each with what it has ``moved``."""
    if not pickings:
        return []
    name = quantity_field(rpc)
    names = ["picking_id", "product_id", "state", "product_uom_qty", name, *more]
    domain = [["picking_id", "in", list(pickings)], ["state", "!=", "cancel"]]
    rows = rpc.rows("stock.move", "search_read", domain=domain, names=names, order="id")
    return [{**row, "moved": fields.quantity(row, name)} for row in rows]


def codes_of(rpc: OdooRpc, products: Sequence[int]) -> dict[int, str]:
    """Internal references by product, archived ones too."""
    if not products:
        return {}
    rows = rpc.rows("product.product", "read", ids=sorted(set(products)), names=["default_code"])
    return {row["id"]: row["default_code"] or "" for row in rows}


def means(wish: GoodsLine, product: int, codes: Mapping[int, str]) -> bool:
    """Whether a line of goods is this product."""
    return str(product) == wish.product_id if wish.product_id else codes.get(product) == wish.sku


def _take(wish: GoodsLine, lines: Sequence[Row], keep: dict[int, Decimal], moved: Moved) -> None:
    """Take a wish out of the lines that it means; raises Rejected where less is left of them."""
    rest = wish.quantity
    ordered = sum((keep.get(line["id"], _pieces(line)) for line in lines), ZERO)
    if not lines or ordered - moved.left[lines[0]["product_id"][0]] < rest:
        raise _shipped()
    for line in lines:
        has = keep.get(line["id"], _pieces(line))
        taken = min(rest, max(ZERO, has - _delivered(line)))
        keep[line["id"]] = has - taken
        rest -= taken
    if rest:
        raise _shipped()


def _pieces(line: Row) -> Decimal:
    return fields.quantity(line, "product_uom_qty")


def _delivered(line: Row) -> Decimal:
    return fields.quantity(line, "qty_delivered") if "qty_delivered" in line else ZERO


def _plain(line: Row) -> Row:
    return {name: line[name] for name in ("price_unit", "discount") if name in line}


def _shipped() -> Rejected:
    return Rejected(say("Goods of this sale are packed or have left the house."), code="already_shipped")


def _written(sale: Row, *, was_there: bool, unfinished: bool = False) -> Written:
    return Written(
        external_id=str(sale["id"]),
        number=fields.identifier(sale, "name"),
        vendor_status=fields.words(sale, "state"),
        was_there=was_there,
        unfinished=unfinished,
    )
