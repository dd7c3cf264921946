"""A provider, a bank and an order to pay for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from integration_hub.models import Connection
from orders.models import Order
from tests import spine, standin
from tests.conftest import make_connection
from tests.payments import provider


@pytest.fixture
def till() -> provider.Till:
    provider.TILL = provider.Till()
    return provider.TILL


@pytest.fixture
def psp(db: None, till: provider.Till) -> Connection:
    return make_connection("standin-provider", "stripe", "PAYMENT")


@pytest.fixture
def bank(db: None, till: provider.Till) -> Connection:
    return make_connection("standin-provider", "hausbank", "BANK")


@pytest.fixture
def ordered(shop: Connection) -> Callable[..., Order]:
    """``ordered(1001, total="28.70")`` makes an order of the shop."""

    def make(number: int = 1, **changes: Any) -> Order:
        spine.say(shop, standin.order(number, **changes))
        spine.run()
        return Order.objects.get(channel=shop, external_id=str(number))

    return make
