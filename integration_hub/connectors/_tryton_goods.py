"""Asking Tryton about goods: articles, places and how many of what lie where.

A place is a warehouse with all that is in it, or a storage location outside of every warehouse.  Tryton keeps no levels;
it sums moves.  So what changed is what had a move written, and the quantities of just that are read.  ``quantity`` is
what lies there.  Its ``forecast_quantity`` of today leaves out what should have left yesterday and counts what should
arrive today, so what may still be sold is reckoned here: what lies there less every open move out of the place.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from functools import cached_property
from typing import Any

from integration_hub.kernel import codec

from ._gone import missing
from ._tryton_rest import Rest, Row, plain
from ._tryton_rows import BATCH, DATES, changed, delivery, every, in_order, rows_after, updated
from .base import Delivery, Page

LOCATION_TOPIC = "location.polled"
PRODUCT_TOPIC = "product.polled"
STOCK_TOPIC = "stock.polled"
PRODUCTS = 100  # a page of articles
VARIANTS = 1000  # that a page of levels takes in; a delta of so many is one report
IDS = 400  # in one question, because it travels in the address of the request

_TEMPLATE = ("id", "name", "code", *DATES, "categories.name")
_PRODUCT = (
    *("code", "name", "active", "salable", "type", "consumable", "list_price_used", "default_uom.symbol"),
    *("identifiers.type", "identifiers.code", "account_category.name", *DATES),
    *(f"template.{name}" for name in _TEMPLATE),
)
_PART = ("quantity", "product.id", "product.code", "product.default_uom.factor", "unit.factor")
# by field of a variant that only a module brings: what to read then
_MODULES = {
    "weight": ("weight", "weight_uom.factor"),
    "attributes": ("attributes",),
    "components": (
        *(f"components.{name}" for name in _PART),
        *(f"template.components.{name}" for name in ("parent_product.id", *_PART)),
    ),
}
_PLACE = ("name", "code", "type", "active", "warehouse.id", *DATES)
_ENDS = tuple(f"{end}_location.{name}" for end in ("from", "to") for name in ("type", "warehouse.id"))
_MOVE = ("product.id", "internal_quantity", *_ENDS)


def place_of(location: Row) -> int | None:
    """The place that a location belongs to; None for customers, suppliers and the like."""
    if location["type"] == "warehouse":
        return int(location["id"])
    if location["type"] != "storage":
        return None
    return int((location["warehouse"] or location)["id"])


@dataclass
class Moved:
    """What moved in a page: variants by place, and when each variant last did."""

    places: dict[int, set[int]] = field(default_factory=lambda: defaultdict(set))
    at: dict[int, datetime] = field(default_factory=dict)

    def add(self, row: Row) -> None:
        product, at = row["product"]["id"], updated(row)
        self.at[product] = max(at, self.at.get(product, at))
        for end in ("from_location", "to_location"):
            if (place := place_of(row[end])) is not None:
                self.places[place].add(product)


@dataclass
class Goods:
    """Questions about goods over one connection; ``services`` bill shipping, fees and discounts and are no goods."""

    rest: Rest
    services: Sequence[str]
    currency: str

    @cached_property
    def _fields(self) -> tuple[str, ...]:
        """What this Tryton can say of a variant: a field that no module brought is an error there."""
        domain = [["model", "=", "product.product"], ["name", "in", list(_MODULES)]]
        known = {row["name"] for row in self.rest.rows("ir.model.field", domain, ["name"])}
        return (*_PRODUCT, *(name for key, names in _MODULES.items() if key in known for name in names))

    def products(self, since: datetime | None, token: str | None) -> Page:
        """Variants that changed, deactivated ones as well."""
        fields = self._fields
        hanging = ("template.", "identifiers.", *(("components.", "template.components.") if _kits(fields) else ()))
        domain = [["code", "not in", sorted(self.services)], *([changed(since, *hanging)] if since else [])]
        rows = rows_after(self.rest, "product.product", domain, fields, token, PRODUCTS)
        schema = self._schema(rows)
        deliveries = [delivery(PRODUCT_TOPIC, self._explained(row, schema)) for row in rows]
        return Page(deliveries, str(rows[-1]["id"]) if len(rows) == PRODUCTS else None)

    def _schema(self, rows: Sequence[Row]) -> Mapping[str, Row]:
        """What the attributes that occur here are called, and their values."""
        names = sorted({name for row in rows for name in row.get("attributes") or ()})
        if not names:
            return {}
        fields = ["name", "string", "type_", "selection_json"]
        return {row["name"]: row for row in every(self.rest, "product.attribute", [["name", "in", names]], fields)}

    def _explained(self, row: Row, schema: Mapping[str, Row]) -> Row:
        used = [schema[name] for name in sorted(row.get("attributes") or ()) if name in schema]
        return {**row, "currency": self.currency, "schema": used}

    def missing(self, product_ids: Sequence[str]) -> list[str]:
        """Those of these variants that were deleted; deactivated ones are there."""

        def there(ids: list[int]) -> set[int]:
            found = self.rest.rows("product.product", [["id", "in", ids]], ["code"], inactive=True)
            return {row["id"] for row in found}

        return missing(product_ids, there)

    def _places(self, since: datetime | None) -> Iterator[Row]:
        domain: list[Any] = [["type", "in", ["warehouse", "storage"]], *([changed(since)] if since else [])]
        for row in every(self.rest, "stock.location", domain, _PLACE):
            if place_of(row) == row["id"]:
                yield row

    def locations(self, since: datetime | None) -> Page:
        """Places that changed; there are few, so they come at once."""
        return Page([delivery(LOCATION_TOPIC, row) for row in self._places(since)])

    def levels(self, token: str | None) -> Page:
        """All levels, a page of variants at every place; what is deactivated only where something lies."""
        places = list(self._places(None))
        domain = [["type", "=", "goods"], ["consumable", "=", False]]
        rows = rows_after(self.rest, "product.product", domain, ["id"], token, IDS)
        stated, products = self._clock(), [row["id"] for row in rows]
        levels = self._levels({place["id"]: products for place in places if products})
        known = [row for row in levels if row["active"] or row["on_hand"] or row["available"]]
        body = {"levels": known, "stated_at": stated.isoformat()}
        stock = Delivery(STOCK_TOPIC, f"from {token or 0}", codec.canonical(body))
        first = [] if token else [delivery(LOCATION_TOPIC, row) for row in places]
        return Page([*first, *([stock] if rows else [])], str(rows[-1]["id"]) if len(rows) == IDS else None)

    def changed_levels(self, since: datetime, token: str | None) -> Page:
        """The levels of what moved; the same again as long as nothing else does, so that the inbox knows a repeat."""
        moved, last = self._moved(since, token)
        stated = self._clock()
        levels = self._levels({place: sorted(products) for place, products in sorted(moved.places.items())})
        body = {"levels": [{**row, "moved_at": moved.at[row["product"]].isoformat()} for row in levels]}
        context = {"stated_at": stated.isoformat()}
        stock = Delivery(STOCK_TOPIC, "changed", codec.canonical(body), context)
        return Page([stock] if levels else [], last)

    def _moved(self, since: datetime, token: str | None) -> tuple[Moved, str | None]:
        """Moves from the token on, until they make a page of variants or end."""
        found, last, full = Moved(), token, True
        while full and len(found.at) < VARIANTS:
            fields = ["product.id", *_ENDS, *DATES]
            rows = rows_after(self.rest, "stock.move", [changed(since)], fields, last, BATCH)
            for row in plain(rows):
                found.add(row)
            last, full = str(rows[-1]["id"]) if rows else last, len(rows) == BATCH
        return found, last if full else None

    def _clock(self) -> datetime:
        """The server's clock before what follows is read."""
        return self.rest.answered_at or datetime.now(UTC)

    def _levels(self, wanted: Mapping[int, Collection[int]]) -> list[Row]:
        """On hand and available of these variants at these places."""
        leaving = self._leaving(sorted({product for products in wanted.values() for product in products}))
        found = []
        for place, products in wanted.items():
            for row in self._on_hand(place, sorted(products)):
                on_hand = Decimal(str(row["quantity"] or 0))
                found.append(
                    {
                        "product": row["id"],
                        "location": place,
                        "code": row["code"],
                        "active": row["active"],
                        "on_hand": on_hand,
                        "available": on_hand - leaving[place, row["id"]],
                    }
                )
        return found

    def _on_hand(self, place: int, products: Sequence[int]) -> Iterator[Row]:
        """What lies at one place with all that is in it; several at once would sum up, or give nothing."""
        context = {"locations": [place], "with_childs": True}
        fields = ["code", "active", "quantity"]
        for ids in _parts(products):
            domain = [["id", "in", ids], ["type", "=", "goods"], ["consumable", "=", False]]
            found = self.rest.rows(
                "product.product", domain, fields, order=[["id", "ASC"]], inactive=True, context=context
            )
            yield from in_order(found)

    def _leaving(self, products: Sequence[int]) -> defaultdict[tuple[int, int], Decimal]:
        """By place and variant, what is going to leave: orders that wait or are being packed, transfers, returns."""
        found: defaultdict[tuple[int, int], Decimal] = defaultdict(Decimal)
        for ids in _parts(products):
            domain = [["product", "in", ids], ["state", "in", ["draft", "assigned"]]]
            for row in every(self.rest, "stock.move", domain, _MOVE):
                place = place_of(row["from_location"])
                if place is not None and place != place_of(row["to_location"]):
                    found[place, row["product"]["id"]] += Decimal(str(row["internal_quantity"] or 0))
        return found


def _kits(fields: Sequence[str]) -> bool:
    return any(name.startswith("components.") for name in fields)


def _parts(ids: Sequence[int]) -> Iterator[list[int]]:
    for start in range(0, len(ids), IDS):
        yield list(ids[start : start + IDS])
