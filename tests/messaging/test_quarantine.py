"""An event that takes too long again and again is set apart; what came with it flows on."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from typing import Any

import pytest
from django_q.exceptions import TimeoutException

from exceptions.models import ExceptionCase
from integration_hub.connectors.base import Delivery
from integration_hub.kernel.messages import Report
from integration_hub.messaging import claims, inbox, outbox, tries, volleys
from integration_hub.models import Connection, InboundEvent, OutboundCommand
from tests import spine, standin

pytestmark = pytest.mark.django_db


def hangs(object_id: str) -> Callable[[Any, Delivery], list[Report]]:
    """django-q2's alarm goes off in the middle of this one, as for any task over its time."""
    real = standin.StandinShop.parse

    def parse(self: standin.StandinShop, delivery: Delivery) -> list[Report]:
        if delivery.object_id == object_id:
            raise TimeoutException
        return list(real(self, delivery))

    return parse


def test_an_event_over_its_time_is_set_apart_after_three_times_alone(
    joined: Connection, world: standin.World, monkeypatch: pytest.MonkeyPatch
) -> None:
    spine.teapot()
    for number in (1, 2, 3):
        spine.say(joined, standin.order(number))
    monkeypatch.setattr(standin.StandinShop, "parse", hangs("2"))
    cut_off = 0
    for _time in range(12):
        InboundEvent.objects.filter(state="LEASED").update(due_at=spine.LONG_AGO)
        try:
            inbox.process()
        except TimeoutException:
            cut_off += 1
    assert cut_off == 4  # once in company, where it is nobody's fault yet, and three times alone
    assert dict(InboundEvent.objects.values_list("object_id", "state")) == {"1": "DONE", "2": "PARKED", "3": "DONE"}
    assert InboundEvent.objects.get(object_id="2").reason_code == "kills_worker"
    assert list(ExceptionCase.objects.values_list("kind", flat=True)) == ["defect"]
    outbox.deliver()
    assert sorted(world.sales) == ["laden:1", "laden:3"]


def test_commands_beside_one_that_hangs_are_given_back_at_once(
    joined: Connection, erp: Connection, world: standin.World, monkeypatch: pytest.MonkeyPatch
) -> None:
    Connection.objects.filter(pk=erp.pk).update(max_concurrent=2)
    spine.teapot()
    for number in (1, 2, 3, 4):
        spine.say(joined, standin.order(number))
    inbox.process()
    free = threading.Event()

    def alarm(*_signal: object) -> None:
        raise TimeoutException

    def hang(_command: object) -> None:
        free.wait(20)

    world.before = hang
    monkeypatch.setitem(volleys._pace, erp.pk, 0.001)
    before = signal.signal(signal.SIGALRM, alarm)  # as django-q2 does it
    signal.setitimer(signal.ITIMER_REAL, 0.5)
    try:
        with pytest.raises(TimeoutException):
            outbox.deliver()
    finally:
        signal.signal(signal.SIGALRM, before)
        world.before = None
    rows = OutboundCommand.objects.order_by("pk").values_list("state", "attempts", "maybe_sent")
    assert list(rows) == [("LEASED", 1, True)] * 2 + [("DUE", 0, False)] * 2
    assert outbox.deliver() == 0  # what hangs may still be under way there
    Connection.objects.filter(pk=erp.pk).update(max_concurrent=4)
    assert outbox.deliver() == 2
    free.set()
    assert {"laden:3", "laden:4"} <= set(world.sales)


def test_only_a_death_over_a_command_alone_counts_against_it(joined: Connection, world: standin.World) -> None:
    spine.teapot()
    for number in (1, 2):
        spine.say(joined, standin.order(number))
    inbox.process()
    _token, both = claims.claim(OutboundCommand, limit=2, lease=tries.LEASE)
    assert len(both) == 2
    counted = []
    for _death in range(3):
        OutboundCommand.objects.filter(pk=both[0]).update(due_at=spine.LONG_AGO)
        assert claims.claim(OutboundCommand, limit=2, lease=tries.LEASE)[1] == both[:1]
        counted.append(OutboundCommand.objects.get(pk=both[0]).crashes)
    assert counted == [0, 1, 2]  # the first death was over both
    assert OutboundCommand.objects.get(pk=both[1]).crashes == 0
