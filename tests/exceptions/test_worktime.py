"""Working time: property tests against counting minute by minute, and the cases people ask about."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import holidays
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exceptions.worktime import WorkTime

BERLIN = ZoneInfo("Europe/Berlin")
BAVARIA = holidays.country_holidays("DE", subdiv="BY")
MINUTE = timedelta(minutes=1)


def work(**changes: object) -> WorkTime:
    given_: dict[str, object] = {
        "zone": BERLIN,
        "days": frozenset({1, 2, 3, 4, 5}),
        "opens": time(8),
        "closes": time(17),
        "off": BAVARIA,
    }
    return WorkTime(**given_ | changes)  # type: ignore[arg-type]


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN)


@pytest.mark.parametrize(
    ("start", "hours", "due"),
    [
        ("2026-11-25 10:00", 4, "2026-11-25 14:00"),  # within a Wednesday
        ("2026-11-25 15:00", 4, "2026-11-26 10:00"),  # over night
        ("2026-11-27 16:00", 4, "2026-11-30 11:00"),  # over a weekend
        ("2026-11-28 12:00", 1, "2026-11-30 09:00"),  # begins on a Saturday
        ("2026-11-25 06:00", 1, "2026-11-25 09:00"),  # before work
        ("2026-11-25 17:00", 1, "2026-11-26 09:00"),  # as people leave
        ("2026-11-25 16:00", 1, "2026-11-25 17:00"),  # done just as people leave
        ("2026-12-23 16:00", 4, "2026-12-24 11:00"),  # the 24th is no public holiday
        ("2026-12-24 16:00", 4, "2026-12-28 11:00"),  # the 25th is, and then a weekend
        ("2026-01-05 16:00", 2, "2026-01-07 09:00"),  # Epiphany, in Bavaria
        ("2026-11-25 10:00", 24, "2026-11-26 10:00"),  # a working day later
        ("2026-11-27 10:00", 24, "2026-11-30 10:00"),
        ("2026-11-28 10:00", 24, "2026-12-01 08:00"),
        ("2026-11-27 15:00", 28, "2026-12-01 10:00"),  # a working day and four hours
        ("2026-03-27 10:00", 24, "2026-03-30 10:00"),  # the clocks change in between
    ],
)
def test_what_people_expect(start: str, hours: int, due: str) -> None:
    assert work().after(at(start), timedelta(hours=hours)) == at(due)


def test_each_state_has_its_own_holidays() -> None:
    epiphany = at("2026-01-06 08:00"), timedelta(hours=1)
    assert work().after(*epiphany) == at("2026-01-07 09:00")
    assert work(off=holidays.country_holidays("DE", subdiv="BE")).after(*epiphany) == at("2026-01-06 09:00")


def test_nobody_ever_works() -> None:
    with pytest.raises(ValueError, match="nobody"):
        work(days=frozenset()).after(at("2026-11-25 10:00"), timedelta(hours=1))


MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31)).map(
    lambda moment: moment.replace(second=0, microsecond=0, tzinfo=UTC)
)
WEEKS = st.sets(st.integers(1, 7), min_size=1).map(frozenset)
HOLIDAYS = st.sets(st.dates(date(2026, 1, 1), date(2027, 12, 31)), max_size=20).map(frozenset)


@st.composite
def works(draw: st.DrawFn) -> WorkTime:
    opens = draw(st.integers(0, 22))
    closes = draw(st.integers(opens + 1, 23))
    return work(days=draw(WEEKS), opens=time(opens), closes=time(closes), off=draw(HOLIDAYS))


def counted(works: WorkTime, start: datetime, end: datetime) -> int:
    """Minutes of working time between two moments, counted one by one."""
    found, moment = 0, start
    while moment < end:
        local = moment.astimezone(works.zone)
        found += works.works_on(local.date()) and works.opens <= local.time() < works.closes
        moment += MINUTE
    return found


@given(works(), MOMENTS, st.integers(1, 12 * 60))
def test_so_much_working_time_has_passed(works: WorkTime, start: datetime, minutes: int) -> None:
    due = works.after(start, timedelta(minutes=minutes))
    if due - start < timedelta(days=4):  # counting farther is slow and shows nothing new
        assert counted(works, start, due) == minutes
    assert works.works_on(due.astimezone(works.zone).date())


@given(works(), MOMENTS, MOMENTS, st.integers(0, 24 * 60))
def test_who_begins_later_is_never_due_earlier(works: WorkTime, one: datetime, other: datetime, minutes: int) -> None:
    first, second = sorted((one, other))
    length = timedelta(minutes=minutes)
    assert works.after(first, length) <= works.after(second, length)


@given(works(), MOMENTS, st.integers(0, 24 * 60 - 1), st.integers(0, 24 * 60 - 1))
def test_more_time_is_never_due_earlier(works: WorkTime, start: datetime, one: int, other: int) -> None:
    less, more = sorted((one, other))
    assert works.after(start, timedelta(minutes=less)) <= works.after(start, timedelta(minutes=more))
