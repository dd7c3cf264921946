"""What the watchdog looks at: due rows, leases and heartbeats; it kicks what waits and says when nothing moves."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db import connection as database
from django_q.brokers import get_broker
from redis import RedisError

from . import pump

KICK_EVERY = 1.0
MOST_KICKS = 8

_HELD = {
    "hub": """SELECT EXISTS (SELECT 1 FROM integration_hub_inboundevent
    WHERE state = 'LEASED' AND NOT bulk AND due_at > statement_timestamp())
  OR EXISTS (SELECT 1 FROM integration_hub_outboundcommand
    WHERE state = 'LEASED' AND NOT bulk AND due_at > statement_timestamp())""",
    "batch": """SELECT EXISTS (SELECT 1 FROM integration_hub_inboundevent
    WHERE state = 'LEASED' AND bulk AND due_at > statement_timestamp())
  OR EXISTS (SELECT 1 FROM integration_hub_outboundcommand
    WHERE state = 'LEASED' AND bulk AND due_at > statement_timestamp())
  OR EXISTS (SELECT 1 FROM integration_hub_pollstate WHERE lease_token IS NOT NULL AND due_at > statement_timestamp())
  OR EXISTS (SELECT 1 FROM integration_hub_duty WHERE lease_token IS NOT NULL AND due_at > statement_timestamp())""",
}
_BEAT = "SELECT extract(epoch FROM max(at)) FROM integration_hub_heartbeat WHERE lane = ANY(%s)"


@dataclass
class _Seen:
    """What was seen last of a cluster, on this process's own clock."""

    beat: float = 0.0
    moved_at: float = field(default_factory=time.monotonic)


_seen = {cluster: _Seen() for cluster in pump.CLUSTERS}
_kicked_at: dict[str, float] = {}


def started(cluster: str) -> None:
    """A new cluster gets its full patience."""
    _seen[cluster].moved_at = time.monotonic()


def look(cluster: str, patience: float) -> bool:
    """Kick due lanes; True when work is due, nobody holds a lease and no lane has moved for ``patience`` seconds."""
    lanes, seen = pump.CLUSTERS[cluster], _seen[cluster]
    due = kick_due(lanes)
    beat, held = float(str(_scalar(_BEAT, list(lanes)) or 0)), bool(_scalar(_HELD[cluster]))
    if not due or held or beat != seen.beat:
        seen.beat, seen.moved_at = beat, time.monotonic()
        return False
    return time.monotonic() - seen.moved_at > patience


def kick_due(lanes: Iterable[str] = pump.LANES) -> list[str]:
    """Kick the lanes where work is due; returns them."""
    due = [lane for lane in lanes if pump.is_due(lane)]
    for lane in due:
        _kick(lane)
    return due


def _scalar(sql: str, *values: list[str]) -> object:
    with database.cursor() as cursor:
        cursor.execute(sql, values or None)
        row = cursor.fetchone()
    return row[0] if row else None


def _kick(lane: str) -> None:
    now = time.monotonic()
    if now - _kicked_at.get(lane, 0.0) >= KICK_EVERY and _waiting(lane) < MOST_KICKS:
        _kicked_at[lane] = now
        pump.send_kick(lane)


def _waiting(lane: str) -> int:
    """How many kicks wait for the cluster of this lane; none where what carries them does not answer."""
    try:
        return int(get_broker(pump.cluster_of(lane)).queue_size())
    except (RedisError, OSError):
        return 0
