"""Lengths of time in buckets: hours add up to days, and percentiles are read from the sum.

A bucket is a quarter wide, and a percentile is its middle, so what is shown is at most 12 % beside the truth.  The longest
time is kept exactly.  The same idea as HdrHistogram and the native histograms of Prometheus, with one fixed base.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

BASE = 1.25


@dataclass
class Spread:
    """How long things took: bucket -> how many, and the longest in milliseconds."""

    buckets: dict[int, int] = field(default_factory=dict)
    worst_ms: int | None = None

    @property
    def number(self) -> int:
        return sum(self.buckets.values())

    def add(self, buckets: Mapping[str, int], worst_ms: int | None) -> None:
        """Put the buckets of a stored figure on top."""
        for bucket, number in buckets.items():
            self.buckets[int(bucket)] = self.buckets.get(int(bucket), 0) + int(number)
        if worst_ms is not None:
            self.worst_ms = max(worst_ms, self.worst_ms or 0)

    def percentile(self, share: float) -> int | None:
        """Milliseconds that this share of them did not exceed; None where nothing was measured."""
        wanted, seen = share * self.number, 0
        for bucket in sorted(self.buckets):
            seen += self.buckets[bucket]
            if seen >= wanted:
                return min(round(math.pow(BASE, bucket + 0.5)), self.worst_ms or 0)
        return None

    @property
    def p50(self) -> int | None:
        return self.percentile(0.5)

    @property
    def p95(self) -> int | None:
        return self.percentile(0.95)


def together(parts: Iterable[tuple[Mapping[str, int], int | None]]) -> Spread:
    """The sum of stored figures."""
    found = Spread()
    for buckets, worst_ms in parts:
        found.add(buckets, worst_ms)
    return found
