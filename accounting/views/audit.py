"""The page that hands data over to a tax auditor."""

from __future__ import annotations

import tempfile
from datetime import timedelta
from typing import Any, cast

from django import forms
from django.http import FileResponse, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from integration_hub.backoffice.pages import context, person, required
from integration_hub.kernel.text import say
from integration_hub.models.activity import note

from ..services import handing_over
from ..services.audit_tables import TABLES
from ..services.reports import Span
from ..services.retention import PERIODS, kept_until


class SpanForm(forms.Form):
    """From when to when."""

    first = forms.DateField(label=gettext_lazy("From"), widget=forms.DateInput(attrs={"type": "date"}))
    last = forms.DateField(label=gettext_lazy("Until"), widget=forms.DateInput(attrs={"type": "date"}))

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        first, last = cleaned.get("first"), cleaned.get("last")
        if first and last and not first <= last <= first + timedelta(days=366):
            raise forms.ValidationError(_("Choose a span of at most a year that ends after it begins."))
        return cleaned


@required("accounting.hand_over")
def audit(request: HttpRequest) -> HttpResponseBase:
    """What can be handed over, for which span, and until when records are kept."""
    asked = "first" in request.GET or "last" in request.GET
    last = timezone.localdate().replace(day=1) - timedelta(days=1)
    form = SpanForm(request.GET if asked else None, initial={"first": last.replace(day=1), "last": last})
    if asked and form.is_valid():
        return _file(request, Span(form.cleaned_data["first"], form.cleaned_data["last"]))
    year = timezone.localdate().replace(month=1, day=1)
    kept = [(one, kept_until(one.code, year)) for one in PERIODS]
    shown = {"form": form, "tables": TABLES, "kept": kept, "year": year.year}
    status = 422 if asked else 200
    return render(request, "accounting/audit.html", context(request, _("Audit export"), **shown), status=status)


def _file(request: HttpRequest, span: Span) -> HttpResponseBase:
    by = person(request)
    file = tempfile.SpooledTemporaryFile(max_size=handing_over.IN_MEMORY)  # noqa: SIM115  the answer closes it
    handing_over.write(span, cast("Any", file))
    file.seek(0)
    text = say("Handed over for an audit: %(first)s to %(last)s", first=span.first, last=span.last)
    note(by, "accounting.handed_over", text, by=by)
    name = f"audit-{span.first:%Y%m%d}-{span.last:%Y%m%d}.zip"
    return FileResponse(cast("Any", file), as_attachment=True, filename=name, content_type="application/zip")
