"""The way in: store first, understand later."""

from __future__ import annotations

import hashlib
import logging
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
from django.conf import settings
from django.db import OperationalError, transaction
from django.db import connection as database
from django.db.models.functions import Coalesce, Now

from integration_hub.connectors.base import Connector, Delivery
from integration_hub.kernel import codec
from integration_hub.kernel.errors import HubError, Misconfigured, Rejected, RetryLater, Unauthentic
from integration_hub.kernel.messages import Report
from integration_hub.kernel.text import Text, say
from integration_hub.models import Connection, InboundEvent
from integration_hub.models.inbound import Door, EventState

from . import breakers, bulk, cases, claims, dispatch, leases, pump, stop

logger = logging.getLogger(__name__)

LEASE = timedelta(seconds=settings.HUB_EVENT_LEASE)
BATCH = 50
LONGEST_BATCH = 20.0  # seconds
LONGEST_FOLLOW = 30.0

_INSERT = """
INSERT INTO integration_hub_inboundevent (connection_id, door, topic, object_id, digest, sender_key, body, context, bulk)
VALUES %s ON CONFLICT DO NOTHING RETURNING id
"""
_VALUES = "(%s, %s, %s, %s, %s, %s, %s, %s, %s)"
_BACKFILL = "SELECT EXISTS (SELECT 1 FROM integration_hub_inboundevent WHERE bulk AND state = 'DUE')"
REMEMBERED = 1.0  # seconds until a backfill that has begun is noticed


def store(
    connection: Connection,
    deliveries: Sequence[Delivery],
    door: str,
    *,
    sender_key: str = "",
    salt: str = "",
    backfill: bool = False,
) -> list[int]:
    """Keep what was said; a repeat changes nothing.  Returns the ids of the new events; durable when this commits.

    ``salt`` sets apart what is said again in the same words later on and means it (a state that came back).
    """
    rows = [[*_row(connection, delivery, door, sender_key, salt), backfill] for delivery in deliveries]
    if not rows:
        return []
    if not backfill and _backfill_waits():
        _promote(connection, [row[3] for row in rows])
    new = _insert(rows)
    if new:
        pump.kick("bulk_in" if backfill else "in")
    return new


def _insert(rows: Sequence[Sequence[Any]]) -> list[int]:
    """The new ids.  One statement: a commit of its own where no transaction is open.

    psycopg's own cursor sends the body as bytes beside the statement, where Django's writes it into the text, twice as long;
    and the statement for one row is planned once per session, as planning costs more than the row.
    """
    statement, values = _INSERT % ", ".join([_VALUES] * len(rows)), [value for row in rows for value in row]
    with database.cursor() as door, database.wrap_database_errors, psycopg.Cursor(door.connection) as cursor:
        cursor.execute(statement, values, prepare=len(rows) == 1)
        return [row[0] for row in cursor.fetchall()]


_waits: tuple[float, bool] = (0.0, False)


def _backfill_waits() -> bool:
    """Whether any backfill waits, asked once a second: to ask for each message costs as much as to store it."""
    global _waits  # noqa: PLW0603  what this process saw last
    if _waits[0] <= time.monotonic():
        with database.cursor() as cursor:
            cursor.execute(_BACKFILL)
            _waits = (time.monotonic() + REMEMBERED, bool((cursor.fetchone() or [False])[0]))
    return _waits[1]


def _promote(connection: Connection, objects: Sequence[str]) -> None:
    """What is new about an object must not wait behind what a backfill says of it, and not overtake it either."""
    waiting = InboundEvent.objects.filter(connection=connection, object_id__in=objects, bulk=True, state=EventState.DUE)
    waiting.exclude(object_id="").update(bulk=False)


def _row(connection: Connection, delivery: Delivery, door: str, sender_key: str, salt: str) -> list[Any]:
    return [
        connection.pk,
        door,
        delivery.topic[:80],
        delivery.object_id[:120],
        hashlib.sha256(delivery.body + (salt + delivery.salt).encode()).digest(),
        (sender_key or delivery.key)[:255],
        delivery.body,
        codec.dumps(dict(delivery.context)) if delivery.context else "{}",
    ]


def stored_before(connection: Connection, delivery: Delivery) -> InboundEvent | None:
    """The event that already holds exactly this."""
    return InboundEvent.objects.filter(
        connection=connection,
        topic=delivery.topic[:80],
        object_id=delivery.object_id[:120],
        digest=hashlib.sha256(delivery.body).digest(),
    ).first()


def store_if_moved(connection: Connection, delivery: Delivery, door: str, *, backfill: bool = False) -> list[int]:
    """A state that has no time of its own is an event when it differs from the last one we saw.

    What was only told counts once more when it was asked for: of two states of one moment the asked one came last.
    """
    rows = InboundEvent.objects.filter(connection=connection, topic=delivery.topic, object_id=delivery.object_id)
    last = rows.order_by("-pk").first()
    if last and bytes(last.body) == delivery.body and (last.door != Door.WEBHOOK or door == Door.WEBHOOK):
        return []
    return store(connection, [delivery], door, salt=str(last.pk) if last else "", backfill=backfill)


def process(limit: int = BATCH, *, backfill: bool = False) -> int:
    """Work off one batch of due events of a lane; returns how many."""
    token, ids = claims.claim(InboundEvent, limit=limit, lease=LEASE, bulk=backfill)
    if ids:
        with leases.turn(InboundEvent, token) as turn, bulk.working(backfill):
            _work(token, ids, turn)
    return len(ids)


def _work(token: UUID, ids: Sequence[int], turn: leases.Turn) -> None:
    if stop.asked():
        return
    rows = InboundEvent.objects.filter(pk__in=ids, lease_token=token).select_related("connection__breaker")
    events = list(rows.order_by("pk"))
    reading = Reading({}, {})
    done = _at_once([event for event in events if event.attempts == 1], token, reading)
    until = time.monotonic() + LONGEST_BATCH
    for event in events:
        if event.pk not in done:
            if stop.asked() or time.monotonic() > until:
                return  # the rest is given back: asking a slow system holds up nobody else
            turn.at = event.pk
            _process(event, reading)
    turn.over = True


def process_bulk() -> int:
    """The same for what comes from a backfill."""
    return process(backfill=True)


@dataclass(frozen=True)
class Reading:
    """What a batch has read so far: connectors by connection, reports by event."""

    connectors: dict[int, Connector]
    reports: dict[int, Sequence[Report]]

    def connector_of(self, event: InboundEvent) -> Connector:
        connector = self.connectors.get(event.connection_id)
        if connector is None:
            connector = self.connectors[event.connection_id] = event.connection.connector()
        return connector

    def is_hint(self, event: InboundEvent) -> bool:
        return self.connector_of(event).is_hint(delivery_of(event))

    def reports_of(self, event: InboundEvent) -> Sequence[Report]:
        if event.pk not in self.reports:
            self.reports[event.pk] = reports_of(event, self.connector_of(event))
        return self.reports[event.pk]


def _at_once(events: Sequence[InboundEvent], token: UUID, reading: Reading) -> set[int]:
    """Let the floors above take what is plain in one transaction; whatever goes wrong there is done one by one."""
    try:
        with transaction.atomic():
            done = dispatch.handle_batch(_plain(events, reading))
            _finish(done, token)
    except Exception as error:  # noqa: BLE001  the way one by one meets it again, and records it there
        logger.info("a batch is taken one by one: %s", type(error).__name__)
        return set()
    return done


def _finish(done: set[int], token: UUID) -> None:
    mine = InboundEvent.objects.filter(pk__in=done, lease_token=token, state=EventState.LEASED)
    if mine.update(state=EventState.DONE, lease_token=None, finished_at=Now(), reason={}) != len(done):
        raise RetryLater(say("Another worker has taken this event over."))


def _plain(events: Sequence[InboundEvent], reading: Reading) -> list[dispatch.Given]:
    """Events that state exactly one thing; what cannot be read is left to the way that records why."""
    given: list[dispatch.Given] = []
    for event in events:
        try:
            if reading.is_hint(event):
                continue
            reports = reading.reports_of(event)
        except HubError:
            continue
        if len(reports) == 1:
            given.append((event.connection, reports[0], event))
    return given


def _process(event: InboundEvent, reading: Reading) -> None:
    if event.crashes >= claims.MAX_CRASHES:
        _park(event, say("The worker died %(times)s times on this event.", times=event.crashes), "kills_worker")
        return
    try:
        _take(event, reading)
    except RetryLater as error:
        _later(event, error, asked=reading.is_hint(event))
    except Rejected as error:
        _park(event, error.text, error.code or "not_understood", error.detail)
    except Misconfigured as error:
        _misconfigured(event, error)
    except OperationalError as error:
        # a deadlock or a lost database: our transaction is undone, the lease brings it back at the latest
        logger.warning("event %s: %s", event.pk, type(error).__name__)
        _later(event, RetryLater(say("The database was busy.")))
    except Exception:  # the edge that records: anything else is our own mistake
        trace = uuid4().hex[:12]
        logger.exception("defect %s while processing event %s", trace, event.pk)
        _park(event, say("A defect of the hub (trace %(trace)s).", trace=trace), "defect", trace)


def _take(event: InboundEvent, reading: Reading) -> None:
    if reading.is_hint(event):
        try:
            _follow(event, reading.connector_of(event))
        except Unauthentic as error:  # it only showed now that somebody else had sent it
            _not_true(event, error)
        return
    with transaction.atomic():
        _understand(event, reading)


@transaction.atomic
def _not_true(event: InboundEvent, error: Unauthentic) -> None:
    if claims.settle(event, state=EventState.IGNORED, lease_token=None, finished_at=Now(), **_why(error)):
        cases.event_over(event)


def _follow(event: InboundEvent, connector: Connector) -> None:
    """Read what the event points at, outside any transaction, and keep it as events of their own."""
    found = _asked(event, connector)
    none = say("points at nothing that the hub reads").as_json()
    outcome = {"state": EventState.DONE, "reason": {}} if found else {"state": EventState.IGNORED, "reason": none}
    with transaction.atomic():
        for delivery in found:
            store_if_moved(event.connection, delivery, event.door, backfill=event.bulk)
        if not claims.settle(event, lease_token=None, finished_at=Now(), reason_code="", **outcome):
            raise RetryLater(say("Another worker has taken this event over."))
        cases.event_over(event)


def _asked(event: InboundEvent, connector: Connector) -> Sequence[Delivery]:
    """The answer of the system, which the connection's breaker hears of."""
    if not breakers.is_closed(event.connection):
        raise RetryLater(say("Calls to this system are interrupted."), code="interrupted")
    connector.http.deadline = time.monotonic() + LONGEST_FOLLOW
    try:
        found = connector.follow(delivery_of(event))
    except HubError as error:
        if connector.http.exchanges:
            breakers.ended(event.connection, error)
        raise
    finally:
        asked = bool(connector.http.exchanges)
        connector.http.exchanges.clear()
    if asked:
        breakers.ended(event.connection)
    return found


def _understand(event: InboundEvent, reading: Reading) -> None:
    ignored = dispatch.handle(event.connection, reading.reports_of(event), event)
    outcome = EventState.IGNORED if ignored else EventState.DONE
    reason = say("%(why)s", why=ignored[:10]).as_json() if ignored else {}
    if not claims.settle(event, state=outcome, lease_token=None, finished_at=Now(), reason=reason, reason_code=""):
        raise RetryLater(say("Another worker has taken this event over."))
    cases.event_over(event)


def reports_of(event: InboundEvent, connector: Connector | None = None) -> Sequence[Report]:
    """What the event states, translated."""
    connector = connector or event.connection.connector()
    return connector.parse(delivery_of(event))


def delivery_of(event: InboundEvent) -> Delivery:
    """The event as it came in."""
    return Delivery(event.topic, event.object_id, bytes(event.body), event.context, event.sender_key)


@transaction.atomic
def _later(event: InboundEvent, error: RetryLater, *, asked: bool = False) -> None:
    """Try again by and by; ``asked``: what the event points at was to be asked for."""
    wait = error.after or _backoff(event)
    since = Coalesce("first_failed_at", Now())
    failed: dict[str, Any] = {"due_at": Now() + wait, "first_failed_at": since, **_why(error)}
    if claims.settle(event, state=EventState.DUE, lease_token=None, **failed):
        cases.event_failing(event, error, asked=asked)


@transaction.atomic
def _misconfigured(event: InboundEvent, error: Misconfigured) -> None:
    """The event waits; one case for the connection, however many events wait for it."""
    later = Now() + _backoff(event)
    if claims.settle(event, state=EventState.DUE, lease_token=None, due_at=later, **_why(error)):
        cases.connection_misconfigured(event.connection, error)


def _backoff(event: InboundEvent) -> timedelta:
    longest = min(2.0 ** min(event.attempts, 12), settings.HUB_LONGEST_WAIT)
    return timedelta(seconds=max(1.0, longest * random.uniform(0.5, 1.0)))  # noqa: S311  spreads load, guards nothing


def _why(error: HubError) -> dict[str, Any]:
    return {"reason": error.text.as_json(), "reason_code": error.code[:60]}


def _park(event: InboundEvent, text: Text, code: str, detail: str = "") -> None:
    with transaction.atomic():
        parked = claims.settle(
            event,
            state=EventState.PARKED,
            lease_token=None,
            finished_at=Now(),
            reason=text.as_json(),
            reason_code=code[:60],
        )
        if parked:
            cases.event_parked(event, text, code, detail)


def requeue(event_id: int) -> bool:
    """Let a parked event run again."""
    changed = InboundEvent.objects.filter(pk=event_id, state=EventState.PARKED).update(
        state=EventState.DUE, due_at=Now(), crashes=0, attempts=1, first_failed_at=None, finished_at=None, bulk=False
    )
    if changed:
        pump.kick("in")
    return bool(changed)


__all__ = ["process", "process_bulk", "reports_of", "requeue", "store", "stored_before"]
