"""Who gets which message.  Filled once by ``integration_hub.wiring``; nobody imports upwards."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from integration_hub.kernel.errors import Defect
from integration_hub.kernel.messages import Command, Ignored, News, Report, Written
from integration_hub.kernel.text import say
from integration_hub.models import Attempt, Connection, InboundEvent, OutboundCommand

# a handler returns why the report changed nothing, or None
Handler = Callable[[Connection, Any, InboundEvent], str | None]
Reaction = Callable[[Any], None]


@dataclass(frozen=True)
class Verb:
    """How a command is made from canonical rows at send time, and what its success changes here.

    ``build`` locks the subject and returns None when there is nothing left to do (the command is then cancelled).
    """

    build: Callable[[OutboundCommand], Command | None]
    done: Callable[[OutboundCommand, Written, Attempt], None]
    title: Any


_handlers: dict[type, Sequence[Handler]] = {}
_reactions: dict[type, Sequence[Reaction]] = {}
_verbs: dict[str, Verb] = {}


def connect(
    handlers: Mapping[type, Sequence[Handler]],
    reactions: Mapping[type, Sequence[Reaction]],
    verbs: Mapping[str, Verb],
) -> None:
    """Take over the wiring tables."""
    _handlers.update(handlers)
    _reactions.update(reactions)
    _verbs.update(verbs)


def handle(connection: Connection, reports: Iterable[Report], event: InboundEvent) -> list[str]:
    """Give each report to its handlers; returns the reasons if nothing came of any of them."""
    ignored: list[str] = []
    moved = False
    for report in reports:
        if isinstance(report, Ignored):
            ignored.append(report.reason)
            continue
        for handler in _handlers.get(type(report), ()):
            why = handler(connection, report, event)
            moved = moved or why is None
            ignored += [why] if why else []
    return [] if moved else ignored or ["reports nothing"]


def publish(news: News) -> None:
    """Tell the floors above; runs in the transaction of who publishes."""
    for reaction in _reactions.get(type(news), ()):
        reaction(news)


def verb(code: str) -> Verb:
    try:
        return _verbs[code]
    except KeyError:
        raise Defect(say("No code for the command %(verb)s.", verb=code)) from None


def verbs() -> Mapping[str, Verb]:
    return _verbs
