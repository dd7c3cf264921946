"""The products and stock of a Shopify shop in memory, answered by the operation's name."""

from __future__ import annotations

from typing import Any

CHANGED = "2026-11-21T16:00:00Z"
SEEN = {"seen": "2026-11-21T17:00:00+00:00"}


def gid(kind: str, number: Any) -> str:
    return f"gid://shopify/{kind}/{number}"


def variant(number: int = 501, **changes: Any) -> dict[str, Any]:
    """A blue mug; its inventory item has the number + 1000."""
    item = {"id": gid("InventoryItem", number + 1000), "tracked": True, "requiresShipping": True, "sku": "MUG-B"}
    return {
        "id": gid("ProductVariant", number),
        "sku": "MUG-B",
        "barcode": "4006381333931",
        "price": "11.90",
        "taxable": True,
        "updatedAt": CHANGED,
        "requiresComponents": False,
        "selectedOptions": [{"name": "Farbe", "value": "blau"}],
        "inventoryItem": {**item, "measurement": {"weight": {"value": 350.0, "unit": "GRAMS"}}},
        **changes,
    }


def product(number: int = 50, **changes: Any) -> dict[str, Any]:
    return {
        "id": gid("Product", number),
        "title": "Tasse",
        "status": "ACTIVE",
        "productType": "Geschirr",
        "isGiftCard": False,
        "updatedAt": CHANGED,
        **changes,
    }


SHOP = {"currencyCode": "EUR", "taxesIncluded": True}


def polled(*variants: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """The body of a polled product."""
    return {"shop": SHOP, "product": product(**changes), "variants": list(variants or (variant(),)), "whole": True}


def rest(**changes: Any) -> dict[str, Any]:
    """The same product as products/update states it."""
    one = {"id": 501, "product_id": 50, "title": "blau", "price": "11.90", "sku": "MUG-B", "barcode": "4006381333931"}
    more = {"option1": "blau", "option2": None, "taxable": True, "inventory_item_id": 1501, "inventory_quantity": 12}
    return {
        "id": 50,
        "title": "Tasse",
        "product_type": "Geschirr",
        "status": "active",
        "updated_at": "2026-11-21T17:00:00+01:00",
        "options": [{"id": 1, "name": "Farbe", "position": 1, "values": ["blau"]}],
        "variants": [{**one, **more, "updated_at": "2026-11-21T17:00:00+01:00"}],
        **changes,
    }


def level(**changes: Any) -> dict[str, Any]:
    """The body of inventory_levels/update."""
    body = {"inventory_item_id": 1501, "location_id": 1, "available": 6, "updated_at": "2026-11-21T17:00:00+01:00"}
    return {**body, **changes}


def shelf(**changes: Any) -> dict[str, Any]:
    """The body of a polled location with one level."""
    item = {
        "id": gid("InventoryItem", 1501),
        "sku": "MUG-B",
        "tracked": True,
        "variant": {"id": gid("ProductVariant", 501)},
    }
    held = [{"name": "available", "quantity": 12}, {"name": "on_hand", "quantity": 15}]
    one = {"id": "x", "updatedAt": CHANGED, "quantities": held, "item": item}
    return {"location": {"id": gid("Location", 1), "name": "Hauptlager", "isActive": True}, "levels": [one], **changes}


class Goods:
    """Variants of one product each (but 501 and 502), stocked at locations; ``races`` change a level before it is compared."""

    def __init__(self) -> None:
        self.variants = {501: variant(501), 502: variant(502, sku="MUG-R"), 503: variant(503)}
        self.variants[503]["inventoryItem"]["tracked"] = False
        self.places = {1: "Hauptlager", 2: "Laden"}
        self.levels: dict[tuple[int, int], int] = {(1501, 1): 12, (1502, 1): 8, (1501, 2): 3, (1503, 1): 0}
        self.set: list[tuple[tuple[int, int], int]] = []
        self.races: list[tuple[tuple[int, int], int]] = []
        self.errors: list[dict[str, Any]] = []
        self.keys: dict[str, Any] = {}
        self.batches: list[int] = []

    def products(self) -> list[dict[str, Any]]:
        several = [self.variants[number] for number in (501, 502)]
        alone = [self.variants[number] for number in self.variants if number > 502]
        return [
            {**product(50), "variants": {"pageInfo": {"hasNextPage": True, "endCursor": "1"}, "nodes": several[:1]}},
            *({**product(60 + place), "variants": page([one])} for place, one in enumerate(alone)),
        ]

    def on_products(self, variables: dict[str, Any]) -> Any:
        rows, place = self.products(), int(variables["after"] or 0)
        info = {"hasNextPage": place + 1 < len(rows), "endCursor": str(place + 1)}
        return {"shop": SHOP, "products": {"pageInfo": info, "nodes": rows[place : place + 1]}}

    def on_product_variants(self, variables: dict[str, Any]) -> Any:
        return {"product": {"variants": page([self.variants[502]])}}

    def on_all_variants(self, variables: dict[str, Any]) -> Any:
        rows = [{**one, "product": product(50)} for one in self.variants.values()]
        return {"shop": SHOP, "productVariants": page(rows)}

    def on_components(self, variables: dict[str, Any]) -> Any:
        part = {"quantity": 2, "productVariant": {"id": gid("ProductVariant", 502), "sku": "MUG-R"}}
        return {"productVariant": {"productVariantComponents": page([part])}}

    def on_present_variants(self, variables: dict[str, Any]) -> Any:
        return {"nodes": [{"id": one} if _number(one) in self.variants else None for one in variables["ids"]]}

    def on_items(self, variables: dict[str, Any]) -> Any:
        found = [self.variants.get(_number(one)) for one in variables["ids"]]
        return {
            "nodes": [one and {"id": one["id"], "inventoryItem": {"id": one["inventoryItem"]["id"]}} for one in found]
        }

    def on_places(self, variables: dict[str, Any]) -> Any:
        return {"locations": {"nodes": [{"id": gid("Location", number)} for number in list(self.places)[:2]]}}

    def on_shelves(self, variables: dict[str, Any]) -> Any:
        """One location a page, two levels a page."""
        where, start = int(variables["place"] or 0), int(variables["after"] or 0)
        number = list(self.places)[where]
        rows = [self._level(item, place, count) for (item, place), count in self.levels.items() if place == number]
        info = {"hasNextPage": start + 2 < len(rows), "endCursor": str(start + 2)}
        location = {"id": gid("Location", number), "name": self.places[number], "isActive": True}
        nodes = [{**location, "inventoryLevels": {"pageInfo": info, "nodes": rows[start : start + 2]}}]
        more = {"hasNextPage": where + 1 < len(self.places), "endCursor": str(where + 1)}
        return {"locations": {"pageInfo": more, "nodes": nodes}}

    def _level(self, item: int, place: int, count: int) -> dict[str, Any]:
        of = self.variants[item - 1000]
        held = [{"name": "available", "quantity": count}, {"name": "on_hand", "quantity": count + 1}]
        shown = {**of["inventoryItem"], "sku": of["sku"], "variant": {"id": of["id"]}}
        return {"id": f"{item}@{place}", "updatedAt": CHANGED, "quantities": held, "item": shown}

    def on_held(self, variables: dict[str, Any]) -> Any:
        assert len(variables["ids"]) <= 250
        return {"nodes": [self._held(_number(one), _number(variables["location"])) for one in variables["ids"]]}

    def _held(self, item: int, place: int) -> Any:
        of = self.variants.get(item - 1000)
        if of is None:
            return None
        count = self.levels.get((item, place))
        held = None if count is None else {"quantities": [{"name": "available", "quantity": count}]}
        return {"id": gid("InventoryItem", item), "tracked": of["inventoryItem"]["tracked"], "inventoryLevel": held}

    def on_set_quantities(self, variables: dict[str, Any]) -> Any:
        """All or nothing; the same key with the same wish is the same push, with another wish an error."""
        wish, key = variables["input"], variables["key"]
        assert self.keys.setdefault(key, wish) == wish
        self.batches.append(len(wish["quantities"]))
        for place, count in self.races:
            self.levels[place] = count
        self.races.clear()
        errors = self.errors or [
            _error(row, "changeFromQuantity", "CHANGE_FROM_QUANTITY_STALE")
            for row, one in enumerate(wish["quantities"])
            if self.levels[_place(one)] != one["changeFromQuantity"]
        ]
        if not errors:
            for one in wish["quantities"]:
                self.levels[_place(one)] = one["quantity"]
                self.set.append((_place(one), one["quantity"]))
        return {"inventorySetQuantities": {"inventoryAdjustmentGroup": None, "userErrors": errors}}


def page(nodes: list[dict[str, Any]]) -> dict[str, Any]:
    return {"pageInfo": {"hasNextPage": False, "endCursor": None}, "nodes": nodes}


def _error(row: int, name: str, code: str) -> dict[str, Any]:
    return {"field": ["input", "quantities", str(row), name], "message": "No.", "code": code}


def _number(one: str) -> int:
    return int(one.rpartition("/")[2])


def _place(one: dict[str, Any]) -> tuple[int, int]:
    return _number(one["inventoryItemId"]), _number(one["locationId"])
