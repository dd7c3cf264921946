"""Help: what each kind of case means, what it blocks, how to solve it, how to prevent it."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from integration_hub.backoffice.pages import context, required

from .. import guide
from ..kinds import all_kinds, kind_of, team_label
from ..presentation import span


@required("exceptions.view_exceptioncase")
@require_GET
def contents(request: HttpRequest) -> HttpResponse:
    """Every kind of case by team."""
    language = get_language() or ""
    rows = [(str(team_label(kind.role)), guide.title(kind.code, language), kind.code) for kind in all_kinds()]
    teams: dict[str, list[tuple[str, str]]] = {}
    for team, title, code in sorted(rows, key=lambda row: (row[0].casefold(), row[1].casefold())):
        teams.setdefault(team, []).append((code, title))
    return render(request, "exceptions/help.html", context(request, _("Help for exceptions"), teams=teams))


@required("exceptions.view_exceptioncase")
@require_GET
def topic(request: HttpRequest, kind: str) -> HttpResponse:
    """The page of one kind."""
    if kind not in {one.code for one in all_kinds()}:
        raise Http404
    found = kind_of(kind)
    title, html = guide.page(kind, get_language() or "")
    page = context(request, title, kind=found, html=html, team=team_label(found.role), due=span(found.due))
    return render(request, "exceptions/help_topic.html", page)
