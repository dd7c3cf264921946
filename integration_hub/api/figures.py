"""How the hub is doing, in figures read by partial indexes and estimates: no count over whole tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection as database
from django.db.models import Count, Min, Model, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from exceptions.models import ExceptionCase
from integration_hub.messaging import clock
from integration_hub.models import Connection, Heartbeat, InboundEvent, OutboundCommand, PollState
from integration_hub.models.breaker import BreakerState
from integration_hub.models.connection import ConnectionState
from integration_hub.models.inbound import UNFINISHED, EventState
from integration_hub.models.outbound import OPEN_COMMANDS, CommandState

QUEUES: dict[str, type[Model]] = {"in": InboundEvent, "out": OutboundCommand}
STALE_SECONDS = 180.0
ESTIMATED = ("orders_order", "integration_hub_inboundevent", "integration_hub_outboundcommand")


@dataclass(frozen=True)
class Backlog:
    """What waits: being or to be worked on, stopped for a person, and since when the oldest of the former waits."""

    waiting: int = 0
    parked: int = 0
    oldest: datetime | None = None

    @property
    def age_seconds(self) -> float:
        return max(0.0, (timezone.now() - self.oldest).total_seconds()) if self.oldest else 0.0


def incoming(connections: Iterable[int]) -> dict[int, Backlog]:
    """What waits of each connection's events."""
    open_states = [*UNFINISHED, EventState.PARKED]
    rows = InboundEvent.objects.filter(connection__in=connections, state__in=open_states)
    return _backlogs(rows, EventState.PARKED, "received_at")


def outgoing(connections: Iterable[int]) -> dict[int, Backlog]:
    """What waits of the commands to each connection."""
    rows = OutboundCommand.objects.filter(connection__in=connections, state__in=OPEN_COMMANDS)
    return _backlogs(rows, CommandState.PARKED, "created_at")


def _backlogs(rows: QuerySet[Any], parked: str, since: str) -> dict[int, Backlog]:
    found = rows.values("connection").annotate(
        waiting=Count("pk", filter=~Q(state=parked)),
        stopped=Count("pk", filter=Q(state=parked)),
        oldest=Min(since, filter=~Q(state=parked)),
    )
    return {row["connection"]: Backlog(row["waiting"], row["stopped"], row["oldest"]) for row in found}


def last_events(connections: Sequence[int]) -> dict[int, datetime | None]:
    """When each connection's newest event came in: one index look-up per connection."""
    newest = InboundEvent.objects.filter(connection=OuterRef("pk")).order_by("-id").values("received_at")[:1]
    rows = Connection.objects.filter(pk__in=connections).annotate(last=Subquery(newest))
    return dict(rows.values_list("pk", "last"))


def open_cases(connections: Iterable[int]) -> dict[int, int]:
    rows = ExceptionCase.objects.open().filter(connection__in=connections).values_list("connection")
    return dict(rows.annotate(number=Count("pk")).order_by())


def polls(connections: Iterable[int]) -> dict[int, list[PollState]]:
    """The streams of each connection, in order of name."""
    found: dict[int, list[PollState]] = {}
    for row in PollState.objects.filter(connection__in=connections).order_by("stream"):
        found.setdefault(row.connection_id, []).append(row)
    return found


def queue_states(lane: str) -> dict[str, int]:
    """How many rows of a queue are due, leased and parked."""
    rows = QUEUES[lane]._default_manager.filter(state__in=["DUE", "LEASED", "PARKED"]).values_list("state")
    return {"DUE": 0, "LEASED": 0, "PARKED": 0} | dict(rows.annotate(number=Count("pk")).order_by())


def overdue_seconds(lane: str) -> float:
    """For how long the row that is due longest has been waiting for a worker; 0 where none is.

    Pauses and interruptions do not count: there the row waits for a person or for the other system.
    """
    now = clock.now()
    due = QUEUES[lane]._default_manager.filter(state__in=UNFINISHED, due_at__lte=now)
    waiting = due.exclude(connection__state=ConnectionState.PAUSED)
    if lane == "out":
        waiting = waiting.exclude(connection__breaker__state__in=[BreakerState.OPEN, BreakerState.HALF_OPEN])
    first = waiting.aggregate(at=Min("due_at"))
    return (now - first["at"]).total_seconds() if first["at"] else 0.0


def heartbeats() -> dict[str, float]:
    """Seconds since each lane was worked last, by the database's clock."""
    now = clock.now()
    return {row.lane: max(0.0, (now - row.at).total_seconds()) for row in Heartbeat.objects.order_by("lane")}


def estimated_rows() -> dict[str, int]:
    """PostgreSQL's own estimate of the rows of our big tables; 0 before its first ANALYZE."""
    with database.cursor() as cursor:
        cursor.execute(
            "SELECT relname, greatest(reltuples, 0)::bigint FROM pg_class WHERE relname = ANY(%s)", [list(ESTIMATED)]
        )
        return dict(cursor.fetchall())
