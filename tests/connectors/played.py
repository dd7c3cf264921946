"""A played payment provider as the outside world of the contract suite: the sandbox's, without the network."""

from __future__ import annotations

from typing import Any, Protocol
from urllib.parse import parse_qsl, urlsplit

import requests

from integration_hub.sandbox import world as sandbox
from integration_hub.sandbox.hooks import Sender
from integration_hub.sandbox.http import Request, Response
from integration_hub.sandbox.later import Later
from integration_hub.sandbox.purse import Paid, Purse
from tests.connectors.world import Reply

PAID = Paid(shop="woo", order_id=7, number="1007", amount=11900, name="Anna Grün", email="anna@example.test")


class System(Protocol):
    """What a played provider answers."""

    def handle(self, request: Request) -> Response: ...

    def writes(self, request: Request) -> bool: ...


class Played:
    """A purse and the provider that shows it; ``made`` are the refunds."""

    prefix = ""

    def __init__(self) -> None:
        world = sandbox.World()
        self.purse = Purse(world)
        self.sender = Sender(world.faults, Later(workers=0))
        self.system = self.open()

    def open(self) -> System:
        """The provider itself."""
        raise NotImplementedError

    def is_write(self, request: requests.PreparedRequest) -> bool:
        return self.system.writes(_request(request, self.prefix))

    def made(self) -> Any:
        return [
            {name: value for name, value in row.items() if name != "created"}
            for row in self.purse.world.store.rows("purse.refunds")
        ]

    def answer(self, request: requests.PreparedRequest) -> Reply:
        found = self.system.handle(_request(request, self.prefix))
        return found.status, dict(found.headers), found.body.decode()


def _request(request: requests.PreparedRequest, prefix: str) -> Request:
    parts = urlsplit(str(request.url))
    pairs = tuple(parse_qsl(parts.query, keep_blank_values=True))
    body = request.body.encode() if isinstance(request.body, str) else request.body or b""
    headers = {name.lower(): str(value) for name, value in request.headers.items()}
    return Request(str(request.method), prefix + parts.path, "", dict(pairs), headers, body, pairs)
