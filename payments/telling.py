"""Shops learn how an order stands with its money, ERPs get each payment registered: commands, where a process is on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from integration_hub.kernel.funds import RegisterPayment, TellPayment
from integration_hub.kernel.messages import OrderAccepted, OrderMoneyChanged, SaleRecorded, Written
from integration_hub.kernel.states import Capability, OrderStage
from integration_hub.kernel.text import say
from integration_hub.messaging import outbox
from integration_hub.models import Attempt, OutboundCommand, ProcessSwitch
from integration_hub.models.activity import note
from orders.models import Order, Sale

from . import balances
from .models import Allocation, OpenItem
from .states import Kind, Money, Standing

TO_ERP = "payments_to_erp"
TO_SHOP = "payment_status_to_shop"
TELL, REGISTER = "payment.tell", "payment.register"

WORDS = {
    Money.PAID: "paid",
    Money.OVERPAID: "paid",
    Money.PARTLY_REFUNDED: "partly_refunded",
    Money.REFUNDED: "refunded",
    Money.IN_DISPUTE: "in_dispute",
}
REGISTERED = (Kind.CAPTURE, Kind.REFUND, Kind.REFUND_FAILED, Kind.DISPUTE, Kind.DISPUTE_REVERSAL)


def money_changed(news: Sequence[OrderMoneyChanged]) -> None:
    """Each new standing goes to the shop, each movement to the ERP, once."""
    if not ProcessSwitch.objects.filter(process__in=(TO_SHOP, TO_ERP), enabled=True).exists():
        return  # a million orders may change at once
    orders = Order.objects.select_related("channel").in_bulk([one.order_id for one in news])
    _tell(orders, news)
    register([one.order_id for one in news])


def order_accepted(news: Sequence[OrderAccepted]) -> None:
    """An order that is there now may be the one that a payment waits for, and is an open item from now on."""
    if balances.is_kept():
        balances.refresh([one.order_id for one in news])


def sale_recorded(news: Sequence[SaleRecorded]) -> None:
    """The ERP has the order now, so what was paid before can be registered there."""
    register([one.order_id for one in news])


def _tell(orders: dict[int, Order], news: Sequence[OrderMoneyChanged]) -> None:
    on = set(
        ProcessSwitch.objects.filter(
            channel_id__in={order.channel_id for order in orders.values()}, process=TO_SHOP, enabled=True
        ).values_list("channel_id", flat=True)
    )
    for one in news:
        order = orders[one.order_id]
        if order.exchange_id or order.channel_id not in on or Capability.TELL_PAYMENT not in order.channel.capabilities:
            continue
        if Money(one.status) in WORDS:
            times = _times(order)
            outbox.command(order.channel, TELL, f"money:{order.pk}:{WORDS[Money(one.status)]}:{times}", order)


def _times(order: Order) -> int:
    """How often the shop was told about this order's money: a standing that comes back is told again."""
    return OutboundCommand.objects.filter(
        connection=order.channel, key__startswith=f"money:{order.pk}:", verb=TELL, state="DONE"
    ).count()


def build_tell(command: OutboundCommand) -> TellPayment | None:
    """How the order stands when it is told; None where the shop does not hold it or nothing is to be told any more."""
    order = Order.objects.select_for_update(of=("self",)).select_related("channel").get(pk=command.subject_id)
    item = OpenItem.objects.filter(pk=order.pk).first()
    if order.stage == OrderStage.GONE or item is None or Money(item.state) not in WORDS:
        return None
    paid = Allocation.objects.filter(order_id=order.pk, transaction__kind=Kind.CAPTURE).order_by("pk")
    return TellPayment(
        key=command.key,
        reference=order.reference,
        order_id=order.external_id,
        status=WORDS[Money(item.state)],
        amount=item.refunded or item.captured,
        currency=order.currency,
        payment_id=paid.values_list("transaction__external_id", flat=True).first() or "",
    )


def told(command: OutboundCommand, written: Written, attempt: Attempt) -> None:
    """The shop knows: a step of the order's timeline."""
    order = Order.objects.get(pk=command.subject_id)
    text = say("Told %(shop)s: %(what)s", shop=command.connection.name, what=command.verb)
    note(order, f"payments.{command.verb}", text, system=command.connection.name, attempt=attempt, ms=attempt.ms)


def register(order_ids: Iterable[int]) -> None:
    """Ask the ERP to hold every movement of these orders' money, where the process is on and the ERP has the sale."""
    sales = Sale.objects.filter(order_id__in=list(order_ids)).select_related("order", "connection")
    switches = ProcessSwitch.objects.filter(process=TO_ERP, enabled=True)
    on = set(switches.values_list("channel_id", "target_id"))
    for sale in sales.order_by("pk"):
        if (sale.order.channel_id, sale.connection_id) in on and _can_register(sale):
            for pk in _moved(sale.order_id):
                outbox.command(sale.connection, REGISTER, f"money:{pk}", sale.order, allocation=pk)


def _can_register(sale: Sale) -> bool:
    return Capability.REGISTER_PAYMENT in sale.connection.capabilities


def _moved(order_id: int) -> list[int]:
    rows = Allocation.objects.filter(
        order_id=order_id, transaction__kind__in=REGISTERED, transaction__state=Standing.SUCCEEDED
    )
    return list(rows.order_by("pk").values_list("pk", flat=True))


def build_register(command: OutboundCommand) -> RegisterPayment | None:
    """The movement as the ERP is to hold it; None where it was taken off the order meanwhile."""
    order = Order.objects.select_for_update(of=("self",)).get(pk=command.subject_id)
    rows = Allocation.objects.filter(pk=command.params["allocation"], order_id=order.pk)
    row = rows.select_related("transaction__connection").first()
    sale = Sale.objects.filter(order=order, connection=command.connection).first()
    if row is None or sale is None or row.transaction.state != Standing.SUCCEEDED:
        return None
    return RegisterPayment(
        key=command.key,
        reference=order.reference,
        sale_id=sale.external_id,
        sale_number=sale.number,
        amount=row.order_amount,
        currency=order.currency,
        paid_at=row.transaction.occurred_at,
        method=row.transaction.method,
        provider=row.transaction.connection.name,
        payment_id=row.transaction.external_id,
    )
