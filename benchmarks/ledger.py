"""The books: a million booking rows exported for DATEV beside the plain COPY of the same columns of the same rows."""

from __future__ import annotations

import os
import resource
import time

from django.db import connection as database

from accounting.models import Export
from accounting.services import choices, exporting, extf, scope

ROWS = int(os.environ.get("POSTINGS", "1000000"))
EACH = 4  # booking rows of an entry
GOAL, MOST_MEMORY = 0.5, 300

_ENTRIES = """
INSERT INTO accounting_entry (chart, source, subject_id, revision, booked_on, belegfeld1, belegfeld2, text, version_id, why,
  digest, previous)
SELECT '03', 'MOVEMENT', n, 1, date '2026-11-01' + (n %% 30), 'RE-2026-' || n, '', 'Verkauf Müller Nr. ' || n, v.id, '', '', ''
FROM generate_series(1, %s) n, (SELECT min(id) AS id FROM accounting_mappingversion) v
"""
_LINES = """
INSERT INTO accounting_posting (entry_id, position, row, side, account, contra, debit, credit, currency, tax_key, cost_centre,
  eu_id, eu_rate, belegfeld1, text, event, location, product_group, payment_method, country, tax_case)
SELECT e.id, r * 2 + s, r + 1, CASE s WHEN 1 THEN 'HEAD' ELSE 'CONTRA' END,
  CASE s WHEN 1 THEN '10001' ELSE '8400' END, CASE s WHEN 1 THEN '8400' ELSE '10001' END,
  CASE s WHEN 1 THEN 10 + e.id %% 1000 ELSE 0 END, CASE s WHEN 1 THEN 0 ELSE 10 + e.id %% 1000 END,
  'EUR', '', '', '', NULL, e.belegfeld1, e.text, 'REVENUE', '', '', '', 'DE', 'DOMESTIC'
FROM accounting_entry e, generate_series(0, %s) r, generate_series(1, 2) s ORDER BY e.id, r, s
"""


def run() -> None:
    """Both, then the proof."""
    _fill()
    held = scope.upcoming(2026, 11)
    plain = min(_plainly(held) for _time in range(2))
    made = exporting.request(2026, 11, by=None)
    began = time.perf_counter()
    while Export.objects.get(pk=made.pk).state in ("DUE", "WRITING"):
        exporting.work()
    took = time.perf_counter() - began
    began = time.perf_counter()
    exporting.work()
    whole = Export.objects.get(pk=made.pk)
    assert (whole.state, whole.done, whole.files.count()) == ("READY", ROWS, -(-ROWS // extf.MOST_ROWS))
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    proven = time.perf_counter() - began
    print(
        f"  export: plain COPY {plain:.1f} s, {ROWS} rows written {took:.1f} s, read back in {proven:.1f} s, {memory:.0f} MB"
    )
    print(f"bench export_postings {ROWS / took:.0f} rows/s ratio={plain / took:.2f} goal={GOAL}", flush=True)
    assert memory < MOST_MEMORY


def _fill() -> None:
    for name, value in {"adviser_number": 29098, "client_number": 55003}.items():
        choices.choose(name, value, by=None, why="a benchmark")
    with database.cursor() as cursor:
        cursor.execute(
            "SET session_replication_role = 'replica'"
        )  # rows made at once; what guards them is not measured
        cursor.execute(_ENTRIES, [ROWS // EACH])
        cursor.execute(_LINES, [EACH - 1])
        cursor.execute("SET session_replication_role = 'origin'")
        cursor.execute("VACUUM ANALYZE accounting_entry")
        cursor.execute("VACUUM ANALYZE accounting_posting")


def _plainly(held: scope.Scope) -> float:
    """The same columns of the same rows as they are, in the same order, in files of the same size, thrown away."""
    raw = {1: "p.debit", 2: "p.credit", 3: "p.currency", 7: "p.account", 8: "p.contra", 9: "p.tax_key", 10: "e.booked_on",
           11: "p.belegfeld1", 12: "e.belegfeld2", 14: "p.text", 20: "e.document_id", 37: "p.cost_centre", 40: "p.eu_id",
           41: "p.eu_rate", 118: "e.reverses_id"}  # fmt: skip
    columns = ", ".join(raw.get(place, "NULL") for place in range(1, 126))
    sql = f"COPY (SELECT {columns} FROM {scope.FROM} WHERE {held.where()} ORDER BY e.id, p.position) TO STDOUT"
    began, rows = time.perf_counter(), 0
    with database.cursor() as cursor, cursor.copy(sql, held.params()) as lines:
        for _line in lines:
            rows += 1
    assert rows == ROWS
    return time.perf_counter() - began
