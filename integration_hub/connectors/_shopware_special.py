"""What Shopware's state machines say of special cases: refunds of captures, payments and deliveries that went back.

Only refunds of captures have rows of their own.  Otherwise the state of a payment or a delivery is all there is: it says that
something happened, mostly not how much.  States that the hub itself has set are noted in custom fields and are no news.
Sources: docs/snippets/mermaid-diagrams of shopware/docs (state machines), adr/2021-10-13-refund-handling of shopware/shopware.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from integration_hub.kernel import fields
from integration_hub.kernel.aftersales import AfterSaleKind, AfterSaleReport, AfterSaleStage, Position
from integration_hub.kernel.errors import unreadable
from integration_hub.kernel.fields import Object

from . import _shopware_states as states
from ._shopware_api import safe_id
from ._shopware_lines import ZERO, number

REFUND_FIELD, RETURN_FIELD = "hub_refund", "hub_return"
REFUND_STAGES = {
    "open": AfterSaleStage.REQUESTED,
    "in_progress": AfterSaleStage.REQUESTED,
    "completed": AfterSaleStage.DONE,
    "failed": AfterSaleStage.DECLINED,
    "cancelled": AfterSaleStage.DECLINED,
}
_BACK = frozenset({"refunded", "refunded_partially"})
_RETURNED = {"returned", "returned_partially"}


def special_cases(order: Object, updated: datetime, *, returns: bool) -> Iterator[AfterSaleReport]:
    """Everything that the order's own states tell; ``returns``: returns come as entities of their own instead."""
    reader = _Reader(order, updated)
    for payment in fields.children(order, "transactions"):
        yield from reader.refunds(payment)
    for delivery in states.deliveries_of(order):
        if not returns:
            yield from reader.returned(delivery)
        yield from reader.dropped(delivery)


def noted(order: Object, name: str) -> list[str]:
    """What the hub has noted under this kind of custom field."""
    own = fields.child(order, "customFields")
    return [fields.words(own, key, 250) for key in own if key.startswith(f"{name}_")]


class _Reader:
    """Reads one order."""

    def __init__(self, order: Object, updated: datetime) -> None:
        self.order = order
        self.updated = updated
        self.order_id = safe_id(fields.identifier(order, "id"))
        self.currency = fields.currency(fields.child(order, "currency"), "isoCode")

    def refunds(self, payment: Object) -> Iterator[AfterSaleReport]:
        """The refunds of its captures; else its state, unless the hub has set that."""
        rows = [one for capture in fields.children(payment, "captures") for one in fields.children(capture, "refunds")]
        for row in rows:
            yield self._refund(row)
        state = states.state_of(payment)
        own = [note.rpartition(" ")[2] for note in noted(self.order, REFUND_FIELD)]
        if not rows and state in _BACK and state not in own:
            yield self._by_state(payment, state)

    def _refund(self, row: Object) -> AfterSaleReport:
        state = states.state_of(row)
        if state not in REFUND_STAGES:
            raise unreadable("unknown state of a refund: %(state)s", state=state)
        positions = fields.children(row, "positions")
        return self._report(
            fields.identifier(row, "id"),
            AfterSaleKind.REFUND,
            REFUND_STAGES[state],
            state,
            row,
            amount=abs(number(fields.child(row, "amount"), "totalPrice")),
            positions=tuple(_refunded(one) for one in positions),
            money_moved=state == "completed",
            reason=fields.words(row, "reason", 300),
        )

    def _by_state(self, payment: Object, state: str) -> AfterSaleReport:
        """All of it, or a part whose amount Shopware does not state."""
        whole = state == "refunded"
        amount = abs(number(fields.child(payment, "amount"), "totalPrice", ZERO)) if whole else None
        name = f"{fields.identifier(payment, 'id')}:{state}"
        return self._report(
            name, AfterSaleKind.REFUND, AfterSaleStage.DONE, state, payment, amount=amount, money_moved=True
        )

    def returned(self, delivery: Object) -> Iterator[AfterSaleReport]:
        """A delivery that came back: wholly with all it held, or in part without saying what."""
        state = states.state_of(delivery)
        if state not in _RETURNED or state in noted(self.order, RETURN_FIELD):
            return
        positions = self._held(delivery) if state == "returned" else ()
        name = f"{fields.identifier(delivery, 'id')}:{state}"
        yield self._report(name, AfterSaleKind.RETURN, AfterSaleStage.RECEIVED, state, delivery, positions=positions)

    def dropped(self, delivery: Object) -> Iterator[AfterSaleReport]:
        """A delivery that is cancelled while its order is not: what it held is not to be delivered."""
        if states.state_of(delivery) != "cancelled" or states.state_of(self.order) == "cancelled":
            return
        positions = self._held(delivery)
        if positions:
            name = f"{fields.identifier(delivery, 'id')}:cancelled"
            kind, stage = AfterSaleKind.CANCELLATION, AfterSaleStage.DONE
            yield self._report(name, kind, stage, "cancelled", delivery, positions=positions)

    def _held(self, delivery: Object) -> tuple[Position, ...]:
        """What a delivery holds.  Where a position leaves out how many pieces, its price says it, else the line it is of."""
        ordered = {fields.identifier(one, "id"): one for one in fields.children(self.order, "lineItems")}
        found = []
        for one in fields.children(delivery, "positions"):
            line_id = fields.identifier(one, "orderLineItemId")
            stated = [one, fields.child(one, "price"), ordered.get(line_id, {})]
            source = next((place for place in stated if place.get("quantity") is not None), one)
            found.append(Position(quantity=fields.quantity(source, "quantity"), line_id=line_id))
        return tuple(found)

    def _report(
        self,
        name: str,
        kind: AfterSaleKind,
        stage: AfterSaleStage,
        word: str,
        row: Object,
        **more: object,
    ) -> AfterSaleReport:
        happened = fields.moment(row, "updatedAt") or fields.moment(row, "createdAt") or self.updated
        return AfterSaleReport(
            external_id=name,
            order_id=self.order_id,
            kind=kind,
            stage=stage,
            vendor_status=word,
            occurred_at=happened,
            updated_at=self.updated,
            currency=self.currency,
            **more,  # type: ignore[arg-type]
        )


def _refunded(one: Object) -> Position:
    """A position of a refund; its price is what goes back for all its pieces."""
    price = fields.child(one, "amount")
    return Position(
        quantity=fields.quantity(one, "quantity"),
        line_id=fields.identifier(one, "orderLineItemId", required=False),
        amount=abs(number(price, "totalPrice")) if price else None,
    )
