"""A chart of a level over time, as an SVG without a script: on hand and reserved, stepwise, from the ledger backwards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.utils import timezone

from .models import StockLevel, StockMovement, Variant

DAYS = 90
MOST = 2000
WIDTH, HEIGHT = 640.0, 120.0


@dataclass(frozen=True)
class Point:
    """Sums over all locations from this moment on."""

    at: datetime
    on_hand: Decimal
    reserved: Decimal


@dataclass(frozen=True)
class Chart:
    """What the template draws: two lines as SVG points, the scale, and the numbers for those who cannot see it."""

    on_hand: str
    reserved: str
    top: Decimal
    bottom: Decimal
    zero: float
    since: datetime
    points: Sequence[Point]


def of(variant: Variant) -> Chart | None:
    """The last 90 days (at most 2,000 movements); None for an article without a level."""
    levels = list(StockLevel.objects.filter(variant=variant))
    if not levels:
        return None
    now = timezone.now()
    since = now - timedelta(days=DAYS)
    rows = list(StockMovement.objects.filter(variant=variant, at__gte=since).order_by("-pk")[:MOST])
    points = _points(levels, rows, now, since)
    return _drawn(points, now)


def _points(levels: Sequence[StockLevel], rows: Sequence[StockMovement], now: datetime, since: datetime) -> list[Point]:
    on_hand = sum((level.on_hand for level in levels), Decimal(0))
    reserved = sum((level.reserved for level in levels), Decimal(0))
    found = [Point(now, on_hand, reserved)]
    for row in rows:
        found.append(Point(row.at, on_hand, reserved))
        on_hand, reserved = on_hand - row.quantity, reserved - row.reserved
    whole = len(rows) < MOST and (on_hand or reserved)
    found.append(Point(since if whole or not rows else rows[-1].at, on_hand, reserved))
    return found[::-1]


def _drawn(points: Sequence[Point], now: datetime) -> Chart:
    figures = [figure for point in points for figure in (point.on_hand, point.reserved)]
    top, bottom = max(*figures, Decimal(1)), min(*figures, Decimal(0))
    first = points[0].at
    span = max((now - first).total_seconds(), 1.0)

    def x(at: datetime) -> float:
        return WIDTH * (at - first).total_seconds() / span

    def y(figure: Decimal) -> float:
        return HEIGHT * float((top - figure) / (top - bottom))

    def line(name: str) -> str:
        steps: list[str] = []
        height: float | None = None
        for point in points:
            below = y(getattr(point, name))
            steps += [f"{x(point.at):.1f},{below if height is None else height:.1f}", f"{x(point.at):.1f},{below:.1f}"]
            height = below
        return " ".join(steps)

    return Chart(line("on_hand"), line("reserved"), top, bottom, y(Decimal(0)), first, points)
