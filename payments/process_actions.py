"""What a person may do to refunds, write-offs and payouts; what needs two people is part of the action."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from exceptions import services as cases
from exceptions.actions import Why, is_open
from exceptions.models import ExceptionCase
from integration_hub.backoffice.actions import Action, RowForm
from integration_hub.backoffice.words import money
from integration_hub.kernel.errors import NotNow
from integration_hub.kernel.money import Money
from integration_hub.kernel.text import Text, say
from integration_hub.models.access import User
from orders.models import Order

from . import payouts, refunds, writeoffs
from .models import OpenItem, Payout, Refund, WriteOff
from .refunds import Part
from .states import PayoutState, RefundState, WriteOffState

MOST_LINES = 50


def order_of(row: ExceptionCase | Order) -> Order:
    """The order itself, or the one that a case is about."""
    if isinstance(row, Order):
        return row
    held = cases.held_up(row, Order)
    if not held:
        raise NotNow(say("This exception holds up no order any more."))
    return Order.objects.select_related("channel").get(pk=held[0])


class RefundForm(RowForm):
    """How much goes back: an amount, or so much of each line."""

    amount = forms.DecimalField(
        label=_("Amount"), required=False, min_value=Decimal("0.0001"), max_digits=19, decimal_places=4
    )
    why = forms.CharField(label=_("Reason"), widget=forms.Textarea(attrs={"rows": 2}), min_length=5, max_length=2000)

    def prepare(self) -> None:
        order = order_of(self.row)
        free = refunds.refundable(order)
        self.fields["amount"].help_text = _("at most %(free)s; empty if you enter lines") % {
            "free": money(free, order.currency)
        }
        for line in order.lines.filter(gross__gt=0)[:MOST_LINES]:
            self.fields[f"line_{line.pk}"] = forms.DecimalField(
                label=f"{line.title} ({money(line.gross, order.currency)})",
                required=False,
                min_value=Decimal(0),
                max_value=line.gross,
                max_digits=19,
                decimal_places=4,
            )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        order = order_of(self.row)
        parts = [Part(line, amount) for line in order.lines.all() if (amount := cleaned.get(f"line_{line.pk}"))]
        lines = sum((part.gross for part in parts), Decimal(0))
        amount = cleaned.get("amount") or lines
        if not amount or (parts and amount != lines):
            raise forms.ValidationError(_("Enter an amount, or lines that add up to it."))
        return {"amount": amount, "parts": parts, "why": cleaned.get("why", "")}


def _refund(row: Any, *, by: User, amount: Decimal, parts: list[Part], why: str) -> Text:
    order = order_of(row)
    made = refunds.request(order, amount, by=by, why=why, parts=parts)
    if any(refund.state == RefundState.REQUESTED for refund in made):
        return say(
            "Refund of %(money)s requested; a second person has to approve it", money=Money(amount, order.currency)
        )
    return say("Refund of %(money)s goes out", money=Money(amount, order.currency))


def _excess(row: Any) -> dict[str, Any]:
    """What was paid too much is what is refunded, unless somebody says otherwise."""
    item = OpenItem.objects.filter(pk=order_of(row).pk).first()
    return {"amount": item.overpaid.normalize()} if item and item.overpaid else {}


def _can_refund(row: Any) -> Text | None:
    if isinstance(row, ExceptionCase) and (closed := is_open(row)):
        return closed
    return (
        None
        if refunds.refundable(order_of(row)) > 0
        else say("Nothing can be refunded: no payment is tied to the order.")
    )


def _write_off(row: Any, *, by: User, why: str) -> Text:
    made = writeoffs.request(order_of(row), by=by, why=why)
    shown = Money(made.amount, made.currency)
    if made.state == WriteOffState.REQUESTED:
        return say("Write-off of %(money)s requested; a second person has to approve it", money=shown)
    return say("%(money)s written off", money=shown)


def _can_write_off(row: Any) -> Text | None:
    if isinstance(row, ExceptionCase):
        return is_open(row)
    item = OpenItem.objects.filter(pk=row.pk).first()
    return None if item and (item.open or item.overpaid) else say("Nothing is open.")


def _approve_refund(refund: Refund, *, by: User) -> Text:
    refunds.approve(refund, by=by)
    return say("Refund approved; it goes out now")


def _decline_refund(refund: Refund, *, by: User, why: str) -> Text:
    refunds.decline(refund, by=by, why=why)
    return say("Refund declined")


def refund_of(row: ExceptionCase | Refund) -> Refund:
    """The refund itself, or the one that a case is about."""
    return row if isinstance(row, Refund) else Refund.objects.get(pk=cases.held_up(row, Refund)[0])


def _retry_refund(row: Any, *, by: User) -> Text:
    refunds.retry(refund_of(row), by=by)
    return say("The refund goes out again")


def _waits(row: Refund) -> Text | None:
    return None if row.state == RefundState.REQUESTED else say("This refund does not wait for approval.")


def _is_unsent(row: Refund) -> Text | None:
    early = row.state in (RefundState.REQUESTED, RefundState.APPROVED)
    return None if early else say("This refund has been sent already.")


def _has_failed(row: Any) -> Text | None:
    if isinstance(row, ExceptionCase):
        return is_open(row)
    return (
        None
        if row.state == RefundState.FAILED and row.order_id
        else say("Only a refund that failed can be sent again.")
    )


def _approve_write_off(row: WriteOff, *, by: User) -> Text:
    writeoffs.approve(row, by=by)
    return say("Write-off approved")


def _decline_write_off(row: WriteOff, *, by: User, why: str) -> Text:
    writeoffs.decline(row, by=by, why=why)
    return say("Write-off declined")


def _write_off_waits(row: WriteOff) -> Text | None:
    return None if row.state == WriteOffState.REQUESTED else say("This write-off does not wait for approval.")


def payout_of(row: ExceptionCase | Payout) -> Payout:
    """The payout itself, or the one that a case is about."""
    if isinstance(row, Payout):
        return row
    return Payout.objects.select_related("connection").get(pk=cases.held_up(row, Payout)[0])


class ProposalForm(RowForm):
    """The movements that the solver found, by their ids, so that exactly what was shown is confirmed."""

    movements = forms.CharField(label=_("Movements"), widget=forms.HiddenInput, max_length=200_000)

    def prepare(self) -> None:
        found, _rest = payouts.propose(payout_of(self.row))
        self.fields["movements"].initial = " ".join(str(row.pk) for row in found)

    def clean_movements(self) -> list[int]:
        words = self.cleaned_data["movements"].split()
        if not words or not all(word.isascii() and word.isdigit() and len(word) < 19 for word in words):
            raise forms.ValidationError(_("Nothing was found that makes up this payout."))
        return [int(word) for word in words]


def _take(row: Any, *, by: User, movements: list[int]) -> Text:
    return say("%(count)s movements confirmed", count=payouts.take(payout_of(row), movements, by=by))


def _effect(row: Any) -> Text:
    payout = payout_of(row)
    found, rest = payouts.propose(payout)
    return say("%(count)s movements; %(rest)s would be left", count=len(found), rest=Money(rest, payout.currency))


def _accept(row: Any, *, by: User, why: str) -> Text:
    payout = payout_of(row)
    payouts.accept(payout, by=by, why=why)
    return say("Remainder of %(money)s accepted", money=Money(payout.remainder, payout.currency))


def _has_remainder(row: Any) -> Text | None:
    if isinstance(row, ExceptionCase) and (closed := is_open(row)):
        return closed
    payout = payout_of(row)
    if payout.state == PayoutState.CAME_BACK or payouts.is_explained(payout):
        return say("Nothing is left of this payout.")
    return None


REFUND = Action(
    code="payments.refund",
    label=_("Give money back"),
    permission="payments.request_refund",
    run=_refund,
    form=RefundForm,
    initial=_excess,
    allowed=_can_refund,
    help=_("The money goes back the way it came. Above the limit of the currency a second person has to approve."),
)
WRITE_OFF = Action(
    code="payments.write_off",
    label=_("Write off the difference"),
    permission="payments.write_off",
    run=_write_off,
    form=Why,
    allowed=_can_write_off,
    help=_("Nothing more is asked of the customer. Above the limit of the currency a second person has to approve."),
)
APPROVE_REFUND = Action(
    code="payments.approve_refund",
    label=_("Approve"),
    permission="payments.approve_refund",
    run=_approve_refund,
    allowed=_waits,
    primary=True,
    help=_("The money goes out at once. You cannot approve what you requested yourself."),
)
DECLINE_REFUND = Action(
    code="payments.decline_refund",
    label=_("Decline"),
    permission="payments.approve_refund",
    run=_decline_refund,
    form=Why,
    allowed=_is_unsent,
    destructive=True,
)
RETRY_REFUND = Action(
    code="payments.retry_refund",
    label=_("Refund again"),
    permission="payments.request_refund",
    run=_retry_refund,
    allowed=_has_failed,
    primary=True,
)
APPROVE_WRITE_OFF = Action(
    code="payments.approve_write_off",
    label=_("Approve"),
    permission="payments.approve_write_off",
    run=_approve_write_off,
    allowed=_write_off_waits,
    primary=True,
)
DECLINE_WRITE_OFF = Action(
    code="payments.decline_write_off",
    label=_("Decline"),
    permission="payments.approve_write_off",
    run=_decline_write_off,
    form=Why,
    allowed=_write_off_waits,
    destructive=True,
)
TAKE_PROPOSAL = Action(
    code="payments.take_proposal",
    label=_("These movements make it up"),
    permission="payments.explain_payout",
    run=_take,
    form=ProposalForm,
    allowed=_has_remainder,
    effect=_effect,
    primary=True,
)
ACCEPT_REMAINDER = Action(
    code="payments.accept_remainder",
    label=_("Accept the remainder"),
    permission="payments.explain_payout",
    run=_accept,
    form=Why,
    allowed=_has_remainder,
)
ORDER_ACTIONS: tuple[Action, ...] = (REFUND, WRITE_OFF)
REFUND_ACTIONS: tuple[Action, ...] = (APPROVE_REFUND, DECLINE_REFUND, RETRY_REFUND)
WRITE_OFF_ACTIONS: tuple[Action, ...] = (APPROVE_WRITE_OFF, DECLINE_WRITE_OFF)
PAYOUT_ACTIONS: tuple[Action, ...] = (TAKE_PROPOSAL, ACCEPT_REMAINDER)
