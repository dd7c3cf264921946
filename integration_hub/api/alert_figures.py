"""The figures that alerts may be about, and the rules over them that are there from the start."""

from __future__ import annotations

from decimal import Decimal

from django.db.models import Q, Sum
from django.utils.translation import gettext_lazy as _

from exceptions.models import ExceptionCase
from integration_hub.messaging import clock
from integration_hub.messaging.alerts.rules import CASES, Default, Figure
from integration_hub.models import InboundEvent, OutboundCommand
from integration_hub.models.alert import Condition, Urgency
from integration_hub.models.breaker import Breaker, BreakerState
from integration_hub.models.outbound import MOVING

from . import figures, health

TRAFFIC = "integration_hub.view_inboundevent"


def _minutes(lane: str) -> float:
    return figures.overdue_seconds(lane) / 60


def _parked() -> int:
    return sum(figures.queue_states(lane)["PARKED"] for lane in figures.QUEUES)


def _overdue() -> int:
    return ExceptionCase.objects.open().filter(due_at__lt=clock.now()).count()


def _at_risk() -> Decimal:
    """In the currency of most merchants' books; other currencies are not added up."""
    return ExceptionCase.objects.open().filter(currency="EUR").aggregate(sum=Sum("amount"))["sum"] or Decimal(0)


def _failing() -> int:
    return OutboundCommand.objects.filter(Q(state__in=MOVING), first_failed_at__isnull=False).count()


def _silence() -> float | None:
    """Minutes since the last message of any system; None before the first one."""
    last = InboundEvent.objects.order_by("-pk").values_list("received_at", flat=True).first()
    return (clock.now() - last).total_seconds() / 60 if last else None


def _interrupted() -> int:
    return Breaker.objects.exclude(state=BreakerState.CLOSED).count()


FIGURES = (
    Figure(
        code="late_in",
        label=_("Incoming messages wait for a worker"),
        unit=_("min"),
        permission=TRAFFIC,
        measure=lambda: _minutes("in"),
    ),
    Figure(
        code="late_out",
        label=_("Outgoing commands wait for a worker"),
        unit=_("min"),
        permission=TRAFFIC,
        measure=lambda: _minutes("out"),
    ),
    Figure(
        code="parked", label=_("Parked messages and commands"), unit=_("pieces"), permission=TRAFFIC, measure=_parked
    ),
    Figure(
        code="failing",
        label=_("Commands that fail and are tried again"),
        unit=_("pieces"),
        permission=TRAFFIC,
        measure=_failing,
    ),
    Figure(code="silence", label=_("No message from any system"), unit=_("min"), permission=TRAFFIC, measure=_silence),
    Figure(
        code="interrupted",
        label=_("Interrupted connections"),
        unit=_("pieces"),
        permission=TRAFFIC,
        measure=_interrupted,
    ),
    Figure(
        code="stale_lanes",
        label=_("Lanes with due work that nobody works"),
        unit=_("pieces"),
        permission=TRAFFIC,
        measure=lambda: len(health.stale_lanes()),
    ),
    Figure(
        code="open_cases",
        label=_("Open exceptions"),
        unit=_("pieces"),
        permission=CASES,
        measure=lambda: ExceptionCase.objects.open().count(),
    ),
    Figure(code="overdue_cases", label=_("Overdue exceptions"), unit=_("pieces"), permission=CASES, measure=_overdue),
    Figure(
        code="at_risk", label=_("Amount at risk in open exceptions"), unit="EUR", permission=CASES, measure=_at_risk
    ),
)

DEFAULTS = (
    Default(
        subject="late_in",
        condition=Condition.ABOVE,
        limit=Decimal(15),
        urgency=Urgency.NOW,
        role="integrator",
        escalate_after=60,
    ),
    Default(
        subject="late_out",
        condition=Condition.ABOVE,
        limit=Decimal(15),
        urgency=Urgency.NOW,
        role="integrator",
        escalate_after=60,
    ),
    Default(
        subject="stale_lanes", condition=Condition.ABOVE, urgency=Urgency.NOW, role="integrator", escalate_after=60
    ),
    Default(subject="silence", condition=Condition.SILENT, limit=Decimal(1440), role="integrator"),
    Default(subject="open_cases", condition=Condition.RISES, limit=Decimal(100), window=60, role="operations"),
    Default(subject="overdue_cases", condition=Condition.ABOVE, urgency=Urgency.DIGEST, role="operations"),
    Default(
        subject="dispute_due",
        condition=Condition.DEADLINE,
        window=48 * 60,
        urgency=Urgency.NOW,
        role="finance",
        escalate_after=12 * 60,
    ),
)
