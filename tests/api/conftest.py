"""Who calls the API in tests, and what is there to be read."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client

from integration_hub.api import tokens
from integration_hub.messaging import pump
from integration_hub.models import Connection, User
from inventory.models import Variant
from orders.models import Order
from tests import standin

Caller = Callable[..., Client]


@pytest.fixture
def caller(person: Callable[..., User]) -> Caller:
    """``caller("operations")`` is a client with a token of that role, made by somebody of that role."""

    def make(role: str, of: str = "") -> Client:
        user = User.objects.filter(username=of or role).first() or person(of or role)
        _token, plain = tokens.issue(user, role, Group.objects.get(name=role))
        return Client(headers={"Authorization": f"Bearer {plain}"})

    return make


@pytest.fixture
def own_system(db: None) -> Connection:
    """A connection that takes reports."""
    return Connection.objects.create(kind="report", slug="b2b", name="B2B portal", role="SHOP")


@pytest.fixture
def teapot(db: None) -> Variant:
    return Variant.objects.create(sku="TK-100", title="Teekanne 1,0 l", gtin="4006381333931")


@pytest.fixture
def reported(joined: Connection, teapot: Variant) -> Order:
    """An order that went to the ERP and a held one; returns the first."""
    deliver(standin.order(1))
    deliver(standin.order(2, lines=[dict(standin.order()["lines"][0], sku="TK-100-B"), standin.order()["lines"][1]]))
    pump.drain()
    return Order.objects.get(external_id="1")


def deliver(found: dict[str, Any]) -> None:
    body = json.dumps(found).encode()
    headers = {"X-Signature": standin.sign(body), "X-Topic": "order.updated", "X-Object": str(found["id"])}
    assert Client().post("/webhooks/laden/", body, content_type="application/json", headers=headers).status_code == 200


def order(serial: int = 1, **changes: Any) -> dict[str, Any]:
    """A good order in our own JSON: two teapots and shipping."""
    base: dict[str, Any] = {
        "channel": "b2b",
        "id": f"B-{serial}",
        "number": f"2026-{serial}",
        "stage": "READY",
        "status": "approved",
        "placed_at": "2026-11-20T10:00:00Z",
        "updated_at": "2026-11-20T10:00:00Z",
        "currency": "EUR",
        "prices_include_tax": True,
        "total": "28.70",
        "total_tax": "4.58",
        "lines": [
            line(id="1", sku="TK-100", title="Teekanne", quantity="2", unit_price="11.90", net="20.00", tax="3.80"),
            line(id="2", kind="SHIPPING", title="DHL", quantity="1", unit_price="4.90", net="4.12", tax="0.78"),
        ],
        "buyer": {"id": "K1", "email": "einkauf@example.com", "name": "Erika Mustermann"},
        "billing": {
            "name": "Erika Mustermann",
            "street": "Hafenstraße 1",
            "postal_code": "20457",
            "city": "Hamburg",
            "country": "DE",
        },
        "payment": {"method": "invoice", "paid": True},
    }
    return base | changes


def line(**said: Any) -> dict[str, Any]:
    return said | {"taxes": [{"rate": "0.19", "amount": str(Decimal(said["tax"]))}]}


def post(client: Client, body: Any, *, key: str | None = None, content_type: str = "application/json") -> Any:
    """Report an order, as bytes or as something to be written as JSON."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"Idempotency-Key": key} if key is not None else {}
    return client.post("/api/v1/reports/orders/", raw, content_type=content_type, headers=headers)
