"""The products of a WooCommerce shop in memory: lists, variations, batches with their errors, settings."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from tests.connectors.world import Reply

from .articles import product, shirt, size

V3 = "/wp-json/wc/v3"
_LIST = re.compile(rf"{V3}/(?:products(?:/(\d+)/variations)?|(variations))")
_ONE = re.compile(rf"{V3}/products/(\d+)")
_BATCH = re.compile(rf"{V3}/products(?:/(\d+)/variations)?/batch")
_SETTING = re.compile(rf"{V3}/settings/\w+/(\w+)")
INVALID: Reply = (404, {}, '{"code":"woocommerce_rest_product_invalid_id","message":"Invalid ID."}')
NO_ROUTE: Reply = (404, {}, '{"code":"rest_no_route","message":"No route was found."}')


class Goods:
    """Keeps products by id; ``lists_variations``: whether the shop is new enough to list all variations at one address."""

    def __init__(self, *products: dict[str, Any], lists_variations: bool = True) -> None:
        some = products or (
            product(),
            product(8, manage_stock=False, stock_quantity=None),
            shirt(20, 21, 22),
            size(),
            size(22, "M"),
        )
        self.held = {str(one["id"]): dict(one) for one in some}
        self.lists_variations = lists_variations
        self.settings = {
            "woocommerce_currency": "EUR",
            "woocommerce_weight_unit": "kg",
            "woocommerce_prices_include_tax": "yes",
        }
        self.set: list[tuple[str, Any]] = []
        self.errors: dict[str, dict[str, str]] = {}
        self.whole_pieces = True

    def answer(self, method: str, path: str, query: dict[str, str], body: dict[str, Any]) -> Reply | None:
        """None where the address is none of ours."""
        if found := _BATCH.fullmatch(path):
            return self._batch(found[1], body)
        if found := _LIST.fullmatch(path):
            return self._list(found[1], bool(found[2]), query)
        if found := _ONE.fullmatch(path):
            return (200, {}, json.dumps(self.held[found[1]])) if found[1] in self.held else INVALID
        if found := _SETTING.fullmatch(path):
            return 200, {}, json.dumps({"id": found[1], "value": self.settings[found[1]]})
        return None

    def shown(self, raw: dict[str, Any]) -> dict[str, Any]:
        """A variation whose stock its product keeps shows the product's number."""
        if raw["manage_stock"] == "parent":
            return {**raw, "stock_quantity": self.held[str(raw["parent_id"])]["stock_quantity"]}
        return raw

    def _list(self, parent: str | None, everywhere: bool, query: dict[str, str]) -> Reply:
        if everywhere and not self.lists_variations:
            return NO_ROUTE
        rows = [self.shown(one) for one in self.held.values() if self._fits(one, parent, everywhere)]
        if "include" in query:
            rows = [one for one in rows if str(one["id"]) in query["include"].split(",")]
        after = query.get("modified_after", "").removesuffix("Z")
        rows = [one for one in rows if one["date_modified_gmt"] > after]
        rows.sort(key=lambda one: (one["date_modified_gmt"] if query.get("orderby") == "modified" else "", one["id"]))
        size, page = int(query.get("per_page", 10)), int(query.get("page", 1))
        names = set(filter(None, query.get("_fields", "").split(",")))
        chosen = [
            {k: v for k, v in one.items() if not names or k in names} for one in rows[(page - 1) * size : page * size]
        ]
        return 200, {"X-WP-TotalPages": str(-(-len(rows) // size))}, json.dumps(chosen)

    def _fits(self, one: dict[str, Any], parent: str | None, everywhere: bool) -> bool:
        if one["status"] == "trash":
            return False
        if everywhere or parent:
            return bool(one["type"] == "variation" and (everywhere or str(one["parent_id"]) == parent))
        return bool(one["type"] != "variation")

    def _batch(self, parent: str | None, body: dict[str, Any]) -> Reply:
        items: Sequence[dict[str, Any]] = body.get("update", [])
        if len(items) > 100:
            return 413, {}, '{"code":"woocommerce_rest_request_entity_too_large","message":"Too many."}'
        answers = [self._update(parent, item) for item in items]
        return 200, {}, json.dumps({"update": answers} if answers else [])

    def _update(self, parent: str | None, item: dict[str, Any]) -> dict[str, Any]:
        number = str(item["id"])
        held = self.held.get(number)
        if error := self.errors.get(number):
            return {"id": item["id"], "error": error}
        if held is None or (held["type"] == "variation") != bool(parent):
            return {
                "id": item["id"],
                "error": {"code": "woocommerce_rest_product_invalid_id", "message": "Invalid ID."},
            }
        quantity = item["stock_quantity"]
        held["stock_quantity"] = int(quantity) if self.whole_pieces else quantity
        self.set.append((number, held["stock_quantity"]))
        return self.shown(held)
