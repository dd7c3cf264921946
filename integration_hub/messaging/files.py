"""The door for files: looked through whole by the connector, then stored like everything else; the same file twice is known."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction

from integration_hub.connectors.base import Capability
from integration_hub.kernel.errors import NotNow, RetryLater, TooLarge
from integration_hub.kernel.text import Text, say
from integration_hub.models import Connection, InboundEvent
from integration_hub.models.access import User
from integration_hub.models.activity import note
from integration_hub.models.inbound import Door

from . import inbox

MAX_BYTES = 20 * 1024 * 1024


@dataclass(frozen=True)
class Taken:
    """What came of a file: its events, and whether they are new."""

    event: InboundEvent
    new: bool


def takers() -> list[Connection]:
    """The connections whose systems take files, by name."""
    rows = Connection.objects.order_by("name", "pk")
    return [row for row in rows if Capability.TAKE_FILES in row.capabilities]


def take(connection: Connection, name: str, body: bytes, *, by: User) -> list[Taken]:
    """Keep a file, all of it or nothing; durable when it returns.

    Raises Rejected or Misconfigured with what is wrong with it, TooLarge, or NotNow where this system takes no files.
    """
    if Capability.TAKE_FILES not in connection.capabilities:
        raise NotNow(say("%(connection)s takes no files.", connection=connection.name), code="takes_no_files")
    if len(body) > MAX_BYTES:
        raise TooLarge(too_large(name), code="too_large")
    deliveries = connection.connector().take(name, body)
    with transaction.atomic():
        new = set(inbox.store(connection, deliveries, Door.FILE))
        found = [inbox.stored_before(connection, one) for one in deliveries]
        taken = [Taken(event, event.pk in new) for event in found if event is not None]
        if len(taken) != len(deliveries):
            raise RetryLater(say("This file is being taken at the moment."), code="busy")
        if new:
            note(connection, "files.taken", say("File taken: %(name)s", name=name[-120:]), by=by)
    return taken


def too_large(name: str) -> Text:
    """The words for a file that is larger than the door."""
    return say(
        "%(name)s is too large: at most %(megabytes)s MB are taken.", name=name[-120:], megabytes=MAX_BYTES >> 20
    )


def recent(limit: int = 25) -> list[InboundEvent]:
    """The files that came last, newest first, without their bodies."""
    rows = InboundEvent.objects.filter(door=Door.FILE).select_related("connection").defer("body")
    return list(rows.order_by("-pk")[:limit])
