"""What a shop changed about an order that the ERP holds: both sides next to each other, and taken over once the ERP holds it too."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import F, ProtectedError

from exceptions import services as cases
from integration_hub.kernel.aftersales import AfterSaleKind, AfterSaleMoved, Position
from integration_hub.kernel.errors import HubError
from integration_hub.kernel.messages import Address, OrderReport, ReportedLine
from integration_hub.kernel.text import say
from integration_hub.messaging import inbox
from integration_hub.models.activity import note

from . import addresses, recording, stock
from .aftersales.models import AfterSale
from .aftersales.states import AfterSaleState
from .models import AddressRole, Order, OrderLine

KINDS = (AfterSaleKind.EDIT, AfterSaleKind.ADDRESS_CHANGE)
EDITED = "edited_after_export"
ASIDE = 1_000_000  # positions that no order has, for lines that are being moved
ZERO = Decimal(0)
_TAKEN = (
    "kind",
    "title",
    "sku",
    "gtin",
    "product_id",
    "variant",
    "unit_price",
    "discount",
    "net",
    "tax",
    "gross",
    "tax_rate",
    "taxes",
)


def sides(order: Order, report: OrderReport) -> list[dict[str, Any]]:
    """Row by row what the ERP holds and what the shop says now; ``personal`` marks what not everybody may see."""
    ours = {line.external_id: line for line in order.lines.all()}
    theirs = {line.external_id[:60]: line for line in report.lines}
    rows = [_row(line.title, _ours(line), _theirs(theirs.get(key))) for key, line in ours.items()]
    rows += [_row(line.title, None, _theirs(line)) for key, line in theirs.items() if key not in ours]
    rows.append(_row("total", [None, str(order.total)], [None, str(report.total)]))
    return [row for row in rows if row["was"] != row["now"]] + list(_places(order, report))


def _row(what: str, was: list[str | None] | None, now: list[str | None] | None) -> dict[str, Any]:
    return {"what": what, "was": was, "now": now}


def _ours(line: OrderLine) -> list[str | None]:
    return [_plain(line.quantity), _plain(line.gross)]


def _theirs(line: ReportedLine | None) -> list[str | None] | None:
    return [_plain(line.quantity), _plain(line.gross)] if line else None


def _plain(number: Decimal) -> str:
    return f"{number.quantize(Decimal('0.0001')).normalize():f}"


def _places(order: Order, report: OrderReport) -> Iterator[dict[str, Any]]:
    """Addresses and the customer's note, as one line each."""
    stated = {AddressRole.BILLING: report.billing, AddressRole.SHIPPING: report.shipping or Address()}
    held = {row.role: row.as_message() for row in order.addresses.all()}
    for role, address in stated.items():
        was, now = held.get(role, Address()), addresses.normalised(address)
        if addresses.place(was) != addresses.place(now):
            yield {"what": role.value, "was": _line(was), "now": _line(now), "personal": True}
    if " ".join(order.note.split()) != " ".join(report.note.split()):
        yield {"what": "note", "was": order.note[:500], "now": report.note[:500], "personal": True}


def _line(address: Address) -> str:
    place = f"{address.postal_code} {address.city}".strip()
    parts = (address.company, address.name, address.street, address.street2, place, address.country)
    return ", ".join(part for part in parts if part)


def dropped(order: Order, report: OrderReport) -> tuple[Position, ...]:
    """The pieces that are not wanted any more, where nothing else has changed; none where something was added too."""
    theirs = {line.external_id[:60]: line for line in report.lines}
    ours = {line.external_id: line for line in order.lines.all()}
    less: list[Position] = []
    for key, line in ours.items():
        now = theirs[key].quantity if key in theirs else ZERO
        if now > line.quantity or (line.kind != "ITEM" and key not in theirs):
            return ()
        if now < line.quantity:
            less.append(Position(quantity=line.quantity - now, line_id=key))
    return tuple(less) if not theirs.keys() - ours.keys() else ()


def moved(news: Sequence[AfterSaleMoved]) -> None:
    """The ERP holds the change: the hub's own order becomes what the shop says, and the exception is over."""
    ids = [one.after_sale_id for one in news if one.state == AfterSaleState.DONE]
    rows = AfterSale.objects.filter(pk__in=ids, kind__in=KINDS).exclude(order=None).exclude(event=None)
    for row in rows.select_related("order__channel", "event__connection").order_by("pk"):
        if row.order and row.event:
            _take_over(row, row.order)


def _take_over(row: AfterSale, order: Order) -> None:
    try:
        stated = inbox.reports_of(row.event) if row.event else []
    except HubError:
        return  # what was read once cannot be read any more: the exception stays open for a person
    for report in stated:
        if isinstance(report, OrderReport) and recording.digest(report) == order.digest:
            adopt(order, report)
            note(order, "orders.adopted", say("%(number)s taken over into the order", number=row.number), system="hub")
            cases.settle(order, kinds=(EDITED,))


def adopt(order: Order, report: OrderReport) -> None:
    """Make the order what is stated.  Lines keep their rows, as parcels and special cases point at them."""
    for name, value in recording.header(report).items():
        if name not in recording.standing(report):
            setattr(order, name, value)
    order.save()
    held = {line.external_id: line for line in order.lines.all()}
    order.lines.update(position=F("position") + ASIDE)
    fresh = [recording.line(order, place, item) for place, item in enumerate(report.lines, start=1)]
    recording.match_lines(order.channel, fresh)
    for one in fresh:
        _put(one, held.pop(one.external_id, None))
    for place, gone in enumerate(held.values(), start=len(fresh) + 1):
        _drop(gone, place)
    places = {AddressRole.BILLING: report.billing, AddressRole.SHIPPING: report.shipping or Address()}
    addresses.keep(order, places)
    stock.less(order)


def _put(stated: OrderLine, known: OrderLine | None) -> None:
    """A line as it is now; never fewer pieces than have been cancelled or returned of it."""
    if known is None:
        stated.save()
        return
    for name in _TAKEN:
        setattr(known, name, getattr(stated, name))
    known.position = stated.position
    known.quantity = max(stated.quantity, known.cancelled + known.returned)
    known.save()


def _drop(line: OrderLine, place: int) -> None:
    """A line that is no more: without a trace where nothing points at it, else with no money and no open pieces."""
    try:
        with transaction.atomic():
            line.delete()
    except ProtectedError:  # parcels, special cases or documents name it
        line.position, line.cancelled = place, line.quantity - line.returned
        line.net = line.tax = line.gross = line.discount = ZERO
        line.taxes = []
        line.save()
