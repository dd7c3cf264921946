"""Lists of money: fifty a page by key, whatever the filter; each answers what to do next."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _

from integration_hub.backoffice import exports, keyset
from integration_hub.backoffice.buttons import buttons
from integration_hub.backoffice.exports import Sheet
from integration_hub.backoffice.pages import context, person, required
from integration_hub.models import origin

from .. import fees, sheets, sums
from ..filters import BankLineFilter, DisputeFilter, PayoutFilter, RefundFilter, TransactionFilter
from ..models import Allocation, BankLine, Dispute, FeeCheck, FeeContract, Payout, Refund, Transaction, WriteOff
from ..process_actions import REFUND_ACTIONS, WRITE_OFF_ACTIONS
from ..states import WriteOffState

PERSONAL = "orders.see_personal_data"


def _list(request: HttpRequest, template: str, made: Sheet, found: Any, moment: str, **more: Any) -> HttpResponseBase:
    order = [f"-{moment}", "-pk"] if moment else ["-pk"]
    if file := exports.asked(request, made, found.qs.order_by(*order)):
        return file
    rows = keyset.newest(found.qs, request, moment=moment)
    filtered = any(request.GET.get(name) for name in found.base_filters)
    personal = person(request).has_perm(PERSONAL)
    if personal and found.qs.model is BankLine:
        origin.saw(BankLine, [row.pk for row in rows.rows])
    shown = {"slice": rows, "form": found.form, "filtered": filtered, "personal": personal}
    return render(request, template, context(request, made.title, **shown, **more))


@required("payments.view_transaction")
def transactions(request: HttpRequest) -> HttpResponseBase:
    """Movements, newest first, each with its orders."""
    rows = Transaction.objects.select_related("connection", "unassigned")
    found = TransactionFilter(request.GET, rows, request=request)
    if file := exports.asked(request, sheets.TRANSACTIONS, found.qs.order_by("-occurred_at", "-pk")):
        return file
    answer = keyset.newest(found.qs, request, moment="occurred_at")
    tied: dict[int, list[Allocation]] = {}
    ids = [row.pk for row in answer.rows]
    for one in Allocation.objects.filter(transaction_id__in=ids).select_related("order").order_by("position"):
        tied.setdefault(one.transaction_id, []).append(one)
    shown = {
        "slice": answer,
        "rows": [(row, tied.get(row.pk, [])[:5]) for row in answer.rows],
        "form": found.form,
        "filtered": any(request.GET.get(name) for name in found.base_filters),
        "progress": sums.search_progress(),
    }
    return render(request, "payments/transactions.html", context(request, _("Movements"), **shown))


@required("payments.view_payout")
def payouts(request: HttpRequest) -> HttpResponseBase:
    """Payouts, newest first; above them per provider what is still to be paid out."""
    rows = Payout.objects.select_related("connection", "bank_line", "accepted")
    found = PayoutFilter(request.GET, rows, request=request)
    return _list(request, "payments/payouts.html", sheets.PAYOUTS, found, "created_at", providers=sums.not_paid_out())


@required("payments.view_refund")
def refunds(request: HttpRequest) -> HttpResponseBase:
    """Refunds, newest first; above them what waits for a second person."""
    rows = Refund.objects.select_related("order", "capture__connection", "requested_by", "approved_by")
    found = RefundFilter(request.GET, rows, request=request)
    waiting = rows.filter(state="REQUESTED").order_by("requested_at")[:50]
    given_up = WriteOff.objects.filter(state=WriteOffState.REQUESTED).select_related("order", "requested_by")
    more = {
        "waiting": [(row, buttons(request, REFUND_ACTIONS, row, "refund_action")) for row in waiting],
        "write_offs": [
            (row, buttons(request, WRITE_OFF_ACTIONS, row, "write_off_action")) for row in given_up.order_by("at")[:50]
        ],
    }
    return _list(request, "payments/refunds.html", sheets.REFUNDS, found, "requested_at", **more)


@required("payments.view_dispute")
def disputes(request: HttpRequest) -> HttpResponseBase:
    """Disputes; those that wait for evidence first, by deadline."""
    rows = Dispute.objects.select_related("connection", "transaction")
    found = DisputeFilter(request.GET, rows, request=request)
    due = rows.filter(state__in=("WARNING", "NEEDS_RESPONSE")).order_by("evidence_due", "pk")[:100]
    return _list(request, "payments/disputes.html", sheets.DISPUTES, found, "opened_at", due=due)


@required("payments.view_bankline")
def bank_lines(request: HttpRequest) -> HttpResponseBase:
    """Bank lines, newest first."""
    rows = BankLine.objects.select_related("account", "payout__connection", "transaction")
    found = BankLineFilter(request.GET, rows, request=request)
    return _list(request, "payments/bank_lines.html", sheets.BANK_LINES, found, "")


@required("payments.view_feecheck")
def fee_list(request: HttpRequest) -> HttpResponseBase:
    """Fees beyond what was agreed, newest first, with the sum of a year."""
    rows = FeeCheck.objects.filter(beyond=True).select_related("transaction__connection", "contract")
    if file := exports.asked(request, sheets.FEES, rows.order_by("-occurred_at", "-pk")):
        return file
    shown = {
        "slice": keyset.newest(rows, request, moment="occurred_at"),
        "year": fees.year(),
        "contracts": FeeContract.objects.select_related("connection").order_by("connection__name", "-valid_from")[:100],
    }
    return render(request, "payments/fees.html", context(request, _("Fees"), **shown))
