"""What a special case does in which system, in the right order: the ERP before the shop, goods before money."""

from __future__ import annotations

from collections.abc import Callable

from django.db.models.functions import Now

from integration_hub.kernel.aftersales import AfterSaleKind
from integration_hub.kernel.messages import AfterSaleMoneyDue
from integration_hub.kernel.states import Capability, OrderStage, SaleStage
from integration_hub.kernel.text import Text
from integration_hub.messaging import dispatch, outbox
from integration_hub.models import Connection, OutboundCommand, ProcessSwitch
from integration_hub.models.access import User
from integration_hub.models.outbound import CommandState
from orders.models import Order, Sale
from orders.states import ORDER_TO_ERP, Payment

from . import exchange
from .models import AfterSale, AfterSaleStep

CANCEL_SALE, WRITE_RETURN, REFUNDED, CANCEL_ORDER = "sale.cancel", "sale.return", "shop.refunded", "shop.cancel"
RETURNED = "shop.returned"
REPLACE, EXCHANGED, PARCEL = "replacement", "shop.exchanged", "shop.parcel"
BY_HAND = "erp.by_hand"
MONEY = "money"
COLLECT = "collect"
REST = "rest"


def plan(row: AfterSale, by: User | None) -> None:
    """Lay the steps down and ask for what other systems are to hold.  Runs in the transaction that lets the case run."""
    _lay(row, planned(row))
    if row.steps.filter(code=MONEY, done_at=None, skipped={}).exists():
        dispatch.publish(AfterSaleMoneyDue(after_sale_id=row.pk, by=by.pk if by else None))


def cancel_in_new_erps(row: AfterSale) -> bool:
    """A cancellation of pieces that came before the sale did: an ERP that holds the sale since is told too; False if none."""
    return _lay(row, _in_erps(row, CANCEL_SALE, Capability.CANCEL_SALE))


def _lay(row: AfterSale, wanted: Planned) -> bool:
    """Make those of these steps that are not there yet; whether there were any."""
    fresh = []
    for position, (code, connection, ask) in enumerate(wanted):
        step, made = AfterSaleStep.objects.get_or_create(
            after_sale=row, code=code, connection=connection, defaults={"position": position}
        )
        fresh += [(step, ask)] if made else []
    for step, ask in fresh:
        ask(step)
    return bool(fresh)


def planned(row: AfterSale) -> Planned:
    """Which targets would be written to, in order."""
    return _PLANS[AfterSaleKind(row.kind)](row)


Ask = Callable[[AfterSaleStep], None]
Planned = list[tuple[str, Connection | None, Ask]]


def _cancellation(row: AfterSale) -> Planned:
    return [
        *_in_erps(row, CANCEL_SALE, Capability.CANCEL_SALE),
        *_in_shop(row, CANCEL_ORDER, Capability.CANCEL_ORDER),
        *_money(row),
    ]


def _return(row: AfterSale) -> Planned:
    return [*_in_erps(row, WRITE_RETURN, Capability.WRITE_RETURN), *_back_in_shop(row), *_money(row)]


def _back_in_shop(row: AfterSale) -> Planned:
    """The shop hears that goods are back, unless it is the one who says so."""
    order = order_of(row)
    able = Capability.TELL_RETURNED in order.channel.connector_class.capabilities
    mute = row.connection_id == order.channel_id or order.exchange_id is not None or order.stage == OrderStage.GONE
    return [(RETURNED, order.channel, _command(RETURNED))] if able and not mute else []


def _exchange(row: AfterSale) -> Planned:
    back = [*_in_erps(row, WRITE_RETURN, Capability.WRITE_RETURN), *_back_in_shop(row)]
    return [*back, *_replacement(row), *_money(row), *_collect(row)]


def _replacement(row: AfterSale) -> Planned:
    """What is sent instead goes to the ERP as a sale of its own, and the shop is told on the original order."""
    if not row.instead.exists():
        return []
    channel = order_of(row).channel
    told = Capability.TELL_EXCHANGED in channel.connector_class.capabilities
    sent: Planned = [(REPLACE, None, _replace) if is_written_to_an_erp(channel) else (BY_HAND, None, _wait)]
    return [*sent, *([(EXCHANGED, channel, _tell_written)] if told else [])]


def is_written_to_an_erp(channel: Connection) -> bool:
    """Whether a process writes orders of this channel into an ERP."""
    return ProcessSwitch.objects.filter(channel=channel, process=ORDER_TO_ERP, enabled=True).exists()


def _collect(row: AfterSale) -> Planned:
    """The customer pays what the replacement costs more; where the shop makes the exchange, it does so itself."""
    due = exchange.balance(row).difference > 0 and row.connection_id != order_of(row).channel_id
    return [(COLLECT, None, _wait)] if due else []


def _replace(step: AfterSaleStep) -> None:
    """The command that writes the replacement is that of its order; it may have gone out in advance."""
    order = Order.objects.filter(exchange=step.after_sale).first()
    if order is None:
        return
    step.command = OutboundCommand.objects.filter(key=f"sale:{order.pk}", verb="sale.write").first()
    step.save(update_fields=["command"])
    if order.sales.exists():
        done(step.after_sale, REPLACE, None)


def _tell_written(step: AfterSaleStep) -> None:
    """The shop is told once the ERP holds the replacement."""
    if Sale.objects.filter(order__exchange=step.after_sale).exists():
        _command(EXCHANGED)(step)


def tell_exchanged(row: AfterSale) -> None:
    """The ERP holds the replacement: now the shop may know."""
    for step in row.steps.filter(code=EXCHANGED, command=None, done_at=None):
        _command(EXCHANGED)(step)


def tell_parcel(row: AfterSale, shipment: int) -> None:
    """A parcel of the replacement is on its way: the shop gets its tracking on the original order."""
    order = order_of(row)
    if Capability.TELL_EXCHANGED in order.channel.connector_class.capabilities:
        key = f"aftersale:{row.pk}:parcel:{shipment}"
        outbox.command(order.channel, PARCEL, key, order, after_sale=row.pk, shipment=shipment)


def _refund(row: AfterSale) -> Planned:
    return _money(row)


def _by_hand(row: AfterSale) -> Planned:
    return [(BY_HAND, sale.connection, _wait) for sale in _sales(row)]


def _edit(row: AfterSale) -> Planned:
    """Pieces that are not wanted any more are taken out where the ERP can be told; anything else is done by hand there."""
    if not row.lines.exists():
        return _by_hand(row)
    able = [sale for sale in _sales(row) if Capability.CANCEL_SALE in sale.connection.connector_class.capabilities]
    held = [(CANCEL_SALE, sale.connection, _command(CANCEL_SALE)) for sale in able]
    return [*held, *[(BY_HAND, sale.connection, _wait) for sale in _sales(row) if sale not in able]]


def _rest(_row: AfterSale) -> Planned:
    return [(REST, None, _wait)]


def _nothing(_row: AfterSale) -> Planned:
    return []


_PLANS: dict[AfterSaleKind, Callable[[AfterSale], Planned]] = {
    AfterSaleKind.CANCELLATION: _cancellation,
    AfterSaleKind.RETURN: _return,
    AfterSaleKind.EXCHANGE: _exchange,
    AfterSaleKind.REFUND: _refund,
    AfterSaleKind.DISCOUNT: _refund,
    AfterSaleKind.ADDRESS_CHANGE: _by_hand,
    AfterSaleKind.EDIT: _edit,
    AfterSaleKind.PARTIAL_DELIVERY: _rest,
    AfterSaleKind.VOUCHER: _nothing,
}


def _sales(row: AfterSale) -> list[Sale]:
    assert row.order is not None  # noqa: S101  what runs has an order
    return list(row.order.sales.select_related("connection").exclude(stage=SaleStage.CANCELLED).order_by("pk"))


def _in_erps(row: AfterSale, verb: str, capability: Capability) -> Planned:
    """A command to each ERP that holds the sale; by hand where the system cannot be told."""
    return [
        (verb, sale.connection, _command(verb)) if capability in sale.connection.connector_class.capabilities
        else (BY_HAND, sale.connection, _wait)
        for sale in _sales(row)
        if sale.connection_id != row.connection_id
    ]  # fmt: skip


def _in_shop(row: AfterSale, verb: str, capability: Capability) -> Planned:
    """The shop, unless it is where the case comes from; only a whole cancellation can be told."""
    order = order_of(row)
    if (
        row.connection_id == order.channel_id
        or row.lines.exists()
        or order.exchange_id
        or order.stage in (OrderStage.CANCELLED, OrderStage.GONE)
    ):
        return []
    able = capability in order.channel.connector_class.capabilities
    return [(verb, order.channel, _command(verb))] if able else []


def _money(row: AfterSale) -> Planned:
    """Money that has to go back; nothing where it went back already or was never paid, or where the shop pays it itself."""
    order = order_of(row)
    due = exchange.money_back(row)
    if row.money_moved or not due or row.connection_id == order.channel_id or order.payment == Payment.OPEN:
        return []
    told = Capability.TELL_REFUNDED in order.channel.connector_class.capabilities and not order.exchange_id
    return [(MONEY, None, _wait), *([(REFUNDED, order.channel, _wait)] if told else [])]


def tell_refunded(row: AfterSale) -> None:
    """The money has gone back: now the shop may know."""
    for step in row.steps.filter(code=REFUNDED, command=None, done_at=None):
        _command(REFUNDED)(step)


def order_of(row: AfterSale) -> Order:
    assert row.order is not None  # noqa: S101  what runs has an order
    return row.order


def _command(verb: str) -> Ask:
    def ask(step: AfterSaleStep) -> None:
        row = step.after_sale
        assert step.connection is not None  # noqa: S101  commands go to a system
        key = f"aftersale:{row.pk}:{verb}"
        outbox.command(step.connection, verb, key, order_of(row), after_sale=row.pk)
        outbox.revive(step.connection, key)
        step.command = OutboundCommand.objects.get(connection=step.connection, key=key)
        step.save(update_fields=["command"])

    return ask


def _wait(_step: AfterSaleStep) -> None:
    """Nothing to ask for: a person does it and says so, or it comes about."""


def all_done(row: AfterSale) -> bool:
    """No step is left that was neither done nor skipped."""
    return not row.steps.filter(done_at=None, skipped={}).exists()


def goods_are_done(row: AfterSale) -> bool:
    """No ERP still has to let go of pieces of lines."""
    waiting = row.steps.filter(code__in=(CANCEL_SALE, BY_HAND), done_at=None, skipped={})
    return row.lines.exists() and not waiting.exists()


def done(row: AfterSale, code: str, connection: Connection | None) -> None:
    """One target holds it now."""
    row.steps.filter(code=code, connection=connection, done_at=None).update(done_at=Now())


def skip(row: AfterSale, code: str, connection: Connection | None, why: Text) -> None:
    """It is not needed in this target after all."""
    row.steps.filter(code=code, connection=connection, done_at=None).update(skipped=why.as_json())


def failed(row: AfterSale) -> bool:
    """Whether a target has refused its step."""
    return row.steps.filter(command__state=CommandState.PARKED).exists()


def take_back(row: AfterSale) -> bool:
    """Take back what no target has been sent yet; False where one has taken it, or may have."""
    if row.steps.filter(done_at__isnull=False).exists():
        return False
    for step in row.steps.exclude(command=None).select_related("command"):
        if step.command and not outbox.cancel(step.command):
            return False
    row.steps.all().delete()
    return True
