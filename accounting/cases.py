"""What can go wrong with documents, as kinds of case with their fixes."""

from __future__ import annotations

from datetime import timedelta

from django.utils.translation import gettext_lazy as _

from exceptions import services as cases
from exceptions.kinds import Kind
from exceptions.models import ExceptionCase
from orders.models import Order

from . import actions
from .services import due, issuing

DAY = timedelta(days=1)


def rerun(case: ExceptionCase) -> int:
    """Issue what is in doubt about these orders again, if by now it can be."""
    held = cases.held_up(case, Order)
    for order in Order.objects.filter(pk__in=held).order_by("pk"):
        issuing.issue_many(actions.doubtful(order))
    return len(held)


def _try(case: ExceptionCase) -> int:
    return sum(due.again(order) for order in Order.objects.filter(pk__in=cases.held_up(case, Order)).order_by("pk"))


_BLOCKS = _("Invoice of this order, its posting")

KINDS = (
    Kind(
        code="document_incomplete",
        title=_("The invoice of order %(number)s would lack what the law asks for"),
        explanation=_(
            "Section 14 UStG names what an invoice must say. Something of it is missing, so it was not issued."
        ),
        blocks=_BLOCKS,
        role="finance",
        due=DAY,
        rerun=rerun,
        fixes=(actions.ISSUE_AGAIN, actions.RECORD_ELSEWHERE),
        help=_(
            "Correct the address on the order's own exception or in the shop, or complete the seller data. Then issue it."
        ),
    ),
    Kind(
        code="document_tax_differs",
        title=_("Shop and hub reckon the tax of order %(number)s differently"),
        explanation=_(
            "The rates or the tax the shop charged are not those of the hub's tables. Tax that is shown too high is owed all the same (section 14c UStG)."
        ),
        blocks=_BLOCKS,
        role="finance",
        due=DAY,
        rerun=rerun,
        fixes=(actions.HUB_FIGURES, actions.SHOP_FIGURES, actions.RECORD_ELSEWHERE),
        help=_(
            "If this comes again and again: give the articles their tax level, set in the issuing rule how the shop taxes shipping, or correct the shop's tax settings."
        ),
    ),
    Kind(
        code="document_tax_undecided",
        title=_("How is order %(number)s taxed?"),
        explanation=_(
            "The tables do not say: a rate that did not hold on the day of supply, a reduced rate without a rule, or a VAT id that is not valid."
        ),
        blocks=_BLOCKS,
        role="finance",
        due=DAY,
        rerun=rerun,
        fixes=(actions.ISSUE_AGAIN, actions.SHOP_FIGURES, actions.RECORD_ELSEWHERE),
        help=_("Add the rate or the rule for the articles, or ask the customer for the right VAT id. Then issue it."),
    ),
    Kind(
        code="document_sum_differs",
        title=_("The lines of order %(number)s do not make what the customer pays"),
        explanation=_(
            "An invoice says what was paid, to the cent. The shop's lines come to another sum than its total."
        ),
        blocks=_BLOCKS,
        role="finance",
        due=DAY,
        rerun=rerun,
        fixes=(actions.ISSUE_AGAIN, actions.HUB_FIGURES, actions.RECORD_ELSEWHERE),
        help=_("Put the order right in the shop. With the hub's tax the sum of the lines is billed as it is."),
    ),
    Kind(
        code="document_elsewhere",
        title=_("Who bills order %(number)s?"),
        explanation=_("Another system issues the documents of this channel, but the order is due here."),
        blocks=_BLOCKS,
        role="finance",
        due=DAY,
        rerun=rerun,
        fixes=(actions.RECORD_ELSEWHERE, actions.ISSUE_AGAIN),
        help=_(
            "Record the other system's document by its number, or change the channel's issuing rule and issue it here. Never both."
        ),
    ),
    Kind(
        code="document_failed",
        title=_("The document of order %(number)s could not be issued"),
        explanation=_("The hub failed at it and tries again. Nothing was numbered, so there is no gap."),
        blocks=_BLOCKS,
        role="finance",
        due=DAY,
        rerun=_try,
        fixes=(actions.TRY_AGAIN, actions.RECORD_ELSEWHERE),
        help=_("If it fails again with the same words, report it."),
    ),
)
