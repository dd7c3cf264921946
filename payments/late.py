"""Movements that came before their order: who found it later, without a person, mended itself."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from django.db.models import QuerySet
from django.utils import timezone

from exceptions import healing
from exceptions.models import How
from integration_hub.kernel.money import Money
from integration_hub.kernel.text import say

from .models import Allocation, Transaction, Unassigned
from .states import Search

AT_ONCE = timedelta(seconds=2)  # whatever finds its order within its own report has not waited
FEW = 20  # so many are told one by one, more of them together


def waiting(rows: QuerySet[Unassigned]) -> dict[int, datetime]:
    """Those of these movements that wait for their order and that nobody was asked about: since when."""
    found = rows.filter(search__in=(Search.NEW, Search.WAITING), since__lt=timezone.now() - AT_ONCE)
    return dict(found.values_list("pk", "since"))


def came(before: Mapping[int, datetime]) -> None:
    """Write down those that have found their order meanwhile."""
    if not before:
        return
    still = set(Unassigned.objects.filter(pk__in=before).values_list("pk", flat=True))
    found = sorted(before.keys() - still)
    if len(found) > FEW:
        _together(found, before)
        return
    for row in Transaction.objects.filter(pk__in=found).select_related("connection"):
        _one(row, before[row.pk])


def _one(row: Transaction, since: datetime) -> None:
    allocated = list(Allocation.objects.filter(transaction_id=row.pk).values_list("pk", "order_id"))
    if allocated:
        healing.record(
            How.LATE,
            f"payment:{row.pk}",
            say("%(money)s came before its order", money=Money(row.gross, row.currency)),
            proof={"transaction": row.pk, "allocations": [list(pair) for pair in allocated]},
            subject=row,
            connection=row.connection,
            since=since,
        )


def _together(found: list[int], before: Mapping[int, datetime]) -> None:
    tied = Allocation.objects.filter(transaction_id__in=found).values("transaction_id").distinct().count()
    if tied:
        healing.record(
            How.LATE,
            f"payments:{found[0]}-{found[-1]}:{len(found)}",
            say("%(count)s movements came before their orders", count=tied),
            proof={"transactions": found[:FEW], "first": found[0], "last": found[-1]},
            since=min(before[pk] for pk in found),
            number=tied,
        )
