"""Bring a return into ERPNext: a Delivery Note with ``is_return`` for each note that the goods left on, its ``po_no`` our reference.

ERPNext makes the note (``make_sales_return`` of ``stock/doctype/delivery_note``), we leave in it what comes back.  Expected goods are
a draft, received ones are submitted.  What is not to be sold again goes to the warehouse of the settings for it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from integration_hub.kernel import fields
from integration_hub.kernel.aftersales import WriteReturn
from integration_hub.kernel.errors import Misconfigured, Rejected
from integration_hub.kernel.messages import Written
from integration_hub.kernel.text import say

from ._erpnext_api import DRAFT, SUBMITTED, ErpNextApi, Row
from ._erpnext_notes import Free, Note, code_of, gone, notes_of, pieces_of, with_customer
from ._erpnext_writer import the_sale

_MAKE = "erpnext.stock.doctype.delivery_note.delivery_note.make_sales_return"
_OWN = ("name", "posting_date", "posting_time", "set_posting_time", "__islocal", "__unsaved", "modified", "creation")
Pool = defaultdict[str, list[list[Any]]]  # by item, what comes back: pieces and whether it is sold again


@dataclass
class Returner:
    """Writes one return."""

    api: ErpNextApi
    config: Any
    command: WriteReturn

    def find(self) -> Written | None:
        """The return, unfinished where it is not as far as it shall be."""
        ours = self._ours(self._notes())
        if not ours:
            return None
        return self._written(ours, was_there=True, unfinished=not self._through(ours))

    def write(self) -> Written:
        """The return, announced or booked in.  Raises Rejected for what has not left or is back already."""
        notes = self._notes()
        if notes is None:
            raise gone()
        ours = self._ours(notes)
        if ours and not any(note.is_live for note in ours):
            raise Rejected(say("The return was cancelled in ERPNext."), code="return_cancelled")
        self._check_warehouse()
        for note, taken in self._planned(notes, ours).items():
            self._create(note, taken)
        found = self._ours(self._notes())
        if self.command.received:
            self._submit(found)
            found = self._ours(self._notes())
        return self._written(found, was_there=bool(ours))

    def _notes(self) -> list[Note] | None:
        """All notes of the sale; None where there is no such sale."""
        sale = the_sale(self.api, self.config, self.command.sale_reference)
        return notes_of(self.api, [sale["name"]], "status")[sale["name"]] if sale else None

    def _ours(self, notes: Sequence[Note] | None) -> list[Note]:
        return [note for note in notes or () if note.is_return and note.row["po_no"] == self.command.reference]

    def _through(self, ours: Sequence[Note]) -> bool:
        live = [note for note in ours if note.is_live]
        booked = all(note.row["docstatus"] == SUBMITTED for note in live)
        return bool(live) and not self._missing(live) and (booked or not self.command.received)

    def _missing(self, live: Sequence[Note]) -> dict[str, Decimal]:
        """By item, what of the wish stands on no note yet."""
        rest: defaultdict[str, Decimal] = defaultdict(Decimal)
        for wish in self.command.lines:
            rest[code_of(wish)] += wish.quantity
        for note in live:
            for row in note.lines:
                rest[row["item_code"]] -= pieces_of(row)
        return {code: pieces for code, pieces in rest.items() if pieces > 0}

    def _planned(self, notes: Sequence[Note], ours: Sequence[Note]) -> dict[str, dict[str, Decimal]]:
        """By note that the goods left on, how much of which of its rows comes back."""
        free = list(with_customer(notes))
        plan: defaultdict[str, dict[str, Decimal]] = defaultdict(dict)
        for code, pieces in self._missing([note for note in ours if note.is_live]).items():
            for one, number in _taken(code, pieces, free):
                plan[one.note][one.row["name"]] = number
        return plan

    def _check_warehouse(self) -> None:
        if not self.config.scrap_warehouse and not all(wish.restock for wish in self.command.lines):
            words = say("The settings name no warehouse for what is written off.")
            raise Misconfigured(words, code="no_scrap_warehouse")

    def _create(self, note: str, taken: dict[str, Decimal]) -> None:
        made = self.api.call(_MAKE, source_name=note)
        if not isinstance(made, dict) or not isinstance(made.get("items"), list):
            raise Rejected(say("ERPNext makes no return of %(note)s.", note=note), code="refused")
        pool = self._pool()
        rows = [row for row in made["items"] if row.get("dn_detail") in taken]
        items = [one for row in rows for one in self._split(row, taken[row["dn_detail"]], pool)]
        head = {name: value for name, value in made.items() if name not in _OWN}
        words = {"po_no": self.command.reference, "instructions": self.command.reason}
        self.api.create("Delivery Note", {**head, **words, "items": items})

    def _submit(self, ours: Sequence[Note]) -> None:
        """Book drafts in, with what has come back of them after all and where it goes."""
        pool = self._pool()
        for row in [row for note in ours if note.row["docstatus"] == SUBMITTED for row in note.lines]:
            list(self._split(row, pieces_of(row), pool, row["warehouse"] != self.config.scrap_warehouse))
        for note in [note for note in ours if note.row["docstatus"] == DRAFT]:
            seen = self.api.read("Delivery Note", note.name)
            items = [one for row in seen["items"] for one in self._split(row, pieces_of(row), pool)]
            same = [_meaning(row) for row in items] == [_meaning(row) for row in seen["items"]]
            changes = {} if same else {"items": items}
            self.api.update("Delivery Note", seen, {**changes, "docstatus": SUBMITTED})

    def _pool(self) -> Pool:
        pool: Pool = defaultdict(list)
        for wish in self.command.lines:
            pool[code_of(wish)].append([wish.quantity, wish.restock])
        return pool

    def _split(self, row: Row, pieces: Decimal, pool: Pool, restock: bool = True) -> Iterator[Row]:
        """A row of a return as one for what is sold again and one for what is not, each as far as the wish goes."""
        first = True
        for wish in sorted(pool[row["item_code"]], key=lambda wish: wish[1] != restock):
            number = min(pieces, wish[0])
            if number > 0:
                wish[0] -= number
                pieces -= number
                place = {} if wish[1] else {"warehouse": self.config.scrap_warehouse}
                own = row if first else {name: value for name, value in row.items() if name not in ("name", "idx")}
                first = False
                yield {**own, "qty": -number, **place}

    def _written(self, ours: Sequence[Note], *, was_there: bool, unfinished: bool = False) -> Written:
        live = [note for note in ours if note.is_live] or list(ours)
        return Written(
            external_id=live[0].name,
            number=", ".join(note.name for note in live)[: fields.MAX_ID],
            vendor_status=fields.words(live[0].row, "status"),
            was_there=was_there,
            unfinished=unfinished,
        )


def _taken(code: str, pieces: Decimal, free: Sequence[Free]) -> Iterator[tuple[Free, Decimal]]:
    meant = [one for one in free if one.row["item_code"] == code]
    there = sum((one.pieces for one in meant), Decimal(0))
    if there < pieces:
        words = say("By ERPNext's books %(pieces)s of %(sku)s are with the customer.", sku=code, pieces=there)
        raise Rejected(words, code="more_than_sold")
    for one in meant:
        number = min(pieces, one.pieces)
        if number > 0:
            one.pieces -= number
            pieces -= number
            yield one, number


def _meaning(row: Row) -> tuple[Any, Decimal, Any]:
    return row["item_code"], pieces_of(row), row["warehouse"]
