"""The verbs of orders, and the only writers of their states."""

from __future__ import annotations

from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.db.models import QuerySet

from customers.models import Customer
from exceptions import services as cases
from exceptions.services import Trouble
from integration_hub.kernel.errors import Defect, HubError, RetryLater
from integration_hub.kernel.messages import Address, OrderAccepted, OrderReport
from integration_hub.kernel.states import Capability, OrderStage, SaleStage
from integration_hub.kernel.text import Text, kept, mark, say
from integration_hub.messaging import dispatch, inbox, outbox, polling
from integration_hub.models import Connection, ExternalReference, InboundEvent, ProcessSwitch
from integration_hub.models.access import User
from integration_hub.models.activity import note
from integration_hub.models.inbound import Door
from inventory import services as inventory

from . import addresses, exported, recording, stock, validation
from .aftersales import services as aftersales
from .exported import WRITE_SALE, is_written
from .models import Order, Waiver
from .states import MOVES, ORDER_TO_ERP, OrderState

TELLING = ("shop.accepted", "shop.shipped", "shop.cancelled")
HOLDING = (*validation.KINDS, stock.SHORT)  # the kinds of trouble that hold an order
OVER = (OrderStage.CANCELLED, OrderStage.GONE, OrderStage.REFUNDED)


def record(channel: Connection, report: OrderReport, event: InboundEvent) -> str | None:
    """Take over what the shop states; returns why nothing was done, if so.  Runs in the event's transaction."""
    recording.bounded(report)
    recording.create(channel, report)
    order = (
        Order.objects.select_for_update(of=("self",))
        .select_related("channel", "customer")
        .get(channel=channel, external_id=report.external_id[:120])
    )
    if not order.digest:
        _first(order, report, event)
        return None
    if report.updated_at < order.source_updated_at:
        return mark("older than what the hub holds")
    if _is_a_tie(order, report, event):
        polling.due(channel, "orders")
        return mark("as old as what the hub holds; polling tells which came last")
    if order.stage == OrderStage.GONE != report.stage:
        _reference(order).update(gone=False)
        for verb in TELLING:
            outbox.want_again(order, verb)
    if recording.digest(report) == order.digest:
        return _same_content(order, report, event)
    _edited(order, report, event)
    return None


def _is_a_tie(order: Order, report: OrderReport, event: InboundEvent) -> bool:
    """Two states of the same second: webhooks overtake each other, only the shop itself can say which came last."""
    asked = event.door != Door.WEBHOOK or Capability.POLL not in order.channel.capabilities
    return (
        not asked
        and report.updated_at == order.source_updated_at
        and not (recording.digest(report) == order.digest and recording.stands(order, report))
    )


def _first(order: Order, report: OrderReport, event: InboundEvent) -> None:
    recording.fill(order, report)
    _refer(order)
    aftersales.adopt([order])
    note(order, "orders.reported", reported(event), system=order.channel.name, event=event)
    route(order, system=order.channel.name)


def reported(event: InboundEvent) -> Text:
    """How a timeline begins."""
    return say("Reported by %(channel)s (%(door)s)", channel=event.connection.name, door=event.door)


def _refer(order: Order) -> None:
    from_shop = {"connection": order.channel, "kind": "order", "external_id": order.external_id}
    reference = ExternalReference(
        **from_shop, subject_type=ContentType.objects.get_for_model(Order), subject_id=order.pk
    )
    ExternalReference.objects.bulk_create([reference], ignore_conflicts=True)


def _reference(order: Order) -> QuerySet[ExternalReference]:
    return ExternalReference.objects.filter(connection=order.channel, kind="order", external_id=order.external_id)


def _same_content(order: Order, report: OrderReport, event: InboundEvent) -> str | None:
    """Only the standing may have moved: status, payment, refunds."""
    before = {name: getattr(order, name) for name in recording.TELLING}
    for name, value in recording.standing(report).items():
        setattr(order, name, value)
    order.save(update_fields=list(recording.standing(report)))
    changed = {
        name: [str(old), str(getattr(order, name))] for name, old in before.items() if old != getattr(order, name)
    }
    if not changed:
        return mark("says nothing new")
    note(order, "orders.standing", _moved(order), system=order.channel.name, event=event, data=changed)
    if "stage" in changed or order.state == OrderState.HELD:
        route(order, system=order.channel.name)
    return None


def _moved(order: Order) -> Text:
    return say("The shop says: %(status)s, payment %(payment)s", status=order.vendor_status, payment=order.payment)


def _edited(order: Order, report: OrderReport, event: InboundEvent) -> None:
    changes = recording.differences(order, report)
    if is_written(order):
        _same_content(order, report, event)
        exported.edited(order, report, event, changes)
        return
    recording.fill(order, report)
    note(
        order,
        "orders.edited",
        say("Changed in the shop"),
        system=order.channel.name,
        event=event,
        data={"changes": kept(changes)},
    )
    route(order, system=order.channel.name)


def gone(channel: Connection, external_id: str, event: InboundEvent) -> str | None:
    """The shop does not show the order any more: what was not written is cancelled, what was is a case."""
    order = Order.objects.select_for_update(of=("self",)).filter(channel=channel, external_id=external_id[:120]).first()
    if order is None:
        return mark("an order that the hub never saw")
    _reference(order).update(gone=True)
    if order.stage == OrderStage.GONE:
        return mark("says nothing new")
    order.stage, order.vendor_status = OrderStage.GONE, "deleted"
    order.save(update_fields=["stage", "vendor_status"])
    note(order, "orders.gone", say("Deleted in the shop"), system=channel.name, event=event)
    for verb in TELLING:  # nobody is there to be told
        outbox.cancel_pending(order, verb, even_unclear=True)
    route(order, system=channel.name)
    return None


def route(order: Order, *, system: str = "hub", by: User | None = None) -> None:
    """Decide anew what happens with the order, from its standing, the processes and its problems."""
    if order.stage in OVER:
        _cancel(order, system=system, by=by)
    elif order.state == OrderState.CANCELLED and aftersales.is_cancelled(order):
        return  # by the hub itself, whatever the shop still says
    elif is_written(order):
        cases.settle(order, kinds=HOLDING, by=by)
        if order.state == OrderState.CANCELLED:
            _restore(order, system=system, by=by)
    elif order.stage == OrderStage.PENDING:
        _stop(order, OrderState.WAITING, system=system, by=by)
    elif not _wanted(order):
        _stop(order, OrderState.RECORDED, system=system, by=by)
    else:
        _judge(order, system=system, by=by)


def _restore(order: Order, *, system: str, by: User | None) -> None:
    """The shop wants again what the ERP holds or may hold; what was left half done there is finished."""
    exported.restored(order)
    move(order, OrderState.ACCEPTED, system=system, by=by)
    if order.sales.filter(stage=SaleStage.DRAFT).exists():
        dispatch.publish(OrderAccepted(order_id=order.pk))


def is_wanted(order: Order) -> bool:
    """Whether the ERP is still to hold it: the shop has neither cancelled, nor deleted, nor wholly refunded it."""
    return order.state == OrderState.ACCEPTED and order.stage not in OVER


def _wanted(order: Order) -> bool:
    """Whether a process is switched on that takes orders of this channel placed at this time."""
    return ProcessSwitch.objects.filter(
        channel=order.channel, process=ORDER_TO_ERP, enabled=True, since__lte=order.placed_at
    ).exists()


def _stop(order: Order, state: OrderState, *, system: str, by: User | None) -> None:
    cases.settle(order, kinds=HOLDING, by=by)
    outbox.cancel_pending(order, WRITE_SALE)
    if state == OrderState.WAITING and order.exchange_id:
        stock.reserve(order)  # a replacement is promised its goods while the others are on their way back
    elif state == OrderState.WAITING:
        stock.hold(order)
    else:
        stock.release(order)
    move(order, state, system=system, by=by)


def _judge(order: Order, *, system: str, by: User | None) -> None:
    found = _troubles(order)
    if any(trouble.kind == "unknown_product" for trouble in found):
        # whoever maps or brings the product either has done so before this look, or finds our case open
        inventory.hold_names([recording.named(line) for line in order.lines.all()])
        found = _troubles(order) if recording.match_products(order) else found
    found = found or _shortages(order)
    cases.settle(order, kinds=HOLDING, still=[(trouble.kind, trouble.cause) for trouble in found], by=by)
    if found:
        outbox.cancel_pending(order, WRITE_SALE)
        stock.release(order)
        move(order, OrderState.HELD, system=system, by=by)
        return
    move(order, OrderState.ACCEPTED, system=system, by=by)
    dispatch.publish(OrderAccepted(order_id=order.pk))


def _troubles(order: Order) -> list[Trouble]:
    """What is wrong with the order, each with its case open."""
    found = validation.problems(order)
    for trouble in found:
        cases.open_case(trouble, order, connection=order.channel)
    return found


def _shortages(order: Order) -> list[Trouble]:
    """Promise the order its goods; what is missing, each with its case open."""
    found = stock.reserve(order)
    for trouble in found:
        cases.open_case(trouble, order, connection=order.channel)
    return found


def _cancel(order: Order, *, system: str, by: User | None) -> None:
    outbox.cancel_pending(order, WRITE_SALE)
    outbox.look_again(order, WRITE_SALE)
    cases.settle(order, kinds=HOLDING, by=by)
    if is_written(order) and order.stage != OrderStage.REFUNDED:
        exported.cancelled(order)
    elif not is_written(order):
        stock.release(order)  # what the ERP holds it may still ship: it stays promised until the ERP lets go
    if order.stage != OrderStage.REFUNDED or not is_written(order):
        move(order, OrderState.CANCELLED, system=system, by=by)


def take_back(order: Order, *, by: User | None = None) -> None:
    """The hub itself has cancelled the whole order."""
    outbox.cancel_pending(order, WRITE_SALE)
    cases.settle(order, kinds=HOLDING, by=by)
    stock.release(order)
    move(order, OrderState.CANCELLED, by=by)


def catch_up(order: Order) -> None:
    """It was not written after all: take over what the shop changed while it might have been."""
    held = exported.open_cases(order)
    if order.sales.exists():
        return
    if not held:
        if order.stage in OVER:
            route(order)
        return
    events = InboundEvent.objects.filter(pk__in=[case.data.get("event") for case in held]).select_related("connection")
    try:
        stated = [report for event in events for report in inbox.reports_of(event) if isinstance(report, OrderReport)]
    except HubError:
        return  # the case stays open, and a person brings both sides together
    cases.settle(order, kinds=exported.KINDS)
    for report in stated:
        recording.fill(order, report)
        route(order)


def move(order: Order, to: OrderState, *, system: str = "hub", by: User | None = None, why: str = "") -> bool:
    """Move the order on its decided axis; False if it is there already.  The old state must still stand."""
    if order.state == to:
        return False
    old = OrderState(order.state)
    if to not in MOVES[old]:
        raise Defect(say("An order cannot go from %(old)s to %(to)s.", old=old.value, to=to.value))
    if not Order.objects.filter(pk=order.pk, state=old).update(state=to):
        raise RetryLater(say("The order has changed meanwhile."))
    order.state = to
    note(
        order,
        "orders.moved",
        moved(old, to),
        by=by,
        system="" if by else system,
        why=why,
    )
    return True


def moved(old: OrderState, to: OrderState) -> Text:
    """A move in words."""
    return say("Order: %(old)s → %(to)s", old=old.value, to=to.value)


def reconsider(order_id: int, *, by: User | None = None) -> Order:
    """Match products and judge again, under a lock; what a fix calls for every order it lets go."""
    with transaction.atomic():
        order = Order.objects.select_for_update(of=("self",)).select_related("channel", "customer").get(pk=order_id)
        cases.settle(order, kinds=("take_up_failed",), by=by)
        if not is_written(order):
            recording.match_products(order)
        route(order, by=by)
    return order


def correct_address(order: Order, role: str, address: Address, *, by: User) -> None:
    addresses.correct(order, role, address)
    reconsider(order.pk, by=by)


def choose_customer(order: Order, customer: Customer, *, by: User) -> None:
    order.customer, order.customer_chosen = customer, True
    order.save(update_fields=["customer", "customer_chosen"])
    reconsider(order.pk, by=by)


def waive(order: Order, kinds: tuple[str, ...], *, by: User, why: str, cause: str = "", seen: str = "") -> int:
    """Accept the order's present troubles of these kinds (or of one cause); another figure later is another trouble.

    ``seen``: only with the figures of this fingerprint (``cases.figures``).  Returns how many troubles were accepted.
    """
    found = [
        trouble
        for trouble in validation.problems(order)
        if trouble.kind in kinds and cause in ("", trouble.cause) and seen in ("", cases.figures(trouble))
    ]
    rows = [
        Waiver(order=order, kind=trouble.kind, basis=validation.basis(trouble), why=why, by=by) for trouble in found
    ]
    Waiver.objects.bulk_create(rows, ignore_conflicts=True)
    reconsider(order.pk, by=by)
    return len(rows)
