"""The register of kinds of case; each app declares its own in ``cases.py``, the wiring table puts them in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from integration_hub.backoffice.actions import Action
from integration_hub.kernel.text import Text
from integration_hub.models.access import User

from .models import Severity


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of trouble: words, who is responsible, how soon, and how it is fixed.

    ``title`` may hold ``%(name)s`` gaps that a case's params fill.  ``rerun(case)`` lets everything the case holds up run
    again and returns how many that was; ``one(pk, by)`` lets one of them, so that many can run in the background.  ``fixes`` are the Actions offered on the case, best first.  ``names`` translates
    codes that stand in params (``postal_code``); ``help`` says more than the explanation, for whoever meets it first.
    ``due`` counts in the team's working time (24 hours are one working day) unless the kind is due ``around_the_clock``;
    ``severity`` is what it is at least, however little money hangs on it.
    ``root(found)`` is what cases of several causes share (see ``roots``); None where each cause is its own root.
    """

    code: str
    title: Any
    explanation: Any
    blocks: Any
    role: str
    due: timedelta
    rerun: Callable[[Any], int]
    one: Callable[[int, User | None], Any] | None = None
    fixes: tuple[Action, ...] = ()
    names: Mapping[str, Any] = field(default_factory=dict)
    help: Any = ""
    severity: Severity = Severity.NORMAL
    around_the_clock: bool = False
    root: Callable[[Text], Any] | None = None


_REGISTER: dict[str, Kind] = {}
_TEAMS: dict[str, Any] = {}


def register(kinds: Iterable[Kind], teams: Mapping[str, Any] | None = None) -> None:
    """Called once, by the wiring; ``teams`` are the roles' names for people."""
    for kind in kinds:
        _REGISTER[kind.code] = kind
    _TEAMS.update(teams or {})


def kind_of(code: str) -> Kind:
    """The kind of this code; KeyError if nobody declares it."""
    return _REGISTER[code]


def known(code: str) -> Kind:
    """The kind of a case that is there: one that a later version no longer declares can still be read and closed."""
    return _REGISTER.get(code) or Kind(
        code=code, title=code, explanation="", blocks="", role="", due=timedelta(0), rerun=lambda _case: 0
    )


def all_kinds() -> list[Kind]:
    return list(_REGISTER.values())


def team_label(role: str) -> Any:
    """What a role is called."""
    return _TEAMS.get(role, role)
