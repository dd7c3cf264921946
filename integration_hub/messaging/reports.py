"""The door for systems that report over our own API: stored like everything else, once per idempotency key."""

from __future__ import annotations

from typing import Any

from integration_hub.connectors.base import Delivery
from integration_hub.kernel import codec
from integration_hub.kernel.errors import NotNow, RetryLater
from integration_hub.kernel.text import say
from integration_hub.models import Connection, InboundEvent
from integration_hub.models.inbound import Door

from . import inbox

KIND = "report"
TOPIC, SPECIAL_TOPIC = "order.reported", "after_sale.reported"


def channel(slug: str) -> Connection | None:
    """The connection of this name, if it takes reports."""
    return Connection.objects.filter(kind=KIND, slug=slug).first()


def take(
    connection: Connection, said: dict[str, Any], *, key: str = "", topic: str = TOPIC
) -> tuple[InboundEvent, bool]:
    """Keep a reported order or special case; returns its event and whether it is new.  Durable when it returns.

    The same key with the same report is the same event; with another it raises NotNow (``key_reused``).  Without a
    key the report itself is what makes a repeat a repeat.  Rivals are told apart by the unique keys of the table.
    """
    delivery = Delivery(topic, str(said["id"]).strip(), codec.canonical(said))
    # the key salts the digest, so each key has an event of its own even where two keys say the same
    for _try in range(3):
        if ids := inbox.store(connection, [delivery], Door.API, sender_key=key, salt=key):
            return InboundEvent.objects.get(pk=ids[0]), True
        if held := _held(connection, delivery, key):
            return held, False
    raise RetryLater(say("This report is being taken at the moment."), code="busy")


def _held(connection: Connection, delivery: Delivery, key: str) -> InboundEvent | None:
    if not key:
        return inbox.stored_before(connection, delivery)
    held = InboundEvent.objects.filter(connection=connection, sender_key=key).first()
    if held and bytes(held.body) != delivery.body:
        raise NotNow(say("This Idempotency-Key stands for another report."), code="key_reused")
    return held
