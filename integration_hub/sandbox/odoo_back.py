"""What comes back in the played ERP: transfers from the customer, what of them is written off, money; changed lines of sales."""

from __future__ import annotations

from . import odoo_sales, odoo_stock
from .odoo_schema import OdooError, stamp, user_error
from .store import Record
from .world import World

WANTED = {
    "stock.picking": ("picking_type_id", "location_id", "location_dest_id"),
    "stock.scrap": ("product_id",),
    "account.payment": ("partner_id", "journal_id", "payment_type"),
}
BEGUN = tuple(WANTED)


def begun(world: World, model: str, number: int, given: Record) -> Record:
    """What Odoo fills in for a new transfer or scrap; refused without what the database wants."""
    for name in WANTED[model]:
        if not given.get(name):
            words = f"Create/update: a mandatory field is not set: {name} ({model})"
            raise OdooError("odoo.exceptions.ValidationError", words, 422)
    if model == "account.payment":
        return {"name": "", "state": "draft"}
    if model == "stock.scrap":
        return {"name": f"SP/{number:05d}", "state": "draft"}
    kind = world.store.get("stock.picking.type", given["picking_type_id"]) or {}
    place = "IN" if kind.get("code") == "incoming" else "OUT"
    return {"name": f"WH/{place}/{number:05d}", "state": "draft", "picking_type_code": kind.get("code"), "due": ""}


def move(world: World, picking: int, given: Record) -> Record:
    """A new move of a transfer."""
    row = {"id": world.store.next_id("stock.move"), "picking_id": picking, "state": "draft", "quantity": 0.0}
    return {**row, **given, "product_uom_qty": float(given["product_uom_qty"]), "write_date": stamp(world.now())}


def joined(world: World, picking: Record) -> None:
    """Whose transfer it is: until 18 by its group, since then by its moves."""
    if picking.get("sale_id"):
        return
    if int(str(world.switch("odoo_version"))) < 19:
        group = world.store.get("procurement.group", picking.get("group_id") or 0) or {}
        picking["sale_id"] = group.get("sale_id")
    else:
        lines = [row.get("sale_line_id") for row in _moves(world, picking)]
        line = world.store.get("sale.order.line", next(filter(None, lines), 0)) or {}
        picking["sale_id"] = line.get("order_id")
    world.store.put("stock.picking", picking)


def confirm(world: World, picking: Record) -> bool:
    """A draft is expected from now on."""
    if picking["state"] == "draft":
        _to(world, picking, "confirmed")
    return True


def assign(world: World, picking: Record) -> bool:
    """What comes from a customer is always there."""
    if picking["state"] not in ("confirmed", "waiting"):
        raise user_error("Nothing to check the availability for.")
    _to(world, picking, "assigned")
    return True


def validate(world: World, picking: Record) -> bool:
    """Book a transfer in; whatever was not counted would stay open, which is not played."""
    moves = _moves(world, picking)
    if picking["state"] in ("done", "cancel") or any(row["quantity"] < row["product_uom_qty"] for row in moves):
        raise user_error("You cannot validate a transfer if no quantities are reserved nor done.")
    for row in moves:
        if odoo_stock.is_kept(world, row["product_id"]):
            odoo_stock.change(world, row["product_id"], row["location_dest_id"], row["quantity"])
    _to(world, picking, "done")
    picking["date_done"] = stamp(world.now())
    sale = world.store.get("sale.order", picking.get("sale_id") or 0)
    if sale:
        odoo_sales.count_delivered(world, sale)
    return True


def scrap(world: World, row: Record) -> bool:
    """Write off what lies there."""
    if row["state"] != "draft":
        raise user_error("You can not enter negative quantities.")
    row.update(state="done", write_date=stamp(world.now()))
    world.store.put("stock.scrap", row)
    odoo_stock.change(world, row["product_id"], row["location_id"], -float(row["scrap_qty"]))
    return True


def post(world: World, payment: Record) -> bool:
    """Enter a payment into the books; Odoo answers false to that.  Refused for one that is there."""
    if payment["state"] != "draft":
        raise user_error("Only a draft payment can be posted.")
    since_18 = int(str(world.switch("odoo_version"))) >= 18
    payment.update(state="paid" if since_18 else "posted", name=f"PBNK1/2026/{payment['id']:05d}")
    payment["write_date"] = stamp(world.now())
    world.store.put("account.payment", payment)
    return False


def line_changed(world: World, before: Record, line: Record, given: Record) -> None:
    """Another quantity: a price that was not stated with it is computed anew before 18, and the delivery follows."""
    if "product_uom_qty" in given and "price_unit" not in given and int(str(world.switch("odoo_version"))) < 18:
        product = world.store.get("product.product", line["product_id"]) or {}
        line["price_unit"] = product.get("lst_price") or 0.0
    line["product_uom_qty"] = float(line["product_uom_qty"])
    odoo_sales.price_line(world, line)
    world.store.put("sale.order.line", line)
    sale = world.store.get("sale.order", line["order_id"])
    if sale and sale["state"] == "sale" and line["product_uom_qty"] < before["product_uom_qty"]:
        odoo_sales.reduce(world, sale, line)


def _moves(world: World, picking: Record) -> list[Record]:
    return [row for row in world.store.where("stock.move", "picking_id", picking["id"]) if row["state"] != "cancel"]


def _to(world: World, picking: Record, state: str) -> None:
    for row in [picking, *_moves(world, picking)]:
        row.update(state=state, write_date=stamp(world.now()))
        world.store.put("stock.picking" if row is picking else "stock.move", row)
