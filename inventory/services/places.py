"""Locations: the hub's own, what systems call them, whose word counts, and which of them a channel sells from."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import IntegrityError, transaction
from django.db.models.functions import Now
from django.utils.text import slugify

from integration_hub.kernel.errors import NotNow
from integration_hub.kernel.goods import LocationReport
from integration_hub.kernel.states import Role
from integration_hub.kernel.text import mark, say
from integration_hub.models import Connection, InboundEvent
from integration_hub.models.access import User
from integration_hub.models.activity import note

from ..models import Location, LocationMapping, StockLevel, StockRule, Supply


def reported(connection: Connection, report: LocationReport, event: InboundEvent | None) -> str | None:
    """Keep what a system calls a place of its own; an ERP's place becomes a location whose levels it states."""
    stated = {"name": report.name[:120], "active": report.active}
    row, made = LocationMapping.objects.get_or_create(
        connection=connection, external_id=report.external_id[:120], defaults=stated
    )
    same = not made and (row.name, row.active) == (stated["name"], stated["active"])
    LocationMapping.objects.filter(pk=row.pk).update(**stated, seen_at=Now())
    if row.location_id and stated["name"]:
        # its first level came before its name
        unnamed = Location.objects.filter(pk=row.location_id, source=connection, name=row.external_id)
        unnamed.update(name=stated["name"])
    if made and connection.role == Role.ERP:
        _adopt(connection, row, report.name)
        return None
    return mark("says nothing new") if same else None


def known(connection: Connection, names: Iterable[str]) -> dict[str, int | None]:
    """Our location for each of the system's own ids (None: not mapped).  Ids never heard of are written down."""
    wanted = {name[:120] for name in names}
    rows = {row.external_id: row for row in LocationMapping.objects.filter(connection=connection)}
    for name in sorted(wanted - rows.keys()):
        rows[name], made = LocationMapping.objects.get_or_create(connection=connection, external_id=name)
        if made and connection.role == Role.ERP:
            _adopt(connection, rows[name], "")
    return {name: rows[name].location_id for name in wanted}


def _adopt(connection: Connection, row: LocationMapping, name: str) -> None:
    """Make a location of an ERP's place; the ERP's word counts there."""
    title = (name or row.external_id or connection.name)[:120]
    location = Location.objects.create(code=_free_code(connection, title), name=title, source=connection)
    LocationMapping.objects.filter(pk=row.pk).update(location=location)
    row.location = location
    text = say("Location taken over from %(system)s", system=connection.name)
    note(location, "inventory.location", text, system=connection.name)


def _free_code(connection: Connection, title: str) -> str:
    wanted = (slugify(title) or connection.slug)[:30]
    taken = set(Location.objects.filter(code__startswith=wanted).values_list("code", flat=True))
    tries = (wanted, *(f"{wanted}-{number}" for number in range(2, len(taken) + 3)))
    return next(code for code in tries if code not in taken)


@transaction.atomic
def assign(row: LocationMapping, location: Location | None, *, by: User, why: str = "") -> None:
    """Say which of our locations a system's place is; NotNow where either is taken already."""
    before = row.location
    if location and before and before.pk != location.pk:
        raise NotNow(
            say("%(place)s is %(location)s already. Take that back first.", place=str(row), location=before.name)
        )
    try:
        with transaction.atomic():
            LocationMapping.objects.filter(pk=row.pk).update(location=location)
    except IntegrityError as error:
        raise NotNow(
            say(
                "%(location)s is another place of %(system)s already.",
                location=location.name if location else "",
                system=row.connection.name,
            )
        ) from error
    row.location = location
    text = say("%(place)s is %(location)s", place=str(row), location=location.name if location else "–")
    note(row.connection, "inventory.place", text, by=by, why=why)


@transaction.atomic
def set_source(location: Location, source: Connection | None, *, by: User, why: str) -> None:
    """Say whose word counts at a location from now on; its levels count as not stated yet."""
    if source and not LocationMapping.objects.filter(connection=source, location=location).exists():
        raise NotNow(say("%(system)s has no place that is mapped to this location.", system=source.name))
    Location.objects.filter(pk=location.pk).update(source=source)
    StockLevel.objects.filter(location=location).update(stated_at=None)
    location.source = source
    text = say("The word of %(source)s counts here", source=source.name if source else "Integration Hub")
    note(location, "inventory.source", text, by=by, why=why)


@transaction.atomic
def set_supply(channel: Connection, wanted: Iterable[tuple[Location, str]], *, by: User) -> None:
    """Say which locations a channel sells from, in this order, each shown at one of its places."""
    rows = [
        Supply(channel=channel, location=location, place=place[:120], rank=rank)
        for rank, (location, place) in enumerate(wanted)
    ]
    Supply.objects.filter(channel=channel).delete()
    Supply.objects.bulk_create(rows)
    names = ", ".join(row.location.name for row in rows) or "–"
    note(channel, "inventory.supply", say("Sells from: %(locations)s", locations=names), by=by)


def rule_of(channel: Connection) -> StockRule:
    """The channel's stock rule, or the one that holds as long as nobody has set another."""
    return StockRule.objects.filter(channel=channel).first() or StockRule(channel=channel)
