"""Bring a return into Odoo: a transfer from the customer back to the warehouse, its origin our reference.

It is made in one call with all its moves, as Odoo's own wizard would make it (``stock.return.picking``, odoo/odoo
``addons/stock/wizard/stock_picking_return.py``): the wizard takes several calls and knows no reference, so a lost answer
could not be told from a return that was never made.  ``to_refund`` lets the sale know what came back, as the wizard does.
What is not to be sold again is booked in and scrapped at once (``stock.scrap`` with the same origin).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from integration_hub.kernel import fields
from integration_hub.kernel.aftersales import WriteReturn
from integration_hub.kernel.errors import Misconfigured, Rejected
from integration_hub.kernel.messages import Written
from integration_hub.kernel.text import say

from ._odoo_cancel import (
    NOT_COMING,
    ZERO,
    codes_of,
    fields_of_pickings,
    gone,
    means,
    moves_of,
    quantity_field,
    the_sale,
)
from ._odoo_rpc import OdooRpc, Row

_PICKING = ["name", "state", "location_dest_id"]
_SENT = ["picking_type_id", "partner_id", "location_id", "location_dest_id"]
_MOVE = ["product_uom", "location_id", "location_dest_id"]
_MORE = ["sale_line_id", "to_refund", "name", "group_id"]  # where this version and its modules have them
_UNTOUCHED = ("confirmed", "waiting")


@dataclass
class Returner:
    """Writes one return."""

    rpc: OdooRpc
    command: WriteReturn

    def find(self) -> Written | None:
        """The return, unfinished where it is not as far as it shall be."""
        found = self._return()
        return self._written(found, was_there=True, unfinished=not self._through(found)) if found else None

    def write(self) -> Written:
        """The return, announced or booked in.  Raises Rejected for what has not left or is back already."""
        found = self._return()
        was_there = found is not None
        if found is None:
            self.rpc.create("stock.picking", self._values())
            found = self._again()
        if found["state"] == "cancel":
            raise Rejected(say("The return was cancelled in Odoo."), code="return_cancelled")
        if found["state"] == "draft":
            found = self._press(found, "action_confirm")
        if found["state"] in _UNTOUCHED:
            found = self._press(found, "action_assign")
        if self.command.received and found["state"] != "done":
            found = self._booked_in(found)
        if self.command.received:
            self._scrap(found)
        return self._written(found, was_there=was_there)

    def _return(self) -> Row | None:
        domain = [["origin", "=", self.command.reference]]
        rows = self.rpc.rows("stock.picking", "search_read", domain=domain, names=_PICKING, order="id", limit=1)
        return rows[0] if rows else None

    def _again(self) -> Row:
        found = self._return()
        if found is None:
            raise Rejected(say("The return is gone from Odoo."), code="return_gone")
        return found

    def _press(self, picking: Row, button: str) -> Row:
        self.rpc.call("stock.picking", button, ids=[picking["id"]])
        return self._again()

    def _through(self, found: Row) -> bool:
        if not self.command.received:
            return bool(found["state"] != "draft")
        return bool(found["state"] == "done") and all(
            row["state"] == "done" for row in self._scraps_due(found).values()
        )

    def _values(self) -> Row:
        """A transfer with all its moves; everything that can be refused is looked up before the first write."""
        sale = the_sale(self.rpc, self.command.sale_reference)
        if sale is None:
            raise gone()
        known = fields_of_pickings(self.rpc)
        if "sale_id" not in known:
            words = say("Odoo's Inventory app is not there: nothing can be taken back.")
            raise Misconfigured(words, code="no_inventory")
        links = sorted(known & {"group_id"})
        domain = [["sale_id", "=", sale["id"]], ["state", "=", "done"], ["picking_type_code", "=", "outgoing"]]
        pickings = self.rpc.rows(
            "stock.picking", "search_read", domain=[*domain, NOT_COMING], names=[*_SENT, *links], order="id"
        )
        moves = self._sent(pickings)
        taken = list(self._taken(moves))
        first = next(row for row in pickings if row["id"] == taken[0][0]["picking_id"][0])
        kind, place = self._kind(first)
        values = {
            "picking_type_id": kind,
            "partner_id": first["partner_id"][0] if first["partner_id"] else False,
            "location_id": first["location_dest_id"][0],
            "location_dest_id": place,
            "origin": self.command.reference,
            "note": self.command.reason,
            "move_ids": [[0, 0, self._move(move, pieces, place)] for move, pieces in taken],
            **{name: first[name][0] for name in links if first[name]},
        }
        return values | ({"return_id": first["id"]} if "return_id" in known else {})

    def _sent(self, pickings: list[Row]) -> list[Row]:
        """What has left, each move with how much of it is not back or on its way back."""
        more = sorted(self.rpc.known("stock.move", _MORE))
        moves = moves_of(self.rpc, [row["id"] for row in pickings], *_MOVE, *more)
        ids = [row["id"] for row in moves]
        if not ids:
            return []
        name = quantity_field(self.rpc)
        domain = [["origin_returned_move_id", "in", ids], ["state", "!=", "cancel"]]
        names = ["origin_returned_move_id", "state", "product_uom_qty", name]
        back: defaultdict[int, Decimal] = defaultdict(Decimal)
        for row in self.rpc.rows("stock.move", "search_read", domain=domain, names=names, order="id"):
            pieces = fields.quantity(row, name if row["state"] == "done" else "product_uom_qty")
            back[row["origin_returned_move_id"][0]] += pieces
        return [{**row, "free": row["moved"] - back[row["id"]]} for row in moves if row["state"] == "done"]

    def _taken(self, moves: list[Row]) -> Iterator[tuple[Row, Decimal]]:
        """Which moves the goods come back from, and how much from each."""
        codes = codes_of(self.rpc, [row["product_id"][0] for row in moves])
        for wish in self.command.lines:
            meant = [row for row in moves if means(wish, row["product_id"][0], codes)]
            free = sum((row["free"] for row in meant), ZERO)
            if free < wish.quantity:
                words = say("By Odoo's books %(pieces)s of %(sku)s are with the customer.", sku=wish.sku, pieces=free)
                raise Rejected(words, code="more_than_sold")
            rest = wish.quantity
            for row in meant:
                pieces = min(rest, row["free"])
                if pieces > 0:
                    row["free"] -= pieces
                    rest -= pieces
                    yield row, pieces

    def _kind(self, picking: Row) -> tuple[int, int]:
        """Operation type and place of a return: as the type of the delivery says, else where the goods came from."""
        names = ["return_picking_type_id", "default_location_dest_id"]
        own = self._read("stock.picking.type", picking["picking_type_id"][0], names)
        if not own["return_picking_type_id"]:
            return own["id"], picking["location_id"][0]
        kind = self._read("stock.picking.type", own["return_picking_type_id"][0], names)
        place = kind["default_location_dest_id"] or picking["location_id"]
        return kind["id"], place[0]

    def _read(self, model: str, number: int, names: list[str]) -> Row:
        rows = self.rpc.rows(model, "read", ids=[number], names=names)
        if not rows:
            raise Misconfigured(say("The operation type of the delivery is gone from Odoo."), code="no_operation_type")
        return rows[0]

    def _move(self, sent: Row, pieces: Decimal, place: int) -> Row:
        values = {
            "product_id": sent["product_id"][0],
            "product_uom_qty": pieces,
            "product_uom": sent["product_uom"][0],
            "location_id": sent["location_dest_id"][0],
            "location_dest_id": place,
            "origin_returned_move_id": sent["id"],
            "procure_method": "make_to_stock",
        }
        links = {name: sent[name][0] for name in ("sale_line_id", "group_id") if sent.get(name)}
        named = {"name": sent["name"] or sent["product_id"][1]} if "name" in sent else {}
        return {**values, **links, **named, **({"to_refund": True} if "to_refund" in sent else {})}

    def _booked_in(self, found: Row) -> Row:
        """All of it is here; Odoo's questions about the rest do not come up."""
        name = quantity_field(self.rpc)
        picked = {"picked": True} if self.rpc.known("stock.move", ["picked"]) else {}
        moves = moves_of(self.rpc, [found["id"]])
        changes = [[1, row["id"], {name: row["product_uom_qty"], **picked}] for row in moves]
        self.rpc.call("stock.picking", "write", ids=[found["id"]], vals={"move_ids": changes})
        found = self._press(found, "button_validate")
        if found["state"] != "done":
            words = say(
                "Odoo wants something first before it takes in %(number)s; finish it there.", number=found["name"]
            )
            raise Rejected(words, code="not_validated")
        return found

    def _scraps_due(self, found: Row) -> dict[int, Row]:
        """By product that is not to be sold again, how many, and where its scrap stands."""
        wishes = [wish for wish in self.command.lines if not wish.restock]
        if not wishes:
            return {}
        moves = moves_of(self.rpc, [found["id"]], "product_uom")
        codes = codes_of(self.rpc, [row["product_id"][0] for row in moves])
        due: dict[int, Row] = {}
        for wish in wishes:
            for row in [row for row in moves if means(wish, row["product_id"][0], codes)][:1]:
                one = due.setdefault(row["product_id"][0], {"uom": row["product_uom"][0], "pieces": ZERO, "state": ""})
                one["pieces"] += wish.quantity
        domain = [["origin", "=", self.command.reference]]
        for row in self.rpc.rows(
            "stock.scrap", "search_read", domain=domain, names=["product_id", "state"], order="id"
        ):
            if row["product_id"][0] in due:
                due[row["product_id"][0]] |= {"id": row["id"], "state": row["state"]}
        return due

    def _scrap(self, found: Row) -> None:
        for product, one in self._scraps_due(found).items():
            if one["state"] == "done":
                continue
            number = one["id"] if one["state"] else self._new_scrap(found, product, one)
            self.rpc.call("stock.scrap", "action_validate", ids=[number])
        if not self._through(found):
            words = say("Odoo did not write off what came back with %(number)s; do it there.", number=found["name"])
            raise Rejected(words, code="not_scrapped")

    def _new_scrap(self, found: Row, product: int, one: Row) -> int:
        values = {
            "product_id": product,
            "scrap_qty": one["pieces"],
            "product_uom_id": one["uom"],
            "location_id": found["location_dest_id"][0],
            "picking_id": found["id"],
            "origin": self.command.reference,
        }
        return self.rpc.create("stock.scrap", values)

    def _written(self, found: Row, *, was_there: bool, unfinished: bool = False) -> Written:
        return Written(
            external_id=str(found["id"]),
            number=fields.identifier(found, "name"),
            vendor_status=fields.words(found, "state"),
            was_there=was_there,
            unfinished=unfinished,
        )
