"""Closing a month and opening it again: the first by one person, the second only by two."""

from __future__ import annotations

from django.db import transaction
from django.db.models.functions import Now

from integration_hub.kernel.errors import NotNow
from integration_hub.kernel.text import say
from integration_hub.models.access import User

from ..events import PeriodState
from ..models import Closing, Period, Reopening
from ..models.closing import ReopeningState
from .cockpit import Line, Month, lines


def month_of(period: Period) -> Month:
    return Month(period.year, period.month)


@transaction.atomic
def close(period: Period, *, by: User, why: str = "") -> Closing:
    """Lock the month; NotNow while it runs, and with open points unless a reason is given.  The points are kept as they stood."""
    locked = Period.objects.select_for_update().get(pk=period.pk)
    month = month_of(locked)
    if locked.state == PeriodState.LOCKED:
        raise NotNow(say("This month is closed already."))
    if not month.is_over:
        raise NotNow(say("This month is not over yet."))
    found = lines(month)
    _refuse_without_reason(found, why)
    Period.objects.filter(pk=locked.pk).update(state=PeriodState.LOCKED)
    points = [line.as_json() for line in found]
    return Closing.objects.create(period=locked, closed_by=by, points=points, why=why.strip())


def _refuse_without_reason(found: list[Line], why: str) -> None:
    still = sum(1 for line in found if not line.is_good)
    if still and len(why.strip()) < 10:
        raise NotNow(say("%(count)s points are open; say why the month is closed in spite of them.", count=still))


@transaction.atomic
def ask_to_reopen(period: Period, *, by: User, why: str) -> Reopening:
    """Ask for a closed month to take postings again; one request at a time."""
    locked = Period.objects.select_for_update().get(pk=period.pk)
    if locked.state != PeriodState.LOCKED:
        raise NotNow(say("This month is open."))
    if waiting(locked):
        raise NotNow(say("Somebody has asked for that already."))
    return Reopening.objects.create(period=locked, requested_by=by, why=why)


@transaction.atomic
def decide(period: Period, *, by: User, approve: bool) -> Reopening:
    """Approve or decline what somebody else asked for; approved, the month is open at once."""
    locked = Period.objects.select_for_update().get(pk=period.pk)
    request = waiting(locked)
    if request is None:
        raise NotNow(say("Nobody has asked to open this month again."))
    if approve and request.requested_by_id == by.pk:
        raise NotNow(say("A second person has to approve it."))
    request.state = ReopeningState.APPROVED if approve else ReopeningState.DECLINED
    request.decided_by, request.decided_at = by, Now()
    request.save(update_fields=["state", "decided_by", "decided_at"])
    if approve:
        Period.objects.filter(pk=locked.pk).update(state=PeriodState.OPEN)
    return request


def waiting(period: Period) -> Reopening | None:
    """The request that waits for a second person."""
    rows = Reopening.objects.filter(period_id=period.pk or 0, state=ReopeningState.REQUESTED)
    return rows.select_related("requested_by").first()
