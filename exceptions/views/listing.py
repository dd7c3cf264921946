"""The list: one row per cause, what to do next on top."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django.db.models import Count, F, OuterRef, Q, QuerySet, Subquery, Sum
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _

from integration_hub.backoffice import exports
from integration_hub.backoffice.actions import Action, may
from integration_hub.backoffice.pages import context, person, required
from integration_hub.models import Connection
from integration_hub.models.access import User

from .. import actions
from ..filters import LAST_PAGE, PER_PAGE, Filters, counts
from ..kinds import all_kinds, team_label
from ..models import CaseSubject, ExceptionCase, SavedView
from ..presentation import Shown, person_name
from ..sheets import EXCEPTIONS

_FIRST_LABEL = (
    CaseSubject.objects.filter(case=OuterRef("pk")).order_by("subject_type", "subject_id").values("label")[:1]
)


@required("exceptions.view_exceptioncase")
def exceptions(request: HttpRequest) -> HttpResponseBase:
    """The list as the address says."""
    user = person(request)
    role = user.role
    filters = Filters.of(request.GET, role)
    if file := exports.asked(request, EXCEPTIONS, _labelled(filters, user, role)):
        return file
    rows, more = _page(filters, user, role)
    page = context(
        request,
        _("Exceptions"),
        filters=filters,
        rows=rows,
        tabs=_tabs(filters, user, role),
        pager=_pager(filters, len(rows), more=more),
        choices=_choices(),
        saved=_saved(user, role, filters),
        bulk=_bulk(user) if filters.is_open else [],
        here=filters.query(page=filters.page),
    )
    return render(request, "exceptions/list.html", page)


def _labelled(filters: Filters, user: User, role: str) -> QuerySet[ExceptionCase]:
    rows = filters.rows(user, role).select_related("connection", "assignee", "closed_by")
    return rows.annotate(first_label=Subquery(_FIRST_LABEL))


def _page(filters: Filters, user: User, role: str) -> tuple[list[Shown], bool]:
    start = (filters.page - 1) * PER_PAGE
    found = list(_labelled(filters, user, role)[start : start + PER_PAGE + 1])
    more = len(found) > PER_PAGE
    if filters.is_open:
        return [Shown(case) for case in found[:PER_PAGE]], more
    return closed(found[:PER_PAGE]), more


def closed(cases: Sequence[ExceptionCase]) -> list[Shown]:
    """Closed cases with what they once held up: their own figures have gone to zero."""
    same = Q(currency=F("case__currency"))
    sums = (
        CaseSubject.objects.filter(case__in=cases)
        .values("case")
        .annotate(size=Count("pk"), total=Sum("amount", filter=same))
    )
    once = {row["case"]: row for row in sums}
    nothing: dict[str, Any] = {"size": 0, "total": None}
    found = [(case, once.get(case.pk, nothing)) for case in cases]
    return [Shown(case, size=row["size"], amount=row["total"] or Decimal(0)) for case, row in found]


def _tabs(filters: Filters, user: User, role: str) -> list[dict[str, Any]]:
    found = counts(user, role)
    labels = {
        "mine": _("Mine"),
        "team": _("My team"),
        "all": _("All"),
        "auto": _("Solved by itself"),
        "closed": _("Closed by people"),
    }
    return [
        {
            "code": tab,
            "label": label,
            "count": found.get(tab, ""),
            "query": filters.query(tab=tab),
            "current": tab == filters.tab,
        }
        for tab, label in labels.items()
    ]


def _pager(filters: Filters, shown: int, *, more: bool) -> dict[str, Any]:
    first = (filters.page - 1) * PER_PAGE + 1
    return {
        "first": first,
        "last": first + shown - 1,
        "older": filters.query(page=filters.page + 1) if more and filters.page < LAST_PAGE else "",
        "newer": filters.query(page=filters.page - 1) if filters.page > 1 else "",
        "cut": more and filters.page >= LAST_PAGE,
    }


def _choices() -> dict[str, list[tuple[str, str]]]:
    """What can be chosen from: label by value, each list in the order of its labels."""
    kinds = all_kinds()
    return {
        "role": sorted({(kind.role, str(team_label(kind.role))) for kind in kinds}, key=_label),
        "channel": [
            (str(pk), name) for pk, name in Connection.objects.order_by("name").values_list("pk", "name")[:200]
        ],
        "kind": sorted(((kind.code, _plain(str(kind.title))) for kind in kinds), key=_label),
        "people": [(str(one.pk), person_name(one)) for one in actions.assignable()[:200]],
    }


def _label(choice: tuple[str, str]) -> str:
    return choice[1].casefold()


class _Gaps(dict[str, str]):
    """Fills every gap of a title with an ellipsis."""

    def __missing__(self, name: str) -> str:
        return "…"


def _plain(title: str) -> str:
    return title % _Gaps()


def _saved(user: User, role: str, filters: Filters) -> list[dict[str, Any]]:
    mine = Q(owner=user) | (Q(role=role) & ~Q(role=""))
    return [
        {
            "view": view,
            "mine": view.owner_id == user.pk,
            "team": team_label(view.role) if view.role else "",
            "current": view.query == filters.query(),
        }
        for view in SavedView.objects.filter(mine)[:50]
    ]


def _bulk(user: User) -> list[Action]:
    """What can be done to many cases at once by this person."""
    return [action for action in actions.ALWAYS if action.bulk and may(action, user)]
