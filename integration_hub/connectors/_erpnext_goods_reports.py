"""What ERPNext says of goods, in our words: items, warehouses, levels."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from integration_hub.kernel import codec, fields
from integration_hub.kernel.errors import unreadable
from integration_hub.kernel.fields import Object
from integration_hub.kernel.goods import Level, LocationReport, ProductKind, ProductReport, ReportedPart, StockReport

from ._erpnext_reports import moment_of

KILOGRAMS = {
    **dict.fromkeys(("kg", "kilogram"), Decimal(1)),
    **dict.fromkeys(("g", "gram"), Decimal("0.001")),
    **dict.fromkeys(("lb", "pound"), Decimal("0.45359237")),
}
GTIN_LENGTHS = (8, 12, 13, 14)
MAX_LEVELS = 100_000


def product_report(body: Object) -> ProductReport:
    """The report of a polled item."""
    parts = tuple(map(_part, fields.children(body, "parts")))
    price = fields.child(body, "price")
    stocked = fields.flag(body, "is_stock_item")
    return ProductReport(
        external_id=fields.identifier(body, "name"),
        sku=fields.identifier(body, "name"),
        title=fields.words(body, "item_name"),
        gtin=_gtin(body),
        active=not fields.flag(body, "disabled"),
        updated_at=moment_of(body, "modified_at"),
        product_id=fields.identifier(body, "variant_of", required=False),
        product_title=fields.words(body, "variant_title"),
        options=tuple(
            (fields.words(row, "attribute"), fields.words(row, "attribute_value"))
            for row in fields.children(body, "attributes")
        ),
        kind=ProductKind.BUNDLE if parts else ProductKind.GOODS if stocked else ProductKind.SERVICE,
        unit=fields.words(body, "stock_uom"),
        group=fields.words(body, "item_group"),
        tax_class=" + ".join(fields.words(row, "item_tax_template") for row in fields.children(body, "taxes")),
        weight=_weight(body),
        price=fields.amount(price, "price_list_rate") if price else None,
        currency=fields.currency(price, "currency") if price else "",
        tracked=stocked,
        parts=parts,
    )


def _gtin(body: Object) -> str:
    """The first barcode that can be a GTIN."""
    codes = [fields.identifier(row, "barcode", required=False) for row in fields.children(body, "barcodes")]
    return next((code for code in codes if code.isascii() and code.isdigit() and len(code) in GTIN_LENGTHS), "")


def _weight(body: Object) -> Decimal | None:
    """In kg; ERPNext says 0 where nobody has weighed."""
    factor = KILOGRAMS.get(fields.words(body, "weight_uom").casefold())
    if factor is None or not body.get("weight_per_unit"):
        return None
    return _rounded(fields.amount(body, "weight_per_unit") * factor, "weight_per_unit")


def _part(row: Object) -> ReportedPart:
    code = fields.identifier(row, "item_code")
    return ReportedPart(quantity=_rounded(fields.amount(row, "qty"), "qty"), product_id=code, sku=code)


def _rounded(number: Decimal, name: str) -> Decimal:
    """ERPNext reckons in floats, so what is finer than a ten-thousandth is noise."""
    return fields.quantity({name: round(codec.money_amount(number, name), 4)}, name)


def location_report(body: Object) -> LocationReport:
    """The report of a warehouse."""
    return LocationReport(
        external_id=fields.identifier(body, "name"),
        name=fields.words(body, "name"),
        active=not fields.flag(body, "disabled"),
    )


def stock_report(body: Object, context: Mapping[str, str]) -> StockReport:
    """The report of levels; what moved has its time beside it, a list has it inside."""
    rows = body.get("levels")
    if not isinstance(rows, list) or len(rows) > MAX_LEVELS or not all(isinstance(row, dict) for row in rows):
        raise unreadable("%(name)s is not a list of objects", name="levels")
    stated = body.get("stated_at") or context.get("stated_at")
    return StockReport(levels=tuple(map(_level, rows)), stated_at=moment_of({"stated_at": stated}, "stated_at"))


def _level(row: Object) -> Level:
    code = fields.identifier(row, "product")
    return Level(
        product_id=code,
        sku=code,
        location_id=fields.identifier(row, "location"),
        on_hand=_rounded(fields.amount(row, "on_hand"), "on_hand"),
        available=_rounded(fields.amount(row, "available"), "available"),
    )
