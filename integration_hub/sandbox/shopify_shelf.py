"""The shelves of the played Shopify shop: variants, inventory items, two locations, and what is available at each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .catalogue import ARTICLES, BUNDLE, BUNDLE_PARTS, EXTRAS, GIFT_CARD, GRAMS, STOCK, Article, by_sku, title
from .shopify_hooks import ShopifyHooks
from .shopify_order import VARIANT_BASE, local, product_id
from .store import Record
from .world import World

ITEM_BASE = 52_407_150_000_000
VARIANTS, LEVELS, PLACES = "shopify.variants", "shopify.levels", "shopify.locations"
SECOND_PLACE = {"TK-200": 10, "BE-500": 10}  # what also lies in the store in town
_OPENED = "2026-01-05T10:00:00+01:00"


def variant_id(article: Article) -> int:
    return VARIANT_BASE + article.number


def _variant(article: Article) -> Record:
    return {
        "id": variant_id(article),
        "item": ITEM_BASE + article.number,
        "product": product_id(article),
        "product_title": article.title if article.variant else title(article),
        "option": article.option,
        "sku": article.sku,
        "barcode": article.gtin,
        "price": str(article.price),
        "gift_card": article is GIFT_CARD,
        "parts": [[variant_id(by_sku(sku)), pieces] for sku, pieces in BUNDLE_PARTS] if article is BUNDLE else [],
        "tracked": article not in EXTRAS,
        "grams": 0 if article is GIFT_CARD else GRAMS,
        "status": "active",
        "updated_at": _OPENED,
    }


class ShopifyShelf:
    """What lies where.  ``available`` may be sold, ``committed`` is sold and not yet sent; both lie there."""

    def __init__(self, world: World, hooks: ShopifyHooks) -> None:
        self._world = world
        self._store = world.store
        self._hooks = hooks
        self.races: list[tuple[int, int, int]] = []
        self._store.index(LEVELS, "item")
        self._store.index(VARIANTS, "product")
        self._store.index(VARIANTS, "item")
        if not self._store.count(PLACES):
            self._open()

    def _open(self) -> None:
        for number, name in ((1, "Hauptlager"), (2, "Laden Mitte")):
            self._store.put(PLACES, {"id": number, "name": name, "active": True})
        for article in (*ARTICLES, *EXTRAS):
            row = self._store.put(VARIANTS, _variant(article))
            if row["tracked"]:
                self.stock(row["item"], 1, STOCK)
                if article.sku in SECOND_PLACE:
                    self.stock(row["item"], 2, SECOND_PLACE[article.sku])

    def stock(self, item: int, place: int, available: int) -> Record:
        """Begin to stock an item at a location."""
        row = {"item": item, "location": place, "available": available, "committed": 0, "updated_at": _OPENED}
        return self._store.add(LEVELS, row)

    def variants(self) -> list[Record]:
        return self._store.rows(VARIANTS)

    def variant(self, number: int) -> Record | None:
        return self._store.get(VARIANTS, number)

    def variant_of(self, item: int) -> Record | None:
        return next(iter(self._store.where(VARIANTS, "item", item)), None)

    def of_product(self, number: int) -> list[Record]:
        return self._store.where(VARIANTS, "product", number)

    def places(self) -> list[Record]:
        return self._store.rows(PLACES)

    def levels(self, item: int | None = None) -> list[Record]:
        return self._store.rows(LEVELS) if item is None else self._store.where(LEVELS, "item", item)

    def level(self, item: int, place: int) -> Record | None:
        return next((row for row in self.levels(item) if row["location"] == place), None)

    def change(self, level: Record, changes: Record, *, announce: bool = True) -> Record:
        """Another number at one location, and ``inventory_levels/update``."""
        now = local(self._world.now())
        row = self._store.put(LEVELS, {**level, **changes, "updated_at": now})
        if announce:
            gid = f"gid://shopify/InventoryLevel/{row['id']}?inventory_item_id={row['item']}"
            told = {"inventory_item_id": row["item"], "location_id": row["location"], "available": row["available"]}
            self._hooks.send(("inventory_levels/update",), {**told, "updated_at": now, "admin_graphql_api_id": gid})
        return row

    def by_hand(self, number: int, place: int, quantity: int) -> Record:
        """A colleague sets what is available; KeyError where the variant is not stocked."""
        with self._world.lock:
            row = self._store.get(VARIANTS, number)
            level = self.level(row["item"], place) if row else None
            if level is None:
                raise KeyError(number)
            return self.change(level, {"available": quantity})

    def edit(self, number: int, changes: Record) -> Record:
        """Change a variant; its product says so."""
        with self._world.lock:
            row = self._store.get(VARIANTS, number)
            if row is None:
                raise KeyError(number)
            row = self._store.put(VARIANTS, {**row, **changes, "updated_at": local(self._world.now())})
            self._hooks.send(("products/update",), self.rest_product(row["product"]))
            if "tracked" in changes or "sku" in changes:
                told = {
                    "id": row["item"],
                    "sku": row["sku"],
                    "tracked": row["tracked"],
                    "updated_at": row["updated_at"],
                }
                self._hooks.send(("inventory_items/update",), told)
        return row

    def delete(self, number: int) -> None:
        """Remove a variant: its product is updated, and with its last variant deleted."""
        with self._world.lock:
            row = self._store.get(VARIANTS, number)
            if row is None:
                raise KeyError(number)
            self._store.remove(VARIANTS, number)
            for level in self.levels(row["item"]):
                self._store.remove(LEVELS, level["id"])
            left = self.of_product(row["product"])
            for other in left:
                self._store.put(VARIANTS, {**other, "updated_at": local(self._world.now())})
            if left:
                self._hooks.send(("products/update",), self.rest_product(row["product"]))
            else:
                self._hooks.send(("products/delete",), {"id": row["product"]})

    def rename(self, place: int, name: str) -> Record:
        row = self._store.get(PLACES, place)
        if row is None:
            raise KeyError(place)
        row = self._store.put(PLACES, {**row, "name": name})
        self._hooks.send(("locations/update",), row)
        return row

    def sell(self, lines: Sequence[Record], *, announce: bool) -> None:
        """An order commits its pieces at the first location; the rest of the world sees less available."""
        for item, pieces in self._pieces(lines, {line["id"]: line["quantity"] for line in lines}):
            self._move(item, announce=announce, available=-pieces, committed=pieces)

    def put_back(self, lines: Sequence[Record]) -> None:
        """A cancelled order gives back what has not been sent."""
        left = {line["id"]: line["fulfillable_quantity"] for line in lines}
        for item, pieces in self._pieces(lines, left):
            self._move(item, available=pieces, committed=-pieces)

    def ship(self, lines: Sequence[Record], wanted: Mapping[int, int]) -> None:
        """What is sent lies there no more; what is available stays."""
        for item, pieces in self._pieces(lines, wanted):
            self._move(item, announce=False, committed=-pieces)

    def _pieces(self, lines: Sequence[Record], wanted: Mapping[int, int]) -> list[tuple[int, int]]:
        found = []
        for line in lines:
            row, count = self.variant(line["variant_id"]), wanted.get(line["id"], 0)
            parts = [(self.variant(part), pieces) for part, pieces in row["parts"]] if row else []
            for one, pieces in parts or [(row, 1)]:
                if one is not None and count:
                    found.append((one["item"], count * pieces))
        return found

    def _move(self, item: int, *, announce: bool = True, **moves: int) -> None:
        level = self.level(item, 1)
        if level is not None:
            changes = {name: level[name] + pieces for name, pieces in moves.items()}
            self.change(level, changes, announce=announce)

    def rest_product(self, number: int) -> Record:
        """The product as products/update states it."""
        rows = self.of_product(number)
        first = rows[0]
        return {
            "id": number,
            "admin_graphql_api_id": f"gid://shopify/Product/{number}",
            "title": first["product_title"],
            "product_type": "Tee & Zubehör",
            "status": first["status"],
            "updated_at": max(row["updated_at"] for row in rows),
            "options": [{"name": "Größe" if first["option"] else "Title", "position": 1}],
            "variants": [_rest_variant(row, self._sum(row)) for row in rows],
            "variant_gids": [{"admin_graphql_api_id": f"gid://shopify/ProductVariant/{row['id']}"} for row in rows],
        }

    def _sum(self, row: Record) -> int:
        return sum(level["available"] for level in self.levels(row["item"]))


def _rest_variant(row: Record, quantity: int) -> dict[str, Any]:
    return {
        "id": row["id"],
        "admin_graphql_api_id": f"gid://shopify/ProductVariant/{row['id']}",
        "product_id": row["product"],
        "title": row["option"] or "Default Title",
        "option1": row["option"] or "Default Title",
        "option2": None,
        "option3": None,
        "price": row["price"],
        "sku": row["sku"],
        "barcode": row["barcode"],
        "taxable": not row["gift_card"],
        "inventory_item_id": row["item"],
        "inventory_quantity": quantity,
        "inventory_policy": "continue",
        "updated_at": row["updated_at"],
    }
