"""Which rules there are: one for each kind of exception by construction, and some over figures.  People change them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.apps import AppConfig
from django.contrib.auth.models import Group

from exceptions.kinds import Kind, all_kinds
from integration_hub.models import AlertChannel, AlertRule
from integration_hub.models.alert import Condition, Urgency

CASES = "exceptions.view_exceptioncase"
OVER_FIGURES = (Condition.ABOVE, Condition.BELOW, Condition.RISES, Condition.FALLS, Condition.SILENT)
LAST_RESORT = "administrator"
AT_ONCE, SAME_DAY = timedelta(hours=4), timedelta(hours=24)


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A number that rules may be about: ``measure`` gives it now, None where there is none.  Without names of people."""

    code: str
    label: Any
    unit: Any
    permission: str
    measure: Callable[[], Decimal | int | float | None]


@dataclass(frozen=True, kw_only=True)
class Default:
    """A rule that is there from the start."""

    subject: str
    condition: Condition
    limit: Decimal = Decimal(0)
    window: int = 60
    urgency: Urgency = Urgency.SOON
    role: str
    escalate_after: int | None = None


_figures: dict[str, Figure] = {}
_defaults: list[Default] = []


def register(figures: Iterable[Figure], defaults: Iterable[Default]) -> None:
    """Called once, by the wiring."""
    _figures.update({figure.code: figure for figure in figures})
    _defaults[:] = defaults


def figures() -> Mapping[str, Figure]:
    return _figures


def permission(rule: AlertRule) -> str:
    """What somebody must be allowed to see to be told by this rule."""
    figure = _figures.get(rule.subject)
    return figure.permission if figure and rule.condition in OVER_FIGURES else CASES


def of_kind(kind: Kind) -> Default:
    """How people are told about a kind of exception unless they say otherwise: the sooner it is due, the louder."""
    urgency = Urgency.NOW if kind.due <= AT_ONCE else Urgency.SOON if kind.due <= SAME_DAY else Urgency.DIGEST
    return Default(
        subject=kind.code,
        condition=Condition.OPENED,
        urgency=urgency,
        role=kind.role,
        escalate_after=None if urgency == Urgency.DIGEST else int(kind.due / timedelta(minutes=1)),
    )


def prepare(sender: AppConfig | None = None, **_kwargs: Any) -> None:
    """Make the rules that are not there yet; those that people have changed stay as they are.  After every migration."""
    wanted = [*(of_kind(kind) for kind in all_kinds()), *_defaults]
    there = set(AlertRule.objects.values_list("subject", "condition"))
    made = [_row(one) for one in wanted if (one.subject, one.condition) not in there]
    AlertRule.objects.bulk_create(made, ignore_conflicts=True)


def _row(one: Default) -> AlertRule:
    return AlertRule(
        subject=one.subject,
        condition=one.condition,
        limit=one.limit,
        window=one.window,
        urgency=one.urgency,
        role=one.role,
        escalate_after=one.escalate_after,
        escalate_to=LAST_RESORT if one.escalate_after else "",
    )


def listeners(rule: AlertRule, role: str) -> list[AlertChannel]:
    """The channels that are told by this rule as people of ``role``: those of the role, without those that do not want
    it, with those of other roles that do, and none whose role may not see it.
    """
    said = dict(rule.subscriptions.values_list("channel", "wanted"))
    allowed = roles_that_see(permission(rule))
    return [
        channel
        for channel in AlertChannel.objects.filter(enabled=True)
        if channel.role in allowed and said.get(channel.pk, channel.role == role)
    ]


def roles_that_see(codename: str) -> set[str]:
    """The roles whose people have this permission."""
    app, _dot, code = codename.partition(".")
    found = Group.objects.filter(permissions__content_type__app_label=app, permissions__codename=code)
    return set(found.values_list("name", flat=True))
