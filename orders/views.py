"""The list of orders and the page of one: where it stands, and how it got there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from customers.models import Customer
from exceptions import services as cases
from exceptions.presentation import Shown
from integration_hub.backoffice import exports, keyset
from integration_hub.backoffice.buttons import buttons, press
from integration_hub.backoffice.pages import context, person, required
from integration_hub.models import origin

from . import labels, panels, timeline
from .actions import ORDER_ACTIONS
from .aftersales import presentation
from .filters import OrderFilter
from .models import AddressRole, Order, OrderAddress, OrderLine
from .sheets import ORDERS


@required("orders.view_order")
def order_list(request: HttpRequest) -> HttpResponseBase:
    """Orders newest first, fifty a page, whatever the filter."""
    orders = Order.objects.select_related("channel", "customer").exclude(digest="").defer("buyer", "note")
    found = OrderFilter(request.GET, queryset=orders, request=request)
    if file := exports.asked(request, ORDERS, found.qs.order_by("-placed_at", "-pk")):
        return file
    rows = keyset.newest(found.qs, request, moment="placed_at")
    filtered = any(request.GET.get(name) for name in OrderFilter.base_filters)
    personal = _personal(request)
    if personal:
        origin.saw(Customer, [row.customer_id for row in rows.rows if row.customer_id])
    return render(
        request,
        "orders/list.html",
        context(request, _("Orders"), slice=rows, form=found.form, filtered=filtered, personal=personal),
    )


@required("orders.view_order")
def order_page(request: HttpRequest, pk: int) -> HttpResponse:
    """Everything about one order."""
    order = get_object_or_404(Order.objects.select_related("channel", "customer", "exchange__order"), pk=pk)
    lines = list(order.lines.select_related("variant"))
    if personal := _personal(request):
        origin.saw(Order, [order.pk])
    shown = {
        "order": order,
        "lines": [(line, labels.LINES.get(line.kind, line.kind)) for line in lines],
        "taxes": tax_totals(lines),
        "sums": _sum(lines),
        "stage": labels.STAGES.get(order.stage, order.stage),
        "sales": [
            (sale, labels.SALES.get(sale.stage, sale.stage)) for sale in order.sales.select_related("connection")
        ],
        "shipments": order.shipments.prefetch_related("lines__line"),
        "addresses": _addresses(order),
        "cases": [Shown(case) for case in cases.open_cases_of(order).order_by("due_at")],
        "waivers": [(waiver, _kind_title(waiver.kind)) for waiver in order.waivers.select_related("by")],
        "lanes": presentation.lanes(order.after_sales.prefetch_related(*presentation.PREFETCH).order_by("pk")),
        "panels": panels.of(request, order),
        "timeline": timeline.of(order),
        "waiting": timeline.still_to_come(order),
        "buttons": buttons(request, ORDER_ACTIONS, order, "order_action"),
        "personal": personal,
    }
    return render(request, "orders/order.html", context(request, _title(order), **shown))


@require_POST
@required("orders.view_order")
def order_action(request: HttpRequest, pk: int, code: str) -> HttpResponse:
    """Press one of the buttons of the order's page."""
    press(request, ORDER_ACTIONS, code, get_object_or_404(Order, pk=pk))
    return redirect("order", pk=pk)


def _title(order: Order) -> str:
    return _("Order %(number)s") % {"number": order.number}


def _personal(request: HttpRequest) -> bool:
    return person(request).has_perm("orders.see_personal_data")


def _kind_title(code: str) -> str:
    """What a kind of trouble is called without the figures of one case."""
    return str(labels.WAIVED.get(code, code))


def _addresses(order: Order) -> list[tuple[str, OrderAddress | None, list[str]]]:
    """Billing and shipping address: title, row (None: not stated), the lines to show."""
    rows = {row.role: row for row in order.addresses.all()}
    return [(str(role.label), rows.get(role), _parts(rows.get(role))) for role in AddressRole]


def _parts(row: OrderAddress | None) -> list[str]:
    if row is None:
        return []
    place = f"{row.postal_code} {row.city}".strip()
    parts = (row.company, row.name, row.street, row.street2, place, row.region, row.country, row.email, row.phone)
    return [part for part in parts if part]


@dataclass(frozen=True)
class TaxTotal:
    """What the lines of one tax rate add up to."""

    rate: Decimal
    net: Decimal
    tax: Decimal
    gross: Decimal


def tax_totals(lines: Iterable[OrderLine]) -> list[TaxTotal]:
    """Net, tax and gross per tax rate, highest rate first."""
    by_rate: dict[Decimal, list[OrderLine]] = {}
    for line in lines:
        by_rate.setdefault(line.tax_rate, []).append(line)
    return [_total(rate, by_rate[rate]) for rate in sorted(by_rate, reverse=True)]


def _total(rate: Decimal, lines: list[OrderLine]) -> TaxTotal:
    return TaxTotal(
        rate,
        sum((line.net for line in lines), Decimal(0)),
        sum((line.tax for line in lines), Decimal(0)),
        sum((line.gross for line in lines), Decimal(0)),
    )


def _sum(lines: list[OrderLine]) -> TaxTotal:
    return _total(Decimal(0), lines)
