"""Working time: when something is due that has so many working hours.  Plain arithmetic, no database.

Lengths are counted in real time (UTC), so a working day with a change of the clocks is an hour shorter or longer.  Source of
public holidays: the package holidays (github.com/vacanza/holidays).
"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, tzinfo

DAY = timedelta(days=1)
FARTHEST = 3660  # days; nobody is off for ten years


@dataclass(frozen=True, kw_only=True)
class WorkTime:
    """``days`` are ISO weekdays (1 is Monday); ``off`` holds public holidays; times are those of ``zone``."""

    zone: tzinfo
    days: frozenset[int]
    opens: time
    closes: time
    off: Container[date] = field(default=frozenset())

    def works_on(self, day: date) -> bool:
        return day.isoweekday() in self.days and day not in self.off

    def after(self, start: datetime, length: timedelta) -> datetime:
        """When this much working time has passed since ``start``: whole days as working days, the rest in hours."""
        days, rest = divmod(length, DAY)
        at = self._first_moment(start)
        for _day in range(days):
            at = self._same_time(self._next_day(at.astimezone(self.zone).date()), at)
        return self._hours(at, rest)

    def _hours(self, at: datetime, rest: timedelta) -> datetime:
        for _turn in range(FARTHEST):
            closes = self._closing(at.astimezone(self.zone).date())
            if rest <= closes - at:
                return at + rest
            rest -= closes - at
            at = self._opening(self._next_day(at.astimezone(self.zone).date()))
        raise ValueError("nobody ever works")

    def _first_moment(self, start: datetime) -> datetime:
        """``start`` itself if people work then, else the moment they begin again."""
        day = start.astimezone(self.zone).date()
        if not self.works_on(day) or start >= self._closing(day):
            return self._opening(self._next_day(day))
        return max(start.astimezone(UTC), self._opening(day))

    def _next_day(self, day: date) -> date:
        for _turn in range(FARTHEST):
            day += DAY
            if self.works_on(day):
                return day
        raise ValueError("nobody ever works")

    def _same_time(self, day: date, at: datetime) -> datetime:
        return self._moment(day, at.astimezone(self.zone).time().replace(fold=0))

    def _opening(self, day: date) -> datetime:
        return self._moment(day, self.opens)

    def _closing(self, day: date) -> datetime:
        return self._moment(day, self.closes)

    def _moment(self, day: date, at: time) -> datetime:
        return datetime.combine(day, at, tzinfo=self.zone).astimezone(UTC)
