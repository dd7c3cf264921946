"""The procedural documentation: all versions, one version with what changed, its file."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from integration_hub.backoffice import keyset
from integration_hub.backoffice.pages import context, person, required

from ..models import ProcedureDocument
from ..services import procedure as service

VIEW, DRAW_UP = "accounting.view_proceduredocument", "accounting.draw_up_procedure"


class DrawUpForm(forms.Form):
    """In which language, and why now."""

    language = forms.ChoiceField(label=gettext_lazy("Language"), choices=[("de", "Deutsch"), ("en", "English")])
    why = forms.CharField(label=gettext_lazy("Reason"), min_length=5, max_length=300)


@required(VIEW)
def procedures(request: HttpRequest) -> HttpResponse:
    """All versions, newest first."""
    return _page(request, DrawUpForm(initial={"language": "de"}))


@require_POST
@required(DRAW_UP)
def draw_up(request: HttpRequest) -> HttpResponse:
    """Make a version of what is in force now."""
    form = DrawUpForm(request.POST)
    if not form.is_valid():
        return _page(request, form, status=422)
    made = service.draw_up(by=person(request), **form.cleaned_data)
    messages.success(request, _("Version %(version)s was drawn up and stored.") % {"version": made.version})
    return redirect(made)


def _page(request: HttpRequest, form: DrawUpForm, status: int = 200) -> HttpResponse:
    rows = ProcedureDocument.objects.select_related("made_by").defer("chapters", "content")
    shown: dict[str, Any] = {
        "slice": keyset.newest(rows, request),
        "form": form if person(request).has_perm(DRAW_UP) else None,
    }
    return render(
        request, "accounting/procedures.html", context(request, _("Procedural documentation"), **shown), status=status
    )


@required(VIEW)
def procedure(request: HttpRequest, version: int) -> HttpResponse:
    """One version as it was stored, and what is different from the one before."""
    found = get_object_or_404(ProcedureDocument.objects.select_related("made_by"), version=version)
    title = _("Procedural documentation, version %(version)s") % {"version": version}
    shown = {"document": found, "changes": service.changes(found)}
    return render(request, "accounting/procedure.html", context(request, title, **shown))


@required(VIEW)
def procedure_file(request: HttpRequest, version: int) -> HttpResponse:
    """The stored file, byte for byte."""
    found = get_object_or_404(ProcedureDocument, version=version)
    name = f"verfahrensdokumentation-v{version}.html" if found.language == "de" else f"procedure-v{version}.html"
    answer = HttpResponse(found.content.encode(), content_type="text/html; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer
