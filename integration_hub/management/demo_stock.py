"""The demo's stock: where the shops sell from, a stand at the fair that the hub counts itself, one article sold too often."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal

from integration_hub.models import Connection
from integration_hub.models.access import User
from inventory.models import Location, LocationMapping, StockRule, Variant
from inventory.services import availability, ledger, places
from orders import stock

STAND = (("TK-100", 12), ("BE-500", 20))
STOLEN = "TK-100"


def make(connections: dict[str, Connection], *, quiet: Callable[[], None]) -> None:
    """Set the shops up, book something by hand, and count less at the fair than is promised of it."""
    person = User.objects.filter(is_superuser=True).order_by("pk").first()
    where = list(Location.objects.filter(source=connections["odoo"]).order_by("pk"))
    if person is None or not where:
        return
    for slug in ("laden", "teehaus"):
        _sells(connections[slug], where, person)
    _fair(person)
    stock.take_up()
    quiet()
    _counted(person)
    quiet()


def _sells(channel: Connection, where: Sequence[Location], person: User) -> None:
    known = LocationMapping.objects.filter(connection=channel).exclude(external_id="").order_by("pk").first()
    shown = known.external_id if known else ""
    StockRule.objects.get_or_create(channel=channel, defaults={"buffer": 2, "maximum": 50})
    places.set_supply(channel, [(location, shown) for location in where], by=person)
    availability.reckon_channel(channel)


def _fair(person: User) -> None:
    """A stand whose stock the hub itself keeps, and from which the branch sells."""
    stand, _made = Location.objects.get_or_create(code="messe", defaults={"name": "Messestand", "confirm_hours": 0})
    for sku, pieces in STAND:
        if variant := Variant.objects.filter(sku=sku).first():
            ledger.receive(variant, stand, Decimal(pieces), by=person, why="Erstausstattung Messestand")
            ledger.correct(variant, stand, Decimal(-1), by=person, why="Vorführstück, nicht verkäuflich")
    if branch := Connection.objects.filter(slug="filiale").first():
        _sells(branch, [stand], person)


def _counted(person: User) -> None:
    """Only one is left where an order of the branch holds two: its ERP does not answer, so nothing ships it meanwhile."""
    variant, stand = Variant.objects.filter(sku=STOLEN).first(), Location.objects.get(code="messe")
    if variant:
        ledger.count(variant, stand, Decimal(1), by=person, why="Zählung am Abend: zehn fehlen")
