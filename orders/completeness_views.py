"""The page Completeness: by day and shop, what shop, hub and ERP hold, and where they differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from exceptions.models import ExceptionCase
from exceptions.presentation import Shown
from integration_hub.backoffice import exports
from integration_hub.backoffice.buttons import Button, buttons, press
from integration_hub.backoffice.pages import context, required
from integration_hub.backoffice.words import money
from integration_hub.models import Connection

from . import completeness, differences
from .completeness_actions import AGAIN, COMPARE
from .sheets import COMPLETENESS
from .tally import DayTally, Difference

VIEW = "orders.view_daytally"
DAYS = 14
EARLIEST = date(1970, 1, 31)


@dataclass(frozen=True)
class Side:
    """One column of a day: how many orders and their sums in words."""

    count: int
    sums: str


@dataclass(frozen=True)
class Line:
    """One day of one shop; ``gaps`` pairs each kept difference with its case, if it has one."""

    tally: DayTally
    there: Side | None
    here: Side | None
    expected: Side | None
    under_way: Side | None
    erp: Side | None
    gaps: Sequence[tuple[Difference, Shown | None]]
    buttons: Sequence[Button]


@required(VIEW)
def page(request: HttpRequest) -> HttpResponseBase:
    """Fourteen days, newest first; ``until`` goes back."""
    until = _day(request.GET.get("until", "")) or timezone.localdate()
    oldest = until - timedelta(days=DAYS - 1)
    rows = DayTally.objects.filter(day__lte=until, day__gte=oldest).defer("listed")
    every = DayTally.objects.filter(day__lte=until).defer("listed").select_related("connection")
    if file := exports.asked(request, COMPLETENESS, every.order_by("-day", "connection__name", "pk")):
        return file
    tallies = list(rows.select_related("connection").order_by("-day", "connection__name", "pk"))
    shown = {
        "lines": _lines(request, tallies),
        "shops": [(shop, buttons(request, [COMPARE], shop, "completeness_compare")) for shop in completeness.shops()],
        "earlier": oldest - timedelta(days=1) if DayTally.objects.filter(day__lt=oldest).exists() else None,
        "latest": until >= timezone.localdate(),
    }
    return render(request, "orders/completeness.html", context(request, _("Completeness"), **shown))


def _day(text: str) -> date | None:
    try:
        found = parse_date(text)
    except ValueError:
        return None
    return max(found, EARLIEST) if found else None


def _lines(request: HttpRequest, tallies: Sequence[DayTally]) -> list[Line]:
    found = differences.of_days(tallies)
    ids = {row.case_id for rows in found.values() for row in rows if row.case_id}
    cases = {case.pk: Shown(case) for case in ExceptionCase.objects.filter(pk__in=ids)}
    return [
        Line(
            tally,
            there=_side(tally, "there"),
            here=_side(tally, "here"),
            expected=_side(tally, "expected"),
            under_way=_side(tally, "under_way"),
            erp=_side(tally, "erp"),
            gaps=[(row, cases.get(row.case_id or 0)) for row in found.get(tally.pk, [])],
            buttons=buttons(request, [AGAIN], tally, "completeness_again"),
        )
        for tally in tallies
    ]


def _side(tally: DayTally, name: str) -> Side | None:
    side: dict[str, Any] = tally.side(name)
    if not side:
        return None
    return Side(side["count"], " + ".join(money(Decimal(sum_), currency) for currency, sum_ in side["sums"].items()))


@require_POST
@required(VIEW)
def again(request: HttpRequest, pk: int, code: str) -> HttpResponse:
    """Compare one day again."""
    press(request, [AGAIN], code, get_object_or_404(DayTally.objects.select_related("connection"), pk=pk))
    return redirect("completeness")


@require_POST
@required(VIEW)
def compare(request: HttpRequest, pk: int, code: str) -> HttpResponse:
    """Compare a shop's last days and today."""
    press(request, [COMPARE], code, get_object_or_404(Connection, pk=pk))
    return redirect("completeness")
