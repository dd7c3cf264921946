"""The demo's money: three payment providers and a bank, their past payouts, and the bank's statements."""

from __future__ import annotations

from typing import Any

import requests

from integration_hub.messaging import inbox
from integration_hub.models import Connection
from integration_hub.models.inbound import Door
from integration_hub.sandbox import world as credentials

from . import demo_world

BANK = "hausbank"
DAYS = 45


def connect(sandbox: str, hub: str) -> dict[str, Connection]:
    """Join the providers and the bank; their webhooks come to the hub."""
    made = {slug: demo_world.connect(slug, *given) for slug, given in _given(sandbox).items()}
    for slug, secret in (
        ("stripe", credentials.STRIPE_WEBHOOK_SECRET),
        ("paypal", credentials.PAYPAL_WEBHOOK_ID),
        ("mollie", ""),
    ):
        demo_world.control(sandbox, "money/subscribe", provider=slug, url=f"{hub}/webhooks/{slug}/", secret=secret)
    return made


def pay_out(sandbox: str) -> None:
    """Weekly payouts of what the past orders brought; part of them is in the bank."""
    demo_world.control(sandbox, "money/history", days=DAYS)


def upload(sandbox: str, bank: Connection) -> None:
    """Keep the bank's statements up to now, as if somebody had uploaded them."""
    answer = requests.get(f"{sandbox}/control/bank/statement", timeout=60)
    answer.raise_for_status()
    inbox.store(bank, bank.connector().take("kontoauszuege.xml", answer.content), Door.FILE)


def _given(sandbox: str) -> dict[str, tuple[str, str, str, dict[str, Any], dict[str, str]]]:
    stripe = {"api_key": credentials.STRIPE_KEY, "webhook_secret": credentials.STRIPE_WEBHOOK_SECRET}
    paypal = {"client_secret": credentials.PAYPAL_SECRET, "webhook_id": credentials.PAYPAL_WEBHOOK_ID}
    mollie = {"api_key": credentials.MOLLIE_KEY, "access_token": credentials.MOLLIE_TOKEN}
    paypal_url = {"url": f"{sandbox}/paypal", "client_id": credentials.PAYPAL_ID}
    return {
        "stripe": ("Stripe", "stripe", "PAYMENT", {"url": f"{sandbox}/stripe"}, stripe),
        "paypal": ("PayPal", "paypal", "PAYMENT", paypal_url, paypal),
        "mollie": ("Mollie", "mollie", "PAYMENT", {"url": f"{sandbox}/mollie/v2"}, mollie),
        BANK: ("Hausbank", "bank", "BANK", {}, {}),
    }
