"""A retry that explains itself: what changed since the last try, what will be written, what will not be repeated.

Each floor knows its own part; the wiring table puts the explainers in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from integration_hub.kernel.text import Text
from integration_hub.models import Attempt

from .models import CaseSubject, ExceptionCase
from .presentation import moment

MOST = 12


class Area(models.TextChoices):
    """Where something changed."""

    DATA = "DATA", _("data")
    MAPPING = "MAPPING", _("mapping")
    SETTINGS = "SETTINGS", _("settings and credentials")
    TARGET = "TARGET", _("target")


@dataclass(frozen=True, kw_only=True)
class Fact:
    """One thing that is not as at the last try."""

    area: Area
    text: Any  # a Text, live or stored
    at: datetime | None = None

    @property
    def area_label(self) -> str:
        return str(self.area.label)


@dataclass(frozen=True, kw_only=True)
class Outlook:
    """What one more try would be about."""

    since: datetime | None = None
    changed: tuple[Fact, ...] = ()
    writes: tuple[Text, ...] = ()
    kept: tuple[Text, ...] = ()

    @property
    def since_words(self) -> str:
        return moment(self.since) if self.since else ""


@dataclass(frozen=True)
class Question:
    """What an explainer is asked: the case, its object if it is only one, and since when."""

    case: ExceptionCase
    only: CaseSubject | None
    since: datetime
    last: Attempt | None = field(default=None)


Explainer = Callable[[Question], Outlook]
_EXPLAINERS: list[Explainer] = []


def register(explainers: Iterable[Explainer]) -> None:
    """Called once, by the wiring."""
    _EXPLAINERS[:] = list(explainers)


def outlook(case: ExceptionCase, only: CaseSubject | None) -> Outlook:
    """What one more try would be about, from all floors together."""
    command = case.data.get("command")
    last = Attempt.objects.filter(command_id=command).order_by("-number").first() if command else None
    since = last.started_at if last else case.last_seen_at
    parts = [explain(Question(case, only, since, last)) for explain in _EXPLAINERS]
    changed = sorted((fact for part in parts for fact in part.changed), key=lambda fact: fact.at or since, reverse=True)
    return Outlook(
        since=since,
        changed=tuple(changed[:MOST]),
        writes=tuple(text for part in parts for text in part.writes)[:MOST],
        kept=tuple(text for part in parts for text in part.kept)[:MOST],
    )
