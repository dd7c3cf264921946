"""One way to move a process row from state to state: the table allows it, the old state still stands, a step is written."""

from __future__ import annotations

from typing import Any

from django.db import models

from integration_hub.kernel.errors import Defect, RetryLater
from integration_hub.kernel.states import Moves
from integration_hub.kernel.text import say
from integration_hub.models.access import User
from integration_hub.models.activity import note


def move(
    row: models.Model, to: str, moves: Moves, *, by: User | None = None, system: str = "hub", why: str = "", **also: Any
) -> bool:
    """Set ``state`` and the columns ``also``; False if it is there already.  RetryLater where somebody else moved it."""
    old = str(getattr(row, "state"))  # noqa: B009  every row that moves has one
    if old == to:
        return False
    if to not in moves[old]:
        raise Defect(say("%(what)s cannot go from %(old)s to %(to)s.", what=str(row), old=old, to=to))
    if not type(row)._default_manager.filter(pk=row.pk, state=old).update(state=to, **also):
        raise RetryLater(say("It has changed meanwhile."))
    for name, value in {"state": to, **also}.items():
        setattr(row, name, value)
    text = say("%(old)s → %(to)s", old=old, to=to)
    note(row, f"payments.{type(row)._meta.model_name}", text, by=by, system="" if by else system, why=why)
    return True
