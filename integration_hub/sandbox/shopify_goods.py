"""Products, inventory items, levels and locations of the played Shopify as GraphQL, and the mutation that sets levels."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from .graphql import GraphqlError
from .shopify_graph import Node, connection, gid, matches, number_of, utc
from .shopify_shelf import ShopifyShelf
from .store import Record

MAX_ROWS = 250


class ShopifyGoods:
    """Views of the shelf."""

    def __init__(self, shelf: ShopifyShelf) -> None:
        self._shelf = shelf
        self._pushed: dict[str, str] = {}

    def queries(self) -> Node:
        return {
            "productVariants": self._variants,
            "products": self._products,
            "product": lambda id: self._product(number_of(id, "Product")),
            "productVariant": lambda id: self._found_variant(number_of(id, "ProductVariant")),
            "locations": self._locations,
            "location": lambda id: next(
                (self._location(row) for row in self._shelf.places() if gid("Location", row["id"]) == id), None
            ),
        }

    def mutations(self) -> dict[str, Callable[..., Node]]:
        return {"inventorySetQuantities": self._set_quantities}

    def node(self, global_id: str) -> Node | None:
        """A variant, a product or an inventory item by its global id."""
        if row := self._shelf.variant(number_of(global_id, "ProductVariant")):
            return self._variant(row)
        if row := self._shelf.variant_of(number_of(global_id, "InventoryItem")):
            return self._item(row)
        return self._product(number_of(global_id, "Product"))

    def _variants(self, query: str | None = None, sortKey: str = "ID", **page: Any) -> Node:  # noqa: N803
        rows = [row for row in self._shelf.variants() if matches(row, query)]
        return connection("ProductVariant", rows, self._variant)(**page)

    def _products(self, query: str | None = None, sortKey: str = "ID", **page: Any) -> Node:  # noqa: N803
        """Sorted by the time of change and the id; a variant that changes moves its product."""
        numbers = sorted({row["product"] for row in self._shelf.variants()})
        rows = [{"id": number, "updated_at": self._changed(number)} for number in numbers]
        rows = [row for row in rows if matches(row, query)]
        by_time = sortKey == "UPDATED_AT"

        def key(row: Record) -> str:
            return f"{utc(row['updated_at']) if by_time else ''}|{row['id']}"

        rows.sort(key=key)
        return connection("Product", rows, lambda row: self._product(row["id"]) or {}, key)(**page)

    def _changed(self, number: int) -> str:
        return str(max(row["updated_at"] for row in self._shelf.of_product(number)))

    def _product(self, number: int) -> Node | None:
        rows = self._shelf.of_product(number)
        if not rows:
            return None
        return {**self._product_alone(number), "variants": connection("ProductVariant", rows, self._variant)}

    def _product_alone(self, number: int) -> Node:
        first = self._shelf.of_product(number)[0]
        return {
            "__typename": "Product",
            "id": gid("Product", number),
            "legacyResourceId": str(number),
            "title": first["product_title"],
            "status": first["status"].upper(),
            "productType": "Tee & Zubehör",
            "isGiftCard": first["gift_card"],
            "updatedAt": utc(self._changed(number)),
        }

    def _found_variant(self, number: int) -> Node | None:
        row = self._shelf.variant(number)
        return self._variant(row) if row else None

    def _variant(self, row: Record) -> Node:
        option = row["option"] or "Default Title"
        name = f"{row['product_title']} - {row['option']}" if row["option"] else row["product_title"]
        parts = [
            {"__typename": "ProductVariantComponent", "id": f"{row['id']}.{part}", "quantity": pieces, "part": part}
            for part, pieces in row["parts"]
        ]
        return {
            "__typename": "ProductVariant",
            "id": gid("ProductVariant", row["id"]),
            "legacyResourceId": str(row["id"]),
            "sku": row["sku"],
            "barcode": row["barcode"],
            "title": option,
            "displayName": name,
            "price": row["price"],
            "taxable": not row["gift_card"],
            "updatedAt": utc(row["updated_at"]),
            "requiresComponents": bool(row["parts"]),
            "selectedOptions": [
                {"__typename": "SelectedOption", "name": "Größe" if row["option"] else "Title", "value": option}
            ],
            "product": self._product_alone(row["product"]),
            "inventoryItem": self._item_alone(row),
            "productVariantComponents": connection(
                "ProductVariantComponent",
                parts,
                lambda part: {**part, "productVariant": self._found_variant(part["part"])},
            ),
        }

    def _item_alone(self, row: Record) -> Node:
        weight = {"__typename": "Weight", "value": float(row["grams"]), "unit": "GRAMS"}
        return {
            "__typename": "InventoryItem",
            "id": gid("InventoryItem", row["item"]),
            "legacyResourceId": str(row["item"]),
            "sku": row["sku"],
            "tracked": row["tracked"],
            "requiresShipping": not row["gift_card"],
            "measurement": {"__typename": "InventoryItemMeasurement", "weight": weight},
            "updatedAt": utc(row["updated_at"]),
        }

    def _item(self, row: Record) -> Node:
        return {
            **self._item_alone(row),
            "variant": {"__typename": "ProductVariant", "id": gid("ProductVariant", row["id"]), "sku": row["sku"]},
            "inventoryLevel": lambda locationId: self._level_at(row["item"], number_of(locationId, "Location")),  # noqa: N803
            "inventoryLevels": connection("InventoryLevel", self._shelf.levels(row["item"]), self._level),
        }

    def _level_at(self, item: int, place: int) -> Node | None:
        row = self._shelf.level(item, place)
        return self._level(row) if row else None

    def _level(self, row: Record) -> Node:
        held = {**row, "on_hand": row["available"] + row["committed"]}
        variant = self._shelf.variant_of(row["item"])
        return {
            "__typename": "InventoryLevel",
            "id": f"{gid('InventoryLevel', row['id'])}?inventory_item_id={row['item']}",
            "updatedAt": utc(row["updated_at"]),
            "quantities": lambda names: [
                {"__typename": "InventoryQuantity", "name": name, "quantity": held[name]}
                for name in ([names] if isinstance(names, str) else names)
            ],
            "item": self._item(variant) if variant else None,
            "location": {"__typename": "Location", "id": gid("Location", row["location"])},
        }

    def _locations(self, includeInactive: bool = False, includeLegacy: bool = False, **page: Any) -> Node:  # noqa: N803
        rows = [row for row in self._shelf.places() if row["active"] or includeInactive]
        return connection("Location", rows, self._location)(**page)

    def _location(self, row: Record) -> Node:
        def levels(query: str | None = None, **page: Any) -> Node:
            held = [one for one in self._shelf.levels() if one["location"] == row["id"] and matches(one, query)]
            return connection("InventoryLevel", held, self._level)(**page)

        return {
            "__typename": "Location",
            "id": gid("Location", row["id"]),
            "legacyResourceId": str(row["id"]),
            "name": row["name"],
            "isActive": row["active"],
            "inventoryLevels": levels,
        }

    def _set_quantities(self, input: Mapping[str, Any], idempotent: str | None = None) -> Node:
        """All rows or none; each says from which quantity it changes (null: from any)."""
        if not idempotent:
            raise GraphqlError("The @idempotent directive is required for this mutation but was not provided.")
        rows = input["quantities"]
        if len(rows) > MAX_ROWS:
            words = f"The input array size of {len(rows)} is greater than the maximum allowed of {MAX_ROWS}."
            raise GraphqlError(words, "MAX_INPUT_SIZE_EXCEEDED")
        wish = json.dumps(input, sort_keys=True)
        if self._pushed.get(idempotent, wish) != wish:
            words = "The same idempotency key cannot be used with different operation parameters."
            return _payload([_error(None, "", "IDEMPOTENCY_KEY_PARAMETER_MISMATCH", words)])
        if idempotent in self._pushed:
            return _payload([])
        self._race()
        errors = [error for place, row in enumerate(rows) if (error := self._refusal(place, row))]
        if not errors:
            self._pushed[idempotent] = wish
            for row in rows:
                self._shelf.change(self._level_of(row) or {}, {"available": row["quantity"]})
        return _payload(errors)

    def _race(self) -> None:
        """Somebody sells just before the push is compared."""
        while self._shelf.races:
            self._shelf.by_hand(*self._shelf.races.pop())

    def _level_of(self, row: Mapping[str, Any]) -> Record | None:
        return self._shelf.level(
            number_of(row["inventoryItemId"], "InventoryItem"), number_of(row["locationId"], "Location")
        )

    def _refusal(self, place: int, row: Mapping[str, Any]) -> Node | None:
        if "changeFromQuantity" not in row:
            raise GraphqlError("InventoryQuantityInput: changeFromQuantity is required", "INVALID_VARIABLE")
        variant = self._shelf.variant_of(number_of(row["inventoryItemId"], "InventoryItem"))
        level = self._level_of(row)
        if variant is None:
            return _error(
                place, "inventoryItemId", "INVALID_INVENTORY_ITEM", "The specified inventory item could not be found."
            )
        if variant["parts"]:
            words = "The specified inventory item is not allowed to be adjusted via API."
            return _error(place, "inventoryItemId", "NON_MUTABLE_INVENTORY_ITEM", words)
        if level is None:
            words = "The specified inventory item is not stocked at the location."
            return _error(place, "locationId", "ITEM_NOT_STOCKED_AT_LOCATION", words)
        if row["changeFromQuantity"] not in (None, level["available"]):
            words = "The changeFromQuantity argument no longer matches the persisted quantity."
            return _error(place, "changeFromQuantity", "CHANGE_FROM_QUANTITY_STALE", words)
        return None


def _error(place: int | None, name: str, code: str, message: str) -> Node:
    field = ["input"] if place is None else ["input", "quantities", str(place), name]
    return {"__typename": "InventorySetQuantitiesUserError", "field": field, "message": message, "code": code}


def _payload(errors: list[Node]) -> Node:
    group = {"__typename": "InventoryAdjustmentGroup", "id": gid("InventoryAdjustmentGroup", 1)}
    return {
        "__typename": "InventorySetQuantitiesPayload",
        "inventoryAdjustmentGroup": None if errors else group,
        "userErrors": errors,
    }
