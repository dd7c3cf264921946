"""Claiming rows of a queue table: short, fenced, by the database's clock.

Fresh rows are claimed in batches with SKIP LOCKED.  A lease that ran out is claimed alone, so one row that kills its worker
never takes its neighbours down: a death over a batch may be a neighbour's fault, those after it are the row's own.
Commands go one connection at a time, as its state, its breaker, its rate and the number of commands at it allow.  Whoever
claims while others hold commands of a connection may send as many at a time as they leave (``room``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import connection as database
from django.db import models, transaction

from integration_hub.models import InboundEvent, OutboundCommand

from . import leases

MAX_CRASHES = 3
_TURN = 0x48554201  # the advisory lock under which commands are claimed: who counts must count alone
_SAVED_UP = 2  # seconds of a connection's rate that may be used at once

_EVENTS, _COMMANDS = "integration_hub_inboundevent", "integration_hub_outboundcommand"
_EARLIER_EVENT = f"""SELECT 1 FROM {_EVENTS} p WHERE p.connection_id = q.connection_id AND p.object_id = q.object_id
  AND q.object_id <> '' AND p.id < q.id AND p.state IN ('DUE', 'LEASED')"""
_EARLIER_COMMAND = f"""SELECT 1 FROM {_COMMANDS} p WHERE p.connection_id = q.connection_id
  AND p.subject_type_id = q.subject_type_id AND p.subject_id = q.subject_id
  AND p.id < q.id AND p.state IN ('DUE', 'LEASED', 'PARKED')"""

_FRESH_EVENTS = f"""
WITH picked AS (
  SELECT q.id FROM {_EVENTS} q JOIN integration_hub_connection c ON c.id = q.connection_id AND c.state <> 'PAUSED'
  WHERE q.state = 'DUE' {{lane}} AND q.due_at <= statement_timestamp() AND NOT EXISTS ({_EARLIER_EVENT})
  ORDER BY q.due_at, q.id LIMIT %s FOR UPDATE OF q SKIP LOCKED)
UPDATE {_EVENTS} q SET state = 'LEASED', lease_token = %s, due_at = statement_timestamp() + %s, attempts = q.attempts + 1,
  solo = false
FROM picked WHERE q.id = picked.id RETURNING q.id
"""

_ROOM = f"""SELECT c.max_concurrent - (SELECT count(*) FROM {_COMMANDS} l WHERE l.connection_id = c.id AND l.state = 'LEASED'
  AND l.due_at > statement_timestamp() AND l.lease_token <> %s) FROM integration_hub_connection c WHERE c.id = %s"""

_MINE = "q.lease_token = %s AND q.state = 'LEASED'"
_INTEND = f"UPDATE {_COMMANDS} q SET maybe_sent = true WHERE q.id = ANY(%s) AND {_MINE} RETURNING q.id"
_FINISH = f"""
UPDATE {_COMMANDS} q SET state = 'DONE', lease_token = NULL, finished_at = statement_timestamp(), result = given.result::jsonb,
  reason = '{{}}', reason_code = '', first_failed_at = NULL, begun = false
FROM unnest(%s::bigint[], %s::text[]) given (id, result) WHERE q.id = given.id AND {_MINE} RETURNING q.id
"""
_NOT_SENT = f"""
UPDATE {_COMMANDS} q SET state = 'DUE', lease_token = NULL, due_at = statement_timestamp(), maybe_sent = false,
  attempts = greatest(q.attempts - 1, 0) WHERE q.id = ANY(%s) AND {_MINE} RETURNING q.id
"""

# b: a breaker that lets everything pass; one that has cooled down and lets one piece of work through
IN_USE = "(b.state = 'CLOSED' AND (b.rest_until IS NULL OR b.rest_until <= statement_timestamp()))"
ON_TRIAL = """(b.state <> 'CLOSED' AND b.probe_at <= statement_timestamp()
  AND (b.rest_until IS NULL OR b.rest_until <= statement_timestamp()))"""
# c: may commands go to this connection now?
ALLOWED = f"""c.state = 'ACTIVE' AND NOT EXISTS (
    SELECT 1 FROM integration_hub_breaker b WHERE b.connection_id = c.id AND (
      NOT {IN_USE} OR (c.per_minute > 0 AND b.next_slot_at > statement_timestamp())))
  AND c.max_concurrent > (SELECT count(*) FROM {_COMMANDS} l
    WHERE l.connection_id = c.id AND l.state = 'LEASED' AND l.due_at > statement_timestamp())"""

# who died over a whole batch may have died of any of it: only a death over this row alone counts
_EXPIRED = """
WITH picked AS (
  SELECT q.id FROM {table} q JOIN integration_hub_connection c ON c.id = q.connection_id AND {allowed}
  WHERE q.state = 'LEASED' {lane} AND q.due_at <= statement_timestamp()
  ORDER BY q.due_at LIMIT 1 FOR UPDATE OF q SKIP LOCKED)
UPDATE {table} q SET lease_token = %s, due_at = statement_timestamp() + %s, attempts = q.attempts + 1,
  crashes = q.crashes + CASE WHEN q.solo THEN 1 ELSE 0 END, solo = true
FROM picked WHERE q.id = picked.id RETURNING q.id, q.connection_id
"""
_NEXT_CONNECTION = f"""
SELECT c.id, c.max_concurrent, CASE WHEN c.per_minute = 0 THEN NULL ELSE 1 + floor(c.per_minute / 60.0 * extract(epoch FROM
    statement_timestamp() - greatest(b.next_slot_at, statement_timestamp() - make_interval(secs => {_SAVED_UP})))) END
FROM integration_hub_connection c LEFT JOIN integration_hub_breaker b ON b.connection_id = c.id
CROSS JOIN LATERAL (
  SELECT q.due_at FROM {_COMMANDS} q WHERE q.connection_id = c.id AND q.state = 'DUE' {{lane}}
    AND q.due_at <= statement_timestamp() AND NOT EXISTS ({_EARLIER_COMMAND}) ORDER BY q.due_at, q.id LIMIT 1) first
CROSS JOIN LATERAL (
  SELECT count(*) AS commands FROM {_COMMANDS} l
  WHERE l.connection_id = c.id AND l.state = 'LEASED' AND l.due_at > statement_timestamp()) busy
WHERE {ALLOWED} ORDER BY busy.commands, first.due_at LIMIT 1
"""
_FRESH_COMMANDS = f"""
WITH picked AS (
  SELECT q.id FROM {_COMMANDS} q WHERE q.connection_id = %s AND q.state = 'DUE' {{lane}}
    AND q.due_at <= statement_timestamp() AND NOT EXISTS ({_EARLIER_COMMAND})
  ORDER BY q.due_at, q.id LIMIT %s FOR UPDATE OF q SKIP LOCKED)
UPDATE {_COMMANDS} q SET state = 'LEASED', lease_token = %s, due_at = statement_timestamp() + %s, attempts = q.attempts + 1,
  solo = false
FROM picked WHERE q.id = picked.id RETURNING q.id
"""
_SPEND = f"""
INSERT INTO integration_hub_breaker (connection_id, state, cooldown, successes, reason, "window", next_slot_at)
SELECT c.id, 'CLOSED', 0, 0, '{{{{}}}}', '{{{{}}}}', statement_timestamp() + make_interval(secs => %s * 60.0 / c.per_minute)
FROM integration_hub_connection c WHERE c.id = %s AND c.per_minute > 0
ON CONFLICT (connection_id) DO UPDATE SET next_slot_at = make_interval(secs => %s * 60.0 / (
    SELECT per_minute FROM integration_hub_connection WHERE id = excluded.connection_id))
  + greatest(integration_hub_breaker.next_slot_at, statement_timestamp() - make_interval(secs => {_SAVED_UP}))
""".replace("{{", "{").replace("}}", "}")

# a breaker that has cooled down lets one command through; it need not wait for its own next try, unless it may be there
_PROBE = f"""
SELECT b.connection_id, tried.id FROM integration_hub_breaker b
JOIN integration_hub_connection c ON c.id = b.connection_id AND c.state = 'ACTIVE'
CROSS JOIN LATERAL (
  SELECT q.id FROM {_COMMANDS} q WHERE q.connection_id = c.id AND (
      q.due_at <= statement_timestamp() AND q.state IN ('DUE', 'LEASED') OR q.state = 'DUE' AND NOT q.maybe_sent)
    AND NOT EXISTS ({_EARLIER_COMMAND}) ORDER BY q.due_at, q.id LIMIT 1) tried
WHERE {ON_TRIAL}
ORDER BY b.probe_at LIMIT 1 FOR UPDATE OF b SKIP LOCKED
"""
_TRY = f"""
UPDATE {_COMMANDS} SET state = 'LEASED', lease_token = %s, due_at = statement_timestamp() + %s, attempts = attempts + 1,
  crashes = crashes + CASE WHEN state = 'LEASED' AND solo THEN 1 ELSE 0 END, solo = true
WHERE id = %s AND state IN ('DUE', 'LEASED') RETURNING id
"""
TRIAL = """
UPDATE integration_hub_breaker SET state = 'HALF_OPEN', probe_at = statement_timestamp() + %s WHERE connection_id = %s
"""


# how many commands of a connection to take, given its id and how many it bears at a time
Limit = Callable[[int, int], int]


def claim(
    model: type[models.Model], *, limit: int | Limit, lease: timedelta, bulk: bool | None = None
) -> tuple[UUID, list[int]]:
    """Lease up to ``limit`` due rows (or one whose lease ran out): the token to settle them with, and their ids.

    For commands ``limit`` may depend on the connection.  ``bulk`` takes only what comes from a backfill, or only what does not; None takes both.
    """
    token = leases.token()
    lane = {None: "", True: "AND q.bulk", False: "AND NOT q.bulk"}[bulk]
    with transaction.atomic():
        if model is InboundEvent:
            return token, sorted(_claim_events(token, lane, limit, lease))
        return token, sorted(_claim_commands(token, lane, limit, lease))


def _claim_events(token: UUID, lane: str, limit: int | Limit, lease: timedelta) -> list[int]:
    expired = _EXPIRED.format(table=_EVENTS, allowed="c.state <> 'PAUSED'", lane=lane)
    if rows := _rows(expired, [token, lease]):
        return [rows[0][0]]
    return [row[0] for row in _rows(_FRESH_EVENTS.format(lane=lane), [limit, token, lease])]


def _claim_commands(token: UUID, lane: str, limit: int | Limit, lease: timedelta) -> list[int]:
    _rows("SELECT pg_advisory_xact_lock(%s)", [_TURN])
    if probe := _rows(_PROBE, []):
        connection, row = probe[0]
        if taken := _rows(_TRY, [token, lease, row]):
            _run(TRIAL, [lease, connection])
        return [found[0] for found in taken]
    expired = _EXPIRED.format(table=_COMMANDS, allowed=ALLOWED, lane=lane)
    if rows := _rows(expired, [token, lease]):
        _run(_SPEND, [1, rows[0][1], 1])
        return [rows[0][0]]
    return _fresh_commands(token, lane, limit, lease)


def _fresh_commands(token: UUID, lane: str, limit: int | Limit, lease: timedelta) -> list[int]:
    found = _rows(_NEXT_CONNECTION.format(lane=lane), [])
    if not found:
        return []
    connection, at_a_time, rate = found[0]
    most = limit(connection, at_a_time) if callable(limit) else limit
    take = most if rate is None else max(1, min(most, int(rate)))
    ids = [row[0] for row in _rows(_FRESH_COMMANDS.format(lane=lane), [connection, take, token, lease])]
    if rate is not None:
        _run(_SPEND, [len(ids), connection, len(ids)])
    return ids


def _rows(sql: str, values: list[Any]) -> list[tuple[Any, ...]]:
    with database.cursor() as cursor:
        cursor.execute(sql, values or None)
        return list(cursor.fetchall())


def _run(sql: str, values: list[Any]) -> None:
    with database.cursor() as cursor:
        cursor.execute(sql, values)


def settle(row: InboundEvent | OutboundCommand, **changes: object) -> bool:
    """Change a leased row if the lease is still ours; a stale worker changes nothing and gets False."""
    rows = type(row)._default_manager.filter(pk=row.pk, lease_token=row.lease_token, state="LEASED")
    return rows.update(**changes) == 1


def room(connection: int, token: UUID) -> int:
    """How many commands at a time the connection bears beside those that others hold; at least one, as one was claimed.

    Asked after the claim: others may have claimed since, but only what our own rows left over.
    """
    return max(1, int(_rows(_ROOM, [token, connection])[0][0]))


def intend(ids: Sequence[int], token: UUID) -> bool:
    """Write down that these commands are about to be sent; False if the lease of one of them is not ours any more."""
    return len(_rows(_INTEND, [list(ids), token])) == len(ids)


def finish(results: Mapping[int, str], token: UUID) -> set[int]:
    """These commands are done, with what the target answered as JSON; returns those that were still ours to settle."""
    return {row[0] for row in _rows(_FINISH, [list(results), list(results.values()), token])}


def not_sent(ids: Sequence[int], token: UUID) -> None:
    """Give back what was about to be sent and, as we know for sure, was not."""
    if ids:
        _rows(_NOT_SENT, [list(ids), token])
