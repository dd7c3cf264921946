"""The page of a background job: how far it is, what came of each row; and the list of jobs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Case, When
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from integration_hub.backoffice.pages import context, person, required
from integration_hub.backoffice.words import words
from integration_hub.models.access import User

from .. import actions, jobs
from ..models import Job, JobRow, RowState
from ..presentation import Shown, moment, person_name, span
from ..subjects import face_of, url_of
from .pages import back_to

PAGE = 100
RECENT = 50
_STATES = {"failed": RowState.FAILED, "done": RowState.DONE, "waiting": RowState.WAITING, "stopped": RowState.STOPPED}
_FAILURES_FIRST = Case(When(state=RowState.FAILED, then=0), default=1)
_TONES = {RowState.DONE: "good", RowState.FAILED: "bad", RowState.WAITING: "warn", RowState.STOPPED: "none"}


class ShownJob:
    """A job for a template."""

    def __init__(self, job: Job, counts: Mapping[str, int]) -> None:
        self.job = job
        self.counts = counts

    @property
    def title(self) -> str:
        return title_of(self.job)

    @property
    def over(self) -> int:
        return self.counts["total"] - self.counts["waiting"]

    @property
    def running(self) -> bool:
        return self.counts["waiting"] > 0

    @property
    def who(self) -> str:
        return person_name(self.job.by) if self.job.by else _("the hub")

    @property
    def begun(self) -> str:
        return moment(self.job.created_at)

    @property
    def took(self) -> str:
        return span(self.job.finished_at - self.job.created_at) if self.job.finished_at else ""


def title_of(job: Job) -> str:
    """What the job does, in the reader's language."""
    action = actions.known_action(job.action)
    return str(action.label) if action else words(job.title)


@required("exceptions.view_exceptioncase")
@require_GET
def job(request: HttpRequest, pk: int) -> HttpResponse:
    """How far it is and what came of each; failures first."""
    found = _job(pk)
    shown, state = ShownJob(found, jobs.counts(found)), _STATES.get(request.GET.get("state", ""))
    start = _place(request.GET.get("from", ""))
    rows = found.rows.select_related("case", "case__connection", "subject_type")
    rows = rows.filter(state=state) if state else rows
    some = list(rows.order_by(_FAILURES_FIRST, "pk")[start : start + PAGE + 1])
    page = context(
        request,
        shown.title,
        shown=shown,
        rows=_rows(some[:PAGE], person(request)),
        state=request.GET.get("state", "") if state else "",
        older=start + PAGE if len(some) > PAGE else None,
        newer=max(start - PAGE, 0) if start else None,
        done=shown.counts["done"],
        failed=shown.counts["failed"],
        back=back_to(found.back),
        may_stop=shown.running and jobs.may_stop(found, person(request)),
    )
    return render(request, "exceptions/job.html", page)


@required("exceptions.view_exceptioncase")
@require_GET
def progress(request: HttpRequest, pk: int) -> JsonResponse:
    """How far it is, for the page to ask again and again."""
    return JsonResponse(jobs.counts(_job(pk)))


@required("exceptions.view_exceptioncase")
@require_POST
def stop(request: HttpRequest, pk: int) -> HttpResponse:
    """Do no more of it; only for who began it and administrators."""
    found = _job(pk)
    if not jobs.may_stop(found, person(request)):
        raise PermissionDenied
    messages.success(request, _("Stopped; %(count)s were left") % {"count": jobs.stop(found)})
    return redirect("exceptions-job", pk)


@required("exceptions.view_exceptioncase")
@require_GET
def listing(request: HttpRequest) -> HttpResponse:
    """What runs and what ran lately, newest first."""
    found = list(Job.objects.select_related("by", "case").order_by("-pk")[:RECENT])
    counted = jobs.counts_of(found)
    page = context(request, _("Background jobs"), rows=[ShownJob(job, counted[job.pk]) for job in found])
    return render(request, "exceptions/jobs.html", page)


def _job(pk: int) -> Job:
    return get_object_or_404(Job.objects.select_related("by", "case"), pk=pk)


def _place(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 7 else 0


def _rows(rows: Iterable[JobRow], user: User) -> list[dict[str, Any]]:
    return [
        {
            "shown": Shown(row.case) if row.case else None,
            "label": row.label,
            "url": url_of(face_of(row.subject_type), row.subject_id or 0, user) if row.subject_type else "",
            "ok": row.state == RowState.DONE,
            "state": row.get_state_display(),
            "tone": _TONES[RowState(row.state)],
            "text": words(row.text),
        }
        for row in rows
    ]
