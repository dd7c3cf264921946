"""The hub's own web server with the sandbox beside it, new for each story."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_network
from typing import Any

import pytest

from integration_hub.models import Connection
from integration_hub.sandbox.app import Sandbox

from .full_stack import Stack


@pytest.fixture
def stack(live_server: Any, settings: Any) -> Iterator[Stack]:
    """Hub and sandbox joined by nothing but HTTP; the sandbox is quick and ships only when told."""
    settings.HUB_ALLOWED_NETWORKS = [ip_network("127.0.0.0/8")]
    with Sandbox(seed=7, hub=live_server.url) as sandbox:
        sandbox.world.turn(
            woo_delivery_delay=0.05, shopify_retry_seconds=0.002, odoo_ship_after=0, erpnext_ship_after=0
        )
        yield Stack(sandbox, live_server.url)


@pytest.fixture
def odoo(stack: Stack) -> Connection:
    return stack.odoo()


@pytest.fixture
def erpnext(stack: Stack) -> Connection:
    return stack.erpnext()


@pytest.fixture
def woo(stack: Stack, odoo: Connection) -> Connection:
    return stack.shop("woo", odoo)


@pytest.fixture
def shopify(stack: Stack, odoo: Connection) -> Connection:
    return stack.shop("shopify", odoo)
