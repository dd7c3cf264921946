"""The start page of each role: what to do next, and whether everything runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _

from integration_hub.backoffice.pages import context, person
from integration_hub.models import User
from orders.states import OrderState

from . import figures, health, money
from .figures import KindRow, Tile

ADMINISTRATOR = "administrator"


@dataclass(frozen=True)
class Page:
    """A start page: its title, its numbers, and whether it lists cases by kind (of which role) and the connections."""

    title: Any
    tiles: Sequence[Callable[[], Tile]]
    kinds: Callable[[], list[KindRow]] | None = None
    connections: bool = False
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
    (_("Orders"), "orders"),
    (_("Connections"), "connections"),
)

PAGES: dict[str, Page] = {
    "finance": Page(
        _("Finance"),
        (
            lambda: figures.cases_of("finance", _("Open exceptions of finance")),
            lambda: figures.overdue("finance"),
            _held,
            money.unexplained,
            money.remainders,
            money.disputes,
            money.fees,
            money.to_approve,
            figures.orders_today,
        ),
        lambda: figures.cases_by_kind("finance"),
    ),
    "operations": Page(
        _("Operations"),
        (
            lambda: figures.cases_of("operations", _("Open exceptions of operations")),
            figures.orders_today,
            _held,
            _waiting,
            figures.backlog_in,
            figures.backlog_out,
        ),
        figures.cases_by_kind,
        connections=True,
    ),
    "integrator": Page(
        _("Integration"),
        (
            lambda: figures.cases_of("integrator", _("Open exceptions of integration")),
            figures.misconfigured,
            figures.parked_events,
            figures.parked_commands,
            figures.webhooks_off,
            figures.backlog_in,
            figures.backlog_out,
        ),
        lambda: figures.cases_by_kind("integrator"),
        connections=True,
    ),
    "marketing": Page(
        _("Marketing"),
        (figures.customers,),
        links=(
            (_("Customers"), "admin:customers_customer_changelist"),
            (_("Products"), "admin:inventory_variant_changelist"),
        ),
    ),
    "auditor": Page(_("Audit"), (figures.overdue, figures.orders_today, _held), figures.cases_by_kind, links=_RECORDS),
    ADMINISTRATOR: Page(
        _("Overview"),
        (
            figures.overdue,
            figures.orders_today,
            _held,
            _waiting,
            figures.backlog_in,
            figures.backlog_out,
            figures.parked_events,
            figures.parked_commands,
        ),
        figures.cases_by_kind,
        connections=True,
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
    user = person(request)
    if role not in PAGES:
        raise Http404
    if not may_open(user, role):
        raise PermissionDenied
    page = PAGES[role]
    shown = {
        "tiles": [tile() for tile in page.tiles],
        "kinds": page.kinds() if page.kinds else None,
        "lines": health.lines() if page.connections else None,
        "links": page.links,
        "tabs": [(other, PAGES[other].title) for other in PAGES] if user.role == ADMINISTRATOR else [],
        "role": role,
    }
    return render(request, "dashboards/start.html", context(request, page.title, **shown))
