"""Saved views: a filter under a name, for oneself or for the whole team."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from integration_hub.backoffice.pages import person, required

from ..filters import Filters
from ..models import SavedView

MOST = 30


@required("exceptions.view_exceptioncase")
@require_POST
def save(request: HttpRequest) -> HttpResponse:
    """Keep the filter of the page under a name; the same name again replaces it."""
    user = person(request)
    query = Filters.of(QueryDict(request.POST.get("query", "")[:500]), user.role).query()
    name = " ".join(request.POST.get("name", "").split())[:60]
    role = user.role if request.POST.get("team") else ""
    if not name:
        messages.error(request, _("A view needs a name."))
    elif SavedView.objects.filter(owner=user).exclude(name=name).count() >= MOST:
        messages.error(request, _("You have %(most)s views already; delete one first.") % {"most": MOST})
    else:
        SavedView.objects.update_or_create(name=name, owner=user, role=role, defaults={"query": query})
        messages.success(request, _("View “%(name)s” kept") % {"name": name})
    return redirect(f"{reverse('exceptions')}?{query}")


@required("exceptions.view_exceptioncase")
@require_POST
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Delete a view of one's own."""
    view = get_object_or_404(SavedView, pk=pk, owner=person(request))
    view.delete()
    messages.success(request, _("View “%(name)s” deleted") % {"name": view.name})
    return redirect("exceptions")
