"""What is asked of a Shopware shop about its orders: changes, lists, presence.

A payment, a delivery or a line that changes does not touch its order's ``updatedAt``, so their own are looked at, too.  Pages
go on behind the last ``autoIncrement`` rather than by number: what changes or goes meanwhile moves no other row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from integration_hub.kernel import codec, fields
from integration_hub.kernel.errors import unreadable
from integration_hub.kernel.fields import Object

from ._shopware_api import Api, safe_id
from ._shopware_order import listed
from .base import Delivery, Listing, Page

PER_PAGE = 50
_STATE: Mapping[str, Any] = {"stateMachineState": {}}
_PLACE: Mapping[str, Any] = {"associations": {"country": {}, "countryState": {}}}
ASSOCIATIONS: Mapping[str, Any] = {
    **_STATE,
    "currency": {},
    "lineItems": {},
    "addresses": {},
    "billingAddress": _PLACE,
    "orderCustomer": {"associations": {"customer": {}}},
    "deliveries": {
        "associations": {**_STATE, "shippingMethod": {}, "positions": {}, "shippingOrderAddress": _PLACE},
    },
    "transactions": {
        "associations": {
            **_STATE,
            "paymentMethod": {},
            "captures": {"associations": {"refunds": {"associations": {**_STATE, "positions": {}}}}},
        },
    },
}
_PARTS = ("transactions", "deliveries", "lineItems", "addresses")
CHANGES = tuple(f"{part}{name}" for part in ("", *(f"{one}." for one in _PARTS)) for name in ("updatedAt", "createdAt"))
# how a part is found from the entity that a webhook names
OWNERS = {
    "order": "id",
    "order_transaction": "transactions.id",
    "order_delivery": "deliveries.id",
    "order_line_item": "lineItems.id",
    "order_address": "addresses.id",
}


def orders(api: Api, since: datetime | None, token: str | None) -> Page:
    """One page of the orders that changed."""
    found, following = page_of(api, "order", changed_since(CHANGES, since), token, PER_PAGE, ASSOCIATIONS)
    return Page([delivery(row) for row in found], following)


def orders_placed(api: Api, start: datetime, end: datetime, token: str | None) -> Listing:
    """One page of the orders placed in this span."""
    wanted = [_range("orderDateTime", gte=_stamp(start), lt=_stamp(end))]
    found, following = page_of(api, "order", wanted, token, PER_PAGE, ASSOCIATIONS)
    return Listing([listed(row) for row in found], following)


def named(api: Api, entity: str, ids: Sequence[str]) -> list[Object]:
    """The orders that these are, or that they belong to."""
    wanted = among(OWNERS[entity], [safe_id(one) for one in ids])
    return api.search("order", {"limit": len(ids), "filter": [wanted], "associations": ASSOCIATIONS})


def missing(api: Api, order_ids: Sequence[str]) -> list[str]:
    """Which of these orders the shop does not hold."""
    rows = api.search("order", {"limit": max(len(order_ids), 1), "filter": [among("id", order_ids)]})
    held = {fields.identifier(row, "id") for row in rows}
    return [order_id for order_id in order_ids if order_id not in held]


def delivery(order: Object) -> Delivery:
    """What was read, as if it had been sent."""
    return Delivery("order.polled", fields.identifier(order, "id", required=False), codec.canonical(order))


def page_of(
    api: Api,
    entity: str,
    wanted: Sequence[Mapping[str, Any]],
    token: str | None,
    size: int,
    associations: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> tuple[list[Object], str | None]:
    """One page of the rows that meet all of these filters, and the token that leads on behind it."""
    criteria = {
        "limit": size,
        "filter": [*wanted, *([_range("autoIncrement", gt=_read(token))] if token is not None else [])],
        "sort": [{"field": "autoIncrement", "order": "ASC"}],
        **({"associations": associations} if associations else {}),
    }
    rows = api.search(entity, criteria, headers)
    return rows, fields.identifier(rows[-1], "autoIncrement") if len(rows) >= size else None


def changed_since(names: Sequence[str], since: datetime | None) -> list[Mapping[str, Any]]:
    """The filter on rows of which one of these moments is not before ``since``."""
    if since is None:
        return []
    return [{"type": "multi", "operator": "or", "queries": [_range(name, gte=_stamp(since)) for name in names]}]


def among(name: str, values: Sequence[str]) -> Mapping[str, Any]:
    """The filter on rows that hold one of these values."""
    return {"type": "equalsAny", "field": name, "value": list(values)}


def _read(token: str) -> int:
    if not (token.isascii() and token.isdigit() and len(token) < 19):
        raise unreadable("unknown token %(token)s", token=token[:100])
    return int(token)


def _range(name: str, **bounds: Any) -> Mapping[str, Any]:
    return {"type": "range", "field": name, "parameters": bounds}


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S+00:00")
