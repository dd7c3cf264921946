"""What the audit trail costs: the same orders with its triggers and without them, turn by turn in one run; and the sealing."""

from __future__ import annotations

import time

from django.db import connection as database

from benchmarks import processing
from integration_hub.backoffice import seals, trail
from integration_hub.models import AuditEntry

ROUNDS, ORDERS = 6, 60
FIRST = 40_000_000


def run() -> None:
    """Milliseconds per order with and without, entries per order, rows sealed and verified per second."""
    shop = processing.connect("pruefspur", "pruefspur-erp")
    processing.rate(shop, FIRST, ORDERS)  # warms up
    before = AuditEntry.objects.count()
    spent: dict[bool, list[float]] = {True: [], False: []}
    for turn in range(2 * ROUNDS):
        watched = turn % 2 == 0
        _switch(watched)
        spent[watched].append(1000 / processing.rate(shop, FIRST + 1000 * (turn + 1), ORDERS))
    _switch(True)
    with_it, without = (min(spent[way]) for way in (True, False))  # the least disturbed turn of each
    entries = (AuditEntry.objects.count() - before) / (ROUNDS * ORDERS)
    print(
        f"  audit: {with_it:.2f} ms per order with the trail, {without:.2f} ms without, {entries:.1f} entries per order"
    )
    started = time.perf_counter()
    rows = sum(seals.seal().values())
    sealed = rows / (time.perf_counter() - started)
    started = time.perf_counter()
    with database.cursor() as cursor:
        cursor.execute(str(seals.INVARIANTS[0].sql))
        assert cursor.fetchall() == []
    print(f"  audit: {rows} rows sealed at {sealed:.0f}/s, verified at {rows / (time.perf_counter() - started):.0f}/s")
    print(f"bench audit {with_it - without:.2f} ms/order ratio={without / with_it:.2f} goal=0.9", flush=True)


def _switch(on: bool) -> None:
    word = "ENABLE ALWAYS" if on else "DISABLE"
    with database.cursor() as cursor:
        for table in trail.audited():
            for moment in ("insert", "update", "delete"):
                cursor.execute(f"ALTER TABLE {table} {word} TRIGGER hub_audit_{moment}")
