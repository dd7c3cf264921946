"""More than one machine, and machines that do not agree about the time: every order once."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from django.utils import timezone

from integration_hub.messaging import clock, polling
from integration_hub.models import Connection, InboundEvent, PollState
from orders.models import Order, Sale
from tests import spine, standin
from tests.demo.programs import free_port, started

from .outside import post, ready, web
from .running import SCRIPT, Books, environment_of, leased, until, worker

pytestmark = pytest.mark.django_db(transaction=True)
ORDERS = 300
HOUR = 3600


def test_two_machines_take_every_order_once(sold: Connection, books: Books, tmp_path: Path) -> None:
    for number in range(1, ORDERS + 1):
        assert spine.deliver(standin.order(number)).status_code == 200
        if number % 3 == 0:
            spine.deliver(standin.order(number))  # shops say things twice
    with worker(tmp_path, books, name="one") as one, worker(tmp_path, books, name="two") as two:
        one.until(lambda: Sale.objects.count() == ORDERS, 180, "all sales")
        two.until(lambda: not leased(), 10, "peace")
    assert (len(books.written()), books.doubled()) == (ORDERS, [])
    assert Order.objects.count() == ORDERS
    assert set(InboundEvent.objects.values_list("state", flat=True)) == {"DONE"}


def test_hosts_two_hours_apart(sold: Connection, books: Books, tmp_path: Path) -> None:
    """The web an hour ahead, one worker an hour behind and another one ahead: nobody waits an hour for anything."""
    ahead, behind = str(HOUR), str(-HOUR)
    with (
        worker(tmp_path, books, name="behind", STANDIN_SKEW=behind) as running,
        worker(tmp_path, books, name="ahead", STANDIN_SKEW=ahead),
        time_machine.travel(timezone.now() + timedelta(hours=1), tick=True),
    ):
        for number in range(1, 11):
            spine.deliver(standin.order(number))
        running.until(lambda: Sale.objects.count() == 10, 60, "ten sales")
    assert books.doubled() == []
    assert not InboundEvent.objects.filter(due_at__gt=clock.now() + timedelta(minutes=5)).exists()


@pytest.mark.parametrize("hours", [-1, 1])
def test_polling_goes_by_the_clock_of_the_database(joined: Connection, world: standin.World, hours: int) -> None:
    """A clock ahead would ask for changes from a moment that is yet to come, and miss what lies before."""
    with time_machine.travel(timezone.now() + timedelta(hours=hours), tick=True):
        polling.work()
        polling.work()
    state = PollState.objects.get(connection=joined, stream="orders")
    assert state.since is not None
    assert abs(clock.now() - timedelta(minutes=15) - state.since) < timedelta(minutes=1)
    assert abs(clock.now() + timedelta(minutes=5) - state.due_at) < timedelta(minutes=1)


@pytest.mark.parametrize("hours", [-1, 1])
def test_pauses_go_by_the_clock_of_the_database(joined: Connection, world: standin.World, hours: int) -> None:
    spine.teapot()
    world.after = standin.timeout
    with time_machine.travel(timezone.now() + timedelta(hours=hours), tick=True):
        spine.say(joined, standin.order(1))
        spine.run()
        assert spine.open_cases() == []  # one try is not an hour of silence
    world.after = None
    spine.later()
    assert spine.sales(world) == [1]


def test_web_and_workers_on_several_addresses(sold: Connection, books: Books, tmp_path: Path) -> None:
    """Two web servers and two workers, each as a host of its own on the loopback; a shop sends the same to both."""
    port = free_port()
    addresses = {name: f"http://{host}:{port}" for name, host in (("a", "127.0.0.2"), ("b", "127.0.0.3"))}
    for name in addresses:
        (tmp_path / f"web-{name}").mkdir()
    with (
        started(
            *web(port, host="127.0.0.2"),
            script=SCRIPT,
            output=tmp_path / "a.log",
            given=environment_of(tmp_path / "web-a", books) | {"HUB_ALLOWED_HOSTS": "127.0.0.2"},
        ),
        started(
            *web(port, host="127.0.0.3"),
            script=SCRIPT,
            output=tmp_path / "b.log",
            given=environment_of(tmp_path / "web-b", books) | {"HUB_ALLOWED_HOSTS": "127.0.0.3"},
        ),
        worker(tmp_path, books, name="one") as running,
        worker(tmp_path, books, name="two"),
    ):
        for address in addresses.values():
            until(lambda address=address: ready(address) == 200, 60, "the web")  # type: ignore[misc]
        for number in range(1, 31):
            assert [post(address, number) for address in addresses.values()] == [200, 200]
        running.until(lambda: Sale.objects.count() == 30, 120, "all sales")
    assert (len(books.written()), books.doubled()) == (30, [])
    assert InboundEvent.objects.count() == 30
