"""The start page of each role: what to do next, and whether everything runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from integration_hub.backoffice.pages import context, person
from integration_hub.models import User
from orders.states import OrderState

from . import figures, money, panels, sections, traffic, work
from .figures import Tile
from .sections import Section

ADMINISTRATOR = "administrator"


@dataclass(frozen=True)
class Page:
    """A start page: its title, its numbers, its short lists, whether it draws what runs over time, where else to look."""

    title: Any
    tiles: Sequence[Callable[[], Tile]]
    sections: tuple[Section, ...] = ()
    charts: bool = False
    links: Sequence[tuple[Any, str]] = field(default=())


def _held() -> Tile:
    return figures.orders_in(OrderState.HELD, _("Orders held"), "bad")


def _waiting() -> Tile:
    return figures.orders_in(OrderState.WAITING, _("Orders waiting for the shop"), "")


_RECORDS = (
    (_("Who did what"), "activity"),
    (_("What came in"), "events"),
    (_("What went out, with every try"), "commands"),
    (_("Exceptions and how they were closed"), "exceptions"),
    (_("How fast exceptions are solved"), "case_figures"),
    (_("Orders"), "orders"),
    (_("Movements"), "transactions"),
    (_("Payouts"), "payouts"),
    (_("Stock"), "stock"),
    (_("Connections"), "connections"),
)

PAGES: dict[str, Page] = {
    "finance": Page(
        _("Finance"),
        (
            lambda: figures.cases_of("finance", _("Open exceptions of finance")),
            lambda: figures.overdue("finance"),
            money.to_approve,
            money.disputes,
            money.remainders,
            money.unexplained,
            money.fees,
            _held,
            figures.orders_today,
        ),
        (sections.next_cases("finance"), sections.MONEY, sections.cases_by_kind("finance")),
    ),
    "operations": Page(
        _("Operations"),
        (
            lambda: figures.cases_of("operations", _("Open exceptions of operations")),
            figures.orders_today,
            _held,
            _waiting,
            work.throughput,
            work.errors,
            work.delay,
            figures.backlog_in,
            figures.backlog_out,
            work.breakers,
            work.silences,
            work.oversell,
            work.to_inspect,
        ),
        (
            sections.BREAKERS,
            sections.next_cases("operations"),
            sections.CONNECTIONS,
            sections.TRAFFIC,
            sections.cases_by_kind(),
        ),
        charts=True,
    ),
    "integrator": Page(
        _("Integration"),
        (
            lambda: figures.cases_of("integrator", _("Open exceptions of integration")),
            figures.misconfigured,
            work.breakers,
            figures.parked_events,
            figures.parked_commands,
            work.unmapped,
            figures.webhooks_off,
            figures.backlog_in,
            figures.backlog_out,
        ),
        (
            sections.BREAKERS,
            sections.next_cases("integrator"),
            sections.CONNECTIONS,
            sections.ATTEMPTS,
            sections.cases_by_kind("integrator"),
        ),
    ),
    "marketing": Page(
        _("Marketing"),
        (figures.customers,),
        links=(
            (_("Customers"), "admin:customers_customer_changelist"),
            (_("Products"), "admin:inventory_variant_changelist"),
        ),
    ),
    "auditor": Page(
        _("Audit"),
        (figures.overdue, money.to_approve, money.remainders, figures.orders_today, _held),
        (sections.cases_by_kind(),),
        links=_RECORDS,
    ),
    ADMINISTRATOR: Page(
        _("Overview"),
        (
            figures.overdue,
            figures.orders_today,
            _held,
            _waiting,
            work.errors,
            work.delay,
            figures.backlog_in,
            figures.backlog_out,
            figures.parked_events,
            figures.parked_commands,
        ),
        (sections.BREAKERS, sections.CONNECTIONS, sections.cases_by_kind()),
        charts=True,
    ),
}


def may_open(user: User, role: str) -> bool:
    """Everybody their own start page, administrators all of them."""
    return user.is_active and user.role in (role, ADMINISTRATOR)


@login_required
def home(request: HttpRequest) -> HttpResponse:
    """Send each person to the start page of their role."""
    role = person(request).role
    if role not in PAGES:
        raise PermissionDenied
    return redirect("start_page", role=role)


@login_required
def start_page(request: HttpRequest, role: str) -> HttpResponse:
    """The start page of one role."""
    page = _page(request, role)
    period = request.GET.get("period", "")
    period = period if period in traffic.PERIODS else "day"
    shown = _now(page, role, person(request)) | {
        "charts": traffic.charts(period) if page.charts else None,
        "periods": [(code, label) for code, (label, _span, _count) in traffic.PERIODS.items()],
        "period": period,
        "links": page.links,
        "tabs": [(other, PAGES[other].title) for other in PAGES] if person(request).role == ADMINISTRATOR else [],
    }
    return render(request, "dashboards/start.html", context(request, page.title, **shown))


@login_required
def live(request: HttpRequest, role: str) -> HttpResponse:
    """The part of a start page that changes while one looks at it."""
    return render(request, "dashboards/_live.html", _now(_page(request, role), role, person(request)))


def _page(request: HttpRequest, role: str) -> Page:
    if role not in PAGES:
        raise Http404
    if not may_open(person(request), role):
        raise PermissionDenied
    return PAGES[role]


def _now(page: Page, role: str, user: User) -> dict[str, Any]:
    return {
        "tiles": [tile() for tile in page.tiles],
        "sections": [*panels.of(role, user), *sections.of(page.sections, user)],
        "role": role,
        "now": timezone.localtime(),
    }
