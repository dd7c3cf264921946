"""New orders by the batch: what is plainly new and plainly right is written set by set, a dozen statements for all.

Whatever is not plain (known already, a trouble, an unclear customer, a rival's insert) is left to ``services.record``, which
judges one by one.  Both ways leave the same rows; ``tests/orders/test_batch.py`` compares them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.contrib.contenttypes.models import ContentType

from customers import services as customers
from integration_hub.kernel.errors import Rejected
from integration_hub.kernel.messages import Address, OrderAccepted, OrderReport
from integration_hub.kernel.states import OrderStage
from integration_hub.kernel.text import Text
from integration_hub.messaging import dispatch
from integration_hub.models import Activity, Connection, ExternalReference, InboundEvent, ProcessSwitch
from integration_hub.models.connection import Mode
from inventory.services import planning, promises

from . import addresses, recording, services, stock, validation
from .aftersales import services as aftersales
from .models import AddressRole, Order, OrderAddress, OrderLine
from .states import ORDER_TO_ERP, OrderState

PLAIN_STAGES = (OrderStage.READY, OrderStage.COMPLETED, OrderStage.PENDING)
Given = tuple[Connection, OrderReport, InboundEvent]


@dataclass
class _New:
    """One order in the making, with what belongs to it."""

    channel: Connection
    report: OrderReport
    event: InboundEvent
    order: Order
    lines: list[OrderLine]
    addresses: list[OrderAddress]


def record_new(given: Sequence[Given]) -> set[int]:
    """Write those that are plainly new and right; returns the ids of their events.  Runs in one transaction."""
    fresh = [_made(*one) for one in _unknown([one for one in given if _plain(*one)])]
    _recognise(fresh)
    _match(fresh)
    switches = _switches(fresh)
    chosen = [new for new in fresh if new.order.customer and _decide(new, switches)]
    plans = planning.plan([_wish(new) for new in chosen if _reserves(new, switches)])
    short = {id(one.wish.subject) for one in plans if one.missing}
    chosen = [new for new in chosen if id(new.order) not in short]
    _write(chosen)
    aftersales.adopt([new.order for new in chosen])
    promises.keep([one for one in plans if not one.missing])
    return {new.event.pk for new in chosen}


def _plain(channel: Connection, report: OrderReport, _event: InboundEvent) -> bool:
    try:
        recording.bounded(report)
    except Rejected:
        return False
    return report.stage in PLAIN_STAGES and not (report.is_test and channel.mode == Mode.LIVE)


def _unknown(given: Sequence[Given]) -> list[Given]:
    """Without those that we hold already, and without two of the same."""
    wanted = {(channel.pk, report.external_id[:120]): (channel, report, event) for channel, report, event in given}
    known = Order.objects.filter(
        channel_id__in={channel for channel, _id in wanted}, external_id__in={external for _channel, external in wanted}
    ).values_list("channel_id", "external_id")
    return [one for key, one in wanted.items() if key not in set(known)]


def _made(channel: Connection, report: OrderReport, event: InboundEvent) -> _New:
    order = Order(
        channel=channel,
        external_id=report.external_id[:120],
        state=OrderState.RECORDED,
        digest=recording.digest(report),
        **recording.header(report),
    )
    lines = [recording.line(order, place, item) for place, item in enumerate(report.lines, start=1)]
    stated = {AddressRole.BILLING: report.billing, AddressRole.SHIPPING: report.shipping or Address()}
    return _New(channel, report, event, order, lines, [addresses.row(order, *one) for one in stated.items()])


def _recognise(fresh: Sequence[_New]) -> None:
    """Guests by their e-mail, known or made; who has a number in the shop is judged one by one."""
    guests = [new for new in fresh if not new.report.buyer.external_id]
    mails = {id(new): customers.normalised_email(new.report.buyer.email) for new in guests}
    known = customers.by_emails({mail for mail in mails.values() if mail})
    unknown = {mails[id(new)]: new.report.buyer for new in guests if mails[id(new)] not in known}
    made = customers.make_all([buyer for mail, buyer in unknown.items() if mail])
    for new in guests:
        new.order.customer = known.get(mails[id(new)]) or made.get(mails[id(new)])


def _match(fresh: Sequence[_New]) -> None:
    for channel in {new.channel.pk: new.channel for new in fresh}.values():
        recording.match_lines(channel, [line for new in fresh if new.channel.pk == channel.pk for line in new.lines])


def _switches(fresh: Sequence[_New]) -> dict[tuple[int, str], ProcessSwitch]:
    rows = ProcessSwitch.objects.filter(
        channel_id__in={new.channel.pk for new in fresh},
        process__in=(ORDER_TO_ERP, stock.RESERVE_STOCK),
        enabled=True,
    )
    return {(row.channel_id, row.process): row for row in rows}


def _is_on(new: _New, process: str, switches: Mapping[tuple[int, str], ProcessSwitch]) -> bool:
    switch = switches.get((new.channel.pk, process))
    return switch is not None and switch.since <= new.order.placed_at


def _reserves(new: _New, switches: Mapping[tuple[int, str], ProcessSwitch]) -> bool:
    return new.order.state == OrderState.ACCEPTED and _is_on(new, stock.RESERVE_STOCK, switches)


def _wish(new: _New) -> planning.Wish:
    return stock.wish(new.order, new.lines, fresh=True)


def _decide(new: _New, switches: Mapping[tuple[int, str], ProcessSwitch]) -> bool:
    """Set where the order stands; False if that needs a closer look, such as goods to be held until it is paid."""
    order = new.order
    if order.stage == OrderStage.PENDING:
        order.state = OrderState.WAITING
        return not _is_on(new, stock.RESERVE_STOCK, switches)
    if not _is_on(new, ORDER_TO_ERP, switches):
        order.state = OrderState.RECORDED
    else:
        order.state = OrderState.ACCEPTED
        billing, shipping = addresses.pair({row.role: row.as_message() for row in new.addresses})
        return not validation.troubles(validation.Seen(order, new.lines, billing, shipping))
    return True


def _write(chosen: Sequence[_New]) -> None:
    if not chosen:
        return
    Order.objects.bulk_create([new.order for new in chosen])
    for new in chosen:
        for line in new.lines:
            line.order = new.order
        for address in new.addresses:
            address.order = new.order
    OrderLine.objects.bulk_create([row for new in chosen for row in new.lines])
    OrderAddress.objects.bulk_create([row for new in chosen for row in new.addresses])
    kind = ContentType.objects.get_for_model(Order)
    ExternalReference.objects.bulk_create([_reference(new, kind) for new in chosen], ignore_conflicts=True)
    Activity.objects.bulk_create([step for new in chosen for step in _steps(new, kind)])
    accepted = [new.order for new in chosen if new.order.state == OrderState.ACCEPTED]
    dispatch.publish(*[OrderAccepted(order_id=order.pk) for order in accepted])


def _reference(new: _New, kind: ContentType) -> ExternalReference:
    return ExternalReference(
        connection=new.channel,
        kind="order",
        external_id=new.order.external_id,
        subject_type=kind,
        subject_id=new.order.pk,
    )


def _steps(new: _New, kind: ContentType) -> list[Activity]:
    reported = _step(new, kind, "orders.reported", services.reported(new.event))
    reported.event = new.event
    if new.order.state == OrderState.RECORDED:
        return [reported]
    moved = services.moved(OrderState.RECORDED, OrderState(new.order.state))
    return [reported, _step(new, kind, "orders.moved", moved)]


def _step(new: _New, kind: ContentType, action: str, text: Text) -> Activity:
    return Activity(
        subject_type=kind, subject_id=new.order.pk, action=action, text=text.as_json(), system=new.channel.name
    )
