"""WooCommerce's products and variations (REST ``wc/v3``) into reports.  Pure translation.

What is sold is a simple product or a variation, and its id is what order lines carry.  A variable product is sold only as
its variations; a grouped one is a page that shows others, an external one is sold elsewhere: no articles of this shop.

The payload states neither currency nor unit nor whether prices hold the tax: those are settings of the shop, and the
merchant tells them to the connection.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from integration_hub.kernel import codec, fields
from integration_hub.kernel.errors import unreadable
from integration_hub.kernel.fields import Object
from integration_hub.kernel.goods import Level, ProductGone, ProductKind, ProductReport, ReportedPart, StockReport
from integration_hub.kernel.messages import Ignored, Report
from integration_hub.kernel.text import say

VARIATIONS = "hub_variations"  # our own name in a polled body, for what the shop keeps under another address
NO_ARTICLE = frozenset({"grouped", "external"})
VARIABLE = frozenset({"variable", "variable-subscription"})
VARIATION = frozenset({"variation", "subscription_variation", "product_variation"})
UNFINISHED = frozenset({"auto-draft", "importing"})
AT_PARENT = "parent"

# plugins add types of their own: Product Bundles, Composite Products, WPC Product Bundles, YITH Product Bundles
BUNDLES = frozenset({"bundle", "composite", "woosb", "yith_bundle"})
# PW Gift Cards, YITH Gift Cards, and those that mark an ordinary product by its meta data
GIFT_CARDS = frozenset({"pw-gift-card", "gift-card", "gift_card"})
GIFT_CARD_META = frozenset({"_gift_card", "_woo_vou_enable"})
KILOGRAMS = {
    "kg": Decimal(1),
    "g": Decimal("0.001"),
    "lbs": Decimal("0.45359237"),
    "oz": Decimal("0.028349523125"),
}


@dataclass(frozen=True)
class Shop:
    """What the merchant told about the shop; None or empty: unknown."""

    weight_unit: str = ""
    prices_include_tax: bool | None = None
    currency: str = ""


def reports(body: Object, shop: Shop) -> Sequence[Report]:
    """All that a product says, with its variations where they came along."""
    kind, status = fields.words(body, "type", 60), fields.words(body, "status", 60)
    if status in UNFINISHED or kind in NO_ARTICLE:
        return (Ignored(reason=say("a product of this kind is not sold itself (%(kind)s)", kind=kind or status)),)
    if status == "trash":
        return (gone(body),)
    if kind in VARIABLE:
        return _variable(body, shop)
    return _article(body, shop)


def gone(body: Object) -> ProductGone:
    """A deleted product: its id may be that of an article or of a product with variations."""
    product_id = fields.identifier(body, "id")
    return ProductGone(external_id=product_id, product_id=product_id)


def levels_report(body: Object) -> StockReport:
    """What a listing read at one moment."""
    read_at = fields.moment(body, "read_at")
    if read_at is None:
        raise unreadable("read_at is missing")
    rows = fields.children(body, "rows")
    return StockReport(
        levels=tuple(_level(row, fields.quantity(row, "stock_quantity")) for row in rows), stated_at=read_at
    )


def is_tracked(raw: Object) -> bool:
    """Whether the shop keeps stock of it, itself or at its parent."""
    return raw.get("manage_stock") == AT_PARENT or fields.flag(raw, "manage_stock")


def is_stated(raw: Object) -> bool:
    """Whether the shop says how many there are."""
    return is_tracked(raw) and raw.get("stock_quantity") not in (None, "")


def _variable(body: Object, shop: Shop) -> Sequence[Report]:
    product_id = fields.identifier(body, "id")
    kept = _ids(body)
    left = ProductGone(product_id=product_id, kept=kept, stated_at=_changed(body)) if kept is not None else None
    told = [report for item in fields.children(body, VARIATIONS) for report in _article(item, shop, body)]
    if left is None and not told:
        return (Ignored(reason=say("a product with variations that are not stated; the next poll brings them")),)
    return (*told, left) if left is not None else told


def _ids(body: Object) -> tuple[str, ...] | None:
    """The variations that the product has, None where it does not say."""
    listed = body.get("variations")
    if not isinstance(listed, list):
        return None
    if len(listed) > fields.MAX_LIST:
        raise unreadable("%(name)s is too long a list", name="variations")
    ids = [{"id": item.get("id") if isinstance(item, dict) else item} for item in listed]
    return tuple(fields.identifier(item, "id") for item in ids)


def _article(raw: Object, shop: Shop, parent: Object | None = None) -> Sequence[Report]:
    above: Object = parent or {}
    report = _product_report(raw, above, shop)
    if not is_stated(raw):
        return (report,)
    if report.updated_at is None:
        raise unreadable("date_modified_gmt is missing")
    level = _level(raw, fields.quantity(raw, "stock_quantity"))
    return (report, StockReport(levels=(level,), stated_at=report.updated_at))


def _level(raw: Object, quantity: Decimal) -> Level:
    """The shop takes an order's pieces off at once, so its number is what may still be sold."""
    sku = fields.identifier(raw, "sku", required=False)
    return Level(product_id=fields.identifier(raw, "id"), sku=sku, available=quantity)


def _product_report(raw: Object, parent: Object, shop: Shop) -> ProductReport:
    options = _options(raw)
    return ProductReport(
        external_id=fields.identifier(raw, "id"),
        sku=fields.identifier(raw, "sku", required=False),
        title=_title(raw, parent, options),
        gtin=fields.identifier(raw, "global_unique_id", required=False),
        active=all(fields.words(item, "status", 60) in ("", "publish") for item in (raw, parent)),
        updated_at=_latest(raw, parent),
        product_id=fields.identifier(raw, "parent_id", required=False)
        or fields.identifier(parent, "id", required=False),
        product_title=_plain(parent, "name"),
        options=options,
        kind=_kind(raw),
        group=_group(raw) or _group(parent),
        tax_class=_tax_class(raw, parent),
        weight=_weight(raw, shop) if raw.get("weight") not in (None, "") else _weight(parent, shop),
        price=_maybe(raw, "price"),
        price_includes_tax=shop.prices_include_tax,
        currency=shop.currency,
        tracked=is_tracked(raw) if "manage_stock" in raw else None,
        parts=_parts(raw),
    )


def _title(raw: Object, parent: Object, options: Sequence[tuple[str, str]]) -> str:
    """A variation's full name: on its own it has it, in the list of its product only the values of its options."""
    above = _plain(parent, "name")
    if not above:
        return _plain(raw, "name")
    chosen = ", ".join(value for _, value in options) or _plain(raw, "name")
    return f"{above} - {chosen}"[: fields.MAX_WORDS] if chosen else above


def _options(raw: Object) -> tuple[tuple[str, str], ...]:
    """What a variation stands for; an empty value means any, which the buyer chooses."""
    if not _is_variation(raw):
        return ()
    found = [(_plain(item, "name"), _plain(item, "option")) for item in fields.children(raw, "attributes")]
    return tuple((name, value) for name, value in found if name and value)


def _is_variation(raw: Object) -> bool:
    """Older versions state no type in the list of variations; what has no options to choose from is chosen."""
    kind = fields.words(raw, "type", 60)
    return kind in VARIATION or (not kind and "option" in (*fields.children(raw, "attributes"), {})[0])


def _kind(raw: Object) -> ProductKind | None:
    kind = fields.words(raw, "type", 60)
    if not kind and "virtual" not in raw:
        return None
    if kind in BUNDLES:
        return ProductKind.BUNDLE
    if kind in GIFT_CARDS or _has_gift_card_meta(raw):
        taxed = (
            fields.words(raw, "tax_status", 20) == "taxable"
        )  # who knows the tax when selling sells a single purpose
        return ProductKind.VOUCHER_SINGLE if taxed else ProductKind.VOUCHER_MULTI
    bodiless = fields.flag(raw, "virtual") or fields.flag(raw, "downloadable")
    return ProductKind.SERVICE if bodiless and not is_tracked(raw) else ProductKind.GOODS


def marks_gift_card(item: Any) -> bool:
    """Whether a plugin says with this meta entry that the product is a gift card; plugins write what they like there."""
    if not isinstance(item, dict) or str(item.get("key")) not in GIFT_CARD_META:
        return False
    return str(item.get("value")).lower() in ("yes", "1", "true")


def _has_gift_card_meta(raw: Object) -> bool:
    found = raw.get("meta_data")
    return isinstance(found, list) and any(map(marks_gift_card, found))


def _parts(raw: Object) -> tuple[ReportedPart, ...]:
    """The parts of a Product Bundle; none where the buyer may choose, for then they are known only with the order."""
    items = fields.children(raw, "bundled_items")
    if any(fields.flag(item, "optional") or _counts(item)[0] != _counts(item)[1] for item in items):
        return ()
    return tuple(
        ReportedPart(product_id=fields.identifier(item, "product_id"), quantity=_counts(item)[0]) for item in items
    )


def _counts(item: Object) -> tuple[Decimal, Decimal]:
    least = _maybe(item, "quantity_min") or Decimal(1)
    most = _maybe(item, "quantity_max")
    return least, least if most is None else most


def _group(raw: Object) -> str:
    groups = fields.children(raw, "categories")
    return _plain(groups[0], "name") if groups else ""


def _tax_class(raw: Object, parent: Object) -> str:
    """The slug of the class; the shop writes nothing for its standard one."""
    if fields.words(raw, "tax_status", 20) == "none":
        return "none"
    stated = fields.words(raw, "tax_class", 80)
    if stated == AT_PARENT:
        stated = fields.words(parent, "tax_class", 80)
    return stated or ("standard" if "tax_class" in raw else "")


def _weight(raw: Object, shop: Shop) -> Decimal | None:
    stated, unit = _maybe(raw, "weight"), KILOGRAMS.get(shop.weight_unit)
    return None if stated is None or unit is None else codec.money_amount(round(stated * unit, 6), "weight")


def _maybe(raw: Object, name: str) -> Decimal | None:
    return None if raw.get(name) in (None, "") else fields.amount(raw, name)


def _changed(raw: Object) -> datetime | None:
    return fields.moment(raw, "date_modified_gmt") or fields.moment(raw, "date_created_gmt")


def _latest(raw: Object, parent: Object) -> datetime | None:
    """What came with its product is as new as the newer of both."""
    return max(filter(None, (_changed(raw), _changed(parent))), default=None)


def _plain(raw: Object, name: str) -> str:
    return html.unescape(fields.words(raw, name)).replace("\x00", "").strip()
