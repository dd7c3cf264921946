"""News becomes commands where a process is switched on; commands are built from the rows as they are at send time."""

from __future__ import annotations

from collections.abc import Sequence

from django.contrib.contenttypes.models import ContentType
from django.db.models import QuerySet

from integration_hub.kernel.messages import (
    Address,
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
from integration_hub.models import Activity, Attempt, OutboundCommand, ProcessSwitch
from inventory import services as inventory

from . import addresses, exported, services, stock
from .exported import WRITE_SALE
from .models import Order, OrderLine, Sale, Shipment
from .states import ORDER_TO_ERP, Fulfilment

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
    sales = Sale.objects.select_related("order__channel").filter(pk__in=[one.sale_id for one in news])
    _tell(
        "shop.accepted",
        Capability.TELL_ACCEPTED,
        [(sale.order, f"accepted:{sale.pk}", {"sale": sale.pk}) for sale in sales],
    )


def tell_shipped(news: Sequence[ShipmentRecorded]) -> None:
    shipped = Shipment.objects.select_related("order__channel").filter(pk__in=[one.shipment_id for one in news])
    _tell(
        "shop.shipped",
        Capability.TELL_SHIPPED,
        [(parcel.order, f"shipped:{parcel.pk}", {"shipment": parcel.pk}) for parcel in shipped],
    )


def tell_cancelled(news: Sequence[SaleCancelled]) -> None:
    sales = Sale.objects.select_related("order__channel").filter(pk__in=[one.sale_id for one in news])
    _tell(
        "shop.cancelled",
        Capability.TELL_CANCELLED,
        [(sale.order, f"cancelled:{sale.pk}", {"sale": sale.pk}) for sale in sales],
    )


def _tell(verb: str, capability: Capability, wanted: Sequence[tuple[Order, str, dict[str, int]]]) -> None:
    """Commands to the shops, where the process is on and the system can do it."""
    channels = {order.channel_id: order.channel for order, _key, _params in wanted}
    able = [pk for pk, channel in channels.items() if capability in channel.connector_class.capabilities]
    switches = ProcessSwitch.objects.filter(channel_id__in=able, process=STATUS_TO_SHOP, enabled=True)
    on = set(switches.values_list("channel_id", flat=True))
    outbox.ask(
        [
            outbox.Wish(order.channel, verb, key, order, dict(params))
            for order, key, params in wanted
            if order.channel_id in on and not order.exchange_id  # replacements are told on their original order
        ]
    )


def _locked(*ids: int) -> QuerySet[Order]:
    """These orders, locked in order of key so that two who lock many never wait for each other."""
    rows = Order.objects.select_for_update(of=("self",)).select_related("channel", "customer")
    return rows.filter(pk__in=ids).order_by("pk")


def build_sale(command: OutboundCommand) -> WriteSale | None:
    """The order as the ERP is to hold it; None if it is not to be written (any more)."""
    order = _locked(command.subject_id).get()
    if not command.maybe_sent:
        services.catch_up(order)
        if not services.is_wanted(order) and not (command.begun and order.stage in services.OVER):
            stock.release(order)
            return None
    lines = list(order.lines.select_related("variant"))
    ids = inventory.target_ids(command.connection, [line.variant_id for line in lines if line.variant_id])
    return _sale(order, lines, addresses.of(order), ids)


def build_sales(commands: Sequence[OutboundCommand]) -> dict[int, WriteSale]:
    """The same for many, without those that something is the matter with."""
    orders = list(_locked(*[command.subject_id for command in commands]))  # before anything else is looked at
    held = exported.held([command.subject_id for command in commands])
    plain = {order.pk: order for order in orders if services.is_wanted(order) and order.pk not in held}
    lines, at = _lines(list(plain)), addresses.of_all(list(plain))
    variants = {line.variant_id for held in lines.values() for line in held if line.variant_id}
    ids = inventory.target_ids(commands[0].connection, list(variants))
    return {
        command.pk: _sale(order, lines[order.pk], at[order.pk], ids)
        for command in commands
        if (order := plain.get(command.subject_id))
    }


def _lines(orders: Sequence[int]) -> dict[int, list[OrderLine]]:
    """The lines of many orders; ``prefetch_related`` would first make a query set for each order."""
    found: dict[int, list[OrderLine]] = {pk: [] for pk in orders}
    for line in OrderLine.objects.filter(order_id__in=orders).select_related("variant").order_by("position"):
        found[line.order_id].append(line)
    return found


def _sale(order: Order, lines: Sequence[OrderLine], at: tuple[Address, Address], products: dict[int, str]) -> WriteSale:
    return WriteSale(
        reference=order.reference,
        number=order.number,
        channel=order.channel.slug,
        customer_code=order.customer.code if order.customer else f"HUB-ORDER-{order.pk}",
        buyer=Buyer(**order.buyer),
        billing=at[0],
        shipping=at[1],
        placed_at=order.placed_at,
        currency=order.currency,
        prices_include_tax=order.prices_include_tax,
        lines=tuple(_line(line, products) for line in lines),
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
    order = _locked(command.subject_id).get()
    return None if order.stage == OrderStage.GONE else order


def build_accepted(command: OutboundCommand) -> TellAccepted | None:
    if (order := _told(command)) is None:
        return None
    sale = Sale.objects.select_related("connection").get(pk=command.params["sale"])
    return _accepted(order, sale)


def build_all_accepted(commands: Sequence[OutboundCommand]) -> dict[int, TellAccepted]:
    """The same for many, without orders that the shop does not hold any more."""
    rows = _locked(*[command.subject_id for command in commands])
    orders = {order.pk: order for order in rows.select_related(None).select_related("channel")}
    sales = Sale.objects.select_related("connection").in_bulk([command.params["sale"] for command in commands])
    return {
        command.pk: _accepted(order, sales[command.params["sale"]])
        for command in commands
        if (order := orders[command.subject_id]).stage != OrderStage.GONE
    }


def _accepted(order: Order, sale: Sale) -> TellAccepted:
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
    all_told([(command, written, attempt)])


def all_told(done: Sequence[tuple[OutboundCommand, Written, Attempt]]) -> None:
    """The same for many."""
    kind = ContentType.objects.get_for_model(Order)
    Activity.objects.bulk_create(
        [
            Activity(
                subject_type=kind,
                subject_id=command.subject_id,
                action=f"orders.{command.verb}",
                text=say("Told %(shop)s: %(what)s", shop=command.connection.name, what=command.verb).as_json(),
                system=command.connection.name,
                attempt=attempt,
                ms=attempt.ms,
            )
            for command, _written, attempt in done
        ]
    )
