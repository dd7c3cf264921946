"""What is wrong with stock, as cases: negative, oversold, of inactive articles, not confirmed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.db import models, transaction
from django.db.models import Count, F, Max, Q
from django.utils import timezone

from exceptions import services as cases
from exceptions.models import CaseSubject, ExceptionCase
from exceptions.services import Trouble
from integration_hub.kernel.states import Capability
from integration_hub.kernel.text import Text, say

from ..models import Location, Reservation, StockLevel
from . import promises
from .ledger import ZERO

NEGATIVE, OVERSOLD = "negative_stock", "oversold"
INACTIVE, UNCONFIRMED = "stock_of_inactive", "stock_unconfirmed"
MOST_ORDERS = 50
SAMPLE = 10


def plain(quantity: Decimal) -> str:
    """A quantity without trailing zeros, for sentences."""
    return f"{quantity.normalize():f}"


@transaction.atomic
def look(variants: Iterable[int]) -> None:
    """Open and close the cases of these articles' levels."""
    ids = set(variants)
    bad = StockLevel.objects.filter(Q(on_hand__lt=0) | Q(reserved__gt=F("on_hand")), variant_id__in=ids)
    held = {level.pk: level for level in bad.select_related("variant", "location").order_by("pk")}
    for case in ExceptionCase.objects.open().filter(kind__in=(NEGATIVE, OVERSOLD)).order_by("pk"):
        if case.data.get("variant") in ids and case.data.get("level") not in held:
            _close(case)
    for level in held.values():
        _negative(level)
        _oversold(level)


def look_at_open() -> None:
    """Judge the articles of open cases anew."""
    open_cases = ExceptionCase.objects.open().filter(kind__in=(NEGATIVE, OVERSOLD))
    ids = {case.data.get("variant") for case in open_cases.only("data")}
    look([pk for pk in ids if pk])


def _close(case: ExceptionCase) -> None:
    for row in case.subjects.filter(open=True):
        if row.subject is not None:
            cases.clear(row.subject, causes=[case.cause])


def _negative(level: StockLevel) -> None:
    cause = f"negative:{level.pk}"
    if level.on_hand >= 0:
        cases.clear(level, causes=[cause])
        return
    cases.open_case(
        Trouble(
            kind=NEGATIVE,
            cause=cause,
            params={"sku": level.variant.sku, "location": level.location.name},
            expected=say("Nothing or more"),
            found=Text(plain(level.on_hand)),
            data={"level": level.pk, "variant": level.variant_id},
        ),
        level,
        connection=level.location.source,
    )


@dataclass(frozen=True)
class Excess:
    """What more is promised of a level than lies there, and whose promises those are, newest first."""

    level: StockLevel
    pieces: Decimal
    promises: Sequence[Reservation]


def excess(level: StockLevel) -> Excess:
    """The newest promises that the level can't keep."""
    pieces = max(level.reserved - max(level.on_hand, ZERO), ZERO)
    left, found = pieces, []
    for row in promises.open_of(level).select_related("channel").prefetch_related("subject")[:MOST_ORDERS]:
        # what has left the house needs nothing any more
        if left > 0 and row.open > row.shipped:
            found.append(row)
            left -= row.open - row.shipped
    return Excess(level, pieces, found)


def _oversold(level: StockLevel) -> None:
    """One case per level; it holds the orders that cannot be served, the newest first."""
    cause, over = f"oversold:{level.pk}", excess(level)
    subjects = [row.subject for row in over.promises if row.subject is not None]
    _let_go(cause, keep=subjects)
    if not over.pieces or not over.promises:
        return
    channels = ", ".join(sorted({row.channel.name for row in over.promises}))
    elsewhere = _elsewhere(level)
    for subject in subjects:
        cases.open_case(
            Trouble(
                kind=OVERSOLD,
                cause=cause,
                params={
                    "sku": level.variant.sku,
                    "location": level.location.name,
                    "count": plain(over.pieces),
                    "channels": channels,
                },
                expected=say("No more promised than the %(held)s that lie there", held=plain(level.on_hand)),
                found=say(
                    "%(reserved)s promised; %(orders)s orders of %(channels)s cannot be served; free elsewhere: %(elsewhere)s",
                    reserved=plain(level.reserved),
                    orders=len(subjects),
                    channels=channels,
                    elsewhere=elsewhere or "–",
                ),
                data={"level": level.pk, "variant": level.variant_id, "pieces": plain(over.pieces)},
            ),
            subject,
            connection=over.promises[0].channel,
        )


def _let_go(cause: str, *, keep: Sequence[models.Model]) -> None:
    """Orders that the case no longer holds up."""
    kept = {(type(subject)._meta.label_lower, subject.pk) for subject in keep}
    rows = CaseSubject.objects.filter(
        case__kind=OVERSOLD, case__cause=cause, case__state="OPEN", open=True
    ).select_related("subject_type")
    for row in rows:
        label = f"{row.subject_type.app_label}.{row.subject_type.model}"
        if (label, row.subject_id) not in kept and row.subject is not None:
            cases.clear(row.subject, causes=[cause])


def spare(level: StockLevel) -> list[StockLevel]:
    """Where else something of the same article is free, most first."""
    rows = StockLevel.objects.filter(variant_id=level.variant_id, on_hand__gt=F("reserved")).exclude(pk=level.pk)
    found = rows.select_related("location").annotate(spare=F("on_hand") - F("reserved"))
    return list(found.order_by("-spare")[:SAMPLE])


def _elsewhere(level: StockLevel) -> str:
    return ", ".join(f"{row.location.name} {plain(row.on_hand - row.reserved)}" for row in spare(level))


def hourly() -> dict[str, Any]:
    """Levels that their source has not confirmed for too long."""
    found = {}
    for location in Location.objects.filter(active=True).select_related("source"):
        count = _unconfirmed(location)
        _tell_unconfirmed(location, count)
        if count:
            found[location.code] = count
    return {"unconfirmed": found}


def unconfirmed(location: Location) -> models.QuerySet[StockLevel]:
    """The levels of a location that were not confirmed in time."""
    since = timezone.now() - timedelta(hours=location.confirm_hours)
    return StockLevel.objects.filter(Q(confirmed_at=None, changed_at__lt=since) | Q(confirmed_at__lt=since)).filter(
        location=location
    )


def _unconfirmed(location: Location) -> int:
    """All that are late where the source restates everything, else all once the source has been silent altogether."""
    source = location.source
    if source is None or not location.confirm_hours:
        return 0
    late = unconfirmed(location)
    if Capability.LIST_LEVELS not in source.capabilities:
        last = location.levels.aggregate(last=Max("confirmed_at"))["last"]
        if last and last > timezone.now() - timedelta(hours=location.confirm_hours):
            return 0
    return late.count()


def _tell_unconfirmed(location: Location, count: int) -> None:
    cause = f"unconfirmed:{location.pk}"
    if not count:
        cases.clear(location, causes=[cause])
        return
    cases.open_case(
        Trouble(
            kind=UNCONFIRMED,
            cause=cause,
            params={"location": location.name, "hours": location.confirm_hours, "count": count},
            expected=say(
                "A word of %(source)s every %(hours)s hours",
                source=location.source.name if location.source else "",
                hours=location.confirm_hours,
            ),
            found=say("%(count)s levels were not confirmed", count=count),
            data={"location": location.pk},
        ),
        location,
        connection=location.source,
    )


def nightly() -> dict[str, Any]:
    """Stock of articles that are no longer sold."""
    return {"inactive": _inactive()}


def _inactive() -> int:
    rows = StockLevel.objects.filter(variant__active=False, on_hand__gt=0)
    counts = dict(rows.values_list("location_id").annotate(size=Count("pk")).order_by())
    for location in Location.objects.all():
        cause, count = f"inactive:{location.pk}", counts.get(location.pk, 0)
        if not count:
            cases.clear(location, causes=[cause])
            continue
        sample = rows.filter(location=location).order_by("-on_hand").values_list("variant__sku", flat=True)[:SAMPLE]
        cases.open_case(
            Trouble(
                kind=INACTIVE,
                cause=cause,
                params={"location": location.name, "count": count},
                expected=say("No stock of articles that are no longer sold"),
                found=say("%(count)s articles, among them %(sample)s", count=count, sample=", ".join(sample)),
                data={"location": location.pk},
            ),
            location,
        )
    return sum(counts.values())


def rerun(case: ExceptionCase) -> int:
    """Judge anew what the case is about."""
    if case.kind in (NEGATIVE, OVERSOLD):
        look([case.data["variant"]] if case.data.get("variant") else [])
    elif case.kind == UNCONFIRMED:
        hourly()
    else:
        nightly()
    return case.size
