"""The month-end cockpit: every point of a month, computed live, and the rows behind each."""

from __future__ import annotations

import calendar
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import connection as database
from django.utils import timezone

from ..events import PeriodState
from ..models import Period
from .points import POINTS, Point

SHOWN = 100


@dataclass(frozen=True)
class Month:
    """A month of the books in the merchant's time zone."""

    year: int
    month: int

    @property
    def first(self) -> date:
        return date(self.year, self.month, 1)

    @property
    def last(self) -> date:
        return date(self.year, self.month, calendar.monthrange(self.year, self.month)[1])

    @property
    def is_over(self) -> bool:
        return timezone.localdate() > self.last

    def params(self) -> dict[str, Any]:
        start, end = moments(self.first, self.last)
        return {
            "first": self.first,
            "last": self.last,
            "start": start,
            "end": end,
            "year": self.year,
            "month": self.month,
            "books": settings.HUB_BOOK_CURRENCY,
        }


def moments(first: date, last: date) -> tuple[datetime, datetime]:
    """When the first day begins and the last one is over, in the merchant's time zone."""
    start, end = (timezone.make_aware(datetime.combine(day, time())) for day in (first, last + timedelta(days=1)))
    return start, end


@dataclass(frozen=True)
class Line:
    """A point as it stands: how many rows are open with which sums, of how many looked at (None: not counted)."""

    point: Point
    count: int
    sums: Sequence[tuple[str, Decimal]]
    whole: int | None

    @property
    def is_good(self) -> bool:
        return self.count == 0

    def as_json(self) -> dict[str, Any]:
        sums = {currency: str(amount) for currency, amount in self.sums}
        return {"code": self.point.code, "open": self.count, "sums": sums, "of": self.whole}


@dataclass(frozen=True)
class Row:
    """One row behind a point: ``what`` names its page."""

    what: str
    pk: int
    label: str
    amount: Decimal
    currency: str


def lines(month: Month) -> list[Line]:
    """Every point; a fixed number of statements, whatever the month holds."""
    return [_line(point, month.params()) for point in POINTS]


def _line(point: Point, params: Mapping[str, Any]) -> Line:
    summed = (
        "SELECT r.currency, count(*), coalesce(sum(abs(r.amount)), 0) FROM "
        f"({point.sql}) AS r (what, pk, label, amount, currency) GROUP BY r.currency ORDER BY r.currency"
    )
    with database.cursor() as cursor:
        cursor.execute(summed, dict(params))
        found = cursor.fetchall()
        whole = None
        if point.whole:
            cursor.execute(point.whole, dict(params))
            whole = int(cursor.fetchone()[0])
    sums = [(row[0], row[2]) for row in found if row[2]]
    return Line(point, sum(row[1] for row in found), sums, whole)


def rows(month: Month, point: Point, after: int = 0) -> list[Row]:
    """The rows behind a point by id, the first hundred after ``after`` and one more where there are more."""
    paged = (
        f"SELECT r.* FROM ({point.sql}) AS r (what, pk, label, amount, currency) "
        f"WHERE r.pk > %(after)s ORDER BY r.pk, r.label LIMIT {SHOWN + 1}"
    )
    with database.cursor() as cursor:
        cursor.execute(paged, month.params() | {"after": after})
        return [Row(*row) for row in cursor.fetchall()]


def point_of(code: str) -> Point | None:
    """The point of this code."""
    return next((point for point in POINTS if point.code == code), None)


def before(day: date) -> Month:
    """The month before the one of this day."""
    last = day.replace(day=1) - timedelta(days=1)
    return Month(last.year, last.month)


def status() -> dict[str, Any]:
    """How the last month that is over stands, for the start page of finance."""
    month = before(timezone.localdate())
    locked = Period.objects.filter(year=month.year, month=month.month, state=PeriodState.LOCKED).exists()
    still = [] if locked else [line for line in lines(month) if not line.is_good]
    return {"month": month, "locked": locked, "open": still}
