"""Which order a movement is for, where that is certain: by set, a handful of statements for any number of movements.

Certain is what somebody stated: the provider that a refund belongs to a payment, the shop that an order was paid by a
payment, metadata that name an order.  What only looks likely is judged in ``likely``.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.db import connection as database
from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from exceptions import services as cases

from . import late
from .models import Allocation, Progress, Transaction, Unassigned
from .names import PLAIN_SQL
from .states import Search

logger = logging.getLogger(__name__)

KINDS = (
    "payment_unmatched",
    "refund_without_order",
    "payment_ambiguous",
    "payment_proposed",
    "payment_other_currency",
)
SWEEP = "match"
BATCH = 250_000
_MEMORY = "SET LOCAL work_mem = '256MB'"  # a batch is joined in memory, not over temporary files

_LOOKING = """
  SELECT t.id, t.gross, t.currency, t.payment_ids, t.order_reference, t.reference, t.parent_external_id, t.connection_id,
    p.mode, CASE WHEN t.order_reference LIKE '%%:%%' THEN c.id END AS shop,
    CASE WHEN c.id IS NOT NULL THEN substr(t.order_reference, length(c.slug) + 2) END AS shop_order
  FROM payments_unassigned u JOIN payments_transaction t ON t.id = u.transaction_id
  JOIN integration_hub_connection p ON p.id = t.connection_id
  LEFT JOIN integration_hub_connection c ON c.role = 'SHOP' AND c.mode = p.mode
    AND c.slug = split_part(t.order_reference, ':', 1)
  WHERE {scope}
"""
_SHOPS = "JOIN integration_hub_connection c ON c.id = o.channel_id AND c.role = 'SHOP' AND c.mode = l.mode"

# a refund or chargeback goes where its payment went; of a payment for several orders only as a whole
_PARENT = """
  SELECT l.id, a.position, a.order_id,
    CASE WHEN n.number = 1 THEN l.gross ELSE sign(l.gross) * abs(a.amount) END AS amount,
    CASE WHEN n.number > 1 THEN sign(l.gross) * abs(a.order_amount)
      WHEN a.amount = a.order_amount THEN l.gross
      ELSE sign(l.gross) * abs(round(l.gross * a.order_amount / a.amount, 2)) END AS order_amount
  FROM looking l JOIN payments_transaction f ON f.connection_id = l.connection_id AND f.id <> l.id
    AND (f.external_id = l.parent_external_id OR (f.kind = 'CAPTURE' AND f.payment_ids @> ARRAY[l.parent_external_id]))
  JOIN payments_allocation a ON a.transaction_id = f.id
  JOIN LATERAL (SELECT count(*) AS number FROM payments_allocation b WHERE b.transaction_id = f.id) n ON TRUE
  WHERE l.parent_external_id <> '' AND (n.number = 1 OR abs(l.gross) = abs(f.gross))
"""

# the shop names the payment; one payment of several orders only where their totals are its amount
_PAYMENT_ID = f"""
  SELECT id, position, order_id, CASE WHEN number = 1 THEN gross ELSE total END AS amount,
    CASE WHEN number = 1 THEN gross ELSE total END AS order_amount
  FROM (SELECT l.id, o.id AS order_id, o.total, l.gross, count(*) OVER mine AS number, sum(o.total) OVER mine AS totals,
      row_number() OVER (PARTITION BY l.id ORDER BY o.id) AS position
    FROM (SELECT DISTINCT id, gross, currency, mode, unnest(payment_ids) AS key FROM looking) l
    JOIN orders_order o ON o.transaction_id = l.key AND o.transaction_id <> '' AND o.currency = l.currency {_SHOPS}
    WINDOW mine AS (PARTITION BY l.id)) found
  WHERE number = 1 OR (totals = gross AND total > 0)
"""

# our own reference, which no two orders share
_HUB = """
  SELECT l.id, 1 AS position, o.id AS order_id, l.gross AS amount, l.gross AS order_amount FROM looking l
  JOIN orders_order o ON o.channel_id = l.shop AND o.external_id = l.shop_order AND o.currency = l.currency
"""

# the shop's number or id; a name that two orders have is certain for none
_NAME = f"""
  SELECT id, 1 AS position, min(order_id) AS order_id, min(gross) AS amount, min(gross) AS order_amount FROM (
    SELECT l.id, o.id AS order_id, l.gross FROM looking l
      JOIN orders_order o ON {PLAIN_SQL.format(column="o.number")} = l.reference AND o.currency = l.currency {_SHOPS}
      WHERE l.reference <> ''
    UNION SELECT l.id, o.id, l.gross FROM looking l
      JOIN integration_hub_connection c ON c.role = 'SHOP' AND c.mode = l.mode
      JOIN orders_order o ON o.channel_id = c.id AND o.external_id = l.order_reference AND o.currency = l.currency
      WHERE l.order_reference <> ''
  ) named GROUP BY id HAVING count(*) = 1
"""

# who takes a movement out of those without order may tie it; nobody else can meanwhile
_TAKE = """
mine AS (DELETE FROM payments_unassigned u USING (SELECT DISTINCT id FROM found) f WHERE u.transaction_id = f.id
  RETURNING u.transaction_id)
INSERT INTO payments_allocation (transaction_id, position, order_id, amount, order_amount, how, ground)
SELECT f.id, f.position, f.order_id, f.amount, f.order_amount, 'CERTAIN', %(ground)s
FROM found f JOIN mine m ON m.transaction_id = f.id
"""

RULES: tuple[tuple[str, str, str], ...] = (
    ("PARENT", _PARENT, "parent_external_id <> ''"),
    ("PAYMENT_ID", _PAYMENT_ID, "cardinality(payment_ids) > 0"),
    ("REFERENCE", _HUB, "shop IS NOT NULL"),
    ("REFERENCE", _NAME, "order_reference <> ''"),
)


@dataclass(frozen=True)
class Span:
    """Movements by id, from after ``after`` up to ``upto``."""

    after: int
    upto: int


def match(ids: Iterable[int]) -> list[int]:
    """Tie those of these movements whose order is certain; returns the ids of all their orders."""
    wanted = sorted(set(ids))
    if wanted:
        with transaction.atomic(), _telling(Unassigned.objects.filter(pk__in=wanted)):
            _tie_few(wanted)
            _children(wanted)
    return orders_of(wanted)


def _tie_few(ids: Sequence[int]) -> None:
    """Each rule in one statement, the surest first."""
    looking = _LOOKING.format(scope="u.transaction_id = ANY(%(ids)s)")
    with database.cursor() as cursor:
        for ground, rule, only in RULES:
            few = f"SELECT * FROM ({looking}) every WHERE {only}"
            statement = f"WITH looking AS MATERIALIZED ({few}), found AS MATERIALIZED ({rule}), {_TAKE}"
            cursor.execute(statement, {"ids": list(ids), "ground": ground})


def _tie_many(span: Span) -> None:
    """The same over tables of their own, analysed: planned blindly, a million rows are taken for a hundred."""
    looking = _LOOKING.format(scope="u.transaction_id > %(after)s AND u.transaction_id <= %(upto)s")
    with database.cursor() as cursor:
        cursor.execute(_MEMORY)
        cursor.execute(
            f"CREATE TEMP TABLE looking ON COMMIT DROP AS {looking}", {"after": span.after, "upto": span.upto}
        )
        cursor.execute("ANALYZE looking (id, currency, mode, shop, shop_order, reference, order_reference)")
        for ground, rule, only in RULES:
            cursor.execute(f"SELECT 1 FROM looking WHERE {only} LIMIT 1")
            if cursor.fetchone():
                _carry_out(cursor, ground, rule)
                cursor.execute("SELECT 1 FROM looking LIMIT 1")
                if not cursor.fetchone():
                    break
        cursor.execute("DROP TABLE looking")


def _carry_out(cursor: Any, ground: str, rule: str) -> None:
    cursor.execute(f"CREATE TEMP TABLE found ON COMMIT DROP AS {rule}")
    if cursor.rowcount:
        cursor.execute("ANALYZE found (id)")
        cursor.execute(f"WITH {_TAKE}", {"ground": ground})
        cursor.execute("DELETE FROM looking l USING found f WHERE f.id = l.id")
    cursor.execute("DROP TABLE found")


@contextmanager
def _telling(rows: QuerySet[Unassigned]) -> Iterator[None]:
    """Close the cases of those that a person was asked about and that are tied now; write down who only came late."""
    early = late.waiting(rows)
    asked = rows.filter(search=Search.ASKED)
    before = set(asked.values_list("pk", flat=True))
    yield
    late.came(early)
    answered = before - set(asked.values_list("pk", flat=True)) if before else set()
    for row in Transaction.objects.filter(pk__in=answered).order_by("pk"):
        cases.settle(row, kinds=KINDS)


def orders_of(ids: Sequence[int]) -> list[int]:
    """The orders that these movements are tied to, in a fixed order for locking."""
    found = Allocation.objects.filter(transaction_id__in=ids).values_list("order_id", flat=True)
    return sorted(set(found))


def _children(ids: Sequence[int]) -> None:
    """Refunds that came before their payment was tied follow it now."""
    for connection, externals in names_of(ids).items():
        waiting = Unassigned.objects.filter(
            transaction__connection_id=connection, transaction__parent_external_id__in=externals
        )
        found = [pk for pk in waiting.values_list("pk", flat=True) if pk not in set(ids)]
        if found:
            match(found)


def names_of(ids: Sequence[int]) -> dict[int, list[str]]:
    """By provider, all names that other movements may know these by."""
    names: dict[int, list[str]] = {}
    rows = Transaction.objects.filter(pk__in=ids).values_list("connection_id", "external_id", "payment_ids")
    for connection, external, others in rows:
        names.setdefault(connection, []).extend({external, *others})
    return names


def sweep(limit: int = BATCH) -> int:
    """Try the next batch of all that look for an order; returns how many were looked at, 0 at the end.

    ``Progress`` says how far it is; each batch is a transaction of its own, so it can be stopped and goes on.
    """
    with transaction.atomic():
        state, _made = Progress.objects.select_for_update().get_or_create(name=SWEEP)
        if state.finished_at or not state.started_at:
            state.after, state.done, state.finished_at = 0, 0, None
            state.total = Unassigned.objects.count()
            state.started_at = Now()
        span, looked = _next(state.after, limit)
        if looked:
            with _telling(Unassigned.objects.filter(pk__gt=span.after, pk__lte=span.upto)):
                _tie_many(span)
        state.after, state.done = span.upto, state.done + looked
        state.finished_at = None if looked else Now()
        state.save()
    return looked


def _next(after: int, limit: int) -> tuple[Span, int]:
    with database.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(max(id), 0), count(*) FROM (SELECT transaction_id AS id FROM payments_unassigned"
            " WHERE transaction_id > %s ORDER BY transaction_id LIMIT %s) batch",
            [after, limit],
        )
        upto, looked = cursor.fetchone()
    return Span(after, max(upto, after)), looked
