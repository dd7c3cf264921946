"""What lies where in the played ERP: two warehouses, quants as Odoo keeps them, kits, and a hand that counts.

As in Odoo a quant that has become empty is deleted, and every change is a move.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from html import escape
from typing import Any

from .catalogue import ARTICLES
from .odoo_schema import stamp
from .store import Record
from .world import World

# id, name, complete name, usage, parent
ROOMS = (
    (1, "WH", "WH", "view", 0),
    (2, "Stock", "WH/Stock", "internal", 1),
    (3, "Regal 1", "WH/Stock/Regal 1", "internal", 2),
    (4, "LADEN", "LADEN", "view", 0),
    (5, "Stock", "LADEN/Stock", "internal", 4),
    (6, "Customers", "Partners/Customers", "customer", 0),
    (7, "Inventory adjustment", "Virtual Locations/Inventory adjustment", "inventory", 0),
)
STOCK, SHELF, STORE, CUSTOMERS, COUNTED = 2, 3, 5, 6, 7
DELIVERIES, RECEIPTS = 1, 2  # operation types
OPENING = ((STOCK, 990), (SHELF, 10), (STORE, 10))
SIZES = {"S": 1, "M": 2, "L": 3}
GRAMS = 350


def furnish(world: World) -> None:
    """Rooms, units, groups, what articles are made of and an opening stock, where there is none yet."""
    store = world.store
    if not store.count("stock.picking.type"):
        kinds = (("Lieferaufträge", "outgoing", RECEIPTS, CUSTOMERS), ("Wareneingänge", "incoming", DELIVERIES, STOCK))
        for name, code, back, place in kinds:
            row = {"name": name, "code": code, "return_picking_type_id": back, "default_location_dest_id": place}
            store.add("stock.picking.type", row)
    if store.count("stock.location"):
        return
    now = stamp(world.now())
    for number, name, complete, usage, parent in ROOMS:
        kept = {"usage": usage, "location_id": parent, "active": True, "write_date": now}
        store.put("stock.location", {"id": number, "name": name, "complete_name": complete, **kept})
    store.add("uom.uom", {"name": "Stück", "factor": 1.0})
    store.add("uom.uom", {"name": "Dutzend", "factor": 12.0})
    store.add("product.category", {"name": "Handelsware"})
    store.add("product.attribute", {"name": "Größe"})
    for size in SIZES:
        store.add("product.template.attribute.value", {"name": size, "attribute_id": 1})
    _articles(world)
    fill(world)


def _articles(world: World) -> None:
    """What the articles that are there already need besides; those of one family share their template."""
    by_sku = {article.sku: article for article in ARTICLES}
    templates: dict[str, int] = {}
    for row in world.store.rows("product.product"):
        article = by_sku.get(row["default_code"])
        name = article.title if article else row["name"]
        if name not in templates:
            templates[name] = world.store.add("product.template", {"name": name})["id"]
        goods = row["type"] != "service"
        row |= {"product_tmpl_id": templates[name], "uom_id": 1, "currency_id": 1, "is_storable": goods}
        row |= {"weight": GRAMS / 1000 if goods else 0.0, "weight_uom_name": "kg", "categ_id": 1}
        row["lst_price"] = row.get("list_price") or 0.0
        if article:
            row["taxes_id"] = [tax["id"] for tax in world.store.rows("account.tax") if _fits(tax, article.rate)]
            row["product_template_attribute_value_ids"] = [SIZES[article.option]] if article.option else []
        world.store.put("product.product", row)


def _fits(tax: Record, rate: Decimal) -> bool:
    return bool(tax["price_include"]) and Decimal(str(tax["amount"])) == rate * 100


def fill(world: World) -> None:
    """The opening stock of every article, instead of what is there."""
    world.store.clear("stock.quant")
    for row in world.store.rows("product.product"):
        for room, pieces in OPENING if row["is_storable"] else ():
            change(world, row["id"], room, pieces)


def change(world: World, product: int, room: int, pieces: float, held: float = 0) -> None:
    """So many more lie there and are held; an empty quant is deleted."""
    found = next((row for row in _quants(world, product) if row["location_id"] == room), None)
    if found is None:
        found = {"id": world.store.next_id("stock.quant"), "product_id": product, "location_id": room}
        found |= {"quantity": 0.0, "reserved_quantity": 0.0}
    found["quantity"] += pieces
    found["reserved_quantity"] = max(0.0, found["reserved_quantity"] + held)
    found["write_date"] = stamp(world.now())
    world.store.put("stock.quant", found)
    if not found["quantity"] and not found["reserved_quantity"]:
        world.store.remove("stock.quant", found["id"])


def _quants(world: World, product: int) -> list[Record]:
    return world.store.where("stock.quant", "product_id", product)


def is_kept(world: World, product: int) -> bool:
    """Whether stock is kept of it."""
    return bool((world.store.get("product.product", product) or {}).get("is_storable"))


def taken_apart(world: World, product: int, pieces: float) -> list[tuple[int, float]]:
    """A kit's parts, or the article itself."""
    found = world.store.get("product.product", product) or {}
    for bom in world.store.where("mrp.bom", "product_tmpl_id", found.get("product_tmpl_id")):
        if bom["type"] == "phantom" and bom.get("product_id") in (None, False, product):
            lines = world.store.where("mrp.bom.line", "bom_id", bom["id"])
            return [(line["product_id"], pieces * _pieces(world, line) / _pieces(world, bom)) for line in lines]
    return [(product, pieces)]


def _pieces(world: World, row: Record) -> float:
    """How many single ones a line of a kit means."""
    unit = world.store.get("uom.uom", row["product_uom_id"]) or {}
    return float(row["product_qty"] * unit.get("factor", 1.0))


def reserve(world: World, move: Record) -> None:
    """Hold what a delivery wants, as much as there is."""
    if not is_kept(world, move["product_id"]):
        return
    free = [row for row in _quants(world, move["product_id"]) if row["location_id"] == move["location_id"]]
    pieces = min(move["product_uom_qty"], max(0.0, sum(row["quantity"] - row["reserved_quantity"] for row in free)))
    move["held"] = pieces
    if pieces:
        change(world, move["product_id"], move["location_id"], 0, pieces)


def release(world: World, move: Record) -> None:
    """Hold no longer what a delivery held."""
    if held := move.pop("held", 0):
        change(world, move["product_id"], move["location_id"], 0, -held)


def leave(world: World, move: Record) -> None:
    """What a delivery moved is not there any more."""
    release(world, move)
    if move["quantity"] and is_kept(world, move["product_id"]):
        change(world, move["product_id"], move["location_id"], -move["quantity"])


def count(world: World, sku: str, pieces: float, room: int = STOCK) -> Record:
    """A colleague has counted: so many lie in this room.  KeyError for what is not known or not kept."""
    product = next((row for row in world.store.where("product.product", "default_code", sku)), None)
    if product is None or not product["is_storable"] or world.store.get("stock.location", room) is None:
        raise KeyError(sku)
    lies = sum(row["quantity"] for row in _quants(world, product["id"]) if row["location_id"] == room)
    ends = (COUNTED, room) if pieces >= lies else (room, COUNTED)
    row = {
        "name": "Product Quantity Updated",
        "state": "done",
        "product_id": product["id"],
        "quantity": abs(pieces - lies),
    }
    row |= {"product_uom_qty": abs(pieces - lies), "location_id": ends[0], "location_dest_id": ends[1]}
    world.store.add("stock.move", {**row, "write_date": stamp(world.now())})
    change(world, product["id"], room, pieces - lies)
    return levels(world)


def levels(world: World) -> Record:
    """By number and room, how many lie there and are held."""
    found: Record = {}
    names = {number: complete for number, _name, complete, *_rest in ROOMS}
    for row in world.store.rows("stock.quant"):
        product = world.store.get("product.product", row["product_id"]) or {}
        kept = {"quantity": row["quantity"], "reserved": row["reserved_quantity"]}
        found.setdefault(product.get("default_code", ""), {})[names[row["location_id"]]] = kept
    return found


def shelf(world: World) -> str:
    """The main room as rows of a table, each to be counted by hand."""
    rows = []
    for product in world.store.rows("product.product"):
        if product["is_storable"]:
            sku = escape(product["default_code"])
            lies = sum(row["quantity"] for row in _quants(world, product["id"]) if row["location_id"] == STOCK)
            field = f'<input name="quantity" type="number" aria-label="{sku} in the ERP" value="{lies:g}">'
            hidden = f'<input type="hidden" name="sku" value="{sku}">'
            form = f'<form method="post" action="/control/odoo/stock">{hidden}{field}<button>Count</button></form>'
            rows.append(f"<tr><td>{sku}</td><td>{form}</td></tr>")
    return "".join(rows)


def routes(world: World) -> list[tuple[str, str, Callable[..., Any]]]:
    """The levers of the control room: look, and count."""

    def look(given: Record) -> Record:
        with world.lock:
            return levels(world)

    def counted(given: Record) -> Record:
        with world.lock:
            return count(world, given["sku"], float(given["quantity"]), int(given.get("room") or STOCK))

    return [("GET", "/control/odoo/stock", look), ("POST", "/control/odoo/stock", counted)]
