"""From a report to a special case: once, tied to its order and lines, or a case with candidates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from decimal import Decimal
from typing import Any

from django.db.models import Q

from exceptions import services as cases
from exceptions.services import Trouble
from integration_hub.kernel import codec
from integration_hub.kernel.aftersales import AfterSaleKind, AfterSaleReport, AfterSaleStage, Instead, Position
from integration_hub.kernel.errors import Rejected
from integration_hub.kernel.states import OrderStage
from integration_hub.kernel.text import Text, mark, say
from integration_hub.models import Connection, InboundEvent
from integration_hub.models.access import User
from integration_hub.models.activity import note
from orders.models import Order

from . import conflicts, exchange, flow, tie
from .models import AfterSale, AfterSaleLine
from .states import FIRST, AfterSaleState, Outcome, Wins

UNTIED, EXCEEDS = "after_sale_untied", "after_sale_exceeds"
ZERO = Decimal(0)
LARGEST = Decimal(10) ** 13
UNDELIVERED = (AfterSaleKind.CANCELLATION, AfterSaleKind.EDIT)  # about pieces that are still in the house
UNDECIDED = (AfterSaleState.UNTIED, AfterSaleState.PROPOSED, AfterSaleState.RECORDED)
OURS = ("advance", "split", "sides")  # what the hub itself keeps beside the report


def record(channel: Connection, report: AfterSaleReport, event: InboundEvent | None) -> str | None:
    """Take over what a shop says about a special case of its order; returns why nothing was done, if so."""
    known = Order.objects.select_for_update(of=("self",)).filter(external_id=report.order_id[:120])
    known = known.filter(channel__slug=report.order_channel) if report.order_channel else known.filter(channel=channel)
    return record_of(known.exclude(digest="").first(), channel, report, event)


def record_of(
    order: Order | None, connection: Connection, report: AfterSaleReport, event: InboundEvent | None
) -> str | None:
    """The same for any system that speaks of this (locked) order."""
    _bounded(report)
    row, new = _row(order, connection, report, event)
    if new:
        _first(row, report)
        return None
    if row.source_updated_at and report.updated_at < row.source_updated_at:
        return mark("older than what the hub holds")
    return _again(row, report)


def _bounded(report: AfterSaleReport) -> None:
    numbers = [report.amount or ZERO, report.shipping_amount, *(position.quantity for position in report.positions)]
    numbers += [position.amount or ZERO for position in report.positions]
    numbers += [number or ZERO for one in report.instead for number in (one.quantity, one.amount)]
    if not all(number.is_finite() and 0 <= number < LARGEST for number in numbers):
        raise Rejected(say("A special case needs positive quantities and amounts."), code="out_of_bounds")
    if not report.external_id or not report.order_id:
        raise Rejected(say("A special case needs its own id and that of its order."), code="unreadable")


def identity(report: AfterSaleReport) -> str:
    return f"{report.kind}:{report.external_id}"[:120]


def _row(
    order: Order | None, connection: Connection, report: AfterSaleReport, event: InboundEvent | None
) -> tuple[AfterSale, bool]:
    """The locked row of this report, and whether it is new."""
    fresh = AfterSale(
        connection=connection,
        external_id=identity(report),
        order=order,
        order_external_id=report.order_id[:120],
        kind=report.kind,
        state=AfterSaleState.UNTIED,
        occurred_at=report.occurred_at,
        currency=report.currency or (order.currency if order else ""),
        event=event,
    )
    AfterSale.objects.bulk_create([fresh], ignore_conflicts=True)
    rows = AfterSale.objects.select_for_update(of=("self",)).select_related("order__channel", "connection")
    row = rows.get(connection=connection, external_id=identity(report))
    return row, row.source_updated_at is None


def stated(report: AfterSaleReport) -> dict[str, Any]:
    """The report as JSON, to be tied later."""
    found: dict[str, Any] = codec.loads(codec.dumps(asdict(report)))
    return found


def _first(row: AfterSale, report: AfterSaleReport) -> None:
    _standing(row, report)
    row.save()
    text = say("%(system)s reports: %(kind)s", system=row.connection.name if row.connection else "", kind=row.kind)
    note(row.order or row, "orders.after_sale", text, system="hub", event=row.event)
    settle(row)


def _standing(row: AfterSale, report: AfterSaleReport) -> None:
    row.vendor_status, row.reason = report.vendor_status[:60], report.reason[:300]
    row.source_updated_at = report.updated_at
    amount = _amount(report)
    if amount is not None or row.state in UNDECIDED:  # what was worked out from the lines is not lost by a later word
        row.amount = amount or ZERO
    row.credit = min(row.credit, row.amount)
    row.shipping_amount, row.money_moved = report.shipping_amount, bool(report.money_moved)
    row.stated = stated(report) | {name: row.stated[name] for name in OURS if name in row.stated}


def _amount(report: AfterSaleReport) -> Decimal | None:
    """All that goes back as the system states it; None where it states no money at all."""
    if report.amount is not None:
        return report.amount
    known = [position.amount for position in report.positions if position.amount is not None]
    return sum(known, ZERO) + report.shipping_amount if known or report.shipping_amount else None


def positions_of(row: AfterSale) -> list[Position]:
    """What was stated, from the row."""
    return [
        Position(
            quantity=Decimal(str(one["quantity"])),
            line_id=one.get("line_id", ""),
            sku=one.get("sku", ""),
            amount=_maybe(one.get("amount")),
            tax=_maybe(one.get("tax")),
            restock=one.get("restock"),
        )
        for one in row.stated.get("positions", [])
    ]


def _says_nothing(row: AfterSale, tied: tie.Tied) -> bool:
    """Something came back or was paid back, and the system does not say what."""
    kinds = (AfterSaleKind.RETURN, AfterSaleKind.EXCHANGE, AfterSaleKind.REFUND, AfterSaleKind.DISCOUNT)
    over = row.stated.get("stage") == AfterSaleStage.DECLINED
    return row.kind in kinds and not (tied.shares or tied.beyond or row.amount or over)


def _instead_of(row: AfterSale) -> list[Instead]:
    """What was stated to be sent instead, from the row."""
    return [
        Instead(
            quantity=Decimal(str(one["quantity"])),
            sku=one.get("sku", ""),
            product_id=one.get("product_id", ""),
            title=one.get("title", ""),
            amount=_maybe(one.get("amount")),
        )
        for one in row.stated.get("instead", [])
    ]


def _maybe(value: Any) -> Decimal | None:
    return None if value is None else Decimal(str(value))


def settle(row: AfterSale) -> None:
    """Tie it to order and lines; tied, let it begin; else say what is missing."""
    order = row.order
    if order is None:
        _trouble(
            row, UNTIED, say("The order %(id)s as the hub knows it", id=row.order_external_id), say("No such order")
        )
        return
    _before_shipping(row, order)
    tied = tie.tie(order, _to_tie(row, order), delivered=row.kind not in UNDELIVERED)
    if tied.unknown:
        _trouble(row, UNTIED, say("Lines of order %(number)s", number=order.number), _all(tied.unknown))
    elif _says_nothing(row, tied):
        found = say(
            "%(system)s names neither lines nor an amount", system=row.connection.name if row.connection else "?"
        )
        _trouble(row, UNTIED, say("Which pieces, or how much money"), found)
    elif tied.beyond:
        _trouble(row, EXCEEDS, say("No more than was ordered and delivered"), _all(tied.beyond))
    else:
        cases.settle(row, kinds=(UNTIED, EXCEEDS))
        keep(row, tied.shares)
        if row.kind == AfterSaleKind.EXCHANGE:
            exchange.take_over(row, _instead_of(row))
        _begin(row)


def _to_tie(row: AfterSale, order: Order) -> list[Position]:
    """Of a cancelled order a refund is about the money of its lines only: no pieces come back or stay here twice."""
    positions = positions_of(row)
    if row.kind != AfterSaleKind.REFUND or order.stage != OrderStage.CANCELLED:
        return positions
    return [replace(position, quantity=ZERO) for position in positions]


def _before_shipping(row: AfterSale, order: Order) -> None:
    """Money for pieces that have not left the house means that they are not to be delivered: a cancellation."""
    if row.kind == AfterSaleKind.REFUND and order.stage == OrderStage.CANCELLED:
        return  # a case of its own says so already; this is the money of it
    pieces = any(position.quantity for position in positions_of(row))
    here = not order.shipments.exists() and not order.sales.filter(stage__in=conflicts.SHIPPED).exists()
    if row.kind in (AfterSaleKind.REFUND, AfterSaleKind.RETURN) and pieces and here:
        AfterSale.objects.filter(pk=row.pk).update(kind=AfterSaleKind.CANCELLATION)
        row.kind = AfterSaleKind.CANCELLATION


def _all(texts: Sequence[Text]) -> Text:
    return say("%(list)s", list=list(texts))


def _trouble(row: AfterSale, kind: str, expected: Text, found: Text) -> None:
    trouble = Trouble(
        kind=kind,
        cause=f"after_sale:{row.pk}",
        params={"number": row.number, "order": row.order.number if row.order else row.order_external_id},
        expected=expected,
        found=found,
        data={"after_sale": row.pk},
    )
    cases.settle(row, kinds={UNTIED, EXCEEDS} - {kind})
    cases.open_case(trouble, row, connection=row.connection, event_id=row.event_id)


def keep(row: AfterSale, shares: Sequence[tie.Share]) -> None:
    """Write the positions; tax of what is tied to no line is split by the order's rates and waits for a person."""
    row.lines.all().delete()
    merged: dict[int, AfterSaleLine] = {}
    for share in shares:
        one = merged.setdefault(
            share.line.pk, AfterSaleLine(after_sale=row, line=share.line, quantity=ZERO, outcome=Outcome.UNDECIDED)
        )
        one.quantity, one.amount, one.tax = (
            one.quantity + share.quantity,
            one.amount + share.amount,
            one.tax + share.tax,
        )
    AfterSaleLine.objects.bulk_create([one for one in merged.values() if one.quantity or one.amount])
    known = sum((one.amount for one in merged.values()), ZERO)
    row.amount = max(row.amount, known)
    rest = row.amount - known
    assert row.order is not None  # noqa: S101  only what has an order is kept
    split = tie.split_by_rate(row.order, rest) if rest > 0 else {}
    row.tax = sum((one.tax for one in merged.values()), ZERO) + sum((tax for _gross, tax in split.values()), ZERO)
    row.stated = {**row.stated, "split": {str(rate): [str(gross), str(tax)] for rate, (gross, tax) in split.items()}}
    row.save(update_fields=["amount", "tax", "stated"])


def _begin(row: AfterSale) -> None:
    """As far as the channel's rule lets it go by itself."""
    stage = AfterSaleStage(row.stated.get("stage", AfterSaleStage.DONE))
    if stage == AfterSaleStage.DECLINED:
        flow.move(row, AfterSaleState.DECLINED)
    elif conflict := conflicts.of(row):
        _decide(row, conflict)
    else:
        flow.begin(row, FIRST[stage])


def _decide(row: AfterSale, conflict: conflicts.Conflict) -> None:
    """Two systems contradict each other: by the merchant's rule, else a person is asked."""
    wins = conflicts.rule(row)
    flow.move(row, AfterSaleState.PROPOSED)
    if wins == Wins.SHOP:
        turn_into_return(row)
    elif wins == Wins.ERP:
        flow.move(row, AfterSaleState.DECLINED)
    else:
        conflicts.open_case(row, conflict)


def turn_into_return(row: AfterSale, *, by: User | None = None) -> None:
    """What was to be cancelled has left the house: all that the customer has is awaited back."""
    assert row.order is not None  # noqa: S101  a conflict is about an order
    AfterSale.objects.filter(pk=row.pk).update(kind=AfterSaleKind.RETURN)
    row.kind = AfterSaleKind.RETURN
    if not row.lines.exists():
        rooms = [room for room in tie.rooms(row.order) if room.delivered > 0]
        whole = [Position(quantity=room.delivered, line_id=room.line.external_id) for room in rooms]
        keep(row, tie.tie(row.order, whole, delivered=True).shares)
    flow.move(row, AfterSaleState.ANNOUNCED, by=by)


def _again(row: AfterSale, report: AfterSaleReport) -> str | None:
    """A later report of the same case: more positions while nothing is decided yet, or the next stage."""
    # positions that are known stay known where the system at last states an amount only
    told = report.positions and row.stated.get("positions") != stated(report).get("positions")
    same = not told and row.amount >= (report.amount or ZERO)
    moved = row.stated.get("stage") != report.stage
    if same and not moved:
        return mark("says nothing new")
    undecided = row.state in UNDECIDED
    _standing(row, report)
    row.save()
    if undecided:
        settle(row)
    elif moved:
        flow.follow(row, report.stage)
    elif not same:
        conflicts.changed(row)
    return None


def adopt(orders: Sequence[Order]) -> None:
    """Special cases that came before their order: tie them now."""
    waiting = AfterSale.objects.select_for_update(of=("self",)).filter(order=None, state=AfterSaleState.UNTIED)
    by_id = {(order.channel.slug, order.external_id): order for order in orders}
    named = Q(connection__slug__in={slug for slug, _id in by_id}) | ~Q(stated__order_channel="")
    found = waiting.filter(named, order_external_id__in={name for _slug, name in by_id}).select_related("connection")
    for row in found.order_by("pk"):
        slug = row.stated.get("order_channel") or (row.connection.slug if row.connection else "")
        row.order = by_id.get((slug, row.order_external_id))
        if row.order:
            row.currency = row.currency or row.order.currency
            row.save(update_fields=["order", "currency"])
            settle(row)
