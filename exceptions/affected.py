"""The objects a case holds up: what they are, where they stand now, how many are through."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q

from integration_hub.backoffice.words import money
from integration_hub.models.access import User

from .models import CaseSubject, ExceptionCase
from .subjects import Standing, face_of, url_of

FIRST = 50
PAGE = 200


@dataclass(frozen=True)
class Affected:
    """One object: its page for those who may see it, its money, where it stands."""

    subject: CaseSubject
    url: str
    standing: Standing | None

    @property
    def amount(self) -> str:
        return money(self.subject.amount, self.subject.currency) if self.subject.amount else ""


@dataclass(frozen=True)
class Progress:
    """How many of a case's objects it lets go of, and whether any of the first ones is still on its way."""

    total: int
    released: int
    moving: bool
    standings: Mapping[int, Standing]

    @property
    def show(self) -> bool:
        """Whether there is anything to tell: a case whose objects all still wait has no progress."""
        return self.released > 0 or self.moving

    def as_json(self) -> dict[str, Any]:
        rows = {str(pk): {"label": str(at.label), "tone": at.tone} for pk, at in self.standings.items()}
        return {"total": self.total, "released": self.released, "moving": self.moving, "rows": rows}


def rows(case: ExceptionCase, user: User, *, start: int = 0, limit: int = FIRST) -> list[Affected]:
    """Objects in a fixed order, those that still wait first."""
    found = _subjects(case, start, limit)
    at = standings(found)
    return [Affected(row, url_of(face_of(row.subject_type), row.subject_id, user), at.get(row.pk)) for row in found]


def progress(case: ExceptionCase, seen: Sequence[Affected] | None = None) -> Progress:
    """How far the objects are; only the first ones (``seen``, if at hand) are looked at one by one."""
    sums = case.subjects.aggregate(total=Count("pk"), waiting=Count("pk", filter=Q(open=True)))
    if seen is None:
        at = standings(_subjects(case, 0, FIRST))
    else:
        at = {row.subject.pk: row.standing for row in seen if row.standing}
    return Progress(
        total=sums["total"],
        released=sums["total"] - sums["waiting"],
        moving=any(not standing.settled for standing in at.values()),
        standings=at,
    )


def _subjects(case: ExceptionCase, start: int, limit: int) -> list[CaseSubject]:
    rows = case.subjects.select_related("subject_type").order_by("-open", "pk")
    return list(rows[start : start + limit])


def standings(found: Iterable[CaseSubject]) -> dict[int, Standing]:
    """Where the objects stand by the row that names them: one query for each kind of object."""
    by_type: dict[Any, dict[int, int]] = {}
    for row in found:
        by_type.setdefault(row.subject_type, {})[row.subject_id] = row.pk
    at: dict[int, Standing] = {}
    for subject_type, pks in by_type.items():
        if face := face_of(subject_type):
            at |= {pks[subject_id]: standing for subject_id, standing in face.standings(list(pks)).items()}
    return at
