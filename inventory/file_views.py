"""Articles, mappings and bundles as files: export, try an import, apply it."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any

import tablib
from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST
from import_export.results import Result

from integration_hub.backoffice.pages import context, person, required
from integration_hub.models.patience import patiently

from .resources import FILES, Kindred, safe

MOST_ROWS = 5_000
LARGEST = 2_000_000  # bytes; the text travels once more in the form that applies it
SHOWN = 100
VIEW = "inventory.view_variant"


class FileForm(forms.Form):
    """The file to be tried."""

    file = forms.FileField(
        label=gettext_lazy("CSV file"), widget=forms.ClearableFileInput(attrs={"accept": ".csv,.txt,text/csv"})
    )


class _Excel(csv.excel):
    """What a German Excel opens and writes."""

    delimiter = ";"


def _kind(code: str) -> Kindred:
    if code not in FILES:
        raise Http404
    return FILES[code]


@required(VIEW)
def files(request: HttpRequest) -> HttpResponse:
    """What can be exported and imported."""
    return _page(request)


def _page(request: HttpRequest, status: int = 200, **shown: Any) -> HttpResponse:
    user = person(request)
    kinds = [
        (code, kind, user.has_perm(kind.change), list(kind.resource().fields))
        for code, kind in FILES.items()
        if user.has_perm(kind.see)
    ]
    page = context(request, _("Files of articles"), kinds=kinds, form=FileForm(), most=MOST_ROWS, **shown)
    return render(request, "inventory/files.html", page, status=status)


@require_GET
@required(VIEW)
def export(request: HttpRequest, kind: str) -> StreamingHttpResponse:
    """All rows of a kind as CSV, a row at a time, however many there are."""
    wanted = _kind(kind)
    if not person(request).has_perm(wanted.see):
        raise PermissionDenied
    answer = StreamingHttpResponse(_lines(wanted), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{kind}.csv"'
    return answer


class _Echo:
    """A file that hands back what is written to it."""

    def write(self, text: str) -> str:
        return text


def _lines(kind: Kindred) -> Iterator[str]:
    resource, writer = kind.resource(), csv.writer(_Echo(), dialect=_Excel)
    yield "\ufeff"
    yield writer.writerow(resource.get_export_headers())
    for row in kind.rows().iterator(chunk_size=2_000):
        yield writer.writerow([safe(cell) for cell in resource.export_resource(row)])


@require_POST
@required(VIEW)
def check(request: HttpRequest, kind: str) -> HttpResponse:
    """Try a file: everything is done as it would be, and undone."""
    wanted = _may_change(request, kind)
    form = FileForm(request.POST, request.FILES)
    try:
        text = _text(form.cleaned_data["file"] if form.is_valid() else None)
        result = _run(request, wanted, text, dry_run=True)
    except ValidationError as error:
        return _page(request, status=422, wrong=error.messages)
    return _page(request, tried=_told(result), code=kind, text=text, chosen=wanted.label)


@require_POST
@required(VIEW)
def apply(request: HttpRequest, kind: str) -> HttpResponse:
    """Apply a file that was tried, in one transaction; if anything is wrong now, nothing of it."""
    wanted, text = _may_change(request, kind), request.POST.get("text", "")
    try:
        result = _run(request, wanted, text, dry_run=False)
    except ValidationError as error:
        return _page(request, status=422, wrong=error.messages)
    told = _told(result)
    if told["wrong"]:
        return _page(request, status=422, tried=told, code=kind, text=text, chosen=wanted.label)
    messages.success(
        request,
        _("%(new)s new, %(changed)s changed, %(same)s as they were.")
        % {key: told[key] for key in ("new", "changed", "same")},
    )
    return redirect("article_files")


def _may_change(request: HttpRequest, kind: str) -> Kindred:
    wanted = _kind(kind)
    if not person(request).has_perm(wanted.change):
        raise PermissionDenied
    return wanted


def _text(file: Any) -> str:
    if file is None:
        raise ValidationError(_("Please choose a file."))
    if file.size > LARGEST:
        raise ValidationError(_("The file is larger than %(most)s bytes.") % {"most": LARGEST})
    raw = file.read(LARGEST + 1)
    try:
        return str(raw.decode("utf-8-sig"))
    except UnicodeDecodeError:
        return str(raw.decode("cp1252", errors="replace"))  # what an older Excel writes


def _run(request: HttpRequest, kind: Kindred, text: str, *, dry_run: bool) -> Result:
    data = _dataset(text)
    return patiently(
        lambda: kind.resource().import_data(
            data, dry_run=dry_run, rollback_on_validation_errors=True, user=person(request)
        )
    )


def _dataset(text: str) -> tablib.Dataset:
    """The rows of a CSV, whichever of the usual separators it has; ValidationError for what is none."""
    first = text.split("\n", 1)[0]
    separator = max(";,\t", key=first.count)
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True))
    except csv.Error as error:
        raise ValidationError(_("The file is no CSV: %(why)s") % {"why": error}) from error
    rows = [row for row in rows if any(cell.strip() for cell in row)]
    if len(rows) < 2:
        raise ValidationError(_("The file holds no rows."))
    if len(rows) > MOST_ROWS + 1:
        raise ValidationError(_("The file has more than %(most)s rows; please split it.") % {"most": MOST_ROWS})
    headers = [cell.strip().casefold() for cell in rows[0]]
    wide = len(headers)
    return tablib.Dataset(*[tuple([*row, *[""] * wide][:wide]) for row in rows[1:]], headers=headers)


def _told(result: Result) -> dict[str, Any]:
    """What a try came to: counts by outcome, and what is wrong, row by row."""
    wrong = [(None, said) for error in result.base_errors for said in getattr(error.error, "messages", [error.error])]
    if not wrong:
        wrong = [(row.number + 1, said) for row in result.invalid_rows for said in row.error.messages]
    return {
        "new": result.totals["new"],
        "changed": result.totals["update"],
        "same": result.totals["skip"],
        "wrong": len(wrong),
        "rows": wrong[:SHOWN],
    }
