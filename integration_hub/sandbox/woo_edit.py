"""Staff change an order in the played WooCommerce: the sums follow to the cent."""

from __future__ import annotations

import copy
from decimal import Decimal

from .store import Record

_TWICE = ("subtotal", "subtotal_tax", "total", "total_tax")


def doubled(order: Record) -> Record:
    """The changes that make twice as many of the first line."""
    lines = copy.deepcopy(order["line_items"])
    line = lines[0]
    tax = Decimal(line["total_tax"])
    net = Decimal(line["total"])
    saved, saved_tax = Decimal(line["subtotal"]) - net, Decimal(line["subtotal_tax"]) - tax
    line["quantity"] *= 2
    for name in _TWICE:
        line[name] = _twice(line[name])
    for part in line["taxes"]:
        part.update({name: _twice(part[name]) for name in ("total", "subtotal") if part[name]})
    rate = line["taxes"][0]["id"] if line["taxes"] else None
    more = {
        "total": net + tax,
        "total_tax": tax,
        "cart_tax": tax,
        "discount_total": saved,
        "discount_tax": saved_tax,
    }
    return {
        "line_items": lines,
        "tax_lines": [_more(row, "tax_total", tax) if row["rate_id"] == rate else row for row in order["tax_lines"]],
        "coupon_lines": [
            _more(_more(row, "discount", saved), "discount_tax", saved_tax) for row in order["coupon_lines"]
        ],
        **{name: str(Decimal(order[name]) + amount) for name, amount in more.items()},
    }


def _twice(amount: str) -> str:
    return str(2 * Decimal(amount))


def _more(row: Record, name: str, amount: Decimal) -> Record:
    return {**row, name: str(Decimal(row[name]) + amount)}
