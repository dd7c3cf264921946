"""One case: what happened, what it blocks, what may be done, what will happen then."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from integration_hub.backoffice.actions import Action, Invalid, RowForm, may, perform
from integration_hub.backoffice.pages import context, person, required
from integration_hub.backoffice.words import words
from integration_hub.kernel.errors import HubError
from integration_hub.models import origin
from integration_hub.models.access import User
from integration_hub.models.look import looked_at

from .. import actions, affected, approvals, evidence, explaining, habits, preview
from ..jobs import counts_of
from ..models import CaseState, CaseSubject, ExceptionCase, Job
from ..presentation import Shown
from ..subjects import face_of, link
from .approvals import ShownApproval
from .jobs import ShownJob
from .listing import closed
from .rules import shown_offer

Typed = tuple[str, Mapping[str, Any]]  # an action's code and what was typed into its form


@dataclass(frozen=True)
class Offer:
    """A fix as the page offers it; ``why_not`` where the person lacks the permission."""

    action: Action
    form: forms.Form | None
    effect: str
    why_not: str = ""
    chosen: bool = False


@required("exceptions.view_exceptioncase")
def exception(request: HttpRequest, pk: int) -> HttpResponse:
    """The page of a case; a closed one can be read and not changed."""
    case = _case(pk)
    if case.state == CaseState.OPEN:
        looked_at(case, person(request))
    return _page(request, case)


@required("exceptions.view_exceptioncase")
@require_POST
def act(request: HttpRequest, pk: int, code: str) -> HttpResponse:
    """Do one thing to the case and say what came of it; a form that is not right is shown again."""
    case = _case(pk)
    action = actions.by_code(case, code)
    if action is None:
        raise Http404
    try:
        text = perform(action, case, by=person(request), data=request.POST)
    except Invalid:
        return _page(request, case, typed=(code, request.POST), status=422)
    except HubError as error:
        messages.error(request, words(error.text))
    except PermissionDenied:
        messages.error(request, _("You may not do this: %(what)s") % {"what": action.label})
    else:
        messages.success(request, words(text))
    return redirect("exception", pk)


@required("exceptions.view_exceptioncase")
@require_POST
def try_out(request: HttpRequest, pk: int, code: str) -> HttpResponse:
    """Show what the fix would change; nothing is changed."""
    case = _case(pk)
    action = actions.by_code(case, code)
    if action is None:
        raise Http404
    typed: Typed = (code, request.POST)
    try:
        found = preview.of(action, case, by=person(request), data=request.POST)
    except Invalid:
        return _page(request, case, typed=typed, status=422)
    except HubError as error:
        messages.warning(request, words(error.text))
        return _page(request, case, typed=typed)
    return _page(request, case, typed=typed, seen=found)


@required("exceptions.view_exceptioncase")
@require_GET
def progress(request: HttpRequest, pk: int) -> JsonResponse:
    """How far the affected objects are, for the page to ask again and again."""
    case = get_object_or_404(ExceptionCase, pk=pk)
    return JsonResponse(affected.progress(case).as_json() | {"state": case.state})


@required("exceptions.view_exceptioncase")
@require_GET
def objects(request: HttpRequest, pk: int) -> HttpResponse:
    """Every object the case holds or held up, page by page."""
    case = _case(pk)
    start = _place(request.GET.get("from", ""))
    rows = affected.rows(case, person(request), start=start, limit=affected.PAGE + 1)
    shown = _shown(case)
    page = context(
        request,
        shown.title,
        shown=shown,
        rows=rows[: affected.PAGE],
        start=start + 1,
        last=start + len(rows[: affected.PAGE]),
        older=start + affected.PAGE if len(rows) > affected.PAGE else None,
        newer=max(start - affected.PAGE, 0) if start else None,
    )
    return render(request, "exceptions/affected.html", page)


@required("exceptions.view_exceptioncase")
@require_GET
def lookup(request: HttpRequest, pk: int, code: str, field: str) -> JsonResponse:
    """What fits to what has been typed into a field of a fix; only for those who may do it."""
    action = actions.by_code(get_object_or_404(ExceptionCase, pk=pk), code)
    if (
        action is None
        or action.form is None
        or not issubclass(action.form, RowForm)
        or field not in action.form.lookups
    ):
        raise Http404
    if not may(action, person(request)):
        raise PermissionDenied
    found = action.form.lookups[field](request.GET.get("q", "")[:80].replace("\x00", ""))
    return JsonResponse({"found": [{"value": value, "label": label} for value, label in found]})


def _place(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else 0


def _case(pk: int) -> ExceptionCase:
    return get_object_or_404(ExceptionCase.objects.select_related("connection", "assignee", "closed_by"), pk=pk)


def _shown(case: ExceptionCase) -> Shown:
    shown = Shown(case)
    return shown if shown.is_open else closed([case])[0]


def _page(
    request: HttpRequest,
    case: ExceptionCase,
    *,
    typed: Typed | None = None,
    seen: preview.Preview | None = None,
    status: int = 200,
) -> HttpResponse:
    user = person(request)
    shown = _shown(case)
    rows = affected.rows(case, user, limit=affected.FIRST + 1)
    only = rows[0].subject if len(rows) == 1 else None
    page = context(
        request,
        shown.title,
        shown=shown,
        connection_url=link("connection", case.connection_id, "integration_hub.view_connection", user),
        rows=rows[: affected.FIRST],
        more=len(rows) > affected.FIRST,
        progress=affected.progress(case, rows[: affected.FIRST]),
        jobs=_jobs(case),
        seen=seen,
        rule_offers=[shown_offer(one) for one in habits.offers_for(case.kind, case.connection_id)]
        if shown.is_open
        else [],
        may_manage=user.has_perm("exceptions.manage_rule"),
        healings=[] if shown.is_open else list(case.healings.order_by("-pk")[:3]),
        outlook=explaining.outlook(case, only) if shown.is_open else None,
        approvals=[ShownApproval(row, user) for row in approvals.requested(case)],
        offers=_offers(case, user, typed) if shown.is_open else [],
        always=_always(case, user, typed),
        facts=_facts(only, user),
        comments=evidence.comments(case),
        history=evidence.history(case, only),
        **_evidence(case, only, user),
    )
    return render(request, "exceptions/case.html", page, status=status)


def _jobs(case: ExceptionCase) -> list[ShownJob]:
    """The last jobs that let this case's objects run again."""
    found = list(Job.objects.filter(case=case).select_related("by").order_by("-pk")[:3])
    counted = counts_of(found)
    return [ShownJob(job, counted[job.pk]) for job in found]


def _offers(case: ExceptionCase, user: User, typed: Typed | None) -> list[Offer]:
    """The fixes of the kind, best first; one of them is unfolded."""
    fixes = actions.fixes_of(case)
    chosen = typed[0] if typed else next((fix.code for fix in fixes if may(fix, user)), "")
    return [_offer(fix, case, user, typed, chosen=fix.code == chosen) for fix in fixes]


def _offer(action: Action, case: ExceptionCase, user: User, typed: Typed | None, *, chosen: bool) -> Offer:
    if not may(action, user):
        return Offer(action, None, "", why_not=_("Your role may not do this."))
    if hindrance := action.allowed(case):
        return Offer(action, None, "", why_not=words(hindrance))
    effect = words(action.effect(case)) if action.effect else ""
    return Offer(action, _form(action, case, typed), effect, chosen=chosen)


def _form(action: Action, case: ExceptionCase, typed: Typed | None) -> forms.Form | None:
    return action.bound(case, typed[1]) if typed and typed[0] == action.code else action.unbound(case)


def _always(case: ExceptionCase, user: User, typed: Typed | None) -> dict[str, Offer]:
    """What every case offers, by its short name (``take``), as far as this person may and the state lets them."""
    offered = [action for action in actions.ALWAYS if may(action, user) and action.allowed(case) is None]
    return {
        action.code.rpartition(".")[2]: _offer(
            action, case, user, typed, chosen=bool(typed and typed[0] == action.code)
        )
        for action in offered
    }


def _facts(only: CaseSubject | None, user: User) -> dict[str, Any] | None:
    """What the single affected object looks like, with the template that shows it."""
    face = face_of(only.subject_type) if only else None
    if only is None or face is None or face.facts is None or not user.has_perm(face.permission):
        return None
    return face.facts(only.subject_id, user.has_perm(evidence.PERSONAL)) | {
        "template": face.template,
        "url": link(face.url_name, only.subject_id, face.permission, user),
    }


def _evidence(case: ExceptionCase, only: CaseSubject | None, user: User) -> dict[str, Any]:
    """Payload and tries, for those who may see the traffic."""
    event = evidence.event_of(case, only) if user.has_perm("integration_hub.view_inboundevent") else None
    if user.has_perm(evidence.PERSONAL):
        origin.saw(ExceptionCase, [case.pk])
    made = evidence.tries(case) if user.has_perm("integration_hub.view_attempt") else []
    return {
        "event": event,
        "event_url": link("event", event.pk, "integration_hub.view_inboundevent", user) if event else "",
        "payload": evidence.payload(event, user) if event else "",
        "sees_personal": user.has_perm(evidence.PERSONAL),
        "tries": made,
        "command_url": link("command", case.data.get("command"), "integration_hub.view_outboundcommand", user),
        "detail": evidence.detail(case, user) if made else "",
        "changed_payload": evidence.changed_payload(made, user),
        "changed_steps": evidence.changed_steps(only),
    }
