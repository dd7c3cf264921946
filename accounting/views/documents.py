"""Documents as pages: the list, one document with its lines, taxes, seals and files, and its buttons."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from integration_hub.backoffice import keyset
from integration_hub.backoffice.buttons import buttons, press
from integration_hub.backoffice.pages import context, person, required
from integration_hub.backoffice.words import words
from integration_hub.kernel.errors import HubError
from orders.models import Order

from .. import wording
from ..actions import DOCUMENT_ACTIONS, ORDER_ACTIONS, RANGE_ACTIONS
from ..filters import DocumentFilter
from ..models import DistanceSales, Document, NumberRange, VoidNumber
from ..services import files
from ..services.distance import THRESHOLD
from ..states import FileKind

PERSONAL = "orders.see_personal_data"


@required("accounting.view_document")
def documents(request: HttpRequest) -> HttpResponse:
    """Documents, newest first."""
    rows = Document.objects.select_related("channel", "order", "customer", "corrects")
    found = DocumentFilter(request.GET, rows, request=request)
    shown = {
        "slice": keyset.newest(found.qs, request),
        "form": found.form,
        "filtered": any(request.GET.get(name) for name in found.base_filters),
    }
    return render(request, "accounting/documents.html", context(request, _("Documents"), **shown))


@required("accounting.view_document")
def document(request: HttpRequest, pk: int) -> HttpResponse:
    """One document: what it says, what it is made of, what belongs to it."""
    rows = Document.objects.select_related("channel", "order", "customer", "corrects", "range", "source", "after_sale")
    row = get_object_or_404(rows.prefetch_related("lines", "taxes"), pk=pk)
    personal = person(request).has_perm(PERSONAL)
    stored = {one.kind: one for one in row.files.defer("content")}
    shown = {
        "document": row,
        "lines": [(line, line.stated_tax is not None and line.stated_tax != line.tax) for line in row.lines.all()],
        "taxes": row.taxes.all(),
        "corrections": row.corrections.order_by("pk"),
        "origins": row.origins.select_related("order")[:100],
        "doubts": [words(one["found"]) for one in row.doubts],
        "files": [(kind, stored.get(kind)) for kind in files.kinds_of(row)] if personal else [],
        "notes": wording.notes(row) if row.number else [],
        "personal": personal,
        "buttons": buttons(request, DOCUMENT_ACTIONS, row, "document_action"),
    }
    return render(request, "accounting/document.html", context(request, str(row), **shown))


@required("accounting.view_document")
@required(PERSONAL)
def document_file(request: HttpRequest, pk: int, kind: str) -> HttpResponse:
    """The stored PDF or XML as a download; a document whose file cannot be made says why on its page."""
    row = get_object_or_404(Document, pk=pk)
    if kind not in FileKind.values:
        return redirect("document", pk)
    try:
        found = files.file_of(row.pk, FileKind(kind))
    except HubError as error:
        messages.error(request, words(error.text.as_json()))
        return redirect("document", pk)
    headers = {"Content-Disposition": f'attachment; filename="{found.name}"', "X-Content-Type-Options": "nosniff"}
    return HttpResponse(bytes(found.content), content_type=files.MEDIA[FileKind(kind)], headers=headers)


@required("accounting.view_numberrange")
def number_ranges(request: HttpRequest) -> HttpResponse:
    """How far each range has come, and the register of voided numbers."""
    rows = NumberRange.objects.prefetch_related("series").order_by("name")
    voids = VoidNumber.objects.select_related("series__range", "by").order_by("-pk")[:100]
    shown = {
        "rows": [(row, buttons(request, RANGE_ACTIONS, row, "number_range_action")) for row in rows],
        "voids": voids,
        "sales": DistanceSales.objects.order_by("-year")[:3],
        "threshold": THRESHOLD,
    }
    return render(request, "accounting/number_ranges.html", context(request, _("Number ranges"), **shown))


@require_POST
@required("accounting.view_document")
def document_action(request: HttpRequest, pk: int, code: str) -> HttpResponse:
    """Press a button of a document's page."""
    row = get_object_or_404(Document.objects.select_related("channel"), pk=pk)
    press(request, DOCUMENT_ACTIONS, code, row)
    return redirect("document", pk)


@require_POST
@required("accounting.view_numberrange")
def number_range_action(request: HttpRequest, pk: int, code: str) -> HttpResponse:
    """Press a button of a number range."""
    press(request, RANGE_ACTIONS, code, get_object_or_404(NumberRange, pk=pk))
    return redirect("number_ranges")


@require_POST
@required("accounting.view_document")
def order_action(request: HttpRequest, pk: int, code: str) -> HttpResponse:
    """Press a button about the documents of an order."""
    press(request, ORDER_ACTIONS, code, get_object_or_404(Order.objects.select_related("channel"), pk=pk))
    return redirect("order", pk)
