"""What runs through the hub, read from the figures kept by the hour: per connection and process, and over time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django.db.models import Sum
from django.urls import reverse
from django.utils import formats, timezone
from django.utils.translation import gettext_lazy as _

from integration_hub.backoffice.spread import Spread
from integration_hub.backoffice.words import term
from integration_hub.models import Connection, Figure
from integration_hub.models.figure import Span

from .charts import Chart, Slot, bars, times
from .rollup import HOUR, MARK

DELAY = "delay"
TRAFFIC = ("in", "out", "tries", DELAY)
BAD, SOME = Decimal("0.1"), Decimal("0.01")  # shares of errors
PERIODS: Mapping[str, tuple[Any, Span, int]] = {
    "day": (_("Day"), Span.HOUR, 24),
    "week": (_("Week"), Span.HOUR, 7 * 24),
    "month": (_("Month"), Span.DAY, 31),
}


@dataclass
class Line:
    """One process of one connection in the last 24 hours: how many, how many errors of how many tries, how long."""

    connection: Connection
    process: str
    incoming: bool
    number: int = 0
    this_hour: int = 0
    tries: int = 0
    errors: int = 0
    spread: Spread = field(default_factory=Spread)
    whole_way: bool = False

    @property
    def error_rate(self) -> Decimal | None:
        return Decimal(self.errors) / self.tries if self.tries else None

    @property
    def tone(self) -> str:
        rate = self.error_rate or 0
        return "bad" if rate > BAD else "warn" if rate > SOME else ""

    @property
    def label(self) -> str:
        return str(_("Process what came in")) if self.incoming else term(self.process)

    @property
    def url(self) -> str:
        query = {"connection": self.connection.pk} | ({} if self.incoming else {"verb": self.process})
        return f"{reverse('events' if self.incoming else 'commands')}?{urlencode(query)}"

    @property
    def code(self) -> str:
        return f"{self.connection.pk}-{self.process or 'in'}".replace(".", "-")


def lines(now: datetime | None = None) -> list[Line]:
    """Every process that moved something in the last 24 hours, by connection."""
    hour = _hour(now or timezone.now())
    rows = Figure.objects.filter(span=Span.HOUR, what__in=TRAFFIC, at__gt=hour - 24 * HOUR, connection__isnull=False)
    connections = {row.pk: row for row in Connection.objects.all()}
    found: dict[tuple[int, str], Line] = {}
    for row in rows.order_by("what", "at"):
        key = (row.connection_id or 0, "" if row.what == "in" else row.key)
        line = found.setdefault(key, Line(connections[key[0]], row.key, row.what == "in"))
        _add(line, row, now_hour=hour)
    return sorted(found.values(), key=lambda line: (line.connection.name, not line.incoming, line.label))


def _add(line: Line, row: Figure, *, now_hour: datetime) -> None:
    if row.what in ("in", "out"):
        line.number += row.number
        line.this_hour += row.number if row.at == now_hour else 0
    if row.what in ("in", "tries"):
        line.tries, line.errors = line.tries + row.number, line.errors + row.marked
    if row.what == DELAY and not line.whole_way:
        line.spread, line.whole_way = Spread(), True  # rows come by name: "delay" before "out", so this is all there is
    if row.what == DELAY or (row.what in ("in", "out") and not line.whole_way):
        line.spread.add(row.buckets, row.worst_ms)


def whole_way(now: datetime | None = None) -> Spread:
    """From an order's message to its sale in the ERP, over the last 24 hours and all connections."""
    since = _hour(now or timezone.now()) - 23 * HOUR
    found = Spread()
    for row in Figure.objects.filter(span=Span.HOUR, what=DELAY, at__gte=since):
        found.add(row.buckets, row.worst_ms)
    return found


@dataclass(frozen=True)
class Rates:
    """Of the last two hours: how many messages and commands were worked, and how many tries went wrong."""

    worked: int
    tries: int
    errors: int

    @property
    def error_rate(self) -> Decimal | None:
        return Decimal(self.errors) / self.tries if self.tries else None


def rates(now: datetime | None = None) -> Rates:
    """This hour and the one before."""
    since = _hour(now or timezone.now()) - HOUR
    rows = Figure.objects.filter(span=Span.HOUR, what__in=("in", "out", "tries"), at__gte=since)
    sums: dict[str, Any] = {
        row["what"]: row for row in rows.values("what").annotate(n=Sum("number"), bad=Sum("marked"))
    }
    worked = sum(sums[what]["n"] for what in ("in", "out") if what in sums)
    tried = [sums[what] for what in ("in", "tries") if what in sums]
    return Rates(worked, sum(row["n"] for row in tried), sum(row["bad"] for row in tried))


def counted_at() -> datetime | None:
    """When the hours were last counted; None before the first time."""
    return Figure.objects.filter(span=Span.HOUR, what=MARK).order_by("-at").values_list("counted_at", flat=True).first()


def _hour(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)


def charts(period: str, now: datetime | None = None) -> list[Chart]:
    """Orders, messages with their errors, and the way to the ERP over a day, a week or a month."""
    _label, span, count = PERIODS[period]
    begins = _begins(span, count, now or timezone.now())
    rows = Figure.objects.filter(span=span, at__gte=begins[0], what__in=("orders", "in", "out", "tries", DELAY))
    by_slot: dict[tuple[str, datetime], list[Figure]] = {}
    for row in (
        rows.filter(what__in=("orders", "in", "out", "tries"))
        .values("what", "at")
        .annotate(n=Sum("number"), bad=Sum("marked"))
    ):
        by_slot[row["what"], row["at"]] = [Figure(number=row["n"], marked=row["bad"])]
    for figure in rows.filter(what=DELAY):
        by_slot.setdefault((DELAY, figure.at), []).append(figure)
    labels = {at: _label_of(at, span) for at in begins}  # said once, shown in four charts
    return [
        bars("orders", _("Orders placed"), [_counted(at, labels[at], by_slot, ("orders",)) for at in begins]),
        bars(
            "worked",
            _("Messages and commands worked"),
            [_counted(at, labels[at], by_slot, ("in", "out")) for at in begins],
        ),
        bars(
            "tries",
            _("Messages and tries, and those that went wrong"),
            [_counted(at, labels[at], by_slot, ("in", "tries")) for at in begins],
            _("went wrong"),
        ),
        times(
            "delay",
            _("From the order's message to the ERP"),
            [_measured(at, labels[at], by_slot.get((DELAY, at), [])) for at in begins],
        ),
    ]


def _begins(span: Span, count: int, now: datetime) -> list[datetime]:
    if span == Span.HOUR:
        return [_hour(now) - HOUR * back for back in range(count - 1, -1, -1)]
    today = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
    days = [today.replace(tzinfo=None) - timedelta(days=back) for back in range(count - 1, -1, -1)]
    return [timezone.make_aware(day) for day in days]


def _label_of(at: datetime, span: Span) -> str:
    local = timezone.localtime(at)
    return formats.date_format(local, "SHORT_DATETIME_FORMAT" if span == Span.HOUR else "SHORT_DATE_FORMAT")


def _counted(
    at: datetime, label: str, by_slot: Mapping[tuple[str, datetime], Sequence[Figure]], whats: Iterable[str]
) -> Slot:
    rows = [row for what in whats for row in by_slot.get((what, at), ())]
    return Slot(at, sum(row.number for row in rows), sum(row.marked for row in rows), label=label)


def _measured(at: datetime, label: str, rows: Sequence[Figure]) -> Slot:
    spread = Spread()
    for row in rows:
        spread.add(row.buckets, row.worst_ms)
    return Slot(at, spread.number, p50=spread.p50, p95=spread.p95, worst=spread.worst_ms, label=label)
