"""The pages of stock for the table of who may see what, and what their addresses need."""

from __future__ import annotations

from typing import Any

from integration_hub.models import Connection
from inventory.models import Location, LocationMapping, StockLevel, Variant
from tests.inventory import stocked

SEE = {"finance", "operations", "integrator", "auditor", "administrator"}
SET_UP = {"operations", "integrator", "administrator"}
PAGES: dict[str, set[str]] = {
    "stock": SEE,
    "stock_of": SEE,
    "stock_level": SEE,
    "stock_ledger": SEE,
    "stock_risk": SEE,
    "stock_locations": SEE,
    "stock_channels": SEE,
    "stock_channel": SEE,
}
DEEDS: dict[str, set[str]] = {
    "stock_action": {"operations", "administrator"},
    "stock_location_action": SET_UP,
    "stock_place_action": SET_UP,
    "stock_channel_action": SET_UP,
}


def arguments() -> dict[str, list[Any]]:
    """A location with a teapot in it, its place in the shop."""
    pot, shop = Variant.objects.get(sku="TK-100"), Connection.objects.get(slug="laden")
    here = Location.objects.filter(code="here").first() or stocked.place("here")
    stocked.put(pot, here, 5)
    place = LocationMapping.objects.get_or_create(connection=shop, external_id="")[0]
    return {
        "stock_of": [pot.pk],
        "stock_action": [pot.pk, "stock.book"],
        "stock_level": [StockLevel.objects.get(variant=pot, location=here).pk],
        "stock_location_action": [here.pk, "stock.source"],
        "stock_place_action": [place.pk, "stock.map_place"],
        "stock_channel": [shop.pk],
        "stock_channel_action": [shop.pk, "stock.compare"],
    }
