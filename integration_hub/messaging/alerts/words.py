"""What an alert says: the kind of trouble with numbers and names of things, never of people.

A title may hold only gaps that are named here, and what fills them loses whatever looks like an e-mail address, a phone or a
network address; the page it links to shows the rest to those who may see it.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.utils import translation

from exceptions.kinds import known
from exceptions.models import ExceptionCase
from integration_hub.backoffice import masking
from integration_hub.kernel.text import Text, say
from integration_hub.models import AlertRule
from integration_hub.models.alert import Condition

from .rules import Figure

# gaps of the titles of kinds that hold numbers and names of things
HARMLESS = frozenset(
    "amount channel channels code connection count day days document hours invariant kind location month "
    "number order period process rates reference series sku status system target topic usual what year".split()
)
HIDDEN = "…"


class _Gaps(dict[str, str]):
    """Fills what is not named as harmless with an ellipsis."""

    def __init__(self, params: dict[str, Any]) -> None:
        found = {name: str(value) for name, value in params.items() if name in HARMLESS}
        super().__init__({name: masking.text(value, personal=False)[:80] for name, value in found.items()})

    def __missing__(self, name: str) -> str:
        return HIDDEN


def of_case(case: ExceptionCase) -> Text:
    """The title of an exception, in English with what may be said."""
    with translation.override("en"):
        msgid = str(known(case.kind).title)
    return Text(msgid, _Filled(msgid, case.params))


class _Filled(dict[str, str]):
    """The gaps of a sentence, each filled."""

    def __init__(self, msgid: str, params: dict[str, Any]) -> None:
        gaps = _Gaps(params)
        recorder = _Recorder()
        msgid % recorder
        super().__init__({name: gaps.get(name, HIDDEN) for name in recorder.asked})


class _Recorder(dict[str, str]):
    """Notes which gaps a sentence has."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []

    def __missing__(self, name: str) -> str:
        self.asked.append(name)
        return ""


def gaps(title: str) -> set[str]:
    """The names of the gaps of a title."""
    recorder = _Recorder()
    title % recorder
    return set(recorder.asked)


def of_figure(rule: AlertRule, figure: Figure, value: Decimal) -> Text:
    """What a figure is, and what it should be."""
    with translation.override("en"):
        label, unit = Text(str(figure.label)), Text(str(figure.unit))
    shown = {"what": label, "value": _plain(value), "limit": _plain(rule.limit), "unit": unit, "minutes": rule.window}
    if rule.condition == Condition.RISES:
        return say("%(what)s: %(value)s %(unit)s, risen by %(limit)s %% or more in %(minutes)s minutes", **shown)
    if rule.condition == Condition.FALLS:
        return say("%(what)s: %(value)s %(unit)s, fallen by %(limit)s %% or more in %(minutes)s minutes", **shown)
    if rule.condition == Condition.BELOW:
        return say("%(what)s: %(value)s %(unit)s, below %(limit)s", **shown)
    return say("%(what)s: %(value)s %(unit)s, above %(limit)s", **shown)


def _plain(value: Decimal) -> str:
    return format(value.normalize(), "f") if value else "0"
