"""Telling a Shopware shop what became of an order: custom fields, tracking codes, and steps of its state machines.

Each wish is held against what the shop shows, and only what is missing is written.  A state that is reached is not entered
twice, a custom field and a tracking code are there or not: so doing it again changes nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

from integration_hub.kernel import fields
from integration_hub.kernel.aftersales import CancelOrder, TellExchanged, TellRefunded, TellReturned
from integration_hub.kernel.errors import Rejected, Unsupported
from integration_hub.kernel.fields import Object
from integration_hub.kernel.funds import TellPayment
from integration_hub.kernel.messages import Command, TellAccepted, TellCancelled, TellShipped, Written
from integration_hub.kernel.text import say

from . import _shopware_states as states
from ._exchanged import sentence
from ._shopware_api import GONE, Api, safe_id
from ._shopware_config import ShopwareConfig
from ._shopware_lines import ZERO, number
from ._shopware_search import named
from ._shopware_special import REFUND_FIELD, RETURN_FIELD, noted

SALE_FIELD, CANCELLED_FIELD, EXCHANGE_FIELD = "hub_sale_number", "hub_cancelled", "hub_exchange"
_MOST = 250
_PAYMENT_GOALS = {
    "paid": "paid",
    "partly_refunded": "refunded_partially",
    "refunded": "refunded",
    "in_dispute": "chargeback",
}
_SENT = frozenset({"shipped", "returned", "returned_partially", "cancelled"})  # no parcel changes these any more
_OVER = frozenset({"cancelled", "completed"})

Tell = (
    TellAccepted | TellShipped | TellCancelled | CancelOrder | TellPayment | TellExchanged | TellRefunded | TellReturned
)


@dataclass
class Plan:
    """What is missing, as requests in their order; ``status`` is what order, payment and delivery will be then."""

    status: list[str]
    steps: list[tuple[str, str, Mapping[str, Any]]] = field(default_factory=list)


class Teller:
    """Looks, and writes what is missing."""

    def __init__(self, api: Api, config: ShopwareConfig) -> None:
        self.api = api
        self.config = config

    def find(self, command: Command) -> Written | None:
        """What is there, if nothing of the wish is missing."""
        order, plan = self._planned(command)
        return None if plan.steps else self._written(order, plan, was_there=True)

    def carry_out(self, command: Command) -> Written:
        """Bring it about; doing it again changes nothing."""
        order, plan = self._planned(command)
        for method, path, body in plan.steps:
            self.api.write(method, path, body)
        return self._written(order, plan, was_there=not plan.steps)

    def _planned(self, command: Command) -> tuple[Object, Plan]:
        if not isinstance(command, Tell):
            raise Unsupported(say("Shopware cannot carry this out."))
        order_id = safe_id(command.order_id)
        found = named(self.api, "order", [order_id])
        if not found:
            raise Rejected(say("The shop does not hold order %(order)s any more.", order=order_id), code=GONE)
        plan = Plan(list(states.status_of(found[0])))
        self._plan(command, found[0], plan)
        return found[0], plan

    def _plan(self, command: Tell, order: Object, plan: Plan) -> None:
        if isinstance(command, TellAccepted):
            _note(plan, order, SALE_FIELD, f"{command.sale_number} ({command.erp})")
            self._order_to(plan, order, self.config.accepted_state)
        elif isinstance(command, TellCancelled):
            _note(plan, order, CANCELLED_FIELD, command.reason)
            self._order_to(plan, order, self.config.cancelled_state)
        elif isinstance(command, CancelOrder):
            _note(plan, order, CANCELLED_FIELD, command.reason)
            self._cancel(plan, order)
        elif isinstance(command, TellExchanged):
            _note(plan, order, _field(EXCHANGE_FIELD, command.key), sentence(command))
        elif isinstance(command, TellShipped):
            self._ship(plan, order, command)
        elif isinstance(command, TellRefunded):
            self._refund(plan, order, command)
        elif isinstance(command, TellReturned):
            self._return(plan, order, command)
        else:
            self._pay(plan, order, command)

    def _order_to(self, plan: Plan, order: Object, goal: str) -> None:
        """The order's own state where the merchant wishes one.  What is over stays over: news that come late reopen nothing."""
        own = states.state_of(order)
        if goal and own not in _OVER:
            _move(plan, 0, ("order", order), states.way(states.ORDER, own, goal) or [])

    def _cancel(self, plan: Plan, order: Object) -> None:
        own = states.state_of(order)
        steps = states.way(states.ORDER, own, "cancelled")
        if steps is None:
            raise _no_way(own, "cancelled")
        _move(plan, 0, ("order", order), steps)

    def _ship(self, plan: Plan, order: Object, command: TellShipped) -> None:
        delivery = states.delivery_of(order, [line_id for line_id, _ in command.parcel.lines])
        if not delivery:
            raise Rejected(say("The order has no delivery in the shop."), code="no_delivery")
        codes, code = fields.texts(delivery, "trackingCodes"), command.parcel.tracking_number.strip()
        if code and code not in codes:  # before the state, so that the mail about it holds the code
            path = f"/api/order-delivery/{safe_id(fields.words(delivery, 'id'))}"
            plan.steps.append(("PATCH", path, {"trackingCodes": [*codes, code]}))
        now, goal = states.state_of(delivery), "shipped" if command.complete else "shipped_partially"
        if now not in _SENT:
            steps = states.way(states.DELIVERY, now, goal) or []
            _move(plan, 2, ("order_delivery", delivery), steps, mail=self.config.mail_shipped)
        if command.complete:
            self._order_to(plan, order, self.config.shipped_state)

    def _refund(self, plan: Plan, order: Object, command: TellRefunded) -> None:
        """The note is there or not, and with it the state; a payment that cannot go back there (unpaid) is only noted."""
        name, payment = _field(REFUND_FIELD, command.key), states.payment_of(order)
        known = fields.words(fields.child(order, "customFields"), name)
        goal = known.rpartition(" ")[2] or _goal(order, payment, command)
        steps = states.way(states.REFUNDING, states.state_of(payment), goal) if payment else None
        _note(plan, order, name, known or f"{command.amount} {command.currency} {goal}")
        _move(plan, 1, ("order_transaction", payment), steps or [])

    def _return(self, plan: Plan, order: Object, command: TellReturned) -> None:
        """The delivery that held the pieces: returned where all that was delivered is back, else in part."""
        delivery = states.delivery_of(order, [one.line_id for one in command.positions])
        if not delivery:
            raise Rejected(say("The order has no delivery in the shop."), code="no_delivery")
        name = _field(RETURN_FIELD, command.key)
        known = fields.words(fields.child(order, "customFields"), name)
        goal = known or ("returned" if command.complete else "returned_partially")
        steps = states.way(states.RETURNING, states.state_of(delivery), goal)
        _note(plan, order, name, goal)
        _move(plan, 2, ("order_delivery", delivery), steps or [])  # what it never learned was shipped is only noted

    def _pay(self, plan: Plan, order: Object, command: TellPayment) -> None:
        goal, payment = _PAYMENT_GOALS.get(command.status), states.payment_of(order)
        if goal is None or not payment:
            raise Rejected(say("The order has no payment in the shop to set to %(goal)s.", goal=command.status))
        now = states.state_of(payment)
        steps = states.way(states.PAYMENT, now, goal)
        if steps is None:
            raise _no_way(now, goal)
        _move(plan, 1, ("order_transaction", payment), steps)

    def _written(self, order: Object, plan: Plan, *, was_there: bool) -> Written:
        order_id = fields.identifier(order, "id")
        return Written(
            external_id=order_id,
            number=fields.words(order, "orderNumber", 60) or order_id,
            vendor_status="/".join(plan.status)[:60],
            url=f"{self.config.base}/admin#/sw/order/detail/{order_id}",
            was_there=was_there,
        )


def _note(plan: Plan, order: Object, name: str, text: str) -> None:
    """A custom field of the order; Shopware leaves the others as they are."""
    value = text.strip()[:_MOST]
    if fields.words(fields.child(order, "customFields"), name) != value:
        path = f"/api/order/{safe_id(fields.words(order, 'id'))}"
        plan.steps.append(("PATCH", path, {"customFields": {name: value}}))


def _goal(order: Object, payment: Object, command: TellRefunded) -> str:
    """All of the payment went back, with what the hub has told before, or a part."""
    paid = abs(number(fields.child(payment, "amount"), "totalPrice", ZERO)) if payment else ZERO
    before = sum((_amount_in(note) for note in noted(order, REFUND_FIELD)), ZERO)
    return "refunded" if paid and before + command.amount >= paid else "refunded_partially"


def _amount_in(note: str) -> Decimal:
    """The amount that a note of a refund begins with."""
    try:
        return Decimal(note.partition(" ")[0])
    except InvalidOperation:
        return ZERO


def _field(name: str, key: str) -> str:
    """A custom field of its own for each wish of a kind: names hold letters, digits and underscores."""
    return f"{name}_{hashlib.sha256(key.encode()).hexdigest()[:12]}"


def _move(
    plan: Plan, place: int, what: tuple[str, Object], steps: list[tuple[str, str]], *, mail: bool = False
) -> None:
    """Steps of one state machine; only what the merchant wants is mailed to the customer."""
    machine, row = what
    for action, state in steps:
        path = f"/api/_action/{machine}/{safe_id(fields.words(row, 'id'))}/state/{action}"
        plan.steps.append(("POST", path, {"sendMail": mail, "documentIds": [], "mediaIds": []}))
        plan.status[place] = state


def _no_way(now: str, goal: str) -> Rejected:
    words = say("In Shopware no step leads from “%(now)s” to “%(goal)s”.", now=now, goal=goal)
    return Rejected(words, code="illegal_step")
