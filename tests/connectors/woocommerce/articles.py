"""Own WooCommerce products in the shape of wc/v3."""

from __future__ import annotations

from typing import Any

CHANGED = "2026-11-21T16:00:00"


def product(number: int = 7, **changes: Any) -> dict[str, Any]:
    """Blue mugs, 12 in stock, 350 g, 11.90."""
    return {
        "id": number,
        "name": "Tasse &ndash; blau",
        "type": "simple",
        "status": "publish",
        "sku": "MUG-B",
        "global_unique_id": "4006381333931",
        "price": "11.90",
        "regular_price": "11.90",
        "tax_status": "taxable",
        "tax_class": "",
        "manage_stock": True,
        "stock_quantity": 12,
        "stock_status": "instock",
        "weight": "0.35",
        "virtual": False,
        "downloadable": False,
        "categories": [{"id": 15, "name": "Geschirr &amp; Glas", "slug": "geschirr"}],
        "attributes": [],
        "variations": [],
        "parent_id": 0,
        "date_created_gmt": CHANGED,
        "date_modified_gmt": CHANGED,
        "meta_data": [],
        **changes,
    }


def shirt(number: int = 20, *variations: int, **changes: Any) -> dict[str, Any]:
    """A shirt that is sold in sizes."""
    axes = [{"id": 0, "name": "Größe", "options": ["S", "M"], "variation": True}]
    body = product(
        number, name="T-Shirt", type="variable", sku="TS", attributes=axes, manage_stock=False, stock_quantity=None
    )
    return {**body, "weight": "0.2", "tax_class": "reduced-rate", "variations": list(variations), **changes}


def size(number: int = 21, option: str = "S", parent: int = 20, **changes: Any) -> dict[str, Any]:
    """One size of the shirt, as the list of its product's variations shows it."""
    body = product(
        number, name=option, type="variation", sku=f"TS-{option}", parent_id=parent, stock_quantity=5, weight=""
    )
    axes = [{"id": 0, "name": "Größe", "slug": "grose", "option": option}]
    return {**body, "attributes": axes, "categories": [], "global_unique_id": "", **changes}


def bundle(number: int = 30, **changes: Any) -> dict[str, Any]:
    """Two mugs in a box, made with Product Bundles."""
    part = {"bundled_item_id": 1, "product_id": 7, "quantity_min": 2, "quantity_max": 2, "optional": False}
    body = product(number, name="Zwei Tassen", type="bundle", sku="MUG-2", manage_stock=False, stock_quantity=None)
    return {**body, "bundled_items": [part], **changes}
