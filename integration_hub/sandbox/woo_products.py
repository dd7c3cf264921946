"""The catalogue as WooCommerce lists it: simple products, and the shirt as a variable one."""

from __future__ import annotations

from .catalogue import ARTICLES, STANDARD, Article, title
from .store import Record
from .woo_order import FAMILY_ID, product_id

_CHANGED = "2026-01-05T09:00:00"


def _product(number: int, article: Article, name: str, variations: list[int], base: str) -> Record:
    return {
        "id": number,
        "name": name,
        "slug": article.sku.lower(),
        "permalink": f"{base}/product/{article.sku.lower()}/",
        "date_created": _CHANGED,
        "date_created_gmt": _CHANGED,
        "date_modified": _CHANGED,
        "date_modified_gmt": _CHANGED,
        "type": "variable" if variations else "simple",
        "status": "publish",
        "sku": "TS-BASE" if variations else article.sku,
        "global_unique_id": "" if variations else article.gtin,
        "price": str(article.price),
        "regular_price": str(article.price),
        "sale_price": "",
        "tax_status": "taxable",
        "tax_class": "" if article.rate == STANDARD else "reduced-rate",
        "manage_stock": False,
        "stock_quantity": None,
        "stock_status": "instock",
        "parent_id": 0,
        "variations": variations,
        "meta_data": [],
    }


def products(base: str) -> list[Record]:
    """All products; variants stand behind their parent, as in the real list."""
    simple = [_product(product_id(item)[0], item, title(item), [], base) for item in ARTICLES if not item.variant]
    shirts = [item for item in ARTICLES if item.variant]
    return [_product(FAMILY_ID, shirts[0], shirts[0].title, [product_id(item)[1] for item in shirts], base), *simple]
