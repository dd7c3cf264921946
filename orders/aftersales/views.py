"""The pages of special cases: the worklist, the returns to take in, one case, and the merchant's rules."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from exceptions import services as cases
from exceptions.presentation import Shown
from integration_hub.backoffice import exports, keyset
from integration_hub.backoffice.actions import may
from integration_hub.backoffice.buttons import buttons, press
from integration_hub.backoffice.pages import context, person, required
from integration_hub.models.activity import Activity
from orders.models import Order

from ..sheets import AFTER_SALES
from . import presentation
from .actions import AFTER_SALE_ACTIONS
from .models import AfterSale
from .states import KINDS, OPEN, RETURNING, AfterSaleState

S = AfterSaleState
VIEW = "orders.view_aftersale"
TABS = {
    "open": (gettext_lazy("To do"), Q(state__in=OPEN)),
    "confirm": (gettext_lazy("To confirm"), Q(state=S.PROPOSED)),
    "returns": (gettext_lazy("Returns on their way"), Q(state=S.ANNOUNCED, kind__in=RETURNING)),
    "inspect": (gettext_lazy("To inspect"), Q(state=S.ARRIVED)),
    "running": (gettext_lazy("Being carried out"), Q(state=S.RUNNING)),
    "all": (gettext_lazy("All"), Q()),
}
STEPS = 50


class FindForm(forms.Form):
    """What a barcode scanner or a person types: the number of the return, of the order, of a parcel."""

    q = forms.CharField(
        label=gettext_lazy("Scan or type a number"),
        required=False,
        max_length=120,
        widget=forms.TextInput(attrs={"type": "search", "autofocus": True, "autocomplete": "off"}),
    )
    kind = forms.ChoiceField(
        label=gettext_lazy("Kind"),
        required=False,
        choices=[("", gettext_lazy("all")), *[(kind.value, label) for kind, label in KINDS.items()]],
    )


@required(VIEW)
def worklist(request: HttpRequest) -> HttpResponseBase:
    """What waits, newest first; one hit of a scan opens the case at once."""
    tab = request.GET.get("tab", "open")
    tab = tab if tab in TABS else "open"
    form = FindForm(request.GET)
    found = _found(form)
    if found is not None and len(hits := list(found[:2])) == 1:
        return redirect("after_sale", pk=hits[0].pk)
    rows = AfterSale.objects.filter(TABS[tab][1]) if found is None else found
    if form.is_valid() and form.cleaned_data["kind"]:
        rows = rows.filter(kind=form.cleaned_data["kind"])
    shown = rows.select_related("order__channel", "connection").prefetch_related(*presentation.PREFETCH)
    if file := exports.asked(request, AFTER_SALES, shown.order_by("-pk")):
        return file
    page = keyset.newest(shown, request)
    return render(
        request,
        "orders/aftersales/list.html",
        context(
            request,
            _("Special cases"),
            slice=page,
            lanes=presentation.lanes(page.rows),
            tabs=[(code, label) for code, (label, _rows) in TABS.items()],
            tab=tab,
            form=form,
            searched=found is not None,
        ),
    )


def _found(form: FindForm) -> QuerySet[AfterSale] | None:
    """Special cases of this number; None where nothing was typed."""
    text = form.cleaned_data["q"].strip() if form.is_valid() else ""
    if not text:
        return None
    letters, _dash, digits = text.rpartition("-")
    if len(letters) == 1 and digits.isascii() and digits.isdigit() and len(digits) < 19:
        return AfterSale.objects.filter(pk=int(digits), kind__startswith=letters.upper())
    orders = Order.objects.filter(Q(number=text) | Q(number=f"#{text}") | Q(shipments__tracking_number=text))
    return AfterSale.objects.filter(order__in=list(orders.values_list("pk", flat=True)[:20]))


@required(VIEW)
def page(request: HttpRequest, pk: int) -> HttpResponse:
    """One special case: what it is about, what will be or was written where, and how it got there."""
    rows = AfterSale.objects.select_related("order__channel", "order__customer", "connection", "by", "event")
    row = get_object_or_404(rows.prefetch_related(*presentation.PREFETCH), pk=pk)
    shown: dict[str, Any] = {
        "row": row,
        "lane": presentation.lanes([row])[0],
        "positions": list(row.lines.all()),
        "split": row.stated.get("split", {}),
        "preview": presentation.preview(row),
        "sides": presentation.sides(row, personal=person(request).has_perm("orders.see_personal_data")),
        "exchange": presentation.exchanged(row),
        "instead": list(row.instead.all()),
        "replacement": getattr(row, "replacement", None),
        "cases": [Shown(case) for case in cases.open_cases_of(row).order_by("due_at")],
        "buttons": buttons(request, AFTER_SALE_ACTIONS, row, "after_sale_action"),
        "steps": _history(row),
    }
    title = _("%(kind)s %(number)s") % {"kind": row.get_kind_display(), "number": row.number}
    return render(request, "orders/aftersales/page.html", context(request, title, **shown))


def _history(row: AfterSale) -> list[Activity]:
    """What was done with it; steps of the order that name it."""
    rows = Activity.objects.filter(text__params__number=row.number, action__startswith="orders.")
    subject = row.order or row
    of = rows.filter(
        subject_type__app_label="orders", subject_type__model=subject._meta.model_name, subject_id=subject.pk
    )
    return list(of.select_related("actor", "attempt").order_by("-pk")[:STEPS])


@require_POST
@required(VIEW)
def act(request: HttpRequest, pk: int, code: str) -> HttpResponse:
    """Press one of the buttons."""
    press(request, AFTER_SALE_ACTIONS, code, get_object_or_404(AfterSale, pk=pk))
    return redirect("after_sale", pk=pk)


@require_POST
@required(VIEW)
def bulk(request: HttpRequest, code: str) -> HttpResponse:
    """The same action on all ticked rows, each by itself."""
    action = next((item for item in AFTER_SALE_ACTIONS if item.bulk and item.code == code), None)
    if action is None:
        raise Http404
    if not may(action, person(request)):
        raise PermissionDenied
    chosen = [int(pk) for pk in request.POST.getlist("pk")[:200] if pk.isascii() and pk.isdigit() and len(pk) < 19]
    if not chosen:
        messages.warning(request, _("Nothing was chosen."))
    for row in AfterSale.objects.filter(pk__in=chosen).order_by("pk"):
        press(request, [action], code, row)
    back = str(request.POST.get("back", ""))
    return redirect(back if back.startswith("/special/") else "after_sales")
