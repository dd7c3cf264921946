"""The completeness check: day by day, whether shop, hub and ERP hold the same orders with the same sums.

Each day of each shop is a row that is due at night and on demand.  A worker lists a part, keeps how far it came and goes on;
only a whole list is compared.  What may still be on its way is not judged.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any
from uuid import uuid4

from django.db import connection as database
from django.db import transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from integration_hub.kernel.errors import HubError, RetryLater
from integration_hub.kernel.states import Capability, Role
from integration_hub.kernel.text import Text, say
from integration_hub.messaging import pump, tries
from integration_hub.models import Connection
from integration_hub.models.connection import ConnectionState, Mode

from . import differences, sides
from .tally import DayTally

LANE = "completeness"
LEASE = timedelta(minutes=3)
SPELL = 10.0  # seconds of listing before a worker keeps what it has and lets others have a turn
DEADLINE = 20.0  # seconds for one answer; with spell and ERP below the 60 after which django-q2 kills a worker
NIGHTLY_DAYS = 3
MOST_DAYS = 62
MOST_TRIES = 6

_CLAIM = """
UPDATE orders_daytally SET lease_token = %s, due_at = statement_timestamp() + %s WHERE id = (
  SELECT id FROM orders_daytally WHERE due_at <= statement_timestamp()
  ORDER BY due_at, id LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING id
"""


def shops() -> list[Connection]:
    """The connections whose orders can be compared."""
    rows = Connection.objects.filter(role=Role.SHOP).order_by("name", "pk")
    return [shop for shop in rows if Capability.LIST_ORDERS in shop.capabilities]


def compare(days: int, *, of: Connection | None = None, today: bool = False) -> int:
    """Let the last so many days be compared, today too if wanted; returns how many comparisons that is."""
    this_day = timezone.localdate()
    wanted = [this_day - timedelta(days=back) for back in range(0 if today else 1, min(max(days, 1), MOST_DAYS) + 1)]
    chosen = [shop for shop in shops() if of is None or shop.pk == of.pk]
    rows = [DayTally(connection=shop, day=day) for shop in chosen for day in wanted]
    DayTally.objects.bulk_create(rows, ignore_conflicts=True)
    found = DayTally.objects.filter(connection__in=chosen, day__in=wanted)
    again(list(found.values_list("pk", flat=True)))
    return len(rows)


def again(ids: list[int], *, after: timedelta = timedelta(0)) -> None:
    """Let these days be compared (again), from the first page on."""
    fresh: dict[str, Any] = {"lease_token": None, "token": None, "until": None, "listed": [], "failures": 0}
    DayTally.objects.filter(pk__in=ids).update(due_at=Now() + after, **fresh)
    if not after:
        pump.kick(LANE)


def nightly() -> dict[str, Any]:
    """The last days, and whatever still differs from before."""
    started = compare(NIGHTLY_DAYS)
    open_days = DayTally.objects.filter(differing__gt=0, due_at=None).values_list("pk", flat=True)
    again(list(open_days[:500]))
    return {"days": started}


def follow_up() -> dict[str, Any]:
    """Look again at days whose differences have gone meanwhile, so that their cases close soon."""
    ids = differences.overtaken()
    again(ids)
    return {"days": len(ids)}


def work() -> int:
    """Go on with one due day; returns 1, or 0 when none is due."""
    claim: list[Any] = [uuid4(), LEASE]
    with transaction.atomic(), database.cursor() as cursor:
        cursor.execute(_CLAIM, claim)
        row = cursor.fetchone()
    if not row:
        return 0
    tally = DayTally.objects.select_related("connection").get(pk=row[0])
    if tally.connection.state != ConnectionState.ACTIVE:
        _rest(tally, say("Not compared: the connection is not in use."))
        return 1
    try:
        _go_on(tally)
    except HubError as error:
        _failed(tally, error)
    return 1


def span(day: date) -> tuple[datetime, datetime]:
    """From midnight to midnight in the merchant's time zone."""
    start = timezone.make_aware(datetime.combine(day, datetime.min.time()))
    return start, timezone.make_aware(datetime.combine(day + timedelta(days=1), datetime.min.time()))


def _go_on(tally: DayTally) -> None:
    """List on for a while; compare when the list is whole."""
    started = time.monotonic()
    for whole in _pages(tally):
        if whole:
            _conclude(tally)
            return
        if time.monotonic() - started > SPELL:
            break
    _keep(tally)


def _pages(tally: DayTally) -> Iterator[bool]:
    """After each page, whether it was the last one."""
    connector = tally.connection.connector()
    (start, end), live = span(tally.day), tally.connection.mode == Mode.LIVE
    tally.until = tally.until or min(end, timezone.now())
    while True:
        connector.http.deadline = time.monotonic() + DEADLINE
        page = connector.list_orders(start, tally.until, tally.token)
        tally.listed += [sides.plain(row) for row in page.rows if not (row.test and live)]
        tally.token = page.token
        yield page.token is None


def _keep(tally: DayTally) -> None:
    _mine(tally).update(
        lease_token=None, due_at=Now(), token=tally.token, until=tally.until, listed=tally.listed, failures=0
    )


def _conclude(tally: DayTally) -> None:
    start, _end = span(tally.day)
    seen, note = sides.look(tally, start)
    with transaction.atomic():
        if _mine(tally).select_for_update().first() is None:
            return  # another worker has taken this day over
        differing = differences.keep(tally, seen)
        _mine(tally).update(
            **_over(note),
            checked_at=Now(),
            figures=sides.figures(seen),
            differing=differing,
            error={},
            failures=0,
        )


def _over(note: Text | None) -> dict[str, Any]:
    """The row is no longer due, and keeps no list."""
    done: dict[str, Any] = {"lease_token": None, "due_at": None, "token": None, "until": None, "listed": []}
    return {**done, "note": note.as_json() if note else {}}


def _rest(tally: DayTally, note: Text) -> None:
    _mine(tally).update(**_over(note))


def _failed(tally: DayTally, error: HubError) -> None:
    """Tried again a few times, then with the next night; that the system is away is the polls' case, not ours."""
    told = error.text.as_json()
    if tally.failures + 1 >= MOST_TRIES or not isinstance(error, RetryLater):
        _mine(tally).update(**_over(None), error=told, failures=F("failures") + 1)
        return
    wait = error.after or tries.backoff(tally.failures + 4)
    _mine(tally).update(
        lease_token=None,
        due_at=Now() + wait,
        token=tally.token,
        until=tally.until,
        listed=tally.listed,
        error=told,
        failures=F("failures") + 1,
    )


def _mine(tally: DayTally) -> QuerySet[DayTally]:
    return DayTally.objects.filter(pk=tally.pk, lease_token=tally.lease_token)
