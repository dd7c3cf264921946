"""News becomes commands where a process is switched on; commands are built from the rows as they are at send time."""

from __future__ import annotations

from collections.abc import Sequence

from integration_hub.kernel.messages import (
    Buyer,
    OrderAccepted,
    Parcel,
    SaleCancelled,
    SaleLine,
    SaleRecorded,
    ShipmentRecorded,
    TellAccepted,
    TellCancelled,
    TellShipped,
    WriteSale,
    Written,
)
from integration_hub.kernel.states import Capability, OrderStage
from integration_hub.kernel.text import say
from integration_hub.messaging import outbox
from integration_hub.models import Attempt, Connection, OutboundCommand, ProcessSwitch
from integration_hub.models.activity import note
from inventory import services as inventory

from . import addresses, services
from .exported import WRITE_SALE
from .models import Order, OrderLine, Sale, Shipment
from .services import ORDER_TO_ERP
from .states import Fulfilment

STATUS_TO_SHOP = "status_to_shop"


def write_sales(news: Sequence[OrderAccepted]) -> None:
    """Each order goes to the ERP of its channel, under one key for ever; one that went elsewhere before is taken back."""
    orders = Order.objects.in_bulk([one.order_id for one in news])
    switches = ProcessSwitch.objects.select_related("target").filter(
        channel_id__in={order.channel_id for order in orders.values()}, process=ORDER_TO_ERP
    )
    targets = {switch.channel_id: switch.target for switch in switches}
    outbox.commands(WRITE_SALE, [(targets[order.channel_id], f"sale:{order.pk}", order) for order in orders.values()])


def tell_accepted(news: Sequence[SaleRecorded]) -> None:
    for sale in Sale.objects.select_related("order__channel").filter(pk__in=[one.sale_id for one in news]):
        _tell(sale.order, "shop.accepted", Capability.TELL_ACCEPTED, f"accepted:{sale.pk}", sale=sale.pk)


def tell_shipped(news: Sequence[ShipmentRecorded]) -> None:
    shipped = Shipment.objects.select_related("order__channel").filter(pk__in=[one.shipment_id for one in news])
    for shipment in shipped:
        _tell(shipment.order, "shop.shipped", Capability.TELL_SHIPPED, f"shipped:{shipment.pk}", shipment=shipment.pk)


def tell_cancelled(news: Sequence[SaleCancelled]) -> None:
    for sale in Sale.objects.select_related("order__channel").filter(pk__in=[one.sale_id for one in news]):
        _tell(sale.order, "shop.cancelled", Capability.TELL_CANCELLED, f"cancelled:{sale.pk}", sale=sale.pk)


def _tell(order: Order, verb: str, capability: Capability, key: str, **params: int) -> None:
    """A command to the shop, if the process is on and the system can do it."""
    channel: Connection = order.channel
    on = ProcessSwitch.objects.filter(channel=channel, process=STATUS_TO_SHOP, enabled=True).exists()
    if on and capability in channel.connector_class.capabilities:
        outbox.command(channel, verb, key, order, **params)


def _locked(command: OutboundCommand) -> Order:
    return (
        Order.objects.select_for_update(of=("self",)).select_related("channel", "customer").get(pk=command.subject_id)
    )


def build_sale(command: OutboundCommand) -> WriteSale | None:
    """The order as the ERP is to hold it; None if it is not to be written (any more)."""
    order = _locked(command)
    if not command.maybe_sent:
        services.catch_up(order)
        if not services.is_wanted(order) and not (command.begun and order.stage in services.OVER):
            return None
    billing, shipping = addresses.of(order)
    lines = list(order.lines.select_related("variant"))
    ids = inventory.target_ids(command.connection, [line.variant_id for line in lines if line.variant_id])
    return WriteSale(
        reference=order.reference,
        number=order.number,
        channel=order.channel.slug,
        customer_code=order.customer.code if order.customer else f"HUB-ORDER-{order.pk}",
        buyer=Buyer(**order.buyer),
        billing=billing,
        shipping=shipping,
        placed_at=order.placed_at,
        currency=order.currency,
        prices_include_tax=order.prices_include_tax,
        lines=tuple(_line(line, ids) for line in lines),
        total=order.total,
        total_tax=order.total_tax,
        note=order.note,
    )


def sale_wanted(command: OutboundCommand) -> bool:
    """Whether a sale that stands half done in the ERP is to be finished."""
    return services.is_wanted(Order.objects.get(pk=command.subject_id))


def _line(line: OrderLine, ids: dict[int, str]) -> SaleLine:
    return SaleLine(
        kind=line.kind,  # type: ignore[arg-type]
        title=line.title,
        sku=line.variant.sku if line.variant else line.sku,
        quantity=line.quantity,
        unit_price=line.unit_price,
        discount=line.discount,
        net=line.net,
        tax=line.tax,
        gross=line.gross,
        tax_rate=line.tax_rate,
        product_id=ids.get(line.variant_id or 0, ""),
    )


def _told(command: OutboundCommand) -> Order | None:
    """The order to be told about, locked; None where the shop does not hold it any more."""
    order = _locked(command)
    return None if order.stage == OrderStage.GONE else order


def build_accepted(command: OutboundCommand) -> TellAccepted | None:
    if (order := _told(command)) is None:
        return None
    sale = Sale.objects.select_related("connection").get(pk=command.params["sale"])
    return TellAccepted(
        reference=order.reference, order_id=order.external_id, sale_number=sale.number, erp=sale.connection.name
    )


def build_shipped(command: OutboundCommand) -> TellShipped | None:
    if (order := _told(command)) is None:
        return None
    shipment = Shipment.objects.get(pk=command.params["shipment"])
    held = tuple(
        (row.line.external_id, row.quantity) for row in shipment.lines.select_related("line").order_by("line__position")
    )
    newest = order.shipments.order_by("-pk").values_list("pk", flat=True).first()
    return TellShipped(
        reference=order.reference,
        order_id=order.external_id,
        parcel=Parcel(
            key=f"{order.reference}/{shipment.external_id}",
            number=shipment.number,
            carrier=shipment.carrier,
            tracking_number=shipment.tracking_number,
            tracking_url=shipment.tracking_url,
            lines=held,
        ),
        complete=order.fulfilment == Fulfilment.FULL and newest == shipment.pk,
    )


def build_cancelled(command: OutboundCommand) -> TellCancelled | None:
    if (order := _told(command)) is None:
        return None
    return TellCancelled(reference=order.reference, order_id=order.external_id, reason="")


def told(command: OutboundCommand, written: Written, attempt: Attempt) -> None:
    """The shop was told: a step of the order's timeline."""
    order = Order.objects.get(pk=command.subject_id)
    text = say("Told %(shop)s: %(what)s", shop=command.connection.name, what=command.verb)
    note(order, f"orders.{command.verb}", text, system=command.connection.name, attempt=attempt, ms=attempt.ms)
