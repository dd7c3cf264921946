"""A fresh sandbox on a free port for each test, quick in all it does, and a door for its webhooks."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from integration_hub.sandbox.app import Sandbox

from .across import SHOPS
from .play import Door


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(seed=7) as found:
        found.world.turn(woo_delivery_delay=0.05, shopify_retry_seconds=0.02, odoo_ship_after=0, erpnext_ship_after=0)
        yield found


@pytest.fixture
def door() -> Iterator[Door]:
    found = Door()
    yield found
    found.close()


@pytest.fixture(params=sorted(SHOPS))
def shop(request: pytest.FixtureRequest) -> str:
    return str(request.param)
