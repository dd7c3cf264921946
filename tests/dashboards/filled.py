"""A hub with something in it: orders that run, wait and are held, a refused command, a parked event, a parcel."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from django.test import Client

from integration_hub.kernel.errors import Rejected
from integration_hub.kernel.messages import Command
from integration_hub.kernel.text import say
from integration_hub.messaging import pump
from integration_hub.models import Connection
from inventory.models import Variant
from tests import standin


@dataclass(frozen=True)
class Filled:
    shop: Connection
    erp: Connection
    world: standin.World


def deliver(found: dict[str, Any]) -> None:
    body = json.dumps(found).encode()
    headers = {"X-Signature": standin.sign(body), "X-Topic": "order.updated", "X-Object": str(found.get("id", ""))}
    answer = Client().post("/webhooks/laden/", body, content_type="application/json", headers=headers)
    assert answer.status_code == 200


def refuse(_command: Command) -> None:
    raise Rejected(say("The system refused it (%(status)s).", status=422), code="refused")


def fill(shop: Connection, erp: Connection, world: standin.World) -> Filled:
    """Orders 1 and 2 run, 3 is held, 4 waits, 5 is refused by the ERP, 6 makes no sense."""
    Variant.objects.create(sku="TK-100", title="Teekanne 1,0 l", gtin="4006381333931")
    deliver(standin.order(1))
    deliver(standin.order(2))
    deliver(standin.order(3, total="30.70", city="", postal_code=""))
    deliver(standin.order(4, stage="PENDING", paid=False))
    deliver({"id": 6, "nonsense": True})
    pump.drain()
    world.before = refuse
    deliver(standin.order(5))
    pump.drain()
    world.before = None
    return Filled(shop, erp, world)
