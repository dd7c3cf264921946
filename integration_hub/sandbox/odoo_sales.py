"""A sale in the played ERP: its amounts as Odoo computes them, its confirmation, and the parcels that follow."""

from __future__ import annotations

from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from . import odoo_stock
from .odoo_schema import related, stamp, user_error
from .store import Record
from .world import World

CENT = Decimal("0.01")
OPEN_PICKING = "assigned"


def _round(amount: Decimal, digits: Decimal = CENT) -> Decimal:
    return amount.quantize(digits, rounding=ROUND_HALF_UP)


def price_line(world: World, line: Record) -> None:
    """Round per line, as Odoo's default does; unit price and discount keep two digits like their columns."""
    line["price_unit"] = float(_round(Decimal(str(line.get("price_unit") or 0))))
    line["discount"] = float(_round(Decimal(str(line.get("discount") or 0))))
    reduced = Decimal(str(line["price_unit"])) * (1 - Decimal(str(line["discount"])) / 100)
    base = _round(reduced * Decimal(str(line.get("product_uom_qty", 1))))
    taxes = [tax for number in line.get("tax_id") or () if (tax := world.store.get("account.tax", number))]
    inside = sum((Decimal(str(tax["amount"])) for tax in taxes if tax["price_include"]), Decimal(0))
    on_top = sum((Decimal(str(tax["amount"])) for tax in taxes if not tax["price_include"]), Decimal(0))
    net = base - _round(base - base / (1 + inside / 100)) if inside else base
    due = (base - net) + _round(net * on_top / 100)
    line.update(price_subtotal=float(net), price_tax=float(due), price_total=float(net + due))


def total_up(world: World, sale: Record) -> None:
    """Recompute a sale's amounts from its lines."""
    lines = world.store.where("sale.order.line", "order_id", sale["id"])
    net = sum((Decimal(str(line["price_subtotal"])) for line in lines), Decimal(0))
    tax = sum((Decimal(str(line["price_tax"])) for line in lines), Decimal(0))
    sale.update(amount_untaxed=float(net), amount_tax=float(tax), amount_total=float(net + tax))


def _touch(world: World, model: str, record: Record) -> None:
    record["write_date"] = stamp(world.now())
    world.store.put(model, record)


def confirm(world: World, sale: Record) -> bool:
    """Confirm a quotation; refused for anything else, as in Odoo."""
    if sale["state"] not in ("draft", "sent"):
        raise user_error("Some orders are not in a state requiring confirmation.")
    lines = world.store.where("sale.order.line", "order_id", sale["id"])
    if not lines:
        raise user_error("You need at least one product line before calling Confirm.")
    sale["state"] = "sale"
    sale["date_order"] = stamp(world.now())
    _touch(world, "sale.order", sale)
    wanted = [part for line in lines if _is_goods(world, line) for part in parts(world, line)]
    if wanted:
        _new_picking(world, sale, wanted, None)
    return True


Part = tuple[int, float, int]  # product, pieces, line of the sale


def parts(world: World, line: Record) -> list[Part]:
    """What a line of a sale is delivered as."""
    of = odoo_stock.taken_apart(world, line["product_id"], line["product_uom_qty"])
    return [(product, pieces, line["id"]) for product, pieces in of]


def _is_goods(world: World, line: Record) -> bool:
    product = world.store.get("product.product", line.get("product_id") or 0) or {}
    return product.get("type") == "consu" and line["product_uom_qty"] > 0


def _new_picking(
    world: World, sale: Record, wanted: list[Part], backorder: int | None, state: str = OPEN_PICKING
) -> Record:
    number = world.store.next_id("stock.picking")
    wait = world.switch("odoo_ship_after")
    picking = world.store.put(
        "stock.picking",
        {
            "id": number,
            "name": f"WH/OUT/{number:05d}",
            "state": state,
            "origin": sale["name"],
            "picking_type_code": "outgoing",
            "picking_type_id": odoo_stock.DELIVERIES,
            "partner_id": sale.get("partner_shipping_id"),
            "location_id": odoo_stock.STOCK,
            "location_dest_id": odoo_stock.CUSTOMERS,
            "group_id": _group(world, sale),
            "sale_id": sale["id"],
            "backorder_id": backorder,
            "write_date": stamp(world.now()),
            "due": stamp(world.now() + timedelta(seconds=wait)) if wait else "",
        },
    )
    for product, quantity, line in wanted:
        name = (world.store.get("product.product", product) or {}).get("name", "")
        row = {"name": name, "state": state, "picking_id": number, "product_id": product}
        row |= {"sale_line_id": line, "product_uom": 1, "group_id": picking["group_id"]}
        row |= {"location_id": odoo_stock.STOCK, "location_dest_id": odoo_stock.CUSTOMERS}
        move = world.store.add("stock.move", {**row, "product_uom_qty": quantity, "quantity": 0.0})
        odoo_stock.reserve(world, move)
        _touch(world, "stock.move", move)
    return picking


def _group(world: World, sale: Record) -> int:
    """What binds a sale's transfers together, until 18."""
    if not sale.get("procurement_group_id"):
        group = world.store.add("procurement.group", {"name": sale["name"], "sale_id": sale["id"]})
        sale["procurement_group_id"] = group["id"]
        world.store.put("sale.order", sale)
    return int(sale["procurement_group_id"])


def due_pickings(world: World) -> list[Record]:
    """Open pickings whose time has come."""
    now = stamp(world.now())
    return [
        row for row in world.store.where("stock.picking", "state", OPEN_PICKING) if row["due"] and row["due"] <= now
    ]


def ship(world: World, picking: Record, partial: bool = False) -> None:
    """Validate a picking, wholly or (where it holds more than one unit) in part with a backorder for the rest."""
    moves = world.store.where("stock.move", "picking_id", picking["id"])
    rest: list[Part] = []
    if partial and sum(move["product_uom_qty"] for move in moves) > 1:
        rest = _split(moves)
    for move in moves:
        done = move["product_uom_qty"] > 0
        move.update(state="done" if done else "cancel", quantity=move["product_uom_qty"])
        odoo_stock.leave(world, move)
        _touch(world, "stock.move", move)
    parcel = f"0034043410{world.parcels.randrange(10**10):010d}"
    picking.update(
        state="done",
        date_done=stamp(world.now()),
        carrier_id=1,
        carrier_tracking_ref=parcel,
        carrier_tracking_url=f"https://tracking.example/{parcel}",
    )
    _touch(world, "stock.picking", picking)
    sale = world.store.get("sale.order", picking["sale_id"])
    if sale:
        count_delivered(world, sale)
    if rest and sale:
        _new_picking(world, sale, rest, picking["id"])


def _split(moves: list[Record]) -> list[Part]:
    """Leave half of the units (at least one) in the parcel; gives what is left behind."""
    keep = max(1.0, sum(move["product_uom_qty"] for move in moves) // 2)
    rest = []
    for move in moves:
        now = min(keep, move["product_uom_qty"])
        keep -= now
        if move["product_uom_qty"] > now:
            rest.append((move["product_id"], move["product_uom_qty"] - now, move.get("sale_line_id") or 0))
        move["product_uom_qty"] = now
    return rest


def cancel(world: World, sale: Record) -> None:
    """Cancel a sale and what has not left yet; parcels that are gone stay done."""
    sale["state"] = "cancel"
    _touch(world, "sale.order", sale)
    for picking in world.store.where("stock.picking", "sale_id", sale["id"]):
        if picking["state"] != "done":
            picking["state"] = "cancel"
            _touch(world, "stock.picking", picking)
            for move in world.store.where("stock.move", "picking_id", picking["id"]):
                odoo_stock.release(world, move)
                move["state"] = "cancel"
                _touch(world, "stock.move", move)


def moves_of(world: World, sale: Record) -> list[Record]:
    """All moves of a sale's transfers that were not cancelled."""
    pickings = related(world.store, "stock.picking", "sale_id", sale["id"])
    found = [move for row in pickings for move in world.store.where("stock.move", "picking_id", row["id"])]
    return [move for move in found if move["state"] != "cancel"]


def count_delivered(world: World, sale: Record) -> None:
    """What of each line is with the customer: all that left but what came back; a kit as far as all its parts have."""
    moves = [move for move in moves_of(world, sale) if move["state"] == "done"]
    for line in world.store.where("sale.order.line", "order_id", sale["id"]):
        wanted = parts(world, line) if line.get("product_id") else []
        there = [_net(moves, line["id"], product) / pieces for product, pieces, _ in wanted if pieces]
        line["qty_delivered"] = line["product_uom_qty"] * min(there, default=0.0)
        world.store.put("sale.order.line", line)


def _net(moves: list[Record], line: int, product: int) -> float:
    own = [move for move in moves if move.get("sale_line_id") == line and move["product_id"] == product]
    out = sum(move["quantity"] for move in own if move["location_dest_id"] == odoo_stock.CUSTOMERS)
    back = [move for move in own if move["location_id"] == odoo_stock.CUSTOMERS and move.get("to_refund")]
    return float(out - sum(move["quantity"] for move in back))


def reduce(world: World, sale: Record, line: Record) -> None:
    """Fewer pieces of a confirmed line are wanted: what is still to leave shrinks, what has left stays."""
    for product, pieces, number in parts(world, line):
        own = [move for move in moves_of(world, sale) if move.get("sale_line_id") == number]
        own = [move for move in own if move["product_id"] == product]
        shown = [
            {**move, "quantity": move["quantity" if move["state"] == "done" else "product_uom_qty"]} for move in own
        ]
        surplus = _net(shown, number, product) - pieces
        for move in [move for move in own if move["state"] == OPEN_PICKING]:
            taken = min(max(surplus, 0.0), move["product_uom_qty"])
            surplus -= taken
            _shrink(world, move, move["product_uom_qty"] - taken)


def _shrink(world: World, move: Record, pieces: float) -> None:
    odoo_stock.release(world, move)
    move.update({"product_uom_qty": pieces} if pieces else {"state": "cancel"})
    if pieces:
        odoo_stock.reserve(world, move)
    _touch(world, "stock.move", move)
    picking = world.store.get("stock.picking", move["picking_id"])
    moves = world.store.where("stock.move", "picking_id", move["picking_id"])
    if picking:
        picking["state"] = "cancel" if all(one["state"] == "cancel" for one in moves) else picking["state"]
        _touch(world, "stock.picking", picking)


def delivered(world: World, sale: Record) -> dict[str, Any]:
    """Where a sale stands, for the control page."""
    pickings = related(world.store, "stock.picking", "sale_id", sale["id"])
    return {
        "parcels": sum(row["state"] == "done" for row in pickings),
        "open": sum(row["state"] == OPEN_PICKING for row in pickings),
    }
