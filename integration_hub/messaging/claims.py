"""Claiming rows of a queue table: short, fenced, by the database's clock.

Fresh rows are claimed in batches with SKIP LOCKED.  A lease that ran out is claimed alone, so one row that kills its worker
never takes its neighbours down: the first crash may be a neighbour's fault, the next ones are the row's own.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from django.db import connection as database
from django.db import models, transaction

from integration_hub.models import InboundEvent, OutboundCommand

MAX_CRASHES = 3

_FRESH = """
WITH picked AS (
  SELECT q.id FROM {table} q JOIN integration_hub_connection c ON c.id = q.connection_id AND {runs}
  WHERE q.state = 'DUE' AND q.due_at <= statement_timestamp() AND NOT EXISTS (
    SELECT 1 FROM {table} p WHERE {same} AND p.id < q.id AND p.state IN ({holding}))
  ORDER BY q.due_at, q.id LIMIT %s FOR UPDATE OF q SKIP LOCKED)
UPDATE {table} q SET state = 'LEASED', lease_token = %s, due_at = statement_timestamp() + %s, attempts = q.attempts + 1
FROM picked WHERE q.id = picked.id RETURNING q.id
"""

_EXPIRED = """
WITH picked AS (
  SELECT q.id FROM {table} q JOIN integration_hub_connection c ON c.id = q.connection_id AND {runs}
  WHERE q.state = 'LEASED' AND q.due_at <= statement_timestamp()
  ORDER BY q.due_at LIMIT 1 FOR UPDATE OF q SKIP LOCKED)
UPDATE {table} q SET lease_token = %s, due_at = statement_timestamp() + %s, attempts = q.attempts + 1,
  crashes = q.crashes + 1
FROM picked WHERE q.id = picked.id RETURNING q.id
"""

_EVENT = {
    "table": "integration_hub_inboundevent",
    "runs": "c.state <> 'PAUSED'",
    "same": "p.connection_id = q.connection_id AND p.object_id = q.object_id AND q.object_id <> ''",
    "holding": "'DUE', 'LEASED'",
}
_COMMAND = {
    "table": "integration_hub_outboundcommand",
    "runs": "c.state = 'ACTIVE'",
    "same": "p.connection_id = q.connection_id AND p.subject_type_id = q.subject_type_id AND p.subject_id = q.subject_id",
    "holding": "'DUE', 'LEASED', 'PARKED'",
}
_TABLES: dict[type[models.Model], dict[str, str]] = {InboundEvent: _EVENT, OutboundCommand: _COMMAND}


def claim(model: type[models.Model], *, limit: int, lease: timedelta) -> tuple[UUID, list[int]]:
    """Lease up to ``limit`` due rows (or one whose lease ran out): the token to settle them with, and their ids."""
    token = uuid4()
    expired: list[Any] = [token, lease]
    fresh: list[Any] = [limit, token, lease]
    with transaction.atomic(), database.cursor() as cursor:
        cursor.execute(_EXPIRED.format(**_TABLES[model]), expired)
        ids = [row[0] for row in cursor.fetchall()]
        if not ids:
            cursor.execute(_FRESH.format(**_TABLES[model]), fresh)
            ids = sorted(row[0] for row in cursor.fetchall())
    return token, ids


def settle(row: InboundEvent | OutboundCommand, **changes: object) -> bool:
    """Change a leased row if the lease is still ours; a stale worker changes nothing and gets False."""
    rows = type(row)._default_manager.filter(pk=row.pk, lease_token=row.lease_token, state="LEASED")
    return rows.update(**changes) == 1
