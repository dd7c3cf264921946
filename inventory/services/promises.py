"""Promises: what of the stock belongs to whom.  Planned under the levels' locks (``planning``), kept, given back, covered.

promise  plan and keep for one subject; ``keep`` writes many plans with two statements
release  gives back what is held and has not been shipped
cover    lets what came in cover the oldest promises that nothing covers yet
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal

from django.contrib.contenttypes.models import ContentType
from django.db import models, transaction
from django.db.models import F, Q
from django.db.models.functions import Now

from integration_hub.kernel.text import Text, say

from ..models import Movement, Reservation, Shortage, StockLevel, Supply
from .ledger import ZERO, Step, book, hold
from .planning import Missing, Planned, Wish, plan


def keep(plans: Sequence[Planned]) -> None:
    """Write what was planned; the subjects are stored by now, and the levels are still locked."""
    if not plans:
        return
    kind = ContentType.objects.get_for_model(plans[0].wish.subject)
    rows = [
        _promise(one, kind, variant, location, quantity)
        for one in plans
        for (variant, location), quantity in one.pieces.items()
    ]
    _write(rows, fresh=all(one.wish.fresh for one in plans))
    book(
        Step(
            variant_id=variant,
            location_id=location,
            kind=Movement.RESERVED,
            reserved=quantity,
            cause=one.wish.subject,
            text=_for(one.wish.label),
        )
        for one in plans
        for (variant, location), quantity in one.pieces.items()
        if location is not None
    )
    for one in plans:
        if one.less:
            give_back(one.wish.subject, one.less)
        if not one.wish.fresh:
            _hold_until(one)


def _for(label: str) -> Text:
    return say("For %(label)s", label=label)


def _promise(one: Planned, kind: ContentType, variant: int, location: int | None, quantity: Decimal) -> Reservation:
    return Reservation(
        variant_id=variant,
        location_id=location,
        channel=one.wish.channel,
        subject_type=kind,
        subject_id=one.wish.subject.pk,
        label=one.wish.label[:120],
        quantity=quantity,
        open=quantity,
        due=one.due if location is None else None,
        until=one.wish.until,
    )


def _write(rows: Sequence[Reservation], *, fresh: bool) -> None:
    """Insert, or add to what the same subject was promised of the same article at the same place."""
    if fresh:
        Reservation.objects.bulk_create(rows)
        return
    for row in rows:
        where = {"location": None} if row.location_id is None else {"location_id": row.location_id}
        known = Reservation.objects.filter(
            subject_type=row.subject_type, subject_id=row.subject_id, variant_id=row.variant_id, **where
        )
        if not known.update(quantity=F("quantity") + row.quantity, open=F("open") + row.open, due=row.due):
            row.save(force_insert=True)


def _hold_until(one: Planned) -> None:
    """An unpaid order that is paid now holds its goods for good, and the other way round."""
    of_subject(one.wish.subject).filter(open__gt=0).exclude(until=one.wish.until).update(until=one.wish.until)


def of_subject(subject: models.Model) -> models.QuerySet[Reservation]:
    """Everything that was promised to this subject."""
    return Reservation.objects.filter(subject_type=ContentType.objects.get_for_model(subject), subject_id=subject.pk)


@transaction.atomic
def promise(wish: Wish) -> list[Missing]:
    """Promise one subject all it wishes, or say what is missing; what it was promised before counts."""
    (planned,) = plan([wish])
    if not planned.missing:
        keep([planned])
    return planned.missing


@transaction.atomic
def promise_uncovered(wish: Wish, due: date | None) -> None:
    """Promise what is there, and the rest uncovered: somebody has decided so for this subject."""
    (planned,) = plan([wish], decided=Shortage.PARTIAL)
    planned.due = due
    keep([planned])


@transaction.atomic
def release(subject: models.Model, *, why: Text | None = None) -> int:
    """Give back what the subject holds and was not shipped; returns how many promises that were."""
    held = of_subject(subject).filter(open__gt=F("shipped"))
    surplus: dict[int, Decimal] = {}
    for variant, spare in held.values_list("variant_id", F("open") - F("shipped")):
        surplus[variant] = surplus.get(variant, ZERO) + spare
    return give_back(subject, surplus, why=why) if surplus else 0


def give_back(subject: models.Model, less: Mapping[int, Decimal], *, why: Text | None = None) -> int:
    """Take so much of these articles back from the subject, what is not covered first; returns how many promises changed."""
    found = of_subject(subject).filter(variant_id__in=less, open__gt=F("shipped"))
    places = [place for place in found.values_list("location_id", flat=True) if place is not None]
    hold(sorted(less), sorted(set(places)))
    rows = found.select_for_update().order_by("variant_id", F("location_id").desc(nulls_first=True))
    left, steps, changed = dict(less), [], 0
    for row in rows:
        back = min(left[row.variant_id], row.open - row.shipped)
        if back > 0:
            left[row.variant_id] -= back
            changed += 1
            steps += _shrink(row, back, why or say("Released: %(label)s", label=row.label))
    book(steps)
    return changed


def _shrink(row: Reservation, back: Decimal, why: Text) -> list[Step]:
    """Make a promise smaller, or let it go where nothing is left of it; the row for the ledger."""
    if row.quantity == back:
        row.delete()
    else:
        Reservation.objects.filter(pk=row.pk).update(quantity=F("quantity") - back, open=F("open") - back)
    if row.location_id is None:
        return []
    return [
        Step(
            variant_id=row.variant_id,
            location_id=row.location_id,
            kind=Movement.RELEASED,
            reserved=-back,
            cause=row.subject,
            text=why,
        )
    ]


def expire(limit: int = 200) -> int:
    """Give back what was held until now; returns how many subjects that were."""
    late = Reservation.objects.filter(until__lte=Now(), open__gt=F("shipped"))
    rows = list(late.order_by("until")[:limit].prefetch_related("subject"))
    subjects = {(row.subject_type_id, row.subject_id): row.subject for row in rows if row.subject}
    for subject in subjects.values():
        release(subject, why=say("Held long enough without payment"))
    return len(subjects)


def uncovered(variants: Iterable[int] | None = None) -> models.QuerySet[Reservation]:
    """Promises that nothing covers, oldest first; of these articles or of all."""
    rows = Reservation.objects.filter(location=None, open__gt=0)
    if variants is not None:
        rows = rows.filter(variant_id__in=list(variants))
    return rows.order_by("promised_at", "pk")


@transaction.atomic
def cover(variants: Iterable[int] | None = None, limit: int = 500) -> int:
    """Let what came in cover the oldest promises; returns how many got something."""
    bare = list(uncovered(variants)[:limit])
    if not bare:
        return 0
    supplies: dict[int, list[int]] = {}
    wanted = Supply.objects.filter(channel_id__in={row.channel_id for row in bare})
    for channel, location in wanted.values_list("channel_id", "location_id"):
        supplies.setdefault(channel, []).append(location)
    levels = hold(
        sorted({row.variant_id for row in bare}), sorted({place for found in supplies.values() for place in found})
    )
    free = {key: level.on_hand - level.reserved for key, level in levels.items()}
    locked = Reservation.objects.select_for_update().filter(pk__in=[row.pk for row in bare], location=None, open__gt=0)
    return sum(_cover(row, supplies.get(row.channel_id, []), free) for row in locked.order_by("promised_at", "pk"))


def _cover(row: Reservation, locations: Sequence[int], free: dict[tuple[int, int], Decimal]) -> bool:
    left, steps = row.open, []
    for location in locations:
        take = min(left, max(free.get((row.variant_id, location), ZERO), ZERO))
        if take > 0:
            free[row.variant_id, location] -= take
            left -= take
            steps.append(_move(row, location, take))
    book(steps)
    return bool(steps)


def _move(row: Reservation, location: int, quantity: Decimal) -> Step:
    """So many of an uncovered promise lie at this location now."""
    covered = Reservation(
        variant_id=row.variant_id,
        location_id=location,
        channel_id=row.channel_id,
        subject_type_id=row.subject_type_id,
        subject_id=row.subject_id,
        label=row.label,
        quantity=quantity,
        open=quantity,
        until=row.until,
        promised_at=row.promised_at,
    )
    _write([covered], fresh=False)
    bare = Reservation.objects.filter(pk=row.pk)
    bare.update(quantity=F("quantity") - quantity, open=F("open") - quantity)
    bare.filter(quantity=0).delete()
    return Step(
        variant_id=row.variant_id,
        location_id=location,
        kind=Movement.RESERVED,
        reserved=quantity,
        cause=row.subject,
        text=say("Came in for %(label)s", label=row.label),
    )


def uncover(rows: Iterable[Reservation], quantity: Decimal, due: date | None) -> Decimal:
    """Turn so much of what these promises hold into back-orders; returns how much that was."""
    left, steps = quantity, []
    for row in rows:
        back = min(left, row.open - row.shipped)
        if back <= 0:
            continue
        steps += _shrink(row, back, say("Back-ordered: %(label)s", label=row.label))
        bare = Reservation(
            variant_id=row.variant_id,
            location=None,
            channel_id=row.channel_id,
            subject_type_id=row.subject_type_id,
            subject_id=row.subject_id,
            label=row.label,
            quantity=back,
            open=back,
            due=due,
            promised_at=row.promised_at,
        )
        _write([bare], fresh=False)
        left -= back
    book(steps)
    return quantity - left


def open_of(level: StockLevel) -> models.QuerySet[Reservation]:
    """What holds this level, newest first."""
    held = Q(variant_id=level.variant_id, location_id=level.location_id, open__gt=0)
    return Reservation.objects.filter(held).order_by("-promised_at", "-pk")
