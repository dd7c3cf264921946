"""Correcting an entry by hand: it is reversed and posted again; both stay."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils import timezone

from integration_hub.kernel.errors import NotNow
from integration_hub.kernel.text import say
from integration_hub.models.access import User

from ..events import PeriodState
from ..models import Booking, Entry, Period, Posting
from . import entries


@dataclass(frozen=True)
class _Texts:
    belegfeld1: str
    text: str


def reword(entry: Entry, *, belegfeld1: str, text: str, by: User, why: str) -> Entry:
    """The same postings under other texts.  NotNow where the entry does not stand any more or its month is locked."""
    booking = Booking.objects.select_for_update().filter(entry=entry).first()
    if booking is None:
        raise NotNow(say("This entry was reversed, or reverses another one."))
    day = entry.booked_on
    if Period.objects.filter(year=day.year, month=day.month, state=PeriodState.LOCKED).exists():
        day = timezone.localdate()
    back = entries.reversal(entry, booked_on=day, why=why, by=by)
    made = _again(entry, _Texts(belegfeld1, text))
    made[0].booked_on, made[0].why, made[0].by = day, why[:300], by
    written = entries.write([back, made])[1]
    Booking.objects.filter(pk=booking.pk).update(entry=written)
    return written


def _again(entry: Entry, texts: _Texts) -> tuple[Entry, list[Posting]]:
    made, lines = entries.reversal(entry, booked_on=entry.booked_on)
    made.reverses, made.revision = None, entry.revision + 1
    made.belegfeld1, made.text = texts.belegfeld1, texts.text
    for line in lines:
        line.debit, line.credit = line.credit, line.debit
        line.text = texts.text
        line.belegfeld1 = texts.belegfeld1 if line.belegfeld1 else ""
    return made, list(lines)
