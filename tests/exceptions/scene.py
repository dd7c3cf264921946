"""Trouble made the real way: signed webhooks of the stand-in shop, worked off by the pump."""

from __future__ import annotations

import json
from typing import Any

from django.test import Client

from exceptions.models import ExceptionCase
from integration_hub.messaging import pump
from inventory.models import Variant
from tests import standin


def report(found: dict[str, Any], topic: str = "order.updated") -> None:
    """The shop reports an order by a signed webhook; nothing is processed yet."""
    body = json.dumps(found).encode()
    headers = {"X-Signature": standin.sign(body), "X-Topic": topic, "X-Object": str(found.get("id", ""))}
    answer = Client().post("/webhooks/laden/", body, content_type="application/json", headers=headers)
    assert answer.status_code == 200, answer.content


def teapot() -> Variant:
    return Variant.objects.create(sku="TK-100", title="Teekanne 1,0 l", gtin="4006381333931")


def with_sku(number: int, sku: str, gtin: str = "", title: str = "Teekanne") -> dict[str, Any]:
    first, shipping = standin.order()["lines"]
    return standin.order(number, lines=[dict(first, sku=sku, gtin=gtin, title=title), shipping])


def unknown_product(*numbers: int, sku: str = "TK-100-B") -> ExceptionCase:
    """Orders of these numbers name a product that nobody knows."""
    for number in numbers:
        report(with_sku(number, sku))
    pump.drain()
    return ExceptionCase.objects.get(kind="unknown_product", cause__endswith=f":sku:{sku}", state="OPEN")


def incomplete_address(number: int) -> ExceptionCase:
    report(standin.order(number, city="", postal_code=""))
    pump.drain()
    return ExceptionCase.objects.get(kind="address_incomplete", params__number=f"#{number}")


def wrong_total(number: int) -> ExceptionCase:
    report(standin.order(number, total="189.90"))
    pump.drain()
    return ExceptionCase.objects.get(kind="totals_disagree", params__number=f"#{number}")


def not_understood(number: int) -> ExceptionCase:
    report({"id": number, "number": f"#{number}", "email": "erika@example.com", "note": "Klingel defekt"})
    pump.drain()
    return ExceptionCase.objects.get(kind="not_understood", params__object=str(number))
