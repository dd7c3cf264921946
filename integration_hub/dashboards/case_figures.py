"""The page of how well exceptions are dealt with, by kind."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from exceptions.figures import Dealt, dealt
from integration_hub.backoffice import exports
from integration_hub.backoffice.exports import Column, column
from integration_hub.backoffice.pages import context, required

PERIODS: dict[str, tuple[Any, int]] = {
    "week": (gettext_lazy("Week"), 7),
    "month": (gettext_lazy("30 days"), 30),
    "quarter": (gettext_lazy("90 days"), 90),
}


def _seconds(label: Any, name: str, share: float) -> Column:
    def value(row: Dealt) -> Any:
        found = getattr(row, name).percentile(share)
        return None if found is None else round(found / 1000)

    return Column(label, value)


SHEET = exports.sheet(
    "exception-figures",
    gettext_lazy("How fast exceptions are solved"),
    column(gettext_lazy("Kind"), "title"),
    column(gettext_lazy("Opened"), "opened"),
    column(gettext_lazy("Closed"), "closed"),
    column(gettext_lazy("By themselves"), "by_themselves"),
    column(gettext_lazy("Came again"), "again"),
    _seconds(gettext_lazy("To detect, median (s)"), "detect", 0.5),
    _seconds(gettext_lazy("To the first look, median (s)"), "look", 0.5),
    _seconds(gettext_lazy("To solve, median (s)"), "solve", 0.5),
    _seconds(gettext_lazy("To solve, 95 of 100 (s)"), "solve", 0.95),
)


@required("exceptions.view_exceptioncase")
def page(request: HttpRequest) -> HttpResponseBase:
    """A week, a month or a quarter; today counts."""
    period = request.GET.get("period", "")
    period = period if period in PERIODS else "month"
    total, kinds = dealt(PERIODS[period][1])
    if file := exports.asked(request, SHEET, kinds):
        return file
    shown = {
        "total": total,
        "kinds": kinds,
        "period": period,
        "periods": [(code, label) for code, (label, _days) in PERIODS.items()],
    }
    return render(
        request, "dashboards/case_figures.html", context(request, _("How fast exceptions are solved"), **shown)
    )
