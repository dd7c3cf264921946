"""Polling: the second pair of eyes.  A window with overlap, a cursor that survives, pages stored with the cursor."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.conf import settings
from django.db import OperationalError, transaction
from django.db import connection as database
from django.db.models import F, QuerySet, Value
from django.db.models.functions import Least, Now
from django.utils import timezone

from integration_hub.connectors.base import Capability, Connector, Page, Stream
from integration_hub.kernel.errors import HubError, Misconfigured, RetryLater
from integration_hub.kernel.text import say
from integration_hub.models import Connection, ExternalReference, PollState
from integration_hub.models.inbound import Door

from . import breakers, cases, claims, inbox, leases, pump, tries

logger = logging.getLogger(__name__)

LEASE = timedelta(seconds=settings.HUB_POLL_LEASE)
SWEEP = Stream("sweep", timedelta(hours=6), timedelta(0), say("Deleted orders"))
SWEEP_GOODS = Stream("sweep_products", timedelta(days=1), timedelta(0), say("Deleted articles"))
SWEEP_DAYS = 60
PUT_OFF = timedelta(minutes=1)
BACKFILL = timedelta(seconds=settings.HUB_BULK_AFTER)  # a window reaching back further is no news
SWEEP_PAGE = 100

_CLAIM = f"""
UPDATE integration_hub_pollstate SET lease_token = %s, due_at = statement_timestamp() + %s WHERE id = (
  SELECT p.id FROM integration_hub_pollstate p
  JOIN integration_hub_connection c ON c.id = p.connection_id AND c.state = 'ACTIVE'
  LEFT JOIN integration_hub_breaker b ON b.connection_id = c.id
  WHERE p.due_at <= statement_timestamp() AND (b IS NULL OR {claims.IN_USE})
  ORDER BY p.due_at, p.id LIMIT 1 FOR UPDATE OF p SKIP LOCKED)
RETURNING id, connection_id, statement_timestamp()
"""
# where no command tries whether a system is back, a poll does; one that failed need not wait for its own next try
_CLAIM_TRIAL = f"""
UPDATE integration_hub_pollstate SET lease_token = %s, due_at = statement_timestamp() + %s WHERE id = (
  SELECT p.id FROM integration_hub_breaker b
  JOIN integration_hub_connection c ON c.id = b.connection_id AND c.state = 'ACTIVE'
  JOIN integration_hub_pollstate p ON p.connection_id = c.id
  WHERE {claims.ON_TRIAL} AND (p.due_at <= statement_timestamp() OR (p.lease_token IS NULL AND p.failures > 0))
  ORDER BY b.probe_at, p.due_at, p.id LIMIT 1 FOR UPDATE OF b, p SKIP LOCKED)
RETURNING id, connection_id, statement_timestamp()
"""


def streams(connection: Connection) -> list[Stream]:
    """What this connection is polled for: the connector's streams, and the sweep where it can say what is gone."""
    able = connection.capabilities
    found = list(connection.connector_class.streams) if Capability.POLL in able else []
    found += [SWEEP] if Capability.SWEEP in able else []
    return [*found, SWEEP_GOODS] if Capability.SWEEP_PRODUCTS in able else found


# what of a connection the hub knows and could be gone: rows after this id, a page of them, as (id, id there)
Known = Callable[[Connection, int, int], Sequence[tuple[int, str]]]
_goods: list[Known] = []


def register_goods(known: Known) -> None:
    """Called once, by the wiring: who knows the articles of a connection."""
    _goods[:] = [known]


def prepare(connection: Connection) -> None:
    """Make the poll rows of a connection; call when it is created or its kind changes."""
    rows = [PollState(connection=connection, stream=stream.name) for stream in streams(connection)]
    PollState.objects.bulk_create(rows, ignore_conflicts=True)


def poll_now(connection: Connection) -> None:
    """Make every stream of the connection due."""
    prepare(connection)
    PollState.objects.filter(connection=connection).update(due_at=Now())


def poll_again(connection: Connection, stream: str, *, since: datetime) -> None:
    """Read a stream again from this moment on, now; what is known already is a repeat and changes nothing."""
    PollState.objects.filter(connection=connection, stream=stream).update(
        since=Least("since", Value(since)), token=None, until=None, lease_token=None, due_at=Now()
    )


def due(connection: Connection, stream: str) -> None:
    """Ask this one stream as soon as possible."""
    if PollState.objects.filter(connection=connection, stream=stream, due_at__gt=Now()).update(due_at=Now()):
        pump.kick("poll")


def work() -> int:
    """Poll one page of one due stream; returns 1, or 0 when nothing is due."""
    found = _claim()
    if not found:
        return 0
    pk, now = found
    state = PollState.objects.select_related("connection", "connection__breaker").get(pk=pk)
    if asked := _work(state, now):
        breakers.ended(state.connection, asked[0])
    return 1


def _claim() -> tuple[int, datetime] | None:
    """A stream that is ours for a while, and the database's time: the clock of this host decides nothing."""
    mine: list[Any] = [leases.token(), LEASE]
    with transaction.atomic(), database.cursor() as cursor:
        cursor.execute(_CLAIM, mine)
        if row := cursor.fetchone():
            return int(row[0]), row[2]
        cursor.execute(_CLAIM_TRIAL, mine)
        if row := cursor.fetchone():
            cursor.execute(claims.TRIAL, [mine[1], row[1]])
            return int(row[0]), row[2]
    return None


def _work(state: PollState, now: datetime) -> tuple[HubError | None] | None:
    """Poll and keep; what came of asking the system, or None where it was not asked."""
    stream = next((item for item in streams(state.connection) if item.name == state.stream), None)
    if stream is None:
        state.delete()
        return None
    if state.since is None and _not_yet(state, stream):
        return None
    try:
        connector = state.connection.connector()
        page = _page(state, stream, connector, now)
    except Misconfigured as error:
        with transaction.atomic():
            _failed(state, error)
            cases.connection_misconfigured(state.connection, error)
        return (error,)
    except HubError as error:
        _failed(state, error)
        return (error,)
    except OperationalError:
        raise  # our own database: the lease brings the page back
    except Exception as error:
        logger.exception("polling %s failed", state)
        defect = RetryLater(say("A defect of the hub while polling (%(error)s).", error=type(error).__name__))
        _failed(state, defect)
        cases.poll_defect(state.connection, state.stream, type(error).__name__)
        return (defect,)
    _keep(state, stream, page, now)
    return (None,)


def _not_yet(state: PollState, stream: Stream) -> bool:
    """Put off what speaks of things that are still being read for the first time; where that fails it does not wait."""
    first = PollState.objects.filter(connection=state.connection_id, stream=stream.after, since=None, failures=0)
    return first.exists() and bool(_mine(state).update(lease_token=None, due_at=Now() + PUT_OFF))


def _read_through(state: PollState) -> None:
    """What waited for this stream to be read for the first time is due."""
    waiting = [other.name for other in streams(state.connection) if other.after == state.stream]
    PollState.objects.filter(connection=state.connection_id, stream__in=waiting, since=None).update(due_at=Now())


def _page(state: PollState, stream: Stream, connector: Connector, now: datetime) -> Page:
    if stream is SWEEP:
        return _sweep(state, connector, now)
    if stream is SWEEP_GOODS:
        return _sweep_goods(state, connector)
    return connector.poll(stream.name, state.since, state.token)


def _keep(state: PollState, stream: Stream, page: Page, now: datetime) -> None:
    """Store the page and move the cursor in one transaction, so a crash repeats the page and loses nothing."""
    started = state.until or now
    with transaction.atomic():
        new = _store(state, stream, page, now)
        more = page.token is not None
        changes = (
            {"token": page.token, "until": started, "due_at": Now()}
            if more
            else {"token": None, "until": None, "since": started - stream.overlap, "due_at": Now() + stream.every}
        )
        _mine(state).update(
            lease_token=None, failures=0, last_ok_at=Now(), last_error={}, found=F("found") + len(new), **changes
        )
        if state.since is None and not more:
            _read_through(state)
        cases.poll_worked(state.connection, state.stream)


def _store(state: PollState, stream: Stream, page: Page, now: datetime) -> list[int]:
    backfill = state.since is None or now - state.since > BACKFILL
    if stream in (SWEEP, SWEEP_GOODS):
        return inbox.store(state.connection, page.deliveries, Door.SWEEP, salt=now.date().isoformat())
    if not stream.restates:
        return inbox.store(state.connection, page.deliveries, Door.POLL, backfill=backfill)
    keep = partial(inbox.store_if_moved, state.connection, door=Door.POLL, backfill=backfill)
    return [pk for delivery in page.deliveries for pk in keep(delivery)]


def _mine(state: PollState) -> QuerySet[PollState]:
    return PollState.objects.filter(pk=state.pk, lease_token=state.lease_token)


def _failed(state: PollState, error: HubError) -> None:
    wait = (error.after if isinstance(error, RetryLater) else None) or tries.backoff(state.failures + 2)
    _mine(state).update(
        lease_token=None,
        due_at=Now() + wait,
        failures=F("failures") + 1,
        last_error=error.text.as_json() | {"at": timezone.now().isoformat()},
    )
    cases.poll_failing(state.connection, state.stream, error, since=state.last_ok_at)


def _sweep(state: PollState, connector: Connector, now: datetime) -> Page:
    """Ask about our recent orders, a page at a time; what is gone there becomes a delivery of its own."""
    after = int(state.token or 0)
    known = list(
        ExternalReference.objects.filter(
            connection=state.connection,
            kind="order",
            gone=False,
            pk__gt=after,
            created_at__gte=now - timedelta(days=SWEEP_DAYS),
        )
        .order_by("pk")
        .values_list("pk", "external_id")[:SWEEP_PAGE]
    )
    gone = connector.gone([external for _pk, external in known]) if known else ()
    token = str(known[-1][0]) if len(known) == SWEEP_PAGE else None
    return Page([connector.gone_delivery(external) for external in gone], token)


def _sweep_goods(state: PollState, connector: Connector) -> Page:
    """The same for articles: few systems say when one is deleted."""
    known = [row for ask in _goods for row in ask(state.connection, int(state.token or 0), SWEEP_PAGE)]
    gone = connector.gone_products([external for _pk, external in known]) if known else ()
    token = str(known[-1][0]) if len(known) == SWEEP_PAGE else None
    return Page([connector.gone_product_delivery(external) for external in gone], token)
