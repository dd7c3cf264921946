"""What of the exception list is shown: read from the address, so that every view of it is a link to send to a colleague."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.db.models import (
    Count,
    DecimalField,
    Exists,
    ExpressionWrapper,
    Max,
    Min,
    OuterRef,
    Q,
    QuerySet,
    Sum,
    TextField,
)
from django.db.models.functions import Cast, Extract, Now
from django.http import QueryDict
from django.utils import timezone

from integration_hub.models.access import User

from .kinds import all_kinds
from .models import CaseQuerySet, CaseState, CaseSubject, ExceptionCase

PER_PAGE = 50
LAST_PAGE = 200
MANY = 99
SEARCH_BACK = timedelta(days=180)
TO_DO = ("mine", "team", "all")
_ROOT = re.compile(r"[0-9a-f]{64}")
OPEN_TABS = (*TO_DO, "waiting")
CLOSED_TABS = ("auto", "closed")
TABS = (*OPEN_TABS, *CLOSED_TABS)


@dataclass(frozen=True)
class Filters:
    """A view of the list.  ``assignee`` is ``me``, ``none`` or a user's id; ``channel`` a connection's id.

    ``root`` shows the cases of one root cause; ``single`` shows every case in a row of its own.
    """

    tab: str = ""
    q: str = ""
    role: str = ""
    channel: str = ""
    kind: str = ""
    assignee: str = ""
    overdue: str = ""
    root: str = ""
    single: str = ""
    page: int = 1

    @classmethod
    def of(cls, query: QueryDict, role: str) -> Filters:
        """Read a query string; what makes no sense is left out.  Without a tab: the person's own team, if it has cases."""
        teams = {kind.role for kind in all_kinds()}
        tab = query.get("tab", "")
        return cls(
            tab=tab if tab in TABS else "team" if role in teams else "all",
            q=" ".join(query.get("q", "").replace("\x00", "").split())[:80],
            role=query.get("role", "") if query.get("role", "") in teams else "",
            channel=_number(query.get("channel", "")),
            kind=query.get("kind", "") if query.get("kind", "") in {kind.code for kind in all_kinds()} else "",
            assignee=_assignee(query.get("assignee", "")),
            overdue="1" if query.get("overdue") else "",
            root=query.get("root", "") if _ROOT.fullmatch(query.get("root", "")) else "",
            single="1" if query.get("single") else "",
            page=min(max(int(_number(query.get("page", "")) or 1), 1), LAST_PAGE),
        )

    @property
    def is_open(self) -> bool:
        return self.tab in OPEN_TABS

    @property
    def groups(self) -> bool:
        """Whether cases of one root share a row."""
        return self.is_open and not (self.root or self.single)

    @property
    def narrows(self) -> bool:
        """Whether more than the tab is chosen."""
        return any(getattr(self, name) for name in ("q", "role", "channel", "kind", "assignee", "overdue", "root"))

    def query(self, **changes: object) -> str:
        """The query string of this view with changes; back on page 1 unless told."""
        wanted = replace(self, **({"page": 1} | changes))  # type: ignore[arg-type]
        said = {field.name: str(getattr(wanted, field.name)) for field in fields(wanted)}
        return urlencode({name: value for name, value in said.items() if value and (name, value) != ("page", "1")})

    def rows(self, user: User, role: str) -> CaseQuerySet:
        """The cases of this view in the order of what to do next; closed ones newest first."""
        rows = in_tab(self.tab, user, role).filter(self._narrowed(user))
        if self.q:
            rows = rows.alias(said=Cast("params", TextField())).filter(_said(self.q, waiting=self.is_open))
            if not self.is_open:
                rows = rows.filter(closed_at__gte=timezone.now() - SEARCH_BACK)
        return rows.by_urgency() if self.is_open else rows.order_by("-closed_at", "-pk")

    def grouped(self, user: User, role: str) -> QuerySet[ExceptionCase, Any]:
        """One row for each root and currency: how many cases, what they hold up, the money in them; most urgent first."""
        rows = self.rows(user, role).order_by().values("root", "currency")
        return rows.annotate(
            number=Count("pk"),
            lead=Min("pk"),
            other=Max("pk"),
            held=Sum("size"),
            total=Sum("amount"),
            due=Min("due_at"),
            urgency=ExpressionWrapper(
                (Sum("amount") + 1) * Extract(Now() - Min("first_seen_at"), "epoch"),
                output_field=DecimalField(max_digits=30, decimal_places=4),
            ),
        ).order_by("-urgency", "due", "lead")

    def _narrowed(self, user: User) -> Q:
        wanted = Q()
        for name, column in (("role", "role"), ("channel", "connection_id"), ("kind", "kind"), ("root", "root")):
            if value := getattr(self, name):
                wanted &= Q(**{column: value})
        if self.assignee:
            wanted &= {"me": Q(assignee=user), "none": Q(assignee=None)}.get(
                self.assignee, Q(assignee_id=self.assignee)
            )
        return wanted & Q(due_at__lt=timezone.now()) if self.overdue else wanted


def _number(text: str) -> str:
    return text if text.isascii() and text.isdigit() and len(text) <= 12 else ""


def _assignee(text: str) -> str:
    return text if text in ("me", "none") else _number(text)


_CLOSED = (CaseState.SOLVED, CaseState.DISMISSED)
_IN_TAB: dict[str, Callable[[User, str], CaseQuerySet]] = {
    "mine": lambda user, _role: ExceptionCase.objects.our_turn().filter(assignee=user),
    "team": lambda _user, role: ExceptionCase.objects.our_turn().filter(role=role),
    "all": lambda _user, _role: ExceptionCase.objects.our_turn(),
    "waiting": lambda _user, _role: ExceptionCase.objects.waiting(),
    "auto": lambda _user, _role: ExceptionCase.objects.filter(state__in=_CLOSED, closed_by=None),
    "closed": lambda _user, _role: ExceptionCase.objects.filter(state__in=_CLOSED, closed_by__isnull=False),
}


def in_tab(tab: str, user: User, role: str) -> CaseQuerySet:
    """The cases of a tab for this person and team."""
    return _IN_TAB[tab](user, role)


def counts(user: User, role: str) -> dict[str, str]:
    """How many open cases each tab holds, counted no further than 99; closed ones are not counted."""
    found = {tab: in_tab(tab, user, role).order_by()[: MANY + 1].count() for tab in OPEN_TABS}
    return {tab: f"{MANY}+" if count > MANY else str(count) for tab, count in found.items()}


def _said(text: str, *, waiting: bool) -> Q:
    """Cases whose reason, cause or affected objects hold this text, in the reader's language.

    ``waiting``: only objects that still wait count, so that the search stays as small as the open part of the table.
    """
    kinds = [kind.code for kind in all_kinds() if text.casefold() in str(kind.title).casefold()]
    affected = CaseSubject.objects.filter(case=OuterRef("pk"), label__icontains=text)
    affected = affected.filter(open=True) if waiting else affected
    return Q(cause__icontains=text) | Q(said__icontains=text) | Q(kind__in=kinds) | Q(Exists(affected))
