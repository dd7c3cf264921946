"""Shopware keeps the contract of all connectors."""

from __future__ import annotations

from tests.connectors.contract import DeclarationContract, ParseContract, TroubleContract, WriteContract
from tests.connectors.listing import OrdersListedContract
from tests.connectors.webhooks import WebhookContract

from .mine import Mine


class TestDeclaration(Mine, DeclarationContract):
    pass


class TestWebhooks(Mine, WebhookContract):
    pass


class TestParsing(Mine, ParseContract):
    pass


class TestTrouble(Mine, TroubleContract):
    pass


class TestWriting(Mine, WriteContract):
    pass


class TestListing(Mine, OrdersListedContract):
    pass
