"""Polling: windows with overlap, a cursor that survives a crash, and the sweep for what sends nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from exceptions import services as cases
from exceptions.models import ExceptionCase
from integration_hub.connectors.base import Delivery, Page, Stream
from integration_hub.kernel.errors import Misconfigured, RetryLater
from integration_hub.kernel.text import say
from integration_hub.messaging import cases as spine_cases
from integration_hub.messaging import inbox, polling, pump
from integration_hub.models import Connection, ExternalReference, InboundEvent, PollState
from orders.models import Order
from tests import spine, standin

pytestmark = pytest.mark.django_db
Pages = Callable[..., list[datetime | None]]


@pytest.fixture
def only_orders(joined: Connection) -> PollState:
    """Nothing but the shop's orders is polled."""
    PollState.objects.exclude(connection=joined, stream="orders").delete()
    return PollState.objects.get()


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[datetime | None, str | None]]:
    """What the shop was asked for: since when, from which page."""
    real, seen = standin.StandinShop.poll, []

    def poll(self: standin.StandinShop, stream: str, since: datetime | None, token: str | None) -> Page:
        seen.append((since, token))
        return real(self, stream, since, token)

    monkeypatch.setattr(standin.StandinShop, "poll", poll)
    return seen


def five(world: standin.World) -> None:
    world.pages["orders"] = [standin.order(number) for number in range(1, 6)]


def test_a_window_is_read_to_its_end_and_the_next_reaches_back(
    only_orders: PollState, world: standin.World, asked: list[Any]
) -> None:
    five(world)
    began = timezone.now()
    while polling.work():
        pass
    assert [token for _since, token in asked] == [None, "2", "4"]
    assert InboundEvent.objects.filter(door="POLL").count() == 5
    state = PollState.objects.get()
    assert (state.token, state.until, state.found, state.failures) == (None, None, 5, 0)
    assert state.since is not None
    assert began - timedelta(minutes=15, seconds=1) < state.since <= timezone.now() - timedelta(minutes=14, seconds=50)
    assert timedelta(minutes=4) < state.due_at - timezone.now() <= timedelta(minutes=5)
    PollState.objects.update(due_at=spine.LONG_AGO)
    polling.work()
    assert asked[-1] == (state.since, None)
    assert InboundEvent.objects.count() == 5  # the overlap brings nothing new


def test_a_crash_within_a_window_goes_on_with_the_same_page(
    only_orders: PollState, world: standin.World, asked: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    five(world)
    polling.work()
    window = PollState.objects.get().until
    with monkeypatch.context() as patch:
        patch.setattr(inbox, "store", lambda *_a, **_k: (_ for _ in ()).throw(SystemExit()))
        with pytest.raises(SystemExit):
            polling.work()
    assert (PollState.objects.get().token, polling.work()) == ("2", 0)  # leased by the dead
    PollState.objects.update(due_at=spine.LONG_AGO)
    while polling.work():
        pass
    assert [token for _since, token in asked] == [None, "2", "2", "4"]
    assert InboundEvent.objects.count() == 5
    since = PollState.objects.get().since
    assert window is not None
    assert since == window - timedelta(minutes=15)  # the window began before the crash


def test_a_page_and_its_cursor_are_kept_together(
    only_orders: PollState, world: standin.World, monkeypatch: pytest.MonkeyPatch
) -> None:
    five(world)
    with monkeypatch.context() as patch:
        patch.setattr(spine_cases, "poll_worked", lambda *_a: (_ for _ in ()).throw(SystemExit()))
        with pytest.raises(SystemExit):
            polling.work()
    assert (InboundEvent.objects.count(), PollState.objects.get().token) == (0, None)


def test_a_worker_that_was_overtaken_moves_no_cursor(
    only_orders: PollState, world: standin.World, monkeypatch: pytest.MonkeyPatch
) -> None:
    five(world)
    real = standin.StandinShop.poll

    def slow(self: standin.StandinShop, *arguments: Any) -> Page:
        page = real(self, *arguments)
        PollState.objects.update(lease_token=None, token="4")
        return page

    monkeypatch.setattr(standin.StandinShop, "poll", slow)
    polling.work()
    assert PollState.objects.get().token == "4"


def test_trouble_is_retried_and_told_after_an_hour(only_orders: PollState, world: standin.World, joined: Any) -> None:
    world.broken = RetryLater("down", after=timedelta(minutes=3))
    polling.work()
    state = PollState.objects.get()
    assert (state.failures, state.last_error["msgid"], spine.open_cases()) == (1, "down", [])
    assert timedelta(minutes=2) < state.due_at - timezone.now() <= timedelta(minutes=3)
    PollState.objects.update(due_at=spine.LONG_AGO, last_ok_at=timezone.now() - timedelta(hours=2))
    polling.work()
    assert spine.open_cases() == [("target_unreachable", 1)]
    assert ExceptionCase.objects.get().subjects.get().subject == joined
    world.broken = None
    assert cases.rerun(ExceptionCase.objects.get()) == 1
    polling.work()
    assert (spine.open_cases(), PollState.objects.get().last_error) == ([], {})


def test_a_system_that_never_answered_is_told_too(only_orders: PollState, world: standin.World) -> None:
    world.broken = RetryLater("down")
    Connection.objects.update(created_at=timezone.now() - timedelta(hours=2))
    polling.work()
    assert spine.open_kinds() == {"target_unreachable"}


def test_wrong_credentials_stop_polling(only_orders: PollState, world: standin.World, joined: Connection) -> None:
    world.broken = Misconfigured("401")
    polling.work()
    joined.refresh_from_db()
    assert (joined.state, spine.open_cases()) == ("MISCONFIGURED", [("connection_misconfigured", 1)])
    PollState.objects.update(due_at=spine.LONG_AGO)
    assert polling.work() == 0


def test_a_paused_connection_is_not_polled(only_orders: PollState, joined: Connection) -> None:
    Connection.objects.filter(pk=joined.pk).update(state="PAUSED")
    assert polling.work() == 0


def test_a_mistake_of_ours_is_a_case_that_closes_by_itself(
    only_orders: PollState, world: standin.World, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(standin.StandinShop, "poll", lambda *_a: 1 / 0)
        polling.work()
    assert spine.open_cases() == [("defect", 1)]
    PollState.objects.update(due_at=spine.LONG_AGO)
    polling.work()
    assert spine.open_cases() == []


def test_a_stream_that_is_no_more_is_forgotten(joined: Connection) -> None:
    PollState.objects.all().delete()
    PollState.objects.create(connection=joined, stream="of an older version")
    assert polling.work() == 1
    assert not PollState.objects.exists()


def _two_streams(monkeypatch: pytest.MonkeyPatch, joined: Connection) -> list[str]:
    """The shop is polled for stock, and for products, which the stock speaks of; what was polled, in order."""
    every, asked = timedelta(minutes=5), list[str]()
    goods = Stream("products", every, timedelta(0), say("Products"))
    stock = Stream("stock", every, timedelta(0), say("Stock"), after="products")
    monkeypatch.setattr(standin.StandinShop, "streams", (stock, goods))

    def poll(_self: standin.StandinShop, stream: str, _since: datetime | None, token: str | None) -> Page:
        asked.append(stream)
        return Page([], None if stream == "stock" or token else "2")

    monkeypatch.setattr(standin.StandinShop, "poll", poll)
    PollState.objects.all().delete()
    polling.prepare(joined)
    PollState.objects.filter(stream="sweep").delete()
    return asked


def test_what_speaks_of_things_waits_until_these_were_read_through_once(
    joined: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = _two_streams(monkeypatch, joined)
    while polling.work():
        pass
    assert asked == ["products", "products", "stock"]
    PollState.objects.filter(stream="stock").update(due_at=spine.LONG_AGO)
    polling.work()
    assert asked[3:] == ["stock"]


def test_it_does_not_wait_for_what_cannot_be_read(joined: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = _two_streams(monkeypatch, joined)
    PollState.objects.filter(stream="products").update(failures=1, due_at="2099-01-01T00:00:00Z")
    while polling.work():
        pass
    assert asked == ["stock"]


def test_poll_now_makes_every_stream_due(joined: Connection) -> None:
    PollState.objects.update(due_at="2099-01-01T00:00:00Z")
    PollState.objects.filter(connection=joined, stream="sweep").delete()
    polling.poll_now(joined)
    assert set(joined.polls.values_list("stream", flat=True)) == {"orders", "sweep"}
    assert pump.is_due("poll")


STATES = Stream("states", timedelta(minutes=5), timedelta(0), say("States"), restates=True)


def test_a_restated_state_is_an_event_when_it_differs(shop: Connection) -> None:
    def restate(stock: int) -> int:
        return len(inbox.store_if_moved(shop, Delivery("stock", "7", b'{"stock":%d}' % stock), "POLL"))

    assert [restate(stock) for stock in (1, 1, 2, 2, 1, 1, 2)] == [1, 0, 1, 0, 1, 0, 1]


def test_a_deleted_order_is_found_by_the_sweep(joined: Connection, world: standin.World) -> None:
    spine.teapot()
    spine.say(joined, standin.order(1, stage="PENDING"))
    spine.say(joined, standin.order(2))
    spine.run()
    world.missing = {"1", "2"}
    sweep(joined)
    first, second = Order.objects.order_by("pk")
    assert (first.stage, first.state) == ("GONE", "CANCELLED")
    assert second.stage == "GONE"
    assert spine.open_cases() == [("cancelled_after_export", 1)]
    assert ExternalReference.objects.filter(kind="order", gone=True).count() == 2
    sweep(joined)  # what is known to be gone is not asked for again
    assert InboundEvent.objects.filter(door="SWEEP").count() == 2


def sweep(joined: Connection) -> None:
    PollState.objects.exclude(connection=joined, stream="sweep").update(due_at="2099-01-01T00:00:00Z")
    PollState.objects.filter(connection=joined, stream="sweep").update(due_at=spine.LONG_AGO)
    while polling.work():
        pass
    spine.run()


def test_the_sweep_asks_page_by_page(joined: Connection, world: standin.World, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[str]] = []
    monkeypatch.setattr(polling, "SWEEP_PAGE", 2)

    def gone(_self: standin.StandinShop, ids: list[str]) -> list[str]:
        asked.append(list(ids))
        return []

    monkeypatch.setattr(standin.StandinShop, "gone", gone)
    for number in range(1, 6):
        spine.say(joined, standin.order(number))
    spine.run()
    sweep(joined)
    assert asked == [["1", "2"], ["3", "4"], ["5"]]


def test_an_order_from_the_bin_is_taken_up_again(joined: Connection, world: standin.World) -> None:
    spine.teapot()
    spine.say(joined, standin.order(1, stage="PENDING"))
    spine.run()
    world.missing = {"1"}
    sweep(joined)
    spine.say(joined, standin.order(1, updated_at=datetime.now(UTC).isoformat()))
    spine.run()
    assert Order.objects.get().state == "ACCEPTED"
    assert not ExternalReference.objects.get(kind="order").gone


def test_webhooks_that_the_shop_switched_off_are_a_case(joined: Connection) -> None:
    state = {"id": "9", "topic": "order.updated", "active": False, "status": "disabled"}
    spine.say(joined, state, topic="webhook.state")
    spine.say(joined, state | {"topic": "order.created"}, topic="webhook.state")
    spine.run()
    assert spine.open_cases() == [("webhook_disabled", 1), ("webhook_disabled", 1)]
    spine.say(joined, state | {"active": True, "status": "active"}, topic="webhook.state")
    spine.run()
    assert spine.open_cases() == [("webhook_disabled", 1)]
