"""Windows over what changed in a Shopify shop, each order whole."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from integration_hub.kernel import codec, fields
from integration_hub.kernel.errors import Misconfigured, RetryLater
from integration_hub.kernel.fields import Object

from . import _shopify_graphql as graphql
from ._shopify_api import Api
from .base import Delivery, Page


def orders(api: Api, since: datetime | None, token: str | None) -> Page:
    """One page of the orders that changed."""
    start = since.astimezone(UTC).strftime("updated_at:>='%Y-%m-%dT%H:%M:%SZ'") if since else None
    found = fields.child(api.query(graphql.ORDERS, {"after": token, "query": start}), "orders")
    deliveries = [delivery("order.polled", whole(api, node)) for node in fields.children(found, "nodes")]
    info = fields.child(found, "pageInfo")
    return Page(deliveries, fields.words(info, "endCursor") or None if fields.flag(info, "hasNextPage") else None)


def unless_denied(read: Callable[..., Page], api: Api, since: datetime | None, token: str | None) -> Page:
    """An app without the rights to these is no reason to stop the orders, too."""
    try:
        return read(api, since, token)
    except Misconfigured as error:
        if error.code != "access_denied":
            raise
        raise RetryLater(error.text, after=timedelta(hours=1), code=error.code, detail=error.detail) from error


def whole(api: Api, node: Object) -> Object:
    """The order with all its lines, however many pages they are, and all about its refunds."""
    first = fields.child(node, "lineItems")
    lines = api.follow(graphql.ORDER_LINES, fields.identifier(node, "id"), ("order", "lineItems"), first)
    return {**node, "lineItems": {"nodes": lines}, "refunds": _refunds(api, node)}


def _refunds(api: Api, node: Object) -> list[Object]:
    """Asked for only where there are any, as they cost as much as the order."""
    if not fields.children(node, "refunds"):
        return []
    data = api.query(graphql.ORDER_REFUNDS, {"id": fields.identifier(node, "id")})
    return fields.children(fields.child(data, "order"), "refunds")


def delivery(topic: str, item: Object) -> Delivery:
    """What was read, as if it had been sent."""
    return Delivery(topic, graphql.number_of(item.get("id")), codec.canonical(item))
