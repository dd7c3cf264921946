"""Numbers without gaps: taken inside the issuing transaction under the lock of their series, so that a rollback gives them back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from django.db import transaction
from django.utils import timezone

from integration_hub.kernel.errors import NotNow
from integration_hub.kernel.text import say
from integration_hub.models import Connection
from integration_hub.models.access import User
from integration_hub.models.activity import note

from ..models import NumberRange, Series, VoidNumber


@dataclass
class Book:
    """A series that is locked for this transaction; ``take`` gives the next number, ``close`` writes it down."""

    series: Series

    def take(self) -> int:
        number = self.series.next
        self.series.next = number + 1
        return number

    def close(self) -> None:
        self.series.save(update_fields=["next", "head"])


def open_book(numbers: NumberRange, day: date) -> Book:
    """Lock the series of this range and day; whoever comes second waits until the first has committed or gone."""
    year = day.year if numbers.yearly else 0
    Series.objects.bulk_create([Series(range=numbers, year=year)], ignore_conflicts=True)
    return Book(Series.objects.select_for_update(of=("self",)).get(range=numbers, year=year))


def open_foreign_book(source: Connection) -> Book:
    """The series by which the documents of another system are chained here; their numbers are that system's."""
    Series.objects.bulk_create([Series(source=source)], ignore_conflicts=True)
    return Book(Series.objects.select_for_update(of=("self",)).get(source=source, year=0))


def written(numbers: NumberRange, day: date, number: int) -> str:
    """The number as it is printed."""
    return numbers.pattern.format(year=day.year, month=f"{day.month:02}", number=f"{number:0{numbers.digits}}")


@transaction.atomic
def void(numbers: NumberRange, *, upto: int, why: str, by: User, year: int | None = None) -> VoidNumber:
    """Skip all numbers up to this one and register them as voided: numbers given elsewhere, a series taken over.

    Raises NotNow where the series has come that far already.
    """
    day = date(year, 1, 1) if year else timezone.localdate()
    book = open_book(numbers, day)
    if upto < book.series.next:
        raise NotNow(say("Number %(number)s was given already.", number=upto), code="number_given")
    row = VoidNumber.objects.create(series=book.series, first=book.series.next, last=upto, why=why, by=by)
    book.series.next = upto + 1
    book.close()
    text = say("Numbers %(first)s to %(last)s voided", first=row.first, last=row.last)
    note(numbers, "accounting.voided", text, by=by, why=why)
    return row
