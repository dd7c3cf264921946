"""Four eyes: above the limit of its currency an action waits for a second person."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils import timezone

from integration_hub.backoffice.actions import Action
from integration_hub.kernel.errors import NotNow
from integration_hub.kernel.money import Money
from integration_hub.kernel.text import Text, say
from integration_hub.models.access import User

from .models import Approval, ApprovalState, ExceptionCase, limits_of


def above_limit(case: ExceptionCase) -> bool:
    """Whether one person alone may not decide this away."""
    return abs(case.amount) > limits_of(case.currency).alone_up_to


def second(action: Action, case: ExceptionCase, by: User, data: Mapping[str, Any]) -> Text | None:
    """Ask a second person where the amount needs one; None where one person is enough."""
    if not above_limit(case):
        return None
    fields = action.form.base_fields if action.form else {}
    with transaction.atomic():
        Approval.objects.bulk_create(
            [
                Approval(
                    case=case,
                    action=action.code,
                    data={name: str(data[name]) for name in fields if name in data},
                    amount=case.amount,
                    currency=case.currency,
                    requested_by=by,
                )
            ],
            ignore_conflicts=True,
        )
        asked = Approval.objects.get(case=case, action=action.code, state=ApprovalState.REQUESTED)
    if asked.requested_by_id != by.pk:
        raise NotNow(say("%(who)s has asked for this already; approve or decline that.", who=str(asked.requested_by)))
    limit = Money(limits_of(case.currency).alone_up_to, case.currency)
    return say("More than %(limit)s are at risk: a second person has to approve it.", limit=limit)


def requested(case: ExceptionCase) -> list[Approval]:
    """What waits for a second person on this case."""
    rows = Approval.objects.filter(case=case, state=ApprovalState.REQUESTED)
    return list(rows.select_related("requested_by", "case").order_by("pk"))


def decide(approval: Approval, state: ApprovalState, *, by: User) -> None:
    """Write the decision down; NotNow for one's own request (the database refuses it, too)."""
    if state != ApprovalState.WITHDRAWN and approval.requested_by_id == by.pk:
        raise NotNow(say("Somebody else has to decide on what you requested."))
    if state == ApprovalState.WITHDRAWN and approval.requested_by_id != by.pk:
        raise NotNow(say("Only who requested it can withdraw it."))
    approval.state, approval.decided_by, approval.decided_at = state, by, timezone.now()
    approval.save(update_fields=["state", "decided_by", "decided_at"])


def withdraw_all(case: ExceptionCase) -> None:
    """The case is closed: nothing of it is to be approved any more."""
    open_ones = Approval.objects.filter(case=case, state=ApprovalState.REQUESTED)
    open_ones.update(state=ApprovalState.WITHDRAWN, decided_at=timezone.now())
