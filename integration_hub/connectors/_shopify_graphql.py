"""What we ask Shopify's GraphQL Admin API, and its order nodes in the shape that webhooks have.

A query may cost 1000 points at most; the page sizes keep the order query near 600 (a connection costs its page size).
"""

from __future__ import annotations

from typing import Any

from integration_hub.kernel import fields
from integration_hub.kernel.fields import Object

ORDERS_PER_PAGE = 8
LINES_PER_PAGE = 30
MORE_LINES = 200

_MONEY = "{ shopMoney { amount } }"
_TAXES = f"taxLines {{ title rate priceSet {_MONEY} }}"
_DISCOUNTS = f"discountAllocations {{ allocatedAmountSet {_MONEY} }}"
_ADDRESS = "{ name firstName lastName company address1 address2 zip city province countryCodeV2 phone }"
_LINE = f"""id name sku quantity isGiftCard variant {{ id }} product {{ id }}
  originalUnitPriceSet {_MONEY} {_DISCOUNTS} {_TAXES}"""

_ORDER = f"""id name createdAt processedAt updatedAt cancelledAt test taxesIncluded currencyCode email phone note
  displayFinancialStatus displayFulfillmentStatus paymentGatewayNames customAttributes {{ key value }}
  totalPriceSet {_MONEY} totalTaxSet {_MONEY} totalRefundedSet {_MONEY} totalTipReceivedSet {_MONEY}
  originalTotalDutiesSet {_MONEY} originalTotalAdditionalFeesSet {_MONEY}
  customer {{ id firstName lastName defaultEmailAddress {{ emailAddress }} defaultPhoneNumber {{ phoneNumber }} }}
  billingAddress {_ADDRESS} shippingAddress {_ADDRESS}
  refunds(first: 1) {{ id }}
  shippingLines(first: 5) {{ nodes {{
    id title originalPriceSet {_MONEY} discountedPriceSet {_MONEY} {_DISCOUNTS} {_TAXES} }} }}
  lineItems(first: {LINES_PER_PAGE}) {{ pageInfo {{ hasNextPage endCursor }} nodes {{ {_LINE} }} }}"""

ORDERS = f"""query Orders($after: String, $query: String) {{
  orders(first: {ORDERS_PER_PAGE}, after: $after, sortKey: UPDATED_AT, query: $query) {{
    pageInfo {{ hasNextPage endCursor }} nodes {{ {_ORDER} }} }} }}"""

ORDER_LINES = f"""query OrderLines($id: ID!, $after: String) {{
  order(id: $id) {{ lineItems(first: {MORE_LINES}, after: $after) {{
    pageInfo {{ hasNextPage endCursor }} nodes {{ {_LINE} }} }} }} }}"""

_BACK = f"subtotalAmountSet {_MONEY} taxAmountSet {_MONEY}"
ORDER_REFUNDS = f"""query RefundsOfOrder($id: ID!) {{ order(id: $id) {{ refunds(first: 25) {{
  id note createdAt refundShippingLines(first: 5) {{ nodes {{ {_BACK} }} }}
  transactions(first: 5) {{ nodes {{ kind status paymentId manualPaymentGateway amountSet {_MONEY} }} }}
  refundLineItems(first: 20) {{ nodes {{
    quantity restockType subtotalSet {_MONEY} totalTaxSet {_MONEY} lineItem {{ id sku }} }} }} }} }} }}"""

ONE_ORDER = f"query OneOrder($id: ID!) {{ order(id: $id) {{ {_ORDER} }} }}"

WEBHOOKS = "query Webhooks { webhookSubscriptions(first: 100) { nodes { id topic uri updatedAt } } }"

PRESENT = """query Present($ids: [ID!]!) {
  nodes(ids: $ids) { id }
  currentAppInstallation { accessScopes { handle } }
  orders(first: 1, sortKey: ID) { nodes { id } } }"""

SHOP = "query Shop { shop { name myshopifyDomain } currentAppInstallation { accessScopes { handle } } }"

TAGS = "query OrderTags($id: ID!) { order(id: $id) { id name note tags displayFulfillmentStatus } }"

ADD_TAGS = """mutation AddTags($id: ID!, $tags: [String!]!) {
  tagsAdd(id: $id, tags: $tags) { userErrors { field message } } }"""

SET_NOTE = """mutation SetNote($input: OrderInput!) {
  orderUpdate(input: $input) { userErrors { field message } } }"""

_WAITING = "pageInfo { hasNextPage endCursor } nodes { id remainingQuantity lineItem { id } }"
_FULFILMENT_ORDERS = f"""pageInfo {{ hasNextPage endCursor }} nodes {{ id status
  assignedLocation {{ location {{ id }} }} lineItems(first: 60) {{ {_WAITING} }} }}"""

FULFILMENTS = f"""query OrderFulfilments($id: ID!) {{
  order(id: $id) {{ id name displayFulfillmentStatus
    fulfillments(first: 100) {{ id status trackingInfo {{ number }} }}
    fulfillmentOrders(first: 4) {{ {_FULFILMENT_ORDERS} }} }} }}"""

FULFILMENT_ORDERS = f"""query FulfilmentOrders($id: ID!, $after: String) {{
  order(id: $id) {{ fulfillmentOrders(first: 4, after: $after) {{ {_FULFILMENT_ORDERS} }} }} }}"""

WAITING = f"""query Waiting($id: ID!, $after: String) {{
  fulfillmentOrder(id: $id) {{ lineItems(first: 100, after: $after) {{ {_WAITING} }} }} }}"""

FULFILLED = """query Fulfilled($id: ID!, $after: String) {
  fulfillment(id: $id) { fulfillmentLineItems(first: 100, after: $after) {
    pageInfo { hasNextPage endCursor } nodes { quantity lineItem { id } } } } }"""

FULFIL = """mutation Fulfil($fulfillment: FulfillmentInput!) {
  fulfillmentCreate(fulfillment: $fulfillment) { fulfillment { id status } userErrors { field message } } }"""


def number_of(gid: Any) -> str:
    """The plain number of a global id: gid://shopify/Order/123 gives 123."""
    return fields.identifier({"id": str(gid or "").rpartition("/")[2]}, "id", required=False)


_TWO_WORDS = ("inventory_levels", "inventory_items", "fulfillment_orders", "order_transactions")


def topic_of(enum: str) -> str:
    """A webhook's topic as its header spells it: ORDERS_PARTIALLY_FULFILLED gives orders/partially_fulfilled."""
    name = enum.lower()
    for resource in _TWO_WORDS:
        if name.startswith(f"{resource}_"):
            return f"{resource}/{name.removeprefix(f'{resource}_')}"
    return name.replace("_", "/", 1)


def gid(kind: str, number: str) -> str:
    """The global id of a plain number."""
    return f"gid://shopify/{kind}/{number}"


_FULFILMENT = {"FULFILLED": "fulfilled", "PARTIALLY_FULFILLED": "partial", "RESTOCKED": "restocked"}


def rest_shape(node: Object) -> dict[str, Any]:
    """An order node as the REST object that a webhook would carry, as far as we read it."""
    return {
        "id": number_of(node.get("id")),
        "name": node.get("name"),
        "created_at": node.get("createdAt"),
        "processed_at": node.get("processedAt"),
        "updated_at": node.get("updatedAt"),
        "cancelled_at": node.get("cancelledAt"),
        "test": node.get("test"),
        "taxes_included": node.get("taxesIncluded"),
        "currency": node.get("currencyCode"),
        "email": node.get("email"),
        "phone": node.get("phone"),
        "note": node.get("note"),
        "financial_status": node.get("displayFinancialStatus"),
        "fulfillment_status": _FULFILMENT.get(fields.words(node, "displayFulfillmentStatus")),
        "payment_gateway_names": node.get("paymentGatewayNames"),
        "note_attributes": [
            {"name": item.get("key"), "value": item.get("value")} for item in fields.children(node, "customAttributes")
        ],
        "total_price": _money(node, "totalPriceSet"),
        "total_tax": _money(node, "totalTaxSet"),
        "total_refunded": _money(node, "totalRefundedSet"),
        "total_tip_received": _money(node, "totalTipReceivedSet"),
        "original_total_duties": _money(node, "originalTotalDutiesSet"),
        "original_total_additional_fees": _money(node, "originalTotalAdditionalFeesSet"),
        "customer": _customer(fields.child(node, "customer")),
        "billing_address": _address(fields.child(node, "billingAddress")),
        "shipping_address": _address(fields.child(node, "shippingAddress")),
        "line_items": [_line(line) for line in fields.children(fields.child(node, "lineItems"), "nodes")],
        "shipping_lines": [_shipping(line) for line in fields.children(fields.child(node, "shippingLines"), "nodes")],
    }


def _money(node: Object, name: str) -> Any:
    return fields.child(fields.child(node, name), "shopMoney").get("amount")


def _customer(node: Object) -> dict[str, Any]:
    return {
        "id": number_of(node.get("id")),
        "first_name": node.get("firstName"),
        "last_name": node.get("lastName"),
        "email": fields.child(node, "defaultEmailAddress").get("emailAddress"),
        "phone": fields.child(node, "defaultPhoneNumber").get("phoneNumber"),
    }


def _address(node: Object) -> dict[str, Any]:
    names = {"firstName": "first_name", "lastName": "last_name", "countryCodeV2": "country_code"}
    return {names.get(name, name): value for name, value in node.items()}


def _line(node: Object) -> dict[str, Any]:
    return {
        "id": number_of(node.get("id")),
        "name": node.get("name"),
        "sku": node.get("sku"),
        "quantity": node.get("quantity"),
        "gift_card": node.get("isGiftCard"),
        "variant_id": number_of(fields.child(node, "variant").get("id")),
        "product_id": number_of(fields.child(node, "product").get("id")),
        "price": _money(node, "originalUnitPriceSet"),
        **_parts(node),
    }


def _shipping(node: Object) -> dict[str, Any]:
    return {
        "id": number_of(node.get("id")),
        "title": node.get("title"),
        "price": _money(node, "originalPriceSet"),
        "discounted_price": _money(node, "discountedPriceSet"),
        **_parts(node),
    }


def _parts(node: Object) -> dict[str, Any]:
    return {
        "discount_allocations": [
            {"amount": _money(item, "allocatedAmountSet")} for item in fields.children(node, "discountAllocations")
        ],
        "tax_lines": [
            {"title": item.get("title"), "rate": item.get("rate"), "price": _money(item, "priceSet")}
            for item in fields.children(node, "taxLines")
        ],
    }
