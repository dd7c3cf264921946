"""All that a WooCommerce shop shows of its stock, page by page, and which articles it does not hold any more."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from urllib.parse import quote

from integration_hub.kernel import codec, fields
from integration_hub.kernel.errors import Misconfigured, unreadable
from integration_hub.kernel.fields import Object

from ._woocommerce_api import NO_ROUTE, PER_PAGE, V3, Api
from ._woocommerce_goods import VARIABLE, is_stated
from ._woocommerce_poll import MOST_FAMILIES, variations
from ._woocommerce_stock import STOCK_FIELDS, is_id
from .base import Delivery, Page

PRODUCTS, VARIATIONS, FAMILIES = "p", "v", "f"  # what a token of ours goes through
PATHS = {PRODUCTS: f"{V3}/products", VARIATIONS: f"{V3}/variations", FAMILIES: f"{V3}/products"}


def levels(api: Api, token: str | None) -> Page:
    """One page.  Newer shops list all variations at one address; in older ones each product is asked for its own."""
    through, page, skip = _read(token) if token else ((PRODUCTS if _has_variations(api) else FAMILIES), 1, 0)
    params = {"page": page, "orderby": "id", "order": "asc", "status": "any", "_fields": STOCK_FIELDS}
    items, more = api.items(PATHS[through], params)
    rows, done = _with_families(api, items[skip:]) if through == FAMILIES else (items, len(items))
    told = [_row(row) for row in rows if is_stated(row) and fields.words(row, "type") not in VARIABLE]
    return Page(_delivery(told, f"{through}{page}.{skip}"), _next(through, page, skip + done, len(items), more=more))


def missing(api: Api, product_ids: Sequence[str]) -> list[str]:
    """Which of these articles (at most 100) the shop does not hold any more."""
    known, held = [one for one in product_ids if is_id(one)], set[str]()
    for path in (PATHS[PRODUCTS], PATHS[VARIATIONS]):
        asked = [one for one in known if one not in held]
        held |= _held(api, path, asked) if asked else set()
    return [one for one in product_ids if one not in held and (one not in known or _is_gone(api, one))]


def _held(api: Api, path: str, ids: Sequence[str]) -> set[str]:
    params = {"include": ",".join(ids), "status": "any", "per_page": PER_PAGE, "_fields": "id"}
    try:
        return {fields.identifier(item, "id") for item in api.items(path, params)[0]}
    except Misconfigured as error:
        if error.code == NO_ROUTE and path == PATHS[VARIATIONS]:
            return set()
        raise


def _is_gone(api: Api, product_id: str) -> bool:
    found = api.read_or_none(f"{V3}/products/{quote(product_id, safe='')}")
    return found is None or fields.words(found, "status") == "trash"


def _has_variations(api: Api) -> bool:
    try:
        api.items(PATHS[VARIATIONS], {"per_page": 1, "_fields": "id"})
    except Misconfigured as error:
        if error.code == NO_ROUTE:
            return False
        raise
    return True


def _with_families(api: Api, items: Sequence[Object]) -> tuple[list[Object], int]:
    """The rows with the variations of each, as many as one page of ours takes; and how many rows that were."""
    found: list[Object] = []
    families = 0
    for place, item in enumerate(items, 1):
        found.append(item)
        if fields.words(item, "type") in VARIABLE:
            found += variations(api, fields.identifier(item, "id"), STOCK_FIELDS)
            families += 1
        if families >= MOST_FAMILIES:
            return found, place
    return found, len(items)


def _row(raw: Object) -> Object:
    return {name: raw.get(name) for name in ("id", "sku", "stock_quantity")}


def _delivery(rows: Iterable[Object], object_id: str) -> list[Delivery]:
    body = {"read_at": datetime.now(UTC).isoformat(timespec="milliseconds"), "rows": list(rows)}
    return [Delivery("stock.listed", object_id, codec.canonical(body))] if body["rows"] else []


def _next(through: str, page: int, done: int, count: int, *, more: bool) -> str | None:
    if done < count:
        return f"{through}|{page}|{done}"
    if more and count:
        return f"{through}|{page + 1}|0"
    return f"{VARIATIONS}|1|0" if through == PRODUCTS else None


def _read(token: str) -> tuple[str, int, int]:
    through, *numbers = token.split("|")
    sound = len(numbers) == 2 and all(one.isascii() and one.isdigit() and len(one) < 7 for one in numbers)
    if through not in PATHS or not sound:
        raise unreadable("unknown token %(token)s", token=token[:100])
    return through, int(numbers[0]), int(numbers[1])
