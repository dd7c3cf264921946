"""A small merchant for the tests of stock: articles, places, a channel that sells from them."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.utils import timezone

from integration_hub.connectors.base import Delivery
from integration_hub.kernel import codec
from integration_hub.messaging import inbox, pump
from integration_hub.models import Connection, InboundEvent, ProcessSwitch
from integration_hub.models.inbound import Door
from inventory.models import (
    BundlePart,
    ChannelAvailability,
    Drift,
    Listing,
    Location,
    LocationMapping,
    Movement,
    Reservation,
    StockLevel,
    StockMovement,
    StockRule,
    Supply,
    Variant,
)
from inventory.services import ledger

LANES = ("in", "stock", "out")


def qty(quantity: Any) -> Decimal:
    return Decimal(str(quantity))


def article(sku: str = "TK-100", **more: Any) -> Variant:
    return Variant.objects.create(sku=sku, title=more.pop("title", sku), **more)


def bundle(sku: str, *parts: tuple[Variant, int]) -> Variant:
    made = article(sku, kind="BUNDLE")
    BundlePart.objects.bulk_create(BundlePart(bundle=made, part=part, quantity=count) for part, count in parts)
    return made


def place(code: str = "haupt", source: Connection | None = None, name_there: str | None = None) -> Location:
    """A location; with a source also its mapping there."""
    made = Location.objects.create(code=code, name=code.title(), source=source)
    if source:
        there = code if name_there is None else name_there
        LocationMapping.objects.create(connection=source, external_id=there, location=made)
    return made


def put(variant: Variant, location: Location, quantity: Any) -> None:
    """So many lie there, by the word of whoever counts there."""
    row = StockLevel.objects.filter(variant=variant, location=location).first()
    change = qty(quantity) - (row.on_hand if row else 0)
    if change:
        step = ledger.Step(variant_id=variant.pk, location_id=location.pk, kind=Movement.COUNT, quantity=change)
        ledger.book([step], stated_by=location.source)


def listed(channel: Connection, variant: Variant, external_id: str = "", **more: Any) -> Listing:
    return Listing.objects.create(
        connection=channel, external_id=external_id or variant.sku, sku=variant.sku, variant=variant, **more
    )


def sells(channel: Connection, *locations: Location, shown_at: str = "", **rule: Any) -> StockRule:
    """The channel sells from these locations under this rule."""
    for rank, location in enumerate(locations):
        Supply.objects.create(channel=channel, location=location, place=shown_at, rank=rank)
    return StockRule.objects.create(channel=channel, **rule)


def switch(channel: Connection, process: str, target: Connection) -> None:
    ProcessSwitch.objects.create(channel=channel, process=process, target=target, since="2020-01-01T00:00:00Z")


def moment(minutes: float = 0) -> datetime:
    """So many minutes from now."""
    return timezone.now() + timedelta(minutes=minutes)


def state(connection: Connection, *levels: tuple[Any, ...], at: datetime | None = None, **more: Any) -> InboundEvent:
    """The system states levels, and the hub works until nothing is due."""
    body = {"at": (at or timezone.now()).isoformat(), "levels": [[*map(str, level)] for level in levels]} | more
    (pk,) = inbox.store(connection, [Delivery("levels", "", codec.canonical(body))], Door.POLL)
    run()
    return InboundEvent.objects.get(pk=pk)


def run() -> None:
    pump.drain(lanes=LANES)


def level(variant: Variant, location: Location) -> tuple[Any, Any]:
    """On hand and reserved."""
    row = StockLevel.objects.filter(variant=variant, location=location).first()
    return (row.on_hand, row.reserved) if row else (qty(0), qty(0))


def shown(channel: Connection) -> dict[str, Any]:
    """What the hub wants the channel to show, by SKU (and place)."""
    rows = ChannelAvailability.objects.filter(channel=channel).select_related("listing")
    return {row.listing.sku + (f"@{row.place}" if row.place else ""): row.wanted.normalize() for row in rows}


def held_for(variant: Variant) -> dict[str, Any]:
    """Open promises by label; uncovered ones with an asterisk."""
    rows = Reservation.objects.filter(variant=variant, open__gt=0)
    return {row.label + ("" if row.location_id else "*"): row.open.normalize() for row in rows}


PATHS = {
    "level": "levels",
    "movement": "movements",
    "reservation": "reservations",
    "availability": "availability",
    "drift": "drifts",
}


def one_of_each(channel: Connection, variant: Variant, subject: models.Model) -> dict[str, int]:
    """A level with its movement, a promise, what the channel is to show and a drift: their ids by kind."""
    where = place("each")
    put(variant, where, 5)
    promised = Reservation.objects.create(
        variant=variant,
        location=where,
        channel=channel,
        subject_type=ContentType.objects.get_for_model(subject),
        subject_id=subject.pk,
        quantity=1,
        open=0,
        taken=1,
    )
    row = Listing.objects.filter(connection=channel, variant=variant).first() or listed(channel, variant)
    shows = ChannelAvailability.objects.create(listing=row, channel=channel, wanted=5)
    drift = Drift.objects.create(
        channel=channel, variant=variant, told=5, told_at=moment(), found=4, cause="SOLD", seen="PUSH"
    )
    return {
        "level": StockLevel.objects.get(variant=variant, location=where).pk,
        "movement": StockMovement.objects.filter(variant=variant, location=where).latest("pk").pk,
        "reservation": promised.pk,
        "availability": shows.pk,
        "drift": drift.pk,
    }
