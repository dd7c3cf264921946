"""What the completeness check finds, as kinds of case, and what fixes them."""

from __future__ import annotations

from datetime import timedelta

from django.utils.translation import gettext_lazy as _

from exceptions import services as cases
from exceptions.actions import is_open
from exceptions.kinds import Kind
from exceptions.models import ExceptionCase
from integration_hub.backoffice.actions import Action
from integration_hub.kernel.text import Text, say
from integration_hub.messaging import polling, pump
from integration_hub.models.access import User

from . import completeness, differences, services
from .models import Order
from .tally import DayTally

A_MOMENT = timedelta(minutes=1)  # for what was polled to be processed before the day is compared again


def fetch(case: ExceptionCase) -> int:
    """Poll the shop again from the beginning of that day on, then compare the day again."""
    tally = DayTally.objects.select_related("connection").filter(pk=case.data.get("tally")).first()
    if tally is None:
        return 0
    polling.poll_again(tally.connection, "orders", since=completeness.span(tally.day)[0])
    completeness.again([tally.pk], after=A_MOMENT)
    pump.kick("poll")
    return case.size


def rerun(case: ExceptionCase) -> int:
    """Judge the orders again, and compare their day again."""
    held = cases.held_up(case, Order)
    for pk in held:
        services.reconsider(pk)
    completeness.again([case.data["tally"]] if case.data.get("tally") else [], after=A_MOMENT)
    return len(held)


def _fetch(case: ExceptionCase, *, by: User) -> Text:
    fetch(case)
    return say("The shop is read again from the beginning of that day; the case closes when the order is here.")


FETCH = Action(
    code="orders.fetch",
    label=_("Fetch it now"),
    permission="exceptions.retry_exceptioncase",
    run=_fetch,
    allowed=is_open,
    help=_("Reads the shop again from the beginning of that day. What the hub holds already is not taken twice."),
    bulk=True,
    primary=True,
)

KINDS = (
    Kind(
        code=differences.MISSING_HERE,
        title=_("Order %(number)s of %(connection)s is missing in the hub"),
        explanation=_(
            "The shop lists an order that neither a webhook nor polling has brought. Nothing has been done for it yet."
        ),
        blocks=_("Everything: the ERP does not know this order"),
        role="operations",
        due=timedelta(hours=2),
        rerun=fetch,
        fixes=(FETCH,),
        help=_("The exception closes itself when the order is in the hub."),
    ),
    Kind(
        code=differences.MISSING_IN_ERP,
        title=_("Order %(number)s is missing in the ERP"),
        explanation=_(
            "The hub has accepted the order and nothing is on its way, but the ERP does not list it: it was deleted there, or its command was taken back."
        ),
        blocks=_("Delivery and invoice of this order"),
        role="operations",
        due=timedelta(hours=4),
        rerun=rerun,
        help=_(
            "Process it again if it is to be delivered. If the sale was deleted in the ERP on purpose, close the exception with a reason."
        ),
    ),
    Kind(
        code=differences.TWICE_IN_ERP,
        title=_("Order %(number)s stands more than once in the ERP"),
        explanation=_("More than one sale that is not cancelled carries this order's reference in the ERP."),
        blocks=_("The goods must not be shipped twice"),
        role="operations",
        due=timedelta(hours=1),
        rerun=rerun,
        help=_("Cancel the surplus sale in the ERP. The exception closes itself with the next comparison."),
    ),
    Kind(
        code=differences.SUM,
        title=_("The sum of order %(number)s differs"),
        explanation=_("Shop, hub and ERP do not state the same total for this order."),
        blocks=_("Invoice and books of this order"),
        role="finance",
        due=timedelta(hours=24),
        rerun=rerun,
        help=_(
            "See who is right and correct the other side. The exception closes itself when the sums agree; accept it with a reason by closing it if the difference is meant."
        ),
    ),
)
