"""What the hub writes into Shopify after the sale: refunds that were paid elsewhere, cancellations, how the money stands.

None of it lets Shopify move money.  A payment by hand (bank transfer, cash on delivery) is refunded in its books only;
with a real gateway the articles are taken out and the amount stays open there, as only the gateway could settle it.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

from integration_hub.kernel import fields
from integration_hub.kernel.aftersales import CancelOrder, TellExchanged, TellRefunded
from integration_hub.kernel.errors import Rejected, RetryLater
from integration_hub.kernel.fields import Object
from integration_hub.kernel.funds import TellPayment
from integration_hub.kernel.messages import Written
from integration_hub.kernel.money import Money
from integration_hub.kernel.text import say

from . import _shopify_graphql as graphql
from ._exchanged import sentence
from ._shopify_api import Api
from ._shopify_refunds import marker

ZERO = Decimal(0)
MAX_REASON = 250
_KEYS = uuid.UUID("6a1f5d3e-44b1-4c43-9d51-0d6f3a1c7b52")
TAGS = {
    "paid": "Hub: paid",
    "partly_refunded": "Hub: partly refunded",
    "refunded": "Hub: refunded",
    "in_dispute": "Hub: in dispute",
}

REFUNDS = """query OrderRefunds($id: ID!) { order(id: $id) { id name note displayFinancialStatus
  refunds(first: 50) { id note }
  transactions(first: 50) { id kind status gateway manualPaymentGateway amountSet { shopMoney { amount } } } } }"""
REFUND = """mutation WriteRefund($input: RefundInput!, $key: String!) {
  refundCreate(input: $input) @idempotent(key: $key) { refund { id } userErrors { field message } } }"""
STANDING = "query OrderStanding($id: ID!) { order(id: $id) { id name tags cancelledAt displayFinancialStatus } }"
CANCEL = """mutation CancelOrder($id: ID!, $note: String) {
  orderCancel(orderId: $id, reason: OTHER, refundMethod: { originalPaymentMethodsRefund: false }, restock: false,
    notifyCustomer: false, staffNote: $note) { job { id done } orderCancelUserErrors { code field message } } }"""
MARK_PAID = """mutation MarkPaid($input: OrderMarkAsPaidInput!) {
  orderMarkAsPaid(input: $input) { userErrors { field message } } }"""


class Aftermath:
    """Looks, and writes what is missing."""

    def __init__(self, api: Api) -> None:
        self.api = api

    def refunded(self, command: TellRefunded, *, write: bool) -> Written | None:
        """A refund with our key in its note; where Shopify has nothing to refund, a line in the order's note."""
        order = self._order(REFUNDS, command.order_id)
        mark = marker(command.key)
        for item in fields.children(order, "refunds"):
            if mark in fields.words(item, "note", 5000):
                return _written(graphql.number_of(item.get("id")), order, was_there=True)
        if mark in fields.words(order, "note", 5000):
            return _written(command.order_id, order, was_there=True)
        return self._refund(command, order) if write else None

    def _refund(self, command: TellRefunded, order: Object) -> Written:
        wish = _wish(command, order)
        if not wish:
            return self._noted(command, order)
        told = {
            "orderId": graphql.gid("Order", command.order_id),
            "note": f"{command.reason[:MAX_REASON]} {marker(command.key)}".strip(),
            "notify": False,
            **wish,
        }
        key = str(uuid.uuid5(_KEYS, command.key))
        made = self.api.mutate(REFUND, "refundCreate", {"input": told, "key": key})
        return _written(graphql.number_of(fields.child(made, "refund").get("id")), order)

    def _noted(self, command: TellRefunded, order: Object) -> Written:
        amount = Money(command.amount, command.currency)
        told = str(say("%(amount)s went back to the customer.", amount=amount))
        note = f"{fields.words(order, 'note', 5000)}\n{told} {marker(command.key)}".strip()
        change = {"id": graphql.gid("Order", command.order_id), "note": note}
        self.api.mutate(graphql.SET_NOTE, "orderUpdate", {"input": change})
        return _written(command.order_id, order)

    def exchanged(self, command: TellExchanged, *, write: bool) -> Written | None:
        """A line in the order's note, known by its marker; what Shopify itself exchanges, it knows already."""
        order, mark = self._order(REFUNDS, command.order_id), marker(command.key)
        note = fields.words(order, "note", 5000)
        if mark in note:
            return _written(command.order_id, order, was_there=True)
        if not write:
            return None
        change = {
            "id": graphql.gid("Order", command.order_id),
            "note": f"{note}\n{sentence(command)} {mark}".strip(),
        }
        self.api.mutate(graphql.SET_NOTE, "orderUpdate", {"input": change})
        return _written(command.order_id, order)

    def cancelled(self, command: CancelOrder, *, write: bool) -> Written | None:
        """Cancelled without money, stock or mail; Shopify does it by and by, so it is looked at once more."""
        order = self._order(STANDING, command.order_id)
        if fields.words(order, "cancelledAt"):
            return _written(command.order_id, order, was_there=True)
        if not write:
            return None
        wish = {"id": graphql.gid("Order", command.order_id), "note": command.reason[:MAX_REASON]}
        payload = self.api.attempt(CANCEL, "orderCancel", wish)
        told = [fields.words(error, "message", 300) for error in fields.children(payload, "orderCancelUserErrors")]
        if told:
            raise Rejected(say("Shopify refused it: %(why)s", why="; ".join(told)), code="user_error")
        order = self._order(STANDING, command.order_id)
        if not fields.words(order, "cancelledAt"):
            words = say("Shopify is still busy cancelling the order.")
            raise RetryLater(words, after=timedelta(seconds=20), maybe_written=True, code="busy")
        return _written(command.order_id, order)

    def paid(self, command: TellPayment, *, write: bool) -> Written | None:
        """Marked as paid where Shopify waits for it; a tag for everything else that becomes of the money."""
        tag = TAGS.get(command.status)
        if tag is None:
            raise Rejected(say("%(status)s is no standing of a payment.", status=command.status))
        order = self._order(STANDING, command.order_id)
        status = fields.words(order, "displayFinancialStatus").upper()
        if tag in fields.texts(order, "tags") or (command.status == "paid" and status == "PAID"):
            return _written(command.order_id, order, was_there=True)
        if not write:
            return None
        target = graphql.gid("Order", command.order_id)
        # what is only authorised would be captured by it, and that is the gateway's money
        if command.status == "paid" and status == "PENDING" and not fields.words(order, "cancelledAt"):
            self.api.mutate(MARK_PAID, "orderMarkAsPaid", {"input": {"id": target}})
        else:
            self.api.mutate(graphql.ADD_TAGS, "tagsAdd", {"id": target, "tags": [tag]})
        return _written(command.order_id, order)

    def _order(self, document: str, order_id: str) -> Object:
        found = fields.child(self.api.query(document, {"id": graphql.gid("Order", order_id)}), "order")
        if not found:
            raise Rejected(say("The shop does not hold order %(order)s any more.", order=order_id), code="gone")
        return found


def _wish(command: TellRefunded, order: Object) -> dict[str, Any]:
    """What Shopify is to hold of it; empty where it has no place for any."""
    lines = [
        {"lineItemId": graphql.gid("LineItem", one.line_id), "quantity": int(one.quantity), "restockType": "NO_RESTOCK"}
        for one in command.positions
        if one.line_id.isdigit() and one.quantity and one.quantity == int(one.quantity)
    ]
    paid = _by_hand(command, order)
    parts: dict[str, Any] = {"refundLineItems": lines, "transactions": paid}
    if command.shipping_amount and (lines or paid):
        parts["shipping"] = {"amount": format(command.shipping_amount, "f")}
    return parts if lines or paid else {}


def _by_hand(command: TellRefunded, order: Object) -> Sequence[Mapping[str, Any]]:
    """The payments by hand that take the amount; none unless they take all of it."""
    left, found = command.amount, []
    for one in fields.children(order, "transactions"):
        held = fields.amount(fields.child(fields.child(one, "amountSet"), "shopMoney"), "amount", ZERO)
        fits = fields.words(one, "kind") in ("SALE", "CAPTURE") and fields.words(one, "status") == "SUCCESS"
        part = min(left, held)
        if fits and fields.flag(one, "manualPaymentGateway") and part > 0:
            left -= part
            found.append(
                {
                    "orderId": graphql.gid("Order", command.order_id),
                    "parentId": fields.words(one, "id"),
                    "amount": format(part, "f"),
                    "kind": "REFUND",
                    "gateway": fields.words(one, "gateway"),
                }
            )
    return () if left else found


def _written(external_id: str, order: Object, *, was_there: bool = False) -> Written:
    return Written(
        external_id=external_id,
        number=fields.words(order, "name"),
        vendor_status=fields.words(order, "displayFinancialStatus").lower(),
        was_there=was_there,
    )
