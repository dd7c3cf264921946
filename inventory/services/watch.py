"""The lane "stock": what has moved is reckoned anew, promises are covered, troubles told, waiting orders woken, shops told."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connection as database
from django.db import transaction
from django.db.models import Q

from integration_hub.kernel.messages import StockMoved
from integration_hub.messaging import dispatch
from integration_hub.models.patience import patiently

from ..models import ChannelAvailability, Listing, Supply
from . import alarms, availability, levels, promises, push, shipping

BATCH = 2000

_CLAIM = """
UPDATE inventory_stocklevel SET moved = false WHERE id IN (
  SELECT id FROM inventory_stocklevel WHERE moved ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED)
RETURNING variant_id
"""


def work() -> int:
    """Reckon one batch of moved levels anew; returns how many levels that were."""
    moved = patiently(_reckon)
    if moved:
        follow(set(moved))
    return len(moved)


@transaction.atomic
def _reckon() -> list[int]:
    with database.cursor() as cursor:
        cursor.execute(_CLAIM, [BATCH])
        moved = [row[0] for row in cursor.fetchall()]
    availability.reckon(moved)
    return moved


def follow(variants: Iterable[int]) -> None:
    """What follows from moved levels: older promises first, then orders that wait, then the shops."""
    ids = sorted(set(variants))
    patiently(lambda: promises.cover(ids))
    patiently(lambda: alarms.look(ids))
    dispatch.publish(StockMoved(variant_ids=tuple(ids)))  # each order in a transaction of its own
    push.start()


def tidy() -> dict[str, Any]:
    """Every few minutes: what nobody kicked, what has run out, what was listed meanwhile."""
    done = {
        "expired": promises.expire(),
        "let_go": shipping.overdue(),
        "covered": promises.cover(),
        "listed": listed(),
    }
    dispatch.publish(StockMoved(variant_ids=None))
    alarms.look_at_open()
    push.start()
    return done


def listed() -> int:
    """Reckon what shops list and nobody has reckoned yet; returns how many articles that are."""
    known = ChannelAvailability.objects.values("listing_id")
    supplied = Supply.objects.values("channel_id")
    rows = Listing.objects.filter(connection_id__in=supplied, variant__isnull=False, gone=False)
    fresh = rows.filter(~Q(pk__in=known), ~Q(tracked=False), variant__levels__isnull=False)
    return availability.reckon(fresh.order_by("pk").values_list("variant_id", flat=True)[:BATCH])


def products_known(news: Sequence[Any]) -> None:
    """Articles have come or got other names: their levels find them, and shops are told about them."""
    ids = [one.variant_id for one in news]
    levels.products_known(ids)
    availability.reckon(ids)
