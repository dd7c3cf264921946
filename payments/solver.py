"""Which movements make up a payout that names none: the newest whole stretch of time, else a set that sums up to it.

Plain Python over whole coins.  Bounded in time and memory; what it finds is a proposal that a person confirms.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

MOST_ITEMS = 160
MOST_SUMS = 4_000_000  # the widest span of sums that is searched, in coins
LONGEST = 3.0  # seconds


@dataclass(frozen=True)
class Item:
    """A movement that may be part of it: its id and what it moved the balance by, in whole coins."""

    pk: int
    coins: int


@dataclass(frozen=True)
class Solution:
    """The ids that were found and what they leave unexplained, in coins; ``way`` says how they were found."""

    ids: tuple[int, ...]
    remainder: int
    way: str


def solve(items: Sequence[Item], target: int) -> Solution:
    """Items in the order they became available; the set with the smallest remainder that could be found.

    A payout made by hand mostly empties the balance, so a whole stretch of time goes before any other set.
    """
    stretch = _stretch(items, target)
    if stretch is not None:
        return Solution(tuple(item.pk for item in stretch), 0, "stretch")
    found, rest = _subset(items[-MOST_ITEMS:], target)
    return Solution(tuple(item.pk for item in found), rest, "set")


def _stretch(items: Sequence[Item], target: int) -> Sequence[Item] | None:
    """Consecutive items that make the target exactly; of several the longest from the beginning."""
    starts = {0: 0}
    total, best = 0, None
    for end, item in enumerate(items, start=1):
        total += item.coins
        start = starts.get(total - target)
        if start is not None and (best is None or end - start > best[1] - best[0]):
            best = (start, end)
        starts.setdefault(total, end)
    return items[best[0] : best[1]] if best else None


def _subset(items: Sequence[Item], target: int) -> tuple[list[Item], int]:
    """The set whose sum comes closest to the target from below: reachable sums as the bits of one number, item by item."""
    lowest = -sum(-item.coins for item in items if item.coins < 0)
    highest = sum(item.coins for item in items if item.coins > 0)
    if not items or highest - lowest > MOST_SUMS:
        return [], target
    steps, until = [1 << -lowest], time.monotonic() + LONGEST
    for item in items:
        if time.monotonic() > until:
            break
        steps.append(steps[-1] | _moved(steps[-1], item.coins))
    best = _closest(steps[-1], target - lowest)
    if best is None:
        return [], target
    return _chosen(items, steps, best), target - (best + lowest)


def _moved(sums: int, coins: int) -> int:
    return sums << coins if coins >= 0 else sums >> -coins


def _closest(sums: int, place: int) -> int | None:
    """The highest reachable sum at or below this place."""
    if place < 0:
        return None
    below = sums & ((1 << (place + 1)) - 1)
    return below.bit_length() - 1 if below else None


def _chosen(items: Sequence[Item], steps: Sequence[int], place: int) -> list[Item]:
    """Walk back: an item belongs to the set where the sum was not reachable without it."""
    found: list[Item] = []
    for number in range(len(steps) - 1, 0, -1):
        if not steps[number - 1] >> place & 1:
            found.append(items[number - 1])
            place -= items[number - 1].coins
    return found[::-1]
