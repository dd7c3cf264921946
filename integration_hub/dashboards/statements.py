"""The page of bank statements: upload files, see what came of the last ones."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from integration_hub.backoffice.pages import context, person, required
from integration_hub.backoffice.words import words
from integration_hub.kernel.errors import HubError
from integration_hub.messaging import files
from integration_hub.models import Connection

UPLOAD = "integration_hub.upload_files"
MOST = 20


class Files(forms.ClearableFileInput):
    """A file input that takes several."""

    allow_multiple_selected = True


class FilesField(forms.FileField):
    """Several files; cleans to a list."""

    widget = Files

    def clean(self, data: Any, initial: Any = None) -> Any:
        given = data if isinstance(data, list | tuple) else [data]
        if len(given) > MOST:
            raise forms.ValidationError(_("At most %(most)s files at once.") % {"most": MOST})
        return [super(FilesField, self).clean(one, initial) for one in given or [None]]


class UploadForm(forms.Form):
    """Which bank, which files."""

    connection = forms.ModelChoiceField(
        label=gettext_lazy("Bank"), queryset=Connection.objects.none(), empty_label=gettext_lazy("choose …")
    )
    chosen = FilesField(
        label=gettext_lazy("Statement files"),
        help_text=gettext_lazy("CAMT.053 (XML or ZIP), MT940 or CSV. A file is taken whole or not at all."),
    )

    def __init__(self, banks: list[Connection], *args: Any) -> None:
        super().__init__(*args)
        self.fields["connection"].queryset = Connection.objects.filter(pk__in=[one.pk for one in banks])  # type: ignore[attr-defined]
        if len(banks) == 1:
            self.initial["connection"] = banks[0].pk


@required(UPLOAD)
def page(request: HttpRequest) -> HttpResponse:
    """Upload and see; every file gets an answer of its own."""
    banks = files.takers()
    form = UploadForm(banks, *([request.POST, request.FILES] if request.method == "POST" else []))
    if form.is_valid():
        well = [_take(request, form.cleaned_data["connection"], one) for one in form.cleaned_data["chosen"]]
        if all(well):
            return redirect("statements")
    shown = {"form": form, "banks": banks, "rows": files.recent()}
    status = 200 if request.method == "GET" else 422
    return render(request, "dashboards/statements.html", context(request, _("Bank statements"), **shown), status=status)


def _take(request: HttpRequest, connection: Connection, file: UploadedFile[bytes]) -> bool:
    name = file.name or _("file")
    try:
        # one byte more than is taken is enough to see that it is too much
        taken = files.take(connection, name, file.read(files.MAX_BYTES + 1), by=person(request))
    except HubError as error:
        messages.error(request, _("%(name)s was not taken: %(why)s") % {"name": name, "why": words(error.text)})
        return False
    new = sum(one.new for one in taken)
    if new:
        said = ngettext("%(name)s was taken: %(count)s file.", "%(name)s was taken: %(count)s files.", new)
        messages.success(request, said % {"name": name, "count": new})
    else:
        messages.info(request, _("%(name)s is known already; nothing was changed.") % {"name": name})
    return True
