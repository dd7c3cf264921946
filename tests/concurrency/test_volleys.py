"""Volleys beside other workers: whoever loses its leases settles nothing."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connections
from django.utils import timezone

from integration_hub.messaging import claims, outbox, pump, tries, volleys
from integration_hub.models import Activity, Attempt, Connection, OutboundCommand
from orders.models import Sale
from tests import spine, standin

from .together import elsewhere, once, together

pytestmark = pytest.mark.django_db(transaction=True)
TEN = 10


@pytest.fixture
def ten(joined: Connection, erp: Connection, monkeypatch: pytest.MonkeyPatch) -> Connection:
    for connection in (joined, erp):
        monkeypatch.setitem(volleys._pace, connection.pk, 0.001)
    spine.teapot()
    for number in range(1, TEN + 1):
        spine.say(joined, standin.order(number))
    pump.run("in")
    return joined


def test_a_volley_whose_leases_ran_out_settles_nothing_twice(ten: Connection, world: standin.World) -> None:
    def overtaken() -> None:
        OutboundCommand.objects.update(due_at=timezone.now() - timedelta(seconds=1))
        while outbox.deliver():
            pass

    def overtake() -> None:
        world.after = None
        elsewhere(overtaken)

    first = once(overtake)
    world.after = lambda _command: first()
    outbox.deliver()
    spine.later()
    assert spine.sales(world) == [1] * TEN
    assert Sale.objects.count() == TEN
    assert Attempt.objects.filter(command__verb="sale.write").count() == TEN
    assert Activity.objects.filter(action="orders.written").count() == TEN
    assert len(world.told) == TEN


def test_a_part_of_the_leases_lost_leaves_the_others_settled(ten: Connection, world: standin.World) -> None:
    def steal(command: Any) -> None:
        if command.reference == "laden:3":
            one = OutboundCommand.objects.get(key=f"sale:{command_of[command.reference]}")
            OutboundCommand.objects.filter(pk=one.pk).update(lease_token=uuid4(), due_at=spine.LONG_AGO)
        connections.close_all()

    command_of = {f"laden:{order.external_id}": order.pk for order in ten.order_set.all()}
    world.after = steal
    outbox.deliver()
    world.after = None
    states = OutboundCommand.objects.filter(verb="sale.write").values_list("state", flat=True)
    assert sorted(states) == ["DONE"] * (TEN - 1) + ["LEASED"]
    spine.later()
    assert (spine.sales(world), Sale.objects.count()) == ([1] * TEN, TEN)


def test_two_workers_never_send_more_at_a_time_than_allowed(
    ten: Connection, erp: Connection, world: standin.World, monkeypatch: pytest.MonkeyPatch
) -> None:
    Connection.objects.filter(pk=erp.pk).update(max_concurrent=3)
    monkeypatch.setitem(volleys._pace, erp.pk, 3.0)  # so that each takes three
    under_way, most, lock = [0], [0], threading.Lock()

    def slow(_command: Any) -> None:
        with lock:
            under_way[0] += 1
            most[0] = max(most[0], under_way[0])
        threading.Event().wait(0.05)
        with lock:
            under_way[0] -= 1

    world.before = slow
    together(*[lambda: pump.run("out")] * 3)
    pump.run("out")
    assert (spine.sales(world), most[0] <= 3) == ([1] * TEN, True)


def test_no_subject_stands_twice_in_a_volley(ten: Connection, erp: Connection) -> None:
    for order in ten.order_set.all():
        outbox.command(erp, "sale.write", f"again:{order.pk}", order)
    _token, ids = claims.claim(OutboundCommand, limit=100, lease=tries.LEASE)
    subjects = list(OutboundCommand.objects.filter(pk__in=ids).values_list("subject_id", flat=True))
    assert len(subjects) == len(set(subjects)) == TEN
