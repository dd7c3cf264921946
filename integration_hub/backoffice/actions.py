"""An Action is declared once and has three faces: button, bulk action and REST endpoint.

``perform`` does permission, form, lock, check, run, Activity, in that order, and nothing else does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import PermissionDenied
from django.db import models, transaction

from integration_hub.kernel.errors import HubError, NotNow
from integration_hub.kernel.text import Text, say
from integration_hub.models import origin
from integration_hub.models.access import User
from integration_hub.models.activity import note
from integration_hub.models.patience import patiently


class Invalid(HubError):
    """The form of an action was not filled in properly; ``errors`` by field, as Django gives them."""

    def __init__(self, text: Text, errors: Mapping[str, Any]) -> None:
        super().__init__(text, code="invalid")
        self.errors = errors


def always(_row: Any) -> Text | None:
    """An action that is possible in every state."""
    return None


def nothing(_row: Any) -> dict[str, Any]:
    """A form that starts empty."""
    return {}


@dataclass(frozen=True, kw_only=True)
class Action:
    """Something a person may do to a row.

    ``allowed`` gives None, or the Text that says why not now.  ``run(row, by=user, **cleaned)`` changes it through
    services and returns what happened in words.  ``effect`` says before what would happen.  ``initial`` fills the form.
    ``second(action, row, user, data)`` asks a second person instead and returns what was asked; None where one is enough.
    ``outside(row)`` is what must not happen in a transaction (HTTP): it runs before it, and ``run`` gets its JSON as ``found``.
    """

    code: str
    label: Any
    permission: str
    run: Callable[..., Text]
    form: type[forms.Form] | None = None
    allowed: Callable[[Any], Text | None] = always
    effect: Callable[[Any], Text] | None = None
    initial: Callable[[Any], dict[str, Any]] = nothing
    outside: Callable[[Any], dict[str, Any]] | None = None
    second: Callable[[Action, Any, User, Mapping[str, Any]], Text | None] | None = None
    help: Any = ""
    bulk: bool = False
    primary: bool = False
    destructive: bool = False

    def bound(self, row: Any, data: Mapping[str, Any]) -> forms.Form | None:
        """The form over this row with data, or None if the action asks nothing."""
        return self.form(data, initial=self.initial(row), **self._of(row)) if self.form else None

    def unbound(self, row: Any) -> forms.Form | None:
        return self.form(initial=self.initial(row), **self._of(row)) if self.form else None

    def _of(self, row: Any) -> dict[str, Any]:
        return {"row": row} if self.form and issubclass(self.form, RowForm) else {}


class RowForm(forms.Form):
    """A form whose choices depend on the row it acts on.

    ``lookups``: by field, what finds (value, label) pairs for what has been typed so far.
    """

    lookups: ClassVar[Mapping[str, Callable[[str], list[tuple[str, str]]]]] = {}

    def __init__(self, *args: Any, row: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.row = row
        for name in self.lookups:
            self.fields[name].widget.attrs |= {"data-lookup": name, "autocomplete": "off"}
        self.prepare()

    def prepare(self) -> None:
        """Set choices from ``self.row``."""


def may(action: Action, user: User) -> bool:
    return user.has_perm(action.permission)


def offered(actions: tuple[Action, ...], row: Any, user: User) -> list[Action]:
    """Those of the actions that this person may do to this row now."""
    return [action for action in actions if may(action, user) and action.allowed(row) is None]


def perform(
    action: Action, row: models.Model, *, by: User, data: Mapping[str, Any] | None = None, approved: bool = False
) -> Text:
    """Do it, once, under a lock.  Raises PermissionDenied, Invalid, NotNow and whatever the services raise.

    ``approved``: a second person agreed already, or it is only tried and undone; nobody else says so.
    """
    if not may(action, by):
        raise PermissionDenied(str(action.label))
    cleaned = _cleaned(action, row, data or {})
    found = {"found": action.outside(row)} if action.outside else {}
    asking = None if approved else action.second
    with origin.because(action.code, str(cleaned.get("why", ""))):
        return patiently(
            lambda: _run(action, row, by, cleaned | found, lambda it: asking and asking(action, it, by, data or {}))
        )


@transaction.atomic
def _run(action: Action, row: models.Model, by: User, given: dict[str, Any], ask: Callable[[Any], Text | None]) -> Text:
    locked = type(row)._default_manager.select_for_update(of=("self",)).get(pk=row.pk)
    if (hindrance := action.allowed(locked)) is not None:
        raise NotNow(hindrance, code="not_now")
    if asked := ask(locked):
        note(locked, f"{action.code}.asked", asked, by=by, why=str(given.get("why", "")))
        return asked
    text = action.run(locked, by=by, **given)
    note(locked, action.code, text, by=by, why=str(given.get("why", "")), data=given.get("found"))
    return text


def _cleaned(action: Action, row: models.Model, data: Mapping[str, Any]) -> dict[str, Any]:
    form = action.bound(row, data)
    if form is None:
        return {}
    if not form.is_valid():
        raise Invalid(say("Please correct the form."), form.errors.get_json_data())
    return form.cleaned_data
