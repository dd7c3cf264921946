"""Where an order stands: the shop's status, payment, age of reports, cancellation, deletion and the way back."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import permutations
from typing import Any

import pytest
from django.utils import timezone

from integration_hub.kernel.errors import Defect, HubError, Rejected, RetryLater
from integration_hub.kernel.text import say
from integration_hub.messaging import outbox
from integration_hub.models import Activity, Connection, InboundEvent, OutboundCommand, PollState, ProcessSwitch
from integration_hub.models.activity import note
from integration_hub.models.inbound import Door
from orders import services
from orders.models import Order
from orders.states import MOVES, OrderState
from tests import spine, standin

pytestmark = pytest.mark.django_db
START = datetime.fromisoformat("2026-11-20T10:00:00Z")


@pytest.fixture(autouse=True)
def teapot(db: None) -> None:
    spine.teapot()


def report(joined: Connection, minute: int = 0, number: int = 1, **changes: Any) -> Order:
    """The shop shows the order as of this minute; what the hub holds then."""
    spine.say(joined, standin.order(number, updated_at=(START + timedelta(minutes=minute)).isoformat(), **changes))
    spine.run()
    return Order.objects.get(external_id=str(number))


def sale() -> OutboundCommand:
    return OutboundCommand.objects.get(verb="sale.write")


PAIRS = list(permutations(OrderState.values, 2))


def test_every_move_between_two_states_is_in_the_table() -> None:
    assert {(old, to) for old, moves in MOVES.items() if old for to in moves} == set(PAIRS)


@pytest.mark.parametrize(("old", "to"), PAIRS)
def test_every_move_of_the_table_is_made_once_and_written_down(joined: Connection, old: str, to: str) -> None:
    order = report(joined)
    Order.objects.update(state=old)
    order.refresh_from_db()
    stale = Order.objects.get()
    assert services.move(order, OrderState(to), why="to try it")
    assert not services.move(order, OrderState(to))
    noted = Activity.objects.filter(action="orders.moved").latest("pk")
    assert (noted.text["params"], noted.why) == ({"old": old, "to": to}, "to try it")
    with pytest.raises(RetryLater):
        services.move(stale, OrderState(to))


def test_a_move_that_the_table_does_not_know_is_a_defect(joined: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    order = report(joined)
    monkeypatch.setattr(services, "MOVES", dict(MOVES) | {OrderState.ACCEPTED: frozenset()})
    with pytest.raises(Defect):
        services.move(order, OrderState.HELD)
    order.refresh_from_db()
    assert order.state == "ACCEPTED"


STAGES = {
    "PENDING": "WAITING",
    "READY": "ACCEPTED",
    "COMPLETED": "ACCEPTED",
    "CANCELLED": "CANCELLED",
    "REFUNDED": "CANCELLED",
}


@pytest.mark.parametrize(("stage", "state"), STAGES.items())
def test_what_the_shop_says_decides_what_the_hub_does(
    joined: Connection, world: standin.World, stage: str, state: str
) -> None:
    assert report(joined, stage=stage).state == state
    assert bool(world.sales) == (state == "ACCEPTED")


def test_an_order_waits_for_its_payment(joined: Connection, world: standin.World) -> None:
    waiting = report(joined, stage="PENDING", paid=False)
    assert (waiting.state, waiting.payment, world.sales) == ("WAITING", "OPEN", {})
    ready = report(joined, minute=5, stage="READY")
    assert (ready.state, ready.payment, spine.sales(world)) == ("ACCEPTED", "PAID", [1])


def test_back_to_on_hold_before_it_was_written(joined: Connection, erp: Connection, world: standin.World) -> None:
    Connection.objects.filter(pk=erp.pk).update(state="PAUSED")
    report(joined)
    assert report(joined, minute=1, stage="PENDING").state == "WAITING"
    assert sale().state == "CANCELLED"
    assert report(joined, minute=2).state == "ACCEPTED"
    assert sale().state == "DUE"
    Connection.objects.filter(pk=erp.pk).update(state="ACTIVE")
    spine.later()
    assert spine.sales(world) == [1]


@pytest.mark.parametrize(
    ("changes", "payment"),
    [
        ({"paid": False}, "OPEN"),
        ({"paid": True}, "PAID"),
        ({"refunded": "5.00"}, "PARTLY_REFUNDED"),
        ({"refunded": "28.70"}, "REFUNDED"),
        ({"stage": "REFUNDED"}, "REFUNDED"),
    ],
)
def test_payment_is_an_axis_of_its_own(joined: Connection, changes: dict[str, Any], payment: str) -> None:
    order = report(joined, minute=1, **changes)
    assert order.payment == payment
    assert order.fulfilment == "NONE"


def test_an_older_report_changes_nothing(joined: Connection) -> None:
    report(joined, minute=9, stage="READY")
    order = report(joined, minute=8, stage="CANCELLED")
    assert (order.state, order.stage) == ("ACCEPTED", "READY")
    assert InboundEvent.objects.latest("pk").state == "IGNORED"


def test_two_states_of_one_second_are_decided_by_asking_the_shop(
    joined: Connection, django_capture_on_commit_callbacks: Any
) -> None:
    """A webhook that was overtaken would undo what came after it, and no repeat would ever heal that."""
    moment: dict[str, Any] = {"updated_at": START.isoformat()}
    spine.say(joined, standin.order(stage="CANCELLED", **moment), door=Door.POLL)
    spine.run()
    PollState.objects.filter(connection=joined).update(due_at="2100-01-01T00:00:00Z")
    with django_capture_on_commit_callbacks(execute=True):
        spine.say(joined, standin.order(stage="READY", **moment))
        spine.run()
    assert (Order.objects.get().stage, InboundEvent.objects.latest("pk").state) == ("CANCELLED", "IGNORED")
    assert PollState.objects.get(connection=joined, stream="orders").due_at <= timezone.now()


def test_what_polling_shows_of_the_same_second_counts(joined: Connection) -> None:
    report(joined, minute=9, stage="READY")
    found = standin.order(stage="CANCELLED", updated_at=(START + timedelta(minutes=9)).isoformat())
    spine.say(joined, found, door=Door.POLL)
    spine.run()
    assert Order.objects.get().stage == "CANCELLED"


def test_a_repeat_of_the_same_second_in_other_words_asks_nobody(joined: Connection) -> None:
    report(joined, minute=9)
    PollState.objects.filter(connection=joined).update(due_at="2100-01-01T00:00:00Z")
    report(joined, minute=9, total="28.7")
    assert PollState.objects.filter(connection=joined, due_at__gt=timezone.now()).exists()


def test_the_same_again_says_nothing_new(joined: Connection) -> None:
    report(joined, minute=1)
    report(joined, minute=2)
    assert "says nothing new" in str(InboundEvent.objects.latest("pk").reason["params"]["why"])


def test_cancelled_before_it_was_written(joined: Connection, erp: Connection, world: standin.World) -> None:
    Connection.objects.filter(pk=erp.pk).update(state="PAUSED")
    report(joined)
    assert report(joined, minute=1, stage="CANCELLED").state == "CANCELLED"
    Connection.objects.filter(pk=erp.pk).update(state="ACTIVE")
    spine.later()
    assert (world.sales, sale().state, spine.open_cases()) == ({}, "CANCELLED", [])


def erp_says(erp: Connection, stage: str, minute: int = 30) -> None:
    spine.say(
        erp,
        {"id": "S-laden:1", "number": "VK-#1", "stage": stage, "updated_at": f"2026-11-20T10:{minute}:00Z"},
        topic="sale.polled",
    )
    spine.run()


def test_cancelled_after_it_was_written_is_a_case_until_the_erp_follows(
    joined: Connection, erp: Connection, world: standin.World
) -> None:
    report(joined)
    assert report(joined, minute=1, stage="CANCELLED").state == "CANCELLED"
    assert spine.open_cases() == [("cancelled_after_export", 1)]
    erp_says(erp, "CANCELLED")
    assert spine.open_cases() == []
    assert [type(told).__name__ for told in world.told] == ["TellAccepted", "TellCancelled"]


def test_restored_after_it_was_written(joined: Connection, world: standin.World) -> None:
    report(joined)
    report(joined, minute=1, stage="CANCELLED")
    assert report(joined, minute=2, stage="READY").state == "ACCEPTED"
    assert (spine.open_cases(), spine.sales(world)) == ([], [1])


def test_restored_when_the_erp_has_cancelled_is_a_case(joined: Connection, erp: Connection) -> None:
    report(joined)
    report(joined, minute=1, stage="CANCELLED")
    erp_says(erp, "CANCELLED")
    report(joined, minute=2, stage="READY")
    assert spine.open_cases() == [("edited_after_export", 1)]


def test_restored_before_it_was_written(joined: Connection, world: standin.World) -> None:
    report(joined, stage="CANCELLED")
    assert report(joined, minute=1, stage="READY").state == "ACCEPTED"
    assert spine.sales(world) == [1]


def test_refunded_after_it_was_written_is_no_cancellation(joined: Connection) -> None:
    report(joined)
    order = report(joined, minute=1, stage="REFUNDED", refunded="28.70")
    assert (order.state, order.payment, spine.open_cases()) == ("ACCEPTED", "REFUNDED", [])


def gone(joined: Connection) -> None:
    spine.say(joined, {"id": 1}, topic="order.gone")
    spine.run()


def test_gone_before_and_after_it_was_written(joined: Connection, world: standin.World) -> None:
    report(joined, stage="PENDING")
    gone(joined)
    assert (Order.objects.get().state, spine.open_cases()) == ("CANCELLED", [])
    report(joined, minute=5)
    assert spine.sales(world) == [1]
    spine.say(joined, {"id": 1, "again": True}, topic="order.gone")
    spine.run()
    assert (Order.objects.get().stage, spine.open_cases()) == ("GONE", [("cancelled_after_export", 1)])


@pytest.mark.parametrize("error", [RetryLater("down"), Rejected("no such order")], ids=["waiting", "refused"])
def test_what_the_shop_was_to_be_told_of_a_deleted_order_is_taken_back_until_it_is_there_again(
    joined: Connection, world: standin.World, erp: Connection, error: HubError
) -> None:
    report(joined, stage="READY")
    world.told.clear()
    world.broken = error
    erp_says(erp, "CANCELLED")
    told = OutboundCommand.objects.get(verb="shop.cancelled")
    assert told.state == {"RetryLater": "DUE", "Rejected": "PARKED"}[type(error).__name__]
    gone(joined)
    told.refresh_from_db()
    assert (told.state, spine.open_cases()) == ("CANCELLED", [])
    world.broken = None
    report(joined, minute=5)
    spine.later()
    assert [type(told).__name__ for told in world.told] == ["TellCancelled"]


def test_what_a_person_took_back_stays_taken_back(joined: Connection, world: standin.World) -> None:
    world.broken = RetryLater("down")
    report(joined)
    world.broken = None
    spine.run()
    order = Order.objects.get()
    outbox.command(joined, "shop.accepted", "accepted:by-hand", order, sale=0)
    row = OutboundCommand.objects.get(key="accepted:by-hand")
    OutboundCommand.objects.filter(pk=row.pk).update(state="CANCELLED", finished_at=timezone.now())
    note(row, "commands.cancel", say("The command is cancelled; nothing was sent."))
    gone(joined)
    report(joined, minute=5)
    row.refresh_from_db()
    assert row.state == "CANCELLED"


def test_gone_without_ever_having_been_seen(joined: Connection) -> None:
    gone(joined)
    assert (InboundEvent.objects.get().state, Order.objects.count()) == ("IGNORED", 0)


@pytest.mark.parametrize("stage", ["READY", "PENDING", "CANCELLED"])
def test_without_a_process_orders_are_only_recorded(shop: Connection, world: standin.World, stage: str) -> None:
    order = report(shop, stage=stage)
    assert order.state == {"READY": "RECORDED", "PENDING": "WAITING", "CANCELLED": "CANCELLED"}[stage]
    assert report(shop, minute=1, stage="READY").state == "RECORDED"
    assert (world.sales, spine.open_cases()) == ({}, [])


def test_orders_of_before_the_switch_stay_recorded(joined: Connection, world: standin.World) -> None:
    ProcessSwitch.objects.update(since=timezone.now())
    assert report(joined).state == "RECORDED"
    ProcessSwitch.objects.update(since=START)
    services.reconsider(Order.objects.get().pk)
    spine.run()
    assert spine.sales(world) == [1]


def test_a_process_switched_off_takes_back_what_waits(joined: Connection, erp: Connection) -> None:
    Connection.objects.filter(pk=erp.pk).update(state="PAUSED")
    report(joined)
    ProcessSwitch.objects.update(enabled=False)
    assert report(joined, minute=1, stage="COMPLETED").state == "RECORDED"
    assert sale().state == "CANCELLED"


def test_a_cancelled_order_comes_back_to_a_channel_without_process(joined: Connection) -> None:
    report(joined, stage="CANCELLED")
    ProcessSwitch.objects.all().delete()
    assert report(joined, minute=1, stage="READY").state == "RECORDED"


def test_test_orders_reach_no_live_system(joined: Connection, world: standin.World) -> None:
    Connection.objects.filter(pk=joined.pk).update(mode="LIVE")
    spine.say(joined, standin.order(1, test=True))
    spine.run()
    assert (Order.objects.count(), world.sales, InboundEvent.objects.get().state) == (0, {}, "IGNORED")
    Connection.objects.filter(pk=joined.pk).update(mode="TEST")
    spine.say(joined, standin.order(2, test=True))
    spine.run()
    assert Order.objects.get().state == "ACCEPTED"


def test_an_edit_before_it_is_written_is_what_is_written(
    joined: Connection, erp: Connection, world: standin.World
) -> None:
    Connection.objects.filter(pk=erp.pk).update(state="PAUSED")
    report(joined)
    report(joined, minute=1, city="Bremen", postal_code="28195")
    Connection.objects.filter(pk=erp.pk).update(state="ACTIVE")
    spine.later()
    assert [command.billing.city for command in world.sales["laden:1"]] == ["Bremen"]
    assert "orders.edited" in Activity.objects.values_list("action", flat=True)


def test_an_edit_after_it_was_written_is_one_case(joined: Connection, world: standin.World) -> None:
    report(joined)
    first = standin.order()["lines"]
    more = [first[0] | {"quantity": "3", "net": "30.00", "tax": "5.70"}, first[1]]
    report(joined, minute=1, lines=more, total="40.60", total_tax="6.48")
    report(joined, minute=2, lines=more, total="40.60", total_tax="6.48", stage="COMPLETED")
    order = Order.objects.get()
    assert spine.open_cases() == [("edited_after_export", 1)]
    assert (order.lines.first().quantity, order.total, order.stage) == (2, order.total, "COMPLETED")  # type: ignore[union-attr]
    assert str(order.total) == "28.7000"  # as the ERP holds it
    assert spine.sales(world) == [1]


def test_an_edit_that_is_taken_back_closes_its_case(joined: Connection) -> None:
    report(joined)
    report(joined, minute=1, city="Bremen", postal_code="28195")
    report(joined, minute=2, city="Kiel", postal_code="24103")
    assert spine.open_cases() == [("edited_after_export", 1)]
    report(joined, minute=3)
    assert spine.open_cases() == []
