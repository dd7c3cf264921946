"""Asking ERPNext about goods: items, warehouses and how many of what lie where.

A template (``has_variants``) is not sold, its variants are.  What lies at a warehouse and is promised there stands in a Bin, which
ERPNext makes with the first movement, keeps for ever and stamps with each change.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from functools import cached_property
from typing import Any

from integration_hub.kernel import codec, fields
from integration_hub.kernel.errors import unreadable

from ._erpnext_api import ErpNextApi, Filters, Row
from ._erpnext_poll import changed
from ._erpnext_writer import the_company
from .base import Delivery, Page

PRODUCT_TOPIC = "product.polled"
LOCATION_TOPIC = "location.polled"
STOCK_TOPIC = "stock.polled"
PRODUCTS = 80  # a page of items
BINS = 500  # that a page of changed levels takes in
LISTED = 200  # items of a page of all levels

_ITEM = [
    *("item_name", "disabled", "has_variants", "variant_of", "is_stock_item", "stock_uom", "item_group"),
    *("weight_per_unit", "weight_uom", "modified"),
]
_TOLD = (
    "name",
    "item_name",
    "disabled",
    "variant_of",
    "is_stock_item",
    "stock_uom",
    "item_group",
    "weight_per_unit",
    "weight_uom",
)
_PRICE = ["item_code", "price_list_rate", "currency", "uom", "valid_from", "valid_upto", "customer", "modified"]
_HELD = ("reserved_qty", "reserved_qty_for_production", "reserved_qty_for_sub_contract")
_BIN = ["item_code", "warehouse", "actual_qty", *_HELD, "modified"]
_PHASES = ("item", "price", "bundle")


class Goods:
    """Questions about goods over one connection."""

    def __init__(self, api: ErpNextApi, config: Any) -> None:
        self._api = api
        self._config = config

    def products(self, since: datetime | None, token: str | None) -> Page:
        """Items that changed, disabled ones too; then those whose price or parts did, which leaves the item's own time as it was."""
        phase, _, last = (token or "item:").partition(":")
        if phase not in _PHASES:
            raise unreadable("unknown token %(token)s", token=token)
        window = changed(self._api, since, last)
        asked = {
            "item": lambda: self._api.rows("Item", [], window, limit=PRODUCTS),
            "price": lambda: self._prices_changed(window),
            "bundle": lambda: self._api.rows("Product Bundle", ["new_item_code"], window, limit=PRODUCTS),
        }
        rows = asked[phase]()
        codes = {row.get("new_item_code") or row.get("item_code") or row["name"] for row in rows}
        following = _PHASES[_PHASES.index(phase) + 1 :] if since else ()
        more = f"{phase}:{rows[-1]['name']}" if len(rows) == PRODUCTS else f"{following[0]}:" if following else None
        return Page(self._told(sorted(codes)), more)

    def _prices_changed(self, window: Filters) -> list[Row]:
        if not self._config.price_list:
            return []
        of = [["price_list", "=", self._config.price_list], ["selling", "=", 1], *window]
        return self._api.rows("Item Price", ["item_code"], of, limit=PRODUCTS)

    def _told(self, codes: Sequence[str]) -> list[Delivery]:
        """Each item with what belongs to it."""
        found = self._api.every("Item", _ITEM, [["name", "in", list(codes)]]) if codes else ()
        items = [row for row in found if not row["has_variants"]]
        names = [row["name"] for row in items]
        attributes = self._children("Item Variant Attribute", ["attribute", "attribute_value"], names)
        barcodes = self._children("Item Barcode", ["barcode"], names)
        taxes = self._children("Item Tax", ["item_tax_template"], names)
        titles, prices, bundles = self._titles(items), self._prices(items), self._bundles(names)
        bodies = []
        for row in items:
            name = row["name"]
            times = [row["modified"], *(one[name]["modified"] for one in (prices, bundles) if name in one)]
            more: Row = {"attributes": attributes[name], "barcodes": barcodes[name], "taxes": taxes[name]}
            more |= {"price": prices.get(name), "parts": bundles[name]["parts"] if name in bundles else []}
            told = {key: row[key] for key in _TOLD} | {"variant_title": titles.get(row["variant_of"], "")}
            bodies.append({**told, **more, "modified_at": max(self._api.moment(one) for one in times)})
        bodies.sort(key=lambda body: (body["modified_at"], body["name"]))
        return [Delivery(PRODUCT_TOPIC, body["name"], codec.canonical(body)) for body in bodies]

    def _children(self, doctype: str, names: Sequence[str], items: Sequence[str]) -> defaultdict[str, list[Row]]:
        """Rows of a table of the item, in their order there."""
        found: defaultdict[str, list[Row]] = defaultdict(list)
        at = [["parent", "in", list(items)], ["parenttype", "=", "Item"]]
        rows = list(self._api.every(doctype, ["parent", "idx", *names], at, "Item")) if items else []
        for row in sorted(rows, key=lambda row: int(row["idx"])):
            found[row["parent"]].append({name: row[name] for name in names})
        return found

    def _titles(self, items: Sequence[Row]) -> dict[str, str]:
        names = sorted({row["variant_of"] for row in items if row["variant_of"]})
        rows = self._api.every("Item", ["item_name"], [["name", "in", names]]) if names else ()
        return {row["name"]: row["item_name"] for row in rows}

    def _prices(self, items: Sequence[Row]) -> dict[str, Row]:
        """By item, its price in the list of the settings: for everybody, in its own unit, of today."""
        if not self._config.price_list or not items:
            return {}
        units = {row["name"]: row["stock_uom"] for row in items}
        of = [["price_list", "=", self._config.price_list], ["selling", "=", 1], ["item_code", "in", list(units)]]
        today = str(self._api.day(self._clock()))
        found = [
            row
            for row in self._api.every("Item Price", _PRICE, of)
            if not row["customer"]
            and (row["uom"] or units[row["item_code"]]) == units[row["item_code"]]
            and str(row["valid_from"] or "") <= today <= str(row["valid_upto"] or today)
        ]
        found.sort(key=lambda row: str(row["valid_from"] or ""))
        names = ("price_list_rate", "currency", "modified")
        return {row["item_code"]: {name: row[name] for name in names} for row in found}

    def _bundles(self, names: Sequence[str]) -> dict[str, Row]:
        """By item that is sold as a bundle, its parts."""
        of = [["new_item_code", "in", list(names)]]
        bundles = list(self._api.every("Product Bundle", ["new_item_code", "modified"], of)) if names else []
        parts: defaultdict[str, list[Row]] = defaultdict(list)
        at = [["parent", "in", [row["name"] for row in bundles]]]
        rows = self._api.every("Product Bundle Item", ["parent", "item_code", "qty"], at, "Product Bundle")
        for row in rows if bundles else ():
            parts[row["parent"]].append({"item_code": row["item_code"], "qty": row["qty"]})
        return {
            row["new_item_code"]: {
                "modified": row["modified"],
                "parts": sorted(parts[row["name"]], key=lambda part: str(part["item_code"])),
            }
            for row in bundles
        }

    def missing(self, product_ids: Sequence[str]) -> list[str]:
        """Those of these items that were deleted or renamed; disabled ones are there."""
        found = self._api.every("Item", [], [["name", "in", list(product_ids)]]) if product_ids else ()
        there = {row["name"] for row in found}
        return [one for one in product_ids if one not in there]

    @cached_property
    def _warehouses(self) -> list[Row]:
        """Those of the company that goods can lie at."""
        company = the_company(self._api, self._config.company)
        of = [["is_group", "=", 0], ["company", "=", company["name"]]]
        return list(self._api.every("Warehouse", ["disabled", "modified"], of))

    def locations(self, since: datetime | None) -> Page:
        """Warehouses that changed; there are few, so they come at once."""
        after = self._api.since(since) if since else ""
        rows = [row for row in self._warehouses if str(row["modified"]) >= after]
        told = [{"name": row["name"], "disabled": row["disabled"]} for row in rows]
        return Page([Delivery(LOCATION_TOPIC, row["name"], codec.canonical(row)) for row in told])

    def levels(self, token: str | None) -> Page:
        """All levels, a page of items at every warehouse that is in use; disabled items only where something lies."""
        first = [] if token else list(self.locations(None).deliveries)
        of = [["is_stock_item", "=", 1], ["has_variants", "=", 0], *([["name", ">", token]] if token else [])]
        items = self._api.rows("Item", ["disabled"], of, limit=LISTED)
        stated = self._clock()
        in_use = [row["name"] for row in self._warehouses if not row["disabled"]]
        keys = {(row["name"], place) for row in items if not row["disabled"] for place in in_use}
        at = [["item_code", "in", [row["name"] for row in items]], ["warehouse", "in", self._places]]
        bins = {
            (row["item_code"], row["warehouse"]): row for row in (self._api.every("Bin", _BIN, at) if items else ())
        }
        lying = {key for key, row in bins.items() if any(_numbers(row))}
        rows = [_level(product, place, bins.get((product, place))) for product, place in sorted(keys | lying)]
        body = {"levels": rows, "stated_at": stated.isoformat()}
        stock = Delivery(STOCK_TOPIC, f"from {token or ''}"[: fields.MAX_ID], codec.canonical(body))
        return Page([*first, *([stock] if items else [])], items[-1]["name"] if len(items) == LISTED else None)

    @property
    def _places(self) -> list[str]:
        return [row["name"] for row in self._warehouses]

    def changed_levels(self, since: datetime, token: str | None) -> Page:
        """The levels that changed; the same again as long as nothing else does, so that the inbox knows a repeat."""
        window = [*changed(self._api, since, token or ""), ["warehouse", "in", self._places]]
        rows = self._api.rows("Bin", _BIN, window, limit=BINS)
        stated = self._clock()
        levels = [
            {**_level(row["item_code"], row["warehouse"], row), "moved_at": self._api.moment(row["modified"])}
            for row in rows
        ]
        body = codec.canonical({"levels": sorted(levels, key=lambda row: (row["product"], row["location"]))})
        stock = Delivery(STOCK_TOPIC, "changed", body, {"stated_at": stated.isoformat()})
        return Page([stock] if rows else [], rows[-1]["name"] if len(rows) == BINS else None)

    def _clock(self) -> datetime:
        """The server's clock before what follows is read."""
        return self._api.answered_at or datetime.now(UTC)


def _numbers(row: Mapping[str, Any]) -> tuple[Decimal, Decimal]:
    """What lies there, and what of it is promised to orders and production."""
    held = sum((fields.amount(row, name, Decimal(0)) for name in _HELD), Decimal(0))
    return fields.amount(row, "actual_qty", Decimal(0)), held


def _level(product: str, place: str, row: Mapping[str, Any] | None) -> Row:
    lies, held = _numbers(row) if row else (Decimal(0), Decimal(0))
    return {"product": product, "location": place, "on_hand": lies, "available": lies - held}
