"""What lies where in the played ERPNext: Bins, which are made with the first movement and kept; and a hand that counts."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from .erpnext_docs import Docs
from .erpnext_schema import SUBMITTED, refuse
from .erpnext_totals import ZERO, number
from .store import Record

MAIN, SHOP, REJECTED = "Hauptlager - ST", "Laden - ST", "Ausschuss - ST"
OPENING = ((MAIN, 1000), (SHOP, 10))


def kept(docs: Docs, code: str) -> bool:
    """Whether stock is kept of it."""
    return bool(docs.get("Item", code)["is_stock_item"])


def apart(docs: Docs, code: str, pieces: Decimal) -> Iterator[tuple[str, Decimal]]:
    """A bundle's parts, or the item itself; nothing of what no stock is kept of."""
    if docs.there("Product Bundle", code):
        for part in docs.get("Product Bundle", code)["items"]:
            yield from apart(docs, part["item_code"], pieces * number(part["qty"]))
    elif kept(docs, code):
        yield code, pieces


def bin_of(docs: Docs, code: str, warehouse: str) -> Record:
    """The Bin of an item at a warehouse."""
    for row in docs.all("Bin"):
        if (row["item_code"], row["warehouse"]) == (code, warehouse):
            return dict(row)
    return docs.put("Bin", docs.new("Bin", {"item_code": code, "warehouse": warehouse}))


def move(docs: Docs, code: str, warehouse: str, pieces: Decimal) -> None:
    """So many more lie there (fewer for a negative number); never less than nothing."""
    for part, number_ in apart(docs, code, pieces):
        row = bin_of(docs, part, warehouse)
        there = number(row["actual_qty"]) + number_
        if there < 0:
            words = f"{-there} units of Item {part} needed in Warehouse {warehouse} to complete this transaction."
            raise refuse(words, "NegativeStockError")
        row["actual_qty"] = float(there)
        docs.put("Bin", row)


def reserve(docs: Docs, sale: Record) -> None:
    """Reckon anew what is promised of the items of a sale, where they are to leave from."""
    keys = {
        (part, row["warehouse"])
        for row in sale["items"]
        if row["warehouse"]
        for part, _ in apart(docs, row["item_code"], Decimal(1))
    }
    for code, warehouse in sorted(keys):
        row = bin_of(docs, code, warehouse)
        row["reserved_qty"] = float(promised(docs, code, warehouse))
        docs.put("Bin", row)


def promised(docs: Docs, code: str, warehouse: str) -> Decimal:
    """What submitted orders wait for; what came back of them counts again unless the settings say otherwise."""
    found, settings = ZERO, docs.get("Selling Settings", "Selling Settings")
    spared = "returned_qty" if settings["dont_reserve_sales_order_qty_on_sales_return"] else ""
    for sale in docs.all("Sales Order"):
        if sale["docstatus"] != SUBMITTED or sale["status"] in ("Closed", "On Hold"):
            continue
        for row in sale["items"]:
            if row["warehouse"] == warehouse:
                open_ = max(ZERO, number(row["qty"]) - number(row["delivered_qty"]) - number(row.get(spared)))
                found += sum((pieces for part, pieces in apart(docs, row["item_code"], open_) if part == code), ZERO)
    return found


def count(docs: Docs, code: str, pieces: int, warehouse: str = MAIN) -> Record:
    """A colleague has counted (a Stock Reconciliation).  KeyError for what is not known or not kept."""
    if not docs.there("Item", code) or not kept(docs, code) or not docs.there("Warehouse", warehouse):
        raise KeyError(code)
    row = bin_of(docs, code, warehouse)
    row["actual_qty"] = float(pieces)
    docs.put("Bin", row)
    return levels(docs)


def levels(docs: Docs) -> Record:
    """By item and warehouse, how many lie there and are promised."""
    found: Record = {}
    for row in docs.all("Bin"):
        told = {"quantity": row["actual_qty"], "reserved": row["reserved_qty"]}
        found.setdefault(row["item_code"], {})[row["warehouse"]] = told
    return found


def fill(docs: Docs) -> None:
    """The opening stock of every article, instead of what is there."""
    docs.world.store.clear("erpnext.Bin")
    for item in docs.all("Item"):
        if item["is_stock_item"] and not item["has_variants"]:
            for warehouse, pieces in OPENING:
                move(docs, item["name"], warehouse, Decimal(pieces))
