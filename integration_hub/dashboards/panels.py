"""What other floors add to a role's start page: a template and its facts, for those who may see them.

The month-end status of the books comes through here: the wiring registers it, the start page shows it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from integration_hub.models import User


@dataclass(frozen=True, kw_only=True)
class Panel:
    """A section of the start pages of ``roles``.  ``facts(user)`` fills ``template``, which finds them as ``facts``."""

    roles: frozenset[str]
    permission: str
    template: str
    facts: Callable[[User], Any]


_PANELS: list[Panel] = []


def register(panels: Iterable[Panel]) -> None:
    """Called once, by the wiring."""
    _PANELS[:] = panels


def of(role: str, user: User) -> list[tuple[str, Any]]:
    """Template and facts of each panel on the start page of a role that this person may see."""
    shown = [panel for panel in _PANELS if role in panel.roles and user.has_perm(panel.permission)]
    return [(panel.template, panel.facts(user)) for panel in shown]
