"""What the clock does about money; each a part of the work at a time, safe to run twice."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from . import assigning, balances, bank, matching, payouts
from .models import Unassigned

LONGEST = 15.0  # seconds; the rest is done next time


def _work(step: Callable[[], int]) -> int:
    """Repeat a step until nothing is left or the time is up; returns how much was done."""
    until, done = time.monotonic() + LONGEST, 0
    while (moved := step()) and time.monotonic() < until:
        done += moved
    return done + moved


def find_orders() -> Mapping[str, Any]:
    """Tie payments whose order has come meanwhile, judge those that waited long enough."""
    looked = _work(matching.sweep) if Unassigned.objects.exists() else 0
    return {"looked": looked, "judged": assigning.look_again()}


def bring_up_to_date() -> Mapping[str, Any]:
    """Open items of orders that are new, changed or paid in bulk."""
    return {"orders": _work(balances.catch_up)}


def look_after() -> Mapping[str, Any]:
    """Payouts that should be explained or in the bank by now, bank lines whose payout has come."""
    return {"lines": bank.look_again(), "payouts": payouts.watch()}
