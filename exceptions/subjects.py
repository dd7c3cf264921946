"""How affected objects show themselves on a case: their page, where they stand now, what a person needs to see of them.

Apps above declare a Face for their model; the wiring table puts it in.  The hub's own tables are declared here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.urls import NoReverseMatch, reverse

from integration_hub.models import Activity, Connection, InboundEvent, OutboundCommand
from integration_hub.models.access import User
from integration_hub.models.connection import ConnectionState
from integration_hub.models.inbound import EventState
from integration_hub.models.outbound import CommandState


@dataclass(frozen=True)
class Standing:
    """Where an object stands: words, a tone (``good``, ``warn``, ``bad``, ``none``) and whether it has come to rest."""

    label: Any
    tone: str
    settled: bool


def _no_standings(_ids: Sequence[int]) -> Mapping[int, Standing]:
    return {}


def _no_changes(_pk: int) -> list[Activity]:
    return []


@dataclass(frozen=True, kw_only=True)
class Face:
    """The looks of one model's objects.

    ``standings(ids)`` says where they stand, in one query.  ``facts(pk, personal)`` fills ``template`` with what a person
    needs to see.  ``changes(pk)`` are the steps since it was last held up.
    """

    model: str
    url_name: str
    permission: str
    standings: Callable[[Sequence[int]], Mapping[int, Standing]] = _no_standings
    changes: Callable[[int], Sequence[Activity]] = _no_changes
    facts: Callable[[int, bool], dict[str, Any]] | None = None
    template: str = ""


_FACES: dict[str, Face] = {}


def register(faces: Iterable[Face]) -> None:
    """Called once, by the wiring."""
    for face in faces:
        _FACES[face.model] = face


def face_of(subject_type: ContentType) -> Face | None:
    """The face of this model's objects, or None where nobody declares one."""
    return _FACES.get(f"{subject_type.app_label}.{subject_type.model}")


def link(name: str, pk: int | None, permission: str, user: User) -> str:
    """The address of an object's page; empty for people who may not see it and where there is no such page."""
    if pk is None or not user.has_perm(permission):
        return ""
    try:
        return reverse(name, args=[pk])
    except NoReverseMatch:
        return ""


def url_of(face: Face | None, pk: int, user: User) -> str:
    return link(face.url_name, pk, face.permission, user) if face else ""


_EVENT = {
    EventState.DONE: ("good", True),
    EventState.IGNORED: ("none", True),
    EventState.PARKED: ("bad", True),
}
_COMMAND = {
    CommandState.DONE: ("good", True),
    CommandState.CANCELLED: ("none", True),
    CommandState.PARKED: ("bad", True),
}
_CONNECTION = {ConnectionState.ACTIVE: ("good", True), ConnectionState.PAUSED: ("none", True)}


def _events(ids: Sequence[int]) -> Mapping[int, Standing]:
    rows = InboundEvent.objects.filter(pk__in=ids).values_list("pk", "state")
    return {pk: Standing(EventState(s).label, *_EVENT.get(EventState(s), ("warn", False))) for pk, s in rows}


def _commands(ids: Sequence[int]) -> Mapping[int, Standing]:
    rows = OutboundCommand.objects.filter(pk__in=ids).values_list("pk", "state")
    return {pk: Standing(CommandState(s).label, *_COMMAND.get(CommandState(s), ("warn", False))) for pk, s in rows}


def _connections(ids: Sequence[int]) -> Mapping[int, Standing]:
    rows = Connection.objects.filter(pk__in=ids).values_list("pk", "state")
    return {
        pk: Standing(ConnectionState(s).label, *_CONNECTION.get(ConnectionState(s), ("bad", True))) for pk, s in rows
    }


register(
    [
        Face(
            model="integration_hub.inboundevent",
            url_name="event",
            permission="integration_hub.view_inboundevent",
            standings=_events,
        ),
        Face(
            model="integration_hub.outboundcommand",
            url_name="command",
            permission="integration_hub.view_outboundcommand",
            standings=_commands,
        ),
        Face(
            model="integration_hub.connection",
            url_name="connection",
            permission="integration_hub.view_connection",
            standings=_connections,
        ),
    ]
)
