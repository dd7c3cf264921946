"""What Shopify says about products, places and levels: GraphQL documents, and reports made of nodes and of webhooks.

What is sold is the variant, and its id is what order lines carry; stock is written under the id of its inventory item.
Webhooks carry the REST shape.  They say neither currency nor whether prices hold the tax, and of levels only what may
still be sold; what they do not say changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from integration_hub.kernel import codec, fields
from integration_hub.kernel.errors import unreadable
from integration_hub.kernel.fields import Object
from integration_hub.kernel.goods import (
    Level,
    LocationReport,
    ProductGone,
    ProductKind,
    ProductReport,
    ReportedPart,
    StockReport,
)
from integration_hub.kernel.messages import Ignored, Report
from integration_hub.kernel.text import say

from ._shopify_graphql import number_of

NO_OPTION = "Default Title"  # what Shopify calls the only variant of a product without options
KILOGRAMS = {
    **dict.fromkeys(("KILOGRAMS", "kg"), Decimal(1)),
    **dict.fromkeys(("GRAMS", "g"), Decimal("0.001")),
    **dict.fromkeys(("POUNDS", "lb"), Decimal("0.45359237")),
    **dict.fromkeys(("OUNCES", "oz"), Decimal("0.028349523125")),
}
COMPLETE_UP_TO = 100  # a webhook holds no more variants than these


@dataclass(frozen=True)
class _Product:
    """What all variants of a product share."""

    product_id: str
    title: str
    active: bool
    group: str
    updated_at: datetime | None
    gift_card: bool = False


def polled(body: Object) -> Sequence[Report]:
    """A product with its variants, or one variant with its product (``whole`` is then false)."""
    node, shop = fields.child(body, "product"), fields.child(body, "shop")
    product = _Product(
        product_id=_id(node),
        title=fields.words(node, "title"),
        active=fields.words(node, "status") == "ACTIVE",
        group=fields.words(node, "productType"),
        updated_at=fields.moment(node, "updatedAt"),
        gift_card=fields.flag(node, "isGiftCard"),
    )
    variants = fields.children(body, "variants")
    told: list[Report] = [_from_node(variant, product, shop) for variant in variants]
    if fields.flag(body, "whole"):
        told.append(_left(product, [_id(variant) for variant in variants]))
    return told or [_nothing()]


def from_webhook(body: Object) -> Sequence[Report]:
    """The product as products/create and products/update state it."""
    product = _Product(
        product_id=fields.identifier(body, "id"),
        title=fields.words(body, "title"),
        active=fields.words(body, "status") in ("", "active"),
        group=fields.words(body, "product_type"),
        updated_at=fields.moment(body, "updated_at"),
    )
    axes = [fields.words(option, "name") for option in fields.children(body, "options")]
    variants = fields.children(body, "variants")
    told: list[Report] = [_from_rest(variant, product, axes) for variant in variants]
    kept = [_id(item, "admin_graphql_api_id") for item in fields.children(body, "variant_gids")]
    if kept or 0 < len(variants) < COMPLETE_UP_TO:
        told.append(_left(product, kept or [fields.identifier(variant, "id") for variant in variants]))
    return told or [_nothing()]


def deleted(body: Object) -> Sequence[Report]:
    """A product that is gone with all its variants."""
    return (ProductGone(product_id=fields.identifier(body, "id")),)


def place(body: Object) -> LocationReport:
    """A location as a webhook states it; of a deleted one only the id."""
    return LocationReport(
        external_id=fields.identifier(body, "id"), name=fields.words(body, "name"), active=fields.flag(body, "active")
    )


def level(body: Object) -> Report:
    """inventory_levels/update: what may still be sold of an inventory item at a location."""
    stated_at = fields.moment(body, "updated_at")
    if body.get("available") is None:
        return Ignored(reason=say("the shop keeps no stock of this article"))
    if stated_at is None:
        raise unreadable("updated_at is missing")
    found = Level(
        stock_id=fields.identifier(body, "inventory_item_id"),
        location_id=fields.identifier(body, "location_id"),
        available=fields.quantity(body, "available"),
    )
    return StockReport(levels=(found,), stated_at=stated_at)


def shelf(body: Object, seen: datetime | None) -> Sequence[Report]:
    """A location and a page of its levels, as they were seen."""
    node = fields.child(body, "location")
    where = LocationReport(external_id=_id(node), name=fields.words(node, "name"), active=fields.flag(node, "isActive"))
    nodes = fields.children(body, "levels")
    levels = tuple(_levels(nodes, where.external_id))
    stated_at = seen or max(filter(None, (fields.moment(one, "updatedAt") for one in nodes)), default=None)
    if not levels:
        return (where,)
    if stated_at is None:
        raise unreadable("updatedAt is missing")
    return where, StockReport(levels=levels, stated_at=stated_at)


def _levels(nodes: Sequence[Object], location_id: str) -> Iterator[Level]:
    for node in nodes:
        item, held = fields.child(node, "item"), quantities(node)
        if not fields.flag(item, "tracked") or not held:
            continue
        yield Level(
            product_id=number_of(fields.child(item, "variant").get("id")),
            stock_id=_id(item),
            sku=fields.identifier(item, "sku", required=False),
            location_id=location_id,
            on_hand=held.get("on_hand"),
            available=held.get("available"),
        )


def quantities(node: Object) -> dict[str, Decimal]:
    """The quantities of a level by their names."""
    found = fields.children(node, "quantities")
    return {fields.words(one, "name"): fields.quantity(one, "quantity") for one in found}


def _left(product: _Product, kept: Sequence[str]) -> ProductGone:
    return ProductGone(product_id=product.product_id, kept=tuple(kept), stated_at=product.updated_at)


def _nothing() -> Ignored:
    return Ignored(reason=say("a product with variations that are not stated; the next poll brings them"))


def _from_node(node: Object, product: _Product, shop: Object) -> ProductReport:
    item, options = fields.child(node, "inventoryItem"), _chosen(_pairs(node))
    tracked = fields.flag(item, "tracked") if "tracked" in item else None
    return ProductReport(
        external_id=_id(node),
        sku=fields.identifier(node, "sku", required=False),
        title=_title(product, options),
        gtin=fields.identifier(node, "barcode", required=False),
        active=product.active,
        updated_at=_latest(product.updated_at, fields.moment(node, "updatedAt")),
        product_id=product.product_id,
        stock_id=number_of(item.get("id")),
        product_title=product.title,
        options=options,
        kind=_kind(product.gift_card, fields.flag(node, "requiresComponents"), item.get("requiresShipping"), tracked),
        group=product.group,
        tax_class=_tax_class(node),
        weight=_weight(fields.child(fields.child(item, "measurement"), "weight"), "value", "unit"),
        price=_maybe(node, "price"),
        price_includes_tax=fields.flag(shop, "taxesIncluded") if "taxesIncluded" in shop else None,
        currency=fields.currency(shop, "currencyCode") if shop.get("currencyCode") else "",
        tracked=tracked,
        parts=tuple(map(_part, fields.children(node, "components"))),
    )


def _from_rest(variant: Object, product: _Product, axes: Sequence[str]) -> ProductReport:
    chosen = [fields.words(variant, f"option{place}") for place in range(1, len(axes) + 1)]
    options = _chosen(list(zip(axes, chosen, strict=True)))
    tracked = fields.words(variant, "inventory_management") == "shopify" if "inventory_management" in variant else None
    gift_card = fields.words(variant, "fulfillment_service") == "gift_card"
    return ProductReport(
        external_id=fields.identifier(variant, "id"),
        sku=fields.identifier(variant, "sku", required=False),
        title=_title(product, options),
        gtin=fields.identifier(variant, "barcode", required=False),
        active=product.active,
        updated_at=_latest(product.updated_at, fields.moment(variant, "updated_at")),
        product_id=product.product_id,
        stock_id=fields.identifier(variant, "inventory_item_id", required=False),
        product_title=product.title,
        options=options,
        kind=_kind(gift_card, False, variant.get("requires_shipping"), tracked),
        group=product.group,
        tax_class=_tax_class(variant),
        weight=_weight(variant, "weight", "weight_unit"),
        price=_maybe(variant, "price"),
        tracked=tracked,
    )


def _kind(gift_card: bool, bundle: bool, shipped: Any, tracked: bool | None) -> ProductKind | None:
    """Shopify's gift cards are money to spend on anything, so their tax is not known when they are sold.

    A webhook does not mark a bundle; where it does not even say whether something is shipped, nothing is known.
    """
    if gift_card:
        return ProductKind.VOUCHER_MULTI
    if bundle:
        return ProductKind.BUNDLE
    if not isinstance(shipped, bool) or tracked is None:
        return None
    return ProductKind.GOODS if shipped or tracked else ProductKind.SERVICE


def _part(node: Object) -> ReportedPart:
    variant = fields.child(node, "productVariant")
    sku = fields.identifier(variant, "sku", required=False)
    return ReportedPart(product_id=_id(variant), sku=sku, quantity=fields.quantity(node, "quantity"))


def _pairs(node: Object) -> list[tuple[str, str]]:
    found = fields.children(node, "selectedOptions")
    return [(fields.words(option, "name"), fields.words(option, "value")) for option in found]


def _chosen(pairs: Sequence[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    return tuple((name, value) for name, value in pairs if name and value and value != NO_OPTION)


def _title(product: _Product, options: Sequence[tuple[str, str]]) -> str:
    values = " / ".join(value for _, value in options)
    return f"{product.title} - {values}"[: fields.MAX_WORDS] if values else product.title


def _tax_class(raw: Object) -> str:
    """Shopify has no classes; it only knows what is not taxed at all."""
    return "none" if raw.get("taxable") is False else ""


def _weight(raw: Object, name: str, unit: str) -> Decimal | None:
    stated, factor = _maybe(raw, name), KILOGRAMS.get(fields.words(raw, unit, 20))
    return None if stated is None or factor is None else codec.money_amount(round(stated * factor, 6), name)


def _maybe(raw: Object, name: str) -> Decimal | None:
    return None if raw.get(name) in (None, "") else fields.amount(raw, name)


def _latest(*moments: datetime | None) -> datetime | None:
    return max(filter(None, moments), default=None)


def _id(node: Object, name: str = "id") -> str:
    return fields.identifier({"id": number_of(node.get(name))}, "id")
