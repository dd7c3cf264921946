"""Which rows a batch holds: the postings of one month that no earlier batch of it holds, in one order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Max

from ..events import ExportState
from ..models import Entry, Export, HeldBack
from .extf import first_day, last_day

FROM = "accounting_entry e JOIN accounting_posting p ON p.entry_id = e.id AND p.side = 'HEAD'"


@dataclass(frozen=True)
class Scope:
    """The rows of a month after one entry up to another, with some taken up from before and some left out."""

    year: int
    month: int
    after: int
    upto: int
    taken_up: Sequence[int] = ()
    left_out: Sequence[int] = ()
    number: int = 1

    def where(self) -> str:
        """The condition, over ``e`` and ``p``."""
        since = "(e.id > %(after)s OR e.id = ANY(%(taken_up)s))" if self.taken_up else "e.id > %(after)s"
        out = " AND e.id <> ALL(%(left_out)s)" if self.left_out else ""
        return f"e.booked_on BETWEEN %(first)s AND %(last)s AND {since} AND e.id <= %(upto)s{out}"

    def params(self) -> dict[str, Any]:
        return {
            "first": first_day(self.year, self.month),
            "last": last_day(self.year, self.month),
            "after": self.after,
            "upto": self.upto,
            "taken_up": list(self.taken_up),
            "left_out": list(self.left_out),
        }


def latest(year: int, month: int) -> Export | None:
    """The last batch of a month, whatever became of it."""
    return Export.objects.filter(year=year, month=month).order_by("-number").first()


def upcoming(year: int, month: int) -> Scope:
    """What the next batch of a month would hold now."""
    last = latest(year, month)
    newest = Entry.objects.aggregate(last=Max("pk"))["last"] or 0
    if last is None:
        return Scope(year, month, 0, newest)
    held = HeldBack.objects.filter(export=last).values_list("entry_id", flat=True)
    return Scope(year, month, last.upto, newest, taken_up=tuple(held), number=last.number + 1)


def of_export(export: Export) -> Scope:
    """What a batch holds, once and for all."""
    out = HeldBack.objects.filter(export=export).values_list("entry_id", flat=True)
    before = Export.objects.filter(
        year=export.year, month=export.month, number=export.number - 1, state=ExportState.READY
    )
    held = HeldBack.objects.filter(export__in=before).values_list("entry_id", flat=True)
    return Scope(
        export.year,
        export.month,
        export.after,
        export.upto,
        taken_up=tuple(held),
        left_out=tuple(out),
        number=export.number,
    )
