"""Polling: the second pair of eyes.  A window with overlap, a cursor that survives, pages stored with the cursor."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from uuid import uuid4

from django.conf import settings
from django.db import connection as database
from django.db import transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from integration_hub.connectors.base import Capability, Connector, Delivery, Page, Stream
from integration_hub.kernel.errors import HubError, Misconfigured, RetryLater
from integration_hub.kernel.text import say
from integration_hub.models import Connection, ExternalReference, InboundEvent, PollState
from integration_hub.models.inbound import Door

from . import cases, inbox, outbox

logger = logging.getLogger(__name__)

LEASE = timedelta(seconds=settings.HUB_POLL_LEASE)
SWEEP = Stream("sweep", timedelta(hours=6), timedelta(0), say("Deleted orders"))
SWEEP_DAYS = 60
SWEEP_PAGE = 100

_CLAIM = """
UPDATE integration_hub_pollstate SET lease_token = %s, due_at = statement_timestamp() + %s WHERE id = (
  SELECT p.id FROM integration_hub_pollstate p
  JOIN integration_hub_connection c ON c.id = p.connection_id AND c.state = 'ACTIVE'
  WHERE p.due_at <= statement_timestamp() ORDER BY p.due_at LIMIT 1 FOR UPDATE OF p SKIP LOCKED)
RETURNING id
"""


def streams(connection: Connection) -> list[Stream]:
    """What this connection is polled for: the connector's streams, and the sweep where it can say what is gone."""
    able = connection.capabilities
    found = list(connection.connector_class.streams) if Capability.POLL in able else []
    return [*found, SWEEP] if Capability.SWEEP in able else found


def prepare(connection: Connection) -> None:
    """Make the poll rows of a connection; call when it is created or its kind changes."""
    rows = [PollState(connection=connection, stream=stream.name) for stream in streams(connection)]
    PollState.objects.bulk_create(rows, ignore_conflicts=True)


def poll_now(connection: Connection) -> None:
    """Make every stream of the connection due."""
    prepare(connection)
    PollState.objects.filter(connection=connection).update(due_at=Now())


def work() -> int:
    """Poll one page of one due stream; returns 1, or 0 when nothing is due."""
    token = uuid4()
    with transaction.atomic(), database.cursor() as cursor:
        cursor.execute(_CLAIM, [token, LEASE])
        row = cursor.fetchone()
    if not row:
        return 0
    _work(PollState.objects.select_related("connection").get(pk=row[0]))
    return 1


def _work(state: PollState) -> None:
    stream = next((item for item in streams(state.connection) if item.name == state.stream), None)
    if stream is None:
        state.delete()
        return
    started = state.until or timezone.now()
    try:
        connector = state.connection.connector()
        page = _sweep(state, connector) if stream is SWEEP else connector.poll(stream.name, state.since, state.token)
    except Misconfigured as error:
        with transaction.atomic():
            _failed(state, error)
            cases.connection_misconfigured(state.connection, error)
        return
    except HubError as error:
        _failed(state, error)
        return
    except Exception as error:
        logger.exception("polling %s failed", state)
        _failed(state, RetryLater(say("A defect of the hub while polling (%(error)s).", error=type(error).__name__)))
        cases.poll_defect(state.connection, state.stream, type(error).__name__)
        return
    _keep(state, stream, page, started)


def _keep(state: PollState, stream: Stream, page: Page, started: datetime) -> None:
    """Store the page and move the cursor in one transaction, so a crash repeats the page and loses nothing."""
    with transaction.atomic():
        new = _store(state.connection, stream, page)
        more = page.token is not None
        changes = (
            {"token": page.token, "until": started, "due_at": Now()}
            if more
            else {"token": None, "until": None, "since": started - stream.overlap, "due_at": Now() + stream.every}
        )
        _mine(state).update(
            lease_token=None, failures=0, last_ok_at=Now(), last_error={}, found=F("found") + len(new), **changes
        )
        cases.poll_worked(state.connection, state.stream)


def _store(connection: Connection, stream: Stream, page: Page) -> list[int]:
    if stream is SWEEP:
        return inbox.store(connection, page.deliveries, Door.SWEEP, salt=timezone.now().date().isoformat())
    if not stream.restates:
        return inbox.store(connection, page.deliveries, Door.POLL)
    return [pk for delivery in page.deliveries for pk in _store_if_moved(connection, delivery)]


def _store_if_moved(connection: Connection, delivery: Delivery) -> list[int]:
    """A state that has no time of its own is an event when it differs from the last one we saw."""
    last = (
        InboundEvent.objects.filter(connection=connection, topic=delivery.topic, object_id=delivery.object_id)
        .order_by("-pk")
        .first()
    )
    if last and bytes(last.body) == delivery.body:
        return []
    return inbox.store(connection, [delivery], Door.POLL, salt=str(last.pk) if last else "")


def _mine(state: PollState) -> QuerySet[PollState]:
    return PollState.objects.filter(pk=state.pk, lease_token=state.lease_token)


def _failed(state: PollState, error: HubError) -> None:
    wait = (error.after if isinstance(error, RetryLater) else None) or outbox.backoff(state.failures + 2)
    _mine(state).update(
        lease_token=None,
        due_at=Now() + wait,
        failures=F("failures") + 1,
        last_error=error.text.as_json() | {"at": timezone.now().isoformat()},
    )
    cases.poll_failing(state.connection, state.stream, error, since=state.last_ok_at)


def _sweep(state: PollState, connector: Connector) -> Page:
    """Ask about our recent orders, a page at a time; what is gone there becomes a delivery of its own."""
    after = int(state.token or 0)
    known = list(
        ExternalReference.objects.filter(
            connection=state.connection,
            kind="order",
            gone=False,
            pk__gt=after,
            created_at__gte=timezone.now() - timedelta(days=SWEEP_DAYS),
        )
        .order_by("pk")
        .values_list("pk", "external_id")[:SWEEP_PAGE]
    )
    gone = connector.gone([external for _pk, external in known]) if known else ()
    token = str(known[-1][0]) if len(known) == SWEEP_PAGE else None
    return Page([connector.gone_delivery(external) for external in gone], token)
