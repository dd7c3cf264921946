"""Returns of Shopware's return management (the extension Shopware Commercial): entities ``order_return`` with their lines.

Read only where the merchant says that the extension is there: any other shop refuses the search.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from integration_hub.kernel import codec, fields
from integration_hub.kernel.aftersales import AfterSaleKind, AfterSaleReport, AfterSaleStage, Position
from integration_hub.kernel.errors import unreadable
from integration_hub.kernel.fields import Object

from ._shopware_api import Api, safe_id
from ._shopware_lines import ZERO, number
from ._shopware_search import among, changed_since
from .base import Delivery, Page

POLLED = "return.polled"
PER_PAGE = 50
CHANGES = ("updatedAt", "createdAt", "lineItems.updatedAt")
ASSOCIATIONS: Mapping[str, Any] = {
    "state": {},
    "order": {"associations": {"currency": {}}},
    "lineItems": {"associations": {"state": {}}},
}
STAGES = {
    "open": AfterSaleStage.REQUESTED,
    "in_progress": AfterSaleStage.ANNOUNCED,
    "done": AfterSaleStage.DONE,
    "cancelled": AfterSaleStage.DECLINED,
}


def changed(api: Api, since: datetime | None, token: str | None) -> Page:
    """One page of the returns that changed, in the order they were made: a change moves no row to another page."""
    page = int(token) if token and token.isascii() and token.isdigit() and len(token) < 6 else 1
    criteria = {
        "limit": PER_PAGE,
        "page": page,
        "filter": changed_since(CHANGES, since),
        "sort": [{"field": "createdAt", "order": "ASC"}, {"field": "id", "order": "ASC"}],
        "associations": ASSOCIATIONS,
    }
    rows = api.search("order-return", criteria)
    return Page(list(map(delivery, rows)), str(page + 1) if len(rows) >= PER_PAGE else None)


def named(api: Api, ids: Sequence[str]) -> list[Delivery]:
    """These returns as they are now."""
    wanted = [among("id", [safe_id(one) for one in ids])]
    rows = api.search("order-return", {"limit": len(ids), "filter": wanted, "associations": ASSOCIATIONS})
    return list(map(delivery, rows))


def delivery(row: Object) -> Delivery:
    return Delivery(POLLED, fields.identifier(row, "id", required=False), codec.canonical(row))


def report(row: Object) -> AfterSaleReport:
    """A return as it stands; one whose lines are all back has arrived, even while it is still worked on."""
    state, lines = _state(row), fields.children(row, "lineItems")
    if state not in STAGES:
        raise unreadable("unknown state of a return: %(state)s", state=state)
    arrived = state == "in_progress" and lines and all(_state(line) == "returned" for line in lines)
    moments = [fields.moment(one, name) for one in (row, *lines) for name in ("createdAt", "updatedAt")]
    asked = fields.moment(row, "requestedAt") or next(filter(None, moments), None)
    if asked is None:
        raise unreadable("%(name)s is missing", name="requestedAt")
    return AfterSaleReport(
        external_id=safe_id(fields.identifier(row, "id")),
        order_id=safe_id(fields.identifier(row, "orderId")),
        kind=AfterSaleKind.RETURN,
        stage=AfterSaleStage.RECEIVED if arrived else STAGES[state],
        vendor_status=state,
        occurred_at=asked,
        updated_at=max((moment for moment in moments if moment is not None), default=asked),
        positions=tuple(map(_position, lines)),
        currency=_currency(row),
        reason=fields.words(row, "returnNumber", 100),
    )


def _state(row: Object) -> str:
    return fields.words(fields.child(row, "state"), "technicalName", 60)


def _currency(row: Object) -> str:
    found = fields.child(fields.child(row, "order"), "currency")
    return fields.currency(found, "isoCode") if found else ""


def _position(line: Object) -> Position:
    amount = number(line, "refundAmount", ZERO)
    return Position(
        quantity=fields.quantity(line, "quantity"),
        line_id=fields.identifier(line, "orderLineItemId"),
        amount=abs(amount) if amount else None,
        restock=True if number(line, "restockQuantity", ZERO) else None,
    )
