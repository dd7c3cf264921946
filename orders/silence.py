"""The silence alarm: a shop from which nothing comes although at this time of the week much usually does.

Method: the hours since the last order are laid over the same hours of the four weeks before (shifted by whole weeks, so
nights and Sundays compare with nights and Sundays).  What usually comes in that span is the median of the four counts, so
neither a sale nor a holiday among them misleads.  If orders come independently of each other, a silence in which *n* are
expected has the probability e^-n; the alarm is given when *n* reaches ln(orders of a year * HUB_SILENCE_YEARS), which is one
false alarm per shop in so many years.  A shop that does not bring that many orders in a week is never alarmed about.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import Any

from babel.dates import format_timedelta
from django.conf import settings
from django.db import connection as database
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from exceptions import services as cases
from exceptions.kinds import Kind
from exceptions.models import ExceptionCase
from exceptions.services import Trouble
from integration_hub.kernel.states import Role
from integration_hub.kernel.text import say
from integration_hub.messaging import polling, pump
from integration_hub.models import Connection, Duty
from integration_hub.models.connection import ConnectionState, Mode

KIND = "silent_connection"
DUTY = "silence"
WEEK = timedelta(days=7)
WEEKS = 4
HOURS = 7 * 24

_LAST = "SELECT max(placed_at) FROM orders_order WHERE channel_id = %(shop)s AND placed_at <= %(now)s"
# by week before and by hour after the moment that corresponds to the last order
_USUAL = """
SELECT week, floor(extract(epoch FROM o.placed_at - (%(last)s - week * interval '7 days')) / 3600)::int AS hour, count(*)
FROM generate_series(1, %(weeks)s) week
JOIN orders_order o ON o.channel_id = %(shop)s AND o.placed_at > %(last)s - week * interval '7 days'
  AND o.placed_at <= %(last)s - (week - 1) * interval '7 days'
GROUP BY 1, 2
"""


@dataclass(frozen=True)
class Silence:
    """How long a shop has been silent, and when that becomes remarkable; ``alarm_at`` is None where it never does."""

    last: datetime
    hours: int
    usual: int
    gap: timedelta | None
    alarm_at: datetime | None

    def alarmed(self, now: datetime) -> bool:
        return self.alarm_at is not None and now >= self.alarm_at

    def as_json(self) -> dict[str, Any]:
        return {
            "last": self.last.isoformat(),
            "gap": self.gap.total_seconds() if self.gap else None,
            "alarm_at": self.alarm_at.isoformat() if self.alarm_at else None,
        }


def of(shop: Connection, now: datetime) -> Silence | None:
    """The present silence of a shop; None where it has no orders yet."""
    with database.cursor() as cursor:
        cursor.execute(_LAST, {"shop": shop.pk, "now": now})
        last = cursor.fetchone()[0]
        if last is None:
            return None
        cursor.execute(_USUAL, {"shop": shop.pk, "last": last, "weeks": WEEKS})
        return judge(last, now, cursor.fetchall())


def judge(last: datetime, now: datetime, counted: Sequence[tuple[int, int, int]]) -> Silence:
    """The silence since ``last``, from (week, hour after the corresponding moment, orders)."""
    weeks = [[0] * HOURS for _week in range(WEEKS)]
    for week, hour, orders in counted:
        weeks[week - 1][min(max(hour, 0), HOURS - 1)] += orders
    total = sum(map(sum, weeks))
    hours = int((now - last).total_seconds() // 3600)
    usual = int(median(sum(week[: max(hours, 0)]) for week in weeks))
    gap = WEEKS * WEEK / total if total else None
    return Silence(last, hours, usual, gap, _alarm_at(last, weeks, total))


def _alarm_at(last: datetime, weeks: Sequence[Sequence[int]], total: int) -> datetime | None:
    """The end of the hour in which the silence becomes too improbable; None if it never does within a week."""
    if not total:
        return None
    enough = math.log(max(total / WEEKS * 52 * settings.HUB_SILENCE_YEARS, math.e))
    passed = [0] * WEEKS
    for hour in range(HOURS):
        passed = [before + week[hour] for before, week in zip(passed, weeks, strict=True)]
        if median(passed) >= enough:
            return last + timedelta(hours=hour + 1)
    return None


def look() -> dict[str, Any]:
    """Open and close the alarms of all live shops in use; returns what the connections' pages show."""
    now, seen = timezone.now(), {}
    for shop in Connection.objects.filter(role=Role.SHOP).order_by("pk"):
        silence = of(shop, now)
        watched = shop.state == ConnectionState.ACTIVE and shop.mode == Mode.LIVE
        if silence and watched and silence.alarmed(now):
            _alarm(shop, silence)
        else:
            cases.clear(shop, causes=[_cause(shop)])
        if silence:
            seen[str(shop.pk)] = silence.as_json() | ({} if watched else {"alarm_at": None})
    return {"shops": seen}


def seen(shop: Connection) -> dict[str, Any] | None:
    """What the last look found: last order, usual gap, when the alarm is due; None before the first look."""
    duty = Duty.objects.filter(name=DUTY).first()
    found = (duty.last_result.get("shops") or {}).get(str(shop.pk)) if duty else None
    if not found:
        return None
    alarm_at = found["alarm_at"]
    return {
        "last": datetime.fromisoformat(found["last"]),
        "gap": timedelta(seconds=found["gap"]) if found["gap"] else None,
        "usual": format_timedelta(timedelta(seconds=found["gap"] or 0), locale=get_language() or "de"),
        "alarm_at": datetime.fromisoformat(alarm_at) if alarm_at else None,
    }


def _cause(shop: Connection) -> str:
    return f"silence:{shop.pk}"


def _alarm(shop: Connection, silence: Silence) -> None:
    cases.open_case(
        Trouble(
            kind=KIND,
            cause=_cause(shop),
            params={"connection": shop.name, "hours": silence.hours, "usual": silence.usual},
            expected=say("About %(usual)s orders in these hours, as in the last four weeks", usual=silence.usual),
            found=say("None since %(last)s", last=silence.last),
            data={"last": silence.last.isoformat()},
        ),
        shop,
        connection=shop,
    )


def rerun(case: ExceptionCase) -> int:
    """Poll the shop now and look again."""
    if case.connection is None:
        return 0
    polling.poll_now(case.connection)
    pump.kick("poll")
    return 1


KINDS = (
    Kind(
        code=KIND,
        title=_("No order from %(connection)s for %(hours)s hours, usually %(usual)s"),
        explanation=_(
            "At this time of the week orders usually come. Either nothing is sold, for example because the checkout or a payment method is broken, or orders do not reach the hub."
        ),
        blocks=_("Possibly every new order of this shop"),
        role="integrator",
        due=timedelta(hours=1),
        rerun=rerun,
        help=_("Place a test order in the shop. The exception closes itself with the next order."),
    ),
)
