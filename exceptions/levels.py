"""When a case is due: severity by the amount at risk, hours by kind and severity, counted in its team's working time."""

from __future__ import annotations

from collections.abc import Container
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone

from integration_hub.models import Duty

from .kinds import Kind, kind_of, known
from .models import ExceptionCase, ServiceLevel, Severity, WorkCalendar, limits_of
from .models.levels import Limits
from .worktime import WorkTime

DUTY = "due_times"
BATCH = 1000


class Book:
    """All settings read once, for as many cases as one likes."""

    def __init__(self) -> None:
        self._levels = {(row.kind, row.severity): row for row in ServiceLevel.objects.all()}
        self._calendars = {row.role: row for row in WorkCalendar.objects.all()}
        self._limits: dict[str, Limits] = {}
        self._times: dict[str, WorkTime] = {}

    def severity(self, kind: Kind, amount: Any, currency: str) -> Severity:
        """The severer of what the kind is by itself and what the amount makes it."""
        if currency not in self._limits:
            self._limits[currency] = limits_of(currency)
        return max(kind.severity, self._limits[currency].severity(amount))

    def due(self, kind: Kind, severity: Severity, role: str, since: datetime) -> datetime:
        """When a case of this kind and severity, first seen ``since``, is to be solved."""
        keys = ((kind.code, severity), (kind.code, None), ("", severity), ("", None))
        level = next((self._levels[key] for key in keys if key in self._levels), None)
        length = timedelta(hours=float(level.hours)) if level else kind.due
        if level.around_the_clock if level else kind.around_the_clock:
            return since + length
        return self.work_time(role).after(since, length)

    def work_time(self, role: str) -> WorkTime:
        """When this team works; with the country's holidays."""
        if role not in self._times:
            row = self._calendars.get(role) or self._calendars.get("") or _fresh()
            self._times[role] = _work_time(row)
        return self._times[role]


def _fresh() -> WorkCalendar:
    """What holds before anybody has set working hours: the model's defaults."""
    return WorkCalendar(opens=time(8), closes=time(17))


def _work_time(row: WorkCalendar) -> WorkTime:
    return WorkTime(
        zone=timezone.get_default_timezone(),
        days=frozenset(int(day) for day in row.days),
        opens=row.opens,
        closes=row.closes,
        off=_holidays(row.country, row.state),
    )


def _holidays(country: str, state: str) -> Container[date]:
    """Public holidays; the library works out years as they are asked for."""
    import holidays  # noqa: PLC0415  7 MB that only who reckons due times needs

    off: Container[date] = holidays.country_holidays(country, subdiv=state or None)
    return off


def due_of(kind: str, role: str, *, since: datetime | None = None) -> datetime:
    """When a new case of this kind is due, before its amount is known."""
    declared = kind_of(kind)
    return Book().due(declared, declared.severity, role, since or timezone.now())


def weigh(case: ExceptionCase, book: Book | None = None) -> bool:
    """Bring severity and due time in line with amount and settings; whether anything changed.  Does not save."""
    book, kind = book or Book(), known(case.kind)
    severity = book.severity(kind, case.amount, case.currency)
    due = case.due_at if case.due_fixed else book.due(kind, severity, case.role, case.first_seen_at)
    changed = (severity, due) != (case.severity, case.due_at)
    case.severity, case.due_at = severity, due
    return changed


def settings_changed() -> None:
    """Have all open cases weighed again, soon and in the background."""
    Duty.objects.filter(name=DUTY).update(due_at=Now())


def weigh_all() -> dict[str, int]:
    """Weigh every open case again after settings changed; safe to run twice.  Cases that move meanwhile weigh themselves."""
    book, moved, last = Book(), 0, 0
    while True:
        seen, changed = _weigh_batch(book, last)
        if not seen:
            return {"cases": moved}
        moved, last = moved + changed, seen


@transaction.atomic
def _weigh_batch(book: Book, last: int) -> tuple[int, int]:
    """The next cases by id: the last of them (0: none left), and how many changed."""
    open_ones = ExceptionCase.objects.open().filter(pk__gt=last).select_for_update(of=("self",))
    rows = list(open_ones.order_by("pk")[:BATCH])
    changed = [case for case in rows if weigh(case, book)]
    ExceptionCase.objects.bulk_update(changed, ["severity", "due_at"])
    return rows[-1].pk if rows else 0, len(changed)
