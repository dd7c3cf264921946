"""Sales orders, delivery notes and shipments of the played ERPNext: what is checked, and what each step changes elsewhere."""

from __future__ import annotations

import json
from datetime import datetime
from decimal import Decimal
from typing import Any

from . import erpnext_stock as stock
from .erpnext_docs import ZONE, Docs, shown
from .erpnext_schema import CANCELLED, DRAFT, SUBMITTED, FrappeError, refuse
from .erpnext_totals import ZERO, number, reckon
from .store import Record


def order_checked(docs: Docs, doc: Record) -> None:
    """A sales order before it is kept."""
    if not doc["delivery_date"] and not any(row["delivery_date"] for row in doc["items"]):
        raise refuse("Please enter Delivery Date")
    doc["customer_name"] = docs.get("Customer", doc["customer"])["customer_name"]
    if docs.get("Customer", doc["customer"])["disabled"]:
        raise refuse(f"Customer {doc['customer']} is disabled")
    for row in doc["items"]:
        row["delivery_date"] = row["delivery_date"] or doc["delivery_date"]
        row["warehouse"] = row["warehouse"] or doc["set_warehouse"] or stock.MAIN
        if number(row["qty"]) <= 0:
            raise refuse(f"Row #{row['idx']}: Quantity for Item {row['item_code']} cannot be zero.")
    reckon(docs, doc)
    set_status(doc)


def order_submitted(docs: Docs, doc: Record) -> None:
    if docs.world.switch("erpnext_ship_after"):
        doc["due"] = int(docs.world.now().timestamp() + docs.world.switch("erpnext_ship_after"))
    docs.put("Sales Order", doc)
    stock.reserve(docs, doc)


def order_cancelled(docs: Docs, doc: Record) -> None:
    """Refused where something submitted hangs on it."""
    if docs.get("Sales Order", doc["name"])["status"] == "Closed":
        raise refuse("Closed order cannot be cancelled. Unclose to cancel.")
    for row in docs.all("Delivery Note Item"):
        if (
            row["against_sales_order"] == doc["name"]
            and docs.get("Delivery Note", row["parent"])["docstatus"] == SUBMITTED
        ):
            words = f"Cannot delete or cancel because Sales Order {doc['name']} is linked with Delivery Note {row['parent']}"
            raise refuse(words, "LinkExistsError")
    doc["due"] = 0
    docs.put("Sales Order", doc)
    stock.reserve(docs, doc)


def set_status(doc: Record) -> None:
    """The word of a sales order, by how much of it was delivered and billed."""
    wanted = sum((number(row["qty"]) for row in doc["items"]), ZERO)
    left = sum((min(number(row["qty"]), abs(number(row["delivered_qty"]))) for row in doc["items"]), ZERO)
    doc["per_delivered"] = float(round(left / wanted * 100, 6)) if wanted else 0.0
    if doc["docstatus"] == DRAFT:
        doc["status"] = "Draft"
    elif doc["docstatus"] == CANCELLED:
        doc["status"] = "Cancelled"
    elif doc["status"] not in ("Closed", "On Hold"):
        delivered, billed = doc["per_delivered"] >= 100, doc["per_billed"] >= 100
        words = {(False, False): "To Deliver and Bill", (True, False): "To Bill", (False, True): "To Deliver"}
        doc["status"] = words.get((delivered, billed), "Completed")


def update_status(docs: Docs, name: str, status: str) -> None:
    """Somebody closes an order, holds it, or (``Draft``) opens it again."""
    doc = docs.get("Sales Order", name)
    doc["status"] = status
    set_status(doc)
    docs.put("Sales Order", doc)
    stock.reserve(docs, doc)


def update_items(docs: Docs, given: Record) -> None:
    """``update_child_qty_rate``: quantities and rates of a submitted order; rows that are not named are deleted."""
    doc = docs.get("Sales Order", given["parent_doctype_name"])
    named = {row.get("docname"): row for row in json.loads(given["trans_items"])}
    if doc["docstatus"] != SUBMITTED or not named:
        raise refuse("Only a submitted order can be updated, and something of it has to stay.")
    kept = []
    for row in doc["items"]:
        wish = named.get(row["name"])
        if wish is None:
            if number(row["delivered_qty"]):
                raise refuse(
                    f"Row #{row['idx']}: Cannot delete item {row['item_code']} which has already been delivered"
                )
            continue
        if number(wish["qty"]) < number(row["delivered_qty"]):
            raise refuse("Cannot set quantity less than delivered quantity")
        kept.append({**row, "qty": wish["qty"], "rate": wish["rate"]})
    before = {**doc, "items": list(doc["items"])}
    doc["items"] = kept
    order_checked(docs, doc)
    docs.put("Sales Order", doc)
    stock.reserve(docs, before)


def make_note(docs: Docs, source: str) -> Record:
    """``make_delivery_note``: what is still to be delivered of an order, not kept yet."""
    sale = docs.get("Sales Order", source)
    if sale["docstatus"] != SUBMITTED:
        raise refuse(f"Cannot map because following condition fails: docstatus=1 ({source})")
    items = []
    for row in shown(sale)["items"]:
        open_ = number(row["qty"]) - number(row["delivered_qty"])
        if open_ > 0:
            own = {"against_sales_order": source, "so_detail": row["name"], "qty": float(open_)}
            items.append({**_unnamed(row, "Delivery Note Item"), **own})
    return _mapped(sale, items, po_no=sale["po_no"])


def make_return(docs: Docs, source: str) -> Record:
    """``make_sales_return``: all of a note with its signs turned, not kept yet."""
    note = docs.get("Delivery Note", source)
    if note["docstatus"] != SUBMITTED or note["is_return"]:
        raise refuse(f"Cannot map because following condition fails: docstatus=1 ({source})")
    items = []
    for row in shown(note)["items"]:
        back = {"dn_detail": row["name"], "qty": -row["qty"], "stock_qty": -row["qty"]}
        items.append({**_unnamed(row, "Delivery Note Item"), **back})
    return _mapped(note, items, po_no=note["po_no"], is_return=1, return_against=source)


def _mapped(source: Record, items: list[Record], **more: Any) -> Record:
    names = ("customer", "customer_name", "company", "currency", "customer_address", "shipping_address_name")
    taxes = [_unnamed(row, "Sales Taxes and Charges") for row in shown(source)["taxes"]]
    head = {"doctype": "Delivery Note", "docstatus": 0, "__islocal": 1, **{name: source[name] for name in names}}
    return {**head, **more, "items": items, "taxes": taxes}


def _unnamed(row: Record, doctype: str) -> Record:
    gone = ("name", "parent", "parenttype", "creation", "modified", "delivered_qty", "returned_qty")
    return {name: value for name, value in row.items() if name not in gone} | {"doctype": doctype}


def note_checked(docs: Docs, doc: Record) -> None:
    """A delivery note before it is kept: against open orders, not more than ordered, returns not more than sent."""
    now = datetime.now(ZONE)
    doc["posting_date"] = doc["posting_date"] or now.date().isoformat()
    doc["posting_time"] = doc["posting_time"] or f"{now.hour}:{now.minute:02}:{now.second:02}.{now.microsecond:06}"
    doc["customer_name"] = docs.get("Customer", doc["customer"])["customer_name"]
    for row in doc["items"]:
        row["warehouse"] = row["warehouse"] or stock.MAIN
        if row["against_sales_order"]:
            sale = docs.get("Sales Order", row["against_sales_order"])
            if sale["status"] in ("Closed", "On Hold"):
                raise refuse(f"Sales Order {sale['name']} is {sale['status']}", "InvalidStatusError")
        if (number(row["qty"]) > 0) == bool(doc["is_return"]):
            sign = "negative" if doc["is_return"] else "positive"
            raise refuse(f"For an item {row['item_code']}, quantity must be {sign} number")
        allowed = docs.get("Selling Settings", "Selling Settings")["allow_negative_rates_for_items"]
        if number(row["rate"]) < 0 and not allowed:
            words = "rate must be a positive number. To Allow negative rates, enable Allow Negative rates for Items in Selling Settings"
            raise refuse(f"For item {row['item_code']}, {words}")
    if doc["is_return"]:
        _return_checked(docs, doc)
    reckon(docs, doc)
    doc["status"] = {DRAFT: "Draft", CANCELLED: "Cancelled"}.get(
        doc["docstatus"], "Return" if doc["is_return"] else "To Bill"
    )


def _return_checked(docs: Docs, doc: Record) -> None:
    if not doc["return_against"]:
        raise refuse("Return Against is mandatory for Return")
    source = docs.get("Delivery Note", doc["return_against"])
    if source["docstatus"] != SUBMITTED or source["customer"] != doc["customer"]:
        raise refuse(f"Invalid Return Against: {doc['return_against']}")
    sent: dict[str, Decimal] = {}
    for row in source["items"]:
        sent[row["item_code"]] = sent.get(row["item_code"], ZERO) + number(row["qty"])
    back = [
        row
        for note in docs.all("Delivery Note")
        if note["is_return"] and note["docstatus"] == SUBMITTED and note["return_against"] == source["name"]
        for row in note["items"]
    ]
    for row in doc["items"]:
        code = row["item_code"]
        if code not in sent:
            raise refuse(f"Row # {row['idx']}: Returned Item {code} does not exist in Delivery Note {source['name']}")
        sent[code] += number(row["qty"])
        if sent[code] + sum((number(one["qty"]) for one in back if one["item_code"] == code), ZERO) < 0:
            words = f"Row # {row['idx']}: Cannot return more than {abs(number(row['qty']))} for Item {code}"
            raise refuse(words, "StockOverReturnError")


def note_moved(docs: Docs, doc: Record) -> None:
    """A note was submitted or cancelled: stock, the order's counts, its status and what is promised follow."""
    docs.put("Delivery Note", doc)
    sign = -1 if doc["docstatus"] == SUBMITTED else 1
    for row in doc["items"]:
        stock.move(docs, row["item_code"], row["warehouse"], sign * number(row["qty"]))
    for name in sorted({row["against_sales_order"] for row in doc["items"] if row["against_sales_order"]}):
        sale = docs.get("Sales Order", name)
        for row in sale["items"]:
            row["delivered_qty"], row["returned_qty"] = map(float, _counted(docs, row["name"]))
            if number(row["delivered_qty"]) > number(row["qty"]):
                words = f"This document is over limit by Qty for item {row['item_code']}."
                raise refuse(words, "OverAllowanceError")
        set_status(sale)
        docs.put("Sales Order", sale)
        stock.reserve(docs, sale)


def _counted(docs: Docs, row: str) -> tuple[Decimal, Decimal]:
    """As ERPNext counts a row of an order: delivered is what left less what came back, and what came back."""
    rows = [one for one in docs.all("Delivery Note Item") if one["so_detail"] == row and one["docstatus"] == SUBMITTED]
    moved = [number(one["qty"]) for one in rows]
    return sum(moved, ZERO), -sum((pieces for pieces in moved if pieces < 0), ZERO)


def shipment_checked(docs: Docs, doc: Record) -> None:
    """A parcel of a carrier for notes that were submitted."""
    for row in doc["shipment_delivery_note"]:
        if docs.get("Delivery Note", row["delivery_note"])["docstatus"] != SUBMITTED:
            raise FrappeError("ValidationError", f"Delivery Note {row['delivery_note']} is not submitted")
    doc["status"] = ("Draft", "Submitted", "Cancelled")[doc["docstatus"]]
