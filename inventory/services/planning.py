"""Sharing out what is free: what each wish can be promised and what is missing for it.  Locks the levels, writes nothing.

All that a wish needs of one article is summed, a bundle's parts included, under one lock for all; levels are locked in order
of article and location, by everybody, before any promise is written.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.utils import timezone

from integration_hub.models import Connection

from ..models import Reservation, Shortage, StockLevel, StockRule, Supply
from .bundles import parts_of
from .ledger import ZERO, hold


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What somebody (an order) wants of a channel: articles with quantities, ``until`` when it is held (None: for good).

    ``fresh``: nothing was promised to this subject before.
    """

    subject: models.Model
    label: str
    channel: Connection
    lines: Sequence[tuple[int, Decimal]]
    until: datetime | None = None
    fresh: bool = False


@dataclass(frozen=True)
class Missing:
    """How many of an article are wanted and not there."""

    variant_id: int
    wanted: Decimal
    missing: Decimal


@dataclass
class Planned:
    """What one wish gets: pieces by article and location (None: by nothing yet), and what is missing for it."""

    wish: Wish
    pieces: dict[tuple[int, int | None], Decimal] = field(default_factory=dict)
    missing: list[Missing] = field(default_factory=list)
    due: date | None = None
    less: dict[int, Decimal] = field(default_factory=dict)


@dataclass(frozen=True)
class _Desk:
    """What planning looks at, read once for all wishes."""

    rules: Mapping[int, StockRule]
    supplies: Mapping[int, Sequence[int]]
    levels: Mapping[tuple[int, int], StockLevel]
    free: dict[tuple[int, int], Decimal]
    before: Mapping[tuple[int, int], Decimal]
    decided: Shortage | None

    def shortage(self, channel: int) -> Shortage:
        """What happens when not enough is there: what somebody decided for these wishes, else the channel's rule."""
        rule = self.rules.get(channel)
        return self.decided or (Shortage(rule.shortage) if rule else Shortage.WAIT)


def plan(wishes: Sequence[Wish], *, decided: Shortage | None = None) -> list[Planned]:
    """Lock the levels and share out what is free, in the order of the wishes.

    One that falls short under the rules to wait or to cancel gets nothing, and what is missing is said; under the others the
    rest is promised uncovered.  ``decided`` goes before the channels' rules.
    """
    if not wishes:
        return []
    needs = _needs(wishes)
    desk = _desk(wishes, {variant for need in needs for variant in need}, decided)
    return [_share_out(wish, need, desk) for wish, need in zip(wishes, needs, strict=True)]


def _needs(wishes: Sequence[Wish]) -> list[dict[int, Decimal]]:
    """What each wish takes, bundles taken apart and everything of one article summed."""
    parts = parts_of({variant for wish in wishes for variant, _quantity in wish.lines})
    found: list[dict[int, Decimal]] = []
    for wish in wishes:
        sums: dict[int, Decimal] = {}
        for variant, quantity in wish.lines:
            for part in parts.get(variant, []):
                sums[part.variant_id] = sums.get(part.variant_id, ZERO) + part.quantity * quantity
        found.append(sums)
    return found


def _desk(wishes: Sequence[Wish], variants: set[int], decided: Shortage | None) -> _Desk:
    channels = {wish.channel.pk for wish in wishes}
    supplies: dict[int, list[int]] = {}
    for channel, location in Supply.objects.filter(channel_id__in=channels).values_list("channel_id", "location_id"):
        supplies.setdefault(channel, []).append(location)
    levels = hold(sorted(variants), sorted({location for found in supplies.values() for location in found}))
    return _Desk(
        rules={rule.channel_id: rule for rule in StockRule.objects.filter(channel_id__in=channels)},
        supplies=supplies,
        levels=levels,
        free={key: level.on_hand - level.reserved for key, level in levels.items()},
        before=_promised(wishes),
        decided=decided,
    )


def _promised(wishes: Sequence[Wish]) -> dict[tuple[int, int], Decimal]:
    """What was promised before, by subject and article."""
    subjects = [wish.subject.pk for wish in wishes if not wish.fresh]
    if not subjects:
        return {}
    kind = ContentType.objects.get_for_model(wishes[0].subject)
    rows = Reservation.objects.filter(subject_type=kind, subject_id__in=subjects)
    found: dict[tuple[int, int], Decimal] = {}
    for subject, variant, quantity in rows.values_list("subject_id", "variant_id", "quantity"):
        found[subject, variant] = found.get((subject, variant), ZERO) + quantity
    return found


def _share_out(wish: Wish, needs: Mapping[int, Decimal], desk: _Desk) -> Planned:
    planned = Planned(wish)
    locations = desk.supplies.get(wish.channel.pk, [])
    if not locations:
        return planned  # nobody has said where this channel sells from: its stock is not managed
    for variant, wanted in sorted({**_no_longer_wanted(wish, needs, desk), **needs}.items()):
        left = _take_free(planned, variant, wanted - desk.before.get((wish.subject.pk or 0, variant), ZERO), desk)
        if left < 0:
            planned.less[variant] = -left
        elif left:
            _fall_short(planned, Missing(variant, wanted, left), locations, desk)
    if planned.missing:
        planned.pieces, planned.less = {}, {}
    for (variant, place), quantity in planned.pieces.items():
        desk.free[variant, place or 0] = desk.free.get((variant, place or 0), ZERO) - quantity
    return planned


def _take_free(planned: Planned, variant: int, left: Decimal, desk: _Desk) -> Decimal:
    """Plan what is free at the channel's locations, in their order; returns what is left to be found."""
    for location in desk.supplies[planned.wish.channel.pk]:
        take = min(left, max(desk.free.get((variant, location), ZERO), ZERO))
        if take > 0:
            planned.pieces[variant, location], left = take, left - take
    return left


def _no_longer_wanted(wish: Wish, needs: Mapping[int, Decimal], desk: _Desk) -> dict[int, Decimal]:
    """Articles that the subject was promised and does not want any more: nought of each."""
    mine = {variant for subject, variant in desk.before if subject == wish.subject.pk}
    return dict.fromkeys(mine - needs.keys(), ZERO)


def _fall_short(planned: Planned, missing: Missing, locations: Sequence[int], desk: _Desk) -> None:
    """Not enough there: promised uncovered where the rule says so or nobody has stated a level yet, else missing."""
    channel = planned.wish.channel.pk
    shortage = desk.shortage(channel)
    stated = any((missing.variant_id, location) in desk.levels for location in locations)
    if stated and shortage in (Shortage.WAIT, Shortage.CANCEL):
        planned.missing.append(missing)
        return
    planned.pieces[missing.variant_id, None] = missing.missing
    if shortage == Shortage.BACKORDER and stated:
        planned.due = timezone.localdate() + timedelta(days=desk.rules[channel].backorder_days)
