"""What became of sales in Tryton: changed ones as deliveries, and deliveries as reports."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time

from integration_hub.kernel import codec
from integration_hub.kernel.aftersales import AfterSaleStage, Position, ReportedReturn
from integration_hub.kernel.messages import Listed, ReportedShipment, SaleReport, ShippedLine
from integration_hub.kernel.states import SaleStage

from . import _tryton_rows
from ._tryton_rest import Rest, Row, plain
from ._tryton_rows import (
    DATES,
    changed,
    delivery,
    every,
    number_of,
    quantity,
    reading,
    rows_after,
    text,
    updated,
)
from .base import Page

SALE_TOPIC = "sale.polled"
_MOVE = tuple(f"shipments.outgoing_moves.{name}" for name in ("quantity", "state", "product.code", "sale.id"))
_SHIPMENT = tuple(f"shipments.{name}" for name in ("number", "reference", "state", "effective_date", *DATES))
_SALE = ("number", "reference", "web_id", "state", "shipment_state", "invoice_state", "total_amount", "currency.code")
SALE_FIELDS = (*_SALE, *DATES, *_SHIPMENT, *_MOVE, "lines.moves.state", "origin")
_BACK = tuple(f"shipment_returns.{name}" for name in ("state", "effective_date", *DATES))
RETURN_FIELDS = (
    *("number", "web_id", "state", "origin", *DATES, *_BACK),
    *(f"lines.{name}" for name in ("type", "quantity", "product.code", "product.type")),
    "shipment_returns.inventory_moves.to_location.type",
    "shipment_returns.inventory_moves.product.code",
)
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
    """Sales of the web shop that changed, or one of whose shipments or returns did; a return comes with its sale."""
    domain = [["web_shop", "=", shop], *([changed(since, "shipments.", "shipment_returns.")] if since else [])]
    rows = rows_after(rest, "sale.sale", domain, SALE_FIELDS, token, _tryton_rows.PAGE)
    sales = {row["id"]: row for row in rows if _origin(row) is None}
    strangers = sorted({sale for row in rows if (sale := _origin(row)) is not None} - sales.keys())
    if strangers:
        sales |= {row["id"]: row for row in every(rest, "sale.sale", [["id", "in", strangers]], SALE_FIELDS)}
    returns = _returns(rest, sorted(sales))
    deliveries = [delivery(SALE_TOPIC, {**row, **returns.get(number, {})}) for number, row in sorted(sales.items())]
    return Page(deliveries, str(rows[-1]["id"]) if len(rows) == _tryton_rows.PAGE else None)


def _origin(row: Row) -> int | None:
    """The sale that this one is a return of."""
    model, _, number = str(row["origin"] or "").partition(",")
    return int(number) if model == "sale.sale" and number.isdecimal() else None


def _returns(rest: Rest, sales: Sequence[int]) -> dict[int, Row]:
    """By sale, its returns; sales without any are left out, so that what they say stays as it was."""
    found: dict[int, Row] = {}
    wanted = [["origin", "in", [f"sale.sale,{number}" for number in sales]]]
    for row in every(rest, "sale.sale", wanted, RETURN_FIELDS) if sales else ():
        if (sale := _origin(row)) is not None:
            found.setdefault(sale, {"returns": []})["returns"].append(row)
    return found


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
        updated_at=max(map(updated, _dated(row))),
        total=codec.money_amount(row["total_amount"], "total_amount"),
        currency=text(row["currency"]["code"]),
        shipments=tuple(_shipment(item, row["id"]) for item in row["shipments"] if item["state"] in LEFT),
        returns=tuple(map(_return, row.get("returns") or [])),
    )


def _dated(row: Row) -> list[Row]:
    """All that has a time of its own in what is told of a sale."""
    returns = row.get("returns") or []
    return [row, *row["shipments"], *returns, *(item for back in returns for item in back["shipment_returns"])]


def _return(row: Row) -> ReportedReturn:
    """A sale the other way round."""
    states = [text(item["state"]) for item in row["shipment_returns"]]
    days = [item["effective_date"] for item in row["shipment_returns"] if item["effective_date"]]
    lines = [line for line in row["lines"] if line["type"] == "line" and line["product"] and line["quantity"] < 0]
    return ReportedReturn(
        external_id=number_of(row),
        number=text(row["number"]),
        reference=text(row["web_id"]),
        stage=_return_stage(text(row["state"]), states),
        vendor_status=" / ".join([text(row["state"]), *sorted(set(states))]),
        received_at=datetime.combine(min(days), time(), UTC) if days else None,
        positions=tuple(
            Position(
                quantity=-quantity(line["quantity"], "quantity"),
                sku=text(line["product"]["code"]),
                restock=_restocked(row, line),
            )
            for line in lines
            if line["product"]["type"] != "service"
        ),
    )


def _restocked(row: Row, line: Row) -> bool | None:
    """Whether the goods of a line were put on a shelf; not known before that, or where some were and some were not."""
    moves = [
        text(move["to_location"]["type"])
        for item in row["shipment_returns"]
        if item["state"] == "done"
        for move in item["inventory_moves"]
        if move["product"]["code"] == line["product"]["code"]
    ]
    shelved = {kind == "storage" for kind in moves}
    return shelved.pop() if len(shelved) == 1 else None


def _return_stage(state: str, shipments: Sequence[str]) -> AfterSaleStage:
    """By its shipments, where it has any; one that was cancelled does not come any more."""
    live = {item for item in shipments if item != "cancelled"}
    if state == "cancelled" or (shipments and not live):
        return AfterSaleStage.DECLINED
    if state in ("draft", "quotation"):
        return AfterSaleStage.REQUESTED
    if live == {"done"} or (state == "done" and not live):
        return AfterSaleStage.DONE
    return AfterSaleStage.RECEIVED if live and live <= {"received", "done"} else AfterSaleStage.ANNOUNCED


def _stage(row: Row, state: str, shipping: str, invoicing: str) -> SaleStage:
    """Tryton has no word for a sale that was cancelled after confirmation: it ends with every move cancelled."""
    if state in UNSHIPPED:
        return UNSHIPPED[state]
    if state not in ("confirmed", "processing", "done"):
        raise ValueError(state)
    if "exception" in (shipping, invoicing):
        return SaleStage.TROUBLE
    if shipping == "partially shipped" and not any(item["state"] in LEFT for item in row["shipments"]):
        return SaleStage.CONFIRMED  # a part was cancelled, which Tryton calls so as well
    if shipping != "none":
        return STAGES[shipping]
    moves = [move["state"] for line in row["lines"] for move in line["moves"]]
    if moves and set(moves) == {"cancelled"}:
        return SaleStage.CANCELLED  # with a posted invoice it is not done
    return SaleStage.SHIPPED if state == "done" else SaleStage.CONFIRMED


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
