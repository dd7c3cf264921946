"""What Odoo says of goods, in our words: variants, places, levels."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from integration_hub.kernel import codec, fields
from integration_hub.kernel.errors import unreadable
from integration_hub.kernel.fields import Object
from integration_hub.kernel.goods import Level, LocationReport, ProductKind, ProductReport, ReportedPart, StockReport

from ._odoo_reports import moment_of, name_of

KINDS = {"consu": ProductKind.GOODS, "product": ProductKind.GOODS, "service": ProductKind.SERVICE}
KILOGRAMS = {"kg": Decimal(1), "lb": Decimal("0.45359237"), "g": Decimal("0.001")}
MAX_LEVELS = 100_000


def product_report(body: Object) -> ProductReport:
    """The report of a polled variant.  Events of older versions say less; that is left out."""
    currency = _currency(body)
    price = fields.amount(body, "lst_price") if currency and "lst_price" in body else None
    return ProductReport(
        external_id=fields.identifier(body, "id"),
        sku=fields.identifier(body, "default_code", required=False),
        title=fields.words(body, "display_name"),
        gtin=fields.identifier(body, "barcode", required=False),
        active=fields.flag(body, "active"),
        updated_at=moment_of(body, "write_date"),
        product_id=_id_of(body, "product_tmpl_id"),
        product_title=name_of(body.get("product_tmpl_id")),
        options=tuple((name_of(row.get("attribute_id")), fields.words(row, "name")) for row in _rows(body, "values")),
        kind=ProductKind.BUNDLE if body.get("kit") else KINDS.get(fields.words(body, "type")),
        unit=name_of(body.get("uom_id")),
        group=name_of(body.get("categ_id")),
        tax_class=" + ".join(fields.words(row, "name") for row in _rows(body, "taxes")),
        weight=_weight(body),
        price=price,
        price_includes_tax=_inside(body) if price is not None else None,
        currency=currency,
        tracked=_tracked(body),
        parts=_parts(fields.child(body, "kit")),
    )


def _id_of(body: Object, name: str) -> str:
    """The id of a many2one; empty for none."""
    value = body.get(name)
    return fields.identifier({name: value[0]}, name) if isinstance(value, list) and value else ""


def _rows(body: Object, name: str) -> list[Object]:
    return sorted(fields.children(body, name), key=lambda row: int(fields.quantity(row, "id")))


def _weight(body: Object) -> Decimal | None:
    """In kg; Odoo says 0 where nobody has weighed, and a company weighs in kg or lb."""
    factor = KILOGRAMS.get(fields.words(body, "weight_uom_name") or "kg")
    if factor is None or not body.get("weight"):
        return None
    return _rounded(fields.amount(body, "weight") * factor, "weight")


def _inside(body: Object) -> bool | None:
    """Whether the price contains the tax: as its taxes say, where they agree."""
    said = {fields.flag(row, "price_include") for row in _rows(body, "taxes")}
    return said.pop() if len(said) == 1 else None


def _currency(body: Object) -> str:
    """Empty where the field is not there or names none; a price without a currency says nothing."""
    name = name_of(body.get("currency_id"))
    return fields.currency({"currency_id": name}, "currency_id") if name else ""


def _tracked(body: Object) -> bool | None:
    """Since 18 a flag, before a type; a kit's parts are tracked, not the kit."""
    if body.get("kit"):
        return False
    if "is_storable" in body:
        return fields.flag(body, "is_storable")
    return fields.words(body, "type") == "product" if "type" in body else None


def _parts(kit: Object) -> tuple[ReportedPart, ...]:
    if not kit:
        return ()
    makes = _own(fields.child(kit, "makes"))
    return tuple(
        ReportedPart(
            quantity=_rounded(_own(row) / makes, "quantity"),
            product_id=fields.identifier(row, "product"),
            sku=fields.identifier(row, "code", required=False),
        )
        for row in fields.children(kit, "parts")
    )


def _own(row: Object) -> Decimal:
    """A number in the article's own unit.  Until 18 a factor says how many make the reference unit, since then the reverse."""
    number, factor, own = (fields.amount(row, name) for name in ("quantity", "factor", "own_factor"))
    if min(number, factor, own) <= 0:
        raise unreadable("%(name)s is out of bounds", name="quantity")
    return number * factor / own if fields.flag(row, "upwards") else number * own / factor


def _rounded(number: Decimal, name: str) -> Decimal:
    """Odoo reckons in floats, so what is finer than a ten-thousandth is noise."""
    return fields.quantity({name: round(codec.money_amount(number, name), 4)}, name)


def location_report(body: Object) -> LocationReport:
    """The report of a place."""
    return LocationReport(
        external_id=fields.identifier(body, "id"),
        name=fields.words(body, "complete_name"),
        active=fields.flag(body, "active"),
    )


def stock_report(body: Object, context: Mapping[str, str]) -> StockReport:
    """The report of levels; what moved has its time beside it, a list has it inside."""
    rows = body.get("levels")
    if not isinstance(rows, list) or len(rows) > MAX_LEVELS or not all(isinstance(row, dict) for row in rows):
        raise unreadable("%(name)s is not a list of objects", name="levels")
    stated = body.get("stated_at") or context.get("stated_at")
    return StockReport(levels=tuple(map(_level, rows)), stated_at=moment_of({"stated_at": stated}, "stated_at"))


def _level(row: Object) -> Level:
    return Level(
        product_id=fields.identifier(row, "product"),
        location_id=fields.identifier(row, "location"),
        sku=fields.identifier(row, "code", required=False),
        on_hand=_rounded(fields.amount(row, "on_hand"), "on_hand"),
        available=_rounded(fields.amount(row, "available"), "available"),
    )
