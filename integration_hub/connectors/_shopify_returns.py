"""Shopify's returns into reports of special cases.

A webhook about a return says little and may come late, so it only says where to look: the return is read anew.  Polling
finds the orders with returns that changed.
"""

from __future__ import annotations

from datetime import UTC, datetime

from integration_hub.kernel import codec, fields
from integration_hub.kernel.aftersales import AfterSaleKind, AfterSaleReport, AfterSaleStage, Instead, Position
from integration_hub.kernel.errors import unreadable
from integration_hub.kernel.fields import Object

from ._shopify_api import Api
from ._shopify_graphql import gid, number_of
from .base import Delivery, Page

RETURN_TOPICS = frozenset(
    f"returns/{event}" for event in ("request", "approve", "update", "process", "close", "reopen", "cancel", "decline")
)
POLLED = "return.polled"
ORDERS_PER_PAGE = 10
MAX_REASON = 300
STAGES = {
    "REQUESTED": AfterSaleStage.REQUESTED,
    "OPEN": AfterSaleStage.ANNOUNCED,
    "CLOSED": AfterSaleStage.DONE,
    "CANCELED": AfterSaleStage.DECLINED,
    "DECLINED": AfterSaleStage.DECLINED,
}

_RETURN = """id name status createdAt order { id updatedAt currencyCode }
  returnLineItems(first: 50) { nodes { id quantity returnReasonNote customerNote
    ... on ReturnLineItem { processedQuantity fulfillmentLineItem { lineItem { id sku } } } } }
  exchangeLineItems(first: 50) { nodes { id quantity variantId lineItems { id sku title
    discountedTotalSet { shopMoney { amount } } } } }"""
ONE = f"query OneReturn($id: ID!) {{ return(id: $id) {{ {_RETURN} }} }}"
CHANGED = f"""query Returns($after: String, $query: String) {{
  orders(first: {ORDERS_PER_PAGE}, after: $after, sortKey: UPDATED_AT, query: $query) {{
    pageInfo {{ hasNextPage endCursor }} nodes {{ id returns(first: 5) {{ nodes {{ {_RETURN} }} }} }} }} }}"""


def changed(api: Api, since: datetime | None, token: str | None) -> Page:
    """One page of the returns whose orders changed."""
    start = since.astimezone(UTC).strftime("updated_at:>='%Y-%m-%dT%H:%M:%SZ' AND ") if since else ""
    found = fields.child(api.query(CHANGED, {"after": token, "query": f"{start}NOT return_status:no_return"}), "orders")
    nodes = [
        node
        for order in fields.children(found, "nodes")
        for node in fields.children(fields.child(order, "returns"), "nodes")
    ]
    info = fields.child(found, "pageInfo")
    more = fields.words(info, "endCursor") or None if fields.flag(info, "hasNextPage") else None
    return Page([delivery(node) for node in nodes], more)


def read(api: Api, return_id: str) -> list[Delivery]:
    """The return as it is now; none where the shop does not hold it."""
    node = fields.child(api.query(ONE, {"id": gid("Return", return_id)}), "return")
    return [delivery(node)] if node else []


def delivery(node: Object) -> Delivery:
    return Delivery(POLLED, number_of(node.get("id")), codec.canonical(node))


def report(node: Object) -> AfterSaleReport:
    """A return as it stands; a word for its status that is new is one that somebody must look at."""
    order, status = fields.child(node, "order"), fields.words(node, "status", 60).upper()
    created = fields.moment(node, "createdAt")
    if created is None:
        raise unreadable("%(name)s is missing", name="createdAt")
    lines = fields.children(fields.child(node, "returnLineItems"), "nodes")
    instead = tuple(map(_instead, fields.children(fields.child(node, "exchangeLineItems"), "nodes")))
    return AfterSaleReport(
        external_id=fields.identifier({"id": number_of(node.get("id"))}, "id"),
        order_id=fields.identifier({"id": number_of(order.get("id"))}, "id"),
        kind=AfterSaleKind.EXCHANGE if instead else AfterSaleKind.RETURN,
        stage=_stage(status, lines),
        vendor_status=status.lower(),
        occurred_at=created,
        updated_at=fields.moment(order, "updatedAt") or created,
        positions=tuple(_position(line) for line in lines),
        currency=fields.currency(order, "currencyCode"),
        reason="; ".join(filter(None, map(_reason, lines)))[:MAX_REASON],
        instead=instead,
    )


def _stage(status: str, lines: list[Object]) -> AfterSaleStage:
    """An open return whose pieces have all been processed has arrived."""
    stage = STAGES.get(status, AfterSaleStage.REQUESTED)
    whole = lines and all(
        fields.amount(line, "processedQuantity", fields.quantity(line, "quantity") - 1)
        >= fields.quantity(line, "quantity")
        for line in lines
    )
    return AfterSaleStage.RECEIVED if stage is AfterSaleStage.ANNOUNCED and whole else stage


def _position(line: Object) -> Position:
    sold = fields.child(fields.child(line, "fulfillmentLineItem"), "lineItem")
    return Position(
        quantity=abs(fields.quantity(line, "quantity")),
        line_id=number_of(sold.get("id")),
        sku=fields.identifier(sold, "sku", required=False),
    )


def _instead(item: Object) -> Instead:
    """An exchange item: the variant, and once Shopify has put it on the order also its number and price.

    Source: ExchangeLineItem of the Admin API (2026-07): ``variantId`` at the time of return creation, ``lineItems`` of the order.
    """
    sold = next(iter(fields.children(item, "lineItems")), {})
    total = fields.child(fields.child(sold, "discountedTotalSet"), "shopMoney")
    return Instead(
        quantity=abs(fields.quantity(item, "quantity")),
        product_id=number_of(item.get("variantId")) if item.get("variantId") else "",
        sku=fields.identifier(sold, "sku", required=False),
        title=fields.words(sold, "title"),
        amount=fields.amount(total, "amount") if total else None,
    )


def _reason(line: Object) -> str:
    return fields.words(line, "returnReasonNote") or fields.words(line, "customerNote")
