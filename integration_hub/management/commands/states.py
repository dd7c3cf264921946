"""``manage.py states``: write docs/states.md, the tables and pictures of every state machine, from the tables of moves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import translation

import orders.aftersales.states
import orders.states
import payments.states
from integration_hub.connectors import registry
from integration_hub.kernel.states import Moves

PAGE = settings.BASE_DIR / "docs" / "states.md"
HEAD = """# States

Written by `manage.py states` from the tables of moves in `states.py` of each app; a test holds it to them. Every move is one
conditional update (the old state must still stand) and one row of activity. `[*]` is where something begins or ends.
"""


class Machine(NamedTuple):
    """A state machine: what it is about, its states, the table of its moves and the news that a move is."""

    title: str
    states: Any
    moves: Moves
    news: str


MACHINES = (
    Machine("Order", orders.states.OrderState, orders.states.MOVES, "`OrderAccepted` on every move to ACCEPTED"),
    Machine(
        "Special case",
        orders.aftersales.states.AfterSaleState,
        orders.aftersales.states.MOVES,
        "`AfterSaleMoved` on every move",
    ),
    Machine("Movement of money", payments.states.Standing, payments.states.STANDING_MOVES, ""),
    Machine("Refund", payments.states.RefundState, payments.states.REFUND_MOVES, ""),
    Machine("Payout", payments.states.PayoutState, payments.states.PAYOUT_MOVES, ""),
    Machine("Dispute", payments.states.DisputeState, payments.states.DISPUTE_MOVES, ""),
    Machine("Write-off", payments.states.WriteOffState, payments.states.WRITE_OFF_MOVES, ""),
)


class Command(BaseCommand):
    """Write the page, or with ``--check`` say whether it is as it should be."""

    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true")

    def handle(self, *_args: Any, **options: Any) -> None:
        text = page()
        if not options["check"]:
            PAGE.write_text(text)
        elif not PAGE.exists() or PAGE.read_text() != text:
            raise CommandError("docs/states.md is not what the tables say: run manage.py states")


def page() -> str:
    """The whole page, in English."""
    with translation.override("en"):
        return "\n".join([HEAD, *(line for machine in MACHINES for line in _machine(machine)), *_words()]) + "\n"


def _machine(machine: Machine) -> Iterator[str]:
    yield f"## {machine.title}\n"
    yield "```mermaid\nstateDiagram-v2"
    begun = {state for targets in machine.moves.values() for state in targets}
    yield from (f"  [*] --> {state}" for state in machine.states.values if state not in begun)
    yield from (f"  {old} --> {new}" for old in machine.states.values for new in _targets(machine, old))
    yield from (f"  {state} --> [*]" for state in machine.states.values if not machine.moves.get(state))
    yield "```\n"
    yield "| State | Meaning | May go to |\n|---|---|---|"
    for state, label in machine.states.choices:
        yield f"| `{state}` | {label} | {', '.join(f'`{new}`' for new in _targets(machine, state)) or '–'} |"
    yield f"\nNews: {machine.news}.\n" if machine.news else ""


def _targets(machine: Machine, old: str) -> list[str]:
    return [state for state in machine.states.values if state in machine.moves.get(old, ())]


def _words() -> Iterator[str]:
    """What each system calls our states, as its connector translates them."""
    yield "## What the systems call it\n"
    for connector in sorted(registry().values(), key=lambda one: one.code):
        if connector.words and connector.__module__.startswith("integration_hub."):
            yield f"### {connector.label}\n\n| What | There | Here |\n|---|---|---|"
            for what, words in connector.words.items():
                yield from (f"| {what} | `{there}` | `{here}` |" for there, here in words.items())
            yield ""
