"""The list: one row per cause, what to do next on top."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any
from uuid import uuid4

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
from ..filters import LAST_PAGE, MANY, PER_PAGE, Filters, counts
from ..kinds import all_kinds, known, team_label
from ..models import Approval, ApprovalState, CaseSubject, ExceptionCase, Job, SavedView
from ..presentation import Group, Shown, differing, person_name, plain
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
    if filters.root and rows:
        filters = replace(filters, kind=rows[0].case.kind)
    page = context(
        request,
        _("Exceptions"),
        filters=filters,
        rows=rows,
        tabs=_tabs(filters, user, role),
        pager=_pager(filters, len(rows), more=more),
        choices=_choices(),
        saved=_saved(user, role, filters),
        bulk=_bulk(user, filters) if filters.is_open else [],
        group=_head(rows, filters, user, role),
        here=filters.query(page=filters.page),
        key=uuid4(),
        to_approve=Approval.objects.filter(state=ApprovalState.REQUESTED)[:MANY].count() or "",
        running=Job.objects.filter(finished_at=None)[:MANY].count() or "",
    )
    return render(request, "exceptions/list.html", page)


def _labelled(filters: Filters, user: User, role: str) -> QuerySet[ExceptionCase]:
    rows = filters.rows(user, role).select_related("connection", "assignee", "closed_by")
    return rows.annotate(first_label=Subquery(_FIRST_LABEL))


def _page(filters: Filters, user: User, role: str) -> tuple[list[Shown], bool]:
    start = (filters.page - 1) * PER_PAGE
    if filters.groups:
        groups = list(filters.grouped(user, role)[start : start + PER_PAGE + 1])
        return _groups(groups[:PER_PAGE], filters), len(groups) > PER_PAGE
    found = list(_labelled(filters, user, role)[start : start + PER_PAGE + 1])
    more = len(found) > PER_PAGE
    if filters.is_open:
        return [Shown(case) for case in found[:PER_PAGE]], more
    return closed(found[:PER_PAGE]), more


def _groups(groups: Sequence[Mapping[str, Any]], filters: Filters) -> list[Shown]:
    """A row for each root: its first case with the sums of all."""
    ids = {pk for group in groups for pk in (group["lead"], group["other"])}
    rows = ExceptionCase.objects.select_related("connection", "assignee", "closed_by")
    cases = {case.pk: case for case in rows.annotate(first_label=Subquery(_FIRST_LABEL)).filter(pk__in=ids)}
    return [_group(group, cases, filters) for group in groups if group["lead"] in cases]


def _group(group: Mapping[str, Any], cases: Mapping[int, ExceptionCase], filters: Filters) -> Shown:
    lead = cases[group["lead"]]
    if group["number"] == 1:
        return Shown(lead)
    return Group(
        lead,
        size=group["held"],
        amount=group["total"],
        number=group["number"],
        due=group["due"],
        differs=differing(lead.params, cases.get(group["other"], lead).params),
        query=filters.query(root=lead.root),
    )


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
        "waiting": _("Waiting for others"),
        "auto": _("Done automatically"),
        "closed": _("Done by people"),
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
        "kind": sorted(((kind.code, plain(str(kind.title))) for kind in kinds), key=_label),
        "people": [(str(one.pk), person_name(one)) for one in actions.assignable()[:200]],
    }


def _label(choice: tuple[str, str]) -> str:
    return choice[1].casefold()


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


def _bulk(user: User, filters: Filters) -> list[Action]:
    """What can be done to many cases at once by this person; with one kind in view its fixes too, best first."""
    fixes = known(filters.kind).fixes if filters.kind else ()
    return [action for action in (*fixes, *actions.ALWAYS) if action.bulk and may(action, user)]


def _head(rows: Sequence[Shown], filters: Filters, user: User, role: str) -> Group | None:
    """What the cases of one root have in common, with their sums; None elsewhere."""
    if not (filters.root and filters.is_open and rows):
        return None
    group = next(iter(filters.grouped(user, role)[:1]), None)
    if group is None:
        return None
    first, last = rows[0].case, rows[-1].case
    return Group(
        first,
        size=group["held"],
        amount=group["total"],
        number=group["number"],
        due=group["due"],
        differs=differing(first.params, last.params),
        query=filters.query(),
    )
