"""A shop whose documents the hub issues; a provider, a bank and orders."""

from __future__ import annotations

import pytest

from integration_hub.models import Connection
from tests.accounting import books
from tests.payments.conftest import bank, ordered, psp, till

__all__ = ["bank", "laden", "ordered", "psp", "till"]


@pytest.fixture
def laden(shop: Connection) -> Connection:
    books.rule(shop)
    return shop
