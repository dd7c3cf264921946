"""Who gets which message.  Filled once by ``integration_hub.wiring``; nobody imports upwards."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from integration_hub.kernel.errors import Defect
from integration_hub.kernel.messages import Command, Ignored, News, Report, Written
from integration_hub.kernel.text import Text, mark, say
from integration_hub.models import Attempt, Connection, InboundEvent, OutboundCommand

# a handler returns why the report changed nothing, or None
Handler = Callable[[Connection, Any, InboundEvent], str | None]
# a reaction takes all news of its kind that come together
Reaction = Callable[[Sequence[Any]], None]
Given = tuple[Connection, Any, InboundEvent]
# takes what it can of many reports at once and returns the ids of those events; the rest goes to the handlers
BatchHandler = Callable[[Sequence[Given]], set[int]]


@dataclass(frozen=True)
class Many:
    """The same for many commands to one connection, with as many statements for all as for one.

    ``build`` locks the subjects in order of key and leaves out what is not plain; that is then built one by one.
    """

    build: Callable[[Sequence[OutboundCommand]], Mapping[int, Command]]
    done: Callable[[Sequence[tuple[OutboundCommand, Written, Attempt]]], None]


@dataclass(frozen=True)
class Verb:
    """How a command is made from canonical rows at send time, and what its success changes here.

    ``build`` locks the subject and returns None when there is nothing left to do (the command is then cancelled).
    ``wanted`` is asked before what a broken try left half done is finished; where the answer is no, ``done`` gets it
    unfinished, writes down what stands there and sees to its being taken back.
    """

    build: Callable[[OutboundCommand], Command | None]
    done: Callable[[OutboundCommand, Written, Attempt], None]
    title: Any
    wanted: Callable[[OutboundCommand], bool] = lambda _command: True
    many: Many | None = None


_handlers: dict[type, Sequence[Handler]] = {}
_batches: dict[type, BatchHandler] = {}
_reactions: dict[type, Sequence[Reaction]] = {}
_verbs: dict[str, Verb] = {}


def connect(
    handlers: Mapping[type, Sequence[Handler]],
    reactions: Mapping[type, Sequence[Reaction]],
    verbs: Mapping[str, Verb],
    batches: Mapping[type, BatchHandler],
) -> None:
    """Take over the wiring tables."""
    _batches.update(batches)
    _handlers.update(handlers)
    _reactions.update(reactions)
    _verbs.update(verbs)


def handle(connection: Connection, reports: Iterable[Report], event: InboundEvent) -> list[str | Text]:
    """Give each report to its handlers; returns the reasons if nothing came of any of them."""
    ignored: list[str | Text] = []
    moved = False
    for report in reports:
        if isinstance(report, Ignored):
            ignored += [report.reason] if report.reason not in ignored else []
            continue
        for handler in _handlers.get(type(report), ()):
            why = handler(connection, report, event)
            moved = moved or why is None
            ignored += [why] if why and why not in ignored else []
    return [] if moved else ignored or [mark("reports nothing")]


def handle_batch(given: Sequence[Given]) -> set[int]:
    """Offer each kind of report to who can take many at once; returns the ids of the events that are done with."""
    done: set[int] = set()
    for kind, take in _batches.items():
        if offered := [one for one in given if isinstance(one[1], kind)]:
            done |= take(offered)
    return done


def publish(*news: News) -> None:
    """Tell the floors above, all of a kind at once; runs in the transaction of who publishes."""
    for kind in {type(one) for one in news}:
        for reaction in _reactions.get(kind, ()):
            reaction([one for one in news if isinstance(one, kind)])


def verb(code: str) -> Verb:
    try:
        return _verbs[code]
    except KeyError:
        raise Defect(say("No code for the command %(verb)s.", verb=code)) from None


def verbs() -> Mapping[str, Verb]:
    return _verbs
