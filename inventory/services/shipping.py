"""Shipping consumes what was promised.

Where the hub is the source of truth the goods leave the ledger at once.  Where an ERP or a till is, its own count will fall
by the same goods: until that count has reached us they stay held, so that they are neither sold again nor counted twice
(docs/decisions/0030).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from django.contrib.contenttypes.models import ContentType
from django.db import models, transaction
from django.db.models import F, Max
from django.utils import timezone

from integration_hub.kernel.text import say
from integration_hub.models import Connection

from ..models import Location, Movement, Reservation, StockLevel, Supply
from .bundles import parts_of
from .ledger import ZERO, Step, book, hold
from .promises import of_subject


@transaction.atomic
def shipped(
    subject: models.Model,
    channel: Connection,
    lines: Sequence[tuple[int, Decimal]],
    *,
    label: str,
    at: datetime,
    complete: bool,
) -> None:
    """So much of these articles has left the house in all, by ``at``; ``complete``: nothing more will.

    Counts what has left before, so saying the same twice changes nothing.
    """
    parts = parts_of({variant for variant, _quantity in lines})
    total: dict[int, Decimal] = {}
    for variant, quantity in lines:
        for part in parts.get(variant, []):
            total[part.variant_id] = total.get(part.variant_id, ZERO) + part.quantity * quantity
    rows = _locked(subject)
    counted = _last_counts(rows)
    steps: list[Step] = []
    for variant in sorted({*total, *(row.variant_id for row in rows)}):
        mine = [row for row in rows if row.variant_id == variant]
        gone = sum((row.taken + row.shipped for row in mine), ZERO)
        held = sum((row.open - row.shipped for row in mine), ZERO)
        left = held if complete else max(total.get(variant, ZERO) - gone, ZERO)
        for row in mine:
            left -= _ship(row, min(left, row.open - row.shipped), at, counted, steps)
        surplus = total.get(variant, ZERO) - gone - held
        if surplus > 0:
            steps += _unpromised(subject, channel, variant, surplus, label)
    book(steps)


def _locked(subject: models.Model) -> list[Reservation]:
    """The subject's promises with their levels, covered ones first."""
    rows = of_subject(subject)
    keys = list(rows.values_list("variant_id", "location_id"))
    hold(sorted({variant for variant, _place in keys}), sorted({place for _variant, place in keys if place}))
    locked = rows.select_for_update(of=("self",)).select_related("location")
    return list(locked.order_by("variant_id", F("location_id").asc(nulls_last=True)))


def _last_counts(rows: Sequence[Reservation]) -> Mapping[tuple[int, int], datetime]:
    """When each source of truth last stated each article, by its own time."""
    sources = {row.location.source_id for row in rows if row.location} - {None}
    found = StockLevel.objects.filter(
        variant_id__in={row.variant_id for row in rows}, location__source_id__in=sources, stated_at__isnull=False
    )
    last = found.values_list("variant_id", "location__source_id").annotate(at=Max("stated_at")).order_by()
    return {(variant, source or 0): at for variant, source, at in last}


def _ship(
    row: Reservation,
    quantity: Decimal,
    at: datetime,
    counted: Mapping[tuple[int, int], datetime],
    steps: list[Step],
) -> Decimal:
    """Take so much of a promise out of the house; returns how much that was."""
    if quantity <= 0:
        return ZERO
    promise = Reservation.objects.filter(pk=row.pk)
    source = row.location.source_id if row.location else None
    last = counted.get((row.variant_id, source or 0))
    if source is not None and (last is None or last < at):
        promise.update(shipped=F("shipped") + quantity, shipped_at=at)
        return quantity
    promise.update(open=F("open") - quantity, taken=F("taken") + quantity)
    if row.location_id is not None:
        steps.append(
            Step(
                variant_id=row.variant_id,
                location_id=row.location_id,
                kind=Movement.SALE,
                quantity=-quantity if source is None else ZERO,
                reserved=-quantity,
                cause=row.subject,
                text=say("Shipped: %(label)s", label=row.label),
            )
        )
    return quantity


def _unpromised(subject: models.Model, channel: Connection, variant: int, quantity: Decimal, label: str) -> list[Step]:
    """Goods that left without a promise: out of the first of the channel's locations, if the hub keeps its count."""
    first = Supply.objects.filter(channel=channel).select_related("location").first()
    location: Location | None = first.location if first else None
    if location is None:
        return []
    known = of_subject(subject).filter(variant_id=variant, location=location)
    if not known.update(quantity=F("quantity") + quantity, taken=F("taken") + quantity):
        Reservation.objects.create(
            variant_id=variant,
            location=location,
            channel=channel,
            subject_type=ContentType.objects.get_for_model(subject),
            subject_id=subject.pk,
            label=label[:120],
            quantity=quantity,
            open=ZERO,
            taken=quantity,
        )
    if location.source_id is not None:
        return []
    return [
        Step(
            variant_id=variant,
            location_id=location.pk,
            kind=Movement.SALE,
            quantity=-quantity,
            cause=subject,
            text=say("Shipped: %(label)s", label=label),
        )
    ]


def overdue(limit: int = 500) -> int:
    """What was shipped so long ago that its source should have counted it out is held no longer; returns how many."""
    rows = Reservation.objects.filter(shipped__gt=0, location__isnull=False).select_related("location")
    late = [
        row
        for row in rows.order_by("shipped_at")[:limit]
        if row.shipped_at and row.location and _is_late(row.shipped_at, row.location.confirm_hours)
    ]
    return sum(_let_go(row.pk) for row in late)


def _is_late(at: datetime, hours: int) -> bool:
    return bool(hours) and (timezone.now() - at).total_seconds() > hours * 3600


@transaction.atomic
def _let_go(pk: int) -> bool:
    row = Reservation.objects.filter(pk=pk).first()
    if row is None or row.location_id is None:
        return False
    hold([row.variant_id], [row.location_id])
    row = Reservation.objects.select_for_update().get(pk=pk)
    if not row.shipped:
        return False
    gone = row.shipped
    Reservation.objects.filter(pk=pk).update(open=F("open") - gone, taken=F("taken") + gone, shipped=ZERO)
    step = Step(
        variant_id=row.variant_id,
        location_id=row.location_id or 0,
        kind=Movement.SALE,
        reserved=-gone,
        cause=row.subject,
        text=say("Shipped, never counted out: %(label)s", label=row.label),
    )
    book([step])
    return True
