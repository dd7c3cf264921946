"""Own Stripe payloads in the shape of the API: a charge of 119.00 EUR with a fee of 2.03, and what may follow it."""

from __future__ import annotations

import json
from typing import Any

from integration_hub.connectors.base import Delivery

CREATED = 1793577600
SEEN = {"seen": "2026-11-03T10:00:00+00:00"}


def entry(
    number: int = 1, amount: int = 11900, fee: int = 203, category: str = "charge", **changes: Any
) -> dict[str, Any]:
    kind = category if category in ("charge", "refund", "payout", "refund_failure") else "adjustment"
    part = {"amount": fee, "currency": "eur", "description": "Stripe processing fees", "type": "stripe_fee"}
    return {
        "id": f"txn_{number}",
        "object": "balance_transaction",
        "amount": amount,
        "available_on": CREATED + 172800,
        "created": CREATED,
        "currency": "eur",
        "description": "Bestellung 1007",
        "exchange_rate": None,
        "fee": fee,
        "fee_details": [part] if fee else [],
        "net": amount - fee,
        "reporting_category": category,
        "source": "ch_1",
        "status": "available",
        "type": kind,
        **changes,
    }


def charge(**changes: Any) -> dict[str, Any]:
    return {
        "id": "ch_1",
        "object": "charge",
        "amount": 11900,
        "amount_captured": 11900,
        "amount_refunded": 0,
        "balance_transaction": entry(),
        "billing_details": {"address": {"country": "DE"}, "email": "anna@example.test", "name": "Anna Grün"},
        "captured": True,
        "created": CREATED,
        "currency": "eur",
        "description": "Bestellung 1007",
        "livemode": True,
        "metadata": {"order_number": "1007"},
        "payment_intent": "pi_1",
        "payment_method_details": {"type": "card", "card": {"brand": "visa", "country": "AT"}},
        "refunded": False,
        "status": "succeeded",
        **changes,
    }


def refund(**changes: Any) -> dict[str, Any]:
    return {
        "id": "re_1",
        "object": "refund",
        "amount": 2000,
        "balance_transaction": entry(2, -2000, 0, "refund", source="re_1"),
        "charge": "ch_1",
        "created": CREATED + 60,
        "currency": "eur",
        "metadata": {},
        "status": "succeeded",
        **changes,
    }


def dispute(status: str = "needs_response", *entries: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": "dp_1",
        "object": "dispute",
        "amount": 1000,
        "balance_transactions": list(entries or [entry(3, -1000, 2000, "dispute", source="dp_1")]),
        "charge": "ch_1",
        "created": CREATED + 90,
        "currency": "eur",
        "evidence_details": {"due_by": CREATED + 800_000},
        "reason": "fraudulent",
        "status": status,
    }


def payout(**changes: Any) -> dict[str, Any]:
    return {
        "id": "po_1",
        "object": "payout",
        "amount": 6697,
        "arrival_date": CREATED + 172800,
        "automatic": True,
        "created": CREATED + 100,
        "currency": "eur",
        "statement_descriptor": "STRIPE PAYOUT",
        "status": "paid",
        "trace_id": {"status": "supported", "value": "TRACE7"},
        **changes,
    }


def delivery(topic: str, body: dict[str, Any]) -> Delivery:
    return Delivery(topic, str(body["id"]), json.dumps(body).encode(), SEEN)


def event(kind: str, found: dict[str, Any], **changes: Any) -> bytes:
    return json.dumps(
        {"id": "evt_1", "object": "event", "type": kind, "created": CREATED, "data": {"object": found}, **changes}
    ).encode()
