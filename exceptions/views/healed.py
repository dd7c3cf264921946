"""What was done automatically: counted by how, with the proof of each."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from integration_hub.backoffice.pages import context, person, required
from integration_hub.backoffice.words import words
from integration_hub.models.access import User

from .. import healing
from ..models import Healing, How
from ..presentation import moment, span
from ..subjects import face_of, link, url_of

PAGE = 100
DAYS = (1, 7, 30)
_ROWS = {  # rows that a proof may name, with their pages
    "command": ("command", "integration_hub.view_outboundcommand"),
    "event": ("event", "integration_hub.view_inboundevent"),
}


@required("exceptions.view_exceptioncase")
@require_GET
def healed(request: HttpRequest) -> HttpResponse:
    """The newest first; ``how`` narrows, ``before`` goes back."""
    how, before = request.GET.get("how", ""), request.GET.get("before", "")
    rows = Healing.objects.select_related("connection", "case", "subject_type").order_by("-pk")
    rows = rows.filter(how=how) if how in How.values else rows
    rows = rows.filter(pk__lt=int(before)) if before.isascii() and before.isdigit() and len(before) < 18 else rows
    found = list(rows[: PAGE + 1])
    user = person(request)
    page = context(
        request,
        _("Done automatically"),
        rows=[_row(one, user) for one in found[:PAGE]],
        how=how if how in How.values else "",
        figures=_figures(),
        days=DAYS,
        older=found[PAGE - 1].pk if len(found) > PAGE else None,
    )
    return render(request, "exceptions/healed.html", page)


def _figures() -> list[dict[str, Any]]:
    """How many of each kind in the last day, week and month."""
    by_days = [healing.counts(days) for days in DAYS]
    return [
        {"code": code, "label": label, "counts": [found.get(code, 0) for found in by_days]}
        for code, label in How.choices
    ]


def _row(one: Healing, user: User) -> dict[str, Any]:
    return {
        "row": one,
        "text": words(one.text),
        "at": moment(one.at),
        "took": span(one.at - one.since) if one.since else "",
        "object_url": url_of(face_of(one.subject_type), one.subject_id or 0, user) if one.subject_type else "",
        "proof": _proof(one, user),
    }


def _proof(one: Healing, user: User) -> list[tuple[str, str]]:
    """The rows that show it, as (words, address); what has no page stands as it is."""
    found = []
    for name, value in one.proof.items():
        page = _ROWS.get(name)
        found.append((f"{name} {value}", link(page[0], value, page[1], user) if page else ""))
    return found
