"""Which fulfilment orders of Shopify take the pieces of a parcel."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from integration_hub.kernel.errors import Rejected
from integration_hub.kernel.text import say

Step = list[Mapping[str, object]]


@dataclass(frozen=True)
class Open:
    """Pieces of a line that wait at a location: the fulfilment order, its item, the order's line, how many."""

    order_id: str
    location: str
    item_id: str
    line_id: str
    left: Decimal


def plan(wanted: Mapping[str, Decimal], waiting: Sequence[Open]) -> list[Step]:
    """The fulfilments that take the wanted pieces; Rejected where less is left than wanted."""
    return _steps(_take(wanted, waiting))


def plan_all(waiting: Sequence[Open], known: Sequence[str]) -> list[Step]:
    """The fulfilments that take all that is left; Rejected where nothing is and no ``known`` one took it."""
    taken = [(item, item.left) for item in waiting if item.left > 0]
    if not taken and not known:
        raise Rejected(say("Shopify has nothing left to ship in this order."), code="nothing_left")
    return _steps(taken)


def _steps(taken: Sequence[tuple[Open, Decimal]]) -> list[Step]:
    """One step for each location: Shopify takes no two in one fulfilment."""
    places: dict[str, dict[str, list[Mapping[str, object]]]] = defaultdict(lambda: defaultdict(list))
    for item, quantity in taken:
        places[item.location][item.order_id].append({"id": item.item_id, "quantity": int(quantity)})
    return [
        [{"fulfillmentOrderId": order_id, "fulfillmentOrderLineItems": items} for order_id, items in orders.items()]
        for orders in places.values()
    ]


def _take(wanted: Mapping[str, Decimal], waiting: Sequence[Open]) -> list[tuple[Open, Decimal]]:
    taken: list[tuple[Open, Decimal]] = []
    for line_id, quantity in wanted.items():
        if quantity != int(quantity):
            raise Rejected(say("Shopify ships whole pieces only."), code="not_whole")
        rest = quantity
        for item in waiting:
            part = min(rest, item.left) if item.line_id == line_id else Decimal(0)
            if part > 0:
                taken.append((item, part))
                rest -= part
        if rest:
            words = say(
                "Shopify has only %(left)s of %(wanted)s left to ship of line %(line)s.",
                left=quantity - rest,
                wanted=quantity,
                line=line_id,
            )
            raise Rejected(words, code="nothing_left")
    return taken
