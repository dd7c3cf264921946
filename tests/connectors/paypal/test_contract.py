"""PayPal keeps the contract of all connectors; a signature is judged when the webhook is followed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from integration_hub.connectors.base import Delivery, Incoming
from tests.connectors.contract import DeclarationContract, ParseContract, TroubleContract, WriteContract
from tests.connectors.funds import FundsContract
from tests.connectors.webhooks import WebhookContract
from tests.connectors.world import outside

from . import mine
from .mine import Mine


class TestDeclaration(Mine, DeclarationContract):
    pass


class TestWebhooks(Mine, WebhookContract):
    def take(self, request: Incoming, **changes: Any) -> Sequence[Delivery]:
        it = self.connector(**changes)
        with outside(mine.Account()):
            return [found for one in it.receive(request) for found in it.follow(one)]


class TestParsing(Mine, ParseContract):
    pass


class TestFunds(Mine, FundsContract):
    pass


class TestTrouble(Mine, TroubleContract):
    pass


class TestWriting(Mine, WriteContract):
    pass
