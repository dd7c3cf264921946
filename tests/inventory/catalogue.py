"""How the tests of articles let systems speak: a product of the shop by webhook, one of the ERP by poll."""

from __future__ import annotations

from typing import Any

from integration_hub.messaging import pump
from integration_hub.models import Connection, InboundEvent
from inventory.models import Listing, Variant
from tests import spine


def says(connection: Connection, **found: Any) -> str:
    """A system reports an article; the state of the event after it was worked off."""
    topic = "product.polled" if connection.role == "ERP" else "product.updated"
    pk = spine.say(connection, {"id": "9", "sku": "TK-9", "title": "Sieb"} | found, topic=topic)
    pump.run("in")
    return str(InboundEvent.objects.get(pk=pk).state)


def drops(connection: Connection, **found: Any) -> str:
    """A system says that articles are gone."""
    pk = spine.say(connection, found, topic="product.gone")
    pump.run("in")
    return str(InboundEvent.objects.get(pk=pk).state)


def listing(connection: Connection, external_id: str = "9") -> Listing:
    return Listing.objects.get(connection=connection, external_id=external_id)


def article(sku: str = "TK-9") -> Variant:
    return Variant.objects.get(sku=sku)
