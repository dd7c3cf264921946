"""The sections of the start pages: short lists of what comes first, each leading to the whole."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from exceptions.models import ExceptionCase
from exceptions.presentation import Shown
from integration_hub.models import Attempt, User
from integration_hub.models.breaker import Breaker, BreakerState
from integration_hub.models.outbound import Outcome
from payments.models import Dispute, Payout, Refund, WriteOff
from payments.states import UNDECIDED, PayoutState, RefundState, WriteOffState

from . import figures, health, traffic

FEW = 8


@dataclass(frozen=True)
class Section:
    """A template and what fills it; only for who holds the permission, if one is named."""

    template: str
    facts: Callable[[], Any]
    permission: str = ""


def of(sections: tuple[Section, ...], user: User) -> list[tuple[str, Any]]:
    """Template and facts of each section that this person may see."""
    return [(one.template, one.facts()) for one in sections if not one.permission or user.has_perm(one.permission)]


def cases_by_kind(role: str = "") -> Section:
    """Open cases by kind, of one role or all."""
    return Section("dashboards/_kinds.html", lambda: figures.cases_by_kind(role), "exceptions.view_exceptioncase")


def next_cases(role: str = "") -> Section:
    """The cases to take up first: amount at risk times age."""
    return Section("dashboards/_next.html", lambda: _next(role), "exceptions.view_exceptioncase")


def _next(role: str) -> dict[str, Any]:
    rows = ExceptionCase.objects.open().filter(**({"role": role} if role else {}))
    return {"rows": [Shown(case) for case in rows.by_urgency().select_related("assignee")[:FEW]], "role": role}


def _money() -> dict[str, Any]:
    """Disputes by deadline, what waits for a second person, payouts with a remainder: the first few of each."""
    disputes = Dispute.objects.filter(state__in=UNDECIDED).select_related("connection")
    refunds = Refund.objects.filter(state=RefundState.REQUESTED).select_related("order", "requested_by")
    given_up = WriteOff.objects.filter(state=WriteOffState.REQUESTED).select_related("order", "requested_by")
    unexplained = Payout.objects.filter(state__in=(PayoutState.ANNOUNCED, PayoutState.IN_BANK)).exclude(remainder=0)
    return {
        "now": timezone.now(),
        "disputes": list(disputes.order_by("evidence_due", "pk")[:FEW]),
        "refunds": list(refunds.order_by("requested_at")[:FEW]),
        "write_offs": list(given_up.order_by("at")[:FEW]),
        "payouts": list(unexplained.select_related("connection").order_by("created_at")[:FEW]),
    }


MONEY = Section("dashboards/_money.html", _money, "payments.view_payout")
TRAFFIC = Section(
    "dashboards/_traffic.html",
    lambda: {"lines": traffic.lines(), "counted_at": traffic.counted_at()},
    "integration_hub.view_inboundevent",
)
CONNECTIONS = Section("dashboards/_connections.html", health.lines, "integration_hub.view_connection")


def interrupted() -> QuerySet[Breaker]:
    """The breakers that keep the hub from calling a system now."""
    return Breaker.objects.exclude(state=BreakerState.CLOSED).select_related("connection").order_by("opened_at")


def _attempts() -> list[Attempt]:
    """The newest tries that did not go through."""
    failed = Attempt.objects.exclude(outcome__in=(Outcome.DONE, Outcome.FOUND)).defer("payload", "exchanges")
    return list(failed.select_related("command__connection").order_by("-pk")[:FEW])


ATTEMPTS = Section("dashboards/_attempts.html", _attempts, "integration_hub.view_attempt")
BREAKERS = Section("dashboards/_breakers.html", lambda: list(interrupted()), "integration_hub.view_connection")
