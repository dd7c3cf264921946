"""Exports on pages: months, the dry run, progress, the proof, and the files."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from django.contrib import messages
from django.db.models import Count
from django.db.models.functions import ExtractMonth, ExtractYear
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from integration_hub.backoffice import keyset
from integration_hub.backoffice.buttons import buttons, press
from integration_hub.backoffice.pages import context, person, required
from integration_hub.backoffice.words import words
from integration_hub.kernel.errors import NotNow

from ..export_actions import EXPORT_ACTIONS
from ..models import Account, Booking, Entry, Export, ExportFile, HeldBack, Period
from ..services import choices, dryrun, exporting, scope

VIEW, MAKE = "accounting.view_export", "accounting.make_export"


@required(VIEW)
def exports(request: HttpRequest) -> HttpResponse:
    """Months with postings, newest first, and all batches."""
    months = (
        Entry.objects.annotate(year=ExtractYear("booked_on"), month=ExtractMonth("booked_on"))
        .values("year", "month")
        .annotate(entries=Count("pk"))
        .order_by("-year", "-month")[:24]
    )
    locked = {(row.year, row.month): row.get_state_display() for row in Period.objects.all()}
    rows = Export.objects.select_related("asked_by").defer("proof")
    shown = {
        "months": [(row, locked.get((row["year"], row["month"]), "")) for row in months],
        "slice": keyset.newest(rows, request),
    }
    return render(request, "accounting/exports.html", context(request, _("Export to DATEV"), **shown))


@required(VIEW)
def export_month(request: HttpRequest, year: int, month: int) -> HttpResponse:
    """The dry run of a month: what the next batch would hold, and what DATEV would refuse of it."""
    if not (2000 <= year <= 2100 and 1 <= month <= 12):
        raise Http404
    answers, wanted = choices.current(), scope.upcoming(year, month)
    waiting = Booking.objects.filter(state__in=("DUE", "WAITING", "REFUSED"))[:1000].count()
    shown = {
        "year": year,
        "month": month,
        "day": date(year, month, 1),
        "answers": answers,
        "verdict": dryrun.look(wanted, answers),
        "number": wanted.number,
        "waiting": waiting,
        "ahead": date(year, month, 1) >= timezone.localdate().replace(day=1),
        "may": person(request).has_perm(MAKE),
    }
    return render(request, "accounting/export_month.html", context(request, _("Dry run"), **shown))


@require_POST
@required(MAKE)
def export_make(request: HttpRequest, year: int, month: int) -> HttpResponse:
    """Ask for the next batch of a month."""
    if not (2000 <= year <= 2100 and 1 <= month <= 12):
        raise Http404
    try:
        made = exporting.request(year, month, by=person(request), without=request.POST.get("without", "")[:500])
    except NotNow as error:
        messages.error(request, words(error.text))
        return redirect("export_month", year, month)
    return redirect("export", made.pk)


@required(VIEW)
def export(request: HttpRequest, pk: int) -> HttpResponse:
    """A batch: how far it is, its proof, its files, what was left out."""
    row = get_object_or_404(Export.objects.select_related("asked_by"), pk=pk)
    names = dict(Account.objects.filter(chart=row.chart).values_list("number", "name"))
    accounts = row.proof.get("accounts", [])
    shown = {
        "export": row,
        "under_way": row.state in ("DUE", "WRITING", "PROVING"),
        "files": row.files.annotate(taken=Count("downloads")).order_by("part"),
        "accounts": [
            one
            | {"name": names.get(one["account"], ""), "debit": Decimal(one["debit"]), "credit": Decimal(one["credit"])}
            for one in accounts
        ],
        "left_out": HeldBack.objects.filter(export=row).select_related("entry").order_by("entry_id")[:200],
        "reasons": dryrun.REASONS,
        "buttons": buttons(request, EXPORT_ACTIONS, row, "export_action"),
        "may": person(request).has_perm(MAKE),
    }
    return render(request, "accounting/export.html", context(request, _("Export %(what)s") % {"what": row}, **shown))


@require_POST
@required(VIEW)
def export_action(request: HttpRequest, pk: int, code: str) -> HttpResponse:
    """Press a button of a batch's page."""
    press(request, EXPORT_ACTIONS, code, get_object_or_404(Export, pk=pk))
    return redirect("export", pk)


@require_POST
@required(MAKE)
def export_take(request: HttpRequest, pk: int, part: int) -> HttpResponseBase:
    """Take a file; each time is written down, and from the second on the name says so."""
    file = get_object_or_404(ExportFile.objects.select_related("export"), export_id=pk, part=part)
    try:
        name = exporting.take(file, by=person(request))
    except NotNow as error:
        messages.error(request, words(error.text))
        return redirect("export", pk)
    return sent(file, name)


def sent(file: ExportFile, name: str) -> StreamingHttpResponse:
    """A file as an answer, piece by piece."""
    answer = StreamingHttpResponse(exporting.bytes_of(file), content_type="text/csv; charset=windows-1252")
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    answer["Content-Length"] = str(file.size)
    answer["X-Checksum-SHA256"] = file.sha256
    return answer
