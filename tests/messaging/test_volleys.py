"""Commands sent side by side: the same rows as one by one, and no command pays for its neighbour."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import pytest
from django.core import serializers
from django.db import connection as database
from django.db import models, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from integration_hub.kernel.errors import Misconfigured, Rejected, RetryLater
from integration_hub.kernel.messages import Command
from integration_hub.messaging import breakers, dispatch, outbox, pump, stop, tries, volleys
from integration_hub.models import Activity, Attempt, Breaker, Connection, OutboundCommand
from orders.models import Sale
from tests import spine, standin

pytestmark = pytest.mark.django_db
TWENTY = 20


@pytest.fixture(autouse=True)
def known_to_be_fast(monkeypatch: pytest.MonkeyPatch, erp: Connection, shop: Connection) -> None:
    """So that the first volley takes all."""
    for connection in (erp, shop):
        monkeypatch.setitem(volleys._pace, connection.pk, 0.001)


@pytest.fixture
def twenty(joined: Connection) -> Connection:
    spine.teapot()
    for number in range(1, TWENTY + 1):
        spine.say(joined, standin.order(number))
    pump.run("in")
    return joined


def states(verb: str = "sale.write") -> dict[str, int]:
    rows = OutboundCommand.objects.filter(verb=verb).values_list("state").annotate(models.Count("pk"))
    return dict(rows)


def hit(number: int, error: Exception) -> Callable[[Command], None]:
    def hook(command: Command) -> None:
        if getattr(command, "reference", "") == f"laden:{number}":
            raise error

    return hook


def row_of(number: int) -> OutboundCommand:
    reference = {row.payload["reference"]: row.command_id for row in Attempt.objects.filter(command__verb="sale.write")}
    return OutboundCommand.objects.get(pk=reference[f"laden:{number}"])


OWN = {"at", "created_at", "due_at", "written_at", "started_at", "finished_at", "ms"}
KEYS = OWN | {"command", "attempt", "event", "order", "subject_id", "key", "params"}


def held() -> dict[str, list[str]]:
    tables: Sequence[type[models.Model]] = (Sale, Activity, OutboundCommand, Attempt)
    return {
        table.__name__: sorted(
            str({name: value for name, value in row["fields"].items() if name not in KEYS})
            for row in serializers.serialize("python", table._default_manager.all())
        )
        for table in tables
    }


@pytest.fixture
def one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(volleys, "fly", lambda *_args: volleys.Flown())


def test_side_by_side_and_one_by_one_leave_the_same_rows(twenty: Connection, request: pytest.FixtureRequest) -> None:
    with transaction.atomic():
        spine.run()
        together = held()
        transaction.set_rollback(True)
    standin.WORLD.sales.clear()
    standin.WORLD.told.clear()
    request.getfixturevalue("one_by_one")
    spine.run()
    assert states() == {"DONE": TWENTY}
    assert held() == together


def test_twenty_commands_cost_as_many_statements_as_two(joined: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(volleys, "STAGE", 60.0)
    monkeypatch.setattr(breakers, "FLUSH_EVERY", 0.0)
    spine.teapot()

    def statements(first: int, count: int) -> int:
        for number in range(first, first + count):
            spine.say(joined, standin.order(number))
        pump.run("in")
        with CaptureQueriesContext(database) as seen:
            assert outbox.deliver() == count  # to the ERP
            assert outbox.deliver() == count  # to the shop
        return len(seen)

    statements(1, 2)
    few = statements(10, 2)
    assert statements(100, TWENTY) == few
    assert few <= 70


def test_one_refused_among_twenty(twenty: Connection, world: standin.World) -> None:
    world.before = hit(7, Rejected("no such city", code="refused"))
    spine.run()
    assert states() == {"DONE": TWENTY - 1, "PARKED": 1}
    assert (spine.sales(world), spine.open_cases()) == ([1] * (TWENTY - 1), [("target_refused", 1)])
    assert (row_of(7).maybe_sent, Attempt.objects.get(command=row_of(7)).outcome) == (False, "REFUSED")
    assert states("shop.accepted") == {"DONE": TWENTY - 1}


def test_one_unclear_among_twenty(twenty: Connection, world: standin.World) -> None:
    world.after = hit(7, RetryLater("No answer in time.", maybe_written=True, code="no_answer"))
    spine.run()
    unclear = row_of(7)
    assert states() == {"DONE": TWENTY - 1, "DUE": 1}
    assert unclear.maybe_sent
    assert unclear.due_at - timezone.now() > timedelta(seconds=25)
    world.after = None
    spine.later()
    assert (states(), spine.sales(world)) == ({"DONE": TWENTY}, [1] * TWENTY)
    assert list(Attempt.objects.filter(command=unclear).order_by("number").values_list("outcome", flat=True)) == [
        "AMBIGUOUS",
        "FOUND",
    ]


def test_a_defect_of_one_is_its_own(twenty: Connection, world: standin.World) -> None:
    world.after = hit(7, KeyError("number"))
    spine.run()
    assert states() == {"DONE": TWENTY - 1, "PARKED": 1}
    assert (row_of(7).maybe_sent, spine.open_kinds()) == (True, {"defect"})


@pytest.mark.parametrize("error", [RetryLater("slow down", code="slow_down"), Misconfigured("401")])
def test_what_stops_the_connection_stops_the_volley(
    twenty: Connection, erp: Connection, world: standin.World, error: Exception
) -> None:
    world.before = hit(1, error)
    Connection.objects.filter(pk=erp.pk).update(max_concurrent=1)
    assert outbox.deliver() == TWENTY
    assert world.sales == {}
    rest = OutboundCommand.objects.exclude(pk=row_of(1).pk)
    assert set(rest.values_list("state", "maybe_sent", "attempts", "lease_token")) == {("DUE", False, 0, None)}
    assert Attempt.objects.count() == 1


def test_no_more_at_a_time_than_the_connection_bears(twenty: Connection, erp: Connection, world: standin.World) -> None:
    Connection.objects.filter(pk=erp.pk).update(max_concurrent=3)
    under_way, most, lock = [0], [0], threading.Lock()

    def count(step: int) -> None:
        with lock:
            under_way[0] += step
            most[0] = max(most[0], under_way[0])

    def slow(_command: Command) -> None:
        count(1)
        time.sleep(0.02)
        count(-1)

    world.before = slow
    assert outbox.deliver() == TWENTY
    assert most == [3]


def test_sales_of_one_customer_go_one_after_the_other(joined: Connection, world: standin.World) -> None:
    spine.teapot()
    for number in range(1, 9):
        spine.say(joined, standin.order(number, email="erika@example.com"))
    pump.run("in")
    under_way, most = set[str](), set[int]()

    def slow(command: Command) -> None:
        under_way.add(getattr(command, "reference", ""))
        most.add(len(under_way))
        time.sleep(0.01)
        under_way.clear()

    world.before = slow
    spine.run()
    assert (most, spine.sales(world)) == ({1}, [1] * 8)


@pytest.fixture
def stopping(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stop, "_asked", threading.Event())


@pytest.mark.usefixtures("stopping")
def test_a_stop_lets_what_is_under_way_end_and_gives_the_rest_back(
    twenty: Connection, erp: Connection, world: standin.World
) -> None:
    Connection.objects.filter(pk=erp.pk).update(max_concurrent=2)
    world.before = lambda _command: stop.ask()
    outbox.deliver()
    sent = len(world.sales)
    assert 1 <= sent <= 2
    assert states() == {"DONE": sent, "DUE": TWENTY - sent}
    rest = OutboundCommand.objects.filter(verb="sale.write", state="DUE")
    assert set(rest.values_list("maybe_sent", "attempts", "lease_token")) == {(False, 0, None)}


def test_what_is_not_begun_in_time_is_given_back(
    twenty: Connection, world: standin.World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(volleys, "BEGIN_WITHIN", -1.0)
    assert outbox.deliver() == TWENTY
    assert (states(), world.sales) == ({"DUE": TWENTY}, {})


def test_what_cannot_be_settled_together_is_settled_one_by_one(
    twenty: Connection, world: standin.World, monkeypatch: pytest.MonkeyPatch
) -> None:
    verb = dispatch.verb("sale.write")
    assert verb.many

    def broken(_done: object) -> None:
        Breaker.objects.create(connection=twenty)
        raise ZeroDivisionError

    many = dispatch.Many(verb.many.build, broken)
    monkeypatch.setitem(dispatch._verbs, "sale.write", dispatch.Verb(verb.build, verb.done, "", many=many))
    spine.run()
    assert (states(), spine.sales(world), Sale.objects.count()) == ({"DONE": TWENTY}, [1] * TWENTY, TWENTY)
    assert Attempt.objects.filter(command__verb="sale.write").count() == TWENTY
    assert not Breaker.objects.filter(connection=twenty, window={}).exists()


def test_what_cannot_be_built_together_is_built_one_by_one(
    twenty: Connection, world: standin.World, monkeypatch: pytest.MonkeyPatch
) -> None:
    verb = dispatch.verb("sale.write")
    assert verb.many

    def broken(_commands: object) -> Any:
        raise ZeroDivisionError

    many = dispatch.Many(broken, verb.many.done)
    monkeypatch.setitem(dispatch._verbs, "sale.write", dispatch.Verb(verb.build, verb.done, "", many=many))
    spine.run()
    assert (states(), spine.sales(world)) == ({"DONE": TWENTY}, [1] * TWENTY)


def test_an_order_that_is_not_wanted_any_more_is_left_out(twenty: Connection, world: standin.World) -> None:
    spine.say(twenty, standin.order(7, stage="CANCELLED", updated_at="2026-11-20T11:00:00Z"))
    pump.run("in")
    spine.run()
    assert states() == {"DONE": TWENTY - 1, "CANCELLED": 1}
    assert "laden:7" not in world.sales


def test_a_slow_target_gets_few_at_a_time(erp: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(volleys._pace, erp.pk)
    assert volleys.most(erp.pk, 4) == 4
    for took, expected in ((0.005, volleys.MOST), (1.0, 8), (30.0, 4)):
        monkeypatch.setitem(volleys._pace, erp.pk, took)
        assert volleys.most(erp.pk, 4) == expected


def test_the_lease_outlasts_whatever_is_begun() -> None:
    assert tries.LEASE.total_seconds() > volleys.BEGIN_WITHIN + tries.DEADLINE
