"""Own Mollie payloads in the shape of the API: a payment of 119.00 EUR, and what may follow it."""

from __future__ import annotations

import json
from typing import Any

from integration_hub.connectors.base import Delivery

CREATED = "2026-11-02T10:00:00+00:00"
SEEN = {"seen": "2026-11-03T10:00:00+00:00"}


def money(value: str, currency: str = "EUR") -> dict[str, str]:
    return {"value": value, "currency": currency}


def payment(**changes: Any) -> dict[str, Any]:
    return {
        "resource": "payment",
        "id": "tr_1",
        "mode": "live",
        "createdAt": CREATED,
        "paidAt": CREATED,
        "amount": money("119.00"),
        "description": "Bestellung 1007",
        "method": "creditcard",
        "metadata": {"order_id": "1007"},
        "status": "paid",
        "details": {"cardLabel": "Visa", "cardHolder": "Anna Grün", "cardCountryCode": "AT"},
        **changes,
    }


def refund(**changes: Any) -> dict[str, Any]:
    return {
        "resource": "refund",
        "id": "re_1",
        "amount": money("20.00"),
        "status": "pending",
        "createdAt": CREATED,
        "description": "Tasse zerbrochen",
        "metadata": '{"hub_key": "k1"}',
        "paymentId": "tr_1",
        **changes,
    }


def chargeback(**changes: Any) -> dict[str, Any]:
    return {
        "resource": "chargeback",
        "id": "chb_1",
        "amount": money("43.38", "USD"),
        "settlementAmount": money("-35.07"),
        "createdAt": CREATED,
        "reversedAt": None,
        "reason": {"code": "AC01", "description": "Account identifier incorrect"},
        "paymentId": "tr_1",
        **changes,
    }


def entry(
    sort: str = "payment", gross: str = "119.00", cost: str = "-2.39", net: str = "116.61", **context: Any
) -> Any:
    return {
        "resource": "balance_transaction",
        "id": "baltr_1",
        "type": sort,
        "initialAmount": money(gross),
        "deductions": money(cost),
        "resultAmount": money(net),
        "createdAt": CREATED,
        "context": context or {"paymentId": "tr_1"},
    }


def movement(found: Any, about: Any = None, payout: str = "") -> dict[str, Any]:
    return {"entry": found, "payment": about or {}, "payout": payout}


def settlement(**changes: Any) -> dict[str, Any]:
    return {
        "resource": "settlement",
        "id": "stl_1",
        "reference": "1234567.2611.03",
        "createdAt": CREATED,
        "settledAt": CREATED,
        "status": "paidout",
        "amount": money("39.75"),
        "periods": {"2026": {"11": {"revenue": [], "costs": []}}},
        **changes,
    }


def delivery(topic: str, body: dict[str, Any]) -> Delivery:
    return Delivery(topic, str(body.get("id", "baltr_1")), json.dumps(body).encode(), SEEN)
