"""What Odoo shows, in our words: sales with the parcels that left, and products."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from integration_hub.kernel import codec
from integration_hub.kernel.errors import unreadable
from integration_hub.kernel.messages import ProductReport, ReportedShipment, SaleReport, ShippedLine
from integration_hub.kernel.states import SaleStage

STAGES = {
    "draft": SaleStage.DRAFT,
    "sent": SaleStage.DRAFT,
    "sale": SaleStage.CONFIRMED,
    "done": SaleStage.CONFIRMED,
    "cancel": SaleStage.CANCELLED,
}


def text(value: Any) -> str:
    """A char field; Odoo says false for nothing."""
    return value if isinstance(value, str) else ""


def moment(value: Any, name: str) -> datetime:
    """A datetime field: UTC without zone."""
    return codec.utc(text(value), name)


def name_of(value: Any) -> str:
    """What a many2one shows."""
    return str(value[1]) if isinstance(value, list) and len(value) == 2 else ""


def sale_report(body: Mapping[str, Any]) -> SaleReport:
    """The report of a polled sale: the record, its outgoing pickings and their moves."""
    sale, pickings = _part(body, "sale", dict), _part(body, "pickings", list)
    try:
        state = text(sale["state"])
        changed = [moment(row["write_date"], "write_date") for row in (sale, *pickings)]
        return SaleReport(
            external_id=str(sale["id"]),
            number=text(sale["name"]),
            reference=text(sale["client_order_ref"]),
            stage=_stage(state, pickings),
            vendor_status=state,
            updated_at=max(changed),
            total=codec.money_amount(sale["amount_total"], "amount_total"),
            currency=name_of(sale["currency_id"]),
            shipments=tuple(_shipment(row) for row in pickings if row["state"] == "done"),
        )
    except (KeyError, TypeError) as error:
        raise unreadable(f"a sale without {error}") from error


def _part(body: Mapping[str, Any], name: str, kind: type[Any]) -> Any:
    value = body.get(name)
    if not isinstance(value, kind):
        raise unreadable(f"{name} is missing")
    return value


def _stage(state: str, pickings: Sequence[Mapping[str, Any]]) -> SaleStage:
    stage = STAGES.get(state)
    if stage is None:
        raise unreadable(f"unknown state of a sale: {state}")
    live = [row["state"] for row in pickings if row["state"] != "cancel"]
    if stage != SaleStage.CONFIRMED or "done" not in live:
        return stage
    return SaleStage.SHIPPED if set(live) == {"done"} else SaleStage.PARTLY_SHIPPED


def _shipment(picking: Mapping[str, Any]) -> ReportedShipment:
    shipped = text(picking.get("date_done"))
    return ReportedShipment(
        external_id=str(picking["id"]),
        number=text(picking["name"]),
        carrier=name_of(picking.get("carrier_id")),
        tracking_number=text(picking.get("carrier_tracking_ref")),
        tracking_url=text(picking.get("carrier_tracking_url")),
        shipped_at=moment(shipped, "date_done") if shipped else None,
        lines=tuple(_shipped(move) for move in picking["moves"]),
    )


def _shipped(move: Mapping[str, Any]) -> ShippedLine:
    return ShippedLine(sku=text(move["sku"]), quantity=Decimal(codec.money_amount(move["quantity"], "quantity")))


def product_report(body: Mapping[str, Any]) -> ProductReport:
    """The report of a polled product variant."""
    try:
        return ProductReport(
            external_id=str(body["id"]),
            sku=text(body["default_code"]),
            title=text(body["display_name"]),
            gtin=text(body["barcode"]),
            active=body["active"] is True,
            updated_at=moment(body["write_date"], "write_date"),
        )
    except KeyError as error:
        raise unreadable(f"a product without {error}") from error
