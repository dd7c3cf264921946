"""How ERPNext reckons a document: amounts per row, taxes by item tax templates, and a grand total that keeps inclusive prices."""

from __future__ import annotations

import json
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from .erpnext_docs import Docs
from .erpnext_schema import refuse
from .store import Record

CENT = Decimal("0.01")
ZERO = Decimal(0)


def number(value: Any) -> Decimal:
    return Decimal(str(value or 0))


def cents(value: Decimal) -> Decimal:
    return value.quantize(CENT, ROUND_HALF_EVEN)


def reckon(docs: Docs, doc: Record) -> None:
    """Fill in all amounts of a sales order or delivery note."""
    if doc["currency"] in (None, ""):
        doc["currency"] = docs.get("Company", doc["company"])["default_currency"]
    if doc["currency"] not in ("EUR", "CHF"):
        raise refuse(
            f"Unable to find exchange rate for {doc['currency']} to EUR for key date. Please create a Currency Exchange record"
        )
    doc["conversion_rate"] = 1.0 if doc["currency"] == "EUR" else 0.95
    for row in doc["items"]:
        _row(docs, doc, row)
    nets = [_net(doc, row) for row in doc["items"]]
    if not doc["taxes"]:
        doc["taxes"] = docs.rows(doc, "taxes", _own_taxes(doc))
    total = sum((number(row["amount"]) for row in doc["items"]), ZERO)
    net_total = cents(sum(nets, ZERO))
    running = net_total
    for tax in doc["taxes"]:
        amount = cents(sum((_rate(tax, row) / 100 * net for row, net in zip(doc["items"], nets, strict=True)), ZERO))
        amount = number(tax["tax_amount"]) if tax["charge_type"] == "Actual" else amount
        running += amount
        tax.update(tax_amount=float(amount), total=float(running))
    outside = sum((number(tax["tax_amount"]) for tax in doc["taxes"] if not tax["included_in_print_rate"]), ZERO)
    inclusive = any(tax["included_in_print_rate"] for tax in doc["taxes"])
    difference = total + outside - running if inclusive else ZERO
    adjusted = difference if abs(difference) <= 5 * CENT else ZERO
    taxes = running - net_total
    doc |= {"total": float(total), "net_total": float(net_total), "total_taxes_and_charges": float(taxes)}
    doc |= {"rounding_adjustment": float(adjusted), "grand_total": float(running + adjusted)}
    doc["total_qty"] = float(sum((number(row["qty"]) for row in doc["items"]), ZERO))


def _row(docs: Docs, doc: Record, row: Record) -> None:
    item = docs.get("Item", row["item_code"])
    if item["disabled"]:
        raise refuse(f"Item {item['name']} is disabled")
    if item["has_variants"]:
        raise refuse(f"Item {item['name']} is a template, please select one of its variants")
    if number(row["qty"]) != number(row["qty"]).to_integral_value() and item["stock_uom"] == "Nos":
        raise refuse(f"Row {row['idx']}: Quantity ({row['qty']}) cannot be a fraction.", "UOMMustBeIntegerError")
    row["item_name"] = row["item_name"] or item["item_name"]
    row["uom"], row["stock_uom"] = row["uom"] or item["stock_uom"], item["stock_uom"]
    row["conversion_factor"] = row["conversion_factor"] or 1
    row["stock_qty"] = row["qty"]
    rate, listed = cents(number(row["rate"])), number(row["price_list_rate"])
    if listed and not rate:
        rate = cents(listed - number(row["discount_amount"]))
    row["rate"], row["discount_amount"] = float(rate), float(listed - rate) if listed else 0.0
    row["amount"] = float(cents(rate * number(row["qty"])))
    row["item_tax_rate"] = json.dumps(_map_of(docs, item, row))


def _map_of(docs: Docs, item: Record, row: Record) -> dict[str, float]:
    """The rates of the row's template; where the item has taxes of its own, only those are valid, and they are the default."""
    own = [tax["item_tax_template"] for tax in item["taxes"]]
    if own and row["item_tax_template"] not in own:
        row["item_tax_template"] = own[0]
    if not row["item_tax_template"]:
        return {}
    template = docs.get("Item Tax Template", row["item_tax_template"])
    return {tax["tax_type"]: tax["tax_rate"] for tax in template["taxes"]}


def _own_taxes(doc: Record) -> list[Record]:
    """Rows for the accounts of the items' templates, where a document comes without any (Accounts Settings, on by default)."""
    accounts = dict.fromkeys(account for row in doc["items"] for account in json.loads(row["item_tax_rate"]))
    return [{"charge_type": "On Net Total", "account_head": account, "rate": 0} for account in accounts]


def _rate(tax: Record, row: Record) -> Decimal:
    if tax["charge_type"] == "Actual":
        return ZERO
    if tax["charge_type"] != "On Net Total":
        raise refuse(f"{tax['charge_type']} is not played")
    return number(json.loads(row["item_tax_rate"]).get(tax["account_head"], tax["rate"]))


def _net(doc: Record, row: Record) -> Decimal:
    inside = sum((_rate(tax, row) / 100 for tax in doc["taxes"] if tax["included_in_print_rate"]), ZERO)
    net = cents(number(row["amount"]) / (1 + inside))
    row["net_amount"] = float(net)
    row["net_rate"] = float(cents(net / number(row["qty"]))) if row["qty"] else 0.0
    return net
