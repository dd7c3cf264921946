"""What a second person may do to a request: approve it, decline it; its own author may withdraw it."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from integration_hub.backoffice.actions import Action, perform
from integration_hub.kernel.errors import NotNow
from integration_hub.kernel.text import Text, say
from integration_hub.models.access import User
from integration_hub.models.activity import note

from . import approvals
from .actions import Why, by_code
from .models import Approval, ApprovalState


def _waits(approval: Approval) -> Text | None:
    return None if approval.state == ApprovalState.REQUESTED else say("This request is decided already.")


def _approve(approval: Approval, *, by: User) -> Text:
    """Decide, then do it in the name of who requested it; if it cannot be done as requested, nothing is decided."""
    approvals.decide(approval, ApprovalState.APPROVED, by=by)
    action = by_code(approval.case, approval.action)
    if action is None:
        raise NotNow(say("This exception does not offer that."))
    text = perform(action, approval.case, by=approval.requested_by, data=approval.data, approved=True)
    note(approval.case, "exceptions.approve", say("Approved by a second person"), by=by)
    return text


def _decline(approval: Approval, *, by: User, why: str) -> Text:
    approvals.decide(approval, ApprovalState.DECLINED, by=by)
    text = say("The request was declined")
    note(approval.case, "exceptions.decline", text, by=by, why=why)
    return text


def _withdraw(approval: Approval, *, by: User) -> Text:
    approvals.decide(approval, ApprovalState.WITHDRAWN, by=by)
    return say("The request was withdrawn")


APPROVE = Action(
    code="exceptions.approve",
    label=_("Approve"),
    permission="exceptions.approve_exceptioncase",
    run=_approve,
    allowed=_waits,
    primary=True,
)
DECLINE = Action(
    code="exceptions.decline",
    label=_("Decline"),
    permission="exceptions.approve_exceptioncase",
    run=_decline,
    form=Why,
    allowed=_waits,
)
WITHDRAW = Action(
    code="exceptions.withdraw",
    label=_("Withdraw"),
    permission="exceptions.view_exceptioncase",
    run=_withdraw,
    allowed=_waits,
)

ALL = (APPROVE, DECLINE, WITHDRAW)
