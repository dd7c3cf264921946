"""What people do again and again: found in what they did, offered as a rule.

A habit knows how to see itself in the last cases of a kind and a connection, and what its action is to be given for the next
one.  Each app declares its own; the wiring table puts them in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.contrib.contenttypes.models import ContentType

from integration_hub.kernel.text import Text, say
from integration_hub.models import Activity, Connection

from . import actions
from .kinds import known
from .models import CaseState, CaseSubject, ExceptionCase, Rule

TIMES = 6  # so often the same, with nothing else in between
LOOKED = 400  # closed cases looked at for offers


@dataclass(frozen=True, kw_only=True)
class Habit:
    """``learn(cases)`` sees what the last cases (newest first) have in common: the conditions of a rule, and its words.

    ``given(match, case)`` is what the action's form gets for a new case, or None where the rule does not fit it.
    """

    code: str
    action: str
    learn: Callable[[Sequence[ExceptionCase]], tuple[dict[str, Any], Text] | None]
    given: Callable[[Mapping[str, Any], ExceptionCase], dict[str, Any] | None]
    kinds: tuple[str, ...] = ()  # none: every kind


@dataclass(frozen=True)
class Offer:
    """A rule that could be made; ``times`` is how often people did it, ``most`` the largest amount among those."""

    habit: Habit
    kind: str
    connection: Connection | None
    match: dict[str, Any]
    words: Text
    most: Decimal
    currency: str
    times: int = TIMES


_HABITS: dict[str, Habit] = {}


def register(habits: Iterable[Habit]) -> None:
    """Called once, by the wiring."""
    _HABITS.update({habit.code: habit for habit in habits})


def habit_of(code: str) -> Habit | None:
    return _HABITS.get(code)


def offers_for(kind: str, connection_id: int | None) -> list[Offer]:
    """What the last cases of this kind and connection that people closed suggest."""
    rows = ExceptionCase.objects.exclude(state=CaseState.OPEN).filter(kind=kind, connection=connection_id)
    return _seen(list(rows.exclude(closed_by=None).select_related("connection").order_by("-closed_at")[:TIMES]))


def offers() -> list[Offer]:
    """What the last closed cases suggest, over all kinds and connections."""
    rows = ExceptionCase.objects.filter(state__in=(CaseState.SOLVED, CaseState.DISMISSED), closed_by__isnull=False)
    groups: dict[tuple[str, int | None], list[ExceptionCase]] = {}
    for case in rows.select_related("connection").order_by("-closed_at")[:LOOKED]:
        group = groups.setdefault((case.kind, case.connection_id), [])
        group.append(case)
    return [offer for group in groups.values() for offer in _seen(group[:TIMES])]


def _seen(cases: Sequence[ExceptionCase]) -> list[Offer]:
    if len(cases) < TIMES:
        return []
    learnt = [
        (habit, found)
        for habit in _HABITS.values()
        if (not habit.kinds or cases[0].kind in habit.kinds) and (found := habit.learn(cases))
    ]
    most = max(_amounts(cases), default=Decimal(0)) if learnt else Decimal(0)
    return [
        Offer(habit, cases[0].kind, cases[0].connection, *found, most, cases[0].currency)
        for habit, found in learnt
        if not _is_a_rule(habit, cases[0], found[0])
    ]


def _is_a_rule(habit: Habit, case: ExceptionCase, match: Mapping[str, Any]) -> bool:
    rows = Rule.objects.filter(habit=habit.code, kind=case.kind, connection=case.connection_id, enabled=True)
    return rows.filter(match=dict(match)).exists()


def _amounts(cases: Sequence[ExceptionCase]) -> list[Decimal]:
    """What was at risk: the sums of what the cases once held up, since their own figures go to zero."""
    sums: dict[int, Decimal] = {}
    for case, amount in CaseSubject.objects.filter(case__in=cases).values_list("case", "amount"):
        sums[case] = sums.get(case, Decimal(0)) + abs(amount)
    return list(sums.values())


def same_action(cases: Sequence[ExceptionCase], action: str) -> bool:
    """Whether it was this action, by a person, that ended each of the cases."""
    kind = ContentType.objects.get_for_model(ExceptionCase)
    done = Activity.objects.filter(
        subject_type=kind, subject_id__in=[case.pk for case in cases], action=action, actor__isnull=False
    )
    return set(done.values_list("subject_id", flat=True)) == {case.pk for case in cases}


def _learn_closing(cases: Sequence[ExceptionCase]) -> tuple[dict[str, Any], Text] | None:
    codes = {case.close_code for case in cases if case.state == CaseState.DISMISSED}
    if len(codes) != 1 or any(case.state != CaseState.DISMISSED for case in cases):
        return None
    code = codes.pop()
    return {"reason": code}, say("Close without a fix: %(what)s", what=f"close:{code}")


def _close(match: Mapping[str, Any], case: ExceptionCase) -> dict[str, Any]:
    return {"reason": match["reason"], "why": f"by a rule: {match['reason']}"}


CLOSING = Habit(code="closing", action="exceptions.dismiss", learn=_learn_closing, given=_close)


def accepting(action: str, code: str, kinds: tuple[str, ...]) -> Habit:
    """The habit of accepting cases of one root as they are."""

    def learn(cases: Sequence[ExceptionCase]) -> tuple[dict[str, Any], Text] | None:
        roots = {case.root for case in cases}
        if len(roots) != 1 or not same_action(cases, action):
            return None
        return {"root": roots.pop()}, say("Accept as it is: %(found)s", found=_found(cases[0]))

    def given(match: Mapping[str, Any], case: ExceptionCase) -> dict[str, Any] | None:
        if case.root != match["root"]:
            return None
        found = actions.by_code(case, action)
        return {"why": "by a rule"} | (found.initial(case) if found else {})

    return Habit(code=code, action=action, learn=learn, given=given, kinds=kinds)


def _found(case: ExceptionCase) -> Any:
    return case.found or str(known(case.kind).title)


HABITS = (CLOSING,)
