"""Own WooCommerce payloads in the shape of wc/v3."""

from __future__ import annotations

import json
from typing import Any

from integration_hub.connectors.base import Delivery

BERLIN = {
    "first_name": "Anna",
    "last_name": "Gr&uuml;n",
    "company": "",
    "address_1": "Lindenweg 3",
    "address_2": "",
    "city": "Berlin",
    "state": "DE-BE",
    "postcode": "10115",
    "country": "DE",
    "email": "anna@example.test",
    "phone": "+49 30 1",
}


def item(number: int = 1, **changes: Any) -> dict[str, Any]:
    """Three mugs at 11.90 with 10 % coupon: 32.13 incl. 19 %."""
    return {
        "id": number,
        "name": "Tasse &ndash; blau",
        "product_id": 7,
        "variation_id": 0,
        "quantity": 3,
        "subtotal": "30.00",
        "subtotal_tax": "5.70",
        "total": "27.00",
        "total_tax": "5.13",
        "taxes": [{"id": 1, "total": "5.13", "subtotal": "5.7"}],
        "sku": "MUG-B",
        "global_unique_id": "4006381333931",
        "price": 9.000000333,
        "meta_data": [],
        **changes,
    }


def tax_line(rate_id: int = 1, percent: Any = 19, **changes: Any) -> dict[str, Any]:
    return {
        "rate_id": rate_id,
        "rate_code": f"DE-MWST. {percent}%-1",
        "label": f"MwSt. {percent}%",
        "rate_percent": percent,
        **changes,
    }


def shipping(**changes: Any) -> dict[str, Any]:
    """4.90 incl. 19 %."""
    return {
        "id": 90,
        "method_title": "DHL",
        "total": "4.12",
        "total_tax": "0.78",
        "taxes": [{"id": 1, "total": "0.78", "subtotal": ""}, {"id": 2, "total": "", "subtotal": ""}],
        **changes,
    }


def order(**changes: Any) -> dict[str, Any]:
    """A paid order over 37.03 incl. tax: three mugs and shipping."""
    return {
        "id": 4711,
        "number": "R-4711",
        "status": "processing",
        "currency": "EUR",
        "prices_include_tax": True,
        "date_created": "2026-11-21T18:00:00",
        "date_created_gmt": "2026-11-21T17:00:00",
        "date_modified": "2026-11-21T18:00:05",
        "date_modified_gmt": "2026-11-21T17:00:05",
        "date_paid": "2026-11-21T18:00:03",
        "date_paid_gmt": "2026-11-21T17:00:03",
        "total": "37.03",
        "total_tax": "5.91",
        "discount_total": "3.00",
        "discount_tax": "0.57",
        "customer_id": 12,
        "customer_note": "Bitte klingeln",
        "billing": BERLIN,
        "shipping": BERLIN,
        "payment_method": "paypal",
        "payment_method_title": "PayPal",
        "transaction_id": "8XY",
        "line_items": [item()],
        "tax_lines": [tax_line(), tax_line(2, 7)],
        "shipping_lines": [shipping()],
        "fee_lines": [],
        "refunds": [],
        "meta_data": [],
        **changes,
    }


def delivery(body: Any, topic: str = "order.updated") -> Delivery:
    return Delivery(topic, "4711", json.dumps(body).encode())


def named_refund(**changes: Any) -> dict[str, Any]:
    """A refund as its order names it."""
    return {"id": 9, "reason": "Tasse zerbrochen", "total": "-15.61", "total_tax": "-2.49", **changes}


def refund(**changes: Any) -> dict[str, Any]:
    """The same refund by itself: one mug of three (10.71) and the shipping costs (4.90)."""
    line = item(
        8,
        quantity=-1,
        subtotal="-9.00",
        subtotal_tax="-1.71",
        total="-9.00",
        total_tax="-1.71",
        taxes=[{"id": 1, "total": "-1.71", "subtotal": "-1.71"}],
        meta_data=[{"id": 57, "key": "_refunded_item_id", "value": "1", "display_key": "_refunded_item_id"}],
    )
    return {
        "id": 9,
        "date_created_gmt": "2026-11-21T17:30:00",
        "amount": "15.61",
        "reason": "Tasse zerbrochen",
        "refunded_payment": False,
        "meta_data": [],
        "line_items": [line],
        "shipping_lines": [{"id": 91, "total": "-4.12", "total_tax": "-0.78", "taxes": []}],
        "fee_lines": [],
        **changes,
    }


def refunded(**changes: Any) -> dict[str, Any]:
    """An order that names a refund, with all that the shop says about it."""
    return order(refunds=[named_refund()], hub_refunds=[refund()], **changes)
