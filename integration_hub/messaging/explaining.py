"""What the spine knows about one more try: settings, the target, what would be sent, what was written already."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db import DatabaseError, transaction
from django.db.models import Max

from exceptions.explaining import Area, Fact, Outlook, Question
from integration_hub.kernel import codec
from integration_hub.kernel.errors import HubError
from integration_hub.kernel.messages import Command
from integration_hub.kernel.text import Text, say
from integration_hub.models import Activity, Attempt, Breaker, Connection, OutboundCommand
from integration_hub.models.breaker import BreakerState
from integration_hub.models.connection import ConnectionState
from integration_hub.models.outbound import CommandState

from . import dispatch

FIELDS = 6
DONE = 5


def explain(question: Question) -> Outlook:
    """Settings and credentials of the connection, how its system answers now, and the commands of the object."""
    command = _command(question)
    connection = command.connection if command else question.case.connection
    changed = [*_settings(connection, question), *_target(connection, question)] if connection else []
    return Outlook(
        changed=tuple(changed),
        writes=tuple(_writes(command, question.last)) if command else (),
        kept=tuple(_kept(question, command)),
    )


def _command(question: Question) -> OutboundCommand | None:
    rows = OutboundCommand.objects.select_related("connection")
    return rows.filter(pk=question.case.data.get("command") or 0).first()


def _settings(connection: Connection, question: Question) -> Iterator[Fact]:
    steps = Activity.objects.filter(
        subject_type=ContentType.objects.get_for_model(Connection), subject_id=connection.pk, at__gt=question.since
    )
    for step in steps.order_by("-pk")[:FIELDS]:
        yield Fact(area=Area.SETTINGS, text=step.text, at=step.at)


def _target(connection: Connection, question: Question) -> Iterator[Fact]:
    """Whether the target is there, and whether it took anything else since."""
    if connection.state != ConnectionState.ACTIVE:
        yield Fact(
            area=Area.TARGET,
            text=say("%(target)s is not in use: %(state)s", target=connection.name, state=connection.state),
        )
    breaker = Breaker.objects.filter(connection=connection).exclude(state=BreakerState.CLOSED).first()
    if breaker:
        yield Fact(area=Area.TARGET, text=say("The line to %(target)s is interrupted", target=connection.name))
    rows = OutboundCommand.objects.filter(
        connection=connection, state=CommandState.DONE, finished_at__gt=question.since
    )
    ids = list(rows.order_by("-pk").values_list("pk", flat=True)[:100])
    if ids:
        last = rows.filter(pk__in=ids).aggregate(last=Max("finished_at"))["last"]
        text = say("%(target)s has taken %(count)s other commands since", target=connection.name, count=len(ids))
        yield Fact(area=Area.TARGET, text=text, at=last)


def _writes(command: OutboundCommand, last: Attempt | None) -> Iterator[Text]:
    """What would be sent now, beside what was sent last: built like for sending, and undone."""
    payload, hindrance = _built(command)
    if hindrance:
        yield say("Nothing yet: %(why)s", why=hindrance)
        return
    if payload is None:
        yield say("Nothing: it is not wanted any more, and the command ends")
        return
    yield say("%(what)s in %(target)s", what=command.verb, target=command.connection.name)
    if last is None or not last.payload:
        return
    changes = list(_changes(last.payload, json.loads(codec.dumps(payload))))
    if not changes:
        yield say("exactly what was sent last (try %(number)s)", number=last.number)
    for name in changes[:FIELDS]:
        yield say("changed since try %(number)s: %(field)s", number=last.number, field=name)


def _built(command: OutboundCommand) -> tuple[Command | None, Text | None]:
    try:
        with transaction.atomic():
            payload = dispatch.verb(command.verb).build(command)
            transaction.set_rollback(True)
    except HubError as error:
        return None, error.text
    except DatabaseError:
        return None, say("Somebody is working on it at the moment.")
    return payload, None


def _changes(old: Any, new: Any, path: str = "") -> Iterator[str]:
    """The places at which two payloads differ."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for name in dict.fromkeys([*old, *new]):
            yield from _changes(old.get(name), new.get(name), f"{path}.{name}" if path else str(name))
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for place, (before, after) in enumerate(zip(old, new, strict=True), start=1):
            yield from _changes(before, after, f"{path}[{place}]")
    elif str(old) != str(new):
        yield path


def _kept(question: Question, command: OutboundCommand | None) -> Iterator[Text]:
    """What of the object is written already, and stays as it is."""
    if command and (command.maybe_sent or command.begun):
        yield say(
            "The last try may have arrived: %(target)s is asked first, and what is there is not written again",
            target=command.connection.name,
        )
    if question.only is None:
        return
    rows = OutboundCommand.objects.filter(
        subject_type=question.only.subject_type_id, subject_id=question.only.subject_id, state=CommandState.DONE
    )
    for row in rows.select_related("connection").order_by("-pk")[:DONE]:
        yield say("%(what)s in %(target)s, done %(at)s", what=row.verb, target=row.connection.name, at=row.finished_at)
