"""A shop that falls silent is noticed; a quiet night, a small shop and a shop that rests are not."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from exceptions.models import ExceptionCase
from integration_hub.models import Connection, Duty
from orders import silence
from orders.models import Order
from tests.spine import open_kinds

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 18, 16, 0, tzinfo=UTC)  # a Wednesday
HOUR = timedelta(hours=1)


def sell(shop: Connection, moments: list[datetime]) -> None:
    Order.objects.bulk_create(
        Order(
            channel=shop,
            external_id=f"{place}:{moment.timestamp()}",
            number=str(place),
            placed_at=moment,
            source_updated_at=moment,
            stage="READY",
            state="RECORDED",
            currency="EUR",
            prices_include_tax=True,
            total=1,
            total_tax=0,
            digest="x",
        )
        for place, moment in enumerate(moments)
    )


def daily(first: int, last: int, per_hour: int, until: datetime, days: int = 35) -> list[datetime]:
    """So many orders an hour from the ``first`` to before the ``last`` hour of each day, up to a moment."""
    midnight = NOW.replace(hour=0)
    step = HOUR / per_hour
    return [
        moment
        for back in range(days)
        for hour in range(first, last)
        for part in range(per_hour)
        if (moment := midnight - timedelta(days=back) + hour * HOUR + part * step) < until
    ]


@pytest.fixture
def live(shop: Connection, monkeypatch: pytest.MonkeyPatch) -> Callable[[datetime], None]:
    """``live(now)`` looks at the live shop at this moment."""
    Connection.objects.filter(pk=shop.pk).update(mode="LIVE")
    clock = [NOW]
    monkeypatch.setattr(timezone, "now", lambda: clock[0])

    def look(now: datetime) -> None:
        clock[0] = now
        Duty.objects.filter(name="silence").update(last_result=silence.look())

    return look


def test_silence_in_busy_hours_is_a_case_and_ends_with_the_next_order(
    shop: Connection, live: Callable[[datetime], None]
) -> None:
    sell(shop, daily(6, 22, 3, NOW - 6 * HOUR))
    live(NOW)
    case = ExceptionCase.objects.get()
    assert (case.kind, case.connection_id, case.role) == ("silent_connection", shop.pk, "integrator")
    assert (case.params["hours"], case.params["usual"]) == (6, 17)
    sell(shop, [NOW - timedelta(minutes=1)])
    live(NOW + timedelta(minutes=4))
    assert open_kinds() == set()


def test_a_quiet_night_is_no_alarm(shop: Connection, live: Callable[[datetime], None]) -> None:
    sell(shop, daily(8, 20, 10, NOW))
    night = NOW.replace(hour=20) + 11 * HOUR
    sell(shop, [NOW + part * HOUR / 10 for part in range(40)])
    live(night)
    assert open_kinds() == set()


def test_a_closed_sunday_is_no_alarm(shop: Connection, live: Callable[[datetime], None]) -> None:
    sell(shop, [moment for moment in daily(8, 20, 10, NOW, 40) if moment.weekday() != 6])
    sunday = NOW + timedelta(days=4)
    worked = [NOW + day * 24 * HOUR + part * HOUR / 10 for day in range(4) for part in range(-80, 40)]
    sell(shop, [moment for moment in worked if moment >= NOW and moment.weekday() != 6])
    live(sunday)
    assert open_kinds() == set()


def test_small_shops_never_alarm_by_noise(shop: Connection, live: Callable[[datetime], None]) -> None:
    """Two years of a shop with about two orders a day, looked at every hour: chance alone raises no alarm."""
    chance = random.Random(7)
    moment, moments = NOW - timedelta(days=730), []
    while moment < NOW:
        moment += timedelta(days=chance.expovariate(2.0))
        moments.append(moment)
    alarms = 0
    for place, last in enumerate(moments[60:], 60):
        gap_ends = moments[place + 1] if place + 1 < len(moments) else last
        counted: dict[tuple[int, int], int] = {}
        for earlier in moments[max(0, place - 150) : place + 1]:
            for week in range(1, 5):
                hour = (earlier - (last - week * silence.WEEK)) // HOUR
                if 0 <= hour < silence.HOURS:
                    counted[week, hour] = counted.get((week, hour), 0) + 1
        found = silence.judge(last, gap_ends, [(week, hour, n) for (week, hour), n in counted.items()])
        alarms += found.alarmed(gap_ends)
    assert alarms == 0


def test_one_wild_week_does_not_make_the_usual(shop: Connection, live: Callable[[datetime], None]) -> None:
    wild = [NOW - timedelta(days=7) - 3 * HOUR + timedelta(seconds=part) for part in range(400)]
    sell(shop, [*daily(8, 20, 1, NOW - 4 * HOUR), *wild])
    live(NOW)
    assert open_kinds() == set()


def test_a_shop_that_was_busy_for_days_only_is_not_known_yet(
    shop: Connection, live: Callable[[datetime], None]
) -> None:
    sell(shop, daily(6, 22, 3, NOW - 6 * HOUR, days=6))
    live(NOW)
    assert open_kinds() == set()


@pytest.mark.parametrize("change", [{"mode": "TEST"}, {"state": "PAUSED"}])
def test_test_shops_and_paused_shops_may_be_silent(
    shop: Connection, live: Callable[[datetime], None], change: dict[str, str]
) -> None:
    sell(shop, daily(6, 22, 3, NOW - 6 * HOUR))
    live(NOW)
    assert open_kinds() == {"silent_connection"}
    Connection.objects.update(**change)
    live(NOW)
    assert open_kinds() == set()


def test_the_page_is_told_when_the_alarm_is_due(shop: Connection, live: Callable[[datetime], None]) -> None:
    sell(shop, daily(6, 22, 3, NOW - HOUR))
    live(NOW)
    seen = silence.seen(shop)
    assert seen is not None
    assert NOW < seen["alarm_at"] < NOW + 6 * HOUR
    assert timedelta(minutes=25) < seen["gap"] < timedelta(minutes=35)
    assert NOW - HOUR - timedelta(minutes=20) == seen["last"]


def test_a_shop_without_orders_is_nothing_to_look_at(shop: Connection, live: Callable[[datetime], None]) -> None:
    live(NOW)
    assert (silence.seen(shop), open_kinds()) == (None, set())
