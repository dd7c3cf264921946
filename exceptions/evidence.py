"""What a person needs to judge a case: the payload as received, what changed since the last try, who did what."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db.models import Q

from integration_hub.backoffice import masking
from integration_hub.models import Activity, Attempt, InboundEvent
from integration_hub.models.access import User

from .models import CaseSubject, ExceptionCase
from .subjects import face_of

PERSONAL = "orders.see_personal_data"
STEPS = 60
CHANGES = 80
TRIES = 5


@dataclass(frozen=True)
class Change:
    """One value of a payload that is not as in the try before."""

    path: str
    old: str
    new: str


def event_of(case: ExceptionCase, only: CaseSubject | None) -> InboundEvent | None:
    """The message that the case is about, or the last one about its single object."""
    rows = InboundEvent.objects.select_related("connection")
    if pk := case.data.get("event") or (only and only.event_id):
        return rows.filter(pk=pk).first()
    return _last_event(only) if only else None


def _last_event(only: CaseSubject) -> InboundEvent | None:
    steps = _steps_of(only).filter(event__isnull=False).select_related("event__connection")
    step = steps.order_by("-pk").first()
    return step.event if step else None


def payload(event: InboundEvent, user: User) -> str:
    """The body of a message as this person may see it."""
    return masking.pretty(bytes(event.body), personal=user.has_perm(PERSONAL))


def tries(case: ExceptionCase) -> list[Attempt]:
    """The last attempts at the command that the case is about, newest first."""
    command = case.data.get("command")
    return list(Attempt.objects.filter(command_id=command).order_by("-number")[:TRIES]) if command else []


def detail(case: ExceptionCase, user: User) -> str:
    """What the target answered in its own words, as this person may see it."""
    said, personal = str(case.data.get("detail", "")), user.has_perm(PERSONAL)
    return (
        masking.pretty(said.encode(), personal=personal)
        if said[:1] in "{[" and said
        else masking.text(said, personal=personal)
    )


def changed_payload(made: list[Attempt], user: User) -> list[Change] | None:
    """What the last try sent differently from the one before; None when there were no two."""
    if len(made) < 2:
        return None
    personal = user.has_perm(PERSONAL)
    old, new = (dict(_flat(masking.masked(attempt.payload, personal=personal))) for attempt in (made[1], made[0]))
    raw_old, raw_new = (dict(_flat(attempt.payload)) for attempt in (made[1], made[0]))
    paths = [path for path in dict.fromkeys([*raw_old, *raw_new]) if raw_old.get(path) != raw_new.get(path)]
    return [Change(path, old.get(path, "–"), new.get(path, "–")) for path in paths[:CHANGES]]


def _flat(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for name, item in value.items():
            yield from _flat(item, f"{path}.{name}" if path else str(name))
    elif isinstance(value, list):
        for place, item in enumerate(value, start=1):
            yield from _flat(item, f"{path}[{place}]")
    else:
        yield path, value if isinstance(value, str) else json.dumps(value)


def changed_steps(only: CaseSubject | None) -> list[Activity]:
    """What was done to the single object since it was held up."""
    face = face_of(only.subject_type) if only else None
    return list(face.changes(only.subject_id)) if face and only else []


def history(case: ExceptionCase, only: CaseSubject | None) -> list[Activity]:
    """The steps of the case and of its single object, newest first; comments stand elsewhere."""
    steps = Q(subject_type=ContentType.objects.get_for_model(ExceptionCase), subject_id=case.pk)
    if only:
        steps |= Q(subject_type=only.subject_type_id, subject_id=only.subject_id)
    rows = Activity.objects.filter(steps).exclude(action__in=("exceptions.comment", "exceptions.commented"))
    return list(rows.select_related("actor").order_by("-pk")[:STEPS])


def comments(case: ExceptionCase) -> list[Activity]:
    """What people said about the case, oldest first."""
    rows = Activity.objects.filter(
        subject_type=ContentType.objects.get_for_model(ExceptionCase),
        subject_id=case.pk,
        action="exceptions.commented",
    )
    return list(rows.select_related("actor").order_by("pk")[:200])


def _steps_of(only: CaseSubject) -> Any:
    return Activity.objects.filter(subject_type=only.subject_type_id, subject_id=only.subject_id)
