"""What the hub writes to a shop comes back as webhooks and polls; it is recognised, and nothing follows from it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from integration_hub.models import Activity, Connection, InboundEvent, OutboundCommand, PollState
from orders import completeness
from orders.models import Order
from orders.tally import DayTally

from .full_stack import Stack, everything, next_second

SAYS_NOTHING = "says nothing new"
# what an echo must leave as it is
CONTENT = ("digest", "number", "total", "total_tax", "refunded", "state", "customer_id", "note", "payment")


def content(order: Order) -> dict[str, Any]:
    return dict(Order.objects.values(*CONTENT).get(pk=order.pk))


def echoes(shop: Connection, after: int) -> list[tuple[str, str]]:
    """State and reason of what the shop said since then about its orders."""
    rows = InboundEvent.objects.filter(connection=shop, pk__gt=after, topic__startswith="order")
    return [(row.state, str(row.reason)) for row in rows.order_by("pk")]


def newest() -> int:
    return InboundEvent.objects.latest("pk").pk


@pytest.mark.parametrize("name", ["woo", "shopify"])
def test_own_writes_come_back_and_change_nothing(stack: Stack, name: str) -> None:
    shop = stack.shop(name, stack.odoo())
    wanted = everything() if name == "woo" else replace(everything(), fee=None, payment="paypal")
    stack.place(name, wanted)
    stack.work()
    order = Order.objects.get()
    before, commands = content(order), 0
    for partial in (True, False):
        next_second()
        mark = newest()
        stack.ship(order, partial=partial)
        stack.poll(shop)
        said = echoes(shop, mark)
        assert said, "the shop says something after we wrote"
        moved = [state for state, reason in said if SAYS_NOTHING not in reason]
        # the shop's own word for shipped is the one thing that is new to us: once for each step
        assert len(moved) <= 1
        # a shop like WooCommerce takes an order that is completed for paid, and says so
        assert content(order) | {"payment": ""} == before | {"payment": ""}
        commands = OutboundCommand.objects.count()
    stack.in_order()
    mark = newest()
    for _round in range(3):
        stack.poll(shop)
    assert {SAYS_NOTHING in reason for _state, reason in echoes(shop, mark)} <= {True}
    assert OutboundCommand.objects.count() == commands
    assert not Activity.objects.filter(action="orders.edited").exists()


@pytest.mark.parametrize("name", ["woo", "shopify"])
def test_the_three_sides_agree_over_real_http(stack: Stack, name: str) -> None:
    shop = stack.shop(name, stack.odoo())
    baskets = [replace(everything(), fee=None, payment="paypal")] * 3
    stack.place(name, *baskets)
    stack.work()
    stack.poll(shop)
    next_second()
    PollState.objects.filter(connection=shop, stream="orders").update(since="2040-01-01T00:00:00Z")
    completeness.compare(1, of=shop, today=True)
    while completeness.work():
        pass
    days = DayTally.objects.filter(connection=shop)
    counted = {side: sum(day.side(side)["count"] for day in days) for side in ("there", "here", "expected", "erp")}
    assert counted == dict.fromkeys(("there", "here", "expected", "erp"), 3)
    assert [day.differing for day in days] == [0] * len(days)
