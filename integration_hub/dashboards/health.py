"""Does everything run?  One line per connection, in a fixed number of queries however many connections there are."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, F, Min, OuterRef, QuerySet, Subquery, Sum

from exceptions.models import ExceptionCase
from integration_hub.messaging import connections
from integration_hub.models import Connection, InboundEvent, OutboundCommand, PollState
from integration_hub.models.inbound import UNFINISHED
from integration_hub.models.outbound import MOVING


@dataclass(frozen=True, kw_only=True)
class Line:
    """How one connection fares."""

    connection: Connection
    last_event: datetime | None
    events: int
    commands: int
    oldest: datetime | None
    cases: int
    failing: int
    polled: datetime | None
    system: str

    @property
    def backlog(self) -> int:
        return self.events + self.commands


def lines(rows: QuerySet[Connection] | None = None) -> list[Line]:
    """The connections with their last event, what waits, open cases and polling trouble."""
    newest = InboundEvent.objects.filter(connection=OuterRef("pk")).order_by("-pk").values("received_at")[:1]
    found = (Connection.objects.all() if rows is None else rows).annotate(last_event=Subquery(newest))
    events = _waiting(InboundEvent, UNFINISHED, "received_at")
    commands = _waiting(OutboundCommand, MOVING, "created_at")
    cases = dict(ExceptionCase.objects.open().values_list("connection").annotate(Count("pk")))
    polls = _polls()
    return [_line(row, events, commands, cases, polls) for row in found]


def _waiting(
    model: type[InboundEvent | OutboundCommand], states: Iterable[str], moment: str
) -> dict[int, tuple[int, datetime]]:
    rows = model._default_manager.filter(state__in=states).values("connection").annotate(n=Count("pk"), old=Min(moment))
    return {row["connection"]: (row["n"], row["old"]) for row in rows}


def _polls() -> dict[int, tuple[int, datetime | None]]:
    rows = PollState.objects.values("connection").annotate(failures=Sum("failures"), polled=Min(F("last_ok_at")))
    return {row["connection"]: (row["failures"], row["polled"]) for row in rows}


def _line(
    row: Connection,
    events: dict[int, tuple[int, datetime]],
    commands: dict[int, tuple[int, datetime]],
    cases: dict[int | None, int],
    polls: dict[int, tuple[int, datetime | None]],
) -> Line:
    waiting_in, waiting_out = events.get(row.pk), commands.get(row.pk)
    oldest = [found[1] for found in (waiting_in, waiting_out) if found]
    failing, polled = polls.get(row.pk, (0, None))
    return Line(
        connection=row,
        last_event=row.last_event,  # type: ignore[attr-defined]
        events=waiting_in[0] if waiting_in else 0,
        commands=waiting_out[0] if waiting_out else 0,
        oldest=min(oldest, default=None),
        cases=cases.get(row.pk, 0),
        failing=failing,
        polled=polled,
        system=connections.system_name(row),
    )
