"""One action on many cases: a job with a result for each, which can be left and found again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid4

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from integration_hub.backoffice.actions import Action, may
from integration_hub.backoffice.pages import context, person, required
from integration_hub.backoffice.words import words
from integration_hub.models.access import User

from .. import actions, jobs
from ..filters import Filters
from ..models import ExceptionCase, Job, JobRow, RowState
from ..presentation import Shown, person_name
from .pages import back_to

SHOWN = 50
MOST_ROOTS = 50


@required("exceptions.view_exceptioncase")
@require_POST
def bulk(request: HttpRequest) -> HttpResponse:
    """Do it to the chosen cases; an action that asks something asks it first.  Answers JSON where that is wanted."""
    user = person(request)
    cases = _chosen(request, user)
    action = actions.for_many(request.POST.get("action", ""), cases)
    if action is None:
        raise Http404
    if not may(action, user):
        raise PermissionDenied
    if (form := _question(action, cases, request.POST)) and not form.is_valid():
        return _ask(request, action, cases, form)
    job = _job(request, action, cases, _typed(form, request.POST))
    jobs.finish_now(job)
    if "application/json" in request.headers.get("Accept", ""):
        rows = job.rows.select_related("case__assignee").order_by("pk")[: jobs.AT_ONCE]
        return JsonResponse({"count": len(cases), "results": [_told(row) for row in rows]})
    return redirect("exceptions-job", job.pk)


def _job(request: HttpRequest, action: Action, cases: list[ExceptionCase], data: dict[str, str]) -> Job:
    back = request.POST.get("back", "")[:500]
    root = cases[0].root if len({case.root for case in cases}) == 1 else ""
    try:
        return jobs.for_cases(
            action.code, cases, by=person(request), data=data, key=_key(request), back=back, root=root
        )
    except Job.DoesNotExist as error:  # the number of somebody else's page
        raise Http404 from error


def _chosen(request: HttpRequest, user: User) -> list[ExceptionCase]:
    """The ticked cases and those of ticked roots, or all of the list's filter; in the order of the list."""
    filters = Filters.of(QueryDict(request.POST.get("back", "")[:500]), user.role)
    rows = ExceptionCase.objects.select_related("connection", "assignee")
    here = filters.rows(user, user.role).select_related("connection", "assignee")
    if request.POST.get("every"):
        return list(here[: jobs.MOST])
    roots = list(here.filter(root__in=request.POST.getlist("root")[:MOST_ROOTS])[: jobs.MOST])
    ids = [pk for pk in request.POST.getlist("case") if pk.isascii() and pk.isdigit() and len(pk) < 18][: jobs.MOST]
    found = rows.in_bulk([int(pk) for pk in ids])
    ticked = [found[int(pk)] for pk in dict.fromkeys(ids) if int(pk) in found]
    return list({case.pk: case for case in (*roots, *ticked)}.values())


def _question(action: Action, cases: list[ExceptionCase], data: Mapping[str, Any]) -> forms.Form | None:
    """The action's form over the first case; what it holds unseen comes from each case itself."""
    if action.form is None or not cases:
        return None
    given = {name: data[name] for name in action.form.base_fields if name in data}
    unseen = action.initial(cases[0])
    hidden = {name: unseen.get(name, "") for name, field in action.form.base_fields.items() if field.widget.is_hidden}
    return action.bound(cases[0], given | hidden) if given else action.unbound(cases[0])


def _typed(form: forms.Form | None, data: Mapping[str, Any]) -> dict[str, str]:
    """What was typed, as the form of each case will read it again."""
    shown = [name for name, field in form.fields.items() if not field.widget.is_hidden] if form else []
    return {name: str(data[name]) for name in shown if name in data}


def _key(request: HttpRequest) -> UUID:
    """The page's own number: sent twice, the same job."""
    try:
        return UUID(request.POST.get("key", ""))
    except ValueError:
        return uuid4()


def _ask(request: HttpRequest, action: Action, cases: list[ExceptionCase], form: forms.Form) -> HttpResponse:
    page = context(
        request,
        action.label,
        action=action,
        count=len(cases),
        rows=[Shown(case) for case in cases[:SHOWN]],
        form=form,
        every=request.POST.get("every", ""),
        ids=[] if request.POST.get("every") else [case.pk for case in cases[SHOWN:]],
        key=_key(request),
        back=back_to(request.POST.get("back", "")),
        here=request.POST.get("back", "")[:500],
    )
    return render(request, "exceptions/ask.html", page)


def _told(row: JobRow) -> dict[str, Any]:
    case = row.case
    return {
        "case": row.case_id,
        "ok": row.state == RowState.DONE,
        "text": words(row.text),
        "who": person_name(case.assignee) if case and case.assignee else "",
        "state": case.state if case else "",
    }
