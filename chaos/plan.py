"""What will happen when, drawn once from a seed: orders and second thoughts, kills, pauses, crashes, outages."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

PER_ORDER = 0.2  # seconds; what two shared cores carry beside all the killing
PER_KILL = 2.5
SHOPS = ("woo", "woo", "shopify")
VICTIMS = (*["cluster child"] * 5, *["cluster main"] * 2, "watchdog", "watchdog", "web worker", "web main")
EDITS = {"woo": ("double", "note"), "shopify": ("note",)}
SECOND_THOUGHTS = (0.05, 0.4, 1.0, 2.5, 6.0, 20.0, 40.0)  # seconds: before, while and after the ERP gets it
LONGEST_PAUSE = 20.0  # seconds, longer than the lease of a command


@dataclass(frozen=True, order=True)
class Step:
    """At ``at`` seconds ``what`` happens to ``whom``; ``number`` is the order's, or a draw."""

    at: float
    what: str
    whom: str = ""
    number: int = 0
    seconds: float = 0.0


@dataclass(frozen=True)
class Plan:
    """The whole run: two lists of steps in order of time, over ``window`` seconds."""

    window: float
    customers: tuple[Step, ...]
    nemesis: tuple[Step, ...]


def draw(orders: int, kills: int, seed: int, pauses: int | None = None) -> Plan:
    """The same numbers give the same plan."""
    rng = random.Random(seed)
    window = max(kills * PER_KILL, orders * PER_ORDER, 10.0)
    customers = sorted(step for number in range(orders) for step in _order(rng, number, window * 0.9 / orders, window))
    return Plan(window, tuple(customers), tuple(sorted(_nemesis(rng, kills, window, pauses))))


def _order(rng: random.Random, number: int, every: float, window: float) -> Iterator[Step]:
    """An order, and what its buyer thinks better of: 8 % change it, 7 % cancel it, 12 % give a piece back, 1 % order what nobody knows."""
    at = (number + rng.random()) * every
    shop = rng.choice(SHOPS)
    fate = rng.random()
    yield Step(at, "misplace" if fate > 0.99 else "place", shop, number)
    later = min(at + rng.choice(SECOND_THOUGHTS), window)
    if fate < 0.08:
        yield Step(later, rng.choice(EDITS[shop]), shop, number)
    elif fate < 0.15:
        yield Step(later, "cancel", shop, number)
    elif fate < 0.27:
        yield Step(later, "refund_piece", shop, number)


def _nemesis(rng: random.Random, kills: int, window: float, pauses: int | None) -> Iterator[Step]:
    for number in range(kills):
        at = (number + rng.random()) * window / kills
        yield Step(at, "kill", rng.choice(VICTIMS), rng.randrange(1000))
    for _pause in range(max(1, kills // 5) if pauses is None else pauses):
        yield Step(
            rng.random() * window,
            "pause",
            "cluster child",
            rng.randrange(1000),
            rng.uniform(1, min(LONGEST_PAUSE, window / 2)),
        )
    crashes = max(1, kills // 12)
    for number in range(crashes):
        yield Step((number + rng.uniform(0.2, 0.8)) * window / crashes, "crash")
    outages = max(1, round(window / 60))
    for number in range(outages):
        at = (number + rng.random() * 0.7) * window / outages
        yield Step(at, "outage", "odoo", 0, rng.uniform(3, 6))
    every, at = 4.0, 4.0
    while at < window:
        yield Step(at, "mood", "odoo", rng.choice([500, 502, 503, 504]))
        at += every
