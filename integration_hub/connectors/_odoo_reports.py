"""What Odoo shows, in our words: sales with the parcels that left."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from integration_hub.kernel import fields
from integration_hub.kernel.aftersales import AfterSaleStage, Position, ReportedReturn
from integration_hub.kernel.errors import unreadable
from integration_hub.kernel.fields import Object
from integration_hub.kernel.messages import Listed, ReportedShipment, SaleReport, ShippedLine
from integration_hub.kernel.states import SaleStage

STAGES = {
    "draft": SaleStage.DRAFT,
    "sent": SaleStage.DRAFT,
    "sale": SaleStage.CONFIRMED,
    "done": SaleStage.CONFIRMED,
    "cancel": SaleStage.CANCELLED,
}

RETURN_STAGES = {
    "draft": AfterSaleStage.REQUESTED,
    "waiting": AfterSaleStage.ANNOUNCED,
    "confirmed": AfterSaleStage.ANNOUNCED,
    "assigned": AfterSaleStage.ANNOUNCED,
    "done": AfterSaleStage.DONE,
    "cancel": AfterSaleStage.DECLINED,
}


def name_of(value: Any) -> str:
    """What a many2one shows; empty for none."""
    return str(value[1])[: fields.MAX_WORDS] if isinstance(value, list) and len(value) == 2 else ""


def listed(sale: Object) -> Listed:
    """A sale as one line of a list."""
    return Listed(
        external_id=fields.identifier(sale, "id"),
        number=fields.identifier(sale, "name"),
        reference=fields.identifier(sale, "client_order_ref", required=False),
        total=fields.amount(sale, "amount_total"),
        currency=fields.currency({"currency_id": name_of(sale.get("currency_id"))}, "currency_id"),
        live=fields.words(sale, "state") != "cancel",
    )


def sale_report(body: Object) -> SaleReport:
    """The report of a polled sale: the record, its outgoing pickings and their moves."""
    sale, pickings = fields.child(body, "sale"), fields.children(body, "pickings")
    returns = fields.children(body, "returns")
    state = fields.words(sale, "state")
    return SaleReport(
        external_id=fields.identifier(sale, "id"),
        number=fields.identifier(sale, "name"),
        reference=fields.identifier(sale, "client_order_ref", required=False),
        stage=_stage(state, pickings),
        vendor_status=state,
        updated_at=max(moment_of(row, "write_date") for row in (sale, *pickings, *returns)),
        total=fields.amount(sale, "amount_total"),
        currency=fields.currency({"currency_id": name_of(sale.get("currency_id"))}, "currency_id"),
        shipments=tuple(_shipment(row) for row in pickings if row.get("state") == "done"),
        returns=tuple(_return(row, fields.words(sale, "client_order_ref")) for row in returns),
    )


def moment_of(row: Object, name: str) -> datetime:
    """A datetime field that must be there: UTC without zone."""
    found = fields.moment(row, name)
    if found is None:
        raise unreadable("%(name)s is missing", name=name)
    return found


def _stage(state: str, pickings: Sequence[Object]) -> SaleStage:
    stage = STAGES.get(state)
    if stage is None:
        raise unreadable("unknown state of a sale: %(state)s", state=state)
    live = {fields.words(row, "state") for row in pickings} - {"cancel"}
    if stage != SaleStage.CONFIRMED or "done" not in live:
        return stage
    return SaleStage.SHIPPED if live == {"done"} else SaleStage.PARTLY_SHIPPED


def _shipment(picking: Object) -> ReportedShipment:
    shipped = picking.get("date_done")
    return ReportedShipment(
        external_id=fields.identifier(picking, "id"),
        number=fields.identifier(picking, "name"),
        carrier=name_of(picking.get("carrier_id")),
        tracking_number=fields.words(picking, "carrier_tracking_ref"),
        tracking_url=fields.words(picking, "carrier_tracking_url", 2000),
        shipped_at=moment_of(picking, "date_done") if shipped else None,
        lines=tuple(_shipped(move) for move in fields.children(picking, "moves")),
    )


def _shipped(move: Object) -> ShippedLine:
    return ShippedLine(sku=fields.identifier(move, "sku", required=False), quantity=fields.quantity(move, "quantity"))


def _return(picking: Object, sale: str) -> ReportedReturn:
    """A transfer from the customer; ours is the one whose origin begins with the sale's reference."""
    state, origin = fields.words(picking, "state"), fields.words(picking, "origin")
    if state not in RETURN_STAGES:
        raise unreadable("unknown state of a return: %(state)s", state=state)
    done = state == "done"
    return ReportedReturn(
        external_id=fields.identifier(picking, "id"),
        number=fields.identifier(picking, "name"),
        stage=RETURN_STAGES[state],
        vendor_status=state,
        reference=origin if sale and origin != sale and origin.startswith(sale) else "",
        received_at=moment_of(picking, "date_done") if done else None,
        positions=tuple(_positions(picking, done)),
    )


def _positions(picking: Object, done: bool) -> Iterator[Position]:
    """By article, what went back to the shelf and what was written off; neither is known before it is booked in."""
    gone: defaultdict[str, Decimal] = defaultdict(Decimal)
    for row in fields.children(picking, "scraps"):
        gone[fields.identifier(row, "sku", required=False)] += fields.quantity(row, "quantity")
    for move in map(_shipped, fields.children(picking, "moves")):
        off = min(gone[move.sku], move.quantity) if done else Decimal(0)
        gone[move.sku] -= off
        if move.quantity > off:
            yield Position(quantity=move.quantity - off, sku=move.sku, restock=True if done else None)
        if off > 0:
            yield Position(quantity=off, sku=move.sku, restock=False)
