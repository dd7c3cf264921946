"""What the played ERPNext does with a document that is made, changed, submitted, cancelled or deleted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from . import erpnext_money, erpnext_sales
from .erpnext_docs import Docs, clean
from .erpnext_schema import CANCELLED, SUBMITTED, refuse, the
from .store import Record

Rule = Callable[[Docs, Record], None]

CHECKS: Mapping[str, Rule] = {
    "Sales Order": erpnext_sales.order_checked,
    "Delivery Note": erpnext_sales.note_checked,
    "Shipment": erpnext_sales.shipment_checked,
    "Payment Entry": erpnext_money.checked,
}
SUBMITS: Mapping[str, Rule] = {
    "Sales Order": erpnext_sales.order_submitted,
    "Delivery Note": erpnext_sales.note_moved,
    "Payment Entry": erpnext_money.moved,
}
CANCELS: Mapping[str, Rule] = {
    "Sales Order": erpnext_sales.order_cancelled,
    "Delivery Note": erpnext_sales.note_moved,
    "Payment Entry": erpnext_money.moved,
}


def insert(docs: Docs, doctype: str, given: Mapping[str, Any]) -> Record:
    """A new draft; its tables are checked like itself."""
    doc = docs.new(doctype, given)
    if docs.there(doctype, doc["name"]):
        raise _duplicate(doctype, doc["name"])
    if doctype == "Comment":
        doc["content"] = clean(str(doc["content"] or ""))
    _checked(docs, doc)
    return docs.put(doctype, doc)


def update(docs: Docs, doctype: str, name: str, given: Mapping[str, Any]) -> Record:
    """Change a document; ``docstatus`` moves it.  Refused where ``modified`` is stated and is not the latest."""
    doc = docs.get(doctype, name)
    before, after = doc["docstatus"], int(given.get("docstatus", doc["docstatus"]))
    _may_move(doc, given.get("modified"), after)
    changes = {key: value for key, value in given.items() if key in the(doctype).fields or key in the(doctype).tables}
    if before == SUBMITTED:
        _allowed_after_submit(doc, changes)
    _take(docs, doc, changes, after)
    if before == after == SUBMITTED:
        return docs.put(doctype, doc)
    _checked(docs, doc)
    rule = (SUBMITS if after == SUBMITTED else CANCELS).get(doctype) if before != after else None
    if rule is None:
        return docs.put(doctype, doc)
    rule(docs, doc)
    return docs.get(doctype, name)


def _may_move(doc: Record, seen: Any, after: int) -> None:
    if seen not in (None, doc["modified"]):
        words = f"Document has been modified after you have opened it ({doc['modified']}, {seen}). Please refresh."
        raise refuse(f"Error: {words}", "TimestampMismatchError")
    moves = ((0, 0), (0, 1), (1, 1), (1, 2))
    if (doc["docstatus"], after) not in moves or (after and not the(doc["doctype"]).submittable):
        raise refuse(f"Cannot change docstatus from {doc['docstatus']} to {after}", "DocstatusTransitionError")


def _take(docs: Docs, doc: Record, changes: Mapping[str, Any], docstatus: int) -> None:
    """Put the changes into a document, and its state into its rows."""
    tables = the(doc["doctype"]).tables
    doc["docstatus"] = docstatus
    for key, value in changes.items():
        doc[key] = docs.rows(doc, key, value) if key in tables else value
    for key in tables:
        for row in doc[key]:
            row["docstatus"] = docstatus


def delete(docs: Docs, doctype: str, name: str) -> None:
    """Only what is not in force can be deleted."""
    doc = docs.get(doctype, name)
    if doc["docstatus"] == SUBMITTED:
        raise refuse(f"{doctype} {name}: Submitted Record cannot be deleted. You must Cancel it first.")
    docs.remove(doctype, doc)


def _checked(docs: Docs, doc: Record) -> None:
    docs.check(doc)
    if doc["doctype"] in CHECKS and doc["docstatus"] != CANCELLED:
        CHECKS[doc["doctype"]](docs, doc)
    elif doc["docstatus"] == CANCELLED:
        doc["status"] = "Cancelled"


def _allowed_after_submit(doc: Record, changes: Mapping[str, Any]) -> None:
    for key, value in changes.items():
        if key in the(doc["doctype"]).tables or (key not in the(doc["doctype"]).after_submit and doc[key] != value):
            raise refuse(f"Not allowed to change {key} after submission", "UpdateAfterSubmitError")


def _duplicate(doctype: str, name: str) -> Exception:
    error = refuse(f"{doctype} {name} already exists", "DuplicateEntryError")
    error.status = 409
    return error
