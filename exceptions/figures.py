"""How well exceptions are dealt with, by kind: to detect, to look, to solve, by themselves, again.

Read from the figures kept by the day (``Figure``), so it costs the same however many cases there were.

- to detect: from the message that brought the trouble to the case; kinds that no message brings have none
- to look: from the case to the first person who opened it
- to solve: from the case to its end, whoever ended it
- by themselves: of the closed ones, those that nobody closed
- again: of the opened ones, those whose trouble had been closed within the 30 days before
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal

from django.utils import timezone

from integration_hub.backoffice.spread import Spread
from integration_hub.models import Figure
from integration_hub.models.figure import Span

from .kinds import known

DAYS = 30
OPENED, LOOKED, CLOSED = "opened", "looked", "closed"


@dataclass
class Dealt:
    """One kind (or all together) over some days."""

    kind: str
    opened: int = 0
    again: int = 0
    looked: int = 0
    closed: int = 0
    by_themselves: int = 0
    detect: Spread = field(default_factory=Spread)
    look: Spread = field(default_factory=Spread)
    solve: Spread = field(default_factory=Spread)

    @property
    def title(self) -> str:
        return str(known(self.kind).title) % _Gaps() if self.kind else ""

    @property
    def share_by_themselves(self) -> Decimal | None:
        return Decimal(self.by_themselves) / self.closed if self.closed else None

    @property
    def share_again(self) -> Decimal | None:
        return Decimal(self.again) / self.opened if self.opened else None

    @property
    def steps(self) -> Sequence[tuple[str, Spread]]:
        return (("detect", self.detect), ("look", self.look), ("solve", self.solve))

    def add(self, row: Figure) -> None:
        """Put a stored figure on top."""
        if row.what == OPENED:
            self.opened, self.again = self.opened + row.number, self.again + row.marked
            self.detect.add(row.buckets, row.worst_ms)
        elif row.what == LOOKED:
            self.looked += row.number
            self.look.add(row.buckets, row.worst_ms)
        else:
            self.closed, self.by_themselves = self.closed + row.number, self.by_themselves + row.marked
            self.solve.add(row.buckets, row.worst_ms)


class _Gaps(dict[str, str]):
    def __missing__(self, _name: str) -> str:
        return "…"


def dealt(days: int = DAYS) -> tuple[Dealt, list[Dealt]]:
    """All kinds together, and each kind by how many were opened, over so many days and today."""
    since = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=days)
    rows = Figure.objects.filter(span=Span.DAY, what__in=(OPENED, LOOKED, CLOSED), at__gte=since)
    total, by_kind = Dealt(""), dict[str, Dealt]()
    for row in rows:
        total.add(row)
        by_kind.setdefault(row.key, Dealt(row.key)).add(row)
    return total, sorted(by_kind.values(), key=lambda one: (-one.opened, one.kind))
