"""Shopware's three state machines (order, payment, delivery): what they mean to us, and the way from one state to another.

The moves are those that a fresh Shopware 6 installs, less the ways back (reopen) and out (fail, remind).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Mapping
from decimal import Decimal

from integration_hub.kernel import fields
from integration_hub.kernel.fields import Object
from integration_hub.kernel.states import OrderStage

Moves = Mapping[str, Mapping[str, str]]  # by state: action, and the state it leads to

ORDER: Moves = {
    "open": {"process": "in_progress", "cancel": "cancelled"},
    "in_progress": {"complete": "completed", "cancel": "cancelled"},
}
DELIVERY: Moves = {
    "open": {"ship": "shipped", "ship_partially": "shipped_partially"},
    "shipped_partially": {"ship": "shipped"},
}
_UNPAID = ("open", "reminded", "in_progress", "failed", "authorized", "unconfirmed", "chargeback")
_BACK = {"refund": "refunded", "refund_partially": "refunded_partially"}
PAYMENT: Moves = {
    **{state: {"paid": "paid"} for state in _UNPAID},
    "cancelled": {"paid": "paid", **_BACK},
    "paid_partially": {"paid": "paid", **_BACK, "chargeback": "chargeback"},
    "paid": {**_BACK, "chargeback": "chargeback"},
    "refunded_partially": {"refund": "refunded"},
}

# what went back is told by these alone: nothing is set to paid or shipped on the way there
REFUNDING: Moves = {
    **dict.fromkeys(("cancelled", "paid_partially", "paid"), _BACK),
    "refunded_partially": {"refund": "refunded"},
}
_RETOUR = {"retour": "returned", "retour_partially": "returned_partially"}
RETURNING: Moves = {
    **dict.fromkeys(("shipped", "shipped_partially"), _RETOUR),
    "returned_partially": {"retour": "returned"},
}

ORDER_STAGES = {"cancelled": OrderStage.CANCELLED, "completed": OrderStage.COMPLETED}
PAYMENT_STAGES = {"refunded": OrderStage.REFUNDED}
DELIVERY_STAGES = dict.fromkeys(("shipped", "returned", "returned_partially"), OrderStage.COMPLETED)
PAID = frozenset({"paid", "refunded", "refunded_partially"})
_BROKEN = frozenset({"failed", "cancelled", "chargeback"})  # a payment that is not, or not any more, to be counted on


def way(moves: Moves, start: str, goal: str) -> list[tuple[str, str]] | None:
    """The actions that lead there, each with the state it ends in; None where no way does."""
    todo: deque[tuple[str, list[tuple[str, str]]]] = deque([(start, [])])
    seen = {start}
    while todo:
        state, taken = todo.popleft()
        if state == goal:
            return taken
        for action, following in moves.get(state, {}).items():
            if following not in seen:
                seen.add(following)
                todo.append((following, [*taken, (action, following)]))
    return None


def state_of(raw: Object) -> str:
    """The technical name of the state that an order, a transaction or a delivery is in."""
    return fields.words(fields.child(raw, "stateMachineState"), "technicalName", 60)


def payment_of(order: Object) -> Object:
    """The transaction that counts: the shop's own choice (6.7), else the latest that has not failed."""
    found = sorted(fields.children(order, "transactions"), key=lambda one: fields.words(one, "createdAt"))
    chosen = fields.words(order, "primaryOrderTransactionId")
    standing = [one for one in found if state_of(one) not in ("failed", "cancelled")]
    named = [one for one in found if chosen and fields.words(one, "id") == chosen]
    return (named or (standing or found)[-1:] or [{}])[0]


def deliveries_of(order: Object) -> list[Object]:
    """The deliveries of goods.  A discount on shipping is a delivery with negative costs, and none of goods."""
    found = fields.children(order, "deliveries")
    return [one for one in found if fields.amount(fields.child(one, "shippingCosts"), "totalPrice", Decimal(0)) >= 0]


def delivery_of(order: Object, line_ids: Collection[str] = ()) -> Object:
    """The delivery that holds these lines, else the shop's own choice (6.7), else the first."""
    found = deliveries_of(order)
    holding = [one for one in found if _held(one) & set(line_ids)]
    chosen = fields.words(order, "primaryOrderDeliveryId")
    named = [one for one in found if chosen and fields.words(one, "id") == chosen]
    return (holding or named or found or [{}])[0]


def _held(delivery: Object) -> set[str]:
    return {fields.words(one, "orderLineItemId") for one in fields.children(delivery, "positions")}


def status_of(order: Object) -> tuple[str, str, str]:
    """The states of order, payment and delivery."""
    return state_of(order), state_of(payment_of(order)), state_of(delivery_of(order))


def stage_of(order: Object, ready_states: Collection[str], ready_methods: Collection[str]) -> OrderStage:
    """Our stage from the three machines: the order's own word first, then the money, then the goods."""
    own, payment = state_of(order), payment_of(order)
    paid = state_of(payment)
    if own in ORDER_STAGES:
        return ORDER_STAGES[own]
    if paid in PAYMENT_STAGES:
        return PAYMENT_STAGES[paid]
    sent = [state_of(one) for one in deliveries_of(order)]
    if sent and all(state in DELIVERY_STAGES for state in sent):
        return OrderStage.COMPLETED
    if paid in ready_states or (paid not in _BROKEN and method_of(payment) in set(ready_methods)):
        return OrderStage.READY
    return OrderStage.PENDING


def method_of(payment: Object) -> str:
    """The technical name of a payment method; older shops have none, then the name of its handler."""
    method = fields.child(payment, "paymentMethod")
    return fields.words(method, "technicalName", 120) or fields.words(method, "formattedHandlerIdentifier", 120)
