"""Backlog: a long queue drains as fast at its end as at its start."""

from __future__ import annotations

import itertools
import os
import time

import psutil
from django.db import connection as database

from benchmarks import processing
from integration_hub.messaging import inbox

GOAL = 0.9


def run() -> None:
    """Store all, then process; compare the last tenth with the first."""
    count = int(os.environ.get("BACKLOG", "5000"))
    shop = processing.connect("stau", "stau-erp")
    for first in range(0, count, 500):
        processing.store(shop, 30_000_000 + first, 500)
    database.ensure_connection()
    database.close_at = None  # this session is measured, so it lives on
    its = psutil.Process(database.connection.info.backend_pid)
    marks, spent = [time.perf_counter()], [_cpu(its)]
    moved = 0
    while batch := inbox.process():
        moved += batch
        if moved >= len(marks) * count / 10:
            marks.append(time.perf_counter())
            spent.append(_cpu(its))
    tenths = [count / 10 / (after - before) for before, after in itertools.pairwise(marks)]
    costs = [1000 * (after - before) / (count / 10) for before, after in itertools.pairwise(spent)]
    first, last = marks[1] - marks[0], marks[10] - marks[9]
    print(f"  backlog: {count} events, by tenths {', '.join(f'{rate:.0f}' for rate in tenths)} per second;")
    print(f"  the database's CPU by tenths {', '.join(f'{cost:.2f}' for cost in costs)} ms per event")
    print(
        f"bench backlog {count / (marks[10] - marks[0]):.1f} events/s ratio={first / last:.2f} goal={GOAL}", flush=True
    )


def _cpu(process: psutil.Process) -> float:
    return sum(process.cpu_times()[:2])
