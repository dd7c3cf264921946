"""Trouble on purpose: one of every kind, each made by what really causes it, so that the exception list teaches itself."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import requests
from django.conf import settings
from django.utils import timezone

from integration_hub.connectors.base import Delivery
from integration_hub.kernel import codec
from integration_hub.kernel.errors import RetryLater
from integration_hub.kernel.text import say
from integration_hub.messaging import breakers, claims, inbox, polling
from integration_hub.models import Breaker, Connection, InboundEvent, OutboundCommand
from integration_hub.models.connection import UNREACHABLE_AFTER
from integration_hub.models.inbound import Door
from integration_hub.sandbox import world as credentials
from inventory.models import Variant
from orders.models import Order

from . import demo_world

Quiet = Callable[[], None]
ORDERS = (
    ("woo", "unknown_sku", 3),
    ("shopify", "unknown_sku", 1),
    ("woo", "missing_address", 2),
    ("shopify", "totals_disagree", 1),
    ("woo", "totals_disagree", 1),
    ("woo", "unknown_tax_rate", 1),
)


def make(sandbox: str, connections: dict[str, Connection], *, quiet: Quiet) -> None:
    """Everything that can go wrong, once; a dozen cases."""
    for shop, trouble, count in ORDERS:
        demo_world.control(sandbox, "orders", shop=shop, trouble=trouble, count=count, webhooks=False)
    _changed_in_the_shop(sandbox, connections["laden"])
    _webhook_switched_off(sandbox)
    _wrong_key(sandbox)
    _nonsense(connections["laden"])
    _portal(connections["odoo"])
    for name in ("laden", "teehaus"):
        polling.poll_now(connections[name])
    quiet()
    _dead_erp(quiet)
    _kills_its_worker(connections["laden"])


def _changed_in_the_shop(sandbox: str, shop: Connection) -> None:
    """Two orders that the ERP already holds: one cancelled, one with another note."""
    written = Order.objects.filter(channel=shop, sales__isnull=False, stage="READY").order_by("-placed_at")
    for order, change in zip(written[:2], ({"action": "cancel"}, _edit()), strict=False):
        demo_world.control(sandbox, f"woo/orders/{order.external_id}", **change)


def _edit() -> dict[str, Any]:
    return {"action": "edit", "changes": {"customer_note": "Bitte doch an die Nachbarin liefern"}}


def _webhook_switched_off(sandbox: str) -> None:
    key = (credentials.WOO_KEY, credentials.WOO_SECRET)
    address = f"{sandbox}/woo/wp-json/wc/v3/webhooks"
    hooks = requests.get(address, auth=key, timeout=10).json()
    hook = next(row for row in hooks if row["topic"] == "order.updated")
    requests.put(f"{address}/{hook['id']}", json={"status": "disabled"}, auth=key, timeout=10).raise_for_status()


def _wrong_key(sandbox: str) -> None:
    secrets = {"consumer_key": "ck_mistyped", "consumer_secret": "cs_mistyped", "webhook_secret": "unused"}
    outlet = demo_world.connect("outlet", "Outlet", "woocommerce", "SHOP", {"url": f"{sandbox}/woo"}, secrets)
    polling.poll_now(outlet)


def _nonsense(shop: Connection) -> None:
    """Rightly signed and senseless: an order whose total is no amount."""
    body = json.dumps({"id": 990001, "status": "processing", "currency": "EUR", "total": "kostenlos"}).encode()
    signature = base64.b64encode(hmac.digest(credentials.WOO_WEBHOOK_SECRET.encode(), body, hashlib.sha256)).decode()
    inbox.store(shop, [Delivery("order.updated", "990001", body, {"x-wc-webhook-signature": signature})], Door.WEBHOOK)


def _portal(erp: Connection) -> None:
    """A portal of the merchant's own: who ordered is unclear, and the ERP does not know a product."""
    portal = demo_world.connect("portal", "B2B-Portal", "report", "SHOP", {}, {})
    demo_world.switch_on(portal, erp)
    Variant.objects.get_or_create(sku="NEU-900", defaults={"title": "Teedose Neuheit (noch nicht im ERP)"})
    _report(portal, "P-1", "K-1", "einkauf@kontor.example", "TEE-250")
    _report(portal, "P-2", "K-2", "bestellung@kontor.example", "TEE-250")
    _report(portal, "P-3", "K-1", "bestellung@kontor.example", "TEE-250")
    _report(portal, "P-4", "K-2", "bestellung@kontor.example", "NEU-900")


def _report(portal: Connection, number: str, customer: str, email: str, sku: str) -> None:
    body = codec.canonical(reported(portal.slug, number, customer, email, sku))
    inbox.store(portal, [Delivery("order.reported", number, body)], Door.API)


def reported(channel: str, number: str, customer: str, email: str, sku: str) -> dict[str, Any]:
    """An order as ``POST /api/v1/reports/orders/`` takes it: two packets at 7 %."""
    now = timezone.now().isoformat()
    address = {
        "name": "Kontor am Hafen GmbH",
        "company": "Kontor am Hafen GmbH",
        "street": "Am Sandtorkai 12",
        "postal_code": "20457",
        "city": "Hamburg",
        "country": "DE",
    }
    return {
        "channel": channel,
        "id": number,
        "number": number,
        "stage": "READY",
        "placed_at": now,
        "updated_at": now,
        "currency": "EUR",
        "prices_include_tax": False,
        "total": "25.80",
        "total_tax": "1.69",
        "buyer": {"id": customer, "email": email, "name": "Kontor am Hafen GmbH"},
        "billing": address,
        "lines": [
            {
                "id": "1",
                "kind": "ITEM",
                "sku": sku,
                "title": sku,
                "quantity": "2",
                "unit_price": "12.055",
                "net": "24.11",
                "tax": "1.69",
                "taxes": [{"rate": "0.07", "amount": "1.69"}],
            }
        ],
    }


def _dead_erp(quiet: Quiet) -> None:
    """An ERP that nobody answers for.  The failures are dated back, as two hours of trying would leave them."""
    config = {"url": "http://127.0.0.1:9", "database": "filiale", "web_shop": "filiale"}
    erp = demo_world.connect("filiale-erp", "Tryton Filiale", "tryton", "ERP", config, {"api_key": "unused"})
    shop = demo_world.connect("filiale", "Filiale", "report", "SHOP", {}, {})
    demo_world.switch_on(shop, erp)
    _report(shop, "F-1", "F-K-1", "filiale@kontor.example", "TK-100")
    quiet()
    long_ago = timezone.now() - 2 * UNREACHABLE_AFTER
    OutboundCommand.objects.filter(connection=erp).update(
        first_failed_at=long_ago, due_at=timezone.now() + timedelta(seconds=1)
    )
    silence = RetryLater(say("The connection failed."), code="no_answer")
    for _try in range(settings.HUB_BREAKER_FAILURES):
        breakers.ended(erp, silence)
    Breaker.objects.filter(connection=erp).update(opened_at=long_ago, probe_at=timezone.now())


def _kills_its_worker(shop: Connection) -> None:
    """An event that was interrupted three times, as one that takes its worker down with it."""
    body = codec.canonical({"id": 990002, "status": "processing"})
    for pk in inbox.store(shop, [Delivery("order.updated", "990002", body)], Door.WEBHOOK):
        InboundEvent.objects.filter(pk=pk).update(crashes=claims.MAX_CRASHES)
