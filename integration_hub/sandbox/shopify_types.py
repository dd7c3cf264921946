"""The order and its parts as GraphQL types, and the catalogue's variants."""

from __future__ import annotations

from decimal import Decimal

from .shopify_graph import (
    Node,
    address,
    allocations,
    attributes,
    bag,
    connection,
    customer,
    gid,
    listed,
    plain_bag,
    tax_lines,
    utc,
)
from .store import Record

FULFILLMENT = {None: "UNFULFILLED", "partial": "PARTIALLY_FULFILLED", "fulfilled": "FULFILLED"}


def line_item(row: Record, currency: str) -> Node:
    before = Decimal(row["price"]) * row["quantity"]
    after = before - sum((Decimal(item["amount"]) for item in row["discount_allocations"]), Decimal(0))
    variant = {
        "__typename": "ProductVariant",
        "id": gid("ProductVariant", row["variant_id"]),
        "legacyResourceId": str(row["variant_id"]),
        "sku": row["sku"],
        "barcode": None,
        "title": row["variant_title"] or "Default Title",
    }
    return {
        "__typename": "LineItem",
        "id": row["admin_graphql_api_id"],
        "name": row["name"],
        "title": row["title"],
        "variantTitle": row["variant_title"],
        "sku": row["sku"],
        "quantity": row["quantity"],
        "currentQuantity": row["current_quantity"],
        "unfulfilledQuantity": row["fulfillable_quantity"],
        "fulfillableQuantity": row["fulfillable_quantity"],
        "nonFulfillableQuantity": 0,
        "refundableQuantity": row["current_quantity"],
        "variant": variant,
        "product": {"__typename": "Product", "id": gid("Product", row["product_id"]), "title": row["title"]},
        "originalUnitPriceSet": bag(row["price_set"]),
        "originalTotalSet": plain_bag(before, currency),
        "discountedTotalSet": lambda **_: plain_bag(after, currency),
        "discountedUnitPriceSet": plain_bag(after / row["quantity"], currency),
        "totalDiscountSet": plain_bag(before - after, currency),
        "discountAllocations": allocations(row["discount_allocations"]),
        "taxLines": listed("TaxLine", tax_lines(row["tax_lines"])),
        "duties": [],
        "requiresShipping": row["requires_shipping"],
        "isGiftCard": row["gift_card"],
        "taxable": row["taxable"],
        "vendor": row["vendor"],
        "customAttributes": attributes(row["properties"]),
        "lineItemGroup": None,
    }


def shipping_line(row: Record) -> Node:
    return {
        "__typename": "ShippingLine",
        "id": gid("ShippingLine", row["id"]),
        "title": row["title"],
        "code": row["code"],
        "source": row["source"],
        "isRemoved": row["is_removed"],
        "originalPriceSet": bag(row["price_set"]),
        "discountedPriceSet": bag(row["discounted_price_set"]),
        "currentDiscountedPriceSet": bag(row["discounted_price_set"]),
        "discountAllocations": allocations(row["discount_allocations"]),
        "taxLines": tax_lines(row["tax_lines"]),
    }


def fulfillment(row: Record) -> Node:
    tracking = {
        "__typename": "FulfillmentTrackingInfo",
        "number": row["tracking_number"],
        "company": row["tracking_company"],
        "url": row["tracking_url"],
    }
    return {
        "__typename": "Fulfillment",
        "id": row["admin_graphql_api_id"],
        "legacyResourceId": str(row["id"]),
        "name": row["name"],
        "status": "SUCCESS",
        "displayStatus": "FULFILLED",
        "createdAt": utc(row["created_at"]),
        "updatedAt": utc(row["updated_at"]),
        "totalQuantity": sum(item["quantity"] for item in row["line_items"]),
        "trackingInfo": listed("FulfillmentTrackingInfo", [tracking] if tracking["number"] else []),
        "fulfillmentLineItems": connection("FulfillmentLineItem", _fulfilled(row)),
    }


def _fulfilled(row: Record) -> list[Node]:
    return [
        {
            "__typename": "FulfillmentLineItem",
            "id": gid("FulfillmentLineItem", item["id"]),
            "quantity": item["quantity"],
            "lineItem": {"__typename": "LineItem", "id": gid("LineItem", item["id"]), "sku": item["sku"]},
        }
        for item in row["line_items"]
    ]


def fulfillment_order(order: Record) -> Node:
    """One per order: everything leaves from one place."""
    left = [row for row in order["line_items"] if row["fulfillable_quantity"]]
    status = "CLOSED" if order["cancelled_at"] or not left else "IN_PROGRESS" if order["fulfillments"] else "OPEN"
    location = {"__typename": "Location", "id": gid("Location", 1), "name": "Hauptlager"}
    items = [
        {
            "__typename": "FulfillmentOrderLineItem",
            "id": gid("FulfillmentOrderLineItem", row["id"]),
            "remainingQuantity": 0 if order["cancelled_at"] else row["fulfillable_quantity"],
            "totalQuantity": row["quantity"],
            "sku": row["sku"],
            "lineItem": line_item(row, order["currency"]),
        }
        for row in order["line_items"]
    ]
    actions = [] if status == "CLOSED" else ["CREATE_FULFILLMENT", "HOLD", "MOVE"]
    return {
        "__typename": "FulfillmentOrder",
        "id": gid("FulfillmentOrder", order["id"]),
        "status": status,
        "requestStatus": "UNSUBMITTED",
        "orderId": order["admin_graphql_api_id"],
        "assignedLocation": {
            "__typename": "FulfillmentOrderAssignedLocation",
            "name": "Hauptlager",
            "location": location,
        },
        "supportedActions": [{"__typename": "FulfillmentOrderSupportedAction", "action": name} for name in actions],
        "lineItems": connection("FulfillmentOrderLineItem", items),
    }


def order(row: Record) -> Node:
    """The GraphQL type Order."""
    currency = row["currency"]
    lines = [line_item(item, currency) for item in row["line_items"]]
    tags = [tag.strip() for tag in row["tags"].split(",") if tag.strip()]
    return {
        "__typename": "Order",
        "id": row["admin_graphql_api_id"],
        "legacyResourceId": str(row["id"]),
        "name": row["name"],
        "number": row["order_number"],
        "createdAt": utc(row["created_at"]),
        "processedAt": utc(row["processed_at"]),
        "updatedAt": utc(row["updated_at"]),
        "cancelledAt": utc(row["cancelled_at"]),
        "cancelReason": row["cancel_reason"],
        "closedAt": utc(row["closed_at"]),
        "closed": bool(row["closed_at"]),
        "test": row["test"],
        "confirmed": True,
        "displayFinancialStatus": row["financial_status"].upper(),
        "displayFulfillmentStatus": FULFILLMENT[row["fulfillment_status"]],
        "fulfillable": bool([item for item in row["line_items"] if item["fulfillable_quantity"]]),
        "currencyCode": currency,
        "presentmentCurrencyCode": row["presentment_currency"],
        "taxesIncluded": row["taxes_included"],
        "taxExempt": False,
        "taxLines": tax_lines(row["tax_lines"]),
        **_people(row),
        **_totals(row),
        "note": row["note"],
        "tags": tags,
        "customAttributes": attributes(row["note_attributes"]),
        "poNumber": None,
        "sourceName": row["source_name"],
        "paymentGatewayNames": row["payment_gateway_names"],
        "lineItems": connection("LineItem", lines),
        "shippingLines": connection("ShippingLine", [shipping_line(item) for item in row["shipping_lines"]]),
        "shippingLine": shipping_line(row["shipping_lines"][0]) if row["shipping_lines"] else None,
        "fulfillments": listed("Fulfillment", [fulfillment(item) for item in row["fulfillments"]]),
        "fulfillmentOrders": connection("FulfillmentOrder", [fulfillment_order(row)]),
        "transactions": listed("OrderTransaction", _transactions(row)),
        "additionalFees": [],
        "discountCodes": [item["code"] for item in row["discount_codes"]],
        "metafield": lambda **_: None,
    }


def _people(row: Record) -> Node:
    return {
        "email": row["email"],
        "phone": row["phone"],
        "customer": customer(row["customer"]),
        "customerLocale": row["customer_locale"],
        "billingAddress": address(row["billing_address"]),
        "shippingAddress": address(row["shipping_address"]),
        "purchasingEntity": None,
    }


def _totals(row: Record) -> Node:
    names = {
        "totalPriceSet": "total_price_set",
        "currentTotalPriceSet": "current_total_price_set",
        "originalTotalPriceSet": "total_price_set",
        "subtotalPriceSet": "subtotal_price_set",
        "currentSubtotalPriceSet": "current_subtotal_price_set",
        "totalTaxSet": "total_tax_set",
        "currentTotalTaxSet": "current_total_tax_set",
        "totalDiscountsSet": "total_discounts_set",
        "currentTotalDiscountsSet": "current_total_discounts_set",
        "totalShippingPriceSet": "total_shipping_price_set",
    }
    nothing = plain_bag("0.00", row["currency"])
    empty = (
        "totalRefundedSet",
        "totalTipReceivedSet",
        "totalRefundedShippingSet",
        "totalOutstandingSet",
        "totalCashRoundingAdjustment",
    )
    absent = ("originalTotalDutiesSet", "currentTotalDutiesSet", "originalTotalAdditionalFeesSet")
    kept: Node = {name: bag(row[rest]) for name, rest in names.items()}
    return kept | dict.fromkeys(empty, nothing) | dict.fromkeys(absent)


def _transactions(row: Record) -> list[Node]:
    paid = row["financial_status"] in ("paid", "partially_refunded", "refunded")
    gateway = row["payment_gateway_names"][0]
    return [
        {
            "__typename": "OrderTransaction",
            "id": gid("OrderTransaction", row["id"]),
            "kind": "SALE",
            "status": "SUCCESS" if paid else "PENDING",
            "gateway": gateway,
            "formattedGateway": gateway,
            "amountSet": bag(row["total_price_set"]),
            "createdAt": utc(row["created_at"]),
            "processedAt": utc(row["created_at"]) if paid else None,
            "paymentId": f"sandbox.{row['order_number']}",
            "authorizationCode": None,
            "test": False,
        }
    ]
