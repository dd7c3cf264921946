"""What can go wrong between the hub's rows and the books, as kinds of case with their fixes."""

from __future__ import annotations

from datetime import timedelta

from django.utils.translation import gettext_lazy as _

from exceptions import services as cases
from exceptions.kinds import Kind
from exceptions.models import ExceptionCase

from .events import Event
from .ledger_actions import MAP, MOVE, again
from .models import Export
from .services import exporting

DAY = timedelta(days=1)


def _write_again(case: ExceptionCase) -> int:
    held = cases.held_up(case, Export)
    for export in Export.objects.filter(pk__in=held):
        exporting.again(export)
    return len(held)


_BLOCKS = _("Posting these, closing the period")

KINDS = (
    Kind(
        code="posting_no_account",
        title=_("No account for %(what)s %(details)s"),
        explanation=_("The account mapping has no rule for this, or names an account that the chart does not have."),
        blocks=_BLOCKS,
        role="finance",
        due=2 * DAY,
        rerun=again,
        fixes=(MAP,),
        names=dict(Event.choices),
        help=_("Ask the tax adviser which account it is. Everything of the same kind is posted by the same answer."),
    ),
    Kind(
        code="posting_refused",
        title=_("Cannot be posted: %(what)s"),
        explanation=_(
            "The books would say something else than the document or the provider: another tax rate, a currency without a rate, a tax key on an automatic account."
        ),
        blocks=_BLOCKS,
        role="finance",
        due=2 * DAY,
        rerun=again,
        help=_("Change the account mapping or wait for the provider's figures, then let it run again."),
    ),
    Kind(
        code="posting_month_locked",
        title=_("Something is to be posted into the locked month %(month)s"),
        explanation=_("It came, or changed, after the month was closed. A closed month takes no postings."),
        blocks=_BLOCKS,
        role="finance",
        due=2 * DAY,
        rerun=again,
        fixes=(MOVE,),
        help=_("Post it into an open month with a reason, or let the month be opened again by two people."),
    ),
    Kind(
        code="export_failed",
        title=_("The export of %(month)s does not hold what the books hold"),
        explanation=_(
            "The file was read back, and its count or its sums differ from the postings. It was not handed out."
        ),
        blocks=_("Handing the month over to the adviser"),
        role="finance",
        due=DAY,
        rerun=_write_again,
        help=_(
            "Let it be written again. If it fails again, send the page of the export to whoever looks after the hub."
        ),
    ),
)
