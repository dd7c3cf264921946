"""The verbs of special cases as other rooms call them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.db.models.functions import Now

from exceptions import services as cases
from integration_hub.kernel.aftersales import AfterSaleKind, AfterSaleReport, AfterSaleStage, Position, ReportedReturn
from integration_hub.kernel.errors import NotNow
from integration_hub.kernel.messages import SaleReport
from integration_hub.kernel.states import OrderStage, SaleStage
from integration_hub.kernel.text import say
from integration_hub.models import InboundEvent
from integration_hub.models.access import User
from orders.models import Order, Sale
from orders.states import Fulfilment

from . import conflicts, exchange, flow, recording, steps, tie
from .models import AfterSale
from .states import OPEN, RETURNING, TAKING, AfterSaleState

record = recording.record
adopt = recording.adopt
confirm, decline, arrive, inspect = flow.confirm, flow.decline, flow.arrive, flow.inspect


def is_cancelled(order: Order) -> bool:
    """Whether the hub itself has cancelled the whole order, whatever its shop still says."""
    rows = order.after_sales.filter(kind=AfterSaleKind.CANCELLATION, state__in=TAKING, lines=None)
    return rows.exclude(connection=order.channel_id).exists()


def request(
    order: Order,
    kind: AfterSaleKind,
    pieces: Mapping[int, Decimal],
    *,
    by: User,
    why: str,
    amount: Decimal | None = None,
) -> AfterSale:
    """A person asks for it on the order's page; ``pieces`` by line id, none of them: the whole order.  It still waits to be confirmed."""
    positions = [
        Position(quantity=number, line_id=line.external_id)
        for line in order.lines.all()
        if (number := pieces.get(line.pk, Decimal(0)))
    ]
    tied = tie.tie(order, positions, delivered=kind != AfterSaleKind.CANCELLATION)
    if tied.beyond or tied.unknown:
        raise NotNow(say("%(list)s", list=[*tied.beyond, *tied.unknown]), code="too_many")
    row = AfterSale.objects.create(
        order=order,
        kind=kind,
        state=AfterSaleState.UNTIED,
        occurred_at=Now(),
        currency=order.currency,
        amount=amount if amount is not None else _worth(order, kind, tied),
        reason=why[:300],
        stated={"stage": AfterSaleStage.ANNOUNCED if kind in RETURNING else AfterSaleStage.DONE},
        by=by,
    )
    row.refresh_from_db()
    recording.keep(row, tied.shares)
    flow.move(row, AfterSaleState.PROPOSED, by=by, why=why)
    return row


def replace(
    order: Order, pieces: Mapping[int, Decimal], goods: Sequence[exchange.Goods], *, by: User, why: str, advance: bool
) -> AfterSale:
    """A person asks for an exchange: ``pieces`` come back, ``goods`` are sent instead, with ``advance`` before they are here."""
    row = request(order, AfterSaleKind.EXCHANGE, pieces, by=by, why=why)
    exchange.keep(row, goods)
    row.stated = {**row.stated, "advance": advance}
    row.save(update_fields=["stated"])
    return row


def _worth(order: Order, kind: AfterSaleKind, tied: tie.Tied) -> Decimal:
    """What the pieces cost; the whole order for a cancellation without lines."""
    if not tied.shares and kind == AfterSaleKind.CANCELLATION:
        return Decimal(order.total)
    return sum((share.amount for share in tied.shares), Decimal(0))


def cancelled_in_shop(order: Order, event: InboundEvent | None = None) -> AfterSale:
    """The shop cancelled an order that an ERP holds."""
    report = AfterSaleReport(
        external_id=order.external_id,
        order_id=order.external_id,
        kind=AfterSaleKind.CANCELLATION,
        stage=AfterSaleStage.DONE,
        vendor_status=order.vendor_status,
        occurred_at=order.source_updated_at,
        updated_at=order.source_updated_at,
        amount=order.total,
    )
    recording.record_of(order, order.channel, report, event)
    return AfterSale.objects.get(connection=order.channel, external_id=recording.identity(report))


def restored_in_shop(order: Order) -> None:
    """The shop wants again what it had cancelled: what is not under way yet is declined."""
    rows = order.after_sales.filter(
        connection=order.channel, kind=AfterSaleKind.CANCELLATION, state=AfterSaleState.PROPOSED
    )
    for row in rows:
        flow.decline(row.pk, by=None, why="")


def in_conflict(row: AfterSale) -> bool:
    return cases.open_cases_of(row).filter(kind=conflicts.CONFLICT).exists()


def edited(
    order: Order,
    digest: str,
    event: InboundEvent,
    *,
    only_place: bool,
    sides: list[dict[str, Any]],
    dropped: tuple[Position, ...],
) -> None:
    """The shop changed an order that an ERP holds: one row per new content, which replaces those before it.

    ``sides`` is what both say, for people; ``dropped`` are pieces that are not wanted any more, if that is all that changed.
    """
    changed_back(order)
    report = AfterSaleReport(
        external_id=f"{order.external_id}:{digest[:16]}",
        order_id=order.external_id,
        kind=AfterSaleKind.ADDRESS_CHANGE if only_place else AfterSaleKind.EDIT,
        stage=AfterSaleStage.REQUESTED,
        vendor_status=order.vendor_status,
        occurred_at=order.source_updated_at,
        updated_at=order.source_updated_at,
        positions=dropped,
    )
    recording.record_of(order, order.channel, report, event)
    row = AfterSale.objects.get(connection=order.channel, external_id=recording.identity(report))
    AfterSale.objects.filter(pk=row.pk).update(stated={**row.stated, "sides": sides})


def changed_back(order: Order) -> None:
    """What the shop had changed is as it was, or was changed again: what nobody has begun is declined."""
    kinds = (AfterSaleKind.EDIT, AfterSaleKind.ADDRESS_CHANGE)
    for row in order.after_sales.filter(kind__in=kinds, state=AfterSaleState.PROPOSED).order_by("pk"):
        flow.decline(row.pk, by=None, why="")


def delivered(order: Order, sale: Sale, event: InboundEvent) -> None:
    """A parcel has left: a delivery in parts begins with the first that leaves something behind, and ends with the last."""
    known = order.after_sales.filter(kind=AfterSaleKind.PARTIAL_DELIVERY)
    if order.fulfilment == Fulfilment.PARTIAL and not known.exists():
        report = AfterSaleReport(
            external_id=order.external_id,
            order_id=order.external_id,
            kind=AfterSaleKind.PARTIAL_DELIVERY,
            stage=AfterSaleStage.DONE,
            vendor_status=sale.vendor_status,
            occurred_at=sale.source_updated_at or order.source_updated_at,
            updated_at=sale.source_updated_at or order.source_updated_at,
        )
        recording.record_of(order, order.channel, report, event)
    elif order.fulfilment == Fulfilment.FULL:
        for row in known.filter(state=AfterSaleState.RUNNING):
            steps.done(row, steps.REST, None)
            flow.finish_if_done(row)


def sale_moved(sale: Sale, report: SaleReport, event: InboundEvent) -> bool:
    """What the ERP's word on a sale means for special cases: cancelled there, or goods back; True if something moved."""
    moved = [_returned(sale, one, report, event) for one in report.returns]
    if sale.order.exchange_id is not None:
        _replacement_moved(sale, sale.order.exchange_id)
    if sale.stage == SaleStage.CANCELLED:
        for row in sale.order.after_sales.filter(kind=AfterSaleKind.CANCELLATION, state=AfterSaleState.RUNNING):
            steps.done(row, steps.CANCEL_SALE, sale.connection)
            steps.done(row, steps.BY_HAND, sale.connection)
            flow.finish_if_done(row)
    return any(moved)


def _replacement_moved(sale: Sale, exchange_id: int) -> None:
    """A replacement has no shop that would say that it is done; cancelled in the ERP, its exchange hangs in the air."""
    whole = Order.objects.filter(pk=sale.order_id, fulfilment=Fulfilment.FULL)
    whole.update(stage=OrderStage.COMPLETED, vendor_status="shipped")
    row = AfterSale.objects.select_related("order", "connection").get(pk=exchange_id)
    if sale.stage == SaleStage.CANCELLED and row.state != AfterSaleState.DECLINED:
        found = say("%(erp)s: the sale %(sale)s is cancelled", erp=sale.connection.name, sale=sale.number)
        expected = say("The replacement %(number)s is sent", number=sale.order.number)
        conflicts.open_case(row, conflicts.Conflict("replacement_cancelled", expected, found))


def _returned(sale: Sale, one: ReportedReturn, report: SaleReport, event: InboundEvent) -> bool:
    """A return in the ERP: ours is known; one that was made there becomes a special case here."""
    if one.reference or AfterSale.objects.filter(steps__command__result__external_id=one.external_id).exists():
        return False
    stated = AfterSaleReport(
        external_id=one.external_id,
        order_id=sale.order.external_id,
        kind=AfterSaleKind.RETURN,
        stage=one.stage,
        vendor_status=one.vendor_status,
        occurred_at=one.received_at or report.updated_at,
        updated_at=report.updated_at,
        positions=one.positions,
    )
    return recording.record_of(sale.order, sale.connection, stated, event) is None


def written(orders: Sequence[int]) -> None:
    """An ERP holds the sales of these (locked) orders whole: pieces that were cancelled before are taken from it as well."""
    rows = AfterSale.objects.filter(
        order__in=orders,
        kind=AfterSaleKind.CANCELLATION,
        state__in=(AfterSaleState.RUNNING, AfterSaleState.DONE),
        lines__quantity__gt=0,
    )
    for pk in rows.order_by("order", "pk").values_list("pk", flat=True).distinct():
        row = flow.locked(pk)
        if steps.cancel_in_new_erps(row):
            flow.move(row, AfterSaleState.RUNNING)


def open_of(order: Order) -> Sequence[AfterSale]:
    return list(order.after_sales.filter(state__in=OPEN))


BY_PEOPLE = (steps.BY_HAND, steps.MONEY, steps.COLLECT)


def waits_for_hand(row: AfterSale) -> bool:
    """Whether a step waits for a person who does in a system what the hub cannot do there."""
    return (
        row.state == AfterSaleState.RUNNING and row.steps.filter(code__in=BY_PEOPLE, done_at=None, skipped={}).exists()
    )


def done_by_hand(pk: int, *, by: User, why: str) -> AfterSale:
    """A person has done elsewhere what the hub cannot do there; ``why`` says what."""
    row = flow.locked(pk)
    if not waits_for_hand(row):
        raise NotNow(say("No step waits for a person."), code="not_now")
    for step in row.steps.filter(code__in=BY_PEOPLE).select_related("connection"):
        steps.done(row, step.code, step.connection)
    steps.tell_refunded(row)
    flow.finish_if_done(row)
    return row


def money_returned(pk: int) -> None:
    """All money of the special case is with the customer again."""
    row = flow.locked(pk)
    steps.done(row, steps.MONEY, None)
    steps.tell_refunded(row)
    flow.finish_if_done(row)


def difference_paid(pk: int) -> None:
    """The customer has paid what the replacement of an exchange costs more."""
    row = flow.locked(pk)
    steps.done(row, steps.COLLECT, None)
    flow.finish_if_done(row)


def as_return(pk: int, *, by: User) -> AfterSale:
    """A cancellation that came too late: the goods have to come back first."""
    row = flow.locked(pk)
    if row.state != AfterSaleState.PROPOSED or row.kind != AfterSaleKind.CANCELLATION or row.order is None:
        raise NotNow(say("Only a proposed cancellation can become a return."), code="not_now")
    recording.turn_into_return(row, by=by)
    cases.settle(row, kinds=flow.KINDS, by=by)
    return row
