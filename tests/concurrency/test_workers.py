"""Many workers on one queue: nothing twice, nothing lost, nothing out of order."""

from __future__ import annotations

import json
import threading
from collections import defaultdict
from typing import Any

import pytest

from exceptions.models import CaseSubject
from integration_hub.messaging import claims, inbox, outbox, pump
from integration_hub.models import Attempt, Connection, InboundEvent, OutboundCommand
from integration_hub.models.inbound import Door
from orders import services
from orders.models import Order
from tests import spine, standin

from .together import elsewhere, together

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_same_webhook_ten_times_at_once_is_one_event(joined: Connection, world: standin.World) -> None:
    spine.teapot()
    body, answers = json.dumps(standin.order(1)).encode(), []
    together(*[lambda: answers.append(spine.post(body).json()["stored"])] * 10)
    assert (sorted(answers), InboundEvent.objects.count()) == ([0] * 9 + [1], 1)
    together(*[spine.run] * 3)
    assert spine.sales(world) == [1]


def test_workers_that_drain_one_backlog_do_every_order_once(joined: Connection, world: standin.World) -> None:
    spine.teapot()
    for number in range(1, 31):
        spine.say(joined, standin.order(number))
    together(*[spine.run] * 3)
    spine.run()
    assert spine.sales(world) == [1] * 30
    assert set(InboundEvent.objects.values_list("state", flat=True)) == {"DONE"}
    assert Attempt.objects.filter(command__verb="sale.write").count() == 30
    assert len(world.told) == 30


def test_webhook_and_poll_at_once_are_one_order_and_one_sale(joined: Connection, world: standin.World) -> None:
    spine.teapot()
    for number in range(1, 6):
        spine.say(joined, standin.order(number))
        spine.say(joined, standin.order(number), topic="order.polled", door=Door.POLL)
    InboundEvent.objects.filter(topic="order.polled").update(object_id="")  # so nothing keeps them in order
    together(one_by_one, one_by_one)
    spine.later()
    assert (Order.objects.count(), spine.sales(world)) == (5, [1] * 5)
    assert sorted(InboundEvent.objects.values_list("state", flat=True)) == ["DONE"] * 5 + ["IGNORED"] * 5


def one_by_one() -> None:
    while inbox.process(limit=1):
        pass


def test_claims_never_overlap(joined: Connection) -> None:
    for number in range(40):
        spine.say(joined, standin.order(number))
    taken: list[int] = []
    together(*[lambda: taken.extend(claims.claim(InboundEvent, limit=7, lease=inbox.LEASE)[1])] * 6)
    assert len(taken) == len(set(taken))


def test_reports_of_one_order_stay_in_order(joined: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[str, list[Any]] = defaultdict(list)
    real = services.record

    def record(channel: Connection, report: Any, event: InboundEvent) -> str | None:
        seen[report.external_id].append(event.pk)
        return real(channel, report, event)

    monkeypatch.setattr(services, "record", record)
    for second in range(6):
        for number in range(1, 5):
            spine.say(joined, standin.order(number, updated_at=f"2026-11-20T10:00:0{second}Z"))
    together(*[spine.run] * 3)
    spine.run()
    assert all(ids == sorted(ids) and len(ids) == 6 for ids in seen.values())
    assert len(seen) == 4


def shipped(number: int, parcels: int) -> dict[str, Any]:
    """The ERP says that the sale of this order left in so many parcels of one teapot each."""
    return {
        "topic": "sale.polled",
        "id": f"S-laden:{number}",
        "number": f"VK-#{number}",
        "stage": "PARTLY_SHIPPED",
        "updated_at": "2026-11-21T10:00:00Z",
        "shipments": [
            {"id": f"P{number}-{place}", "tracking": f"T{place}", "lines": [["TK-100", "1"]]}
            for place in range(parcels)
        ],
    }


def test_commands_of_one_order_stay_in_order(joined: Connection, erp: Connection, world: standin.World) -> None:
    spine.teapot()
    Connection.objects.filter(pk=joined.pk).update(state="MISCONFIGURED")  # the shop reports and hears nothing yet
    for number in range(1, 6):
        spine.say(joined, standin.order(number))
    spine.run()
    for number in range(1, 6):
        spine.say(erp, shipped(number, parcels=2), topic="sale.polled")
    spine.run()
    Connection.objects.filter(pk=joined.pk).update(state="ACTIVE")
    together(*[lambda: pump.run("out")] * 3)
    pump.run("out")
    told: dict[str, list[str]] = defaultdict(list)
    for command in world.told:
        parcel = getattr(command, "parcel", None)
        told[getattr(command, "reference", "")].append(parcel.number if parcel else type(command).__name__)
    assert dict(told) == {f"laden:{n}": ["TellAccepted", f"P{n}-0", f"P{n}-1"] for n in range(1, 6)}


def test_two_workers_never_send_one_command_at_once(joined: Connection, world: standin.World) -> None:
    spine.teapot()
    spine.say(joined, standin.order(1))
    pump.run("in")
    sending, free = threading.Event(), threading.Event()

    def slow(_command: Any) -> None:
        sending.set()
        free.wait(20)

    def second() -> None:
        sending.wait(20)
        assert outbox.deliver() == 0
        free.set()

    world.before = slow
    together(outbox.deliver, second)
    assert (spine.sales(world), OutboundCommand.objects.get(verb="sale.write").state) == ([1], "DONE")


def test_an_edit_during_sending_is_sent_or_becomes_a_case(joined: Connection, world: standin.World) -> None:
    spine.teapot()
    numbers = range(1, 9)
    for number in numbers:
        spine.say(joined, standin.order(number))
    pump.run("in")
    for number in numbers:
        edit = {"city": "Bremen", "postal_code": "28195", "updated_at": "2026-11-20T11:00:00Z"}
        spine.say(joined, standin.order(number, **edit))
    together(lambda: pump.run("in"), lambda: pump.run("out"))
    spine.later()
    cased = edited_cases()
    written = {name: [command.billing.city for command in held] for name, held in world.sales.items()}
    assert len(written) == 8
    for order in Order.objects.all():
        expected = ["Hamburg"] if order.pk in cased else ["Bremen"]
        assert written[order.reference] == expected


def edited_cases() -> set[int]:
    rows = CaseSubject.objects.filter(open=True, case__state="OPEN", case__kind="edited_after_export")
    return set(rows.values_list("subject_id", flat=True))


def test_an_edit_that_comes_while_the_erp_writes_is_a_case(joined: Connection, world: standin.World) -> None:
    spine.teapot()
    spine.say(joined, standin.order(1))
    pump.run("in")

    def edit(_command: Any) -> None:
        world.before = None
        spine.say(joined, standin.order(1, city="Bremen", postal_code="28195", updated_at="2026-11-20T11:00:00Z"))
        elsewhere(lambda: pump.run("in"))

    world.before = edit
    spine.run()
    assert [command.billing.city for command in world.sales["laden:1"]] == ["Hamburg"]
    assert spine.open_kinds() == {"edited_after_export"}
