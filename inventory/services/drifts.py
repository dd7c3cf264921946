"""What a shop shows against what it was told: every drift is kept with its size and likely cause before it is overwritten."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.db.models import Min, Sum
from django.utils import timezone

from exceptions import healing
from exceptions import services as cases
from exceptions.models import CaseSubject, How
from exceptions.services import Trouble
from integration_hub.kernel.text import say
from integration_hub.models import Connection

from ..models import ChannelAvailability, Drift, DriftCause, Movement, Reservation, Seen, StockMovement, Variant
from . import places
from .stated import Stated

KIND = "stock_drift"
GRACE = timedelta(seconds=20)  # what was sold in the shop is on its way to us: its order first, then our word
MOST_SUBJECTS = 20


@dataclass(frozen=True)
class Found:
    """A row of availability and what stands in the shop instead."""

    row: ChannelAvailability
    found: Decimal

    @property
    def variant(self) -> int:
        """The article; rows of availability are made of mapped articles only."""
        return self.row.listing.variant_id or 0

    @property
    def change(self) -> Decimal:
        return self.found - (self.row.told or Decimal(0))


def stated(channel: Connection, levels: Sequence[Stated], seen: Seen = Seen.REPORT) -> int:
    """Lay what a shop states beside what it was told; returns how many differ."""
    by_name = {(name, one.place): one for one in levels for name in (one.product_id, one.stock_id) if name}
    rows = (
        ChannelAvailability.objects.select_for_update(of=("self",))
        .select_related("listing")
        .filter(
            channel=channel,
            listing__variant_id__in={one.variant.pk for one in levels if one.variant},
            told__isnull=False,
        )
    )
    found = []
    for row in rows.order_by("pk"):
        one = by_name.get((row.listing.external_id, row.place)) or by_name.get((row.listing.stock_id, row.place))
        if one and _drifted(row, one):
            found.append(Found(row, one.on_hand))
    keep(channel, found, seen)
    return len(found)


def _drifted(row: ChannelAvailability, one: Stated) -> bool:
    """Whether it is newer than our last word and neither that nor the one under way."""
    return (
        one.on_hand != row.told
        and not (row.push and one.on_hand == row.sent)
        and (row.told_at is None or one.at > row.told_at)
    )


def keep(channel: Connection, found: Sequence[Found], seen: Seen) -> None:
    """Write drifts down and expect from now on what was found; the rows are told anew, those that fell a moment later."""
    if not found:
        return
    causes = _causes(channel, found)
    now = timezone.now()
    Drift.objects.bulk_create(
        Drift(
            channel=channel,
            variant_id=one.variant,
            place=one.row.place,
            told=one.row.told,
            told_at=one.row.told_at or now,
            found=one.found,
            cause=cause,
            seen=seen,
        )
        for one, cause in zip(found, causes, strict=True)
    )
    _tell_cases(channel, found)
    _levelled(channel, found, now)
    for one in found:
        fell = one.change < 0
        one.row.told = one.row.expected = one.found
        one.row.dirty_since = (one.row.dirty_since or now) if one.row.wanted != one.found or one.row.push else None
        one.row.not_before = now + GRACE if fell else None
    ChannelAvailability.objects.bulk_update(
        [one.row for one in found], ["told", "expected", "dirty_since", "not_before"]
    )


def _causes(channel: Connection, found: Sequence[Found]) -> list[DriftCause]:
    """Sold there, put back there, or edited: by what the hub knows of the channel's orders since it last told the shop."""
    variants = {one.variant for one in found}
    since = min((one.row.told_at for one in found if one.row.told_at), default=timezone.now()) - timedelta(minutes=5)
    sold = Reservation.objects.filter(channel=channel, variant_id__in=variants, promised_at__gte=since)
    back = StockMovement.objects.filter(kind=Movement.RELEASED, variant_id__in=variants, at__gte=since)
    ordered = dict(sold.values_list("variant_id").annotate(pieces=Sum("quantity")).order_by("variant_id"))
    freed = dict(back.values_list("variant_id").annotate(pieces=Min("reserved")).order_by("variant_id"))
    return [_cause(one, ordered, freed) for one in found]


def _cause(one: Found, ordered: dict[int, Decimal], freed: dict[int, Decimal]) -> DriftCause:
    if one.change < 0 and one.variant in ordered:
        return DriftCause.SOLD
    if one.change > 0 and one.variant in freed:
        return DriftCause.RESTOCKED
    return DriftCause.EDITED


def _tell_cases(channel: Connection, found: Sequence[Found]) -> None:
    """One case per shop for drifts from the threshold on; it closes as the articles are found as told again."""
    threshold = places.rule_of(channel).drift_threshold
    large = [one for one in found if abs(one.change) >= threshold]
    variants = Variant.objects.in_bulk([one.variant for one in large[:MOST_SUBJECTS]])
    for one in large[:MOST_SUBJECTS]:
        variant = variants[one.variant]
        words = say(
            "%(sku)s: %(found)s instead of %(told)s",
            sku=variant.sku,
            found=f"{one.found.normalize():f}",
            told=f"{(one.row.told or Decimal(0)).normalize():f}",
        )
        cases.open_case(
            Trouble(
                kind=KIND,
                cause=cause_of(channel),
                params={"connection": channel.name, "count": len(large)},
                expected=say("The quantities that the hub told the shop"),
                found=words,
                data={"channel": channel.pk},
            ),
            variant,
            connection=channel,
        )


def _plain(quantity: Decimal) -> str:
    return f"{quantity.normalize():f}"


def _levelled(channel: Connection, found: Sequence[Found], since: datetime) -> None:
    """What is below the threshold is told anew without a person; written down with what was found."""
    threshold = places.rule_of(channel).drift_threshold
    small = [one for one in found if abs(one.change) < threshold]
    if not small:
        return
    sample = {str(one.row.pk): [_plain(one.row.told or Decimal(0)), _plain(one.found)] for one in small[:MOST_SUBJECTS]}
    healing.record(
        How.DRIFT,
        f"drift:{channel.pk}:{since.isoformat()}",
        say("%(count)s levels in %(shop)s differed by less than the threshold", count=len(small), shop=channel.name),
        proof={"threshold": f"{threshold:f}", "levels": sample},
        connection=channel,
        since=since,
        number=len(small),
    )


def cause_of(channel: Connection) -> str:
    return f"drift:{channel.pk}"


def as_told(channel: Connection, variants: Iterable[int]) -> None:
    """These articles were found as told: a case about them lets go."""
    wanted = set(variants)
    if not wanted:
        return
    held = CaseSubject.objects.filter(
        case__kind=KIND, case__cause=cause_of(channel), case__state="OPEN", open=True, subject_id__in=wanted
    ).values_list("subject_id", flat=True)
    for variant in Variant.objects.filter(pk__in=list(held)):
        cases.clear(variant, causes=[cause_of(channel)])
