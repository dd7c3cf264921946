"""Charts as SVG without a script: bars and lines over time, with the numbers as a table for those who cannot see them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

WIDTH, HEIGHT = 640.0, 120.0


@dataclass(frozen=True)
class Slot:
    """One hour or day: when it begins, how many, how many of them stand out; percentiles in milliseconds."""

    at: datetime
    number: int = 0
    marked: int = 0
    p50: int | None = None
    p95: int | None = None
    worst: int | None = None
    label: str = ""


@dataclass(frozen=True)
class Bar:
    """A bar from the bottom up, with the part of it that stands out."""

    slot: Slot
    x: float
    width: float
    y: float
    height: float
    marked_y: float
    marked_height: float


@dataclass(frozen=True)
class Line:
    """An unbroken piece of a line as SVG points; ``second`` is drawn dashed."""

    points: str
    second: bool


@dataclass(frozen=True)
class Chart:
    """What the template draws and says.  ``kind`` is ``bars`` or ``times``."""

    code: str
    title: Any
    kind: str
    slots: Sequence[Slot]
    top: int
    bars: Sequence[Bar] = ()
    lines: Sequence[Line] = ()
    marked: Any = ""

    @property
    def empty(self) -> bool:
        return self.top == 0

    @property
    def number(self) -> int:
        return sum(slot.number for slot in self.slots)


def bars(code: str, title: Any, slots: Sequence[Slot], marked: Any = "") -> Chart:
    """A bar per slot; ``marked`` says what the part that stands out is called."""
    top, step = max((slot.number for slot in slots), default=0), WIDTH / max(len(slots), 1)
    drawn = [_bar(slot, place * step, step, top) for place, slot in enumerate(slots) if slot.number]
    return Chart(code, title, "bars", slots, top, bars=drawn, marked=marked)


def _bar(slot: Slot, x: float, step: float, top: int) -> Bar:
    height, marked = HEIGHT * slot.number / top, HEIGHT * slot.marked / top
    return Bar(slot, x + step * 0.1, step * 0.8, HEIGHT - height, height, HEIGHT - marked, marked)


def times(code: str, title: Any, slots: Sequence[Slot]) -> Chart:
    """Median and 95th percentile over time; where nothing was measured the lines are broken."""
    top, step = max((slot.p95 or 0 for slot in slots), default=0), WIDTH / max(len(slots), 1)
    drawn = [
        Line(points, second=name == "p95")
        for name in ("p95", "p50")
        for points in _pieces([getattr(slot, name) for slot in slots], step, top)
    ]
    return Chart(code, title, "times", slots, top, lines=drawn)


def _pieces(values: Sequence[int | None], step: float, top: int) -> list[str]:
    pieces: list[list[str]] = [[]]
    for place, value in enumerate(values):
        if value is None:
            pieces.append([])
        else:
            y, x = HEIGHT * (1 - value / max(top, 1)), place * step
            pieces[-1] += [f"{x + step * 0.1:.1f},{y:.1f}", f"{x + step * 0.9:.1f},{y:.1f}"]
    return [" ".join(piece) for piece in pieces if piece]
