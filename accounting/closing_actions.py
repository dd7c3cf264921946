"""What a person may do to a month of the books: close it, ask to open it again, approve that."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from integration_hub.backoffice.actions import Action
from integration_hub.kernel.text import Text, say
from integration_hub.models.access import User

from .events import PeriodState
from .models import Period
from .services import closing


class CloseForm(forms.Form):
    """Why, where points are open."""

    why = forms.CharField(
        label=_("Reason, if points are open"),
        required=False,
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("It is kept with what was open."),
    )


class ReopenForm(forms.Form):
    """Why."""

    why = forms.CharField(label=_("Reason"), min_length=10, max_length=500, widget=forms.Textarea(attrs={"rows": 2}))


def _is_open(period: Period) -> Text | None:
    if period.state == PeriodState.LOCKED:
        return say("This month is closed already.")
    return None if closing.month_of(period).is_over else say("This month is not over yet.")


def _is_closed(period: Period) -> Text | None:
    if period.state != PeriodState.LOCKED:
        return say("This month is open.")
    return say("Somebody has asked for that already.") if closing.waiting(period) else None


def _is_asked(period: Period) -> Text | None:
    return None if closing.waiting(period) else say("Nobody has asked to open this month again.")


def _close(period: Period, *, by: User, why: str) -> Text:
    closing.close(period, by=by, why=why)
    return say("%(month)s is closed; the database takes no posting into it any more.", month=period)


def _ask(period: Period, *, by: User, why: str) -> Text:
    closing.ask_to_reopen(period, by=by, why=why)
    return say("Asked to open %(month)s again; a second person has to approve it.", month=period)


def _approve(period: Period, *, by: User) -> Text:
    closing.decide(period, by=by, approve=True)
    return say("%(month)s is open again.", month=period)


def _decline(period: Period, *, by: User) -> Text:
    closing.decide(period, by=by, approve=False)
    return say("%(month)s stays closed.", month=period)


CLOSE = Action(
    code="accounting.close",
    label=_("Close the month"),
    permission="accounting.close_period",
    run=_close,
    form=CloseForm,
    allowed=_is_open,
    primary=True,
    help=_("Afterwards nothing can be posted into it. Opening it again needs two people."),
)
ASK = Action(
    code="accounting.ask_reopen",
    label=_("Ask to open it again"),
    permission="accounting.reopen_period",
    run=_ask,
    form=ReopenForm,
    allowed=_is_closed,
    destructive=True,
    help=_("What was exported stays; what is posted afterwards becomes a correction batch."),
)
APPROVE = Action(
    code="accounting.approve_reopen",
    label=_("Approve the opening"),
    permission="accounting.reopen_period",
    run=_approve,
    allowed=_is_asked,
    primary=True,
)
DECLINE = Action(
    code="accounting.decline_reopen",
    label=_("Decline the opening"),
    permission="accounting.reopen_period",
    run=_decline,
    allowed=_is_asked,
)
PERIOD_ACTIONS = (CLOSE, ASK, APPROVE, DECLINE)
