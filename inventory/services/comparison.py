"""The nightly full comparison: every level a system holds, page by page, laid beside what it was told or states.

Each connection is a row that is due at night and on demand.  A worker lists for a while, keeps how far it came and lets
others have a turn.  What the system took to answer and what the hub took to compare are measured apart.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import uuid4

from django.db import connection as database
from django.db import transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from integration_hub.kernel.errors import HubError, RetryLater
from integration_hub.kernel.goods import LocationReport, StockReport
from integration_hub.kernel.messages import Report
from integration_hub.kernel.states import Capability, Role
from integration_hub.messaging import pump, tries
from integration_hub.models import Connection
from integration_hub.models.connection import ConnectionState

from ..models import Comparison, Seen
from . import drifts, levels, places, push
from .stated import read

LANE = "stocktake"
LEASE = timedelta(minutes=3)
SPELL = 10.0  # seconds of listing before a worker keeps what it has and lets others have a turn
DEADLINE = 20.0  # seconds for one answer
MOST_TRIES = 6

_CLAIM = """
UPDATE inventory_comparison SET lease_token = %s, due_at = statement_timestamp() + %s WHERE id = (
  SELECT id FROM inventory_comparison WHERE due_at <= statement_timestamp()
  ORDER BY due_at, id LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING id
"""


def comparable() -> list[Connection]:
    """The connections whose whole stock can be listed."""
    rows = Connection.objects.filter(state=ConnectionState.ACTIVE).order_by("pk")
    return [row for row in rows if Capability.LIST_LEVELS in row.capabilities]


def nightly() -> dict[str, Any]:
    """Let everything be compared."""
    rows = comparable()
    for connection in rows:
        start(connection)
    return {"systems": len(rows)}


def start(connection: Connection) -> None:
    """Compare one system from the first page on."""
    fresh: dict[str, Any] = {
        "token": None, "started_at": None, "pages": 0, "seen": 0, "drifted": 0, "asked_ms": 0, "worked_ms": 0,
        "failures": 0, "error": {}, "lease_token": None,
    }  # fmt: skip
    Comparison.objects.update_or_create(connection=connection, defaults=fresh | {"due_at": timezone.now()})
    pump.kick(LANE)


def work() -> int:
    """Go on with one due comparison; returns 1, or 0 when none is due."""
    claim: list[Any] = [uuid4(), LEASE]
    with transaction.atomic(), database.cursor() as cursor:
        cursor.execute(_CLAIM, claim)
        row = cursor.fetchone()
    if not row:
        return 0
    state = Comparison.objects.select_related("connection").get(pk=row[0])
    if state.connection.state != ConnectionState.ACTIVE or Capability.LIST_LEVELS not in state.connection.capabilities:
        _mine(state).update(due_at=None, lease_token=None)
        return 1
    try:
        _go_on(state)
    except HubError as error:
        _failed(state, error)
    return 1


def _go_on(state: Comparison) -> None:
    began, connector = time.monotonic(), state.connection.connector()
    state.started_at = state.started_at or timezone.now()
    while True:
        asked = time.monotonic()
        connector.http.deadline = asked + DEADLINE
        page = connector.list_levels(state.token)
        worked = time.monotonic()
        state.asked_ms += round((worked - asked) * 1000)
        _take(state, [report for delivery in page.deliveries for report in connector.parse(delivery)])
        state.worked_ms += round((time.monotonic() - worked) * 1000)
        state.pages, state.token = state.pages + 1, page.token
        if page.token is None:
            _conclude(state)
            return
        _keep(state)
        if time.monotonic() - began > SPELL:
            _mine(state).update(lease_token=None, due_at=Now())
            return


@transaction.atomic
def _take(state: Comparison, reports: Sequence[Report]) -> None:
    """One page in one transaction; a page taken twice changes nothing the second time."""
    for report in reports:
        state.seen += len(report.levels) if isinstance(report, StockReport) else 0
        state.drifted += _compare(state.connection, report)


def _compare(connection: Connection, report: Report) -> int:
    if isinstance(report, LocationReport):
        places.reported(connection, report, None)
    elif isinstance(report, StockReport) and connection.role == Role.SHOP:
        drifted = drifts.stated(connection, read(connection, report), Seen.COMPARISON)
        levels.report(connection, report, None)
        return drifted
    elif isinstance(report, StockReport):
        levels.report(connection, report, None)
    return 0


def _progress(state: Comparison) -> dict[str, Any]:
    names = ("started_at", "token", "pages", "seen", "drifted", "asked_ms", "worked_ms")
    return {name: getattr(state, name) for name in names}


def _keep(state: Comparison) -> None:
    _mine(state).update(**_progress(state), failures=0, error={}, due_at=Now() + LEASE)


def _conclude(state: Comparison) -> None:
    last = {"pages": state.pages, "seen": state.seen, "drifted": state.drifted}
    last |= {"asked_ms": state.asked_ms, "worked_ms": state.worked_ms}
    fresh = _progress(state) | {"token": None, "due_at": None, "lease_token": None, "failures": 0, "error": {}}
    _mine(state).update(**fresh, finished_at=Now(), last=last)
    push.start()


def _failed(state: Comparison, error: HubError) -> None:
    """Tried again a few times, then with the next night; that the system is away is the polls' case, not ours."""
    told, given_up = error.text.as_json(), state.failures + 1 >= MOST_TRIES or not isinstance(error, RetryLater)
    wait = (error.after if isinstance(error, RetryLater) else None) or tries.backoff(state.failures + 4)
    _mine(state).update(
        **_progress(state),
        lease_token=None,
        due_at=None if given_up else Now() + wait,
        error=told,
        failures=F("failures") + 1,
    )


def _mine(state: Comparison) -> QuerySet[Comparison]:
    return Comparison.objects.filter(pk=state.pk, lease_token=state.lease_token)
