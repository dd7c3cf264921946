"""From a case to what is shown of it: words, amounts and times as people read them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any

from django.utils import formats, timezone
from django.utils.translation import gettext, ngettext

from integration_hub.backoffice.words import money, words
from integration_hub.models.access import User

from .kinds import Kind, known, team_label
from .models import CaseState, ExceptionCase

_MINUTE, _HOUR, _DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


class Shown:
    """A case for a template; reads nothing from the database but what the case carries.

    ``size`` and ``amount`` may be given for closed cases, whose own have gone to zero with the last object.
    """

    def __init__(self, case: ExceptionCase, *, size: int | None = None, amount: Decimal | None = None) -> None:
        self.case = case
        self.size = case.size if size is None else size
        self._amount = case.amount if amount is None else amount

    @cached_property
    def kind(self) -> Kind:
        return known(self.case.kind)

    @cached_property
    def params(self) -> dict[str, Any]:
        return self._named(self.case.params)

    @property
    def title(self) -> str:
        """The reason in one sentence."""
        try:
            return str(self.kind.title) % self.params
        except (KeyError, ValueError, TypeError):
            return str(self.kind.title)

    @property
    def blocks(self) -> str:
        return str(self.kind.blocks)

    @property
    def expected(self) -> str:
        return self.said(self.case.expected)

    @property
    def found(self) -> str:
        return self.said(self.case.found)

    @property
    def amount(self) -> str:
        """With its currency; empty where no money hangs on it."""
        return money(self._amount, self.case.currency) if self._amount else ""

    @property
    def affects(self) -> str:
        """The first affected object by name."""
        return str(getattr(self.case, "first_label", None) or "")

    @property
    def team(self) -> str:
        return str(team_label(self.case.role))

    @property
    def who(self) -> str:
        return person_name(self.case.assignee) if self.case.assignee else ""

    @property
    def is_open(self) -> bool:
        return self.case.state == CaseState.OPEN

    @property
    def due_at(self) -> datetime:
        return self.case.due_at

    @property
    def overdue(self) -> bool:
        return self.is_open and self.due_at < timezone.now()

    @property
    def due(self) -> str:
        """``2 h overdue`` or the moment it is due."""
        if self.overdue:
            return gettext("%(time)s overdue") % {"time": span(timezone.now() - self.due_at)}
        return moment(self.due_at)

    @property
    def waits(self) -> str:
        """Until when it waits for others; empty without an end."""
        until = self.case.waits_until
        return gettext("until %(moment)s") % {"moment": moment(until)} if until else ""

    @property
    def age(self) -> str:
        return span((self.case.closed_at or timezone.now()) - self.case.first_seen_at)

    @property
    def closed(self) -> str:
        return moment(self.case.closed_at) if self.case.closed_at else ""

    @property
    def closer(self) -> str:
        return person_name(self.case.closed_by) if self.case.closed_by else gettext("by itself")

    def said(self, text: Mapping[str, Any] | None) -> str:
        """A stored Text with the codes in it named as the kind names them."""
        if not text:
            return ""
        return words({**text, "params": self._named(text.get("params", {}))})

    def _named(self, params: Mapping[str, Any]) -> dict[str, Any]:
        names = self.kind.names
        return {
            key: _named(value, names) if names and isinstance(value, str) else value for key, value in params.items()
        }


def _named(value: str, names: Mapping[str, Any]) -> str:
    parts = value.split(", ")
    return ", ".join(str(names[part]) for part in parts) if all(part in names for part in parts) else value


class Group(Shown):
    """Several cases of one root, as one row: the words of the first, the sums of all."""

    def __init__(
        self,
        case: ExceptionCase,
        *,
        size: int,
        amount: Decimal,
        number: int,
        due: datetime,
        differs: Collection[str],
        query: str,
    ) -> None:
        super().__init__(case, size=size, amount=amount)
        self.number, self.query, self._due, self._differs = number, query, due, differs

    @cached_property
    def params(self) -> dict[str, Any]:
        """What differs from case to case is left open."""
        return super().params | dict.fromkeys(self._differs, "…")

    @property
    def due_at(self) -> datetime:
        return self._due


def differing(one: Mapping[str, Any], other: Mapping[str, Any]) -> set[str]:
    """The names of what is not the same in both."""
    return {name for name in {*one, *other} if one.get(name) != other.get(name)}


class _Gaps(dict[str, str]):
    """Fills every gap of a title with an ellipsis."""

    def __missing__(self, name: str) -> str:
        return "…"


def plain(title: str) -> str:
    """The title of a kind without a case to fill it."""
    return title % _Gaps()


def person_name(user: User) -> str:
    return user.get_full_name() or user.get_username()


def moment(at: datetime) -> str:
    """``today 14:00``, ``tomorrow 9:30``, else date and time, in the reader's format."""
    local, today = timezone.localtime(at), timezone.localdate()
    time = formats.date_format(local, "TIME_FORMAT")
    near = {
        today: gettext("today %(time)s"),
        today + _DAY: gettext("tomorrow %(time)s"),
        today - _DAY: gettext("yesterday %(time)s"),
    }.get(local.date())
    return near % {"time": time} if near else formats.date_format(local, "SHORT_DATETIME_FORMAT")


def span(length: timedelta) -> str:
    """A length of time in its largest unit: ``5 min``, ``2 h``, ``3 days``."""
    if length < _HOUR:
        return gettext("%(count)s min") % {"count": max(int(length / _MINUTE), 0)}
    if length < 2 * _DAY:
        return gettext("%(count)s h") % {"count": int(length / _HOUR)}
    days = int(length / _DAY)
    return ngettext("%(count)s day", "%(count)s days", days) % {"count": days}
