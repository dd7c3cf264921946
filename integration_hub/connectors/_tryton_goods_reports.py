"""What Tryton says of goods, in our words: articles, places, levels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from integration_hub.kernel import codec
from integration_hub.kernel.errors import unreadable
from integration_hub.kernel.fields import currency
from integration_hub.kernel.goods import Level, LocationReport, ProductKind, ProductReport, ReportedPart, StockReport

from ._tryton_rest import Row, plain
from ._tryton_rows import number_of, quantity, reading, text, updated

KINDS = {
    "goods": ProductKind.GOODS,
    "assets": ProductKind.GOODS,
    "service": ProductKind.SERVICE,
    "kit": ProductKind.BUNDLE,
}
_GTIN = ("ean", "isbn", "ismn")  # in this order; an ISBN of 13 digits is a GTIN
MAX_LEVELS = 100_000


def product_report(body: bytes) -> ProductReport:
    """Raises Rejected for what is no product of Tryton's.  Events of older versions say less; that is left out."""
    with reading("product"):
        return _product_report(plain(codec.load_object(body)))


def _product_report(row: Row) -> ProductReport:
    template, price = row["template"], row.get("list_price_used")
    return ProductReport(
        external_id=number_of(row),
        sku=text(row["code"]),
        title=text(row["name"]),
        gtin=_gtin(row["identifiers"]),
        active=bool(row["active"] and row["salable"]),
        updated_at=max(updated(row), updated(template)),
        product_id=number_of(template),
        product_title=text(template.get("name")),
        options=tuple(_options(row.get("attributes") or {}, row.get("schema") or [])),
        kind=KINDS.get(text(row.get("type"))),
        unit=text((row.get("default_uom") or {}).get("symbol")),
        group=_group(row),
        tax_class=text((row.get("account_category") or {}).get("name")),
        weight=_weight(row),
        price=None if price is None else codec.money_amount(price, "list_price"),
        price_includes_tax=None if price is None else False,  # prices are net in Tryton
        currency=currency(row, "currency") if price is not None and "currency" in row else "",
        tracked=row["type"] == "goods" and not row["consumable"] if "type" in row and "consumable" in row else None,
        parts=tuple(_parts(row)) if row.get("type") == "kit" else (),
    )


def _gtin(identifiers: Sequence[Row]) -> str:
    found = {item["type"]: text(item["code"]) for item in identifiers}
    return next((found[kind] for kind in _GTIN if kind == "ean" or _thirteen(found.get(kind, "")) if kind in found), "")


def _thirteen(code: str) -> bool:
    return len(code.replace("-", "")) == 13


def _group(row: Row) -> str:
    """The first of its categories, else the one that it is booked by."""
    categories = sorted(row["template"].get("categories") or [], key=lambda item: int(item["id"]))
    return text((categories[0] if categories else row.get("account_category") or {}).get("name"))


def _weight(row: Row) -> Decimal | None:
    """In kg, which is 1 of Tryton's units of weight."""
    if row.get("weight") is None:
        return None
    return quantity(row["weight"] * Decimal(row["weight_uom"]["factor"]), "weight")


def _options(values: Mapping[str, Any], schema: Sequence[Row]) -> list[tuple[str, str]]:
    """Attributes by the names that people gave them, in the order of their ids."""
    found = []
    for attribute in sorted(schema, key=lambda item: int(item["id"])):
        value = values.get(attribute["name"])
        if value is not None:
            found.append((text(attribute["string"]), _shown(value, attribute)))
    return found


def _shown(value: Any, attribute: Row) -> str:
    """An attribute's value for people: the label of a choice, numbers and days plainly."""
    labels = dict(codec.loads(attribute["selection_json"] or "[]"))
    chosen = value if isinstance(value, list) else [value]
    return ", ".join(text(labels.get(item, _plainly(item))) for item in chosen)


def _plainly(value: Any) -> str:
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, str | int):
        return str(value)
    raise TypeError("attribute")


def _parts(row: Row) -> list[ReportedPart]:
    """The variant's own parts, else those of its template; a number that is fixed in Tryton counts per set here."""
    shared = [part for part in row["template"].get("components") or [] if part["parent_product"] is None]
    return [_part(part) for part in row.get("components") or shared]


def _part(part: Row) -> ReportedPart:
    product = part["product"]
    factor = Decimal(part["unit"]["factor"]) / Decimal(product["default_uom"]["factor"])
    number = quantity(part["quantity"] * factor, "quantity")
    return ReportedPart(quantity=number, product_id=number_of(product), sku=text(product["code"]))


def location_report(body: bytes) -> LocationReport:
    """Raises Rejected for what is no place of Tryton's."""
    with reading("location"):
        row = plain(codec.load_object(body))
        name, code = text(row["name"]), text(row["code"])
        shown = f"{name} ({code})" if code else name
        return LocationReport(external_id=number_of(row), name=shown, active=bool(row["active"]))


def stock_report(body: bytes, context: Mapping[str, str]) -> StockReport:
    """Raises Rejected for what are no levels."""
    with reading("stock"):
        row = codec.load_object(body)
        stated = row.get("stated_at") or context["stated_at"]
        return StockReport(levels=tuple(map(_level, _some(row["levels"]))), stated_at=_moment(stated))


def _some(rows: Any) -> list[Row]:
    if not isinstance(rows, list) or len(rows) > MAX_LEVELS:
        raise unreadable("%(name)s is too long a list", name="levels")
    return rows


def _moment(value: Any) -> datetime:
    return codec.utc(value, "stated_at")


def _level(row: Row) -> Level:
    return Level(
        product_id=number_of({"id": row["product"]}),
        location_id=number_of({"id": row["location"]}),
        sku=text(row["code"]),
        on_hand=quantity(row["on_hand"], "on_hand"),
        available=quantity(row["available"], "available"),
    )
