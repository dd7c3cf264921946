"""Proving the invariants on the live rows: each one every night, a case for each that is broken until it holds again."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import time, timedelta
from functools import partial
from typing import Any

from django.utils import translation
from django.utils.translation import gettext_lazy as _

from exceptions import services as cases
from exceptions.kinds import Kind
from exceptions.models import ExceptionCase
from exceptions.services import Trouble
from integration_hub.backoffice.invariants import Invariant, Verdict, invariant_of, judge
from integration_hub.kernel.text import Text, say
from integration_hub.models import Duty

from . import schedules
from .schedules import Task

KIND = "invariant_broken"
AT = time(4)
PREFIX = "verify:"


def tasks(invariants: Iterable[Invariant]) -> list[Task]:
    """A duty for each, so that one that takes long holds up no other."""
    return [
        Task(name=f"{PREFIX}{one.code}"[:60], label=one.title, at=AT, run=partial(verify, one.code))
        for one in invariants
    ]


def verify(code: str) -> dict[str, Any]:
    """Judge one invariant and open or close its case."""
    verdict = judge(invariant_of(code))
    duty, _made = Duty.objects.get_or_create(name=f"{PREFIX}{code}"[:60])
    if verdict.kept:
        cases.clear(duty, causes=[duty.name])
    else:
        _open(duty, verdict)
    return {"broken": verdict.count, "sample": list(verdict.sample), "ms": verdict.ms}


def _open(duty: Duty, verdict: Verdict) -> None:
    cases.open_case(
        Trouble(
            kind=KIND,
            cause=duty.name,
            params={"invariant": verdict.invariant.code},
            expected=Text(_english(verdict.invariant.title)),
            found=say(
                "%(count)s break it, among them: %(sample)s", count=verdict.count, sample=", ".join(verdict.sample)
            ),
            data={"invariant": verdict.invariant.code, "sample": list(verdict.sample)},
        ),
        duty,
    )


def _english(title: Any) -> str:
    """The sentence as it is kept, whatever language the worker speaks."""
    with translation.override("en"):
        return str(title)


def rerun(case: ExceptionCase) -> int:
    """Judge it again, soon."""
    schedules.run_now(case.cause)
    return 1


def kind(invariants: Iterable[Invariant]) -> Kind:
    """The kind of case that says which of these rules is broken."""
    return Kind(
        code=KIND,
        names={one.code: one.title for one in invariants},
        title=_("The stored data breaks a rule of the hub: %(invariant)s"),
        explanation=_(
            "Every night the hub proves on its own rows that nothing is lost, double or half done. Here the proof fails: a defect of the hub, or somebody changed rows by hand."
        ),
        blocks=_("Trust in the figures; possibly single orders"),
        role="integrator",
        due=timedelta(hours=8),
        rerun=rerun,
        help=_(
            "Look at the rows named and at what happened to them last. manage.py verify says the same on the command line. The exception closes itself when the rule holds again."
        ),
    )
