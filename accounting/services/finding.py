"""What is to be posted: every document, movement, payout, remainder, bank line and write-off has a standing, new or changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import connection as database

from integration_hub.messaging import pump

from ..events import Source
from ..models import Booking

LANE = "ledger"
SLACK = 5_000  # ids below the highest known one that may have been committed late


@dataclass(frozen=True)
class _Watch:
    """A table whose rows are posted: ``seen`` is what a change of shows that it is to be looked at again."""

    table: str
    seen: str


WATCHES: Mapping[str, _Watch] = {
    Source.DOCUMENT: _Watch("accounting_document", "x.state"),
    Source.MOVEMENT: _Watch(
        "payments_transaction",
        "concat_ws(':', x.state, x.event_id, (SELECT max(a.id) FROM payments_allocation a WHERE a.transaction_id = x.id),"
        " (SELECT u.search FROM payments_unassigned u WHERE u.transaction_id = x.id))",
    ),
    Source.PAYOUT: _Watch(
        "payments_payout",
        "concat_ws(':', x.stage, x.amount, x.stage IN ('FAILED', 'CANCELLED') AND EXISTS (SELECT 1 FROM"
        " payments_transaction t WHERE t.connection_id = x.connection_id AND t.kind = 'PAYOUT_FAILED'"
        " AND t.parent_external_id = x.external_id))",
    ),
    Source.REMAINDER: _Watch("payments_acceptedremainder", "x.amount::text"),
    Source.BANK_LINE: _Watch(
        "payments_bankline",
        "concat_ws(':', x.purpose, (SELECT p.id FROM payments_payout p WHERE p.bank_line_id = x.id))",
    ),
    Source.WRITE_OFF: _Watch("payments_writeoff", "x.state"),
}

_NEW = """
INSERT INTO accounting_booking (source, subject_id, state, why, seen)
SELECT %(source)s, x.id, 'DUE', '{{}}', '' FROM {table} x
WHERE x.id > (SELECT coalesce(max(subject_id), 0) FROM accounting_booking WHERE source = %(source)s) - %(slack)s
  AND NOT EXISTS (SELECT 1 FROM accounting_booking b WHERE b.source = %(source)s AND b.subject_id = x.id)
ORDER BY x.id LIMIT %(most)s ON CONFLICT DO NOTHING
"""
_CHANGED = """
UPDATE accounting_booking b SET state = 'DUE', due_at = statement_timestamp() FROM {table} x
WHERE b.source = %(source)s AND b.subject_id = x.id AND b.state = ANY(%(states)s) AND b.seen <> {seen}
"""
_SEEN = """
UPDATE accounting_booking b SET seen = {seen} FROM {table} x
WHERE b.source = %(source)s AND x.id = b.subject_id AND b.subject_id = ANY(%(ids)s)
"""
MOST = 100_000


def look() -> dict[str, Any]:
    """Every minute: what is new, and whether what waits or was refused has changed."""
    found = sum(_new(source, watch) for source, watch in WATCHES.items())
    found += sum(_changed(source, watch, ["WAITING", "REFUSED"]) for source, watch in WATCHES.items())
    if found:
        pump.kick(LANE)
    return {"found": found}


def look_back() -> dict[str, Any]:
    """Every hour: whether what is posted, or needed no posting, has changed since."""
    found = sum(_changed(source, watch, ["POSTED", "NOTHING"]) for source, watch in WATCHES.items())
    if found:
        pump.kick(LANE)
    return {"found": found}


def _new(source: str, watch: _Watch) -> int:
    return _do(_NEW.format(table=watch.table), {"source": source, "slack": SLACK, "most": MOST})


def _changed(source: str, watch: _Watch, states: list[str]) -> int:
    return _do(_CHANGED.format(table=watch.table, seen=watch.seen), {"source": source, "states": states})


def see(source: str, ids: list[int]) -> None:
    """Keep what these look like now; to be done before they are read, so that a change meanwhile is noticed."""
    watch = WATCHES[source]
    _do(_SEEN.format(table=watch.table, seen=watch.seen), {"source": source, "ids": ids})


def _do(sql: str, params: Mapping[str, Any]) -> int:
    with database.cursor() as cursor:
        cursor.execute(sql, params)
        return max(int(cursor.rowcount), 0)


def ask(source: str, ids: list[int]) -> None:
    """Let these be looked at soon, known or not."""
    Booking.objects.bulk_create([Booking(source=source, subject_id=pk) for pk in ids], ignore_conflicts=True)
    again(Booking.objects.filter(source=source, subject_id__in=ids).values_list("pk", flat=True))


def again(bookings: Any) -> int:
    """Let these standings be worked off again; returns how many."""
    found: int = Booking.objects.filter(pk__in=list(bookings)).update(state="DUE")
    if found:
        pump.kick(LANE)
    return found
