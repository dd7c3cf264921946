"""Reports: revenue by what one likes, distance sales of a quarter, fees by provider; each figure opens into its rows."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

from django import forms
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from integration_hub.backoffice import exports, keyset
from integration_hub.backoffice.pages import context, required

from .. import sheets
from ..services import reports
from ..services.reports import DIMENSIONS, Dimension, Figure, Quarter, Span

VIEW = "accounting.view_period"


class SpanForm(forms.Form):
    """From when to when, and by what."""

    by = forms.ChoiceField(label=gettext_lazy("By"), choices=[(one.code, one.label) for one in DIMENSIONS])
    first = forms.DateField(label=gettext_lazy("From"), widget=forms.DateInput(attrs={"type": "date"}))
    last = forms.DateField(label=gettext_lazy("Until"), widget=forms.DateInput(attrs={"type": "date"}))

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        first, last = cleaned.get("first"), cleaned.get("last")
        if first and last and not first <= last <= first + timedelta(days=3 * 366):
            raise forms.ValidationError(_("Choose a span of at most three years that ends after it begins."))
        return cleaned


def _chosen(request: HttpRequest) -> tuple[SpanForm, Span, Dimension]:
    """The form as asked, else the month before this one by channel."""
    last = timezone.localdate().replace(day=1) - timedelta(days=1)
    usual = {"by": "channel", "first": last.replace(day=1), "last": last}
    given = {name: request.GET.get(name) or value for name, value in usual.items()}
    form = SpanForm(given)
    if form.is_valid():
        usual = form.cleaned_data
    dimension = reports.dimension_of(str(usual["by"])) or DIMENSIONS[0]
    return form, Span(_day(usual["first"]), _day(usual["last"])), dimension


def _day(value: Any) -> date:
    return value if isinstance(value, date) else date.fromisoformat(str(value))


@required(VIEW)
def revenue(request: HttpRequest) -> HttpResponseBase:
    """What was billed, broken down by one dimension."""
    form, span, by = _chosen(request)
    rows = reports.revenue(span, by)
    if file := exports.asked(request, sheets.REVENUE, rows):
        return file
    shown = {"form": form, "span": span, "by": by, "rows": _with_bars(rows), "totals": _totals(rows)}
    return render(request, "accounting/revenue.html", context(request, _("Revenue"), **shown))


def _with_bars(rows: list[Figure]) -> list[tuple[Figure, int]]:
    """Each row with the length of its bar in percent of the longest."""
    top = max((abs(row.gross) for row in rows), default=None)
    return [(row, int(abs(row.gross) * 100 / top) if top else 0) for row in rows]


def _totals(rows: Iterable[Figure]) -> list[dict[str, Any]]:
    sums: dict[str, dict[str, Any]] = {}
    for row in rows:
        one = sums.setdefault(row.currency, {"currency": row.currency, "net": 0, "tax": 0, "gross": 0})
        for name in ("net", "tax", "gross"):
            one[name] += getattr(row, name)
    return list(sums.values())


@required(VIEW)
def revenue_rows(request: HttpRequest) -> HttpResponseBase:
    """The lines behind one figure."""
    _form, span, by = _chosen(request)
    found = reports.of_value(span, by, request.GET.get("value", ""))
    if file := exports.asked(request, sheets.REVENUE_LINES, found):
        return file
    shown = {"slice": keyset.newest(found, request), "span": span, "by": by}
    return render(request, "accounting/revenue_rows.html", context(request, _("Lines of documents"), **shown))


@required(VIEW)
def oss(request: HttpRequest) -> HttpResponseBase:
    """The distance sales of a quarter as the return wants them."""
    quarter = _quarter(request)
    rows = reports.oss(quarter)
    if file := exports.asked(request, sheets.OSS, rows):
        return file
    today = Quarter.of(timezone.localdate())
    number = today.year * 4 + today.number - 1
    choices = [Quarter(one // 4, one % 4 + 1) for one in range(number, number - 12, -1)]
    shown = {"quarter": quarter, "choices": choices, "rows": rows, "totals": _tax_totals(rows)}
    return render(request, "accounting/oss.html", context(request, _("Distance sales (OSS)"), **shown))


def _tax_totals(rows: Iterable[reports.OssFigure]) -> list[tuple[str, Any, Any]]:
    sums: dict[str, list[Any]] = {}
    for row in rows:
        one = sums.setdefault(row.currency, [0, 0])
        one[0] += row.net
        one[1] += row.tax
    return [(currency, net, tax) for currency, (net, tax) in sums.items()]


def _quarter(request: HttpRequest) -> Quarter:
    """``?quarter=2026-3``; without it the last one that is over."""
    asked = request.GET.get("quarter", "")
    if not asked:
        return Quarter.of(Quarter.of(timezone.localdate()).span.first - timedelta(days=1))
    year, _dash, number = asked.partition("-")
    if not (year.isdecimal() and number in ("1", "2", "3", "4") and 2000 <= int(year) <= 2200):
        raise Http404
    return Quarter(int(year), int(number))


@required("payments.view_transaction")
def fees(request: HttpRequest) -> HttpResponseBase:
    """What the providers took."""
    form, span, _by = _chosen(request)
    del form.fields["by"]
    rows = reports.fees(span)
    if file := exports.asked(request, sheets.FEES, rows):
        return file
    shown = {"form": form, "span": span, "rows": rows}
    return render(request, "accounting/fees.html", context(request, _("Fees by provider"), **shown))
