"""What can go wrong with special cases, as kinds of case with their fixes."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from exceptions import services as cases
from exceptions.kinds import Kind
from exceptions.models import ExceptionCase

from . import actions, check, conflicts, flow, recording
from .models import AfterSale


def rerun(case: ExceptionCase) -> int:
    """Try again to tie what the case holds up."""
    held = cases.held_up(case, AfterSale)
    for pk in held:
        with transaction.atomic():
            row = flow.locked(pk)
            if row.state == flow.S.UNTIED:
                recording.settle(row)
            elif row.state != flow.S.PROPOSED:
                cases.settle(row, kinds=flow.KINDS)
    return len(held)


KINDS = (
    Kind(
        code=recording.UNTIED,
        title=_("%(number)s belongs to no known order or line (%(order)s)"),
        explanation=_(
            "A system reports a return, refund or cancellation that the hub cannot tie to an order and its lines."
        ),
        blocks=_("Carrying it out in ERP, shop and books"),
        role="operations",
        due=timedelta(hours=8),
        rerun=rerun,
        fixes=(actions.CASE_DECLINE,),
        help=_(
            "Mostly the order itself arrives a little later, and the exception closes by itself. If the order is older than the hub, take it in first (poll further back), else decline with a reason."
        ),
    ),
    Kind(
        code=recording.EXCEEDS,
        title=_("%(number)s takes back more of order %(order)s than there is"),
        explanation=_("More pieces are cancelled or returned than were ordered or delivered."),
        blocks=_("Carrying it out in ERP, shop and books"),
        role="operations",
        due=timedelta(hours=8),
        rerun=rerun,
        fixes=(actions.CASE_DECLINE,),
        help=_(
            "Compare the parcels of the order with what came back. Often the shipment is not yet known here; then processing again is enough."
        ),
    ),
    Kind(
        code=conflicts.CONFLICT,
        title=_("%(number)s of order %(order)s: shop and ERP contradict each other"),
        explanation=_("One system has cancelled or changed what the other has already shipped or carried out."),
        blocks=_("Stock, money and documents of this order"),
        role="operations",
        due=timedelta(hours=2),
        rerun=rerun,
        fixes=(actions.CASE_RETURN, actions.CASE_CONFIRM, actions.CASE_DECLINE),
        help=_(
            "Carry it out: the ERP is told, and refuses what has left the house. Wait for the goods: the cancellation becomes a return. Decline: the order stands as it is, and the customer has to be told."
        ),
    ),
    Kind(
        code=check.KIND,
        title=_("Order %(number)s stands differently in shop and ERP"),
        explanation=_(
            "The nightly comparison found that both sides cannot be right, and nothing is under way that would change that."
        ),
        blocks=_("Correct delivery, money and documents of this order"),
        role="operations",
        due=timedelta(hours=8),
        rerun=check.rerun,
        help=_(
            "Look at the history of both sides on the page of the order. Put right the side that is wrong, there or by a button of the order's page; the exception closes when they agree."
        ),
    ),
)
