"""The moves of a special case: begin, confirm, decline, arrive, inspect, carry out, finish.  The only writers of its state."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from django.db.models import F
from django.db.models.functions import Now

from exceptions import services as cases
from integration_hub.kernel.aftersales import AfterSaleKind, AfterSaleStage
from integration_hub.kernel.errors import Defect, NotNow, RetryLater
from integration_hub.kernel.messages import AfterSaleMoved
from integration_hub.kernel.money import Money
from integration_hub.kernel.text import say
from integration_hub.messaging import dispatch
from integration_hub.models.access import User
from integration_hub.models.activity import note
from orders import stock
from orders.models import Order, OrderLine

from . import conflicts, steps
from .models import AfterSale, AfterSaleLine, AfterSaleRule
from .states import DEFAULT_MODES, FIRST, MOVES, RETURNING, TAKING, AfterSaleState, Mode, Outcome

S = AfterSaleState
KINDS = ("after_sale_untied", "after_sale_exceeds", conflicts.CONFLICT)


def move(row: AfterSale, to: AfterSaleState, *, by: User | None = None, why: str = "") -> bool:
    """Move it; False if it is there already.  The old state must still stand; takes up or gives back pieces of the lines."""
    if row.state == to:
        return False
    old = row.state
    if to not in MOVES[old]:
        raise Defect(say("A special case cannot go from %(old)s to %(to)s.", old=old, to=to.value))
    over = {"finished_at": Now()} if to in (S.DONE, S.DECLINED) else {"finished_at": None}
    if not AfterSale.objects.filter(pk=row.pk, state=old).update(state=to, **over):
        raise RetryLater(say("The special case has changed meanwhile."))
    row.state = to
    _take(row, old in TAKING, to in TAKING)
    text = say("%(number)s: %(old)s → %(to)s", number=row.number, old=old, to=to.value)
    note(row.order or row, "orders.after_sale_moved", text, by=by, system="" if by else "hub", why=why)
    dispatch.publish(AfterSaleMoved(after_sale_id=row.pk, state=to))
    return True


def _take(row: AfterSale, before: bool, now: bool) -> None:
    """Pieces of the order's lines that are cancelled or come back; the database refuses more than were ordered."""
    column = _column(row)
    if before == now or not column:
        return
    for one in row.lines.filter(quantity__gt=0).select_related("line").order_by("line_id"):
        change = one.quantity if now else -one.quantity
        roomy = OrderLine.objects.filter(pk=one.line_id, quantity__gte=F("cancelled") + F("returned") + change)
        if not roomy.update(**{column: F(column) + change}):
            raise NotNow(
                say("There are not so many pieces of %(line)s any more.", line=one.line.title), code="too_many"
            )


def _column(row: AfterSale) -> str:
    if row.kind == AfterSaleKind.CANCELLATION:
        return "cancelled"
    return "returned" if row.kind in RETURNING else ""


def mode_of(row: AfterSale) -> Mode:
    """What the merchant wants in this channel, else the stated default."""
    channel = row.order.channel_id if row.order else row.connection_id
    found = AfterSaleRule.objects.filter(channel_id=channel, kind=row.kind).first()
    return Mode(found.mode) if found else DEFAULT_MODES[AfterSaleKind(row.kind)]


def begin(row: AfterSale, first: AfterSaleState) -> None:
    """Start as far as the rule allows: a returned parcel on its way is a fact, whoever must confirm what follows."""
    mode = mode_of(row)
    if mode == Mode.RECORD:
        move(row, S.RECORDED)
    elif mode == Mode.AUTOMATIC and row.kind in (AfterSaleKind.EDIT, AfterSaleKind.ADDRESS_CHANGE):
        _go(row)  # nobody in the shop has to agree to it any more
    elif first in (S.ANNOUNCED, S.ARRIVED, S.PROPOSED):
        move(row, first)
    elif mode == Mode.PROPOSE:
        move(row, S.PROPOSED)
    else:
        _go(row)


def _go(row: AfterSale, *, by: User | None = None, why: str = "") -> None:
    """Carry it out; a return waits for its goods first unless they are here already."""
    stage = AfterSaleStage(row.stated.get("stage", AfterSaleStage.DONE))
    if row.kind in RETURNING and stage != AfterSaleStage.DONE and row.state in (S.PROPOSED, S.UNTIED, S.RECORDED):
        move(row, FIRST[AfterSaleStage.ANNOUNCED], by=by, why=why)
        return
    move(row, S.RUNNING, by=by, why=why)
    steps.plan(row, by)
    finish_if_done(row)


def locked(pk: int) -> AfterSale:
    """The row with its order locked first, as everybody locks."""
    order_id = AfterSale.objects.values_list("order_id", flat=True).get(pk=pk)
    if order_id:
        Order.objects.select_for_update(of=("self",)).get(pk=order_id)
    return AfterSale.objects.select_for_update(of=("self",)).select_related("order__channel", "connection").get(pk=pk)


def confirm(pk: int, *, by: User, why: str = "") -> AfterSale:
    """A person lets a proposed one run."""
    row = locked(pk)
    if row.state not in (S.PROPOSED, S.RECORDED):
        raise NotNow(say("Only what is proposed can be confirmed."), code="not_now")
    if row.state == S.RECORDED:
        move(row, S.PROPOSED, by=by)
    _go(row, by=by, why=why)
    cases.settle(row, kinds=KINDS, by=by)
    return row


def decline(pk: int, *, by: User | None, why: str) -> AfterSale:
    """It will not happen; pieces it had taken are free again."""
    row = locked(pk)
    if S.DECLINED not in MOVES[row.state] or not steps.take_back(row):
        raise NotNow(say("This can no longer be declined."), code="not_now")
    move(row, S.DECLINED, by=by, why=why)
    cases.settle(row, kinds=KINDS, by=by)
    return row


def follow(row: AfterSale, stage: str) -> None:
    """The system that reported it says that it went on there."""
    if stage == AfterSaleStage.DECLINED:
        move(row, S.DECLINED) if S.DECLINED in MOVES[row.state] else conflicts.changed(row)
    elif stage in (AfterSaleStage.RECEIVED, AfterSaleStage.DONE) and row.state == S.ANNOUNCED:
        move(row, S.ARRIVED)


def arrive(pk: int, *, by: User | None) -> AfterSale:
    """The parcel is here."""
    row = locked(pk)
    if row.state != S.ANNOUNCED:
        raise NotNow(say("Only an announced return can arrive."), code="not_now")
    move(row, S.ARRIVED, by=by)
    return row


def inspect(pk: int, found: Mapping[int, Mapping[str, Decimal]], *, by: User) -> AfterSale:
    """Say per position how many pieces go back into stock and how many are written off, then carry it out.

    ``found``: position id -> outcome -> pieces.  Fewer than announced: the rest did not come and is the customer's again.
    """
    row = locked(pk)
    if row.state != S.ARRIVED:
        raise NotNow(say("Only what has arrived can be inspected."), code="not_now")
    for one in list(row.lines.filter(quantity__gt=0)):
        _split(row, one, found.get(one.pk, {}))
    _restock(row, by=by)
    _go(row, by=by)
    return row


def _restock(row: AfterSale, *, by: User) -> None:
    """What is good is back in stock, where the hub keeps it."""
    good = row.lines.filter(outcome=Outcome.RESTOCK, line__variant__isnull=False).select_related("line__variant")
    if row.order:
        pieces = [(one.line.variant, one.quantity) for one in good if one.line.variant]
        stock.came_back(row.order, pieces, row, by=by)


def _split(row: AfterSale, one: AfterSaleLine, pieces: Mapping[str, Decimal]) -> None:
    """One row per outcome instead of one for all; money and tax are shared without losing a cent."""
    total = sum(pieces.values(), Decimal(0))
    if total > one.quantity or any(number < 0 for number in pieces.values()):
        raise NotNow(
            say("No more than the %(number)s announced can have arrived.", number=one.quantity), code="too_many"
        )
    parts = [(Outcome(word), number) for word, number in pieces.items() if number] + [(None, one.quantity - total)]
    amounts, taxes = (_shared(row, whole, [number for _word, number in parts]) for whole in (one.amount, one.tax))
    for (outcome, number), amount, tax in zip(parts, amounts, taxes, strict=True):
        if outcome is None:
            _missing(row, one, number, amount, tax)
        else:
            AfterSaleLine.objects.create(
                after_sale=row, line_id=one.line_id, quantity=number, amount=amount, tax=tax, outcome=outcome
            )
    one.delete()


def _shared(row: AfterSale, whole: Decimal, pieces: Sequence[Decimal]) -> list[Decimal]:
    return [part.amount for part in Money(whole, row.currency).split(pieces)]


def _missing(row: AfterSale, one: AfterSaleLine, number: Decimal, amount: Decimal, tax: Decimal) -> None:
    """What did not come is the customer's again, and its money is not given back."""
    if not number:
        return
    OrderLine.objects.filter(pk=one.line_id).update(returned=F("returned") - number)
    row.amount, row.tax = max(row.amount - amount, Decimal(0)), max((row.tax or Decimal(0)) - tax, Decimal(0))
    row.credit = min(row.credit, row.amount)
    row.save(update_fields=["amount", "tax", "credit"])


def finish_if_done(row: AfterSale) -> None:
    """Done when every step is; pieces that no ERP will ship any more are free again before that."""
    if row.order and row.state == S.RUNNING and _column(row) == "cancelled" and steps.goods_are_done(row):
        stock.less(row.order)
    if row.state == S.RUNNING and steps.all_done(row):
        move(row, S.DONE)
