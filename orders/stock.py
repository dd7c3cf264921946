"""What orders want of stock: accepting reserves, shipping consumes, cancelling releases; and what happens when it is short."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db import models, transaction
from django.db.models import Exists, OuterRef, Sum
from django.utils import timezone

from exceptions import services as cases
from exceptions.models import ExceptionCase
from exceptions.services import Trouble
from integration_hub.kernel.messages import StockMoved
from integration_hub.kernel.states import LineKind
from integration_hub.kernel.text import Text, say
from integration_hub.models import Connection, ProcessSwitch
from integration_hub.models.access import User
from integration_hub.models.activity import note
from inventory.models import Kind, Location, Reservation, Shortage, StockLevel, Variant
from inventory.services import bundles, ledger, places, promises, shipping
from inventory.services.planning import Missing, Wish

from .models import Order, OrderLine, ShipmentLine
from .states import Fulfilment, OrderState

RESERVE_STOCK = "reserve_stock"
SHORT = "stock_short"


def is_on(channel: Connection, placed_at: datetime) -> bool:
    """Whether orders of this channel placed then reserve stock."""
    rows = ProcessSwitch.objects.filter(channel=channel, process=RESERVE_STOCK, enabled=True, since__lte=placed_at)
    return rows.exists()


def wish(order: Order, lines: Sequence[OrderLine], *, until: datetime | None = None, fresh: bool = False) -> Wish:
    """What an order takes from stock."""
    items = [line for line in lines if line.kind == LineKind.ITEM]
    goods = [(line.variant_id, line.quantity - line.cancelled) for line in items if line.variant_id]
    label = f"{order.channel.name} {order.number}"
    return Wish(subject=order, label=label, channel=order.channel, lines=goods, until=until, fresh=fresh)


def reserve(order: Order) -> list[Trouble]:
    """Promise the order its goods; what is missing under its channel's rule, as troubles, one per article."""
    if not is_on(order.channel, order.placed_at):
        return []
    missing = promises.promise(wish(order, list(order.lines.all())))
    return [trouble(order, one) for one in missing]


def trouble(order: Order, one: Missing) -> Trouble:
    """One case for all orders of a channel that wait for the same article."""
    variant = Variant.objects.only("sku").get(pk=one.variant_id)
    rule = places.rule_of(order.channel)
    levels = StockLevel.objects.filter(variant=variant, location__supplies__channel=order.channel)
    sums = levels.aggregate(on_hand=Sum("on_hand"), reserved=Sum("reserved"))
    return Trouble(
        kind=SHORT,
        cause=f"{order.channel_id}:{variant.pk}",
        params={"sku": variant.sku, "connection": order.channel.name},
        expected=say("%(wanted)s for order %(number)s", wanted=_plain(one.wanted), number=order.number),
        found=say(
            "%(missing)s missing: %(on_hand)s on hand, %(reserved)s of it reserved. Rule: %(rule)s",
            missing=_plain(one.missing),
            on_hand=_plain(sums["on_hand"] or Decimal(0)),
            reserved=_plain(sums["reserved"] or Decimal(0)),
            rule=_RULES[Shortage(rule.shortage)],
        ),
        data={"variant": variant.pk, "channel": order.channel_id, "rule": rule.shortage},
    )


_RULES = {
    Shortage.WAIT: say("the order waits for stock"),
    Shortage.PARTIAL: say("what is there is delivered, the rest later"),
    Shortage.BACKORDER: say("back-order with a date"),
    Shortage.CANCEL: say(
        "the line is to be cancelled: cancel it in the shop and return the money; the order runs on by itself"
    ),
}


def _plain(quantity: Decimal) -> str:
    return f"{quantity.normalize():f}"


def hold(order: Order) -> None:
    """An order that is not paid yet holds its goods for a while, if its channel says so and enough is there."""
    hours = places.rule_of(order.channel).unpaid_hours
    until = order.placed_at + timedelta(hours=hours)
    if hours and until > timezone.now() and is_on(order.channel, order.placed_at):
        promises.promise(wish(order, list(order.lines.all()), until=until))
    else:
        release(order)


def release(order: Order) -> None:
    """Give back what the order holds."""
    promises.release(order)


def less(order: Order) -> None:
    """Pieces of the order were cancelled: it holds what is left of its wish."""
    if promises.of_subject(order).exists():
        promises.promise(wish(order, list(order.lines.all())))


def came_back(order: Order, pieces: Sequence[tuple[Variant, Decimal]], cause: models.Model, *, by: User) -> None:
    """Returned goods are back in stock where the hub itself keeps the level; an ERP that keeps it reports them itself."""
    place = (
        Location.objects.filter(supplies__channel=order.channel, source=None).order_by("supplies__rank", "pk").first()
    )
    if place is None or not is_on(order.channel, order.placed_at):
        return
    for variant, needs in _parts([variant for variant, _quantity in pieces]).items():
        quantity = sum((number for one, number in pieces if one.pk == variant), Decimal(0))
        for part, each in needs:
            ledger.receive(part, place, quantity * each, by=by, why=order.number, returned=True, cause=cause)


def _parts(variants: Sequence[Variant]) -> dict[int, list[tuple[Variant, Decimal]]]:
    """What of each article lies in stock: itself, or the parts of a set; nothing for services and vouchers."""
    needs = bundles.parts_of([variant.pk for variant in variants])
    rows = Variant.objects.in_bulk([need.variant_id for found in needs.values() for need in found])
    return {
        pk: [(rows[need.variant_id], need.quantity) for need in found if need.variant_id in rows]
        for pk, found in needs.items()
    }


def shipped(order: Order, at: datetime) -> None:
    """Take out of the house what the order's parcels hold by now."""
    rows = promises.of_subject(order)
    if not (rows.exists() or is_on(order.channel, order.placed_at)):
        return
    packed = ShipmentLine.objects.filter(shipment__order=order, line__variant__isnull=False)
    sums = packed.values_list("line__variant_id").annotate(pieces=Sum("quantity")).order_by("line__variant_id")
    shipping.shipped(
        order,
        order.channel,
        [(variant, pieces) for variant, pieces in sums if variant],
        label=f"{order.channel.name} {order.number}",
        at=at,
        complete=order.fulfilment == Fulfilment.FULL,
    )


def moment(stated: datetime | None, reported: datetime) -> datetime:
    """When goods left: a source that states days only says midnight, and then its report's own time is nearer the truth."""
    if stated is None or timezone.localtime(stated).time() == time(0) or stated.time() == time(0):
        return reported
    return stated


def back_order(order: Order, due: date | None) -> Text:
    """Promise what is there and the rest for later: somebody has decided so for this order."""
    promises.promise_uncovered(wish(order, list(order.lines.all())), due)
    text = say("Delivered in part; the rest by %(due)s", due=due) if due else say("Delivered in part; the rest later")
    note(order, "orders.back_order", text, system="hub")
    return text


def waiting(news: Sequence[StockMoved]) -> list[int]:
    """The orders that wait for articles whose stock has moved, oldest first: they may run on."""
    waiting = ExceptionCase.objects.open().filter(kind=SHORT)
    if any(one.variant_ids is None for one in news):
        found = list(waiting)
    else:
        ids = {pk for one in news for pk in one.variant_ids or ()}
        found = [case for case in waiting if case.data.get("variant") in ids]
    held = {pk for case in found if _something_is_free(case) for pk in cases.held_up(case, Order)}
    orders = Order.objects.filter(pk__in=held, state=OrderState.HELD).order_by("placed_at", "pk")
    return list(orders.values_list("pk", flat=True))


def _something_is_free(case: ExceptionCase) -> bool:
    levels = StockLevel.objects.filter(
        variant_id=case.data.get("variant"), location__supplies__channel_id=case.data.get("channel")
    )
    return any(level.on_hand > level.reserved for level in levels)


TAKEN_UP = 200


def take_up() -> dict[str, Any]:
    """Orders that are under way already when a channel's stock is set up hold their goods too; what is missing, uncovered.

    Some at a time, the oldest first; returns how many.
    """
    kind = ContentType.objects.get_for_model(Order)
    promised = Reservation.objects.filter(subject_type=kind, subject_id=OuterRef("pk"))
    goods = OrderLine.objects.filter(order=OuterRef("pk"), variant__kind__in=(Kind.GOODS, Kind.BUNDLE))
    count = 0
    for switch in ProcessSwitch.objects.filter(process=RESERVE_STOCK, enabled=True, channel__supplies__isnull=False):
        rows = Order.objects.filter(
            ~Exists(promised),
            Exists(goods),
            channel=switch.channel_id,
            state=OrderState.ACCEPTED,
            fulfilment=Fulfilment.NONE,
            placed_at__gte=switch.since,
        )
        for pk in list(rows.order_by("placed_at", "pk").values_list("pk", flat=True).distinct()[:TAKEN_UP]):
            count += _take_up(pk)
    return {"orders": count}


@transaction.atomic
def _take_up(pk: int) -> bool:
    order = Order.objects.select_for_update(of=("self",)).select_related("channel").get(pk=pk)
    if order.state != OrderState.ACCEPTED or order.fulfilment != Fulfilment.NONE:
        return False
    promises.promise_uncovered(wish(order, list(order.lines.all())), None)
    return True
