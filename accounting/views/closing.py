"""The months of the books, the cockpit of one, and the rows behind each of its points."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Count, Max, Min
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from exceptions.kinds import known
from integration_hub.backoffice.actions import offered
from integration_hub.backoffice.buttons import Button, press
from integration_hub.backoffice.pages import context, person, required

from ..closing_actions import PERIOD_ACTIONS
from ..events import PeriodState
from ..models import Closing, Document, Entry, Export, Period, Reopening
from ..services import cockpit
from ..services.cockpit import SHOWN, Month, Row

VIEW = "accounting.view_period"
MOST = 36
_PAGES = {
    "order": "order",
    "document": "document",
    "transaction": "transaction",
    "payout": "payout",
    "refund": "refund",
    "connection": "connection",
    "case": "exception",
    "entry": "entry",
}


@dataclass(frozen=True)
class MonthRow:
    """A month of the list: whether it is locked, when it was closed last, how many exports it has."""

    month: Month
    title: str
    locked: bool
    closed: Closing | None
    exports: int


@required(VIEW)
def months(request: HttpRequest) -> HttpResponse:
    """The months in which anything was issued or posted, newest first."""
    return render(request, "accounting/months.html", context(request, _("Month-end closing"), rows=_months()))


def _months() -> list[MonthRow]:
    periods = {(one.year, one.month): one for one in Period.objects.all()}
    closed: dict[int, Closing] = {}
    for one in Closing.objects.select_related("closed_by").order_by("pk"):
        closed[one.period_id] = one
    exports = {
        (row["year"], row["month"]): row["number"]
        for row in Export.objects.values("year", "month").annotate(number=Count("pk")).order_by()
    }
    rows = []
    for month in _span():
        period = periods.get((month.year, month.month))
        locked = period is not None and period.state == PeriodState.LOCKED
        last = closed.get(period.pk) if period else None
        rows.append(MonthRow(month, title_of(month), locked, last, exports.get((month.year, month.month), 0)))
    return rows


def _span() -> list[Month]:
    """From the first month with anything in it to this one, at most three years."""
    found = [
        Document.objects.aggregate(first=Min("issued_on"))["first"],
        Entry.objects.aggregate(first=Min("booked_on"))["first"],
    ]
    first: date = min((day for day in found if day), default=timezone.localdate())
    latest = max(timezone.localdate(), Entry.objects.aggregate(last=Max("booked_on"))["last"] or first)
    numbers = range(first.year * 12 + first.month - 1, latest.year * 12 + latest.month)
    return [Month(number // 12, number % 12 + 1) for number in reversed(numbers)][:MOST]


def title_of(month: Month) -> str:
    """The month in words."""
    return date_format(month.first, "F Y")


def _month(year: int, month: int) -> Month:
    if not (1 <= month <= 12 and 2000 <= year <= 2200):
        raise Http404
    return Month(year, month)


@required(VIEW)
def month_page(request: HttpRequest, year: int, month: int) -> HttpResponse:
    """The cockpit: may the month be closed, and if not, why?"""
    it = _month(year, month)
    lines = cockpit.lines(it)
    period = Period.objects.filter(year=year, month=month).first() or Period(year=year, month=month)
    shown: dict[str, Any] = {
        "month": it,
        "period": period,
        "good": [line for line in lines if line.is_good],
        "open": [line for line in lines if not line.is_good],
        "buttons": _buttons(request, period),
        "steps": _steps(period),
        "running": not it.is_over,
    }
    title = _("Month-end closing %(month)s") % {"month": title_of(it)}
    return render(request, "accounting/month.html", context(request, title, **shown))


def _buttons(request: HttpRequest, period: Period) -> list[Button]:
    found = offered(PERIOD_ACTIONS, period, person(request))
    at = [period.year, period.month]
    return [Button(one, one.unbound(period), reverse("month_action", args=[*at, one.code])) for one in found]


def _steps(period: Period) -> dict[str, Any]:
    if period.pk is None:
        return {"closings": [], "reopenings": []}
    return {
        "closings": Closing.objects.filter(period=period).select_related("closed_by").order_by("-pk"),
        "reopenings": Reopening.objects.filter(period=period)
        .select_related("requested_by", "decided_by")
        .order_by("-pk"),
    }


@required(VIEW)
def month_rows(request: HttpRequest, year: int, month: int, code: str) -> HttpResponse:
    """What stands behind one point, row by row."""
    it, point = _month(year, month), cockpit.point_of(code)
    if point is None:
        raise Http404
    after = request.GET.get("after", "0")
    found = cockpit.rows(it, point, int(after) if after.isascii() and after.isdigit() and len(after) < 19 else 0)
    more = found[SHOWN - 1].pk if len(found) > SHOWN else None
    shown = {"month": it, "title_month": title_of(it), "rows": [_linked(row) for row in found[:SHOWN]], "more": more}
    return render(request, "accounting/month_rows.html", context(request, str(point.open), **shown))


def _linked(row: Row) -> dict[str, Any]:
    """The row with its page; a kind of exception in words."""
    label = str(known(row.label).title) if row.what == "case" else row.label
    url = reverse("chain", args=["bankline", row.pk]) if row.what == "bank_line" else ""
    if row.what in _PAGES:
        url = reverse(_PAGES[row.what], args=[row.pk])
    return {"label": label, "url": url, "amount": row.amount, "currency": row.currency}


@require_POST
@required(VIEW)
def month_action(request: HttpRequest, year: int, month: int, code: str) -> HttpResponse:
    """Close the month, ask for it to be opened, decide that."""
    it = _month(year, month)
    period, _made = Period.objects.get_or_create(year=it.year, month=it.month)
    press(request, PERIOD_ACTIONS, code, period)
    return redirect("month", it.year, it.month)
