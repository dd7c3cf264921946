"""How orders stand with their money: one statement computes it from everything that moved, and keeps it as open items.

owed = expected - what was given back by agreement; received = paid - refunded - disputed; open = owed - received - written off.
Of an exchange, the worth of what came back is moved from the order (it is owed less and has so much less of its payments) to the
replacement (which has received it): no money flows, and both add up.
A refund first gives back what was paid too much, and only then reduces what is owed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import connection as database
from django.db import transaction
from django.db.models import F, Q, QuerySet

from integration_hub.kernel.messages import OrderMoneyChanged
from integration_hub.kernel.states import OrderStage, Role
from integration_hub.messaging import dispatch
from integration_hub.models import Connection
from orders.models import Order
from orders.states import OrderState

from . import doubts
from .models import Allocation, OpenItem, Progress

BATCH = 2000
NEW, TIED = "balances:orders", "balances:allocations"

_MOVED = """
moved AS (SELECT a.order_id,
    coalesce(sum(a.order_amount) FILTER (WHERE t.kind = 'AUTHORISATION'), 0) AS authorised,
    coalesce(sum(a.order_amount) FILTER (WHERE t.kind = 'CAPTURE' AND t.state = 'SUCCEEDED'), 0) AS captured,
    -coalesce(sum(a.order_amount) FILTER (WHERE t.kind IN ('REFUND', 'REFUND_FAILED') AND t.state = 'SUCCEEDED'), 0)
      AS refunded,
    -coalesce(sum(a.order_amount) FILTER (WHERE t.kind IN ('DISPUTE', 'DISPUTE_REVERSAL') AND t.state = 'SUCCEEDED'), 0)
      AS disputed,
    coalesce(bool_or(d.id IS NOT NULL), FALSE) AS contested
  FROM payments_allocation a JOIN payments_transaction t ON t.id = a.transaction_id AND t.state IN ('PENDING', 'SUCCEEDED')
  LEFT JOIN payments_dispute d ON d.transaction_id = t.id AND d.state IN ('NEEDS_RESPONSE', 'UNDER_REVIEW')
  WHERE a.order_id = ANY(%(ids)s) GROUP BY a.order_id)
"""

_FIGURES = f"""
WITH {_MOVED}, lost AS (SELECT order_id, sum(amount) AS amount FROM payments_writeoff
  WHERE order_id = ANY(%(ids)s) AND state = 'DONE' GROUP BY order_id),
given AS (SELECT order_id, sum(credit) AS amount FROM orders_aftersale
  WHERE order_id = ANY(%(ids)s) AND credit > 0 GROUP BY order_id),
base AS (SELECT o.id, o.currency, o.placed_at, o.payment_method,
    CASE WHEN o.state = 'CANCELLED' OR o.stage IN ('CANCELLED', 'GONE') THEN 0 ELSE o.total END AS expected,
    coalesce(m.authorised, 0) AS authorised, coalesce(m.captured, 0) AS captured, coalesce(m.refunded, 0) AS refunded,
    coalesce(m.disputed, 0) AS disputed, coalesce(m.contested, FALSE) AS contested, coalesce(l.amount, 0) AS lost,
    coalesce(g.amount, 0) AS given, coalesce(x.credit, 0) AS taken
  FROM orders_order o LEFT JOIN moved m ON m.order_id = o.id LEFT JOIN lost l ON l.order_id = o.id
    LEFT JOIN given g ON g.order_id = o.id LEFT JOIN orders_aftersale x ON x.id = o.exchange_id
  WHERE o.id = ANY(%(ids)s)),
held AS (SELECT b.*, greatest(b.expected - b.given, 0) AS wanted, b.captured - b.given + b.taken AS has FROM base b),
sums AS (SELECT h.*, greatest(h.wanted - greatest(h.refunded - greatest(h.has - h.wanted, 0), 0), 0)
    - (h.has - h.refunded - h.disputed) - h.lost AS due FROM held h),
before AS (SELECT i.order_id, i.state, i.captured, i.refunded FROM payments_openitem i WHERE i.order_id = ANY(%(ids)s)
  ORDER BY i.order_id FOR UPDATE),
written AS (INSERT INTO payments_openitem AS i (order_id, currency, expected, authorised, captured, refunded, disputed,
    written_off, moved, open, overpaid, state, due_on, refreshed_at)
  SELECT s.id, s.currency, s.expected, s.authorised, s.captured, s.refunded, s.disputed, s.lost, s.taken - s.given,
    greatest(s.due, 0), greatest(-s.due, 0), CASE WHEN s.contested THEN 'IN_DISPUTE'
      WHEN s.refunded > 0 AND s.has <= s.refunded THEN 'REFUNDED' WHEN s.refunded > 0 THEN 'PARTLY_REFUNDED'
      WHEN s.due < 0 THEN 'OVERPAID' WHEN s.due = 0 AND (s.captured > 0 OR s.taken > 0 OR s.expected = 0) THEN 'PAID'
      WHEN s.captured > 0 OR s.taken > 0 THEN 'PARTLY_PAID' WHEN s.authorised > 0 THEN 'AUTHORISED' ELSE 'OPEN' END,
    (s.placed_at + make_interval(days => coalesce(p.days, 0)))::date, now()
  FROM sums s LEFT JOIN LATERAL (SELECT days FROM payments_paymentterm WHERE position(lower(method) IN
    lower(s.payment_method)) > 0 ORDER BY length(method) DESC LIMIT 1) p ON TRUE
  ORDER BY s.id
  ON CONFLICT (order_id) DO UPDATE SET currency = excluded.currency, expected = excluded.expected,
    authorised = excluded.authorised, captured = excluded.captured, refunded = excluded.refunded,
    disputed = excluded.disputed, written_off = excluded.written_off, moved = excluded.moved, open = excluded.open,
    overpaid = excluded.overpaid, state = excluded.state, due_on = excluded.due_on, refreshed_at = now()
  RETURNING order_id, state, captured, refunded)
SELECT w.order_id, w.state, b.state, w.captured - coalesce(b.captured, 0), w.refunded - coalesce(b.refunded, 0)
FROM written w LEFT JOIN before b ON b.order_id = w.order_id
WHERE b.order_id IS NULL OR b.state <> w.state OR b.captured <> w.captured OR b.refunded <> w.refunded
ORDER BY w.order_id
"""


@dataclass(frozen=True)
class Change:
    """What became of one order's money."""

    order_id: int
    state: str
    before: str
    captured: Decimal
    refunded: Decimal


@transaction.atomic
def refresh(order_ids: Iterable[int]) -> list[Change]:
    """Compute these orders anew, open and close their cases, and tell what changed; in the order of their ids."""
    ids = sorted(set(order_ids))
    changes: list[Change] = []
    for place in range(0, len(ids), BATCH):
        with database.cursor() as cursor:
            cursor.execute(_FIGURES, {"ids": ids[place : place + BATCH]})
            changes += [Change(row[0], row[1], row[2] or "", row[3], row[4]) for row in cursor.fetchall()]
    doubts.of_orders(ids)
    dispatch.publish(
        *[OrderMoneyChanged(order_id=one.order_id, status=one.state, before=one.before) for one in changes]
    )
    return changes


def item_of(order: Order) -> OpenItem:
    """How the order stands now; computed if it never was."""
    found = OpenItem.objects.filter(pk=order.pk).first()
    if found is None:
        refresh([order.pk])
        found = OpenItem.objects.get(pk=order.pk)
    return found


def is_kept() -> bool:
    """Whether anybody reports money; without that every order would look unpaid."""
    return Connection.objects.filter(role__in=(Role.PAYMENT, Role.BANK)).exists()


def catch_up(limit: int = BATCH) -> int:
    """Bring open items up to date that nobody did at once; returns how many orders.

    New orders and allocations of the sweep are found by their ids, cancelled or changed orders by what they are expected
    to bring.
    """
    if not is_kept():
        return 0
    ids = {*_beyond(NEW, limit), *_beyond(TIED, limit), *_drifted(limit)}
    refresh(ids)
    return len(ids)


@transaction.atomic
def _beyond(name: str, limit: int) -> list[int]:
    """The orders of the next new rows of a table; remembers how far that is."""
    state, _made = Progress.objects.select_for_update().get_or_create(name=name)
    rows: QuerySet[Any] = Order.objects.exclude(digest="") if name == NEW else Allocation.objects.all()
    column = "pk" if name == NEW else "order_id"
    found = list(rows.filter(pk__gt=state.after).order_by("pk").values_list("pk", column)[:limit])
    if found:
        Progress.objects.filter(pk=name).update(after=found[-1][0])
    return [order for _pk, order in found]


def _drifted(limit: int) -> list[int]:
    """Orders whose shop has changed what they are expected to bring."""
    gone = Q(order__state=OrderState.CANCELLED) | Q(order__stage__in=(OrderStage.CANCELLED, OrderStage.GONE))
    changed = (gone & ~Q(expected=0)) | (~gone & ~Q(expected=F("order__total")))
    return list(OpenItem.objects.filter(changed).values_list("pk", flat=True)[:limit])
