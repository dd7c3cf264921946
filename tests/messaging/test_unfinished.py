"""What a try that broke off left half done in the ERP: finished where it is still wanted, else a case."""

from __future__ import annotations

import pytest

from exceptions.models import ExceptionCase
from integration_hub.kernel.errors import Rejected
from integration_hub.models import Connection
from orders.models import Order, Sale
from tests import spine, standin

from .test_outbox import fails, outcomes, sale

pytestmark = pytest.mark.django_db


@pytest.fixture
def ordered(joined: Connection) -> Connection:
    """A good order is accepted; nothing is sent yet."""
    spine.teapot()
    spine.say(joined, standin.order(1))
    return joined


@pytest.fixture
def half_done(ordered: Connection, world: standin.World) -> Connection:
    """The ERP made a draft, then the line broke before it was confirmed."""
    world.halfway = standin.timeout
    spine.run()
    world.halfway = None
    assert world.drafts == {"laden:1"}
    return ordered


CANCELLED = standin.order(1, stage="CANCELLED", updated_at="2026-11-20T11:00:00Z")
RESTORED = standin.order(1, updated_at="2026-11-20T12:00:00Z")


def test_what_was_left_half_done_is_finished(half_done: Connection, world: standin.World) -> None:
    spine.later()
    assert (spine.sales(world), world.drafts, outcomes()) == ([1], set(), ["AMBIGUOUS", "FOUND"])
    assert (sale().state, Sale.objects.get().stage, spine.open_cases()) == ("DONE", "CONFIRMED", [])


@pytest.mark.parametrize("stage", ["CANCELLED", "REFUNDED", "GONE"])
def test_what_was_left_half_done_and_is_not_wanted_any_more_is_a_case(
    half_done: Connection, world: standin.World, stage: str
) -> None:
    spine.say(half_done, {**CANCELLED, "stage": stage})
    spine.later()
    order = Order.objects.get()
    assert (world.drafts, sale().state, order.state) == ({"laden:1"}, "CANCELLED", "CANCELLED")
    assert (Sale.objects.get().stage, spine.open_kinds()) == ("DRAFT", {"cancelled_after_export"})
    assert "VK-#1" in ExceptionCase.objects.get().found["params"].values()
    assert world.told == []  # the shop is not told of a sale that nobody wants
    taken_back = {"id": "S-laden:1", "number": "VK-#1", "stage": "CANCELLED", "updated_at": "2026-11-20T13:00:00Z"}
    spine.say(Connection.objects.get(slug="erp"), taken_back, topic="sale.polled")
    spine.run()
    assert spine.open_cases() == []


def test_what_was_left_half_done_is_finished_when_the_shop_wants_it_again(
    half_done: Connection, world: standin.World
) -> None:
    spine.say(half_done, CANCELLED)
    spine.later()
    spine.say(half_done, RESTORED)
    spine.later()
    assert (spine.sales(world), world.drafts, Order.objects.get().state) == ([1], set(), "ACCEPTED")
    assert (sale().state, Sale.objects.get().stage, spine.open_cases()) == ("DONE", "CONFIRMED", [])
    assert len(world.told) == 1


@pytest.fixture
def begun(ordered: Connection, world: standin.World) -> Connection:
    """The ERP made a draft, then refused to confirm it."""
    world.halfway = fails(Rejected("totals disagree"))
    spine.run()
    world.halfway = None
    assert (sale().state, sale().maybe_sent, sale().begun, world.drafts) == ("PARKED", False, True, {"laden:1"})
    return ordered


def test_a_refused_draft_of_an_order_that_is_cancelled_is_a_case(begun: Connection, world: standin.World) -> None:
    spine.say(begun, CANCELLED)
    spine.run()
    assert (world.drafts, sale().state, Order.objects.get().state) == ({"laden:1"}, "CANCELLED", "CANCELLED")
    assert (Sale.objects.get().stage, spine.open_kinds()) == ("DRAFT", {"cancelled_after_export"})
    assert outcomes() == ["REFUSED", "UNFINISHED"]


def test_a_refused_draft_that_is_not_there_any_more_leaves_no_case(begun: Connection, world: standin.World) -> None:
    world.sales.clear()
    spine.say(begun, CANCELLED)
    spine.run()
    assert (sale().state, sale().begun, spine.open_cases()) == ("CANCELLED", False, [])


def test_a_refused_draft_is_finished_with_what_the_shop_corrected(begun: Connection, world: standin.World) -> None:
    spine.say(begun, standin.order(1, city="Bremen", postal_code="28195", updated_at="2026-11-20T11:00:00Z"))
    spine.run()
    assert (spine.sales(world), world.drafts, sale().state, spine.open_cases()) == ([1], set(), "DONE", [])


def test_a_refused_draft_of_an_order_held_meanwhile_is_still_looked_for_when_it_is_cancelled(
    begun: Connection, world: standin.World
) -> None:
    spine.say(begun, standin.order(1, city="", updated_at="2026-11-20T10:30:00Z"))
    spine.run()
    assert (sale().state, Order.objects.get().state, Sale.objects.count()) == ("CANCELLED", "HELD", 0)
    spine.say(begun, {**CANCELLED, "city": ""})
    spine.run()
    assert (Sale.objects.get().stage, spine.open_kinds()) == ("DRAFT", {"cancelled_after_export"})


def test_an_order_edited_then_cancelled_while_it_was_unclear_is_not_sent(
    ordered: Connection, world: standin.World
) -> None:
    world.before = standin.timeout
    spine.run()
    world.before = None
    edit = {"city": "Bremen", "postal_code": "28195"}
    spine.say(ordered, standin.order(1, **edit, updated_at="2026-11-20T11:00:00Z"))
    spine.run()
    spine.say(ordered, standin.order(1, **edit, stage="CANCELLED", updated_at="2026-11-20T12:00:00Z"))
    spine.later()
    order = Order.objects.get()
    assert (world.sales, sale().state, order.state, order.stage) == ({}, "CANCELLED", "CANCELLED", "CANCELLED")
    assert spine.open_cases() == []
