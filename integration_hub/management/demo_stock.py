"""The demo's stock: where the shops sell from, a stand at the fair that the hub counts itself, one article sold too often."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from integration_hub.messaging import polling
from integration_hub.models import Connection
from integration_hub.models.access import User
from inventory.models import Location, LocationMapping, Reservation, StockRule, Variant
from inventory.services import availability, ledger, places
from orders import stock

from . import demo_world

FAIR = "messe"
STAND = (("TK-100", 12), ("BT-01", 20))
OVERSOLD_BY = 3


def make(sandbox: str, connections: dict[str, Connection], *, quiet: Callable[[], None]) -> None:
    """Set the shops up, book something by hand, and count too little of what is promised."""
    person = User.objects.filter(is_superuser=True).order_by("pk").first()
    where = list(Location.objects.filter(source=connections["odoo"]).order_by("pk"))
    if person is None or not where:
        return
    for slug in ("laden", "teehaus"):
        _sells(connections[slug], where, person)
    stock.take_up()
    _fair(person)
    quiet()
    _oversell(sandbox, connections["odoo"], where[0])
    quiet()


def _sells(channel: Connection, where: list[Location], person: User) -> None:
    known = LocationMapping.objects.filter(connection=channel).exclude(external_id="").order_by("pk").first()
    shown = known.external_id if known else ""
    StockRule.objects.get_or_create(channel=channel, defaults={"buffer": 2, "maximum": 50})
    places.set_supply(channel, [(location, shown) for location in where], by=person)
    availability.reckon_channel(channel)


def _fair(person: User) -> None:
    """A stand whose stock the hub itself keeps."""
    stand, _made = Location.objects.get_or_create(code=FAIR, defaults={"name": "Messestand", "confirm_hours": 0})
    for sku, pieces in STAND:
        if variant := Variant.objects.filter(sku=sku).first():
            ledger.receive(variant, stand, Decimal(pieces), by=person, why="Erstausstattung Messestand")
            ledger.correct(variant, stand, Decimal(-1), by=person, why="Vorführstück, nicht verkäuflich")


def _oversell(sandbox: str, odoo: Connection, where: Location) -> None:
    """Somebody counts less of the article that most is promised of than belongs to orders already."""
    held = Reservation.objects.filter(open__gt=0, location=where).select_related("variant").order_by("-open", "pk")
    sums: dict[Variant, Decimal] = {}
    for row in held:
        sums[row.variant] = sums.get(row.variant, Decimal(0)) + row.open
    if sums:
        variant = max(sums, key=lambda one: (sums[one], -one.pk))
        left = max(sums[variant] - OVERSOLD_BY, Decimal(0))
        demo_world.control(sandbox, "odoo/stock", sku=variant.sku, quantity=int(left))
        polling.poll_now(odoo)
