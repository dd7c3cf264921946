"""Counting the hours: what came in, went out and was tried, how long it took, kept as rows of ``Figure``.

An hour is counted from the rows themselves, all of it at once, so counting it again changes nothing.  The hour under way and
the one before are counted every minute; hours that were missed (no worker, a new hub with old rows) follow, newest first.
Days are sums of their hours, by the merchant's clock.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db import connection as database
from django.db import transaction
from django.utils import timezone

from exceptions.models import ExceptionCase
from integration_hub.backoffice.spread import BASE
from integration_hub.models import Figure
from integration_hub.models.figure import Span
from inventory.services import demand
from orders.models import Order

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
SETTLED = timedelta(minutes=5)  # after its end nothing is written with a time of that hour any more
BACK = timedelta(days=35)
KEPT = timedelta(days=40)
BUDGET = 8.0  # seconds of one run, well below what a duty may take
MARK, RISK = "counted", "risk"

# what -> a query for its facts in [since, until): when, connection, key, whether it stands out, milliseconds (null: none)
FACTS: Mapping[str, str] = {
    "orders": """SELECT placed_at, channel_id, '', FALSE, NULL::float8 FROM orders_order
        WHERE placed_at >= %(since)s AND placed_at < %(until)s AND digest <> ''""",
    "received": """SELECT received_at, connection_id, door, FALSE, NULL::float8 FROM integration_hub_inboundevent
        WHERE received_at >= %(since)s AND received_at < %(until)s""",
    # a backfill waits its turn on purpose, so it says nothing about delay
    "in": """SELECT finished_at, connection_id, '', state = 'PARKED',
          CASE WHEN NOT bulk THEN extract(epoch FROM finished_at - received_at) * 1000 END
        FROM integration_hub_inboundevent WHERE finished_at >= %(since)s AND finished_at < %(until)s""",
    "out": """SELECT finished_at, connection_id, verb, state = 'PARKED',
          CASE WHEN NOT bulk AND state = 'DONE' THEN extract(epoch FROM finished_at - created_at) * 1000 END
        FROM integration_hub_outboundcommand
        WHERE finished_at >= %(since)s AND finished_at < %(until)s AND state <> 'CANCELLED'""",
    "tries": """SELECT a.started_at, c.connection_id, c.verb, a.outcome NOT IN ('DONE', 'FOUND'), a.ms::float8
        FROM integration_hub_attempt a JOIN integration_hub_outboundcommand c ON c.id = a.command_id
        WHERE a.started_at >= %(since)s AND a.started_at < %(until)s""",
    # from the message that let the order go; where a person let it go (later than its last message), from then on
    "delay": """SELECT c.finished_at, c.connection_id, c.verb, FALSE, extract(epoch FROM c.finished_at - CASE
          WHEN e.received_at IS NULL OR c.created_at > e.finished_at THEN c.created_at ELSE e.received_at END) * 1000
        FROM integration_hub_outboundcommand c JOIN orders_order o ON o.id = c.subject_id
        LEFT JOIN LATERAL (SELECT received_at, finished_at FROM integration_hub_inboundevent
          WHERE connection_id = o.channel_id AND object_id = o.external_id AND received_at <= c.created_at
          ORDER BY id DESC LIMIT 1) e ON TRUE
        WHERE c.finished_at >= %(since)s AND c.finished_at < %(until)s AND c.verb = 'sale.write' AND c.state = 'DONE'
          AND c.subject_type_id = %(order)s AND NOT c.bulk""",
    # from the message that brought the trouble to its case; marked: the same trouble was closed within 30 days before
    "opened": """SELECT c.first_seen_at, NULL::bigint, c.kind, EXISTS (SELECT FROM exceptions_exceptioncase b
          WHERE b.kind = c.kind AND b.cause = c.cause AND b.state <> 'OPEN' AND b.id < c.id
            AND b.closed_at > c.first_seen_at - interval '30 days'),
          extract(epoch FROM c.first_seen_at - e.at) * 1000
        FROM exceptions_exceptioncase c LEFT JOIN LATERAL (SELECT min(coalesce(e.received_at, told.received_at)) AS at
          FROM exceptions_casesubject s LEFT JOIN integration_hub_inboundevent e ON e.id = s.event_id
          LEFT JOIN orders_order o ON s.subject_type_id = %(order)s AND o.id = s.subject_id
          LEFT JOIN LATERAL (SELECT received_at FROM integration_hub_inboundevent
            WHERE connection_id = o.channel_id AND object_id = o.external_id AND received_at <= c.first_seen_at
            ORDER BY id DESC LIMIT 1) told ON TRUE
          WHERE s.case_id = c.id AND s.added_at <= c.first_seen_at + interval '1 minute') e ON TRUE
        WHERE c.first_seen_at >= %(since)s AND c.first_seen_at < %(until)s""",
    "looked": """SELECT l.at, NULL::bigint, c.kind, FALSE, extract(epoch FROM l.at - c.first_seen_at) * 1000
        FROM integration_hub_firstlook l JOIN exceptions_exceptioncase c ON c.id = l.subject_id
        WHERE l.subject_type_id = %(case)s AND l.at >= %(since)s AND l.at < %(until)s""",
    # marked: closed without anybody's hand
    "closed": """SELECT closed_at, NULL::bigint, kind, state = 'SOLVED' AND closed_by_id IS NULL,
          extract(epoch FROM closed_at - first_seen_at) * 1000 FROM exceptions_exceptioncase
        WHERE state IN ('SOLVED', 'DISMISSED') AND closed_at >= %(since)s AND closed_at < %(until)s""",
}

_COUNT = f"""
WITH facts (moment, connection_id, key, marked, ms) AS ({{facts}}),
placed AS (SELECT date_trunc('hour', moment, 'UTC') AS at, coalesce(connection_id, 0) AS c, key, marked, ms FROM facts),
counted AS (SELECT at, c, key, count(*) AS number, count(*) FILTER (WHERE marked) AS marked,
  CASE WHEN count(ms) > 0 THEN greatest(max(ms), 0)::bigint END AS worst FROM placed GROUP BY 1, 2, 3),
spread AS (SELECT at, c, key, jsonb_object_agg(bucket, n) AS buckets FROM (
  SELECT at, c, key, floor(ln(greatest(ms, 1)) / ln({BASE}))::int AS bucket, count(*) AS n
  FROM placed WHERE ms IS NOT NULL GROUP BY 1, 2, 3, 4) b GROUP BY 1, 2, 3)
INSERT INTO integration_hub_figure (span, at, what, key, connection_id, number, marked, worst_ms, buckets, counted_at)
SELECT 'HOUR', at, %(what)s, key, nullif(c, 0), number, marked, worst, coalesce(buckets, '{{{{}}}}'), statement_timestamp()
FROM counted LEFT JOIN spread USING (at, c, key)
"""  # noqa: S608  facts are the queries above

_ADD_UP = """
WITH hours AS (SELECT * FROM integration_hub_figure WHERE span = 'HOUR' AND what <> 'risk'
  AND at >= %(since)s AND at < %(until)s),
counted AS (SELECT what, key, coalesce(connection_id, 0) AS c, sum(number) AS number, sum(marked) AS marked,
  max(worst_ms) AS worst FROM hours GROUP BY 1, 2, 3),
spread AS (SELECT what, key, c, jsonb_object_agg(bucket, n) AS buckets FROM (
  SELECT what, h.key, coalesce(connection_id, 0) AS c, b.bucket, sum(b.n::bigint) AS n
  FROM hours h CROSS JOIN LATERAL jsonb_each_text(h.buckets) AS b (bucket, n) GROUP BY 1, 2, 3, 4) s GROUP BY 1, 2, 3)
INSERT INTO integration_hub_figure (span, at, what, key, connection_id, number, marked, worst_ms, buckets, counted_at)
SELECT 'DAY', %(since)s, what, key, nullif(c, 0), number, marked, worst, coalesce(buckets, '{}'), statement_timestamp()
FROM counted LEFT JOIN spread USING (what, key, c)
"""


@dataclass(frozen=True)
class Counted:
    """What a run did, and what it left for the next one."""

    hours: int
    left: int


def run() -> dict[str, Any]:
    """Count what is due within the time budget."""
    counted = count_due(timezone.now())
    return {"hours": counted.hours, "left": counted.left}


def count_due(now: datetime, budget: float = BUDGET) -> Counted:
    """Count the hours that are not settled, newest first, and the days they belong to."""
    until, due = time.monotonic() + budget, due_hours(now)
    done, days = 0, set[datetime]()
    for number, hours in enumerate(_stretches(due)):
        # the newest hours and one stretch of older ones are always done, so what was missed is caught up with
        if number > 1 and time.monotonic() > until:
            break
        count_hours(hours[-1], hours[0], now)
        days |= {day_of(hour) for hour in hours}
        done += len(hours)
    for day in days:
        add_up(day)
    _look_ahead(due[0])
    _forget(now)
    return Counted(done, len(due) - done)


def _stretches(hours: Sequence[datetime]) -> Iterator[list[datetime]]:
    """Hours without a gap between them, newest first, at most a day at a time."""
    stretch: list[datetime] = []
    for hour in hours:
        if stretch and (len(stretch) == 24 or stretch[-1] - hour != HOUR):
            yield stretch
            stretch = []
        stretch.append(hour)
    yield stretch


def due_hours(now: datetime) -> list[datetime]:
    """The hours of the last five weeks that were not counted after they had ended, newest first."""
    last = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    marks = Figure.objects.filter(span=Span.HOUR, what=MARK, number=1, at__gte=last - BACK)
    settled = set(marks.values_list("at", flat=True))
    return [hour for hour in _back(last, last - BACK) if hour not in settled]


def _back(last: datetime, first: datetime) -> Iterator[datetime]:
    while last >= first:
        yield last
        last -= HOUR


def day_of(hour: datetime) -> datetime:
    """The midnight, by the merchant's clock, before this hour."""
    return timezone.localtime(hour).replace(hour=0, minute=0, second=0, microsecond=0)


@transaction.atomic
def count_hours(first: datetime, last: datetime, now: datetime) -> None:
    """Count the hours from the first to the last afresh; those that ended a while before now are settled with that."""
    Figure.objects.filter(span=Span.HOUR, at__gte=first, at__lte=last).exclude(what=RISK).delete()
    kinds = {
        name: ContentType.objects.get_for_model(model).pk for name, model in (("order", Order), ("case", ExceptionCase))
    }
    with database.cursor() as cursor:
        for what, facts in FACTS.items():
            given: dict[str, Any] = {"since": first, "until": last + HOUR, "what": what} | kinds
            cursor.execute(_COUNT.format(facts=facts), given)
    marks = [(hour, int(now >= hour + HOUR + SETTLED)) for hour in _back(last, first)]
    Figure.objects.bulk_create(Figure(span=Span.HOUR, at=hour, what=MARK, number=done) for hour, done in marks)


@transaction.atomic
def add_up(day: datetime) -> None:
    """Add up the hours of one day, of which there are 23 to 25."""
    local = timezone.localtime(day)
    tomorrow = timezone.make_aware(local.replace(tzinfo=None) + DAY)
    Figure.objects.filter(span=Span.DAY, at=day).delete()
    with database.cursor() as cursor:
        cursor.execute(_ADD_UP, {"since": day, "until": tomorrow})


def _look_ahead(hour: datetime) -> None:
    """Once an hour, how many articles will be oversold: that question reads weeks of the ledger of stock."""
    if not Figure.objects.filter(span=Span.HOUR, at=hour, what=RISK).exists():
        Figure.objects.create(span=Span.HOUR, at=hour, what=RISK, number=len(demand.risks()))


def _forget(now: datetime) -> None:
    """Hours are kept for forty days, days for ever."""
    Figure.objects.filter(span=Span.HOUR, at__lt=now - KEPT).delete()
