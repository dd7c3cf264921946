"""The demo world: two shops, an ERP, some two hundred past orders, and trouble of every kind to learn from."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import requests
from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone

from integration_hub.messaging import polling, watch
from integration_hub.models import Connection, InboundEvent, OutboundCommand, PollState, ProcessSwitch
from integration_hub.models.inbound import UNFINISHED
from integration_hub.models.outbound import MOVING
from integration_hub.processes import PROCESSES
from integration_hub.sandbox import world as credentials
from inventory.models import Variant
from orders.models import Order

from . import demo_books, demo_documents, demo_money, demo_stock, demo_trouble

PAST = (("woo", 116), ("shopify", 80))
DAYS = 45
PATIENCE = 150.0
Say = Callable[[str], None]
Stopped = Callable[[], bool]


class Interrupted(Exception):
    """Somebody pressed Ctrl-C while the world was being built."""


def build(sandbox: str, hub: str, *, say: Say, stopped: Stopped) -> None:
    """Make what is missing; a world that is already there is left as it is."""
    odoo = _erp(sandbox)
    built = Path(settings.DATA_DIR) / "demo_built"
    if not Order.objects.exists():
        # a shop's first poll reads its whole history, so the past must be there before the shops are connected
        _control(sandbox, "pause")
        _products(odoo, stopped)
        _past_orders(sandbox)
    connections = _shops(sandbox, odoo) | {"odoo": odoo}
    for shop, slug, secret in (
        ("woo", "laden", credentials.WOO_WEBHOOK_SECRET),
        ("shopify", "teehaus", credentials.SHOPIFY_SECRET),
    ):
        _control(sandbox, "subscribe", shop=shop, url=f"{hub}/webhooks/{slug}/", secret=secret, goods=True)
    demo_documents.make(connections)
    money = demo_money.connect(sandbox, hub)
    if built.exists():
        say("the demo world is as you left it")
        return
    say("about 200 past orders run through the hub …")
    demo_money.pay_out(sandbox)
    _quiet(stopped)
    demo_money.upload(sandbox, money[demo_money.BANK])  # a payout is known before it is in the bank
    _quiet(stopped)
    demo_trouble.make(sandbox, connections, quiet=lambda: _quiet(stopped))
    demo_stock.make(connections, quiet=lambda: _quiet(stopped))
    demo_books.keep()
    _control(sandbox, "resume")
    built.touch()
    say(f"{Order.objects.count()} orders, a dozen in trouble: see the exception list")


def _erp(sandbox: str) -> Connection:
    odoo = {"url": f"{sandbox}/odoo", "database": credentials.ODOO_DATABASE, "login": credentials.ODOO_LOGIN}
    return _connection("odoo", "Odoo", "odoo", "ERP", odoo | _services(), {"api_key": credentials.ODOO_KEY})


def _shops(sandbox: str, odoo: Connection) -> dict[str, Connection]:
    woo = {"url": f"{sandbox}/woo", "tracking": "shipment_tracking"}
    woo |= {"currency": "EUR", "prices": "gross", "weight_unit": "kg"}
    shopify = {"shop": credentials.SHOPIFY_SHOP, "api_url": f"{sandbox}/shopify"}
    made = {
        "laden": _connection("laden", "Teeladen", "woocommerce", "SHOP", woo, _woo_secrets()),
        "teehaus": _connection("teehaus", "Teehaus", "shopify", "SHOP", shopify, _shopify_secrets()),
    }
    for channel in made.values():
        switch_on(channel, odoo)
    return made


def _woo_secrets() -> dict[str, str]:
    return {
        "consumer_key": credentials.WOO_KEY,
        "consumer_secret": credentials.WOO_SECRET,
        "webhook_secret": credentials.WOO_WEBHOOK_SECRET,
    }


def _shopify_secrets() -> dict[str, str]:
    return {"access_token": credentials.SHOPIFY_TOKEN, "api_secret": credentials.SHOPIFY_SECRET}


def _services() -> dict[str, str]:
    """The service products of the sandbox's Odoo, and its bank."""
    return {
        "shipping_product": "VERSAND",
        "fee_product": "GEBUEHR",
        "discount_product": "RABATT",
        "payment_journal": "BNK1",
    }


def _connection(
    slug: str, name: str, kind: str, role: str, config: dict[str, Any], secrets: dict[str, str]
) -> Connection:
    connection = Connection.objects.filter(slug=slug).first() or Connection(slug=slug, name=name, kind=kind, role=role)
    connection.config = config
    connection.set_secrets(secrets)
    connection.save()
    polling.prepare(connection)
    return connection


def connect(slug: str, name: str, kind: str, role: str, config: dict[str, Any], secrets: dict[str, str]) -> Connection:
    """A further connection of the demo world."""
    return _connection(slug, name, kind, role, config, secrets)


def switch_on(channel: Connection, erp: Connection) -> None:
    """All processes of a channel, for orders of the last months."""
    since = timezone.now() - timedelta(days=2 * DAYS)
    for process in PROCESSES:
        ProcessSwitch.objects.get_or_create(
            channel=channel, process=process.code, defaults={"target": erp, "since": since}
        )


def _control(sandbox: str, what: str, **given: Any) -> dict[str, Any]:
    answer = requests.post(f"{sandbox}/control/{what}", json=given, timeout=60)
    answer.raise_for_status()
    return dict(answer.json())


def control(sandbox: str, what: str, **given: Any) -> dict[str, Any]:
    """Pull a lever of the sandbox."""
    return _control(sandbox, what, **given)


def _past_orders(sandbox: str) -> None:
    for shop, wanted in PAST:
        for slot in range(wanted // 2):
            days = DAYS - slot * DAYS // (wanted // 2)
            _control(sandbox, "orders", shop=shop, count=2, days_ago=max(days, 0), webhooks=False)


def _products(erp: Connection, stopped: Stopped) -> None:
    polling.poll_now(erp)
    _until(Variant.objects.exists, stopped)
    _quiet(stopped)


def _quiet(stopped: Stopped) -> None:
    """Wait until nothing is due any more; the worker does the work."""
    for _round in range(2):
        _until(lambda: not _busy(), stopped)
        _pause(stopped, 1.5)


def _busy() -> bool:
    """Whether something waits for its first try; what failed on purpose is tried again and need not be waited for."""
    soon = timezone.now() + timedelta(seconds=5)
    due: list[QuerySet[Any]] = [
        InboundEvent.objects.filter(state__in=UNFINISHED, due_at__lte=soon),
        OutboundCommand.objects.filter(
            state__in=MOVING, due_at__lte=soon, connection__state="ACTIVE", first_failed_at=None
        ),
        PollState.objects.filter(due_at__lte=soon, connection__state="ACTIVE", failures=0),
    ]
    return any(rows.exists() for rows in due)


def _until(happened: Callable[[], bool], stopped: Stopped) -> None:
    until = time.monotonic() + PATIENCE
    while not happened() and time.monotonic() < until:
        watch.kick_due()
        _pause(stopped, 0.4)


def _pause(stopped: Stopped, seconds: float) -> None:
    if stopped():
        raise Interrupted
    time.sleep(seconds)
