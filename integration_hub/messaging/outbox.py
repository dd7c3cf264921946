"""The way out: a command is a row; it is sent outside any transaction, fenced by its lease, and looked up when unclear."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib.contenttypes.models import ContentType
from django.db import models, transaction
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Now

from integration_hub.connectors.base import Connector
from integration_hub.kernel.errors import HubError, Rejected, RetryLater, Unsupported
from integration_hub.kernel.messages import Command, Written
from integration_hub.kernel.text import say
from integration_hub.models import Activity, Connection, OutboundCommand
from integration_hub.models.outbound import CommandState, Outcome

from . import breakers, bulk, cases, claims, dispatch, leases, pump, stop, tries, volleys
from .tries import LEASE, Try


def command(target: Connection, verb: str, key: str, subject: models.Model, **params: Any) -> None:
    """Ask for something to be true in a target, once.  Call inside the transaction that makes it so here."""
    ask([Wish(target, verb, key, subject, params)])


@dataclass(frozen=True)
class Wish:
    """A command that is wanted: see ``command``."""

    target: Connection
    verb: str
    key: str
    subject: models.Model
    params: dict[str, Any]


def ask(wishes: Sequence[Wish]) -> None:
    """``command`` for many at once, subjects of one model."""
    if not wishes:
        return
    kind = ContentType.objects.get_for_model(wishes[0].subject)
    rows = [
        OutboundCommand(
            connection=wish.target,
            verb=wish.verb,
            key=wish.key,
            subject_type=kind,
            subject_id=wish.subject.pk,
            params=wish.params,
            bulk=bulk.is_bulk(),
        )
        for wish in wishes
    ]
    OutboundCommand.objects.bulk_create(rows, ignore_conflicts=True)
    pump.kick("bulk_out" if bulk.is_bulk() else "out")


def commands(verb: str, wanted: Sequence[tuple[Connection, str, models.Model]]) -> None:
    """The same for many subjects of one model; what went to another target before and was not sent is taken back."""
    if not wanted:
        return
    kind = ContentType.objects.get_for_model(wanted[0][2])
    ids = [subject.pk for _target, _key, subject in wanted]
    before = OutboundCommand.objects.filter(subject_type=kind, subject_id__in=ids, verb=verb)
    known = set(before.values_list("subject_id", flat=True))
    ask([Wish(target, verb, key, subject, {}) for target, key, subject in wanted])
    for target, key, subject in wanted:
        if subject.pk in known:
            cancel_pending(subject, verb, keep=target)
            revive(target, key)


def deliver(*, backfill: bool = False) -> int:
    """Send one batch of due commands of a lane, all to one connection; returns how many were taken."""
    until = time.monotonic() + volleys.BEGIN_WITHIN
    token, ids = claims.claim(OutboundCommand, limit=volleys.most, lease=LEASE, bulk=backfill)
    if ids:
        with leases.turn(OutboundCommand, token) as turn:
            flown = volleys.fly(_claimed(ids, token), token, until, turn) if len(ids) > 1 else volleys.Flown()
            rest = [pk for pk in ids if pk not in flown.ids]
            turn.over = not (rest and flown.halted) and _send_all(rest, token, turn)
    return len(ids)


def _claimed(ids: Sequence[int], token: UUID) -> list[OutboundCommand]:
    """The commands, with one and the same connection."""
    rows = list(OutboundCommand.objects.filter(pk__in=ids, lease_token=token).order_by("pk"))
    targets = Connection.objects.select_related("breaker").in_bulk({row.connection_id for row in rows})
    for row in rows:
        row.connection = targets[row.connection_id]
    return rows


def deliver_bulk() -> int:
    """The same for what comes from a backfill."""
    return deliver(backfill=True)


def _send_all(ids: Sequence[int], token: UUID, turn: leases.Turn) -> bool:
    """Whether all had their turn; the rest is given back on a stop, or when the connection is not to be called any more."""
    rows = OutboundCommand.objects.filter(lease_token=token).select_related("connection", "connection__breaker")
    for pk in ids:
        if stop.asked():
            return False
        row = rows.filter(pk=pk).first()
        if row is None:
            continue
        if turn.at and not (breakers.is_closed(row.connection) and _extend(row)):
            return False
        turn.at = pk
        with bulk.working(row.bulk):
            error = _deliver(row)
        breakers.ended(row.connection, error)
        if error and error.code == breakers.SLOW_DOWN:
            return pk == ids[-1]
    return True


def _extend(row: OutboundCommand) -> bool:
    """The batch's earlier commands took their time; this one gets a whole lease of its own."""
    return claims.settle(row, due_at=Now() + LEASE)


def _deliver(row: OutboundCommand) -> HubError | None:
    """Try it and write down what came of it; the error, for the breaker of the connection."""
    attempt = Try(row, unclear=row.maybe_sent or row.begun)
    if row.crashes >= claims.MAX_CRASHES:
        words = say("The worker died %(times)s times on this command.", times=row.crashes)
        return tries.refused(attempt, Rejected(words, code="defect"))
    return tries.conclude(attempt, lambda: _carry_out(attempt))


def _carry_out(attempt: Try) -> tries.Ended | None:
    """Look first where it may be there already, else send; None when nothing is left to do."""
    payload = _prepare(attempt)
    if payload is None:
        return None
    connector = attempt.connector = attempt.row.connection.connector()
    connector.http.deadline = attempt.clock + tries.DEADLINE
    if attempt.unclear:
        found = _look(connector, payload)
        if found and not found.unfinished:
            return found, Outcome.FOUND
        if found and not dispatch.verb(attempt.row.verb).wanted(attempt.row):
            return found, Outcome.UNFINISHED
        payload = payload if found else _prepare_afresh(attempt)
    return tries.send(attempt, connector, payload) if payload else None


@transaction.atomic
def _prepare(attempt: Try) -> Command | None:
    """Build from the rows as they are now and write the intent down, in one transaction.

    The builder locks the subject, so a change of it either is in what we send or finds ``maybe_sent`` set.
    """
    row = attempt.row
    payload = attempt.payload = dispatch.verb(row.verb).build(row)
    if payload is None:
        if claims.settle(row, state=CommandState.CANCELLED, lease_token=None, finished_at=Now()):
            cases.command_over(row)
    elif not claims.settle(row, maybe_sent=True):
        raise RetryLater(say("Another worker has taken this command over."))
    return payload


@transaction.atomic
def _prepare_afresh(attempt: Try) -> Command | None:
    """The target does not hold it: as if it had never been sent, so what was changed or cancelled meanwhile counts."""
    attempt.unclear = attempt.row.maybe_sent = attempt.row.begun = False
    if not claims.settle(attempt.row, maybe_sent=False, begun=False):
        raise RetryLater(say("Another worker has taken this command over."))
    return _prepare(attempt)


def _look(connector: Connector, payload: Command) -> Written | None:
    try:
        return connector.find(payload)
    except Unsupported as error:
        raise Rejected(
            say(
                "It is unclear whether %(system)s carried this out, and it cannot be asked. Look there, then decide.",
                system=connector.label,
            ),
            code="unclear",
        ) from error


def requeue(command_id: int) -> bool:
    """Let a parked or waiting command be tried now."""
    changed = OutboundCommand.objects.filter(pk=command_id, state__in=[CommandState.PARKED, CommandState.DUE]).update(
        state=CommandState.DUE, due_at=Now(), crashes=0
    )
    if changed:
        pump.kick("out")
    return bool(changed)


def cancel_pending(
    subject: models.Model, verb: str, *, keep: Connection | None = None, even_unclear: bool = False
) -> int:
    """Take back commands of this verb that were not sent yet, but for those to ``keep``; returns how many.

    ``even_unclear``: also where it is not known whether the target holds it, because that does not matter any more.
    """
    waiting = (
        _of(subject, verb)
        .filter(state__in=[CommandState.DUE, CommandState.PARKED], maybe_sent__in=[False, even_unclear])
        .exclude(connection=keep)
    )
    taken = 0
    for row in waiting:
        if waiting.filter(pk=row.pk).update(state=CommandState.CANCELLED, finished_at=Now()):
            cases.command_over(row)
            taken += 1
    return taken


def cancel(row: OutboundCommand) -> bool:
    """Take this command back if it was not sent yet; whether it is out of the way."""
    waiting = OutboundCommand.objects.filter(
        pk=row.pk, state__in=[CommandState.DUE, CommandState.PARKED], maybe_sent=False
    )
    if waiting.update(state=CommandState.CANCELLED, finished_at=Now()):
        cases.command_over(row)
        return True
    return OutboundCommand.objects.filter(pk=row.pk, state=CommandState.CANCELLED).exists()


def revive(target: Connection, key: str) -> None:
    """A command that was taken back is wanted again; one that was refused is tried again, as its subject has changed."""
    _again(
        OutboundCommand.objects.filter(connection=target, key=key).filter(
            Q(state=CommandState.CANCELLED) | Q(state=CommandState.PARKED, maybe_sent=False)
        )
    )


def look_again(subject: models.Model, verb: str) -> None:
    """A command that was taken back had begun to write before it was refused: see what stands there, else it is forgotten."""
    _again(_of(subject, verb).filter(state=CommandState.CANCELLED, begun=True))


def want_again(subject: models.Model, verb: str) -> None:
    """What was taken back of this verb is wanted again, but for what a person took back."""
    by_hand = Activity.objects.filter(
        subject_type=ContentType.objects.get_for_model(OutboundCommand),
        subject_id=OuterRef("pk"),
        action="commands.cancel",
    )
    _again(_of(subject, verb).filter(~Exists(by_hand), state=CommandState.CANCELLED))


def _of(subject: models.Model, verb: str) -> models.QuerySet[OutboundCommand]:
    return OutboundCommand.objects.filter(
        subject_type=ContentType.objects.get_for_model(subject), subject_id=subject.pk, verb=verb
    )


def _again(rows: models.QuerySet[OutboundCommand]) -> None:
    fresh: dict[str, Any] = {"finished_at": None, "reason": {}, "crashes": 0}
    if rows.update(state=CommandState.DUE, due_at=Now(), **fresh):
        pump.kick("out")
