"""What must hold within the hub's own ledgers: events, commands, attempts, parcels, cases."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet
from django_q.models import OrmQ

from exceptions.models import ExceptionCase
from integration_hub.models import Connection, InboundEvent, OutboundCommand, PollState
from integration_hub.models.inbound import UNFINISHED, EventState
from integration_hub.models.outbound import MOVING, CommandState, Outcome
from orders.models import Order

from .facts import Facts, open_cases, parcels_here

MOST_KICKS = 60
SUCCESS = (Outcome.DONE, Outcome.FOUND)


def moving_commands() -> QuerySet[OutboundCommand]:
    """Commands that wait for their turn; those behind a parked one wait for a person, as that one's case says."""
    before = OutboundCommand.objects.filter(
        connection=OuterRef("connection"),
        subject_type=OuterRef("subject_type"),
        subject_id=OuterRef("subject_id"),
        pk__lt=OuterRef("pk"),
        state=CommandState.PARKED,
    )
    return OutboundCommand.objects.filter(~Exists(before), state__in=MOVING)


def waiting(_facts: Facts) -> Iterator[str]:
    for event in InboundEvent.objects.filter(state__in=UNFINISHED):
        yield f"event {event} is {event.state} after {event.attempts} tries: {event.reason_code}"
    for command in moving_commands():
        yield f"command {command} is {command.state} after {command.attempts} tries: {command.reason_code}"


def parked(_facts: Facts) -> Iterator[str]:
    of_events, of_orders, of_commands = open_cases(InboundEvent), open_cases(Order), open_cases(OutboundCommand)
    for event in InboundEvent.objects.filter(state=EventState.PARKED):
        if not of_events.get(event.pk):
            yield f"event {event} is parked ({event.reason_code})"
    for command in OutboundCommand.objects.filter(state=CommandState.PARKED):
        if not (of_orders.get(command.subject_id) or of_commands.get(command.pk)):
            yield f"command {command} is parked ({command.reason_code})"


def unreasoned(_facts: Facts) -> Iterator[str]:
    for event in InboundEvent.objects.filter(state=EventState.IGNORED, reason={}):
        yield f"event {event}"


def unacknowledged(facts: Facts) -> Iterator[str]:
    here = {bytes(digest).hex() for digest in InboundEvent.objects.values_list("digest", flat=True).iterator()}
    yield from sorted(facts.receipts - here)


def repeated(_facts: Facts) -> Iterator[str]:
    """Rows that a unique key should have kept out."""
    sayings = InboundEvent.objects.values("connection", "topic", "object_id", "digest").annotate(times=Count("pk"))
    for row in sayings.filter(times__gt=1):
        yield f"event {row['topic']} {row['object_id']} {row['times']} times"
    keys = OutboundCommand.objects.values("connection", "key").annotate(times=Count("pk"))
    for again in keys.filter(times__gt=1):
        yield f"command {again['key']} {again['times']} times"


def attempts(_facts: Facts) -> Iterator[str]:
    """A finished command succeeded once, an unfinished one never, and nobody tried without counting."""
    rows = OutboundCommand.objects.annotate(
        good=Count("tries", filter=Q(tries__outcome__in=SUCCESS)), all=Count("tries")
    )
    wrong = (
        Q(state=CommandState.DONE) & ~Q(good=1) | ~Q(state=CommandState.DONE) & ~Q(good=0) | Q(all__gt=F("attempts"))
    )
    for row in rows.filter(wrong):
        yield f"command {row} is {row.state}: {row.attempts} tries, {row.all} kept, {row.good} good"


def parcels(facts: Facts) -> Iterator[str]:
    here = parcels_here()
    for sale in facts.parcels.keys() | here.keys():
        if facts.parcels[sale] != here[sale]:
            yield f"sale {sale}: {facts.parcels[sale]} parcels left, {here[sale]} known"


def defects(_facts: Facts) -> Iterator[str]:
    for case in ExceptionCase.objects.filter(kind="defect"):
        yield f"{case.cause}: {case.found} {case.data}"


def unfit(_facts: Facts) -> Iterator[str]:
    """Connections and polls that did not come back to themselves."""
    for connection in Connection.objects.exclude(state="ACTIVE"):
        yield f"{connection} is {connection.state}"
    for poll in PollState.objects.exclude(failures=0, lease_token=None, token=None):
        yield f"{poll}: {poll.failures} failures"
    for case in ExceptionCase.objects.open().filter(kind__in=["target_unreachable", "webhook_disabled"]):
        yield f"{case.kind} is still open"


def piled_up(_facts: Facts) -> Iterator[str]:
    """A cluster whose monitor is dead acknowledges nothing, so every kick comes again and again."""
    kicks = OrmQ.objects.count()
    if kicks > MOST_KICKS:
        yield f"{kicks} kicks were never acknowledged"


CHECKS: tuple[tuple[str, Callable[[Facts], Iterator[str]]], ...] = (
    ("no event and no command waits or is leased", waiting),
    ("everything parked has an open case", parked),
    ("everything ignored has a reason", unreasoned),
    ("every webhook that was answered with success is stored", unacknowledged),
    ("no saying and no command is stored twice", repeated),
    ("attempts agree with what became of their command", attempts),
    ("every parcel that left the ERP is known here", parcels),
    ("no defect came up", defects),
    ("kicks do not pile up", piled_up),
    ("connections and polls are back to normal", unfit),
)
