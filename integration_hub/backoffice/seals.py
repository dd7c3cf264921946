"""The chain over what only grows: rows are sealed in batches, a minute later, so that no writer ever waits for another.

A seal covers rows by their ids, in order, up to BATCH of them: ``root`` is the SHA-256 over the rows' own SHA-256, ``hash``
that over the seal before, the ids and the root.  Ids come out of order: a transaction may commit a lower id later.  So a
run looks again at everything above ``settled``, the id below which nothing can come any more: every transaction that was
under way when that id was sealed (``horizon``) had ended when a later run looked.  What a seal holds cannot be changed,
removed or joined by another row without ``verify`` finding it.  Who owns the tables could make a whole new chain; therefore
the head goes out of the house (page of the trail, digest of the alerts).
"""

# ruff: noqa: S608  every statement is made of parts of ours

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from django.db import connection as database
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from integration_hub.models import audit_sql
from integration_hub.models.audit import Seal

from . import trail
from .invariants import Invariant

BATCH = 1000
LONGEST = 10.0  # seconds of one run
SETTLE = "10 seconds"
_ROW = "sha256(convert_to(jsonb_build_array({})::text, 'UTF8'))"
_AT = "extract(epoch FROM c.at)"


@dataclass(frozen=True)
class Ledger:
    """A table that is sealed, and what of a row goes into its hash."""

    table: str
    columns: str

    @property
    def row(self) -> str:
        return _ROW.format(self.columns)


LEDGERS = {
    "audit": Ledger(
        "integration_hub_auditentry",
        f"c.id, {_AT}, c.deed, c.relation, c.row_id, c.actor_id, c.origin, c.program, c.db_user, c.action, c.why, c.xid, "
        "encode(c.digest, 'hex')",
    ),
    "activity": Ledger(
        "integration_hub_activity",
        f"c.id, {_AT}, c.subject_type_id, c.subject_id, c.action, c.text, c.actor_id, c.system, c.why, c.data, c.event_id, "
        "c.attempt_id, c.ms",
    ),
}

_HASH = "sha256({previous} || convert_to(jsonb_build_array({ledger}, {number}, {ids}::text, {rows})::text, 'UTF8') || {root})"

_SEAL = """
WITH head AS (
  SELECT coalesce(max(number), 0) AS number, coalesce((SELECT hash FROM integration_hub_seal
    WHERE ledger = %(ledger)s ORDER BY number DESC LIMIT 1), ''::bytea) AS hash,
    coalesce(max(settled), 0) AS floor FROM integration_hub_seal WHERE ledger = %(ledger)s
), done AS (
  SELECT coalesce(max(last_id), 0) AS id FROM integration_hub_seal
  WHERE ledger = %(ledger)s AND at < statement_timestamp() - %(settle)s::interval
    AND (horizon <= pg_snapshot_xmin(pg_current_snapshot())::text::bigint OR at < statement_timestamp() - interval '1 day')
), covered AS (
  SELECT coalesce(range_agg(r), '{{}}') AS ids FROM integration_hub_seal s, unnest(s.ids) r
  WHERE s.ledger = %(ledger)s AND s.last_id > (SELECT floor FROM head)
), fresh AS (
  SELECT c.id, {row} AS hash FROM {table} c
  WHERE c.id > (SELECT floor FROM head) AND NOT c.id <@ (SELECT ids FROM covered)
  ORDER BY c.id LIMIT {batch}
), batch AS (
  SELECT count(*)::int AS rows, max(id) AS last_id, range_agg(int8range(id, id, '[]')) AS ids,
    sha256(string_agg(hash, ''::bytea ORDER BY id)) AS root FROM fresh
)
INSERT INTO integration_hub_seal (ledger, number, ids, rows, last_id, settled, horizon, root, previous, hash)
SELECT %(ledger)s, head.number + 1, batch.ids, batch.rows, batch.last_id,
  greatest(head.floor, CASE WHEN batch.rows = {batch} THEN least(done.id, batch.last_id) ELSE done.id END),
  pg_snapshot_xmax(pg_current_snapshot())::text::bigint, batch.root, head.hash, {hash}
FROM head, done, batch WHERE batch.rows > 0
RETURNING rows
"""


def seal() -> dict[str, Any]:
    """Seal what has come since; returns how many rows of each ledger.  Two at once: the second waits its turn."""
    until = time.monotonic() + LONGEST
    return {name: _seal(name, until) for name in LEDGERS}


def _seal(name: str, until: float) -> int:
    sealed = 0
    while time.monotonic() < until:
        rows = _seal_batch(name)
        sealed += rows
        if rows < BATCH:
            break
    return sealed


@transaction.atomic
def _seal_batch(name: str) -> int:
    ledger = LEDGERS[name]
    made = _HASH.format(
        previous="head.hash",
        ledger="%(ledger)s::text",
        number="head.number + 1",
        ids="batch.ids",
        rows="batch.rows",
        root="batch.root",
    )
    sql = _SEAL.format(row=ledger.row, table=ledger.table, batch=BATCH, hash=made)
    with database.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('hub.seal'))")
        cursor.execute(sql, {"ledger": name, "settle": SETTLE})
        row = cursor.fetchone()
    return int(row[0]) if row else 0


def heads() -> list[Seal]:
    """The last seal of each ledger: what to keep outside the house."""
    return list(Seal.objects.order_by("ledger", "-number").distinct("ledger"))


def _broken(name: str) -> str:
    """Seals whose rows are not as they were when they were sealed."""
    ledger = LEDGERS[name]
    return f"""
    SELECT '{name} ' || s.number || ': ' || s.ids::text FROM integration_hub_seal s
    LEFT JOIN LATERAL (
      SELECT count(*) AS rows, sha256(string_agg({ledger.row}, ''::bytea ORDER BY c.id)) AS root
      FROM unnest(s.ids) r JOIN {ledger.table} c ON c.id >= lower(r) AND c.id < upper(r)) found ON TRUE
    WHERE s.ledger = '{name}' AND (found.rows <> s.rows OR found.root IS DISTINCT FROM s.root)"""


def _left_out(name: str) -> str:
    """Rows that are older than an hour and under no seal: put in later with an old id, or nobody seals."""
    return f"""
    SELECT '{name} ' || c.id FROM {LEDGERS[name].table} c WHERE c.at < statement_timestamp() - interval '1 hour'
      AND NOT c.id <@ (SELECT coalesce(range_agg(r), '{{}}') FROM integration_hub_seal s, unnest(s.ids) r
                       WHERE s.ledger = '{name}')"""


_CHAIN = f"""
SELECT ledger || ' ' || number FROM (
  SELECT s.*, lag(s.hash, 1, ''::bytea) OVER w AS before, row_number() OVER w AS place
  FROM integration_hub_seal s WINDOW w AS (PARTITION BY s.ledger ORDER BY s.number)) s
WHERE s.previous <> s.before OR s.number <> s.place
  OR s.hash <> {_HASH.format(previous="s.previous", ledger="s.ledger::text", number="s.number", ids="s.ids", rows="s.rows", root="s.root")}
"""
_DIGEST = f"""
SELECT c.id FROM integration_hub_auditentry c WHERE c.digest <> {audit_sql.DIGEST.format(before="c.before", after="c.after")}
  AND NOT (c.before IS NULL AND c.after IS NULL)
"""


def _unguarded() -> str:
    found = ", ".join(f"('{table}')" for table in trail.unguarded())
    return f"SELECT t FROM (VALUES {found}) v (t)" if found else ""


INVARIANTS = (
    Invariant(
        code="sealed_trail_stands",
        title=_("What the audit trail and the activity said when they were sealed they still say"),
        sql=" UNION ALL ".join(_broken(name) for name in LEDGERS),
    ),
    Invariant(
        code="chain_of_seals_is_whole",
        title=_("Every seal is tied to the one before it"),
        sql=_CHAIN,
    ),
    Invariant(
        code="trail_is_sealed",
        title=_("Nothing old in the audit trail and the activity is without a seal"),
        sql=" UNION ALL ".join(_left_out(name) for name in LEDGERS),
    ),
    Invariant(
        code="trail_has_its_digests",
        title=_("What an audit entry shows is what its digest was made of"),
        sql=_DIGEST,
    ),
    Invariant(
        code="tables_are_audited",
        title=_("Every table that must leave a trail has its triggers"),
        sql=_unguarded,
    ),
)
