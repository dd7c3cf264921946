"""What became of sales in Tryton: changed ones as deliveries, and deliveries as reports."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time

from integration_hub.kernel import codec
from integration_hub.kernel.messages import Listed, ReportedShipment, SaleReport, ShippedLine
from integration_hub.kernel.states import SaleStage

from ._tryton_rest import Rest, Row, plain
from ._tryton_rows import DATES, changed, number_of, page_of, reading, text, updated
from .base import Page

SALE_TOPIC = "sale.polled"
_MOVE = tuple(f"shipments.outgoing_moves.{name}" for name in ("quantity", "state", "product.code", "sale.id"))
_SHIPMENT = tuple(f"shipments.{name}" for name in ("number", "reference", "state", "effective_date", *DATES))
_SALE = ("number", "reference", "web_id", "state", "shipment_state", "invoice_state", "total_amount", "currency.code")
SALE_FIELDS = (*_SALE, *DATES, *_SHIPMENT, *_MOVE, "lines.moves.state")
LISTED_FIELDS = ("number", "web_id", "state", "total_amount", "currency.code")
LEFT = ("shipped", "done")
UNSHIPPED = {"draft": SaleStage.DRAFT, "quotation": SaleStage.DRAFT, "cancelled": SaleStage.CANCELLED}
STAGES = {
    "waiting": SaleStage.CONFIRMED,
    "partially shipped": SaleStage.PARTLY_SHIPPED,
    "sent": SaleStage.SHIPPED,
    "exception": SaleStage.TROUBLE,
}


def sale_page(rest: Rest, shop: int, since: datetime | None, token: str | None) -> Page:
    """Sales of the web shop that changed, or one of whose shipments did."""
    domain = [["web_shop", "=", shop], *([changed(since, "shipments.")] if since else [])]
    return page_of(rest, "sale.sale", SALE_TOPIC, domain, SALE_FIELDS, token)


def standing_under(rest: Rest, shop: int, references: Sequence[str]) -> list[Listed]:
    """The sales of the web shop under these web ids."""
    if not references:
        return []
    domain = [["web_shop", "=", shop], ["web_id", "in", list(references)]]
    with reading("sale"):
        return [_listed(row) for row in rest.search("sale.sale", domain, LISTED_FIELDS, order=[["id", "ASC"]])]


def _listed(row: Row) -> Listed:
    return Listed(
        external_id=number_of(row),
        number=text(row["number"]),
        reference=text(row["web_id"]),
        total=codec.money_amount(row["total_amount"], "total_amount"),
        currency=text(row["currency"]["code"]),
        live=row["state"] != "cancelled",
    )


def sale_report(body: bytes) -> SaleReport:
    """Raises Rejected for what is no sale of Tryton's."""
    with reading("sale"):
        return _sale_report(plain(codec.load_object(body)))


def _sale_report(row: Row) -> SaleReport:
    states = [text(row[name]) for name in ("state", "shipment_state", "invoice_state")]
    return SaleReport(
        external_id=number_of(row),
        number=text(row["number"]),
        reference=text(row["web_id"]),
        stage=_stage(row, *states),
        vendor_status=" / ".join(states),
        updated_at=max(map(updated, [row, *row["shipments"]])),
        total=codec.money_amount(row["total_amount"], "total_amount"),
        currency=text(row["currency"]["code"]),
        shipments=tuple(_shipment(item, row["id"]) for item in row["shipments"] if item["state"] in LEFT),
    )


def _stage(row: Row, state: str, shipping: str, invoicing: str) -> SaleStage:
    """Tryton has no word for a sale that was cancelled after confirmation: it ends as done, with every move cancelled."""
    if state in UNSHIPPED:
        return UNSHIPPED[state]
    if state not in ("confirmed", "processing", "done"):
        raise ValueError(state)
    if "exception" in (shipping, invoicing):
        return SaleStage.TROUBLE
    if shipping != "none":
        return STAGES[shipping]
    if state != "done":
        return SaleStage.CONFIRMED
    moves = [move for line in row["lines"] for move in line["moves"]]
    return SaleStage.CANCELLED if moves else SaleStage.SHIPPED


def _shipment(row: Row, sale: int) -> ReportedShipment:
    """One that left the house.  Tryton keeps the day only, and no carrier without further modules."""
    left: date | None = row["effective_date"]
    return ReportedShipment(
        external_id=number_of(row),
        number=text(row["number"]),
        tracking_number=text(row["reference"]),
        shipped_at=datetime.combine(left, time(), UTC) if left else None,
        lines=tuple(
            ShippedLine(sku=text(move["product"]["code"]), quantity=codec.money_amount(move["quantity"], "quantity"))
            for move in row["outgoing_moves"]
            if move["state"] != "cancelled" and (move["sale"] or {}).get("id") == sale
        ),
    )
