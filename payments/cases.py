"""What can go wrong with money, as kinds of case with their fixes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import Model
from django.utils.translation import gettext_lazy as _

from exceptions import services as cases
from exceptions.kinds import Kind
from exceptions.models import ExceptionCase
from orders.models import Order

from . import assigning, balances, payouts
from .actions import ASSIGN, NO_BUSINESS, SPLIT
from .models import BankStatement, Dispute, Payout, Refund, Transaction, Unassigned
from .process_actions import ACCEPT_REMAINDER, REFUND, RETRY_REFUND, TAKE_PROPOSAL, WRITE_OFF
from .states import Search

DAY = timedelta(days=1)


def _search_again(case: ExceptionCase) -> int:
    """Look for the orders of these movements as if they had just come."""
    held = cases.held_up(case, Transaction)
    Unassigned.objects.filter(pk__in=held).update(search=Search.ASKED)
    for pk in held:
        with transaction.atomic():
            assigning.tie([pk])
    return len(held)


def _compute_again(case: ExceptionCase) -> int:
    held = cases.held_up(case, Order)
    balances.refresh(held)
    return len(held)


def _explain_again(case: ExceptionCase) -> int:
    held = cases.held_up(case, Payout)
    with transaction.atomic():
        payouts.attach(held)
    return len(held)


def _of(model: type[Model]) -> Any:
    """Nothing to run again: it closes when another report comes."""

    def count(case: ExceptionCase) -> int:
        return len(cases.held_up(case, model))

    return count


_MATCHING = _("Explaining this money, status of its order")
_SAY_ONCE = _(
    "The candidates are those that fit, with the reason; the amount alone never makes one. Choose one, type another number, or split the money over several orders. Refunds of this payment follow it by themselves."
)

KINDS = (
    Kind(
        code="payment_unmatched",
        title=_("No order for payment %(number)s"),
        explanation=_(
            "Money moved, and nothing says for which order: no reference, no payment the shop knows, no number, no payer."
        ),
        blocks=_MATCHING,
        role="finance",
        due=DAY,
        rerun=_search_again,
        fixes=(ASSIGN, SPLIT, NO_BUSINESS),
        help=_SAY_ONCE,
    ),
    Kind(
        code="refund_without_order",
        title=_("No order for refund %(number)s"),
        explanation=_("Money went back to somebody, and neither its payment nor its order is known."),
        blocks=_MATCHING,
        role="finance",
        due=DAY,
        rerun=_search_again,
        fixes=(ASSIGN, SPLIT, NO_BUSINESS),
        help=_SAY_ONCE,
    ),
    Kind(
        code="payment_ambiguous",
        title=_("Several orders fit payment %(number)s"),
        explanation=_("More than one order may be meant, and none is clearly ahead."),
        blocks=_MATCHING,
        role="finance",
        due=DAY,
        rerun=_search_again,
        fixes=(ASSIGN, SPLIT, NO_BUSINESS),
        help=_SAY_ONCE,
    ),
    Kind(
        code="payment_proposed",
        title=_("Is payment %(number)s for this order?"),
        explanation=_("One order fits well, but nobody states that it is meant. Confirm it, or choose another."),
        blocks=_MATCHING,
        role="finance",
        due=DAY,
        rerun=_search_again,
        fixes=(ASSIGN, SPLIT, NO_BUSINESS),
        help=_SAY_ONCE,
    ),
    Kind(
        code="payment_other_currency",
        title=_("Payment %(number)s is in another currency than its order"),
        explanation=_("The order is named, but different kinds of money are never added up by themselves."),
        blocks=_MATCHING,
        role="finance",
        due=DAY,
        rerun=_search_again,
        fixes=(ASSIGN, NO_BUSINESS),
        help=_("Say how much it is in the order's currency, as the provider or the bank has converted it."),
    ),
    Kind(
        code="amounts_disagree",
        title=_("Payment of order %(number)s differs from its total"),
        explanation=_("Less or more was paid than the order comes to."),
        blocks=_("The order stays open in the books"),
        role="finance",
        due=2 * DAY,
        rerun=_compute_again,
        fixes=(WRITE_OFF, REFUND),
        help=_("A part may still come. A small difference can be written off, what is too much refunded."),
    ),
    Kind(
        code="double_payment",
        title=_("Order %(number)s was paid twice"),
        explanation=_("One payment was enough, and another one came."),
        blocks=_("Money of the customer's is kept"),
        role="finance",
        due=DAY,
        rerun=_compute_again,
        fixes=(REFUND,),
        help=_("Refund what is too much. If one of the payments is for another order, take it off on its own page."),
    ),
    Kind(
        code="paid_but_cancelled",
        title=_("Order %(number)s is cancelled, but paid"),
        explanation=_("The order is cancelled or deleted, and its money was not given back."),
        blocks=_("Money of the customer's is kept"),
        role="finance",
        due=DAY,
        rerun=_compute_again,
        fixes=(REFUND,),
        help=_("Refund it, or clear up with operations whether the order is to be delivered after all."),
    ),
    Kind(
        code="payout_does_not_add_up",
        title=_("Payout %(number)s of %(system)s does not add up"),
        explanation=_(
            "Its items, or the provider's balances before and after it, do not make the amount that was paid out."
        ),
        blocks=_("Closing the period"),
        role="finance",
        due=2 * DAY,
        rerun=_explain_again,
        fixes=(ACCEPT_REMAINDER, TAKE_PROPOSAL),
        help=_(
            "Missing items come by themselves with the provider's next report. Accept a remainder only with a reason: it stays visible."
        ),
    ),
    Kind(
        code="payout_without_items",
        title=_("What makes up payout %(number)s of %(system)s?"),
        explanation=_(
            "The provider does not say what this payout is made of, as with payouts made by hand. The hub proposes a set of movements."
        ),
        blocks=_("Closing the period"),
        role="finance",
        due=2 * DAY,
        rerun=_explain_again,
        fixes=(TAKE_PROPOSAL, ACCEPT_REMAINDER),
        help=_(
            "The page of the payout shows the proposed movements one by one, and what they would leave. Only your confirmation makes them its items."
        ),
    ),
    Kind(
        code="payout_not_in_bank",
        title=_("Payout %(number)s of %(system)s has not arrived in the bank"),
        explanation=_("The statements reach beyond the day it was to arrive, and no line shows it."),
        blocks=_("Closing the period"),
        role="finance",
        due=DAY,
        rerun=_explain_again,
        help=_(
            "Ask the provider. The exception closes itself when a statement shows the payout or the provider reports that it came back."
        ),
    ),
    Kind(
        code="payout_differs_in_bank",
        title=_("The bank shows another amount for payout %(number)s of %(system)s"),
        explanation=_("The bank line names this payout, but its amount or currency is another one."),
        blocks=_("Closing the period"),
        role="finance",
        due=DAY,
        rerun=_explain_again,
        help=_(
            "Often the bank took a fee or converted the money. Ask the bank for the advice, then close this with a note."
        ),
    ),
    Kind(
        code="statement_gap",
        title=_("Statement %(number)s of account %(account)s does not follow on the one before"),
        explanation=_(
            "It begins with another balance than the last one ended with, so a statement or a part of one is missing."
        ),
        blocks=_("Payments and payouts of the missing days are not seen"),
        role="finance",
        due=2 * DAY,
        rerun=_of(BankStatement),
        help=_(
            "Fetch the missing statement from the bank and upload it. The exception closes itself when the balances follow on."
        ),
    ),
    Kind(
        code="dispute_due",
        title=_("Dispute %(number)s at %(system)s waits for your evidence"),
        explanation=_(
            "A customer's bank wants the money back. Without an answer in time it is lost. The order is not cancelled and no stock is moved."
        ),
        blocks=_("The disputed money"),
        role="finance",
        due=5 * DAY,
        rerun=_of(Dispute),
        help=_(
            "Answer at the provider. It is due when the provider says so; the exception closes itself when the answer is there or the dispute is decided."
        ),
    ),
    Kind(
        code="refund_failed",
        title=_("A refund of order %(number)s failed"),
        explanation=_("The customer has no money yet, and the order counts as not refunded again."),
        blocks=_("The customer's money"),
        role="finance",
        due=DAY,
        rerun=_of(Refund),
        fixes=(RETRY_REFUND,),
        help=_("Send it again, or pay it by bank transfer and close this with a note."),
    ),
)
