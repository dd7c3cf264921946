"""What can go wrong on the spine, as kinds of case, and when each is opened and cleared."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from exceptions import roots
from exceptions import services as cases
from exceptions.kinds import Kind
from exceptions.models import ExceptionCase, How
from exceptions.services import Trouble
from integration_hub.kernel.errors import HubError, Misconfigured
from integration_hub.kernel.text import Text, say
from integration_hub.models import Connection, InboundEvent, OutboundCommand, PollState
from integration_hub.models.connection import UNREACHABLE_AFTER, ConnectionState
from integration_hub.models.inbound import EventState
from integration_hub.models.outbound import CommandState

from . import breakers, checks, clock, healed, pump


def event_parked(event: InboundEvent, text: Text, code: str, detail: str) -> None:
    """An event could not be processed: a case that keeps its payload at hand."""
    _waits_no_more(event)
    ours = code in ("defect", "kills_worker")
    cases.open_case(
        Trouble(
            kind="defect" if ours else "not_understood",
            cause=f"event:{event.pk}",
            params={"topic": event.topic, "object": event.object_id, "connection": event.connection.name},
            expected=say("A message that can be processed"),
            found=text,
            data={"event": event.pk, "detail": detail[:500]},
        ),
        event,
        connection=event.connection,
        event_id=event.pk,
    )


def event_failing(event: InboundEvent, error: HubError, *, asked: bool) -> None:
    """It is tried again by itself; after a while (HUB_CASE_AFTER, HUB_CASE_TRIES) people are told.

    Where a system was ``asked`` it is that system's trouble, one case for all that waits for it.
    """
    event.refresh_from_db(fields=["first_failed_at", "attempts"])
    if not _too_long(event.first_failed_at, event.attempts):
        return
    name = event.connection.name
    waits = Trouble(
        kind="event_waits",
        cause=f"waits:{event.pk}",
        params={"topic": event.topic, "connection": name},
        expected=say("A message that can be processed"),
        found=error.text,
        data={"event": event.pk},
    )
    silent = Trouble(
        kind="target_unreachable",
        cause=_unreachable(event.connection_id),
        params={"target": name},
        expected=say("%(target)s answers", target=name),
        found=error.text,
        data={"since": (event.first_failed_at or clock.now()).isoformat()},
    )
    cases.open_case(silent if asked else waits, event, connection=event.connection, event_id=event.pk)


def _too_long(since: datetime | None, tries: int) -> bool:
    return tries >= settings.HUB_CASE_TRIES or (since is not None and clock.now() - since >= UNREACHABLE_AFTER)


def event_over(event: InboundEvent) -> None:
    """It needs no further try: what earlier ones opened lets go of it."""
    if event.attempts > 1 or event.reason_code:
        cases.settle(event, kinds=("defect", "not_understood"))
        if not _waits_no_more(event):
            healed.event(event)


def _waits_no_more(event: InboundEvent) -> int:
    if event.attempts <= 1:
        return 0
    closed = cases.clear(event, causes=[f"waits:{event.pk}"], how=How.LATE)
    return closed + cases.clear(event, causes=[_unreachable(event.connection_id)], how=How.INTERMITTENT)


def command_refused(row: OutboundCommand, error: HubError) -> None:
    """The target said no, or it is unclear what it did: a person decides."""
    kind = "defect" if error.code == "defect" else "target_refused"
    cases.clear(row.subject or row, causes=[_unreachable(row.connection_id)])
    cases.open_case(
        Trouble(
            kind=kind,
            cause=f"command:{row.pk}",
            params={"target": row.connection.name, "verb": row.verb, "connection": row.connection.name},
            expected=say("%(target)s accepts the order", target=row.connection.name),
            found=error.text,
            data={"command": row.pk, "detail": error.detail[:2000], "code": error.code},
        ),
        row.subject or row,
        connection=row.connection,
    )


def command_failing(row: OutboundCommand, error: HubError) -> None:
    """It is tried again by itself; after a while (HUB_CASE_AFTER, HUB_CASE_TRIES) people are told."""
    row.refresh_from_db(fields=["first_failed_at", "attempts"])
    since = row.first_failed_at or clock.now()
    if not (_too_long(since, row.attempts) or breakers.open_for_long(row.connection)):
        return
    cases.open_case(
        Trouble(
            kind="target_unreachable",
            cause=_unreachable(row.connection_id),
            params={"target": row.connection.name},
            expected=say("%(target)s answers", target=row.connection.name),
            found=error.text,
            data={"since": since.isoformat()},
        ),
        row.subject or row,
        connection=row.connection,
    )


def _unreachable(connection_id: int) -> str:
    return f"unreachable:{connection_id}"


def command_over(row: OutboundCommand) -> None:
    """The command is done or not wanted any more: what earlier tries opened lets go of its subject."""
    if row.attempts > 1 or row.reason:
        subject = row.subject or row
        closed = cases.clear(subject, causes=[f"command:{row.pk}"])
        closed += cases.clear(subject, causes=[_unreachable(row.connection_id)], how=How.INTERMITTENT)
        if not closed:
            healed.command(row)


def connection_misconfigured(connection: Connection, error: Misconfigured) -> None:
    """Stop using the connection and tell the integrator; nothing is lost, everything waits."""
    Connection.objects.filter(pk=connection.pk, state=ConnectionState.ACTIVE).update(
        state=ConnectionState.MISCONFIGURED, state_reason=error.text.as_json()
    )
    cases.open_case(
        Trouble(
            kind="connection_misconfigured",
            cause=f"connection:{connection.pk}",
            params={"connection": connection.name},
            expected=say("Address, credentials and rights are right"),
            found=error.text,
            data={"detail": error.detail[:500]},
        ),
        connection,
        connection=connection,
    )


def poll_failing(connection: Connection, stream: str, error: HubError, *, since: datetime | None) -> None:
    """Polling fails and is tried again; after an hour without success people are told."""
    since = since or connection.created_at
    if clock.now() - since < UNREACHABLE_AFTER and not breakers.open_for_long(connection):
        return
    cases.open_case(
        Trouble(
            kind="target_unreachable",
            cause=_unreachable(connection.pk),
            params={"target": connection.name},
            expected=say("%(target)s answers", target=connection.name),
            found=error.text,
            data={"stream": stream, "since": since.isoformat()},
        ),
        connection,
        connection=connection,
    )


def poll_defect(connection: Connection, stream: str, error: str) -> None:
    """Our own mistake while polling."""
    cases.open_case(
        Trouble(
            kind="defect",
            cause=f"poll:{connection.pk}:{stream}",
            params={"connection": connection.name, "topic": stream, "object": ""},
            expected=say("A message that can be processed"),
            found=say("A defect of the hub while polling (%(error)s).", error=error),
        ),
        connection,
        connection=connection,
    )


def poll_worked(connection: Connection, stream: str) -> None:
    """A page arrived: what polling had opened for the connection itself closes."""
    cases.clear(connection, causes=[_unreachable(connection.pk)], how=How.INTERMITTENT)
    cases.clear(connection, causes=[f"poll:{connection.pk}:{stream}"])


def webhook_disabled(connection: Connection, topic: str, status: str) -> None:
    """The shop has switched a webhook off; polling still finds everything, but later."""
    cases.open_case(
        Trouble(
            kind="webhook_disabled",
            cause=f"webhook:{connection.pk}:{topic}",
            params={"connection": connection.name, "topic": topic},
            expected=say("The webhook %(topic)s is active", topic=topic),
            found=say("It is %(status)s", status=status),
        ),
        connection,
        connection=connection,
    )


def webhook_active(connection: Connection, topic: str) -> None:
    """The shop calls us again: the case of this webhook closes."""
    cases.clear(connection, causes=[f"webhook:{connection.pk}:{topic}"])


def rerun(case: ExceptionCase) -> int:
    """Let the events, commands and polls that a case of the spine holds up run again."""
    events = _at_once(case) + _again(case, InboundEvent, EventState.PARKED)
    commands = OutboundCommand.objects.filter(state__in=[CommandState.PARKED, CommandState.DUE])
    if command := case.data.get("command"):
        commands = commands.filter(pk=command)
    elif case.kind == "target_unreachable":
        commands = commands.filter(connection=case.connection)
    else:
        commands = commands.none()
    moved = commands.update(state=CommandState.DUE, due_at=Now(), crashes=0)
    if case.kind == "target_unreachable" and case.connection:
        breakers.try_now(case.connection)
    polls = (
        PollState.objects.filter(connection=case.connection, lease_token=None)
        if case.connection
        else PollState.objects.none()
    )
    moved += polls.update(due_at=Now()) if not (events or moved) else 0
    pump.kick_all()
    return events + moved


def _at_once(case: ExceptionCase) -> int:
    """Events that wait for their next try have it now."""
    held = InboundEvent.objects.filter(pk__in=cases.held_up(case, InboundEvent), state=EventState.DUE)
    return held.update(due_at=Now())


def _again(case: ExceptionCase, model: type[models.Model], state: Any) -> int:
    rows = model._default_manager.filter(pk__in=cases.held_up(case, model), state=state)
    return int(rows.update(state=EventState.DUE, due_at=Now(), crashes=0, attempts=1, finished_at=None))


KINDS = (
    Kind(
        code="not_understood",
        root=roots.words,
        title=_("Message %(topic)s from %(connection)s not understood"),
        explanation=_(
            "The sender is who it says it is, but the message makes no sense to the hub. It is kept as received."
        ),
        blocks=_("Whatever this message reports"),
        role="integrator",
        due=timedelta(hours=8),
        rerun=rerun,
    ),
    Kind(
        code="event_waits",
        root=roots.words,
        title=_("Message %(topic)s from %(connection)s cannot be processed yet"),
        explanation=_(
            "The message is understood, but something it needs is not there or is busy. The hub keeps trying by itself; the exception closes when the message gets through."
        ),
        blocks=_("Whatever this message reports"),
        role="integrator",
        due=timedelta(hours=8),
        rerun=rerun,
    ),
    Kind(
        code="target_refused",
        root=roots.words,
        title=_("%(target)s refuses the order"),
        explanation=_(
            "The target system answered that it will not take this. The same try would fail again until something changes."
        ),
        blocks=_("Writing this order, and everything that follows from it"),
        role="operations",
        due=timedelta(hours=4),
        rerun=rerun,
    ),
    Kind(
        code="target_unreachable",
        title=_("%(target)s has not answered for long"),
        explanation=_(
            "The hub keeps trying by itself. Nothing is lost; what waits goes out as soon as the system answers."
        ),
        blocks=_("Everything that is to be read from or written to this system"),
        role="integrator",
        due=timedelta(hours=2),
        rerun=rerun,
    ),
    Kind(
        code="connection_misconfigured",
        title=_("Connection %(connection)s is misconfigured"),
        explanation=_(
            "The system refuses our address, credentials or rights. The hub has stopped using the connection; correct the settings and test it."
        ),
        blocks=_("Everything that is to be read from or written to this system"),
        role="integrator",
        due=timedelta(hours=2),
        rerun=rerun,
        fixes=(checks.CHECK_FROM_CASE,),
    ),
    Kind(
        code="webhook_disabled",
        title=_("%(connection)s has switched off its webhook %(topic)s"),
        explanation=_(
            "Shops switch webhooks off after repeated failures and say nothing. Polling still finds every change, but minutes later. Switch the webhook on again in the shop."
        ),
        blocks=_("Immediate processing; polling goes on"),
        role="integrator",
        due=timedelta(hours=24),
        rerun=rerun,
    ),
    Kind(
        code="defect",
        root=roots.words,
        title=_("Defect of the hub"),
        explanation=_("The hub made a mistake of its own. The message is kept and can be retried after an update."),
        blocks=_("What this message or command was to do"),
        role="integrator",
        due=timedelta(hours=8),
        rerun=rerun,
    ),
)
