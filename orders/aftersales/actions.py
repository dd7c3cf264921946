"""What a person may do with the special cases of an order."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_lazy as _

from exceptions.actions import Why, is_open
from exceptions.models import ExceptionCase
from integration_hub.backoffice.actions import Action
from integration_hub.kernel.aftersales import AfterSaleKind
from integration_hub.kernel.text import Text, say
from integration_hub.models.access import User
from orders.models import Order
from orders.states import OrderState

from . import effects, exchange, services, tie
from .forms import AmountForm, CancelForm, ExchangeForm, InspectForm, ReturnForm
from .models import AfterSale
from .states import AfterSaleState, Outcome

S = AfterSaleState


def _cancel(order: Order, *, by: User, why: str, pieces: dict[int, Decimal]) -> Text:
    row = services.request(order, AfterSaleKind.CANCELLATION, pieces, by=by, why=why)
    return say("%(number)s is proposed: look at what will be written where, then confirm", number=row.number)


def _return(order: Order, *, by: User, why: str, pieces: dict[int, Decimal]) -> Text:
    row = services.request(order, AfterSaleKind.RETURN, pieces, by=by, why=why)
    return say("%(number)s is proposed: look at what will be written where, then confirm", number=row.number)


def _exchange(
    order: Order, *, by: User, why: str, pieces: dict[int, Decimal], goods: list[exchange.Goods], advance: bool
) -> Text:
    row = services.replace(order, pieces, goods, by=by, why=why, advance=advance)
    return say("%(number)s is proposed: look at what will be written where, then confirm", number=row.number)


def _discount(order: Order, *, by: User, why: str, amount: Decimal) -> Text:
    row = services.request(order, AfterSaleKind.DISCOUNT, {}, by=by, why=why, amount=amount)
    return say("%(number)s is proposed: look at what will be written where, then confirm", number=row.number)


def _can_cancel(order: Order) -> Text | None:
    if order.state == OrderState.CANCELLED:
        return say("The order is cancelled already.")
    return None if any(room.undelivered for room in tie.rooms(order)) else say("All goods have left the house.")


def _can_return(order: Order) -> Text | None:
    return None if any(room.delivered for room in tie.rooms(order)) else say("The customer has no goods of this order.")


ORDER_ACTIONS: tuple[Action, ...] = (
    Action(
        code="orders.cancel",
        label=_("Cancel …"),
        permission="orders.start_aftersale",
        run=_cancel,
        form=CancelForm,
        allowed=_can_cancel,
        help=_("Pieces that are not to be delivered. Leave all empty to cancel the whole order."),
    ),
    Action(
        code="orders.announce_return",
        label=_("Announce a return …"),
        permission="orders.start_aftersale",
        run=_return,
        form=ReturnForm,
        allowed=_can_return,
    ),
    Action(
        code="orders.exchange",
        label=_("Exchange …"),
        permission="orders.start_aftersale",
        run=_exchange,
        form=ExchangeForm,
        allowed=_can_return,
        help=_(
            "Goods come back, others are sent instead as an order of their own; the difference is paid or goes back."
        ),
    ),
    Action(
        code="orders.grant_discount",
        label=_("Grant a discount …"),
        permission="orders.start_aftersale",
        run=_discount,
        form=AmountForm,
        help=_("Money back without goods. The tax in it is split by the rates of the order."),
    ),
)


def _confirm(row: AfterSale, *, by: User) -> Text:
    after = services.confirm(row.pk, by=by)
    return say("%(number)s: %(state)s", number=after.number, state=after.state)


def _decline(row: AfterSale, *, by: User, why: str) -> Text:
    services.decline(row.pk, by=by, why=why)
    return say("%(number)s declined", number=row.number)


def _arrive(row: AfterSale, *, by: User) -> Text:
    services.arrive(row.pk, by=by)
    return say("%(number)s has arrived", number=row.number)


def _inspect(row: AfterSale, *, by: User, pieces: dict[int, dict[str, Decimal]]) -> Text:
    after = services.inspect(row.pk, pieces, by=by)
    return say("%(number)s: %(state)s", number=after.number, state=after.state)


def _by_hand(row: AfterSale, *, by: User, why: str) -> Text:
    services.done_by_hand(row.pk, by=by, why=why)
    return say("%(number)s: done by hand", number=row.number)


def only(*states: AfterSaleState) -> Any:
    """Allowed in these states alone."""
    words = [state.value for state in states]

    def allowed(row: AfterSale) -> Text | None:
        return None if row.state in words else say("Not in this state.")

    return allowed


def _waits_for_hand(row: AfterSale) -> Text | None:
    return None if services.waits_for_hand(row) else say("No step waits for a person.")


CONFIRM = Action(
    code="orders.confirm_after_sale",
    label=_("Confirm and carry out"),
    permission="orders.start_aftersale",
    run=_confirm,
    allowed=only(S.PROPOSED, S.RECORDED),
    effect=effects.of,
    primary=True,
    bulk=True,
)
DECLINE = Action(
    code="orders.decline_after_sale",
    label=_("Decline"),
    permission="orders.start_aftersale",
    run=_decline,
    form=Why,
    allowed=only(S.PROPOSED, S.RECORDED, S.UNTIED, S.ANNOUNCED),
    destructive=True,
)
ARRIVE = Action(
    code="orders.return_arrived",
    label=_("Has arrived"),
    permission="orders.inspect_aftersale",
    run=_arrive,
    allowed=only(S.ANNOUNCED),
    primary=True,
    bulk=True,
)
INSPECT = Action(
    code="orders.inspect_return",
    label=_("Inspect"),
    permission="orders.inspect_aftersale",
    run=_inspect,
    form=InspectForm,
    allowed=only(S.ARRIVED),
    primary=True,
)
BY_HAND = Action(
    code="orders.done_by_hand",
    label=_("Done by hand"),
    permission="orders.start_aftersale",
    run=_by_hand,
    form=Why,
    allowed=_waits_for_hand,
    help=_("You have done in the other system what the hub cannot do there."),
)
AFTER_SALE_ACTIONS: tuple[Action, ...] = (CONFIRM, ARRIVE, INSPECT, BY_HAND, DECLINE)
OUTCOMES = (Outcome.RESTOCK, Outcome.WRITE_OFF)


# the fixes of a case are the same verbs, on the special case it is about


def after_sale_of(case: ExceptionCase) -> AfterSale:
    return AfterSale.objects.get(pk=case.data["after_sale"])


def _case_confirm(case: ExceptionCase, *, by: User) -> Text:
    return _confirm(after_sale_of(case), by=by)


def _case_decline(case: ExceptionCase, *, by: User, why: str) -> Text:
    return _decline(after_sale_of(case), by=by, why=why)


def _case_return(case: ExceptionCase, *, by: User) -> Text:
    row = services.as_return(after_sale_of(case).pk, by=by)
    return say("%(number)s waits for the goods", number=row.number)


def _has_row(case: ExceptionCase) -> Text | None:
    row = AfterSale.objects.filter(pk=case.data.get("after_sale") or 0).first()
    return is_open(case) or (DECLINE.allowed(row) if row else say("Nothing is proposed."))


def _can_confirm(case: ExceptionCase) -> Text | None:
    row = AfterSale.objects.filter(pk=case.data.get("after_sale") or 0).first()
    return is_open(case) or (CONFIRM.allowed(row) if row else say("Nothing is proposed."))


CASE_CONFIRM = Action(
    code="orders.case_confirm_after_sale",
    label=_("Carry it out in the ERP"),
    permission="orders.start_aftersale",
    run=_case_confirm,
    allowed=_can_confirm,
    primary=True,
)
CASE_RETURN = Action(
    code="orders.case_as_return",
    label=_("Wait for the goods to come back"),
    permission="orders.start_aftersale",
    run=_case_return,
    allowed=_can_confirm,
    help=_("The goods are on their way. The cancellation becomes a return; money goes back when they have arrived."),
)
CASE_DECLINE = Action(
    code="orders.case_decline_after_sale",
    label=_("Decline it"),
    permission="orders.start_aftersale",
    run=_case_decline,
    form=Why,
    allowed=_has_row,
)
