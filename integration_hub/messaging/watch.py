"""What the watchdog looks at: due rows, leases and heartbeats; it kicks what waits and says when nothing moves."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from django.db import connection as database
from django_q.brokers import get_broker
from django_q.tasks import async_task

from . import pump

KICK_EVERY = 1.0
MOST_KICKS = 8

_HELD = """SELECT EXISTS (SELECT 1 FROM integration_hub_inboundevent WHERE state = 'LEASED' AND due_at > statement_timestamp())
  OR EXISTS (SELECT 1 FROM integration_hub_outboundcommand WHERE state = 'LEASED' AND due_at > statement_timestamp())"""
_BEAT = "SELECT extract(epoch FROM max(at)) FROM integration_hub_heartbeat"


@dataclass
class _Seen:
    """What was seen last, on this process's own clock."""

    beat: float = 0.0
    moved_at: float = field(default_factory=time.monotonic)
    kicked_at: dict[str, float] = field(default_factory=dict)


_seen = _Seen()


def started() -> None:
    """A new cluster gets its full patience."""
    _seen.moved_at = time.monotonic()


def look(patience: float) -> bool:
    """Kick due lanes; True when work is due, nobody holds a lease and no lane has moved for ``patience`` seconds."""
    due = [lane for lane in pump.LANES if pump.is_due(lane)]
    for lane in due:
        _kick(lane)
    beat, held = float(str(_scalar(_BEAT) or 0)), bool(_scalar(_HELD))
    if not due or held or beat != _seen.beat:
        _seen.beat, _seen.moved_at = beat, time.monotonic()
        return False
    return time.monotonic() - _seen.moved_at > patience


def _scalar(sql: str) -> object:
    with database.cursor() as cursor:
        cursor.execute(sql)
        row = cursor.fetchone()
    return row[0] if row else None


def _kick(lane: str) -> None:
    now = time.monotonic()
    if now - _seen.kicked_at.get(lane, 0.0) >= KICK_EVERY and get_broker().queue_size() < MOST_KICKS:
        _seen.kicked_at[lane] = now
        async_task("integration_hub.messaging.tasks.pump", lane)
