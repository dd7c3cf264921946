"""The products of the played WooCommerce: simple ones, the shirt as a variable one, a bundle and a gift card, with stock."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from .catalogue import ARTICLES, BUNDLE, BUNDLE_PARTS, EXTRAS, GIFT_CARD, GRAMS, STANDARD, STOCK, Article, by_sku, title
from .store import Record
from .woo_order import FAMILY_ID, SITE_OFFSET, gmt, product_id
from .world import World

TABLE = "woo.products"
_CHANGED = "2026-01-05T09:00:00"
_HIDDEN = ("fault",)


def _product(number: int, article: Article, **changes: Any) -> Record:
    return {
        "id": number,
        "name": title(article),
        "slug": article.sku.lower(),
        "date_created_gmt": _CHANGED,
        "date_modified_gmt": _CHANGED,
        "type": "simple",
        "status": "publish",
        "sku": article.sku,
        "global_unique_id": article.gtin,
        "price": str(article.price),
        "regular_price": str(article.price),
        "sale_price": "",
        "virtual": False,
        "downloadable": False,
        "tax_status": "taxable",
        "tax_class": "" if article.rate == STANDARD else "reduced-rate",
        "manage_stock": True,
        "stock_quantity": STOCK,
        "backorders": "yes",
        "weight": str(GRAMS / 1000),
        "categories": [{"id": 15, "name": "Tee &amp; Zubehör", "slug": "tee"}],
        "attributes": [],
        "variations": [],
        "parent_id": 0,
        "meta_data": [],
        **changes,
    }


def _extra(article: Article) -> Record:
    number, nothing = product_id(article)[0], {"manage_stock": False, "stock_quantity": None}
    if article is GIFT_CARD:
        meta = [{"id": 1, "key": "_gift_card", "value": "yes"}]
        return _product(number, article, virtual=True, tax_status="none", weight="", meta_data=meta, **nothing)
    parts = [
        {"bundled_item_id": place, "product_id": product_id(by_sku(sku))[0], "optional": False}
        | dict.fromkeys(("quantity_min", "quantity_max", "quantity_default"), pieces)
        for place, (sku, pieces) in enumerate(BUNDLE_PARTS, 1)
    ]
    return _product(number, article, type="bundle", bundled_items=parts, **nothing)


def catalogue() -> list[Record]:
    """All products as they are when the shop opens."""
    shirts = [item for item in ARTICLES if item.variant]
    sizes = [product_id(item)[1] for item in shirts]
    axes = [{"id": 0, "name": "Größe", "slug": "grose", "variation": True, "options": [item.option for item in shirts]}]
    blank = {
        "name": shirts[0].title,
        "sku": "TS-BASE",
        "global_unique_id": "",
        "manage_stock": False,
        "stock_quantity": None,
    }
    family = _product(FAMILY_ID, shirts[0], **blank, type="variable", variations=sizes, attributes=axes)
    return [
        family,
        *(_product(product_id(item)[0], item) for item in ARTICLES if not item.variant),
        *(_variation(item) for item in shirts),
        *(_extra(item) for item in EXTRAS),
    ]


def _variation(article: Article) -> Record:
    chosen = [{"id": 0, "name": "Größe", "slug": "grose", "option": article.option}]
    return _product(
        product_id(article)[1], article, type="variation", parent_id=FAMILY_ID, attributes=chosen, categories=[]
    )


class WooProducts:
    """The shelf of one shop.  Every change moves ``date_modified``, of a variation also its product's, and is announced."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._store = world.store
        self.announce: Callable[..., None] = lambda *_: None
        if not self._store.count(TABLE):
            for row in catalogue():
                self._store.put(TABLE, row)

    def get(self, number: int) -> Record | None:
        return self._store.get(TABLE, number)

    def rows(self, parent: int | None = None, *, variations: bool = False) -> list[Record]:
        """Products, or variations: of one product, or of all (``parent`` None)."""
        found = [row for row in self._store.rows(TABLE) if (row["type"] == "variation") == variations]
        return [row for row in found if parent in (None, row["parent_id"]) and row["status"] != "trash"]

    def shown(self, row: Record) -> Record:
        """The product as REST and webhooks give it."""
        stock = self._stock(row)
        local = {
            name: gmt(datetime.fromisoformat(row[f"{name}_gmt"]) + SITE_OFFSET)
            for name in ("date_created", "date_modified")
        }
        link = f"{self._world.address}/woo/product/{row['slug']}/"
        state = "instock" if stock is None or stock > 0 else "onbackorder"
        kept = {name: value for name, value in row.items() if name not in _HIDDEN}
        return {**kept, **local, "permalink": link, "stock_quantity": stock, "stock_status": state}

    def _stock(self, row: Record) -> int | None:
        """A variation whose stock its product keeps shows that one's number."""
        source = self._keeper(row)
        return source["stock_quantity"] if source["manage_stock"] else None

    def _keeper(self, row: Record) -> Record:
        return self.get(row["parent_id"]) or row if row["manage_stock"] == "parent" else row

    def edit(self, number: int, changes: Record, *, announce: bool = True) -> Record:
        """Change a product; KeyError where there is none."""
        with self._world.lock:
            row = self.get(number)
            if row is None:
                raise KeyError(number)
            now = gmt(self._world.now())
            self._store.put(TABLE, {**row, **changes, "date_modified_gmt": now})
            if parent := self.get(row["parent_id"]):
                self._store.put(TABLE, {**parent, "date_modified_gmt": now})
        if announce:
            self.announce("updated", number, "product")
        return self._store.get(TABLE, number) or row

    def set_stock(self, number: int, quantity: int, *, announce: bool = True) -> Record:
        """An absolute number, as staff or the REST interface write it; nothing where stock is not kept."""
        row = self.get(number)
        if row is None or row["manage_stock"] is not True:
            return self.edit(number, {}, announce=announce)
        return self.edit(number, {"stock_quantity": quantity}, announce=announce)

    def move(self, lines: Sequence[Record], sign: int, *, announce: bool) -> None:
        """Take an order's pieces off the shelf, or put them back; the bundle's parts stand on no line of their own here."""
        for line in lines:
            for number, pieces in self._pieces(line):
                row = self.get(number)
                keeper = self._keeper(row) if row else None
                if keeper is not None and keeper["manage_stock"]:
                    changes = {"stock_quantity": keeper["stock_quantity"] + sign * pieces}
                    self.edit(keeper["id"], changes, announce=announce)

    def _pieces(self, line: Record) -> list[tuple[int, int]]:
        number = line["variation_id"] or line["product_id"]
        row = self.get(number)
        if row is not None and row["type"] == "bundle":
            parts = row["bundled_items"]
            return [(part["product_id"], part["quantity_min"] * line["quantity"]) for part in parts]
        return [(number, line["quantity"])]

    def delete(self, number: int, *, force: bool) -> None:
        """Into the bin, which is announced, or for good, which is not; with a product go its variations."""
        with self._world.lock:
            row = self.get(number)
            if row is None:
                raise KeyError(number)
            for one in (number, *row["variations"]):
                if force:
                    self._store.remove(TABLE, one)
                elif found := self.get(one):
                    self._store.put(TABLE, {**found, "status": "trash"})
            parent = self.get(row["parent_id"])
            if parent is not None:
                left = [one for one in parent["variations"] if one != number]
                self.edit(parent["id"], {"variations": left})
        if not force:
            self.announce("deleted", number, "product")


BUNDLE_ID = product_id(BUNDLE)[0]
GIFT_CARD_ID = product_id(GIFT_CARD)[0]
