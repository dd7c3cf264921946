"""Own Shopify payloads: one order as a webhook carries it (REST shape) and as GraphQL answers it."""

from __future__ import annotations

import json
from typing import Any

from integration_hub.connectors.base import Delivery


def money(amount: str, presentment: str = "", currency: str = "EUR") -> dict[str, Any]:
    """A price set: the shop's currency and the buyer's."""
    return {
        "shop_money": {"amount": amount, "currency_code": currency},
        "presentment_money": {"amount": presentment or amount, "currency_code": "USD" if presentment else currency},
    }


def tax(amount: str, rate: float = 0.19) -> dict[str, Any]:
    return {"title": "DE MwSt", "rate": rate, "price": amount, "price_set": money(amount)}


def item(number: int = 866550311766439020, **changes: Any) -> dict[str, Any]:
    """Three cups at 11.90 less 3.57, 19 % inside."""
    return {
        "id": number,
        "name": "Tasse - blau",
        "title": "Tasse",
        "price": "11.90",
        "price_set": money("11.90"),
        "quantity": 3,
        "current_quantity": 2,
        "sku": "MUG-B",
        "product_id": 5,
        "variant_id": 51,
        "product_exists": True,
        "gift_card": False,
        "total_discount": "0.00",
        "discount_allocations": [{"amount": "3.57", "amount_set": money("3.57"), "discount_application_index": 0}],
        "tax_lines": [tax("5.13")],
        **changes,
    }


def shipping(**changes: Any) -> dict[str, Any]:
    return {
        "id": 90,
        "title": "DHL",
        "price": "4.90",
        "price_set": money("4.90"),
        "discounted_price": "4.90",
        "discount_allocations": [],
        "tax_lines": [tax("0.78")],
        **changes,
    }


ADDRESS = {
    "first_name": "Anna",
    "last_name": "Grün",
    "name": "Anna Grün",
    "company": None,
    "address1": "Lindenweg 3",
    "address2": "",
    "zip": "10115",
    "city": "Berlin",
    "province": None,
    "country_code": "DE",
    "phone": "+49301",
}


def order(**changes: Any) -> dict[str, Any]:
    """A paid order over 37.03 EUR, tax inside: three cups and shipping."""
    return {
        "id": 820982911946154508,
        "name": "#1001",
        "order_number": 1001,
        "number": 1,
        "created_at": "2026-11-21T18:00:00+01:00",
        "processed_at": "2026-11-21T18:00:00+01:00",
        "updated_at": "2026-11-21T18:00:05+01:00",
        "cancelled_at": None,
        "test": False,
        "taxes_included": True,
        "currency": "EUR",
        "financial_status": "paid",
        "fulfillment_status": None,
        "payment_gateway_names": ["gift_card", "paypal"],
        "total_price": "37.03",
        "total_price_set": money("37.03"),
        "current_total_price": "26.00",
        "total_tax": "5.91",
        "total_tip_received": "0.00",
        "email": "anna@example.test",
        "phone": None,
        "note": "Bitte klingeln",
        "note_attributes": [{"name": "VAT_ID", "value": "DE123"}],
        "customer": {"id": 207119551, "first_name": "Anna", "last_name": "Grün", "email": "a@x.test", "phone": None},
        "billing_address": ADDRESS,
        "shipping_address": ADDRESS,
        "line_items": [item()],
        "shipping_lines": [shipping()],
        "refunds": [],
        **changes,
    }


def refund(amount: str, currency: str = "EUR") -> dict[str, Any]:
    sent = {"kind": "refund", "status": "success", "amount": amount, "currency": currency}
    failed = {"kind": "refund", "status": "failure", "amount": "999.00", "currency": currency}
    return {"id": 1, "transactions": [sent, failed], "refund_line_items": [], "order_adjustments": []}


def bag(amount: Any) -> dict[str, Any]:
    return {"shopMoney": {"amount": str(amount)}}


def line_node(raw: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": f"gid://shopify/LineItem/{raw['id']}",
        "name": raw["name"],
        "sku": raw["sku"],
        "quantity": raw["quantity"],
        "isGiftCard": raw["gift_card"],
        "variant": {"id": f"gid://shopify/ProductVariant/{raw['variant_id']}"} if raw["variant_id"] else None,
        "product": {"id": f"gid://shopify/Product/{raw['product_id']}"} if raw["product_id"] else None,
        "originalUnitPriceSet": bag(raw["price"]),
        **_parts(raw),
    }


def _parts(raw: dict[str, Any]) -> dict[str, Any]:
    return {
        "discountAllocations": [{"allocatedAmountSet": bag(part["amount"])} for part in raw["discount_allocations"]],
        "taxLines": [
            {"title": part["title"], "rate": part["rate"], "priceSet": bag(part["price"])} for part in raw["tax_lines"]
        ],
    }


def _shipping_node(raw: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": f"gid://shopify/ShippingLine/{raw['id']}",
        "title": raw["title"],
        "originalPriceSet": bag(raw["price"]),
        "discountedPriceSet": bag(raw["discounted_price"]),
        **_parts(raw),
    }


def _address_node(raw: dict[str, Any] | None) -> dict[str, Any] | None:
    if raw is None:
        return None
    names = {"first_name": "firstName", "last_name": "lastName", "country_code": "countryCodeV2"}
    return {names.get(name, name): value for name, value in raw.items()}


def _customer_node(raw: dict[str, Any] | None) -> dict[str, Any] | None:
    return raw and {
        "id": f"gid://shopify/Customer/{raw['id']}",
        "firstName": raw["first_name"],
        "lastName": raw["last_name"],
        "defaultEmailAddress": {"emailAddress": raw["email"]},
        "defaultPhoneNumber": None,
    }


def node(raw: dict[str, Any], *, refunded: str = "0.0") -> dict[str, Any]:
    """The same order as GraphQL answers it."""
    return {
        "id": f"gid://shopify/Order/{raw['id']}",
        "name": raw["name"],
        "createdAt": "2026-11-21T17:00:00Z",
        "processedAt": "2026-11-21T17:00:00Z",
        "updatedAt": "2026-11-21T17:00:05Z",
        "cancelledAt": raw["cancelled_at"],
        "test": raw["test"],
        "taxesIncluded": raw["taxes_included"],
        "currencyCode": raw["currency"],
        "email": raw["email"],
        "phone": raw["phone"],
        "note": raw["note"],
        "displayFinancialStatus": raw["financial_status"].upper(),
        "displayFulfillmentStatus": "FULFILLED" if raw["fulfillment_status"] == "fulfilled" else "UNFULFILLED",
        "paymentGatewayNames": raw["payment_gateway_names"],
        "customAttributes": [{"key": part["name"], "value": part["value"]} for part in raw["note_attributes"]],
        "totalPriceSet": bag(raw["total_price"]),
        "totalTaxSet": bag(raw["total_tax"]),
        "totalRefundedSet": bag(refunded),
        "totalTipReceivedSet": bag(raw["total_tip_received"]),
        "originalTotalDutiesSet": None,
        "originalTotalAdditionalFeesSet": None,
        "customer": _customer_node(raw["customer"]),
        "billingAddress": _address_node(raw["billing_address"]),
        "shippingAddress": _address_node(raw["shipping_address"]),
        "refunds": [],
        "shippingLines": {"nodes": [_shipping_node(line) for line in raw["shipping_lines"]]},
        "lineItems": {"pageInfo": {"hasNextPage": False}, "nodes": [line_node(line) for line in raw["line_items"]]},
    }


def webhook(body: Any, topic: str = "orders/updated", **context: str) -> Delivery:
    return Delivery(topic, "820982911946154508", json.dumps(body).encode(), context)


def polled(body: Any) -> Delivery:
    return Delivery("order.polled", "820982911946154508", json.dumps(body).encode())


def returned(**changes: Any) -> dict[str, Any]:
    """A refund over 15.61: one cup of three that came back (10.71) and the shipping costs (4.90)."""
    sent = {"id": 5, "kind": "refund", "status": "success", "amount": "15.61", "currency": "EUR", "payment_id": "p5"}
    line = {
        "line_item_id": 11,
        "quantity": 1,
        "restock_type": "return",
        "subtotal": 10.71,
        "subtotal_set": money("10.71"),
        "total_tax": 1.71,
        "total_tax_set": money("1.71"),
        "line_item": {"id": 11, "sku": "CUP"},
    }
    postage = {"kind": "shipping_refund", "amount": "-4.12", "tax_amount": "-0.78", "amount_set": money("-4.12")}
    return {
        "id": 983,
        "order_id": 1,
        "created_at": "2026-11-21T18:30:00+01:00",
        "note": "Tasse zerbrochen",
        "transactions": [sent],
        "refund_line_items": [line],
        "order_adjustments": [postage],
        **changes,
    }


def refund_node(note: str = "Tasse zerbrochen", number: int = 983) -> dict[str, Any]:
    """The same refund as GraphQL answers it."""
    return {
        "id": f"gid://shopify/Refund/{number}",
        "note": note,
        "createdAt": "2026-11-21T17:30:00Z",
        "refundShippingLines": {"nodes": [{"subtotalAmountSet": bag("4.90"), "taxAmountSet": bag("0.78")}]},
        "transactions": {
            "nodes": [
                {
                    "kind": "REFUND",
                    "status": "SUCCESS",
                    "paymentId": "p5",
                    "manualPaymentGateway": False,
                    "amountSet": bag("15.61"),
                }
            ]
        },
        "refundLineItems": {
            "nodes": [
                {
                    "quantity": 1,
                    "restockType": "RETURN",
                    "subtotalSet": bag("10.71"),
                    "totalTaxSet": bag("1.71"),
                    "lineItem": {"id": "gid://shopify/LineItem/11", "sku": "CUP"},
                }
            ]
        },
    }


def return_node(status: str = "OPEN", processed: int = 0, **changes: Any) -> dict[str, Any]:
    """A return of two cups as GraphQL answers it."""
    line = {
        "id": "gid://shopify/ReturnLineItem/1",
        "quantity": 2,
        "processedQuantity": processed,
        "returnReasonNote": "zu klein",
        "customerNote": None,
        "fulfillmentLineItem": {"lineItem": {"id": "gid://shopify/LineItem/11", "sku": "CUP"}},
    }
    return {
        "id": "gid://shopify/Return/77",
        "name": "#1001-R1",
        "status": status,
        "createdAt": "2026-11-21T17:30:00Z",
        "order": {"id": "gid://shopify/Order/1", "updatedAt": "2026-11-21T17:31:00Z", "currencyCode": "EUR"},
        "returnLineItems": {"nodes": [line]},
        **changes,
    }
