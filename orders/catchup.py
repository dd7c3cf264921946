"""Orders that were recorded before their process was switched on are taken up afterwards, a batch at a time."""

from __future__ import annotations

import logging

from django.db import OperationalError

from exceptions import services as cases
from exceptions.services import Trouble
from integration_hub.kernel.errors import HubError
from integration_hub.kernel.text import say
from integration_hub.models import ProcessSwitch

from . import services
from .models import Order
from .states import OrderState

logger = logging.getLogger(__name__)

BATCH = 50


def work() -> int:
    """Take up one batch of one switch; returns how many orders, 0 when nothing is left.

    The switch keeps the id it has come to.  A crash, or a second worker, repeats a batch, which changes nothing.
    """
    waiting = ProcessSwitch.objects.filter(enabled=True, catch_up_after__isnull=False)
    switch = waiting.order_by("pk").first()
    if switch is None:
        return 0
    ids = _next(switch)
    for pk in ids:
        _take_up(pk)
    waiting.filter(pk=switch.pk, catch_up_after=switch.catch_up_after, since=switch.since).update(
        catch_up_after=ids[-1] if len(ids) == BATCH else None
    )
    return max(len(ids), 1)


def _next(switch: ProcessSwitch) -> list[int]:
    rows = Order.objects.filter(
        channel=switch.channel_id,
        state=OrderState.RECORDED,
        placed_at__gte=switch.since,
        pk__gt=switch.catch_up_after or 0,
    )
    return list(rows.order_by("pk").values_list("pk", flat=True)[:BATCH])


def _take_up(order_id: int) -> None:
    try:
        services.reconsider(order_id)
    except OperationalError:
        raise  # a deadlock or a lost database: the lane comes back to the same batch
    except Exception as error:
        logger.exception("order %s could not be taken up", order_id)
        order = Order.objects.select_related("channel").get(pk=order_id)
        cases.open_case(
            Trouble(
                kind="take_up_failed",
                cause=f"order:{order_id}",
                params={"number": order.number},
                expected=say("The order is taken up by its process"),
                found=error.text if isinstance(error, HubError) else say("%(error)s", error=type(error).__name__),
            ),
            order,
            connection=order.channel,
        )
