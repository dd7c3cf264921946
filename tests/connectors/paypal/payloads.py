"""Own PayPal payloads in the shape of the API: a capture of 119.00 EUR with a fee of 3.95, and what may follow it."""

from __future__ import annotations

import json
from typing import Any

from integration_hub.connectors.base import Delivery

CREATED = "2026-11-02T10:00:00Z"


def money(value: str, currency: str = "EUR") -> dict[str, str]:
    return {"value": value, "currency_code": currency}


def capture(**changes: Any) -> dict[str, Any]:
    return {
        "id": "27M47624FP291604U",
        "status": "COMPLETED",
        "amount": money("119.00"),
        "invoice_id": "1007",
        "custom_id": "woo:7",
        "seller_receivable_breakdown": {
            "gross_amount": money("119.00"),
            "paypal_fee": money("3.95"),
            "net_amount": money("115.05"),
        },
        "supplementary_data": {"related_ids": {"order_id": "5O190127TN364715T"}},
        "create_time": CREATED,
        "update_time": CREATED,
        **changes,
    }


def refund(**changes: Any) -> dict[str, Any]:
    return {
        "id": "1JU08902781691411",
        "status": "COMPLETED",
        "amount": money("10.99"),
        "seller_payable_breakdown": {
            "gross_amount": money("10.99"),
            "paypal_fee": money("0.33"),
            "net_amount": money("10.66"),
        },
        "create_time": CREATED,
        "links": [{"rel": "up", "href": "https://api-m.paypal.com/v2/payments/captures/27M47624FP291604U"}],
        **changes,
    }


def row(code: str = "T0006", gross: str = "119.00", fee: str = "-3.95", status: str = "S", **changes: Any) -> Any:
    info = {
        "transaction_id": "27M47624FP291604U",
        "transaction_event_code": code,
        "transaction_initiation_date": "2026-11-02T10:00:00+0000",
        "transaction_updated_date": "2026-11-02T10:00:00+0000",
        "transaction_amount": money(gross),
        "fee_amount": money(fee),
        "ending_balance": money("500.00"),
        "transaction_status": status,
        "invoice_id": "1007",
        "transaction_subject": "Bestellung 1007",
        **changes,
    }
    payer = {
        "email_address": "anna@example.test",
        "country_code": "AT",
        "payer_name": {"alternate_full_name": "Anna Grün"},
    }
    return {"transaction_info": info, "payer_info": payer}


def dispute(**changes: Any) -> dict[str, Any]:
    return {
        "dispute_id": "PP-D-1",
        "create_time": CREATED,
        "update_time": CREATED,
        "disputed_transactions": [{"seller_transaction_id": "27M47624FP291604U"}],
        "reason": "MERCHANDISE_OR_SERVICE_NOT_RECEIVED",
        "status": "WAITING_FOR_SELLER_RESPONSE",
        "dispute_amount": money("119.00"),
        "dispute_life_cycle_stage": "CHARGEBACK",
        "seller_response_due_date": "2026-11-12T10:00:00Z",
        **changes,
    }


def event(kind: str, found: dict[str, Any], name: str = "PAYMENT.CAPTURE.COMPLETED") -> bytes:
    return json.dumps({"id": "WH-1", "event_type": name, "resource_type": kind, "resource": found}).encode()


def delivery(topic: str, body: dict[str, Any]) -> Delivery:
    return Delivery(topic, "1", json.dumps(body).encode())
