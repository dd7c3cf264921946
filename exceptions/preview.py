"""What a fix would change, found out by doing it and undoing it: everything it writes is rolled back.

Nothing leaves the hub meanwhile, since whatever speaks to other systems does so outside of transactions, later, from rows
that were committed.  Of many objects only the first are tried; locks are waited for no longer than a moment.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import OperationalError, connection, transaction
from django.db.models import Max, Q

from integration_hub.backoffice.actions import Action, perform
from integration_hub.kernel.errors import NotNow
from integration_hub.kernel.text import Text, say
from integration_hub.models import OutboundCommand
from integration_hub.models.access import User

from . import affected, jobs
from .models import CaseState, CaseSubject, ExceptionCase
from .presentation import Shown
from .subjects import Standing

_PATIENCE = "SET LOCAL lock_timeout = '2s'; SET LOCAL statement_timeout = '15s'"


@dataclass(frozen=True)
class Moved:
    """Where an object stands, and where it would stand afterwards."""

    label: str
    before: Standing | None
    after: Standing | None

    @property
    def changes(self) -> bool:
        return bool(self.before and self.after and str(self.before.label) != str(self.after.label))


@dataclass(frozen=True)
class Preview:
    """``said`` is what the fix would answer; ``writes`` counts commands by (verb, target); titles of cases."""

    said: Text
    rows: tuple[Moved, ...]
    tried: int
    total: int
    writes: Mapping[tuple[str, str], int]
    solved: tuple[str, ...]
    remain: tuple[str, ...]
    opened: tuple[str, ...]

    @property
    def free(self) -> int:
        return sum(row.changes for row in self.rows)


def of(action: Action, case: ExceptionCase, *, by: User, data: Mapping[str, Any]) -> Preview:
    """Do it, look, undo it.  Raises what the fix itself would raise, and NotNow where it cannot be tried."""
    if action.outside is not None:
        raise NotNow(say("What this does cannot be tried beforehand: it asks another system."))
    try:
        with transaction.atomic(), jobs.trying():
            with connection.cursor() as cursor:
                cursor.execute(_PATIENCE)
            found = _look(action, case, by, data)
            transaction.set_rollback(True)
    except OperationalError as error:
        raise NotNow(say("Somebody is working on these objects; try again in a moment.")) from error
    return found


def _look(action: Action, case: ExceptionCase, by: User, data: Mapping[str, Any]) -> Preview:
    held = list(
        case.subjects.filter(open=True)
        .select_related("subject_type")
        .order_by("subject_type_id", "subject_id")[: jobs.AT_ONCE]
    )
    total = case.subjects.filter(open=True).count()
    before, cases = affected.standings(held), _open_cases(held)
    last = OutboundCommand.objects.aggregate(last=Max("pk"))["last"] or 0
    said = perform(action, case, by=by, data=data, approved=True)
    after, left = affected.standings(held), _open_cases(held)
    return Preview(
        said=said,
        rows=tuple(Moved(row.label, before.get(row.pk), after.get(row.pk)) for row in held),
        tried=len(held),
        total=total,
        writes=_writes(held, last),
        solved=_titles(cases - left),
        remain=_titles(cases & left),
        opened=_titles(left - cases),
    )


def _of(held: list[CaseSubject]) -> Q:
    by_type: dict[int, list[int]] = {}
    for row in held:
        by_type.setdefault(row.subject_type_id, []).append(row.subject_id)
    wanted = Q(pk=None)
    for kind, ids in by_type.items():
        wanted |= Q(subject_type=kind, subject_id__in=ids)
    return wanted


def _open_cases(held: list[CaseSubject]) -> set[int]:
    rows = CaseSubject.objects.filter(_of(held), open=True, case__state=CaseState.OPEN)
    return set(rows.values_list("case", flat=True))


def _titles(ids: set[int]) -> tuple[str, ...]:
    return tuple(Shown(case).title for case in ExceptionCase.objects.filter(pk__in=ids).order_by("pk")[:10])


def _writes(held: list[CaseSubject], last: int) -> Mapping[tuple[str, str], int]:
    rows = OutboundCommand.objects.filter(_of(held), pk__gt=last)
    found = Counter((str(verb), str(name)) for verb, name in rows.values_list("verb", "connection__name"))
    return dict(found)  # a template asks a Counter for the key "items", and gets 0
