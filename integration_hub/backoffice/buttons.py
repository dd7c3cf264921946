"""Actions as buttons of a page: which are offered with which form, and what happens when one is pressed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.db import models
from django.http import Http404, HttpRequest
from django.urls import reverse

from integration_hub.kernel.errors import HubError

from .actions import Action, Invalid, offered, perform
from .pages import person
from .words import words


@dataclass(frozen=True)
class Button:
    """An action that this person may do to this row now: its form (None: asks nothing) and where it is posted."""

    action: Action
    form: forms.Form | None
    url: str


def buttons(request: HttpRequest, actions: Iterable[Action], row: models.Model, url: str) -> list[Button]:
    """The buttons of a row; ``url`` names the route that takes the row's id and the action's code."""
    found = offered(tuple(actions), row, person(request))
    return [Button(action, action.unbound(row), reverse(url, args=[row.pk, action.code])) for action in found]


def press(request: HttpRequest, actions: Iterable[Action], code: str, row: models.Model) -> None:
    """Perform the action of this code and tell the person what came of it; 404 for an action that is not offered here."""
    action = next((item for item in actions if item.code == code), None)
    if action is None:
        raise Http404
    try:
        text = perform(action, row, by=person(request), data=request.POST)
    except Invalid as error:
        messages.error(request, " ".join([words(error.text), *_complaints(error.errors)]))
    except HubError as error:
        messages.error(request, words(error.text))
    else:
        messages.success(request, words(text))


def _complaints(errors: Mapping[str, Any]) -> list[str]:
    return [str(item["message"]) for found in errors.values() for item in found]
