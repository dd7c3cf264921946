"""Real processes killed at the worst moment: the ERP holds one sale, and no event is lost."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from django.db import transaction
from django.utils import timezone

from exceptions.models import ExceptionCase
from integration_hub.kernel.messages import WriteSale
from integration_hub.messaging import clock, leases, pump
from integration_hub.models import Attempt, Connection, InboundEvent, OutboundCommand
from orders import commands
from orders.models import Sale
from tests import spine, standin

from .doomed import KILLED
from .together import process

pytestmark = pytest.mark.django_db(transaction=True)


def test_killed_between_the_answer_of_the_erp_and_our_commit(
    joined: Connection, world: standin.World, tmp_path: Path
) -> None:
    spine.teapot()
    spine.say(joined, standin.order(1))
    pump.run("in")
    ledger = tmp_path / "ledger"
    assert process("doomed", "written", str(ledger)) == KILLED
    assert ledger.read_text() == "written laden:1\n"
    row = OutboundCommand.objects.get(verb="sale.write")
    assert (row.state, row.maybe_sent, Attempt.objects.count()) == ("LEASED", True, 0)
    assert pump.run("out") == 0  # nobody touches it before its lease is over
    world.sales["laden:1"] = [written(row)]  # what the other process wrote
    spine.later()
    assert spine.sales(world) == [1]
    assert list(Attempt.objects.filter(command=row).values_list("outcome", flat=True)) == ["FOUND"]
    assert Sale.objects.get().number == "VK-#1"
    assert [type(told).__name__ for told in world.told] == ["TellAccepted"]


@transaction.atomic
def written(row: OutboundCommand) -> WriteSale:
    """What the command says, as the dead process had built it."""
    payload = commands.build_sale(row)
    assert payload
    return payload


def test_killed_by_one_event_again_and_again(joined: Connection, world: standin.World, tmp_path: Path) -> None:
    spine.teapot()
    for number in (1, 2):
        spine.say(joined, standin.order(number))
    ledger = tmp_path / "ledger"
    for _time in range(4):  # over the batch, then three times over this event alone
        assert process("doomed", "parsing", str(ledger)) == KILLED
        InboundEvent.objects.filter(pk=InboundEvent.objects.earliest("pk").pk).update(due_at=spine.LONG_AGO)
    spine.run()
    first, second = InboundEvent.objects.order_by("pk")
    assert (first.state, first.reason_code) == ("PARKED", "kills_worker")
    assert (ExceptionCase.objects.get().kind, bytes(first.body)[:1]) == ("defect", b"{")
    spine.later()
    second.refresh_from_db()
    assert (second.state, sorted(world.sales)) == ("DONE", ["laden:2"])


def test_killed_in_the_middle_of_a_volley(joined: Connection, world: standin.World, tmp_path: Path) -> None:
    spine.teapot()
    for number in range(1, 9):
        spine.say(joined, standin.order(number))
    pump.run("in")
    ledger = tmp_path / "ledger"
    assert process("doomed", "written", str(ledger)) == KILLED
    arrived = {line.split(":")[1] for line in ledger.read_text().splitlines()}
    taken = OutboundCommand.objects.filter(verb="sale.write", state="LEASED", maybe_sent=True)
    assert arrived
    assert taken.count() == 4  # as many as go at a time
    for row in taken:
        sale = written(row)
        if sale.reference.split(":")[1] in arrived:
            world.sales[sale.reference] = [sale]
    spine.later()
    assert spine.sales(world) == [1] * 8
    outcomes = list(Attempt.objects.filter(command__verb="sale.write").values_list("outcome", flat=True))
    assert sorted(outcomes) == ["DONE"] * (8 - len(arrived)) + ["FOUND"] * len(arrived)
    assert len(world.told) == 8


def test_a_worker_that_was_killed_holds_nothing_for_long(joined: Connection) -> None:
    spine.teapot()
    for number in (1, 2, 3):
        spine.say(joined, standin.order(number))
    pump.run("in")
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    first, second, third = OutboundCommand.objects.order_by("pk")
    later = timezone.now() + timedelta(minutes=3)
    for row, pid, sent in ((first, gone.pid, False), (second, gone.pid, True), (third, os.getpid(), False)):
        token = UUID(hex=f"0badcafe{pid:08x}{row.pk:016x}")
        OutboundCommand.objects.filter(pk=row.pk).update(
            state="LEASED", lease_token=token, due_at=later, maybe_sent=sent
        )
    assert leases.expire_dead("0badcafe") == 2
    assert leases.expire_dead("0badcafe") == 0
    due = dict(OutboundCommand.objects.values_list("pk", "due_at"))
    assert due[first.pk] <= clock.now()
    assert timedelta(0) < due[second.pk] - clock.now() <= leases.UNCLEAR  # it may still be under way there
    assert due[third.pk] == later
