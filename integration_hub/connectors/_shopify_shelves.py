"""Reading Shopify's products, places and levels: documents and pages.

A query may cost 1000 points at most; the page sizes keep each near 700 (a connection costs its page size, an object one).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from integration_hub.kernel import codec, fields
from integration_hub.kernel.errors import Rejected
from integration_hub.kernel.fields import Object
from integration_hub.kernel.text import say

from ._shopify_api import Api
from ._shopify_graphql import gid, number_of
from ._shopify_stock import is_id
from .base import Delivery, Page

_MORE = "pageInfo { hasNextPage endCursor }"
_PRODUCT = "id title status productType isGiftCard updatedAt"
_VARIANT = """id sku barcode price taxable updatedAt requiresComponents selectedOptions { name value }
  inventoryItem { id tracked requiresShipping measurement { weight { value unit } } }"""
_SHOP = "shop { currencyCode taxesIncluded }"

PRODUCTS = f"""query Products($after: String, $query: String) {{ {_SHOP}
  products(first: 6, after: $after, sortKey: UPDATED_AT, query: $query) {{ {_MORE}
    nodes {{ {_PRODUCT} variants(first: 20) {{ {_MORE} nodes {{ {_VARIANT} }} }} }} }} }}"""

PRODUCT_VARIANTS = f"""query ProductVariants($id: ID!, $after: String) {{
  product(id: $id) {{ variants(first: 100, after: $after) {{ {_MORE} nodes {{ {_VARIANT} }} }} }} }}"""

ALL_VARIANTS = f"""query AllVariants($after: String) {{ {_SHOP}
  productVariants(first: 100, after: $after, sortKey: ID) {{ {_MORE} nodes {{ {_VARIANT} product {{ {_PRODUCT} }} }} }} }}"""

COMPONENTS = f"""query Components($id: ID!, $after: String) {{
  productVariant(id: $id) {{ productVariantComponents(first: 50, after: $after) {{ {_MORE}
    nodes {{ quantity productVariant {{ id sku }} }} }} }} }}"""

SHELVES = f"""query Shelves($place: String, $after: String, $query: String) {{
  locations(first: 1, after: $place, includeInactive: true, includeLegacy: true) {{ {_MORE} nodes {{ id name isActive
    inventoryLevels(first: 120, after: $after, query: $query) {{ {_MORE} nodes {{ id updatedAt
      quantities(names: ["available", "on_hand"]) {{ name quantity }} item {{ id sku tracked variant {{ id }} }} }} }} }} }} }}"""

PRESENT_VARIANTS = "query PresentVariants($ids: [ID!]!) { nodes(ids: $ids) { id } }"


def products(api: Api, since: datetime | None, token: str | None) -> Page:
    """One page of the products that changed; at the very beginning one of all variants, which are many at once."""
    if since is None:
        return _all_variants(api, token)
    data = api.query(PRODUCTS, {"after": token, "query": _since(since)})
    found, shop = fields.child(data, "products"), fields.child(data, "shop")
    deliveries = []
    for node in fields.children(found, "nodes"):
        first = fields.child(node, "variants")
        variants = api.follow(PRODUCT_VARIANTS, fields.identifier(node, "id"), ("product", "variants"), first)
        product = {name: value for name, value in node.items() if name != "variants"}
        whole = {"shop": shop, "product": product, "variants": [_full(api, one) for one in variants], "whole": True}
        deliveries.append(Delivery("product.polled", number_of(node.get("id")), codec.canonical(whole)))
    return Page(deliveries, _next(found))


def _all_variants(api: Api, token: str | None) -> Page:
    data = api.query(ALL_VARIANTS, {"after": token})
    found, shop = fields.child(data, "productVariants"), fields.child(data, "shop")
    deliveries = []
    for node in fields.children(found, "nodes"):
        variant = {name: value for name, value in node.items() if name != "product"}
        part = {"shop": shop, "product": fields.child(node, "product"), "variants": [_full(api, variant)]}
        deliveries.append(Delivery("product.polled", f"variant {number_of(node.get('id'))}", codec.canonical(part)))
    return Page(deliveries, _next(found))


def _full(api: Api, variant: Object) -> Object:
    """A bundle comes with its parts."""
    if not fields.flag(variant, "requiresComponents"):
        return variant
    path = ("productVariant", "productVariantComponents")
    return {**variant, "components": api.follow(COMPONENTS, fields.identifier(variant, "id"), path)}


def levels(api: Api, since: datetime | None, token: str | None) -> Page:
    """One page of one location's levels: those that changed, or all.  Locations come one after the other."""
    place, _, after = (token or "").partition("|")
    variables: dict[str, Any] = {"place": place or None, "after": after or None}
    data = api.query(SHELVES, {**variables, "query": _since(since) if since else None})
    found = fields.child(data, "locations")
    nodes = fields.children(found, "nodes")
    if not nodes:
        return Page([])
    seen = {"seen": datetime.now(UTC).isoformat(timespec="milliseconds")}
    shelf = fields.child(nodes[0], "inventoryLevels")
    body = {
        "location": {name: nodes[0].get(name) for name in ("id", "name", "isActive")},
        "levels": fields.children(shelf, "nodes"),
    }
    delivery = Delivery("stock.polled", number_of(nodes[0].get("id")), codec.canonical(body), seen)
    more, further = _next(shelf), _next(found)
    return Page([delivery], f"{place}|{more}" if more else f"{further}|" if further else None)


def missing(api: Api, product_ids: Sequence[str]) -> list[str]:
    """Which of these variants the shop does not hold any more."""
    known = [one for one in product_ids if is_id(one)]
    nodes = (
        api.query(PRESENT_VARIANTS, {"ids": [gid("ProductVariant", one) for one in known]}).get("nodes")
        if known
        else []
    )
    if not isinstance(nodes, list) or len(nodes) != len(known):
        raise Rejected(say("Shopify did not answer for every article."), code="unreadable")
    held = {one for one, node in zip(known, nodes, strict=True) if node is not None}
    return [one for one in product_ids if one not in held]


def _since(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("updated_at:>='%Y-%m-%dT%H:%M:%SZ'")


def _next(connection: Object) -> str | None:
    info = fields.child(connection, "pageInfo")
    return (fields.words(info, "endCursor") or None) if fields.flag(info, "hasNextPage") else None
