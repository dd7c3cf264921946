"""Telling a Shopify shop what became of an order: tags, notes, fulfilments.

A tag is there or not, so setting it twice is one.  A fulfilment is known by its tracking number; a parcel without one
gets the number of the ERP's shipment there, and what it already holds is never fulfilled again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from decimal import Decimal

from integration_hub.kernel import fields
from integration_hub.kernel.errors import Rejected
from integration_hub.kernel.fields import Object
from integration_hub.kernel.messages import Parcel, TellAccepted, TellCancelled, TellShipped, Written
from integration_hub.kernel.text import say

from . import _shopify_graphql as graphql
from ._shopify_api import Api
from ._shopify_fulfil import Open, Step, plan, plan_all

MAX_TAG = 40
CANCELLED = "ERP:cancelled"
_OVER = frozenset({"CANCELLED", "ERROR", "FAILURE"})
_TAKES_PARCELS = frozenset({"OPEN", "IN_PROGRESS"})


class Teller:
    """Looks, and writes what is missing."""

    def __init__(self, api: Api, *, notify: bool) -> None:
        self.api = api
        self.notify = notify

    def tell_accepted(self, command: TellAccepted, *, write: bool) -> Written | None:
        """The order carries the ERP's number as a tag."""
        order = self._order(graphql.TAGS, command.order_id)
        tag = _tag(f"ERP:{command.sale_number}")
        if tag in fields.texts(order, "tags"):
            return _written(command.order_id, order, was_there=True)
        if not write:
            return None
        self._add_tag(command.order_id, tag)
        return _written(command.order_id, order)

    def tell_cancelled(self, command: TellCancelled, *, write: bool) -> Written | None:
        """The order carries a tag, and its note the reason, behind what the buyer wrote."""
        order = self._order(graphql.TAGS, command.order_id)
        note = fields.words(order, "note", 5000)
        told = str(say("Cancelled in the ERP: %(why)s", why=command.reason))
        if CANCELLED in fields.texts(order, "tags"):
            return _written(command.order_id, order, was_there=True)
        if not write:
            return None
        if told not in note:
            change = {"id": graphql.gid("Order", command.order_id), "note": f"{note}\n{told}".strip()}
            self.api.mutate(graphql.SET_NOTE, "orderUpdate", {"input": change})
        self._add_tag(command.order_id, CANCELLED)  # last, because it says that the rest is done
        return _written(command.order_id, order)

    def tell_shipped(self, command: TellShipped, *, write: bool) -> Written | None:
        """The parcel's pieces are fulfilled under its tracking number."""
        order = self._order(graphql.FULFILMENTS, command.order_id)
        ids = _known(order, number_of(command.parcel))
        wanted, waiting = _wanted(command, self._fulfilled(ids)), self._waiting(order)
        steps = plan(wanted, waiting) if command.parcel.lines else plan_all(waiting, ids)
        if not steps:
            return _written(command.order_id, order, fulfilments=ids, was_there=True)
        if not write:
            return None
        for step in steps:
            ids.append(self._fulfil(step, command.parcel))
        return _written(command.order_id, order, fulfilments=ids)

    def _order(self, document: str, order_id: str) -> Object:
        found = fields.child(self.api.query(document, {"id": graphql.gid("Order", order_id)}), "order")
        if not found:
            raise Rejected(say("The shop does not hold order %(order)s any more.", order=order_id), code="gone")
        return found

    def _fulfilled(self, ids: list[str]) -> dict[str, Decimal]:
        """What these fulfilments hold, by the order's line."""
        held: dict[str, Decimal] = defaultdict(Decimal)
        for fulfilment in ids:
            for line in self.api.follow(graphql.FULFILLED, fulfilment, ("fulfillment", "fulfillmentLineItems")):
                held[_line_of(line)] += fields.quantity(line, "quantity")
        return held

    def _waiting(self, order: Object) -> list[Open]:
        first = fields.child(order, "fulfillmentOrders")
        order_id = fields.words(order, "id")
        nodes = self.api.follow(graphql.FULFILMENT_ORDERS, order_id, ("order", "fulfillmentOrders"), first)
        return [
            Open(
                order_id=fields.identifier(node, "id"),
                location=fields.words(fields.child(fields.child(node, "assignedLocation"), "location"), "id"),
                item_id=fields.identifier(item, "id"),
                line_id=_line_of(item),
                left=fields.quantity(item, "remainingQuantity"),
            )
            for node in nodes
            if fields.words(node, "status") in _TAKES_PARCELS
            for item in self._items(node)
        ]

    def _items(self, node: Object) -> list[Object]:
        first = fields.child(node, "lineItems")
        return self.api.follow(graphql.WAITING, fields.identifier(node, "id"), ("fulfillmentOrder", "lineItems"), first)

    def _add_tag(self, order_id: str, tag: str) -> None:
        self.api.mutate(graphql.ADD_TAGS, "tagsAdd", {"id": graphql.gid("Order", order_id), "tags": [tag]})

    def _fulfil(self, step: Step, parcel: Parcel) -> str:
        tracking = {"number": number_of(parcel), "company": parcel.carrier, "url": parcel.tracking_url}
        wish = {
            "lineItemsByFulfillmentOrder": step,
            "trackingInfo": {name: value for name, value in tracking.items() if value},
            "notifyCustomer": self.notify,
        }
        made = self.api.mutate(graphql.FULFIL, "fulfillmentCreate", {"fulfillment": wish})
        return fields.words(fields.child(made, "fulfillment"), "id")


def number_of(parcel: Parcel) -> str:
    """What the parcel is known by in the shop."""
    return parcel.tracking_number or parcel.number or parcel.key


def _line_of(node: Object) -> str:
    return graphql.number_of(fields.child(node, "lineItem").get("id"))


def _tag(text: str) -> str:
    """A tag holds no comma and at most 40 characters."""
    return text.replace(",", " ").strip()[:MAX_TAG]


def _wanted(command: TellShipped, done: Mapping[str, Decimal]) -> dict[str, Decimal]:
    if not command.parcel.lines and not command.complete:
        raise Rejected(say("The parcel does not say which lines it holds."), code="no_lines")
    wanted: dict[str, Decimal] = defaultdict(Decimal)
    for line_id, quantity in command.parcel.lines:
        wanted[line_id] += quantity
    left = {line_id: quantity - done.get(line_id, Decimal(0)) for line_id, quantity in wanted.items()}
    return {line_id: quantity for line_id, quantity in left.items() if quantity > 0}


def _known(order: Object, number: str) -> list[str]:
    """The fulfilments that hold this number and stand."""
    return [
        fields.identifier(item, "id")
        for item in fields.children(order, "fulfillments")
        if fields.words(item, "status") not in _OVER
        and number in {fields.words(info, "number") for info in fields.children(item, "trackingInfo")}
    ]


def _written(order_id: str, order: Object, *, fulfilments: Sequence[str] = (), was_there: bool = False) -> Written:
    return Written(
        external_id=",".join(map(graphql.number_of, fulfilments)) or order_id,
        number=fields.words(order, "name"),
        vendor_status=fields.words(order, "displayFulfillmentStatus").lower(),
        was_there=was_there,
    )
