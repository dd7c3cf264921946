"""The circuit breaker of a connection: fed by what sends and polls end with, honoured where work is claimed.

Closed: everything goes.  Enough failures in the window open it: nothing is claimed, so no attempt is burnt.  After the
cooldown one piece of work at a time is let through (half open); some successes in a row close it, a failure opens it again
for twice as long.  Only silence and faults count; a refusal is an answer, and "slow down" makes the connection rest.
"""

from __future__ import annotations

import time
from collections import Counter
from datetime import datetime, timedelta

from django.conf import settings
from django.db import models, transaction
from django.db.models import ExpressionWrapper
from django.db.models.functions import Greatest, Now

from integration_hub.kernel.errors import HubError, Misconfigured, RetryLater
from integration_hub.models import Breaker, Connection, OutboundCommand, PollState
from integration_hub.models.breaker import BreakerState
from integration_hub.models.outbound import CommandState

from . import pump

FAILURES = frozenset({"no_answer", "their_fault", "deadline", "not_an_api"})
SLOW_DOWN = "slow_down"
REST = timedelta(seconds=10)  # where the system does not say how long
SLICES = 5  # the window moves on by a fifth of itself
FLUSH_EVERY = 1.0  # seconds that successes are counted in this process before they are written down

_well: Counter[int] = Counter()
_flushed_at: dict[int, float] = {}


def of(connection: Connection) -> Breaker | None:
    """The breaker of a connection as it was loaded; None where there never was trouble."""
    return getattr(connection, "breaker", None)


def is_closed(connection: Connection) -> bool:
    breaker = of(connection)
    return breaker is None or breaker.state == BreakerState.CLOSED


def ended(connection: Connection, error: HubError | None = None, *, times: int = 1) -> None:
    """A send or a poll is over (or so many went the same way): count it.  Call outside the transaction that settles the work."""
    if isinstance(error, RetryLater) and error.code in FAILURES:
        _failed(connection, error)
    elif error is None or (not isinstance(error, RetryLater | Misconfigured) and error.code != "defect"):
        _went_well(connection, times)
    elif not is_closed(connection):
        Breaker.objects.filter(connection=connection, state=BreakerState.HALF_OPEN).update(probe_at=Now())
    if isinstance(error, RetryLater):
        _rest(connection, error)


def is_trouble(error: BaseException | None) -> bool:
    """Whether the next command to this connection would meet the same: silence, faults, "slow down", wrong credentials."""
    slow = isinstance(error, RetryLater) and (error.code in FAILURES or error.code == SLOW_DOWN)
    return slow or isinstance(error, Misconfigured)


def _rest(connection: Connection, error: RetryLater) -> None:
    """The system told us when to come again: that holds for everything we want of it."""
    told = error.after if error.code in FAILURES else error.after or REST
    if told is None or not (error.code == SLOW_DOWN or error.code in FAILURES):
        return
    Breaker.objects.get_or_create(connection=connection)
    Breaker.objects.filter(connection=connection).update(rest_until=Greatest("rest_until", Now() + told))


def _went_well(connection: Connection, times: int) -> None:
    pk = connection.pk
    _well[pk] += times
    now = time.monotonic()
    if not is_closed(connection) or now - _flushed_at.get(pk, 0.0) >= FLUSH_EVERY:
        _flushed_at[pk] = now
        with transaction.atomic():
            _after_success(*_locked(connection))


def _failed(connection: Connection, error: RetryLater) -> None:
    with transaction.atomic():
        breaker, now = _locked(connection)
        _count(breaker, now, failed=1)
        if breaker.state == BreakerState.HALF_OPEN:
            _open(breaker, now, error, cooldown=breaker.cooldown * 2)
        elif breaker.state == BreakerState.CLOSED and _is_too_much(breaker):
            breaker.opened_at = now
            _open(breaker, now, error, cooldown=int(settings.HUB_BREAKER_COOLDOWN))
        breaker.save()


def _locked(connection: Connection) -> tuple[Breaker, datetime]:
    """The row, ours until the transaction ends, and the database's time."""
    Breaker.objects.get_or_create(connection=connection)
    clock = ExpressionWrapper(Now(), output_field=models.DateTimeField())
    row = Breaker.objects.select_for_update().annotate(clock=clock).get(connection=connection)
    return row, row.clock


def _after_success(breaker: Breaker, now: datetime) -> None:
    _count(breaker, now, failed=0)
    if breaker.state == BreakerState.HALF_OPEN:
        breaker.successes += 1
        breaker.probe_at = now
        if breaker.successes >= settings.HUB_BREAKER_SUCCESSES:
            _close(breaker)
    breaker.save()


def _count(breaker: Breaker, now: datetime, *, failed: int) -> None:
    """Add what this process has seen to the slice of time that is now; slices older than the window fall out."""
    width = settings.HUB_BREAKER_WINDOW / SLICES
    current = int(now.timestamp() // width)
    kept = {name: pair for name, pair in breaker.window.items() if int(name) > current - SLICES}
    well, badly = kept.get(str(current), [0, 0])
    kept[str(current)] = [well + _well.pop(breaker.pk, 0), badly + failed]
    breaker.window = kept


def _is_too_much(breaker: Breaker) -> bool:
    well = sum(pair[0] for pair in breaker.window.values())
    badly = sum(pair[1] for pair in breaker.window.values())
    share = 100 * badly / (well + badly)
    return bool(badly >= settings.HUB_BREAKER_FAILURES and share >= settings.HUB_BREAKER_PERCENT)


def _open(breaker: Breaker, now: datetime, error: RetryLater, *, cooldown: int) -> None:
    breaker.state = BreakerState.OPEN
    breaker.cooldown = min(cooldown, int(settings.HUB_BREAKER_LONGEST))
    breaker.probe_at = now + timedelta(seconds=breaker.cooldown)
    breaker.successes = 0
    breaker.reason = error.text.as_json()


def _close(breaker: Breaker) -> None:
    """All is well again: what waited for its own next try need not wait any longer, but for what may be under way there."""
    breaker.state = BreakerState.CLOSED
    breaker.opened_at = breaker.probe_at = None
    breaker.cooldown = breaker.successes = 0
    breaker.reason, breaker.window = {}, {}
    waiting = OutboundCommand.objects.filter(connection=breaker.connection_id, state=CommandState.DUE)
    waiting.filter(maybe_sent=False, due_at__gt=Now()).update(due_at=Now())
    PollState.objects.filter(connection=breaker.connection_id, lease_token=None, failures__gt=0).update(due_at=Now())
    pump.kick_all()


def try_now(connection: Connection) -> bool:
    """Let the next piece of work through without waiting for the cooldown; False where nothing is interrupted."""
    open_ones = Breaker.objects.filter(connection=connection, state=BreakerState.OPEN)
    changed = open_ones.update(probe_at=Now(), rest_until=None)
    pump.kick_all()
    return bool(changed)


def open_for_long(connection: Connection) -> bool:
    """Interrupted for so long that people are told."""
    since = Now() - timedelta(seconds=settings.HUB_BREAKER_CASE_AFTER)
    rows = Breaker.objects.filter(connection=connection, opened_at__lte=since)
    return rows.exclude(state=BreakerState.CLOSED).exists()
