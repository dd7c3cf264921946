"""What ERPNext shows of sales, in our words: the order with the notes that left and those that came back.

Bodies are what ``_erpnext_poll`` has put together: times are UTC, references stand under one name.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal

from integration_hub.kernel import fields
from integration_hub.kernel.aftersales import AfterSaleStage, Position, ReportedReturn
from integration_hub.kernel.errors import unreadable
from integration_hub.kernel.fields import Object
from integration_hub.kernel.messages import Listed, ReportedShipment, SaleReport, ShippedLine
from integration_hub.kernel.states import SaleStage

from ._erpnext_api import CANCELLED, SUBMITTED

STAGES = {
    "Draft": SaleStage.DRAFT,
    "On Hold": SaleStage.TROUBLE,
    "To Pay": SaleStage.CONFIRMED,
    "To Deliver and Bill": SaleStage.CONFIRMED,
    "To Deliver": SaleStage.CONFIRMED,
    "To Bill": SaleStage.SHIPPED,
    "Completed": SaleStage.SHIPPED,
    "Closed": SaleStage.CANCELLED,
    "Cancelled": SaleStage.CANCELLED,
}
RETURN_STAGES = {
    "Draft": AfterSaleStage.ANNOUNCED,
    "Submitted": AfterSaleStage.DONE,
    "Cancelled": AfterSaleStage.DECLINED,
}
_DOCSTATUS = ("Draft", "Submitted", "Cancelled")
ZERO = Decimal(0)


def listed(sale: Object, reference: str) -> Listed:
    """A sale as one line of a list."""
    return Listed(
        external_id=_first(sale),
        number=fields.identifier(sale, "name"),
        reference=fields.identifier(sale, reference, required=False),
        total=fields.amount(sale, "grand_total"),
        currency=fields.currency(sale, "currency"),
        live=fields.words(sale, "docstatus") != str(CANCELLED) and not _given_up(sale),
    )


def _first(sale: Object) -> str:
    """The name by which a sale is known, whatever it was amended to since."""
    return fields.identifier(sale, "first", required=False) or fields.identifier(sale, "name")


def _given_up(sale: Object) -> bool:
    """Closed before anything of it was delivered."""
    return fields.words(sale, "status") == "Closed" and fields.amount(sale, "per_delivered", ZERO) == 0


def sale_report(body: Object) -> SaleReport:
    """The report of a polled sale."""
    sale, notes = fields.child(body, "sale"), fields.children(body, "notes")
    status, reference = fields.words(sale, "status"), fields.identifier(sale, "reference", required=False)
    returns = [note for note in notes if fields.flag(note, "is_return")]
    sent = [note for note in notes if not fields.flag(note, "is_return") and _docstatus(note) == "Submitted"]
    return SaleReport(
        external_id=_first(sale),
        number=fields.identifier(sale, "name"),
        reference=reference,
        stage=_stage(status, fields.children(body, "items"), sent),
        vendor_status=status,
        updated_at=max(moment_of(row, "modified_at") for row in (sale, *notes)),
        total=fields.amount(sale, "grand_total"),
        currency=fields.currency(sale, "currency"),
        shipments=tuple(_shipment(note) for note in sent if not fields.flag(note, "waits")),
        returns=tuple(_return(note, reference) for note in returns),
    )


def moment_of(row: Object, name: str) -> datetime:
    """A moment that must be there."""
    found = fields.moment(row, name)
    if found is None:
        raise unreadable("%(name)s is missing", name=name)
    return found


def _docstatus(note: Object) -> str:
    number = fields.words(note, "docstatus")
    if number not in ("0", str(SUBMITTED), str(CANCELLED)):
        raise unreadable("unknown state of a return: %(state)s", state=number)
    return _DOCSTATUS[int(number)]


def _stage(status: str, items: Sequence[Object], sent: Sequence[Object]) -> SaleStage:
    """By ERPNext's word, corrected by what has left: a return makes it call the order open again, and what is closed early
    has been delivered as far as it ever will be."""
    stage = STAGES.get(status)
    if stage is None:
        raise unreadable("unknown state of a sale: %(state)s", state=status)
    if status in ("Draft", "Cancelled", "On Hold"):
        return stage
    left = _sum(line for note in sent for line in fields.children(note, "lines"))
    if status == "Closed":
        return SaleStage.SHIPPED if any(left.values()) else stage
    open_ = [sku for sku, pieces in _sum(items).items() if left.get(sku, ZERO) < pieces]
    if stage == SaleStage.CONFIRMED and any(left.values()):
        return SaleStage.PARTLY_SHIPPED if open_ else SaleStage.SHIPPED
    return stage


def _sum(rows: Iterable[Object]) -> dict[str, Decimal]:
    found: dict[str, Decimal] = {}
    for line in map(_line, rows):
        found[line.sku] = found.get(line.sku, ZERO) + line.quantity
    return found


def _line(row: Object) -> ShippedLine:
    return ShippedLine(sku=fields.identifier(row, "sku", required=False), quantity=fields.quantity(row, "quantity"))


def _shipment(note: Object) -> ReportedShipment:
    return ReportedShipment(
        external_id=fields.identifier(note, "name"),
        number=fields.identifier(note, "name"),
        carrier=fields.words(note, "carrier"),
        tracking_number=fields.words(note, "tracking_number"),
        tracking_url=fields.words(note, "tracking_url", 2000),
        shipped_at=fields.moment(note, "posted_at"),
        lines=tuple(_line(row) for row in fields.children(note, "lines")),
    )


def _return(note: Object, sale: str) -> ReportedReturn:
    """A note from the customer; ours is the one whose reference begins with the sale's and goes on."""
    state, own = _docstatus(note), fields.words(note, "reference")
    done = state == "Submitted"
    return ReportedReturn(
        external_id=fields.identifier(note, "name"),
        number=fields.identifier(note, "name"),
        stage=RETURN_STAGES[state],
        vendor_status=fields.words(note, "status"),
        reference=own if sale and own != sale and own.startswith(sale) else "",
        received_at=fields.moment(note, "posted_at") if done else None,
        positions=tuple(_position(row, done) for row in fields.children(note, "lines")),
    )


def _position(row: Object, done: bool) -> Position:
    line = _line(row)
    scrapped = fields.flag(row, "scrapped")
    return Position(sku=line.sku, quantity=line.quantity, restock=not scrapped if done else None)
