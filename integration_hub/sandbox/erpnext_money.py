"""Payment entries of the played ERPNext."""

from __future__ import annotations

from .erpnext_docs import Docs
from .erpnext_schema import SUBMITTED, refuse
from .erpnext_totals import ZERO, number
from .store import Record


def checked(docs: Docs, doc: Record) -> None:
    """A payment before it is kept: its accounts, its references, and what it is set against."""
    if doc["payment_type"] not in ("Receive", "Pay", "Internal Transfer"):
        raise refuse(f"Payment Type must be one of Receive, Pay and Internal Transfer: {doc['payment_type']}")
    ends = [docs.get("Account", doc[name]) for name in ("paid_from", "paid_to")]
    doc["paid_from_account_currency"], doc["paid_to_account_currency"] = (one["account_currency"] for one in ends)
    if any(one["account_type"] == "Bank" for one in ends) and not (doc["reference_no"] and doc["reference_date"]):
        raise refuse("Reference No and Reference Date is mandatory for Bank transaction")
    own = ends[0] if doc["payment_type"] == "Receive" else ends[1]
    if doc["party"] and own["account_type"] != "Receivable":
        raise refuse("Party Account must be a receivable account")
    allocated = ZERO
    for row in doc["references"]:
        sale = docs.get("Sales Order", row["reference_name"])
        open_ = number(sale["grand_total"]) - number(sale["advance_paid"])
        if sale["docstatus"] != SUBMITTED or number(row["allocated_amount"]) > open_:
            raise refuse(f"Row #{row['idx']}: Allocated Amount cannot be greater than outstanding amount.")
        allocated += number(row["allocated_amount"])
    if allocated > number(doc["paid_amount"]):
        raise refuse("Total Allocated Amount cannot be greater than the paid amount.")
    doc["unallocated_amount"] = float(number(doc["paid_amount"]) - allocated)
    doc["status"] = ("Draft", "Submitted", "Cancelled")[doc["docstatus"]]


def moved(docs: Docs, doc: Record) -> None:
    """A payment was submitted or cancelled: the orders it is set against are paid by so much more or less."""
    docs.put("Payment Entry", doc)
    sign = 1 if doc["docstatus"] == SUBMITTED else -1
    for row in doc["references"]:
        sale = docs.get("Sales Order", row["reference_name"])
        sale["advance_paid"] = float(number(sale["advance_paid"]) + sign * number(row["allocated_amount"]))
        docs.put("Sales Order", sale)
