"""Backlog: a long queue drains as fast at its end as at its start."""

from __future__ import annotations

import os
import time

from benchmarks import processing
from integration_hub.messaging import inbox

GOAL = 0.9


def run() -> None:
    """Store all, then process; compare the last tenth with the first."""
    count = int(os.environ.get("BACKLOG", "5000"))
    shop = processing.connect("stau", "stau-erp")
    for first in range(0, count, 500):
        processing.store(shop, 30_000_000 + first, 500)
    marks = [time.perf_counter()]
    moved = 0
    while batch := inbox.process():
        moved += batch
        if moved >= len(marks) * count / 10:
            marks.append(time.perf_counter())
    first, last = marks[1] - marks[0], marks[10] - marks[9]
    print(f"  backlog: {count} events, first tenth {count / 10 / first:.0f}/s, last tenth {count / 10 / last:.0f}/s")
    print(
        f"bench backlog {count / (marks[10] - marks[0]):.1f} events/s ratio={first / last:.2f} goal={GOAL}", flush=True
    )
