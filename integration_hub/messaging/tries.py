"""One try at a command: sending it, and writing down what came of it, fenced by the lease."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.db import OperationalError, transaction
from django.db import connection as database
from django.db.models.functions import Coalesce, Now
from django.utils import timezone
from psycopg.types.json import Jsonb

from integration_hub.connectors.base import Connector
from integration_hub.kernel import codec
from integration_hub.kernel.errors import HubError, Misconfigured, Rejected, RetryLater
from integration_hub.kernel.messages import Command, Written
from integration_hub.kernel.text import say
from integration_hub.models import Attempt, OutboundCommand
from integration_hub.models.outbound import CommandState, Outcome
from integration_hub.models.patience import patiently

from . import cases, claims, dispatch, healed, pump

logger = logging.getLogger(__name__)

LEASE = timedelta(seconds=settings.HUB_COMMAND_LEASE)
DEADLINE = settings.HUB_COMMAND_LEASE * 5 / 8  # a connector may take so long; then nobody else sends meanwhile
AMBIGUOUS_WAIT = timedelta(seconds=settings.HUB_UNCLEAR_WAIT)  # it may still be writing; look when it is through
LONGEST_WAIT = timedelta(seconds=settings.HUB_LONGEST_WAIT)

Ended = tuple[Written, Outcome]


@dataclass(eq=False)
class Try:
    """One attempt in the making."""

    row: OutboundCommand
    started_at: datetime = field(default_factory=timezone.now)
    clock: float = field(default_factory=time.monotonic)
    connector: Connector | None = None
    payload: Command | None = None
    unclear: bool = False  # the target may hold the result of this or an earlier try
    started: bool = False
    ms: int | None = None  # how long it took; None: it has not ended
    ended: Ended | None = None
    error: BaseException | None = None

    @property
    def wrote(self) -> bool:
        """Whether the target has taken at least one of its writes."""
        return self.connector is not None and self.connector.http.wrote

    def begin(self) -> None:
        """Its time runs from now on."""
        self.started = True
        self.started_at, self.clock = timezone.now(), time.monotonic()
        if self.connector:
            self.connector.http.deadline = self.clock + DEADLINE

    def end(self) -> None:
        self.ms = round((time.monotonic() - self.clock) * 1000)

    def result(self) -> Ended:
        """How it ended; raises what it ended with."""
        if self.ended is None:
            raise self.error or RetryLater(say("It was not sent."))
        return self.ended

    def draft(self, number: int, outcome: Outcome, error: HubError | None = None) -> Attempt:
        """The attempt as a row, not written yet."""
        if self.ms is None:
            self.end()
        return Attempt(
            command=self.row,
            number=number,
            started_at=self.started_at,
            ms=self.ms or 0,
            outcome=outcome,
            reason_code=error.code[:60] if error else "",
            reason=error.text.as_json() if error else {},
            payload=self.payload or {},
            exchanges=self.connector.http.exchanges if self.connector else [],
        )

    def record(self, outcome: Outcome, error: HubError | None = None) -> Attempt:
        """Write the attempt down; call inside the transaction that settles the command."""
        made = self.draft(self.row.tries.count() + 1, outcome, error)
        record_all([made])
        return made


# not bulk_create: it puts values into arrays, and what a JSON text costs in an array is most of what sending costs
_RECORD = """
INSERT INTO integration_hub_attempt (command_id, number, started_at, ms, outcome, reason_code, reason, payload, exchanges)
VALUES %s RETURNING id
"""
_VALUES = "(%s, %s, %s, %s, %s, %s, %s, %s, %s)"


def record_all(attempts: Sequence[Attempt]) -> None:
    """Write drafts down and give them their keys; payload and exchanges may be messages, which JSON makes objects of."""
    values = [value for row in attempts for value in _values(row)]
    if not values:
        return
    with database.cursor() as cursor:
        cursor.execute(_RECORD % ", ".join([_VALUES] * len(attempts)), values)
        for row, found in zip(attempts, cursor.fetchall(), strict=True):
            row.pk = found[0]


def _values(row: Attempt) -> list[Any]:
    documents = [Jsonb(value, codec.dumps) for value in (row.reason, row.payload, row.exchanges)]
    return [row.command_id, row.number, row.started_at, row.ms, row.outcome, row.reason_code, *documents]


def send(attempt: Try, connector: Connector, payload: Command) -> Ended:
    """Outside any transaction: HTTP and nothing else, so a thread without a database may do it."""
    attempt.unclear = True
    try:
        written = connector.send(payload)
    except HubError as error:
        # a question that failed says nothing about the writes before it; what was refused can be sent anew
        wrote = connector.http.wrote and not isinstance(error, Rejected)
        attempt.unclear = getattr(error, "maybe_written", False) or wrote
        raise
    return written, Outcome.FOUND if written.was_there else Outcome.DONE


def try_sending(attempt: Try) -> None:
    """Send it and keep how that ended, for a thread that may not write it down."""
    if not (attempt.connector and attempt.payload):
        return
    attempt.begin()
    try:
        attempt.ended = send(attempt, attempt.connector, attempt.payload)
    except BaseException as error:  # noqa: BLE001  ``conclude`` meets it again, and records it there
        attempt.error = error
    attempt.end()


def conclude(attempt: Try, work: Callable[[], Ended | None]) -> HubError | None:
    """Do the rest of a try and write down what came of it; the error, for the breaker of the connection."""
    row = attempt.row
    try:
        if ended := work():
            patiently(lambda: _done(attempt, *ended))
    except (RetryLater, Rejected, Misconfigured) as error:
        return _failed(attempt, error)
    except OperationalError as error:
        logger.warning("command %s: %s", row.pk, type(error).__name__)
        busy = RetryLater(say("The database was busy."), maybe_written=attempt.unclear, code="busy")
        return _failed(attempt, busy)
    except Exception:  # the edge that records: anything else is our own mistake
        trace = uuid4().hex[:12]
        logger.exception("defect %s while sending command %s", trace, row.pk)
        words = say("A defect of the hub (trace %(trace)s).", trace=trace)
        return refused(attempt, Rejected(words, code="defect", detail=trace))
    return None if attempt.connector else RetryLater("", code="not_asked")


def _failed(attempt: Try, error: RetryLater | Rejected | Misconfigured) -> HubError:
    if isinstance(error, RetryLater):
        _later(attempt, error)
    elif isinstance(error, Misconfigured):
        _misconfigured(attempt, error)
    else:
        refused(attempt, error)
    return error


def _done(attempt: Try, written: Written, outcome: Outcome) -> None:
    row = attempt.row
    with transaction.atomic():
        mine = claims.settle(
            row,
            state=CommandState.CANCELLED if outcome == Outcome.UNFINISHED else CommandState.DONE,
            lease_token=None,
            finished_at=Now(),
            begun=False,
            result=codec.loads(codec.dumps(written)),
            reason={},
            reason_code="",
            first_failed_at=None,
        )
        if mine:
            made = attempt.record(outcome)
            dispatch.verb(row.verb).done(row, written, made)
            cases.command_over(row)
            healed.token_renewed(row, made)
    if mine:
        pump.kick("bulk_out" if row.bulk else "out")


def _later(attempt: Try, error: RetryLater) -> None:
    row = attempt.row
    wait = error.after or backoff(row.attempts)
    if error.maybe_written:
        wait = max(wait, AMBIGUOUS_WAIT)
    with transaction.atomic():
        mine = claims.settle(
            row,
            state=CommandState.DUE,
            lease_token=None,
            due_at=Now() + wait,
            maybe_sent=attempt.unclear,
            first_failed_at=Coalesce("first_failed_at", Now()),
            reason=error.text.as_json(),
            reason_code=error.code[:60],
        )
        if mine:
            attempt.record(Outcome.AMBIGUOUS if error.maybe_written else Outcome.RETRY, error)
            cases.command_failing(row, error)


def backoff(attempts: int) -> timedelta:
    """Doubling from two seconds to an hour, with jitter so that a crowd does not come back at once."""
    seconds = min(2.0 ** min(attempts, 12), LONGEST_WAIT.total_seconds())
    return timedelta(seconds=seconds * random.uniform(0.5, 1.5))  # noqa: S311  spreads load, guards nothing


def refused(attempt: Try, error: Rejected) -> Rejected:
    """Park it with a case: a person decides."""
    row = attempt.row
    with transaction.atomic():
        mine = claims.settle(
            row,
            state=CommandState.PARKED,
            lease_token=None,
            maybe_sent=attempt.unclear,
            begun=row.begun or attempt.wrote,
            reason=error.text.as_json(),
            reason_code=error.code[:60],
        )
        if mine:
            attempt.record(Outcome.DEFECT if error.code == "defect" else Outcome.REFUSED, error)
            cases.command_refused(row, error)
    return error


def _misconfigured(attempt: Try, error: Misconfigured) -> None:
    row = attempt.row
    with transaction.atomic():
        mine = claims.settle(
            row,
            state=CommandState.DUE,
            lease_token=None,
            due_at=Now() + backoff(row.attempts),
            maybe_sent=attempt.unclear,
            reason=error.text.as_json(),
            reason_code=error.code[:60],
        )
        if mine:
            attempt.record(Outcome.MISCONFIGURED, error)
            cases.connection_misconfigured(row.connection, error)
