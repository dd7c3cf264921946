"""Shopware keeps the contract of all connectors."""

from __future__ import annotations

from decimal import Decimal

from integration_hub.kernel.goods import LevelToSet
from tests.connectors.contract import DeclarationContract, ParseContract, TroubleContract, WriteContract
from tests.connectors.levels import ProductsSweptContract
from tests.connectors.listing import OrdersListedContract
from tests.connectors.stock import StockContract
from tests.connectors.webhooks import WebhookContract

from . import goods
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


class TestStock(Mine, StockContract):
    def untracked(self) -> LevelToSet:
        return LevelToSet(product_id=goods.SHIRT, quantity=Decimal(5))


class TestSweeping(Mine, ProductsSweptContract):
    pass
