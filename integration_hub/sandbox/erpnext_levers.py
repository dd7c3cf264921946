"""Hands in the played ERPNext's warehouse and office: parcels leave, orders are cancelled, goods come back, shelves are counted."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from typing import Any

from . import erpnext_desk as desk
from . import erpnext_sales as sales
from . import erpnext_stock as stock
from .erpnext import ErpNext
from .erpnext_docs import Docs
from .erpnext_schema import CANCELLED, SUBMITTED
from .erpnext_totals import number
from .store import Record

LATEST = 5


class Levers:
    """What a colleague does there, for the control room and the clock."""

    def __init__(self, erp: ErpNext) -> None:
        self._docs: Docs = erp.docs
        self._world = erp.world

    def routes(self) -> list[tuple[str, str, Callable[..., Any]]]:
        return [
            ("POST", "/control/erpnext/ship", lambda given: self.ship(self.sale(given), bool(given.get("partial")))),
            ("POST", "/control/erpnext/cancel", lambda given: self._cancel(self.sale(given))),
            ("POST", "/control/erpnext/status", lambda given: self._status(self.sale(given), given["status"])),
            ("POST", "/control/erpnext/return", self._back),
            ("GET", "/control/erpnext/stock", lambda given: stock.levels(self._docs)),
            ("POST", "/control/erpnext/stock", self._count),
        ]

    def sale(self, given: Record) -> Record:
        """A sales order by its reference or its name."""
        wanted = str(given["order"])
        found = [row for row in self._docs.all("Sales Order") if wanted in (row["po_no"], row["name"])]
        if not found:
            raise KeyError(wanted)
        return min(found, key=lambda row: row["docstatus"] == CANCELLED)

    def state(self) -> Record:
        """What the control page shows."""
        orders, notes = self._docs.all("Sales Order"), self._docs.all("Delivery Note")
        held: Record = {}
        for row in orders:
            held.setdefault(str(row["po_no"]), []).append(row["name"])
        return {
            "sales": held,
            "doubles": {reference: names for reference, names in held.items() if len(names) > 1},
            "confirmed": sum(row["docstatus"] == SUBMITTED for row in orders),
            "customers": len(self._docs.all("Customer")),
            "parcels": sum(row["docstatus"] == SUBMITTED and not row["is_return"] for row in notes),
            "returns": sum(row["docstatus"] == SUBMITTED and bool(row["is_return"]) for row in notes),
        }

    def ship(self, sale: Record, partial: bool = False) -> Record:
        """A note for all that is open, or half of it, and the carrier's parcel for that."""
        docs = self._docs
        with docs.transaction():
            made = sales.make_note(docs, sale["name"])
            if partial:
                made["items"] = _half(made["items"])
            note = desk.insert(docs, "Delivery Note", made)
            desk.update(docs, "Delivery Note", note["name"], {"docstatus": SUBMITTED})
            parcel = f"0034043410{self._world.parcels.randrange(10**10):010d}"
            link = {"awb_number": parcel, "carrier": "DHL Paket", "tracking_url": f"https://tracking.example/{parcel}"}
            with_note = {"shipment_delivery_note": [{"delivery_note": note["name"]}]}
            shipment = desk.insert(docs, "Shipment", {**link, **with_note})
            desk.update(docs, "Shipment", shipment["name"], {"docstatus": SUBMITTED})
            return {"note": note["name"], "tracking": parcel}

    def ship_due(self) -> None:
        """Send what is due; every n-th sale leaves in two parcels."""
        every, now = self._world.switch("erpnext_partial_every"), self._world.now().timestamp()
        due = [row for row in self._docs.all("Sales Order") if row.get("due") and row["due"] <= now]
        for row in due:
            if row["status"] not in ("To Deliver and Bill", "To Deliver"):
                continue
            self.ship(row, partial=bool(every) and not row["per_delivered"] and row["id"] % every == 0)

    def _cancel(self, sale: Record) -> Record:
        with self._docs.transaction():
            return {"status": desk.update(self._docs, "Sales Order", sale["name"], {"docstatus": CANCELLED})["status"]}

    def _status(self, sale: Record, status: str) -> Record:
        with self._docs.transaction():
            sales.update_status(self._docs, sale["name"], status)
        return {"status": self._docs.get("Sales Order", sale["name"])["status"]}

    def _back(self, given: Record) -> Record:
        """Goods of the first note come back (``sku``, ``pieces``); ``draft``: they are expected; ``broken``: not to be sold again."""
        sale = self.sale(given)
        with self._docs.transaction():
            rows = [row for row in self._docs.all("Delivery Note Item") if row["against_sales_order"] == sale["name"]]
            sent = [row["parent"] for row in rows if number(row["qty"]) > 0]
            if not sent:
                raise KeyError(f"nothing of {sale['name']} has left")
            source = sent[0]
            made = sales.make_return(self._docs, source)
            if given.get("sku"):
                made["items"] = [row for row in made["items"] if row["item_code"] == given["sku"]]
                made["items"][0]["qty"] = -int(given.get("pieces") or 1)
            for row in made["items"] if given.get("broken") else ():
                row["warehouse"] = stock.REJECTED
            note = desk.insert(self._docs, "Delivery Note", made)
            if not given.get("draft"):
                desk.update(self._docs, "Delivery Note", note["name"], {"docstatus": SUBMITTED})
        return {"note": note["name"]}

    def _count(self, given: Record) -> Record:
        place = str(given.get("warehouse") or stock.MAIN)
        with self._docs.transaction():
            return stock.count(self._docs, given["sku"], int(given["quantity"]), place)

    def forget(self) -> None:
        """An empty office; numbers go on."""
        with self._world.lock:
            for doctype in (
                "Sales Order",
                "Delivery Note",
                "Shipment",
                "Payment Entry",
                "Customer",
                "Address",
                "Comment",
            ):
                self._world.store.clear(f"erpnext.{doctype}")
            stock.fill(self._docs)

    def page(self) -> str:
        """The latest sales with what may happen to them, and the shelves, as HTML."""
        orders = "".join(_order(row) for row in self._docs.all("Sales Order")[: -LATEST - 1 : -1])
        shelf = "".join(_shelf(row) for row in self._docs.all("Bin") if row["warehouse"] == stock.MAIN)
        return (
            f"<h3>ERPNext, latest sales orders</h3><table>{orders or '<tr><td>none yet</td></tr>'}</table>"
            f"<h3>ERPNext, {stock.MAIN}</h3><details><summary>Count by hand</summary><table>{shelf}</table></details>"
        )


def _half(rows: list[Record]) -> list[Record]:
    """Half of the pieces, at least one."""
    keep = max(1, int(sum(row["qty"] for row in rows)) // 2)
    found = []
    for row in rows:
        now = min(keep, int(row["qty"]))
        keep -= now
        if now:
            found.append({**row, "qty": now})
    return found


def _order(row: Record) -> str:
    name, first = escape(row["name"]), escape(row["items"][0]["item_code"])
    moves = (("ship", "Ship"), ("ship", "Ship half"), ("return", "A piece comes back"), ("cancel", "Cancel"))
    buttons = "".join(
        f'<form method="post" action="/control/erpnext/{where}"><input type="hidden" name="order" value="{name}">'
        + ('<input type="hidden" name="partial" value="1">' if "half" in text else "")
        + (f'<input type="hidden" name="sku" value="{first}">' if where == "return" else "")
        + f"<button>{text}</button></form>"
        for where, text in moves
    )
    return f"<tr><td>{name}</td><td>{escape(str(row['po_no']))}</td><td>{escape(row['status'])}</td><td>{buttons}</td></tr>"


def _shelf(row: Record) -> str:
    sku = escape(row["item_code"])
    entry = f'<input name="quantity" type="number" aria-label="{sku} in ERPNext" value="{row["actual_qty"]:g}">'
    hidden = f'<input type="hidden" name="sku" value="{sku}">'
    return f'<tr><td>{sku}</td><td><form method="post" action="/control/erpnext/stock">{hidden}{entry}<button>Count</button></form></td></tr>'
