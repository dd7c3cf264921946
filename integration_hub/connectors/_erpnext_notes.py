"""What left for sales of ERPNext and what came back: Delivery Notes, those with ``is_return`` from the customer.

ERPNext subtracts returns from ``delivered_qty`` and then calls the order open again (``stock/doctype/delivery_note``), so
what has left is counted from the notes themselves.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from integration_hub.kernel import fields
from integration_hub.kernel.aftersales import GoodsLine
from integration_hub.kernel.errors import Rejected
from integration_hub.kernel.text import say

from ._erpnext_api import CANCELLED, SUBMITTED, ErpNextApi, Row

NOTE = ["docstatus", "is_return", "return_against", "po_no", "posting_date", "posting_time", "modified"]
_LINE = ["parent", "idx", "item_code", "qty", "warehouse", "so_detail", "dn_detail", "against_sales_order"]
ZERO = Decimal(0)


@dataclass(frozen=True)
class Note:
    """A Delivery Note with those of its rows that belong to one sale."""

    row: Mapping[str, Any]
    lines: tuple[Row, ...]

    @property
    def name(self) -> str:
        return str(self.row["name"])

    @property
    def is_return(self) -> bool:
        return bool(self.row["is_return"])

    @property
    def is_live(self) -> bool:
        return bool(self.row["docstatus"] != CANCELLED)

    @property
    def has_left(self) -> bool:
        return not self.is_return and self.row["docstatus"] == SUBMITTED


def notes_of(api: ErpNextApi, sales: Sequence[str], *more: str) -> dict[str, list[Note]]:
    """By sale, its notes in order of their names, cancelled ones too."""
    found: defaultdict[str, list[Note]] = defaultdict(list)
    if not sales:
        return found
    lines: defaultdict[tuple[str, str], list[Row]] = defaultdict(list)
    against = [["against_sales_order", "in", list(sales)]]
    for row in api.every("Delivery Note Item", _LINE, against, "Delivery Note"):
        lines[row["against_sales_order"], row["parent"]].append(row)
    heads = heads_of(api, sorted({note for _, note in lines}), *more)
    for sale, note in sorted(lines):
        if note in heads:
            rows = sorted(lines[sale, note], key=lambda row: int(row["idx"]))
            found[sale].append(Note(heads[note], tuple(rows)))
    return found


def heads_of(api: ErpNextApi, names: Sequence[str], *more: str) -> dict[str, Row]:
    rows = api.every("Delivery Note", [*NOTE, *more], [["name", "in", list(names)]]) if names else ()
    return {row["name"]: row for row in rows}


def pieces_of(row: Mapping[str, Any], name: str = "qty") -> Decimal:
    """A quantity without its sign; ERPNext reckons in floats, so what is finer than a ten-thousandth is noise."""
    return abs(round(fields.amount(row, name, ZERO), 4))


def code_of(wish: GoodsLine) -> str:
    """The item that a line of goods means."""
    return wish.product_id or wish.sku


def gone() -> Rejected:
    return Rejected(say("The sale is gone from ERPNext."), code="sale_gone")


@dataclass
class Free:
    """A row of a note that has left, and how much of it is not back or on its way back."""

    note: str
    row: Row
    pieces: Decimal


def with_customer(notes: Sequence[Note]) -> Iterator[Free]:
    """What is with the customer, row by row."""
    back: defaultdict[str, Decimal] = defaultdict(Decimal)
    for note in notes:
        if note.is_return and note.is_live:
            for row in note.lines:
                back[row["dn_detail"]] += pieces_of(row)
    for note in notes:
        if note.has_left:
            for row in note.lines:
                yield Free(note.name, row, pieces_of(row) - back[row["name"]])
