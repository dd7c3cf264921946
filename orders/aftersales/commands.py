"""Commands of special cases, built from the rows as they are when they are sent, and what their success changes here."""

from __future__ import annotations

from dataclasses import replace

from exceptions import services as cases
from integration_hub.kernel.aftersales import (
    AfterSaleKind,
    CancelOrder,
    CancelSale,
    GoodsLine,
    Position,
    TellExchanged,
    TellRefunded,
    TellReturned,
    WriteReturn,
)
from integration_hub.kernel.messages import Written
from integration_hub.kernel.money import rounded
from integration_hub.kernel.states import OrderStage, SaleStage
from integration_hub.kernel.text import Text, say
from integration_hub.models import Attempt, Connection, OutboundCommand
from integration_hub.models.activity import note
from inventory import services as inventory
from orders import exported
from orders.models import Order, Sale, Shipment

from . import exchange, flow, steps, tie
from .models import AfterSale
from .states import Outcome
from .steps import order_of


def _of(command: OutboundCommand) -> AfterSale:
    return flow.locked(command.params["after_sale"])


def _not_needed(command: OutboundCommand, row: AfterSale, why: Text) -> None:
    """The world has done it already: the step is skipped, and says why."""
    steps.skip(row, command.verb, command.connection, why)
    flow.finish_if_done(row)


def _sale(row: AfterSale, connection: Connection) -> Sale:
    return Sale.objects.get(order=row.order, connection=connection)


def _goods(row: AfterSale, connection: Connection) -> tuple[GoodsLine, ...]:
    lines = list(row.lines.filter(quantity__gt=0).select_related("line__variant").order_by("line__position", "pk"))
    ids = inventory.target_ids(connection, [one.line.variant_id for one in lines if one.line.variant_id])
    return tuple(
        GoodsLine(
            sku=one.line.variant.sku if one.line.variant else one.line.sku,
            quantity=one.quantity,
            product_id=ids.get(one.line.variant_id or 0, ""),
            restock=one.outcome != Outcome.WRITE_OFF,
        )
        for one in lines
    )


def build_cancel_sale(command: OutboundCommand) -> CancelSale | None:
    row = _of(command)
    sale = _sale(row, command.connection)
    if sale.stage == SaleStage.CANCELLED:
        _not_needed(command, row, say("The sale is cancelled already."))
        return None
    return CancelSale(
        key=row.reference,
        sale_reference=order_of(row).reference,
        sale_id=sale.external_id,
        sale_number=sale.number,
        reason=row.reason,
        lines=_goods(row, command.connection),
    )


def build_return(command: OutboundCommand) -> WriteReturn | None:
    row = _of(command)
    sale = _sale(row, command.connection)
    lines = _goods(row, command.connection)
    if not lines:
        _not_needed(command, row, say("Nothing came back."))
        return None
    return WriteReturn(
        reference=row.reference,
        sale_reference=order_of(row).reference,
        sale_id=sale.external_id,
        sale_number=sale.number,
        reason=row.reason,
        lines=lines,
        received=True,
    )


def build_refunded(command: OutboundCommand) -> TellRefunded | None:
    row = _of(command)
    order = order_of(row)
    if order.stage == OrderStage.GONE:
        _not_needed(command, row, say("The shop does not hold this order any more."))
        return None
    is_exchange = row.kind == AfterSaleKind.EXCHANGE  # of the goods' worth only the difference goes back
    positions = (
        ()
        if is_exchange
        else tuple(
            Position(
                quantity=one.quantity, line_id=one.line.external_id, sku=one.line.sku, amount=one.amount, tax=one.tax
            )
            for one in row.lines.select_related("line").order_by("line__position", "pk")
        )
    )
    return TellRefunded(
        key=row.reference,
        reference=order.reference,
        order_id=order.external_id,
        positions=positions,
        amount=rounded(exchange.money_back(row), order.currency),
        currency=order.currency,
        shipping_amount=row.shipping_amount,
        reason=row.reason,
    )


def build_returned(command: OutboundCommand) -> TellReturned | None:
    """What is back, as the shop is to know it."""
    row = _of(command)
    order = order_of(row)
    lines = list(row.lines.filter(quantity__gt=0).select_related("line").order_by("line__position", "pk"))
    if order.stage == OrderStage.GONE or not lines:
        _not_needed(command, row, say("Nothing came back."))
        return None
    return TellReturned(
        key=row.reference,
        reference=order.reference,
        order_id=order.external_id,
        positions=tuple(
            Position(quantity=one.quantity, line_id=one.line.external_id, sku=one.line.sku) for one in lines
        ),
        complete=not any(room.delivered for room in tie.rooms(order)),
        reason=row.reason,
    )


def build_exchanged(command: OutboundCommand) -> TellExchanged | None:
    """The replacement as the shop is to know it."""
    row = _of(command)
    order, new = order_of(row), Order.objects.filter(exchange=row).first()
    sale = new.sales.order_by("pk").first() if new else None
    if order.stage == OrderStage.GONE or sale is None:
        _not_needed(command, row, say("The shop does not hold this order any more."))
        return None
    return _exchanged(command, row, sale, key=f"{row.reference}/sent")


def build_parcel(command: OutboundCommand) -> TellExchanged | None:
    """A parcel of the replacement."""
    row = _of(command)
    parcel = Shipment.objects.select_related("sale").get(pk=command.params["shipment"])
    if order_of(row).stage == OrderStage.GONE:
        return None
    told = _exchanged(command, row, parcel.sale, key=f"{row.reference}/parcel-{parcel.pk}")
    return replace(
        told, tracking=f"{parcel.carrier} {parcel.tracking_number}".strip(), tracking_url=parcel.tracking_url
    )


def _exchanged(command: OutboundCommand, row: AfterSale, sale: Sale, *, key: str) -> TellExchanged:
    order = order_of(row)
    return TellExchanged(
        key=key,
        reference=order.reference,
        order_id=order.external_id,
        number=row.number,
        sale_number=sale.number,
        returned=_goods(row, command.connection),
        sent=tuple(GoodsLine(sku=one.sku or one.title, quantity=one.quantity) for one in row.instead.all()),
        difference=exchange.balance(row).difference,
        currency=order.currency,
    )


def build_cancel_order(command: OutboundCommand) -> CancelOrder | None:
    order = order_of(row := _of(command))
    if order.stage in (OrderStage.CANCELLED, OrderStage.GONE):
        _not_needed(command, row, say("The order is cancelled there already."))
        return None
    return CancelOrder(key=row.reference, reference=order.reference, order_id=order.external_id, reason=row.reason)


def written(command: OutboundCommand, result: Written, attempt: Attempt) -> None:
    """A target holds it: tick the step."""
    row = _of(command)
    text = say(
        "%(number)s: %(system)s holds it (%(what)s)",
        number=row.number,
        system=command.connection.name,
        what=command.verb,
    )
    note(order_of(row), f"orders.{command.verb}", text, system=command.connection.name, attempt=attempt, ms=attempt.ms)
    if command.verb == steps.CANCEL_SALE and not row.lines.exists():
        Sale.objects.filter(order=row.order, connection=command.connection).update(
            stage=SaleStage.CANCELLED, vendor_status=result.vendor_status[:60]
        )
        cases.settle(order_of(row), kinds=exported.KINDS)
    steps.done(row, command.verb, command.connection)
    flow.finish_if_done(row)
