"""How the tests of the spine drive it: say something at the door or straight into the inbox, then let time pass."""

from __future__ import annotations

import json
from typing import Any

from django.test import Client

from exceptions.models import ExceptionCase
from integration_hub.connectors.base import Delivery
from integration_hub.kernel import codec
from integration_hub.messaging import inbox, pump
from integration_hub.models import Breaker, Connection, InboundEvent, OutboundCommand, PollState
from integration_hub.models.inbound import Door
from inventory.models import Variant
from tests import standin

LONG_AGO = "2020-01-01T00:00:00Z"


def post(body: bytes, *, slug: str = "laden", topic: str = "order.updated", name: str = "1", **headers: str) -> Any:
    """A signed webhook at the door."""
    signed = {"X-Signature": standin.sign(body), "X-Topic": topic, "X-Object": name} | headers
    return Client().post(f"/webhooks/{slug}/", body, content_type="application/json", headers=signed)


def deliver(found: dict[str, Any], topic: str = "order.updated", slug: str = "laden") -> Any:
    return post(json.dumps(found).encode(), slug=slug, topic=topic, name=str(found.get("id", "")))


def say(connection: Connection, found: dict[str, Any], topic: str = "order.updated", door: Door = Door.WEBHOOK) -> int:
    """Store what a system says without HTTP; the event's id."""
    delivery = Delivery(topic, str(found.get("id", "")), codec.canonical(found))
    return inbox.store(connection, [delivery], door)[0]


def run() -> int:
    """Work off what is due now."""
    return pump.drain()


def later() -> int:
    """Let every pause and lease run out, then work."""
    for model in (InboundEvent, OutboundCommand, PollState):
        model._default_manager.update(due_at=LONG_AGO)
    Breaker.objects.exclude(probe_at=None).update(probe_at=LONG_AGO)
    Breaker.objects.update(rest_until=None)
    return run()


def teapot() -> Variant:
    return Variant.objects.create(sku="TK-100", title="Teekanne 1,0 l", gtin="4006381333931")


def open_cases() -> list[tuple[str, int]]:
    """Kind and size of every open case."""
    return sorted(ExceptionCase.objects.open().values_list("kind", "size"))


def open_kinds() -> set[str]:
    return {kind for kind, _size in open_cases()}


def sales(world: standin.World) -> list[int]:
    """How many sales the ERP holds for each order."""
    return sorted(len(held) for held in world.sales.values())
