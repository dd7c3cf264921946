"""A small outside world for connectors to write to, and the faults of the wire between."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

import requests
import responses

Reply = tuple[int, dict[str, str], str]

_ANY = re.compile(".*")


class World(Protocol):
    """Answers requests and remembers what was written."""

    def answer(self, request: requests.PreparedRequest) -> Reply:
        """Carry the request out."""

    def is_write(self, request: requests.PreparedRequest) -> bool:
        """Whether the request changes something."""

    def made(self) -> Any:
        """A comparable picture of all that was made; false while nothing was."""


@dataclass(frozen=True)
class Fault:
    """What goes wrong: the answer to the nth write is lost, or the connection fails just before it."""

    after_write: int = 0
    before_write: int = 0


class Wire:
    """Counts the writes that pass and lets the fault happen."""

    def __init__(self, world: World, fault: Fault) -> None:
        self.world = world
        self.fault = fault
        self.writes = 0

    def carry(self, request: requests.PreparedRequest) -> Reply | Exception:
        if not self.world.is_write(request):
            return self.world.answer(request)
        self.writes += 1
        if self.writes == self.fault.before_write:
            return requests.ConnectTimeout()
        reply = self.world.answer(request)
        return requests.ReadTimeout() if self.writes == self.fault.after_write else reply


@contextmanager
def outside(world: World, fault: Fault = Fault()) -> Iterator[Wire]:
    """All requests go to this world."""
    wire = Wire(world, fault)
    with responses.RequestsMock(assert_all_requests_are_fired=False) as rsps:
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
            rsps.add_callback(method, _ANY, callback=wire.carry)
        yield wire


@contextmanager
def everything(answer: Exception | Reply) -> Iterator[responses.RequestsMock]:
    """Every request, whatever it is, gets this answer."""
    with responses.RequestsMock(assert_all_requests_are_fired=False) as rsps:
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"):
            rsps.add_callback(method, _ANY, callback=lambda request: answer)
        yield rsps
