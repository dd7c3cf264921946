"""What keeps the queue moving: kicks over django-q2, and pumps that work until nothing is due.

django-q2 only wakes: its task carries the name of a lane and nothing else.  A lost kick costs a second (the watchdog looks
for due rows), a doubled one nothing (claims are leases).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from django.db import connection as database
from django.db import transaction
from django_q.tasks import async_task

LANES = ("in", "out", "poll", "catchup")
LONGEST_RUN = 20.0
_KICK_EVERY = 0.25

_last_kick: dict[str, float] = {}
_lock = threading.Lock()
_workers: dict[str, Callable[[], int]] = {}


def register(lane: str, work: Callable[[], int]) -> None:
    """Set what works off a batch of this lane; it returns how many rows it moved."""
    _workers[lane] = work


def kick(lane: str) -> None:
    """Wake a worker, at most a few times a second per process; the watchdog covers what this leaves out."""
    with _lock:
        now = time.monotonic()
        if now - _last_kick.get(lane, 0.0) < _KICK_EVERY:
            return
        _last_kick[lane] = now
    transaction.on_commit(lambda: async_task("integration_hub.messaging.tasks.pump", lane))


def run(lane: str, *, longest: float = LONGEST_RUN) -> int:
    """Work this lane until it is empty or the time is over; returns how many rows moved."""
    moved, until = 0, time.monotonic() + longest
    while time.monotonic() < until:
        batch = _workers[lane]()
        moved += batch
        if not batch:
            break
    beat(lane)
    return moved


def drain(*, longest: float = 600.0, lanes: tuple[str, ...] = ("in", "out")) -> int:
    """Work all lanes until nothing is due; for tests, cron-only installs and the demo's building."""
    moved, until = 0, time.monotonic() + longest
    while time.monotonic() < until:
        batch = sum(run(lane, longest=until - time.monotonic()) for lane in lanes)
        moved += batch
        if not batch:
            break
    return moved


def beat(lane: str) -> None:
    """Write down that this lane was just worked; the watchdog and /readyz look at it."""
    with database.cursor() as cursor:
        cursor.execute(
            "INSERT INTO integration_hub_heartbeat (lane, at) VALUES (%s, statement_timestamp()) "
            "ON CONFLICT (lane) DO UPDATE SET at = excluded.at",
            [lane],
        )


_DUE = {
    "in": """SELECT EXISTS (SELECT 1 FROM integration_hub_inboundevent
             WHERE state IN ('DUE', 'LEASED') AND due_at <= statement_timestamp())""",
    "out": """SELECT EXISTS (SELECT 1 FROM integration_hub_outboundcommand
              WHERE state IN ('DUE', 'LEASED') AND due_at <= statement_timestamp())""",
    "poll": "SELECT EXISTS (SELECT 1 FROM integration_hub_pollstate WHERE due_at <= statement_timestamp())",
    "catchup": "SELECT EXISTS (SELECT 1 FROM integration_hub_processswitch WHERE enabled AND catch_up_after IS NOT NULL)",
}


def is_due(lane: str) -> bool:
    """Whether a row of this lane waits for work."""
    with database.cursor() as cursor:
        cursor.execute(_DUE[lane])
        row = cursor.fetchone()
    return bool(row and row[0])
