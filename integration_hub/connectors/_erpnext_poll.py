"""Reads from ERPNext which sales changed, with their notes and parcels.

A note that is submitted changes its sale; one that gets a tracking number, a draft, or a Shipment made for it does not.  So
after the sales come those whose notes changed, then those whose Shipments did.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from integration_hub.kernel import codec, fields
from integration_hub.kernel.errors import Misconfigured, unreadable
from integration_hub.kernel.messages import Listed

from ._erpnext_api import CANCELLED, ErpNextApi, Filters, Row
from ._erpnext_notes import Note, notes_of, pieces_of
from ._erpnext_reports import listed
from ._erpnext_writer import heads
from .base import Delivery, Page

PAGE = 80
SALE_TOPIC = "sale.polled"
_SALE = ["docstatus", "status", "modified", "grand_total", "currency", "amended_from", "per_delivered"]
_PARCEL = ["docstatus", "awb_number", "carrier", "tracking_url", "modified"]
_PHASES = ("sale", "note", "parcel")


class Poll:
    """Pages of one connection."""

    def __init__(self, api: ErpNextApi, config: Any) -> None:
        self._api = api
        self._config = config

    def sales(self, since: datetime | None, token: str | None) -> Page:
        """One page of a phase; the later ones only where there is a ``since``: without one the sales were all."""
        phase, _, last = (token or "sale:").partition(":")
        if phase not in _PHASES:
            raise unreadable("unknown token %(token)s", token=token)
        window = changed(self._api, since, last)
        names, more = getattr(self, f"_{phase}s")(window)
        following = _PHASES[_PHASES.index(phase) + 1 :] if since else ()
        end = f"{phase}:{more}" if more else f"{following[0]}:" if following else None
        return Page(self._deliveries(names), end)

    def standing_under(self, references: Sequence[str]) -> list[Listed]:
        """Every sale under these references, drafts and cancelled ones too."""
        own = self._config.reference_field
        rows = self._api.every("Sales Order", [own, *_SALE], [[own, "in", list(references)]]) if references else ()
        return [listed(row, own) for row in heads(list(rows))]

    def _sales(self, window: Filters) -> tuple[list[str], str]:
        ours = [[self._config.reference_field, "is", "set"], *window]
        rows = self._api.rows("Sales Order", [], ours, limit=PAGE)
        return [row["name"] for row in rows], _more(rows)

    def _notes(self, window: Filters) -> tuple[list[str], str]:
        rows = self._api.rows("Delivery Note", [], window, limit=PAGE)
        return self._sales_of([row["name"] for row in rows]), _more(rows)

    def _parcels(self, window: Filters) -> tuple[list[str], str]:
        try:
            rows = self._api.rows("Shipment", [], window, limit=PAGE)
        except Misconfigured as error:
            if error.code != "refused_rights":
                raise
            return [], ""  # the hub's user may not see parcels: then there are no tracking numbers of theirs
        names = [["parent", "in", [row["name"] for row in rows]]]
        links = self._api.every("Shipment Delivery Note", ["delivery_note"], names, "Shipment") if rows else ()
        return self._sales_of(sorted({row["delivery_note"] for row in links})), _more(rows)

    def _sales_of(self, notes: Sequence[str]) -> list[str]:
        if not notes:
            return []
        of = [["parent", "in", list(notes)], ["against_sales_order", "is", "set"]]
        lines = self._api.every("Delivery Note Item", ["against_sales_order"], of, "Delivery Note")
        return sorted({row["against_sales_order"] for row in lines})

    def _deliveries(self, names: Sequence[str]) -> list[Delivery]:
        """Ours among these sales, oldest change first; a cancelled one that was amended is told by its successor."""
        own = self._config.reference_field
        wanted = [["name", "in", list(names)], [own, "is", "set"]]
        changed = self._api.every("Sales Order", [own], wanted) if names else ()
        references = sorted({row[own] for row in changed})
        lines = self._api.every("Sales Order", [own, *_SALE], [[own, "in", references]]) if references else ()
        sales = [row for row in heads(list(lines)) if row["name"] in set(names)]
        sales.sort(key=lambda row: str(row["modified"]))
        found = [row["name"] for row in sales]
        items, notes = self._items(found), notes_of(self._api, found, "status", "lr_no", "transporter_name")
        parcels = self._parcels_of([note.name for all_ in notes.values() for note in all_])
        bodies: list[Row] = [
            {
                "sale": {**_plain(row, "docstatus", "status", "grand_total", "currency"), **self._told(row, own)},
                "items": items.get(row["name"], []),
                "notes": [self._note(note, parcels.get(note.name)) for note in notes.get(row["name"], ())],
            }
            for row in sales
        ]
        return [Delivery(SALE_TOPIC, body["sale"]["name"], codec.canonical(body)) for body in bodies]

    def _told(self, row: Row, own: str) -> Row:
        return {"first": row["first"], "reference": row[own], "modified_at": self._api.moment(row["modified"])}

    def _items(self, sales: Sequence[str]) -> dict[str, list[Row]]:
        """By sale, the goods that were ordered."""
        found: dict[str, list[Row]] = {}
        at = [["parent", "in", list(sales)]]
        rows = self._api.every("Sales Order Item", ["parent", "item_code", "qty"], at, "Sales Order") if sales else ()
        for row in rows:
            if row["item_code"] not in self._config.services:
                found.setdefault(row["parent"], []).append({"sku": row["item_code"], "quantity": pieces_of(row)})
        return found

    def _parcels_of(self, notes: Sequence[str]) -> dict[str, Row]:
        """By note, the latest Shipment that has a number and was not cancelled."""
        if not notes:
            return {}
        try:
            links = list(
                self._api.every(
                    "Shipment Delivery Note",
                    ["parent", "delivery_note"],
                    [["delivery_note", "in", list(notes)]],
                    "Shipment",
                )
            )
            names = sorted({row["parent"] for row in links})
            rows = (
                {row["name"]: row for row in self._api.every("Shipment", _PARCEL, [["name", "in", names]])}
                if names
                else {}
            )
        except Misconfigured as error:
            if error.code != "refused_rights":
                raise
            return {}
        known = [(row["delivery_note"], rows[row["parent"]]) for row in links if row["parent"] in rows]
        live = [(note, row) for note, row in known if row["docstatus"] != CANCELLED and row["awb_number"]]
        return dict(sorted(live, key=lambda one: str(one[1]["modified"])))

    def _note(self, note: Note, parcel: Mapping[str, Any] | None) -> Row:
        row, sign = note.row, self._config.scrap_warehouse
        number = (parcel["awb_number"] if parcel else row["lr_no"]) or ""
        times = [self._api.moment(row["modified"])] + ([self._api.moment(parcel["modified"])] if parcel else [])
        return {
            **_plain(row, "docstatus", "status", "is_return"),
            "reference": row["po_no"],
            "posted_at": self._api.moment(f"{row['posting_date']} {row['posting_time'] or ''}".strip()),
            "modified_at": max(times),
            "carrier": (parcel["carrier"] if parcel else row["transporter_name"]) or "",
            "tracking_number": number,
            **({"waits": True} if self._config.await_tracking and not number else {}),
            "tracking_url": (parcel["tracking_url"] if parcel else "") or "",
            "lines": [
                {
                    "sku": line["item_code"],
                    "quantity": pieces_of(line),
                    "scrapped": bool(sign) and line["warehouse"] == sign,
                }
                for line in note.lines
                if line["item_code"] not in self._config.services
            ],
        }


def changed(api: ErpNextApi, since: datetime | None, last: str) -> list[list[Any]]:
    """What changed since then, after this name."""
    window: list[list[Any]] = [["name", ">", last]] if last else []
    return [*window, ["modified", ">=", api.since(since)]] if since is not None else window


def _more(rows: Sequence[Row]) -> str:
    return str(rows[-1]["name"]) if len(rows) == PAGE else ""


def _plain(row: Mapping[str, Any], *names: str) -> Row:
    return {"name": fields.identifier(row, "name"), **{name: row[name] for name in names}}
