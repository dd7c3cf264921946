"""Sending: exactly once in effect, and who acts next after each answer."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import OperationalError
from django.utils import timezone

from exceptions import services as cases
from exceptions.models import ExceptionCase
from integration_hub.kernel.errors import HubError, Misconfigured, Rejected, RetryLater, Unsupported
from integration_hub.kernel.messages import Command
from integration_hub.messaging import checks, claims, dispatch, outbox, pump, tries
from integration_hub.models import Attempt, Connection, InboundEvent, OutboundCommand
from orders.models import Order, Sale
from tests import spine, standin
from tests.conftest import make_connection

pytestmark = pytest.mark.django_db


@pytest.fixture
def ordered(joined: Connection) -> Connection:
    """A good order is accepted; nothing is sent yet."""
    spine.teapot()
    spine.say(joined, standin.order(1))
    return joined


def fails(error: Exception) -> Callable[[Command], None]:
    def hook(_command: Command) -> None:
        raise error

    return hook


def sale() -> OutboundCommand:
    return OutboundCommand.objects.get(verb="sale.write")


def outcomes() -> list[str]:
    return list(Attempt.objects.filter(command=sale()).order_by("number").values_list("outcome", flat=True))


def test_try_again_waits_as_long_as_the_target_asks(ordered: Connection, world: standin.World) -> None:
    world.before = fails(RetryLater("slow down", after=timedelta(minutes=9)))
    spine.run()
    row = sale()
    assert (row.state, row.maybe_sent, outcomes()) == ("DUE", False, ["RETRY"])
    assert timedelta(minutes=8) < row.due_at - timezone.now() <= timedelta(minutes=9)
    world.before = None
    spine.later()
    assert (sale().state, sale().first_failed_at, spine.sales(world)) == ("DONE", None, [1])


def test_after_an_unclear_answer_it_pauses_and_looks_first(ordered: Connection, world: standin.World) -> None:
    world.after = standin.timeout
    spine.run()
    row = sale()
    assert row.maybe_sent
    assert row.due_at - timezone.now() > timedelta(seconds=29)
    world.after = None
    spine.later()
    assert (outcomes(), spine.sales(world)) == (["AMBIGUOUS", "FOUND"], [1])
    assert Sale.objects.get().number == "VK-#1"


def test_what_never_arrived_is_sent_once_more(ordered: Connection, world: standin.World) -> None:
    world.before = standin.timeout  # the request is lost before the ERP writes
    spine.run()
    world.before = None
    spine.later()
    assert (outcomes(), spine.sales(world)) == (["AMBIGUOUS", "DONE"], [1])


def test_an_order_cancelled_while_it_was_unclear_is_not_sent(ordered: Connection, world: standin.World) -> None:
    world.before = standin.timeout
    spine.run()
    world.before = None
    spine.say(ordered, standin.order(1, stage="CANCELLED", updated_at="2026-11-20T11:00:00Z"))
    spine.run()
    assert spine.open_kinds() == {"cancelled_after_export"}
    spine.later()
    assert (world.sales, sale().state) == ({}, "CANCELLED")
    assert spine.open_cases() == []  # nothing was written, so nothing is to be cancelled there


def test_an_order_edited_while_it_was_unclear_is_sent_as_it_is_now(ordered: Connection, world: standin.World) -> None:
    world.before = standin.timeout
    spine.run()
    world.before = None
    spine.say(ordered, standin.order(1, city="Bremen", postal_code="28195", updated_at="2026-11-20T11:00:00Z"))
    spine.run()
    assert spine.open_kinds() == {"edited_after_export"}
    spine.later()
    assert [command.billing.city for command in world.sales["laden:1"]] == ["Bremen"]
    assert spine.open_cases() == []


def test_an_edit_while_the_erp_is_down_is_what_it_gets(ordered: Connection, world: standin.World) -> None:
    def edit(_command: Command) -> None:
        world.before = None
        spine.say(ordered, standin.order(1, city="Bremen", postal_code="28195", updated_at="2026-11-20T11:00:00Z"))
        pump.run("in")
        raise RetryLater("down for maintenance")

    world.before = edit
    spine.run()
    assert spine.open_kinds() == {"edited_after_export"}
    spine.later()
    assert [command.billing.city for command in world.sales["laden:1"]] == ["Bremen"]
    assert spine.open_cases() == []


def test_an_edit_that_cannot_be_read_any_more_stays_a_case(ordered: Connection, world: standin.World) -> None:
    world.before = standin.timeout
    spine.run()
    world.before = None
    spine.say(ordered, standin.order(1, city="Bremen", postal_code="28195", updated_at="2026-11-20T11:00:00Z"))
    spine.run()
    InboundEvent.objects.filter(pk=InboundEvent.objects.latest("pk").pk).update(body=b"erased")
    spine.later()
    assert [command.billing.city for command in world.sales["laden:1"]] == ["Hamburg"]
    assert spine.open_kinds() == {"edited_after_export"}


def test_an_edit_after_the_erp_has_written_is_a_case_and_nothing_is_repeated(
    ordered: Connection, world: standin.World
) -> None:
    world.after = standin.timeout
    spine.run()
    world.after = None
    spine.say(ordered, standin.order(1, city="Bremen", postal_code="28195", updated_at="2026-11-20T11:00:00Z"))
    spine.later()
    assert [command.billing.city for command in world.sales["laden:1"]] == ["Hamburg"]
    assert spine.open_kinds() == {"edited_after_export"}


@pytest.fixture
def cannot_find(monkeypatch: pytest.MonkeyPatch) -> None:
    def find(self: standin.StandinErp, _command: Command) -> None:
        raise Unsupported("no way to ask")

    monkeypatch.setattr(standin.StandinErp, "find", find)


@pytest.mark.usefixtures("cannot_find")
def test_an_unclear_answer_that_cannot_be_looked_up_is_parked_and_never_guessed(
    ordered: Connection, world: standin.World
) -> None:
    world.after = standin.timeout
    spine.run()
    world.after = None
    spine.later()
    row = sale()
    assert (row.state, row.maybe_sent, row.reason_code) == ("PARKED", True, "unclear")
    assert spine.open_kinds() == {"target_refused"}
    assert cases.rerun(ExceptionCase.objects.get()) == 1
    spine.run()
    assert (spine.sales(world), sale().state) == ([1], "PARKED")


@pytest.mark.parametrize("error", [RetryLater("no answer"), Misconfigured("401"), Rejected("500 lines")])
def test_a_look_that_fails_leaves_it_unclear(
    ordered: Connection, world: standin.World, monkeypatch: pytest.MonkeyPatch, error: HubError
) -> None:
    def find(self: standin.StandinErp, _command: Command) -> None:
        raise error

    world.after = standin.timeout
    spine.run()
    with monkeypatch.context() as patch:
        patch.setattr(standin.StandinErp, "find", find)
        spine.later()
    assert sale().maybe_sent
    world.after = None
    Connection.objects.update(state="ACTIVE")
    OutboundCommand.objects.update(state="DUE")
    spine.later()
    assert spine.sales(world) == [1]


def test_refused_is_parked_with_the_answer_and_runs_again(ordered: Connection, world: standin.World) -> None:
    world.before = fails(Rejected("The tax code is missing", code="refused", detail="422 tax_code"))
    spine.run()
    case = ExceptionCase.objects.get()
    assert (case.kind, case.subjects.get().subject, str(case.amount)) == (
        "target_refused",
        Order.objects.get(),
        "28.7000",
    )
    assert case.found["msgid"] == "The tax code is missing"
    assert (sale().state, outcomes()) == ("PARKED", ["REFUSED"])
    world.before = None
    assert cases.rerun(case) == 1
    spine.run()
    assert (spine.sales(world), spine.open_cases()) == ([1], [])


def test_a_refused_order_runs_again_when_the_shop_corrects_it(ordered: Connection, world: standin.World) -> None:
    world.before = fails(Rejected("no such city"))
    spine.run()
    world.before = None
    spine.say(ordered, standin.order(1, city="Bremen", postal_code="28195", updated_at="2026-11-20T11:00:00Z"))
    spine.run()
    assert (spine.sales(world), spine.open_cases()) == ([1], [])


def test_the_case_of_a_refused_order_closes_when_the_order_is_cancelled(
    ordered: Connection, world: standin.World
) -> None:
    world.before = fails(Rejected("no"))
    spine.run()
    spine.say(ordered, standin.order(1, stage="CANCELLED", updated_at="2026-11-20T11:00:00Z"))
    spine.run()
    assert (sale().state, spine.open_cases(), world.sales) == ("CANCELLED", [], {})


def test_a_mistake_of_ours_after_sending_is_a_defect_that_may_have_arrived(
    ordered: Connection, world: standin.World
) -> None:
    world.after = fails(KeyError("number"))
    spine.run()
    row = sale()
    assert (row.state, row.maybe_sent, outcomes(), spine.open_kinds()) == ("PARKED", True, ["DEFECT"], {"defect"})
    world.after = None
    cases.rerun(ExceptionCase.objects.get())
    spine.run()
    assert (spine.sales(world), outcomes(), spine.open_cases()) == ([1], ["DEFECT", "FOUND"], [])


def test_a_busy_database_after_the_answer_is_no_defect(
    ordered: Connection, world: standin.World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(*_args: Any) -> None:
        raise OperationalError("deadlock detected")

    with monkeypatch.context() as patch:
        patch.setitem(dispatch._verbs, "sale.write", dispatch.Verb(dispatch.verb("sale.write").build, busy, ""))
        spine.run()
    assert (sale().state, sale().maybe_sent, spine.open_cases()) == ("DUE", True, [])
    spine.later()
    assert (spine.sales(world), outcomes()) == ([1], ["AMBIGUOUS", "FOUND"])


def test_wrong_credentials_stop_sending_and_polling_until_tested(
    ordered: Connection, erp: Connection, world: standin.World, person: Any
) -> None:
    world.before = fails(Misconfigured("401"))
    spine.say(ordered, standin.order(2))
    spine.run()
    erp.refresh_from_db()
    assert (erp.state, spine.open_cases()) == ("MISCONFIGURED", [("connection_misconfigured", 1)])
    assert spine.later() == 0
    world.before = None
    checks.judge(erp, by=person("integrator"), found={"findings": [{"ok": True, "text": {}}]})
    spine.run()
    assert (spine.sales(world), spine.open_cases()) == ([1, 1], [])


def test_people_are_told_after_an_hour_and_the_case_closes_by_itself(
    ordered: Connection, world: standin.World, erp: Connection
) -> None:
    world.before = fails(RetryLater("down"))
    spine.run()
    assert spine.open_cases() == []
    OutboundCommand.objects.update(first_failed_at=timezone.now() - timedelta(hours=2))
    spine.say(ordered, standin.order(2))
    spine.later()
    OutboundCommand.objects.update(first_failed_at=timezone.now() - timedelta(hours=2))
    spine.later()
    assert spine.open_cases() == [("target_unreachable", 2)]
    world.before = None
    cases.rerun(ExceptionCase.objects.get())
    spine.run()
    assert (spine.sales(world), spine.open_cases()) == ([1, 1], [])


def test_people_are_told_after_a_dozen_tries(ordered: Connection, world: standin.World) -> None:
    world.before = fails(RetryLater("down"))
    spine.run()
    OutboundCommand.objects.update(attempts=11)
    spine.later()
    assert spine.open_kinds() == {"target_unreachable"}


def test_a_target_that_answers_no_is_reachable(ordered: Connection, world: standin.World) -> None:
    world.before = fails(RetryLater("down"))
    spine.run()
    OutboundCommand.objects.update(attempts=11)
    spine.later()
    world.before = fails(Rejected("no"))
    spine.later()
    assert spine.open_kinds() == {"target_refused"}


def test_a_parked_command_holds_back_only_its_own_subject(ordered: Connection, world: standin.World) -> None:
    def refuse_first(command: Command) -> None:
        if getattr(command, "reference", "") == "laden:1":
            raise Rejected("no")

    world.before = refuse_first
    for number in (2, 3):
        spine.say(ordered, standin.order(number))
    spine.run()
    assert sorted(world.sales) == ["laden:2", "laden:3"]
    first = Order.objects.get(external_id="1")
    outbox.command(sale_target(), "sale.write", "another", first)
    spine.run()
    assert OutboundCommand.objects.get(key="another").state == "DUE"


def sale_target() -> Connection:
    return Connection.objects.get(slug="erp")


def test_commands_of_one_subject_go_in_order(ordered: Connection, erp: Connection) -> None:
    pump.run("in")
    order = Order.objects.get()
    outbox.command(erp, "sale.write", "second", order)
    _token, first = claims.claim(OutboundCommand, limit=10, lease=tries.LEASE)
    _token, none = claims.claim(OutboundCommand, limit=10, lease=tries.LEASE)
    assert (first, none) == ([OutboundCommand.objects.get(key=f"sale:{order.pk}").pk], [])


def test_a_paused_target_gets_nothing_not_even_what_was_under_way(
    ordered: Connection, erp: Connection, world: standin.World
) -> None:
    pump.run("in")
    claims.claim(OutboundCommand, limit=1, lease=timedelta(0))
    Connection.objects.filter(pk=erp.pk).update(state="PAUSED")
    assert spine.later() == 0
    Connection.objects.filter(pk=erp.pk).update(state="ACTIVE")
    spine.later()
    assert spine.sales(world) == [1]


def test_a_stale_worker_settles_nothing(ordered: Connection, world: standin.World) -> None:
    def overtaken(_command: Command) -> None:
        OutboundCommand.objects.update(lease_token=uuid4(), due_at=timezone.now() - timedelta(seconds=1))

    world.after = overtaken
    pump.run("in")
    outbox.deliver()
    assert (sale().state, sale().maybe_sent, Attempt.objects.count()) == ("LEASED", True, 0)
    world.after = None
    spine.run()
    assert (spine.sales(world), outcomes()) == ([1], ["FOUND"])


def test_a_command_that_kills_its_worker_three_times_is_parked(ordered: Connection, world: standin.World) -> None:
    spine.say(ordered, standin.order(2))
    pump.run("in")
    OutboundCommand.objects.filter(subject_id=Order.objects.get(external_id="1").pk).update(
        state="LEASED", lease_token=uuid4(), crashes=2, solo=True, due_at=spine.LONG_AGO
    )
    spine.run()
    first = OutboundCommand.objects.get(subject_id=Order.objects.get(external_id="1").pk, verb="sale.write")
    assert (first.state, spine.open_kinds(), sorted(world.sales)) == ("PARKED", {"defect"}, ["laden:2"])
    assert outbox.requeue(first.pk)
    spine.run()
    assert (sorted(world.sales), spine.open_cases()) == (["laden:1", "laden:2"], [])


def test_requeue_and_cancel_touch_only_what_waits(ordered: Connection, world: standin.World) -> None:
    spine.run()
    order = Order.objects.get()
    assert not outbox.requeue(sale().pk)
    assert outbox.cancel_pending(order, "sale.write") == 0
    assert sale().state == "DONE"


def test_what_may_have_arrived_cannot_be_taken_back(ordered: Connection, world: standin.World) -> None:
    world.after = standin.timeout
    spine.run()
    assert outbox.cancel_pending(Order.objects.get(), "sale.write") == 0


def test_another_target_takes_the_order_over_whole(ordered: Connection, world: standin.World) -> None:
    pump.run("in")
    second = make_connection("standin-erp", "erp-2", "ERP")
    ordered.switches.filter(process="order_to_erp").update(target=second)
    spine.say(ordered, standin.order(1, city="Bremen", postal_code="28195", updated_at="2026-11-20T11:00:00Z"))
    spine.run()
    states = OutboundCommand.objects.filter(verb="sale.write").order_by("pk").values_list("connection__slug", "state")
    assert list(states) == [("erp", "CANCELLED"), ("erp-2", "DONE")]
    assert spine.sales(world) == [1]


def test_every_attempt_keeps_what_was_to_be_written(ordered: Connection, world: standin.World) -> None:
    world.before = fails(RetryLater("down", code="their_fault"))
    spine.run()
    tried = Attempt.objects.get()
    assert (tried.number, tried.payload["reference"], tried.payload["total"]) == (1, "laden:1", "28.7000")
    assert tried.reason_code == "their_fault"
