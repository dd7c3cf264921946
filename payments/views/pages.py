"""The page of a movement, of a payout, and of open items; and the buttons of all of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from exceptions import services as cases
from exceptions.presentation import Shown
from integration_hub.backoffice import exports, keyset
from integration_hub.backoffice.actions import Action
from integration_hub.backoffice.buttons import buttons, press
from integration_hub.backoffice.pages import context, person, required
from integration_hub.models import Activity, origin
from orders.models import Order

from .. import payouts, sheets, sums
from ..actions import MOVEMENT_ACTIONS
from ..filters import OpenItemFilter
from ..models import Allocation, Dispute, OpenItem, Payout, PayoutItem, Refund, Transaction, WriteOff
from ..process_actions import (
    ACCEPT_REMAINDER,
    ORDER_ACTIONS,
    PAYOUT_ACTIONS,
    REFUND_ACTIONS,
    TAKE_PROPOSAL,
    WRITE_OFF_ACTIONS,
)

SIZE = 50


def _steps(row: Model) -> QuerySet[Activity]:
    of = ContentType.objects.get_for_model(type(row))
    return Activity.objects.filter(subject_type=of, subject_id=row.pk).select_related("actor").order_by("pk")[:100]


def _cases(row: Model) -> list[Shown]:
    return [Shown(case) for case in cases.open_cases_of(row).order_by("due_at")]


@required("payments.view_transaction")
def transaction(request: HttpRequest, pk: int) -> HttpResponse:
    """Everything about one movement: its figures, whose it is, what it belongs to."""
    rows = Transaction.objects.select_related("connection", "event", "unassigned", "item__payout", "fee_check")
    row = get_object_or_404(rows, pk=pk)
    tied = Allocation.objects.filter(transaction_id=pk).select_related("order__channel").order_by("position")
    others = Transaction.objects.filter(connection=row.connection)
    shown = {
        "movement": row,
        "fees": row.fee_rows.order_by("pk"),
        "tied": tied[:100],
        "candidates": row.candidates.select_related("order__channel").order_by("-score"),
        "parent": others.filter(external_id=row.parent_external_id).first() if row.parent_external_id else None,
        "children": others.filter(parent_external_id=row.external_id).order_by("occurred_at")[:50],
        "line": getattr(row, "bank_line", None),
        "cases": _cases(row),
        "steps": _steps(row),
        "buttons": buttons(request, MOVEMENT_ACTIONS, row, "transaction_action"),
        "personal": _sees_payer(request, row),
    }
    return render(request, "payments/transaction.html", context(request, row.external_id, **shown))


def _sees_payer(request: HttpRequest, row: Transaction) -> bool:
    """Whether this person may see who paid; that it was seen is written down."""
    may = person(request).has_perm("orders.see_personal_data")
    if may and (row.payer or row.email or row.text):
        origin.saw(Transaction, [row.pk])
    return may


@required("payments.view_payout")
def payout(request: HttpRequest, pk: int) -> HttpResponse:
    """What a payout is made of, what is left, and on demand what the hub proposes."""
    row = get_object_or_404(Payout.objects.select_related("connection", "bank_line", "accepted__by"), pk=pk)
    items = PayoutItem.objects.filter(payout=row).select_related("transaction")
    asked = "propose" in request.GET
    found, rest = payouts.propose(row) if asked else ([], row.remainder)
    actions: Sequence[Action] = (TAKE_PROPOSAL, ACCEPT_REMAINDER) if found else (ACCEPT_REMAINDER,)
    shown = {
        "payout": row,
        "explained": payouts.is_explained(row),
        "kinds": sums.by_kind(row),
        "slice": keyset.newest(items, request),
        "asked": asked,
        "proposal": found[:500],
        "more": max(len(found) - 500, 0),
        "rest": rest,
        "cases": _cases(row),
        "steps": _steps(row),
        "buttons": buttons(request, actions, row, "payout_action"),
    }
    return render(
        request, "payments/payout.html", context(request, _("Payout %(id)s") % {"id": row.external_id}, **shown)
    )


@required("payments.view_openitem")
def open_items(request: HttpRequest) -> HttpResponseBase:
    """What is open or overpaid, the oldest due first, with its age."""
    found = OpenItemFilter(request.GET, OpenItem.objects.select_related("order__channel"), request=request)
    rows = found.qs.filter(overpaid__gt=0) if found.is_over else found.qs.filter(open__gt=0)
    if file := exports.asked(request, sheets.OPEN_ITEMS, rows.order_by("due_on", "order_id")):
        return file
    page = list(rows.filter(_after(request.GET.get("after", ""))).order_by("due_on", "order_id")[: SIZE + 1])
    last = page[SIZE - 1] if len(page) > SIZE else None
    shown = {
        "rows": [(item, (timezone.localdate() - item.due_on).days) for item in page[:SIZE]],
        "next": f"{last.due_on:%Y-%m-%d}|{last.pk}" if last else "",
        "first": not request.GET.get("after"),
        "form": found.form,
        "over": found.is_over,
        "filtered": any(request.GET.get(name) for name in found.base_filters),
        "ages": sums.ageing(over=found.is_over),
    }
    return render(request, "payments/open_items.html", context(request, _("Open items"), **shown))


def _after(key: str) -> Q:
    day, _bar, pk = key.partition("|")
    parsed: date | None = None
    try:
        parsed = parse_date(day)
    except ValueError:
        parsed = None
    if parsed is None or not (pk.isascii() and pk.isdigit() and len(pk) < 19):
        return Q()
    return Q(due_on__gte=parsed) & (Q(due_on__gt=parsed) | Q(order_id__gt=int(pk)))


def _do(request: HttpRequest, actions: Sequence[Action], code: str, row: Any, back: str, *args: Any) -> HttpResponse:
    press(request, actions, code, row)
    return redirect(back, *args)


@require_POST
@required("payments.view_transaction")
def transaction_action(request: HttpRequest, pk: int, code: str) -> HttpResponse:
    """Press a button of a movement's page."""
    row = get_object_or_404(Transaction.objects.select_related("connection"), pk=pk)
    return _do(request, MOVEMENT_ACTIONS, code, row, "transaction", pk)


@require_POST
@required("payments.view_payout")
def payout_action(request: HttpRequest, pk: int, code: str) -> HttpResponse:
    """Press a button of a payout's page."""
    row = get_object_or_404(Payout.objects.select_related("connection"), pk=pk)
    return _do(request, PAYOUT_ACTIONS, code, row, "payout", pk)


@require_POST
@required("payments.view_refund")
def refund_action(request: HttpRequest, pk: int, code: str) -> HttpResponse:
    """Press a button of a refund."""
    return _do(request, REFUND_ACTIONS, code, get_object_or_404(Refund, pk=pk), "refunds")


@require_POST
@required("payments.view_refund")
def write_off_action(request: HttpRequest, pk: int, code: str) -> HttpResponse:
    """Press a button of a write-off."""
    return _do(request, WRITE_OFF_ACTIONS, code, get_object_or_404(WriteOff, pk=pk), "refunds")


@require_POST
@required("payments.view_openitem")
def order_action(request: HttpRequest, pk: int, code: str) -> HttpResponse:
    """Press a button about the money of an order."""
    row = get_object_or_404(Order.objects.select_related("channel"), pk=pk)
    return _do(request, ORDER_ACTIONS, code, row, "order", pk)


@required("payments.view_refund")
def refund(request: HttpRequest, pk: int) -> HttpResponse:
    """A refund is shown where its order is; without one, at its payment."""
    row = get_object_or_404(Refund, pk=pk)
    return redirect("order", row.order_id) if row.order_id else redirect("transaction", row.capture_id)


@required("payments.view_dispute")
def dispute(request: HttpRequest, pk: int) -> HttpResponse:
    """A dispute is shown at its payment; before that is known, in the list."""
    row = get_object_or_404(Dispute, pk=pk)
    return redirect("transaction", row.transaction_id) if row.transaction_id else redirect("disputes")
