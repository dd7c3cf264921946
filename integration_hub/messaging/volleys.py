"""Volleys: plain commands of one connection, built in one transaction, sent side by side, settled together in stages.

Plain is what was never sent before and what ``Verb.many`` can build.  All else, and what a volley cannot settle, is left to
the way one by one (``outbox``, ``tries``), which records what is the matter.  Threads do HTTP and nothing else; the database
belongs to the thread that began.  Trouble with the connection, a stop or the end of the time halts a volley: what has not
been begun is given back as never sent.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import defaultdict, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Count

from integration_hub.kernel import codec
from integration_hub.kernel.errors import RetryLater
from integration_hub.kernel.messages import Command, WriteSale
from integration_hub.kernel.text import say
from integration_hub.models import Attempt, Connection, OutboundCommand
from integration_hub.models.patience import patiently

from . import breakers, bulk, cases, claims, dispatch, healed, leases, pump, stop, tries
from .tries import Try

logger = logging.getLogger(__name__)

MOST = 40
SPAN = 2.0  # seconds a volley is to take: so long may the intent stand before the request leaves
STAGE = (
    0.25  # seconds between settlements: what a killed worker leaves unclear is what ended since, and what is under way
)
BEGIN_WITHIN = settings.HUB_COMMAND_LEASE / 4  # with the deadline of what is begun last, still well within the lease

_pace: dict[int, float] = {}  # connection -> seconds a command takes there, as this process has seen


def most(connection: int, at_a_time: int) -> int:
    """How many commands to take of a connection: what goes out in SPAN; a first time as many as go at a time."""
    pace = _pace.get(connection)
    return min(MOST, max(at_a_time, int(SPAN * at_a_time / pace))) if pace else min(MOST, at_a_time)


@dataclass(frozen=True)
class Flown:
    """What became of a volley: the commands it has seen to, and whether the connection is to be left alone now."""

    ids: frozenset[int] = frozenset()
    halted: bool = False


def fly(rows: Sequence[OutboundCommand], token: UUID, until: float, turn: leases.Turn) -> Flown:
    """Send those of these commands to one connection that are plain, beginning none after ``until`` (monotonic)."""
    plain = [row for row in rows if _is_plain(row)]
    if len(plain) < 2:
        return Flown()
    attempts = _prepared(plain, token)
    if not attempts:
        return Flown()
    ids = frozenset(attempt.row.pk for attempt in attempts)
    turn.together, turn.at = ids, attempts[0].row.pk
    volley = _Volley(attempts, token, until)
    with bulk.working(rows[0].bulk):
        volley.run()
    turn.together = ()
    return Flown(ids, volley.halted)


def _is_plain(row: OutboundCommand) -> bool:
    verb = dispatch.verbs().get(row.verb)
    return bool(
        verb and verb.many and not (row.maybe_sent or row.begun or row.crashes) and breakers.is_closed(row.connection)
    )


def _prepared(plain: Sequence[OutboundCommand], token: UUID) -> list[Try]:
    """Tries with payload and connector, their intent committed; none where anything goes wrong."""
    try:
        make = plain[0].connection.connectors()
        connectors = {row.pk: make() for row in plain}
        payloads = patiently(lambda: _intended(plain, token))
    except Exception as error:  # noqa: BLE001  the way one by one meets it again, and records it there
        logger.info("a volley is sent one by one: %s", type(error).__name__)
        return []
    fit = [row for row in plain if row.pk in payloads]
    return [Try(row, connector=connectors[row.pk], payload=payloads[row.pk]) for row in fit]


@transaction.atomic
def _intended(plain: Sequence[OutboundCommand], token: UUID) -> Mapping[int, Command]:
    """Build from the rows as they are now and write all intents down; subjects are locked, as ``outbox`` does for one."""
    payloads: dict[int, Command] = {}
    for verb, rows in _by_verb(plain).items():
        many = dispatch.verb(verb).many
        payloads |= many.build(rows) if many else {}
    if not claims.intend(list(payloads), token):
        raise RetryLater(say("Another worker has taken this command over."))
    return payloads


def _by_verb(rows: Sequence[OutboundCommand]) -> dict[str, list[OutboundCommand]]:
    found: dict[str, list[OutboundCommand]] = defaultdict(list)
    for row in rows:
        found[row.verb].append(row)
    return found


class _Volley:
    """The sending and settling of one volley."""

    def __init__(self, attempts: Sequence[Try], token: UUID, until: float) -> None:
        self.attempts, self._token, self._until = attempts, token, until
        self._connection: Connection = attempts[0].row.connection
        self._waiting, self._back = deque(_chains(attempts)), deque[Try]()
        self.halted = False

    def run(self) -> None:
        """Send and settle until all is through or nothing more is to be begun."""
        width = min(claims.room(self._connection.pk, self._token), len(self._waiting))
        threads = [threading.Thread(target=self._work, name="volley", daemon=True) for _number in range(width)]
        for thread in threads:
            thread.start()
        try:
            self._watch(threads)
        except Exception:
            self.halted = True
            for thread in threads:
                thread.join()  # the deadline of what it sends ends it; what it held is unclear
            raise
        except BaseException:
            self._break_off()
            raise
        claims.not_sent([attempt.row.pk for attempt in self.attempts if not attempt.started], self._token)
        _learn(self._connection.pk, [attempt for attempt in self.attempts if attempt.started])

    def _watch(self, threads: Sequence[threading.Thread]) -> None:
        while any(thread.is_alive() for thread in threads):
            until = time.monotonic() + STAGE
            for thread in threads:
                thread.join(max(0.0, until - time.monotonic()))
            self._settle()
        self._settle()

    def _break_off(self) -> None:
        """Our own time is over (django-q2's alarm): what hangs keeps its lease, what no thread can get any more is given back."""
        self.halted = True
        left = [attempt for _number in range(len(self._waiting)) for attempt in self._waiting.popleft()]
        self._settle()
        claims.not_sent([attempt.row.pk for attempt in left], self._token)

    def _work(self) -> None:
        """One thread: a chain after the other."""
        while not self._is_over():
            try:
                chain = self._waiting.popleft()
            except IndexError:
                return
            for attempt in chain:
                if self._is_over():
                    return
                self._send(attempt)

    def _is_over(self) -> bool:
        return self.halted or time.monotonic() > self._until or stop.asked()

    def _send(self, attempt: Try) -> None:
        tries.try_sending(attempt)
        self.halted = self.halted or breakers.is_trouble(attempt.error)
        self._back.append(attempt)

    def _settle(self) -> None:
        """Write down what has come back since."""
        back = [self._back.popleft() for _number in range(len(self._back))]
        well = [attempt for attempt in back if attempt.ended]
        if well and _settled(well, self._token):
            breakers.ended(self._connection, times=len(well))
            back = [attempt for attempt in back if not attempt.ended]
        for attempt in back:
            breakers.ended(self._connection, tries.conclude(attempt, attempt.result))


def _chains(attempts: Sequence[Try]) -> list[list[Try]]:
    """What must not go at the same time: sales of one customer, whom the target would make twice."""
    chains: dict[str, list[Try]] = defaultdict(list)
    for attempt in attempts:
        payload = attempt.payload
        chains[payload.customer_code if isinstance(payload, WriteSale) else f"#{attempt.row.pk}"].append(attempt)
    return list(chains.values())


def _learn(connection: int, begun: Sequence[Try]) -> None:
    if begun:
        took = sum(attempt.ms or 0 for attempt in begun) / len(begun) / 1000
        _pace[connection] = (_pace.get(connection, took) + took) / 2 or 0.001


def _settled(well: Sequence[Try], token: UUID) -> bool:
    """Settle them all at once; False where that fails, then each is settled for itself."""
    try:
        patiently(lambda: _done(well, token))
    except Exception as error:  # noqa: BLE001  the way one by one meets it again, and records it there
        logger.info("a volley is settled one by one: %s", type(error).__name__)
        return False
    pump.kick("bulk_out" if bulk.is_bulk() else "out")
    return True


@transaction.atomic
def _done(well: Sequence[Try], token: UUID) -> None:
    """Attempts and new states in one transaction, only where the lease still stands."""
    mine = claims.finish({attempt.row.pk: codec.dumps(attempt.result()[0]) for attempt in well}, token)
    over = [attempt for attempt in well if attempt.row.pk in mine]
    before = _tried([attempt.row for attempt in over])
    drafts = [attempt.draft(before.get(attempt.row.pk, 0) + 1, attempt.result()[1]) for attempt in over]
    tries.record_all(drafts)
    made = {draft.command_id: draft for draft in drafts}
    answers = {attempt.row.pk: attempt.result()[0] for attempt in over}
    for verb, rows in _by_verb([attempt.row for attempt in over]).items():
        many = dispatch.verb(verb).many
        if many:
            many.done([(row, answers[row.pk], made[row.pk]) for row in rows])
    for attempt in over:
        cases.command_over(attempt.row)
        healed.token_renewed(attempt.row, made[attempt.row.pk])


def _tried(rows: Sequence[OutboundCommand]) -> dict[int, int]:
    """How many attempts there are of those that were claimed before."""
    again = [row.pk for row in rows if row.attempts > 1]
    if not again:
        return {}
    counted = Attempt.objects.filter(command__in=again).values("command").annotate(times=Count("pk"))
    return {row["command"]: row["times"] for row in counted}
