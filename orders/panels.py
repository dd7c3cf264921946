"""What floors above add to the order's page: a template and its facts, for those who may see them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest

from integration_hub.backoffice.pages import person

from .models import Order


@dataclass(frozen=True, kw_only=True)
class Panel:
    """A section of the order's page.  ``facts(request, order)`` fills ``template``, which finds them as ``panel``."""

    template: str
    permission: str
    facts: Callable[[HttpRequest, Order], dict[str, Any]]


_PANELS: list[Panel] = []


def register(panels: Iterable[Panel]) -> None:
    """Called once, by the wiring."""
    _PANELS[:] = panels


def of(request: HttpRequest, order: Order) -> list[tuple[str, dict[str, Any]]]:
    """Template and facts of each panel that this person may see."""
    user = person(request)
    return [(panel.template, panel.facts(request, order)) for panel in _PANELS if user.has_perm(panel.permission)]
