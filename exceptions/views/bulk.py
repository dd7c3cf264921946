"""One action on many cases: each on its own, with a result for each."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from integration_hub.backoffice.actions import Action, may, perform
from integration_hub.backoffice.pages import context, person, required
from integration_hub.backoffice.words import words
from integration_hub.kernel.errors import HubError
from integration_hub.kernel.text import Text, say
from integration_hub.models.access import User

from .. import actions
from ..filters import PER_PAGE
from ..models import ExceptionCase
from ..presentation import Shown, person_name

logger = logging.getLogger(__name__)
KEPT = "exceptions.bulk"
BULK = {action.code: action for action in actions.ALWAYS if action.bulk}


@required("exceptions.view_exceptioncase")
@require_POST
def bulk(request: HttpRequest) -> HttpResponse:
    """Do it to the chosen cases; an action that asks something asks it first.  Answers JSON where that is wanted."""
    action = BULK.get(request.POST.get("action", ""))
    if action is None:
        raise Http404
    user = person(request)
    if not may(action, user):
        raise PermissionDenied
    cases = _chosen(request)
    if (form := _question(action, request.POST)) and not form.is_valid():
        return _ask(request, action, cases, form)
    results = [_one(action, case, user, request.POST) for case in cases]
    if "application/json" in request.headers.get("Accept", ""):
        return JsonResponse({"results": [_told(result) for result in results]})
    request.session[KEPT] = {"action": action.code, "back": _back(request), "results": results}
    return redirect("exceptions-result")


@required("exceptions.view_exceptioncase")
def result(request: HttpRequest) -> HttpResponse:
    """What came of the last bulk action of this person."""
    kept = request.session.get(KEPT)
    if not kept:
        return redirect("exceptions")
    cases = ExceptionCase.objects.in_bulk([item["case"] for item in kept["results"]])
    rows = [
        {"shown": Shown(cases[item["case"]]), "ok": item["ok"], "text": words(item["text"])}
        for item in kept["results"]
        if item["case"] in cases
    ]
    page = context(
        request,
        BULK[kept["action"]].label,
        rows=rows,
        done=sum(row["ok"] for row in rows),
        failed=sum(not row["ok"] for row in rows),
        back=kept["back"],
    )
    return render(request, "exceptions/result.html", page)


def _chosen(request: HttpRequest) -> list[ExceptionCase]:
    ids = [pk for pk in request.POST.getlist("case") if pk.isascii() and pk.isdigit() and len(pk) < 18][:PER_PAGE]
    found = ExceptionCase.objects.select_related("connection", "assignee").in_bulk([int(pk) for pk in ids])
    return [found[int(pk)] for pk in dict.fromkeys(ids) if int(pk) in found]


def _question(action: Action, data: Mapping[str, Any]) -> forms.Form | None:
    if action.form is None:
        return None
    return action.form(data if any(name in data for name in action.form.base_fields) else None)


def _ask(request: HttpRequest, action: Action, cases: list[ExceptionCase], form: forms.Form) -> HttpResponse:
    shown = [Shown(case) for case in cases]
    page = context(
        request, action.label, action=action, rows=shown, form=form, back=_back(request), here=_here(request)
    )
    return render(request, "exceptions/ask.html", page)


def _one(action: Action, case: ExceptionCase, user: User, data: Mapping[str, Any]) -> dict[str, Any]:
    """Do it to one case; whatever goes wrong with it is its result and leaves the others alone."""
    try:
        text, ok = perform(action, case, by=user, data=data), True
    except HubError as error:
        text, ok = error.text, False
    except PermissionDenied:
        text, ok = say("You may not do this."), False
    except Exception:  # the edge that records: the other cases go on
        trace = uuid4().hex[:12]
        logger.exception("defect %s: %s of case %s", trace, action.code, case.pk)
        text, ok = say("A defect of the hub (trace %(trace)s).", trace=trace), False
    return {"case": case.pk, "ok": ok, "text": Text.as_json(text)}


def _told(result: Mapping[str, Any]) -> dict[str, Any]:
    case = ExceptionCase.objects.select_related("assignee").get(pk=result["case"])
    return {
        "case": case.pk,
        "ok": result["ok"],
        "text": words(result["text"]),
        "who": person_name(case.assignee) if case.assignee else "",
        "state": case.state,
    }


def _here(request: HttpRequest) -> str:
    return request.POST.get("back", "")[:500]


def _back(request: HttpRequest) -> str:
    """The list as it was; only its query string is taken over, never an address."""
    query = _here(request)
    return f"{reverse('exceptions')}?{query}" if query else reverse("exceptions")
