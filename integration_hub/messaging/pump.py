"""What keeps the queue moving: kicks over django-q2, and pumps that work until nothing is due.

django-q2 only wakes: its task carries the name of a lane and nothing else.  A lost kick costs a second (the watchdog looks
for due rows), a doubled one nothing (claims are leases).
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connection as database
from django.db import transaction
from django_q.tasks import async_task
from redis import RedisError

from . import claims, stop

logger = logging.getLogger(__name__)

REALTIME = ("in", "out", "stock", "jobs")
BATCH = (
    "alerts",
    "bulk_in",
    "bulk_out",
    "poll",
    "catchup",
    "duty",
    "completeness",
    "stocktake",
    "ledger",
    "export",
    "books",
)
LANES = REALTIME + BATCH
CLUSTERS = {"hub": REALTIME, "batch": BATCH}  # of django-q2: what is new never waits behind a backfill
LONGEST_RUN = 20.0
_EVENT_PATIENCE = 40.0  # seconds an event may take beyond a run; then its worker gives it up, which counts as a crash
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
    transaction.on_commit(lambda: send_kick(lane))


def kick_all() -> None:
    """Wake every lane."""
    for lane in LANES:
        kick(lane)


def send_kick(lane: str) -> None:
    """Hand the kick to the lane's cluster.  What carries it may be away: the rows are safe, and the watchdog kicks again."""
    spare = _EVENT_PATIENCE if lane.endswith("in") else settings.HUB_COMMAND_LEASE
    task = "integration_hub.messaging.tasks.pump"
    try:
        async_task(task, lane, cluster=cluster_of(lane), timeout=int(LONGEST_RUN + spare))
    except (DatabaseError, RedisError, OSError) as error:
        logger.warning("no kick for %s: %s", lane, type(error).__name__)


def cluster_of(lane: str) -> str:
    """The django-q2 cluster whose workers work this lane."""
    return "hub" if lane in REALTIME else "batch"


def run(lane: str, *, longest: float = LONGEST_RUN) -> int:
    """Work this lane until it is empty or the time is over; returns how many rows moved."""
    moved, until = 0, time.monotonic() + longest
    while time.monotonic() < until and not stop.asked():
        batch = _workers[lane]()
        moved += batch
        if not batch:
            break
    beat(lane)
    return moved


_TOGETHER = {"in": ("in", "bulk_in"), "out": ("out", "bulk_out")}


def drain(*, longest: float = 600.0, lanes: tuple[str, ...] = ("in", "out")) -> int:
    """Work all lanes until nothing is due; for tests, cron-only installs and the demo's building."""
    moved, until = 0, time.monotonic() + longest
    lanes = tuple(dict.fromkeys(one for lane in lanes for one in _TOGETHER.get(lane, (lane,))))
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


_EVENTS_DUE = """SELECT EXISTS (SELECT 1 FROM integration_hub_inboundevent
    WHERE state = 'DUE' AND {lane} AND due_at <= statement_timestamp())
  OR EXISTS (SELECT 1 FROM integration_hub_inboundevent
    WHERE state = 'LEASED' AND {lane} AND due_at <= statement_timestamp())"""
_COMMANDS_DUE = f"""SELECT EXISTS (SELECT 1 FROM integration_hub_connection c WHERE {claims.ALLOWED} AND (
    EXISTS (SELECT 1 FROM integration_hub_outboundcommand q
      WHERE q.connection_id = c.id AND q.state = 'DUE' AND {{lane}} AND q.due_at <= statement_timestamp())
    OR EXISTS (SELECT 1 FROM integration_hub_outboundcommand q
      WHERE q.connection_id = c.id AND q.state = 'LEASED' AND {{lane}} AND q.due_at <= statement_timestamp())))
  OR EXISTS (SELECT 1 FROM integration_hub_breaker b WHERE {claims.ON_TRIAL} AND EXISTS (
    SELECT 1 FROM integration_hub_outboundcommand q WHERE q.connection_id = b.connection_id AND q.state = 'DUE'))"""
_POLL_DUE = f"""SELECT EXISTS (SELECT 1 FROM integration_hub_pollstate p
  JOIN integration_hub_connection c ON c.id = p.connection_id AND c.state = 'ACTIVE'
  LEFT JOIN integration_hub_breaker b ON b.connection_id = c.id
  WHERE p.due_at <= statement_timestamp() AND (b IS NULL OR {claims.IN_USE} OR {claims.ON_TRIAL}))"""
_DUE = {
    "in": _EVENTS_DUE.format(lane="NOT bulk"),
    "bulk_in": _EVENTS_DUE.format(lane="bulk"),
    "out": _COMMANDS_DUE.format(lane="NOT q.bulk"),
    "bulk_out": _COMMANDS_DUE.format(lane="q.bulk"),
    "poll": _POLL_DUE,
    "catchup": "SELECT EXISTS (SELECT 1 FROM integration_hub_processswitch WHERE enabled AND catch_up_after IS NOT NULL)",
    "duty": "SELECT EXISTS (SELECT 1 FROM integration_hub_duty WHERE due_at <= statement_timestamp())",
    "stock": "SELECT EXISTS (SELECT 1 FROM inventory_stocklevel WHERE moved)",
    "stocktake": "SELECT EXISTS (SELECT 1 FROM inventory_comparison WHERE due_at <= statement_timestamp())",
    "ledger": "SELECT EXISTS (SELECT 1 FROM accounting_booking WHERE state = 'DUE' AND due_at <= statement_timestamp())",
    "export": "SELECT EXISTS (SELECT 1 FROM accounting_export WHERE due_at <= statement_timestamp())",
    "alerts": """SELECT EXISTS (SELECT 1 FROM integration_hub_alertdelivery
    WHERE state IN ('DUE', 'LEASED') AND due_at <= statement_timestamp())""",
    "jobs": """SELECT EXISTS (SELECT 1 FROM exceptions_jobrow
        WHERE state = 'WAITING' AND due_at <= statement_timestamp())
      OR EXISTS (SELECT 1 FROM exceptions_rule r JOIN exceptions_exceptioncase c ON c.kind = r.kind
        WHERE r.enabled AND c.state = 'OPEN' AND NOT c.rules_tried)""",
    "books": "SELECT EXISTS (SELECT 1 FROM accounting_due WHERE due_at <= statement_timestamp() AND failures = 0)",
    "completeness": "SELECT EXISTS (SELECT 1 FROM orders_daytally WHERE due_at <= statement_timestamp())",
}


def is_due(lane: str) -> bool:
    """Whether a row of this lane waits for work."""
    with database.cursor() as cursor:
        cursor.execute(_DUE[lane])
        row = cursor.fetchone()
    return bool(row and row[0])
