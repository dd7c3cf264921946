"""The orders that a Shopify shop says were placed in a span of time, with what is needed to compare them.

``processed_at`` is what reports call placed: for imported orders it lies before ``created_at``.
"""

from __future__ import annotations

from datetime import UTC, datetime

from integration_hub.kernel import fields
from integration_hub.kernel.fields import Object
from integration_hub.kernel.messages import Listed

from ._shopify_api import Api
from ._shopify_graphql import number_of
from .base import Listing

PER_PAGE = 100
LISTED = f"""query Listed($after: String, $query: String) {{
  orders(first: {PER_PAGE}, after: $after, sortKey: PROCESSED_AT, query: $query) {{
    pageInfo {{ hasNextPage endCursor }}
    nodes {{ id name currencyCode cancelledAt updatedAt test totalPriceSet {{ shopMoney {{ amount }} }} }} }} }}"""


def orders_placed(api: Api, start: datetime, end: datetime, token: str | None) -> Listing:
    """One page of the list."""
    span = f"processed_at:>='{_stamp(start)}' AND processed_at:<'{_stamp(end)}'"
    found = fields.child(api.query(LISTED, {"after": token, "query": span}), "orders")
    info = fields.child(found, "pageInfo")
    rows = [_listed(node) for node in fields.children(found, "nodes")]
    return Listing(rows, fields.words(info, "endCursor") or None if fields.flag(info, "hasNextPage") else None)


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _listed(node: Object) -> Listed:
    order_id = number_of(node.get("id"))
    money = fields.child(fields.child(node, "totalPriceSet"), "shopMoney")
    return Listed(
        external_id=fields.identifier({"id": order_id}, "id"),
        number=fields.identifier(node, "name", required=False) or order_id,
        total=fields.amount(money, "amount"),
        currency=fields.currency(node, "currencyCode"),
        live=not fields.words(node, "cancelledAt"),
        updated_at=fields.moment(node, "updatedAt"),
        test=fields.flag(node, "test"),
    )
