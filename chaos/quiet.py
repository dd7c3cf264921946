"""Whether the hub has come to rest, and for how long it had something to do."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.db import DatabaseError, close_old_connections, connection
from django.utils import timezone

from integration_hub.messaging import polling
from integration_hub.models import Attempt, Connection, InboundEvent, OutboundCommand, PollState
from integration_hub.models.inbound import UNFINISHED
from orders.models import Order

from .ledgers import moving_commands
from .outside import Outside

STEP = 0.3
IDLE_TRANSACTIONS = """SELECT coalesce(max(extract(epoch FROM statement_timestamp() - state_change)), 0) FROM pg_stat_activity
  WHERE datname = current_database() AND state LIKE 'idle in transaction%%' AND pid <> pg_backend_pid()"""


@dataclass(frozen=True)
class Rest:
    """``seconds`` until nothing moved any more; ``reached`` is False when the patience ran out."""

    reached: bool
    seconds: float


def poll_everything() -> bool:
    """Make every stream due; False while the database is away."""
    try:
        for found in Connection.objects.all():
            polling.poll_now(found)
    except DatabaseError:
        forget_connection()
        return False
    return True


def is_behind() -> bool:
    """Whether commands wait; True while the database is away."""
    try:
        return moving_commands().exists()
    except DatabaseError:
        forget_connection()
        return True


def longest_idle_transaction() -> float:
    """Seconds that a transaction has been waiting for its client; 0 while the database is away."""
    try:
        with connection.cursor() as cursor:
            cursor.execute(IDLE_TRANSACTIONS)
            row = cursor.fetchone()
    except DatabaseError:
        forget_connection()
        return 0.0
    return float(row[0]) if row else 0.0


def forget_connection() -> None:
    """The next query opens a new session."""
    connection.close()
    close_old_connections()


def wait(outside: Outside, tend: Callable[[], None], patience: float) -> Rest:
    """Poll everything and wait until two rounds of it change nothing."""
    began = changed = time.monotonic()
    before: tuple[int, ...] = ()
    while time.monotonic() - began < patience:
        asked_at = timezone.now()
        poll_everything()
        while not _done(outside, asked_at):
            tend()
            time.sleep(STEP)
            if time.monotonic() - began >= patience:
                return Rest(False, time.monotonic() - began)
        now = _fingerprint()
        if now == before and not outside.look("pulse")["open_parcels"]:
            return Rest(True, changed - began)
        changed = time.monotonic() if now != before else changed
        before = now
    return Rest(False, time.monotonic() - began)


def _done(outside: Outside, asked_at: datetime) -> bool:
    """Nothing under way there, nothing to do here, and every stream polled since it was asked for."""
    if outside.look("pulse")["pending"]:
        return False
    try:
        busy = (
            InboundEvent.objects.filter(state__in=UNFINISHED),
            moving_commands(),
            PollState.objects.exclude(last_ok_at__gte=asked_at, token=None, lease_token=None),
        )
        return not any(rows.exists() for rows in busy)
    except DatabaseError:
        forget_connection()
        return False


def _fingerprint() -> tuple[int, ...]:
    models = (InboundEvent, OutboundCommand, Attempt, Order)
    return tuple(model._default_manager.count() for model in models)
