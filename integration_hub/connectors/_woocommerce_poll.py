"""Windows over what changed in a WooCommerce shop, and where to go on.

Go on behind the last row rather than by page number: what changes meanwhile moves to the end and would be skipped.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from integration_hub.kernel import codec, fields
from integration_hub.kernel.errors import Rejected, unreadable
from integration_hub.kernel.fields import Object
from integration_hub.kernel.text import say

from ._woocommerce_api import PER_PAGE, V3, Api
from ._woocommerce_goods import VARIABLE, VARIATIONS, marks_gift_card
from .base import Delivery, Page

SECOND = timedelta(seconds=1)
MOST_FAMILIES = 40  # products with variations on one page of ours: each is a request or more, and a lease is short
MOST_PAGES = 20
FIELDS = ",".join(
    (
        *(
            "id",
            "parent_id",
            "name",
            "type",
            "status",
            "sku",
            "global_unique_id",
            "price",
            "weight",
            "virtual",
            "downloadable",
        ),
        *("tax_status", "tax_class", "manage_stock", "stock_quantity", "categories", "attributes", "variations"),
        *("date_created_gmt", "date_modified_gmt", "bundled_items", "meta_data"),
    )
)


@dataclass(frozen=True)
class Place:
    """Where a poll stands: changes since ``start``, on this page of the shop's, behind so many rows of it."""

    start: datetime | None
    page: int = 1
    skip: int = 0

    @classmethod
    def read(cls, since: datetime | None, token: str | None) -> Place:
        """The place that a token of ours stands for; without one, the beginning."""
        if token is None:
            return cls(since)
        start, page, skip = (*token.split("|"), "", "")[:3]
        if not all(part.isascii() and part.isdigit() and len(part) < 7 for part in filter(None, (page, skip))):
            raise unreadable("unknown token %(token)s", token=token[:100])
        return cls(codec.utc(start, "token") if start else None, int(page or 1), int(skip or 0))

    def behind(self, rows: Sequence[Object], skip: int = 0) -> str:
        """The token that leads on behind the last of these rows; ``skip`` where they are not all of their page."""
        last = fields.moment(rows[-1], "date_modified_gmt")
        if last is not None and (self.start is None or last - SECOND > self.start):
            return f"{(last - SECOND).isoformat()}|1"
        page = self.page if skip else self.page + 1
        return f"{self.start.isoformat() if self.start else ''}|{page}|{skip}"

    def window(self) -> Mapping[str, Any]:
        """The parameters of the list."""
        window = {"status": "any", "orderby": "modified", "order": "asc", "per_page": PER_PAGE, "page": self.page}
        if self.start is None:
            return window
        # the filter means "later than" and takes a moment without zone for shop time, so the zone stands there twice
        after = self.start.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return {**window, "modified_after": after, "dates_are_gmt": "true"}


def orders(api: Api, since: datetime | None, token: str | None) -> Page:
    """One page of the orders that changed."""
    place = Place.read(since, token)
    items, more = api.items(f"{V3}/orders", place.window())
    return Page([delivery("order.polled", item) for item in items], place.behind(items) if more and items else None)


def products(api: Api, since: datetime | None, token: str | None) -> Page:
    """One page of the products that changed, each with its variations: a change of one moves its product, too."""
    place = Place.read(since, token)
    items, more = api.items(f"{V3}/products", {**place.window(), "_fields": FIELDS})
    rest = items[place.skip :]
    taken = rest[: _within(rest)]
    deliveries = [delivery("product.polled", _whole(api, item)) for item in taken]
    if len(taken) < len(rest):
        return Page(deliveries, place.behind(taken, place.skip + len(taken)))
    return Page(deliveries, place.behind(items) if more and items else None)


def delivery(topic: str, item: Object) -> Delivery:
    """What was read, as if it had been sent."""
    return Delivery(topic, fields.identifier(item, "id", required=False), codec.canonical(item))


def variations(api: Api, product_id: str, names: str = FIELDS) -> list[Object]:
    """All variations of a product."""
    path, found, more = f"{V3}/products/{quote(product_id, safe='')}/variations", [], True
    for page in range(1, MOST_PAGES + 1):
        if not more:
            break
        items, more = api.items(path, {"page": page, "orderby": "id", "order": "asc", "_fields": names})
        found += items
    if more:
        raise Rejected(say("Product %(product)s has too many variations.", product=product_id), code="endless")
    return found


def _within(rows: Sequence[Object]) -> int:
    """How many of the rows one page of ours takes."""
    families = 0
    for place, row in enumerate(rows, 1):
        families += fields.words(row, "type") in VARIABLE
        if families >= MOST_FAMILIES:
            return place
    return len(rows)


def _whole(api: Api, item: Object) -> Object:
    """The product as it is kept: with its variations, and of what plugins write only what we read."""
    if fields.words(item, "type") not in VARIABLE:
        return _lean(item)
    found = variations(api, fields.identifier(item, "id"))
    return {**_lean(item), VARIATIONS: [_lean(one) for one in found]}


def _lean(item: Object) -> Object:
    meta = item.get("meta_data")
    kept: Iterable[Any] = filter(marks_gift_card, meta) if isinstance(meta, list) else ()
    return {**item, "meta_data": list(kept)}
