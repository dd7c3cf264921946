"""Take a sale back in ERPNext, or part of it, as far as nothing of it is packed.

The whole: it is cancelled (``docstatus`` 2).  Part of it: "Update Items" of the form, ``update_child_qty_rate`` (frappe/erpnext
``controllers/accounts_controller.py``), with fewer pieces at the same rate; a row of which nothing stays is left out.  A comment
at the sale keeps what is to stay, so that a second try ends where the first one was going.
"""

from __future__ import annotations

import html
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from integration_hub.kernel import codec, fields
from integration_hub.kernel.aftersales import CancelSale, GoodsLine
from integration_hub.kernel.errors import Rejected
from integration_hub.kernel.messages import Written
from integration_hub.kernel.text import say

from ._erpnext_api import CANCELLED, DRAFT, SUBMITTED, ErpNextApi, Row
from ._erpnext_notes import ZERO, code_of, gone, notes_of, pieces_of
from ._erpnext_writer import first_of, the_sale, written

_UPDATE = "erpnext.controllers.accounts_controller.update_child_qty_rate"
_ROW = ["item_code", "qty", "rate", "uom", "conversion_factor", "delivery_date", "delivered_qty", "picked_qty", "idx"]
_KEPT = re.compile(r" ([0-9A-Za-z_-]+)=([0-9.]+)")


@dataclass
class Canceller:
    """Carries out one wish."""

    api: ErpNextApi
    config: Any
    command: CancelSale

    def find(self) -> Written | None:
        """The sale, if the wish was begun; unfinished where it does not stand as the wish wants it."""
        sale = the_sale(self.api, self.config, self.command.sale_reference)
        if sale is None:
            return None
        if sale["docstatus"] == CANCELLED:
            return written(self.config, sale, was_there=True)
        keep = self._kept(sale) if self.command.lines else None
        if keep is None:
            return None
        return written(self.config, sale, was_there=True, unfinished=not self._done(sale, keep))

    def carry_out(self) -> Written:
        """Bring the sale there.  Raises Rejected (``already_shipped``) for what is packed or has left."""
        sale = the_sale(self.api, self.config, self.command.sale_reference)
        if sale is None:
            raise gone()
        if sale["docstatus"] == CANCELLED:
            return written(self.config, sale, was_there=True)
        if not self.command.lines:
            return written(self.config, self._whole(sale), was_there=False)
        return self._lines(sale)

    def _whole(self, sale: Row) -> Row:
        if any(self._moved(sale, self._rows(sale)).values()):
            raise _shipped()
        first = first_of(sale)
        if sale["docstatus"] == DRAFT:  # a draft can only be deleted, and then nobody would know that it was there
            sale = self.api.update("Sales Order", sale, {"docstatus": SUBMITTED})
        return {**self.api.update("Sales Order", sale, {"docstatus": CANCELLED}), "first": first}

    def _lines(self, sale: Row) -> Written:
        keep = self._kept(sale)
        was_there = keep is not None
        if keep is None:
            keep = self._wanted(sale)
            self._remember(sale, keep)
        rows = self._rows(sale)
        if any(pieces_of(row) > keep.get(row["name"], pieces_of(row)) for row in rows):
            self._reduce(sale, rows, keep)
        after = the_sale(self.api, self.config, self.command.sale_reference)
        if after is None:
            raise gone()
        if not self._done(after, keep):
            words = say("ERPNext did not take the pieces out of the sale; it wants something first.")
            raise Rejected(words, code="not_cancelled")
        return written(self.config, after, was_there=was_there)

    def _reduce(self, sale: Row, rows: Sequence[Row], keep: Mapping[str, Decimal]) -> None:
        stay = [(row, min(pieces_of(row), keep.get(row["name"], pieces_of(row)))) for row in rows]
        left = [_line(row, pieces) for row, pieces in stay if pieces]
        if not left:
            self._whole(sale)
        elif sale["docstatus"] == DRAFT:
            whole = {row["name"]: row for row in self.api.read("Sales Order", sale["name"])["items"]}
            items = [{**whole[one["docname"]], "qty": one["qty"]} for one in left]
            self.api.update("Sales Order", sale, {"items": items})
        else:
            given = {"parent_doctype": "Sales Order", "parent_doctype_name": sale["name"], "child_docname": "items"}
            self.api.call(_UPDATE, writes=True, trans_items=codec.canonical(left).decode(), **given)

    def _rows(self, sale: Row) -> list[Row]:
        found = self.api.every("Sales Order Item", _ROW, [["parent", "=", sale["name"]]], "Sales Order")
        return sorted(found, key=lambda row: int(row["idx"]))

    def _moved(self, sale: Row, rows: Sequence[Row]) -> dict[str, Decimal]:
        """By row of the sale, how much is packed or has left: on notes, also drafts, picked, or by an invoice."""
        noted: defaultdict[str, Decimal] = defaultdict(Decimal)
        for note in notes_of(self.api, [sale["name"]])[sale["name"]]:
            if note.is_live and not note.is_return:
                for line in note.lines:
                    noted[line["so_detail"]] += pieces_of(line)
        done = {row["name"]: max(pieces_of(row, "delivered_qty"), pieces_of(row, "picked_qty")) for row in rows}
        return {name: max(pieces, noted[name]) for name, pieces in done.items()}

    def _wanted(self, sale: Row) -> dict[str, Decimal]:
        """By row of the sale, how many pieces it is to have afterwards."""
        rows = self._rows(sale)
        moved = self._moved(sale, rows)
        keep: dict[str, Decimal] = {}
        for wish in self.command.lines:
            _take(wish, [row for row in rows if row["item_code"] == code_of(wish)], keep, moved)
        return keep

    def _done(self, sale: Row, keep: Mapping[str, Decimal]) -> bool:
        """Whether no more than this is ordered."""
        if sale["docstatus"] == CANCELLED:
            return True
        return all(pieces_of(row) <= keep.get(row["name"], pieces_of(row)) for row in self._rows(sale))

    def _marker(self) -> str:
        return f"[{self.command.key}]"

    def _kept(self, sale: Row) -> dict[str, Decimal] | None:
        """What an earlier try wrote down; None for none."""
        at = [["reference_doctype", "=", "Sales Order"], ["reference_name", "=", sale["name"]]]
        own = re.compile(re.escape(self._marker()) + rf"((?:{_KEPT.pattern})+)")
        for row in self.api.every("Comment", ["content"], at):
            if found := own.search(html.unescape(str(row["content"]))):
                return {name: Decimal(number) for name, number in _KEPT.findall(found[1])}
        return None

    def _remember(self, sale: Row, keep: Mapping[str, Decimal]) -> None:
        kept = "".join(f" {name}={number:f}" for name, number in sorted(keep.items()))
        words = html.escape(f"{self._marker()}{kept} {self.command.reason}")
        at = {"reference_doctype": "Sales Order", "reference_name": sale["name"]}
        self.api.create("Comment", {"comment_type": "Comment", "content": words, **at})


def _take(wish: GoodsLine, rows: Sequence[Row], keep: dict[str, Decimal], moved: Mapping[str, Decimal]) -> None:
    """Take a wish out of the rows that it means; raises Rejected where less is left of them."""
    rest = wish.quantity
    for row in rows:
        has = keep.get(row["name"], pieces_of(row))
        taken = min(rest, max(ZERO, has - moved[row["name"]]))
        if taken:
            keep[row["name"]] = has - taken
        rest -= taken
    if rest:
        raise _shipped()


def _line(row: Row, pieces: Decimal) -> Row:
    """A row as the form "Update Items" sends it."""
    return {
        "docname": row["name"],
        "item_code": fields.words(row, "item_code"),
        "qty": pieces,
        "rate": fields.amount(row, "rate"),
        "uom": row["uom"],
        "conversion_factor": fields.amount(row, "conversion_factor"),
        "delivery_date": row["delivery_date"],
    }


def _shipped() -> Rejected:
    return Rejected(say("Goods of this sale are packed or have left the house."), code="already_shipped")
