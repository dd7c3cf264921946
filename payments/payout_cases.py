"""What can be wrong with a payout, as cases that open and close with it."""

from __future__ import annotations

from datetime import datetime, time, timedelta

from django.utils import timezone

from exceptions import services as cases
from exceptions.services import Trouble
from integration_hub.kernel.funds import PayoutStage
from integration_hub.kernel.money import Money
from integration_hub.kernel.text import Text, say

from .models import BankStatement, Payout, bounds_of

KINDS = ("payout_does_not_add_up", "payout_without_items", "payout_not_in_bank", "payout_differs_in_bank")
PATIENCE = timedelta(hours=6)  # items may come after the payout


def judge(payout: Payout, *, explained: bool) -> None:
    """Open what is wrong now, let go of what is right."""
    found = [trouble for trouble in (_sums(payout, explained=explained), _bank(payout)) if trouble]
    for trouble in found:
        cases.open_case(trouble, payout, connection=payout.connection)
    cases.settle(payout, kinds=KINDS, still=[(trouble.kind, trouble.cause) for trouble in found])


def _is_over(payout: Payout) -> bool:
    return payout.stage in (PayoutStage.FAILED, PayoutStage.CANCELLED)


def _sums(payout: Payout, *, explained: bool) -> Trouble | None:
    if _is_over(payout):
        return None
    if not explained and not payout.has_items:
        return _trouble(payout, "payout_without_items", _left(payout))
    complete = payout.items_listed and not payout.awaited
    if not explained and (complete or timezone.now() > payout.recorded_at + PATIENCE):
        return _trouble(payout, "payout_does_not_add_up", _left(payout))
    if explained and (gap := _balance_gap(payout)):
        return _trouble(payout, "payout_does_not_add_up", gap)
    return None


def _left(payout: Payout) -> Text:
    return say(
        "items of %(explained)s, %(remainder)s is left",
        explained=Money(payout.explained, payout.currency),
        remainder=Money(payout.remainder, payout.currency),
    )


def _balance_gap(payout: Payout) -> Text | None:
    """Balance before, plus what moved, is balance after; where the provider states both."""
    if payout.balance_before is None or payout.balance_after is None:
        return None
    after = payout.balance_before + payout.explained - payout.amount
    if after == payout.balance_after:
        return None
    return say(
        "balance %(before)s before and %(after)s after, but the movements lead to %(reckoned)s",
        before=Money(payout.balance_before, payout.currency),
        after=Money(payout.balance_after, payout.currency),
        reckoned=Money(after, payout.currency),
    )


def _bank(payout: Payout) -> Trouble | None:
    line = payout.bank_line
    if line and (line.amount != payout.amount or line.currency != payout.currency):
        return _trouble(
            payout, "payout_differs_in_bank", say("the bank shows %(money)s", money=Money(line.amount, line.currency))
        )
    if line or _is_over(payout) or payout.amount <= 0 or not _is_late(payout):
        return None
    return _trouble(payout, "payout_not_in_bank", say("no bank line with this payout"))


def _is_late(payout: Payout) -> bool:
    """Whether its money should be there, going by statements that reach so far."""
    expected = payout.arrives_on or timezone.localdate(payout.created_at)
    latest = expected + timedelta(days=bounds_of(payout.currency).payout_days)
    midnight = timezone.make_aware(datetime.combine(latest, time.max))
    return timezone.now() > midnight and BankStatement.objects.filter(closed_on__gte=latest).exists()


def _trouble(payout: Payout, kind: str, found: Text) -> Trouble:
    return Trouble(
        kind=kind,
        cause=f"payout:{payout.pk}",
        params={"number": payout.external_id, "system": payout.connection.name},
        expected=say("%(money)s, explained to the cent", money=Money(payout.amount, payout.currency)),
        found=found,
        data={"payout": payout.pk},
    )
