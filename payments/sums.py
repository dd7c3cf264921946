"""Sums for lists and start pages: by age, by kind, by provider; each currency for itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Case, Count, F, IntegerField, Min, Q, Sum, Value, When
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from .matching import SWEEP
from .models import FeeCheck, OpenItem, Payout, PayoutItem, Progress, Transaction, Unassigned
from .states import NO_ITEM, Kind, PayoutState, Standing

AGES = ((0, _("not due")), (7, _("1 to 7 days")), (14, _("8 to 14 days")), (30, _("15 to 30 days")), (None, _("older")))
RECENT = timedelta(days=120)


@dataclass(frozen=True)
class Age:
    """One bucket of the ageing: its label, and number and sum by currency."""

    label: Any
    sums: list[tuple[str, int, Decimal]]


def ageing(*, over: bool = False) -> list[Age]:
    """What is open (or overpaid) by how long it has been due."""
    column, today = ("overpaid" if over else "open"), timezone.localdate()
    limits = [(place, limit) for place, (limit, _label) in enumerate(AGES) if limit is not None]
    bucket = Case(
        *[When(due_on__gte=today - timedelta(days=limit), then=Value(place)) for place, limit in limits],
        default=Value(len(AGES) - 1),
        output_field=IntegerField(),
    )
    rows: Any = (
        OpenItem.objects.filter(**{f"{column}__gt": 0})
        .annotate(bucket=bucket)
        .values("bucket", "currency")
        .annotate(number=Count("pk"), sum=Sum(column))
        .order_by("bucket", "currency")
    )
    by_age: dict[int, list[tuple[str, int, Decimal]]] = {}
    for row in rows:
        by_age.setdefault(row["bucket"], []).append((row["currency"], row["number"], row["sum"]))
    return [Age(label, by_age.get(place, [])) for place, (_limit, label) in enumerate(AGES)]


def by_kind(payout: Payout) -> list[tuple[str, int, Decimal]]:
    """The items of a payout by kind: what it is called, how many, how much."""
    rows: Any = (
        PayoutItem.objects.filter(payout=payout)
        .values("transaction__kind")
        .annotate(number=Count("pk"), sum=Sum("amount"))
        .order_by("-sum")
    )
    return [(str(Kind(row["transaction__kind"]).label), row["number"], row["sum"]) for row in rows]


def not_paid_out() -> list[dict[str, Any]]:
    """By provider and currency, what moved its balance lately and is in no payout."""
    rows: Any = (
        Transaction.objects.filter(
            state=Standing.SUCCEEDED,
            net__isnull=False,
            item=None,
            bank_line=None,
            occurred_at__gte=timezone.now() - RECENT,
        )
        .exclude(kind__in=NO_ITEM)
        .values("connection__name", "connection_id", "settlement_currency")
        .annotate(sum=Sum(F("net") - F("reserve")), number=Count("pk"))
        .order_by("connection__name", "settlement_currency")
    )
    return list(rows)


def without_order() -> list[dict[str, Any]]:
    """Money received that nothing explains, by currency, with the oldest of it."""
    rows: Any = (
        Unassigned.objects.filter(transaction__kind=Kind.CAPTURE)
        .values(currency=F("transaction__currency"))
        .annotate(number=Count("pk"), sum=Sum("transaction__gross"), oldest=Min("transaction__occurred_at"))
    )
    return list(rows.order_by("currency"))


def with_remainder() -> list[dict[str, Any]]:
    """Payouts that are not explained, by currency."""
    rows: Any = (
        Payout.objects.filter(Q(state=PayoutState.ANNOUNCED) | Q(state=PayoutState.IN_BANK))
        .exclude(remainder=0)
        .values("currency")
        .annotate(number=Count("pk"), sum=Sum("remainder"), oldest=Min("created_at"))
    )
    return list(rows.order_by("currency"))


def too_much_fee() -> list[dict[str, Any]]:
    """Fees beyond contract within a year, by currency."""
    rows: Any = (
        FeeCheck.objects.filter(beyond=True, occurred_at__gte=timezone.now() - timedelta(days=365))
        .values("currency")
        .annotate(number=Count("pk"), sum=Sum("difference"))
    )
    return list(rows.order_by("currency"))


def search_progress() -> Progress | None:
    """The run over all movements without order, while it goes on."""
    return Progress.objects.filter(pk=SWEEP, finished_at=None, total__gt=1000).first()
