"""What Tryton holds now: changed sales and products as deliveries, and deliveries as reports.

``write_date`` is the start of the writing transaction and is empty until the first change, so a window asks for both
dates and overlaps the last one.  A page holds records by ascending id: what changes while pages are read is not lost.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, time
from typing import Any

from integration_hub.kernel import codec
from integration_hub.kernel.errors import unreadable
from integration_hub.kernel.goods import ProductReport
from integration_hub.kernel.messages import Listed, ReportedShipment, SaleReport, ShippedLine
from integration_hub.kernel.states import SaleStage

from ._tryton_rest import Rest, Row, moment, plain
from .base import Delivery, Page

PAGE = 50
SALE_TOPIC = "sale.polled"
PRODUCT_TOPIC = "product.polled"
_DATES = ("create_date", "write_date")
_MOVE = tuple(f"shipments.outgoing_moves.{name}" for name in ("quantity", "state", "product.code", "sale.id"))
_SHIPMENT = tuple(f"shipments.{name}" for name in ("number", "reference", "state", "effective_date", *_DATES))
_SALE = ("number", "reference", "web_id", "state", "shipment_state", "invoice_state", "total_amount", "currency.code")
SALE_FIELDS = (*_SALE, *_DATES, *_SHIPMENT, *_MOVE, "lines.moves.state")
_PRODUCT = ("code", "name", "active", "salable", "identifiers.type", "identifiers.code")
PRODUCT_FIELDS = (*_PRODUCT, *_DATES, *(f"template.{name}" for name in _DATES))
LISTED_FIELDS = ("number", "web_id", "state", "total_amount", "currency.code")
LEFT = ("shipped", "done")
UNSHIPPED = {"draft": SaleStage.DRAFT, "quotation": SaleStage.DRAFT, "cancelled": SaleStage.CANCELLED}
STAGES = {
    "waiting": SaleStage.CONFIRMED,
    "partially shipped": SaleStage.PARTLY_SHIPPED,
    "sent": SaleStage.SHIPPED,
    "exception": SaleStage.TROUBLE,
}


def changed(since: datetime, *prefixes: str) -> list[Any]:
    """The domain of what changed after this moment, itself or what hangs on it."""
    at = moment(since)
    return ["OR", *([f"{prefix}{name}", ">", at] for prefix in ("", *prefixes) for name in _DATES)]


def sale_page(rest: Rest, shop: int, since: datetime | None, token: str | None) -> Page:
    """Sales of the web shop that changed, or one of whose shipments did."""
    domain = [["web_shop", "=", shop], *([changed(since, "shipments.")] if since else [])]
    return _page(rest, "sale.sale", SALE_TOPIC, domain, SALE_FIELDS, token)


def standing_under(rest: Rest, shop: int, references: Sequence[str]) -> list[Listed]:
    """The sales of the web shop under these web ids."""
    if not references:
        return []
    domain = [["web_shop", "=", shop], ["web_id", "in", list(references)]]
    with _reading("sale"):
        return [_listed(row) for row in rest.search("sale.sale", domain, LISTED_FIELDS, order=[["id", "ASC"]])]


def _listed(row: Row) -> Listed:
    return Listed(
        external_id=_id(row),
        number=_text(row["number"]),
        reference=_text(row["web_id"]),
        total=codec.money_amount(row["total_amount"], "total_amount"),
        currency=_text(row["currency"]["code"]),
        live=row["state"] != "cancelled",
    )


def product_page(rest: Rest, services: Sequence[str], since: datetime | None, token: str | None) -> Page:
    """Products that changed, deactivated ones as well, without those that bill shipping, fees and discounts."""
    domain = [["code", "not in", sorted(services)], *([changed(since, "template.")] if since else [])]
    return _page(rest, "product.product", PRODUCT_TOPIC, domain, PRODUCT_FIELDS, token)


def _page(rest: Rest, model: str, topic: str, domain: list[Any], fields: Sequence[str], token: str | None) -> Page:
    after = ["id", ">", int(token or 0)]
    rows = rest.rows(model, [*domain, after], fields, limit=PAGE, order=[["id", "ASC"]], inactive=True)
    deliveries = [Delivery(topic, str(row["id"]), codec.canonical(_sorted(row))) for row in rows]
    return Page(deliveries, str(rows[-1]["id"]) if len(rows) == PAGE else None)


def _sorted(value: Any) -> Any:
    """Tryton sends some lists in no fixed order; equal content must give equal bytes."""
    if isinstance(value, dict):
        return {name: _sorted(item) for name, item in value.items()}
    if isinstance(value, list):
        return sorted(map(_sorted, value), key=lambda item: item["id"] if isinstance(item, dict) else 0)
    return value


def sale_report(body: bytes) -> SaleReport:
    """Raises Rejected for what is no sale of Tryton's."""
    with _reading("sale"):
        return _sale_report(plain(codec.load_object(body)))


def product_report(body: bytes) -> ProductReport:
    """Raises Rejected for what is no product of Tryton's."""
    with _reading("product"):
        return _product_report(plain(codec.load_object(body)))


@contextmanager
def _reading(what: str) -> Iterator[None]:
    try:
        yield
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise unreadable("not a %(what)s of Tryton (%(error)s)", what=what, error=error.__class__.__name__) from error


def _sale_report(row: Row) -> SaleReport:
    states = [_text(row[name]) for name in ("state", "shipment_state", "invoice_state")]
    return SaleReport(
        external_id=_id(row),
        number=_text(row["number"]),
        reference=_text(row["web_id"]),
        stage=_stage(row, *states),
        vendor_status=" / ".join(states),
        updated_at=max(map(_updated, [row, *row["shipments"]])),
        total=codec.money_amount(row["total_amount"], "total_amount"),
        currency=_text(row["currency"]["code"]),
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
        external_id=_id(row),
        number=_text(row["number"]),
        tracking_number=_text(row["reference"]),
        shipped_at=datetime.combine(left, time(), UTC) if left else None,
        lines=tuple(
            ShippedLine(sku=_text(move["product"]["code"]), quantity=codec.money_amount(move["quantity"], "quantity"))
            for move in row["outgoing_moves"]
            if move["state"] != "cancelled" and (move["sale"] or {}).get("id") == sale
        ),
    )


def _product_report(row: Row) -> ProductReport:
    return ProductReport(
        external_id=_id(row),
        sku=_text(row["code"]),
        title=_text(row["name"]),
        gtin=next((_text(item["code"]) for item in row["identifiers"] if item["type"] == "ean"), ""),
        active=bool(row["active"] and row["salable"]),
        updated_at=max(_updated(row), _updated(row["template"])),
    )


def _id(row: Row) -> str:
    if type(row["id"]) is not int:
        raise TypeError("id")
    return str(row["id"])


def _text(value: Any) -> str:
    """Text of at most a thousand characters; nothing is empty."""
    if value is not None and not isinstance(value, str):
        raise TypeError("text")
    return (value or "")[:1000]


def _updated(row: Row) -> datetime:
    at = row["write_date"] or row["create_date"]
    if not isinstance(at, datetime):
        raise TypeError("date")
    return at
