"""The types of the played Shopify's way back: Return with its lines and, for an exchange, what is sent instead."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .catalogue import ARTICLES
from .shopify_graph import Node, connection, gid, utc
from .shopify_order import VARIANT_BASE
from .store import Record

NUMBERS = {article.sku: article.number for article in ARTICLES}


def nodes(kind: str, nodes: Sequence[Node]) -> Any:
    return connection(kind, nodes, key=lambda node: str(id(node)))


def return_node(row: Record, order: Record) -> Node:
    """The GraphQL type Return."""
    lines = [
        {
            "__typename": "ReturnLineItem",
            "id": gid("ReturnLineItem", item["id"]),
            "quantity": item["quantity"],
            "processedQuantity": item["quantity"] if row["processed"] else 0,
            "returnReasonNote": row["reason"],
            "customerNote": None,
            "fulfillmentLineItem": {
                "__typename": "FulfillmentLineItem",
                "lineItem": {"__typename": "LineItem", "id": gid("LineItem", item["line"]), "sku": item["sku"]},
            },
        }
        for item in row["lines"]
    ]
    return {
        "__typename": "Return",
        "id": gid("Return", row["id"]),
        "name": row["name"],
        "status": row["status"],
        "createdAt": utc(row["created_at"]),
        "order": {
            "__typename": "Order",
            "id": order["admin_graphql_api_id"],
            "updatedAt": utc(order["updated_at"]),
            "currencyCode": order["currency"],
        },
        "returnLineItems": nodes("ReturnLineItem", lines),
        "exchangeLineItems": nodes("ExchangeLineItem", list(map(_exchange_node, row.get("instead", [])))),
    }


def _exchange_node(item: Record) -> Node:
    """The GraphQL type ExchangeLineItem before it is processed: the order does not hold it yet."""
    return {
        "__typename": "ExchangeLineItem",
        "id": gid("ExchangeLineItem", item["id"]),
        "quantity": item["quantity"],
        "variantId": gid("ProductVariant", VARIANT_BASE + NUMBERS[item["sku"]]),
        "lineItems": [],
    }
