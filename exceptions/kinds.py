"""The register of kinds of case; each app declares its own in ``cases.py``, the wiring table puts them in."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from integration_hub.backoffice.actions import Action


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of trouble: words, who is responsible, how soon, and how it is fixed.

    ``title`` may hold ``%(name)s`` gaps that a case's params fill.  ``rerun(case)`` lets everything the case holds up run
    again and returns how many that was.  ``fixes`` are the Actions offered on the case, best first.
    """

    code: str
    title: Any
    explanation: Any
    blocks: Any
    role: str
    due: timedelta
    rerun: Callable[[Any], int]
    fixes: tuple[Action, ...] = ()


_REGISTER: dict[str, Kind] = {}


def register(kinds: Iterable[Kind]) -> None:
    """Called once, by the wiring."""
    for kind in kinds:
        _REGISTER[kind.code] = kind


def kind_of(code: str) -> Kind:
    return _REGISTER[code]


def all_kinds() -> list[Kind]:
    return list(_REGISTER.values())
