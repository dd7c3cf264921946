"""What the ERP holds of an order: written by us, reported by it, told back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from django.contrib.contenttypes.models import ContentType
from django.db.models import DecimalField, QuerySet, Sum
from django.db.models.functions import Coalesce

from exceptions import services as cases
from integration_hub.kernel.errors import RetryLater
from integration_hub.kernel.messages import (
    ReportedShipment,
    SaleCancelled,
    SaleRecorded,
    SaleReport,
    ShipmentRecorded,
    Written,
)
from integration_hub.kernel.states import LineKind, SaleStage
from integration_hub.kernel.text import mark, say
from integration_hub.messaging import dispatch
from integration_hub.models import Activity, Attempt, Connection, InboundEvent, OutboundCommand
from integration_hub.models.activity import note

from . import exported, services, stock
from .aftersales import services as aftersales
from .models import Order, OrderLine, Sale, Shipment, ShipmentLine
from .states import Fulfilment, OrderState


def sale_written(command: OutboundCommand, written: Written, attempt: Attempt) -> None:
    """The ERP answered: keep its id and number, and tell the floors above."""
    order = Order.objects.select_for_update(of=("self",)).select_related("channel").get(pk=command.subject_id)
    stated = _stated(written)
    if written.unfinished:
        _left_unfinished(order, command, stated, attempt)
        return
    finished = stated | {"stage": SaleStage.CONFIRMED, "total": order.total}
    sale, made = Sale.objects.get_or_create(order=order, connection=command.connection, defaults=finished)
    news = made or sale.stage == SaleStage.DRAFT
    Sale.objects.filter(pk=sale.pk).update(**(finished if news else stated))
    Activity.objects.bulk_create([_step(command, attempt, stated["number"])])
    if news:
        dispatch.publish(SaleRecorded(order_id=order.pk, sale_id=sale.pk))
    if order.state == OrderState.CANCELLED:
        exported.cancelled(order)


def _left_unfinished(order: Order, command: OutboundCommand, stated: dict[str, str], attempt: Attempt) -> None:
    """The shop does not want it any more, and a broken try left it half done: a person takes it back in the ERP."""
    if services.is_wanted(order):
        raise RetryLater(say("The order has changed meanwhile."))
    draft = stated | {"stage": SaleStage.DRAFT, "total": order.total}
    Sale.objects.update_or_create(order=order, connection=command.connection, defaults=draft)
    text = say(
        "Left unfinished in %(erp)s as %(number)s: no longer wanted",
        erp=command.connection.name,
        number=stated["number"] or stated["external_id"],
    )
    note(order, "orders.left_unfinished", text, system=command.connection.name, attempt=attempt, ms=attempt.ms)
    exported.cancelled(order)
    services.move(order, OrderState.CANCELLED)


def sales_written(done: Sequence[tuple[OutboundCommand, Written, Attempt]]) -> None:
    """The same for many sales in one ERP; what is not plainly new is left to the way one by one."""
    ids = [command.subject_id for command, _written, _attempt in done]
    orders = {order.pk: order for order in _locked(ids)}
    known = set(Sale.objects.filter(order_id__in=ids, connection=done[0][0].connection).values_list("order", flat=True))
    odd = known | {order.pk for order in orders.values() if order.state == OrderState.CANCELLED}
    fresh = [one for one in done if one[0].subject_id not in odd]
    totals = {order.pk: order.total for order in orders.values()}
    sales = Sale.objects.bulk_create([_fresh(command, written, totals) for command, written, _attempt in fresh])
    steps = [
        _step(command, attempt, sale.number) for (command, _written, attempt), sale in zip(fresh, sales, strict=True)
    ]
    Activity.objects.bulk_create(steps)
    dispatch.publish(*[SaleRecorded(order_id=sale.order_id, sale_id=sale.pk) for sale in sales])
    for command, written, attempt in done:
        if command.subject_id in odd:
            sale_written(command, written, attempt)


def _locked(ids: Sequence[int]) -> QuerySet[Order]:
    """In order of key, so that two who lock many never wait for each other."""
    rows = Order.objects.select_for_update(of=("self",)).filter(pk__in=ids).order_by("pk")
    return rows.only("pk", "state", "total")


def _stated(written: Written) -> dict[str, str]:
    return {
        "external_id": written.external_id,
        "number": written.number[:60],
        "vendor_status": written.vendor_status[:60],
        "url": written.url[:500],
    }


def _fresh(command: OutboundCommand, written: Written, totals: dict[int, Decimal]) -> Sale:
    return Sale(
        order_id=command.subject_id,
        connection=command.connection,
        stage=SaleStage.CONFIRMED,
        total=totals[command.subject_id],
        **_stated(written),
    )


def _step(command: OutboundCommand, attempt: Attempt, number: str) -> Activity:
    text = say("Written to %(erp)s as %(number)s", erp=command.connection.name, number=number)
    return Activity(
        subject_type=ContentType.objects.get_for_model(Order),
        subject_id=command.subject_id,
        action="orders.written",
        text=text.as_json(),
        system=command.connection.name,
        attempt=attempt,
        ms=attempt.ms,
    )


def sale_reported(erp: Connection, report: SaleReport, event: InboundEvent) -> str | None:
    """The ERP shows a sale: take over state and shipments of those that are ours."""
    sale = _known(erp, report)
    if sale is None and exported.is_under_way(erp, report.reference):
        raise RetryLater(say("The hub is just writing this sale."))
    # another worker may have booked the answer between the two looks
    if sale is None and (sale := _known(erp, report)) is None:
        return "a sale that the hub did not write"
    if sale.source_updated_at and report.updated_at < sale.source_updated_at:
        return mark("older than what the hub holds")
    order = Order.objects.select_for_update(of=("self",)).select_related("channel").get(pk=sale.order_id)
    moved = _take_stage(order, sale, report, event)
    shipped = [_take_shipment(order, sale, shipment, event) for shipment in report.shipments]
    if moved or any(shipped):
        measure_fulfilment(order)
        stock.shipped(order, _left_at(report))
        aftersales.delivered(order, sale, event)
    moved = aftersales.sale_moved(sale, report, event) or moved
    return None if moved or any(shipped) else mark("says nothing new")


def _known(erp: Connection, report: SaleReport) -> Sale | None:
    sales = Sale.objects.select_for_update(of=("self",)).select_related("order__channel")
    return sales.filter(connection=erp, external_id=report.external_id).first()


def _left_at(report: SaleReport) -> datetime:
    """When the newest parcel left the house."""
    return max(
        (stock.moment(shipment.shipped_at, report.updated_at) for shipment in report.shipments),
        default=report.updated_at,
    )


def _take_stage(order: Order, sale: Sale, report: SaleReport, event: InboundEvent) -> bool:
    was = (sale.stage, sale.number)
    sale.source_updated_at = report.updated_at
    sale.stage, sale.vendor_status = report.stage, report.vendor_status[:60]
    sale.number = report.number[:60] or sale.number
    sale.total = report.total if report.total is not None else sale.total
    sale.save()
    if was == (sale.stage, sale.number):
        return False
    text = say("%(erp)s says: %(status)s", erp=event.connection.name, status=sale.vendor_status)
    note(
        order,
        "orders.sale_moved",
        text,
        system=event.connection.name,
        event=event,
        data={"from": was[0], "to": sale.stage},
    )
    if sale.stage == SaleStage.CANCELLED and was[0] != SaleStage.CANCELLED:
        cases.settle(order, kinds=exported.KINDS)
        stock.release(order)
        dispatch.publish(SaleCancelled(order_id=order.pk, sale_id=sale.pk))
    return True


def _take_shipment(order: Order, sale: Sale, report: ReportedShipment, event: InboundEvent) -> bool:
    shipment, made = Shipment.objects.get_or_create(
        sale=sale,
        external_id=report.external_id[:120],
        defaults={
            "order": order,
            "number": report.number[:60],
            "carrier": report.carrier[:60],
            "tracking_number": report.tracking_number[:120],
            "tracking_url": report.tracking_url[:500],
            "shipped_at": report.shipped_at,
        },
    )
    if not made:
        return False
    _allot(order, shipment, report)
    words = say("Shipped: %(number)s %(tracking)s", number=shipment.number, tracking=shipment.tracking_number)
    note(order, "orders.shipped", words, system=event.connection.name, event=event)
    # the fulfilment must be known before the shop is told whether this was the last parcel
    measure_fulfilment(order)
    dispatch.publish(ShipmentRecorded(order_id=order.pk, shipment_id=shipment.pk))
    return True


def _allot(order: Order, shipment: Shipment, report: ReportedShipment) -> None:
    """Say which lines the parcel holds: by SKU, first lines first, never more than was ordered."""
    lines = order.lines.select_related("variant").filter(kind=LineKind.ITEM)
    open_by_line = {line: line.quantity - packed for line, packed in _packed(lines)}
    rows = []
    for packed in report.lines:
        left = packed.quantity
        for line, room in open_by_line.items():
            take = min(left, room) if packed.sku in _skus(line) else Decimal(0)
            if take > 0:
                rows.append(ShipmentLine(shipment=shipment, line=line, quantity=take))
                open_by_line[line], left = room - take, left - take
    ShipmentLine.objects.bulk_create(_summed(rows))


def _summed(rows: list[ShipmentLine]) -> list[ShipmentLine]:
    merged: dict[int, ShipmentLine] = {}
    for row in rows:
        known = merged.setdefault(row.line_id, row)
        if known is not row:
            known.quantity += row.quantity
    return list(merged.values())


def _skus(line: OrderLine) -> set[str]:
    return {line.sku} | ({line.variant.sku} if line.variant else set())


def _packed(lines: QuerySet[OrderLine]) -> list[tuple[OrderLine, Decimal]]:
    """Lines with how many pieces the parcels hold already."""
    sums = lines.annotate(packed=Coalesce(Sum("shipmentline__quantity"), Decimal(0), output_field=DecimalField()))
    return [(line, line.packed) for line in sums]


def measure_fulfilment(order: Order) -> None:
    """Recompute the derived axis: shipped when the ERP says so or all goods but cancelled ones are in parcels, partly with any parcel."""
    left_the_house = order.shipments.exists()
    goods = _packed(order.lines.filter(kind=LineKind.ITEM)) if left_the_house else []
    if order.sales.filter(stage=SaleStage.SHIPPED).exists() or (
        left_the_house and all(packed >= line.quantity - line.cancelled for line, packed in goods)
    ):
        order.fulfilment = Fulfilment.FULL
    else:
        order.fulfilment = Fulfilment.PARTIAL if left_the_house else Fulfilment.NONE
    Order.objects.filter(pk=order.pk).update(fulfilment=order.fulfilment)
