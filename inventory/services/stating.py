"""What a report states about an article, in the columns of the hub, and what no article can be."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from integration_hub.kernel.errors import Rejected
from integration_hub.kernel.goods import ProductReport
from integration_hub.kernel.money import is_currency
from integration_hub.kernel.text import say

from . import naming

LARGEST = Decimal(10) ** 13
HEAVIEST = Decimal(10) ** 7
_FOUR = Decimal("0.0001")


def bounded(report: ProductReport) -> None:
    """Refuse what no article can be, before a row is written."""
    if not report.external_id.strip() or len(report.external_id) > 120:
        raise Rejected(say("An article needs an id."), code="unreadable")
    if len(report.sku.strip()) > 80:
        raise Rejected(say("The article number is longer than %(most)s characters.", most=80), code="out_of_bounds")
    for number, most in ((report.price, LARGEST), (report.weight, HEAVIEST)):
        if number is not None and not (number.is_finite() and 0 <= number < most):
            raise Rejected(say("A price or weight cannot be: %(value)s", value=number), code="out_of_bounds")


def columns(report: ProductReport) -> dict[str, Any]:
    """What a report states, as columns of a listing; what it does not state is left out."""
    priced = report.price is not None and is_currency(report.currency)
    said: dict[str, Any] = {
        "sku": naming.normalised_sku(report.sku),
        "gtin": naming.normalised_gtin(report.gtin),
        "title": report.title.strip()[:250],
        "parent_id": report.product_id[:120],
        "stock_id": report.stock_id[:120],
        "product_title": report.product_title.strip()[:250],
        "options": [[axis[:80], value[:120]] for axis, value in report.options],
        "kind": report.kind.value if report.kind else "",
        "unit": report.unit.strip()[:20],
        "group": report.group.strip()[:120],
        "tax_class": report.tax_class.strip()[:80],
        "weight": _four(report.weight),
        "price": _four(report.price) if priced else None,
        "currency": report.currency if priced else "",
        "price_includes_tax": report.price_includes_tax if priced else None,
        "parts": [[part.product_id, part.sku, str(part.quantity)] for part in report.parts],
        "tracked": report.tracked,
    }
    kept = {name: value for name, value in said.items() if value not in ("", None, [])}
    return kept | {"active": report.active, "gone": False}


def _four(number: Decimal | None) -> Decimal | None:
    return None if number is None else number.quantize(_FOUR)
