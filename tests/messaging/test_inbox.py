"""Processing: who acts next after each kind of error, all of an event or nothing, order per object, and no event lost."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from cryptography.fernet import Fernet
from django.db import OperationalError
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from exceptions import services as cases
from exceptions.actions import RETRY
from exceptions.models import ExceptionCase
from integration_hub.backoffice.actions import perform
from integration_hub.connectors.base import Delivery
from integration_hub.kernel.errors import Defect, NotNow, Rejected, RetryLater, TooLarge, Unauthentic, Unsupported
from integration_hub.messaging import checks, claims, dispatch, inbox
from integration_hub.models import Connection, InboundEvent
from orders.models import Order
from tests import spine, standin

pytestmark = pytest.mark.django_db
Break = Callable[[Exception | None], None]


@pytest.fixture
def breaks(monkeypatch: pytest.MonkeyPatch) -> Break:
    """``breaks(error)`` makes the shop's parser raise it; ``breaks(None)`` heals it."""
    real = standin.StandinShop.parse
    held: list[Exception | None] = [None]

    def parse(self: standin.StandinShop, delivery: Delivery) -> Sequence[Any]:
        if held[0]:
            raise held[0]
        return real(self, delivery)

    monkeypatch.setattr(standin.StandinShop, "parse", parse)
    return lambda error: held.__setitem__(0, error)


def test_retry_later_waits_as_long_as_it_was_asked_to(joined: Connection, breaks: Break) -> None:
    breaks(RetryLater("not yet", after=timedelta(minutes=7)))
    spine.say(joined, standin.order(1))
    spine.run()
    event = InboundEvent.objects.get()
    assert event.state == "DUE"
    assert timedelta(minutes=6) < event.due_at - timezone.now() <= timedelta(minutes=7)
    assert spine.open_cases() == []
    breaks(None)
    spine.later()
    assert InboundEvent.objects.get().state == "DONE"


@given(st.integers(min_value=0, max_value=32_767))
def test_pauses_grow_and_are_bounded(attempts: int) -> None:
    pause = inbox._backoff(InboundEvent(attempts=attempts))
    assert timedelta(seconds=1) <= pause <= timedelta(hours=1)


@pytest.mark.parametrize(
    ("error", "kind"),
    [(Rejected("no", code="nonsense"), "not_understood"), (ZeroDivisionError("ours"), "defect")],
    ids=["rejected", "defect"],
)
def test_what_cannot_be_processed_is_parked_and_runs_again(
    joined: Connection, breaks: Break, person: Any, error: Exception, kind: str
) -> None:
    breaks(error)
    spine.say(joined, standin.order(1))
    spine.run()
    case = ExceptionCase.objects.get()
    assert (case.kind, InboundEvent.objects.get().state, Order.objects.count()) == (kind, "PARKED", 0)
    assert cases.rerun(case) == 1
    spine.run()
    case.refresh_from_db()
    assert (case.state, case.occurrences) == ("OPEN", 2)
    breaks(None)
    perform(RETRY, case, by=person("integrator"))
    spine.run()
    case.refresh_from_db()
    assert (case.state, InboundEvent.objects.get().state, Order.objects.count()) == ("SOLVED", "DONE", 1)


def test_an_event_that_waits_for_ever_is_a_case_that_closes_when_it_gets_through(
    joined: Connection, breaks: Break, settings: Any
) -> None:
    settings.HUB_CASE_TRIES = 3
    breaks(RetryLater("something is missing"))
    spine.say(joined, standin.order(1))
    spine.run()
    spine.later()
    assert spine.open_cases() == []
    spine.later()
    spine.later()
    case = ExceptionCase.objects.get()
    assert (case.kind, case.found["msgid"]) == ("event_waits", "something is missing")
    breaks(None)
    assert cases.rerun(case) == 1
    spine.run()
    case.refresh_from_db()
    assert (case.state, InboundEvent.objects.get().state) == ("SOLVED", "DONE")


def test_an_event_that_has_failed_for_an_hour_is_a_case_and_another_when_it_is_refused_at_last(
    joined: Connection, breaks: Break
) -> None:
    breaks(RetryLater("busy", after=timedelta(hours=1)))
    spine.say(joined, standin.order(1))
    spine.run()
    InboundEvent.objects.update(first_failed_at=spine.LONG_AGO)
    spine.later()
    assert spine.open_kinds() == {"event_waits"}
    breaks(Rejected("no"))
    spine.later()
    assert spine.open_kinds() == {"not_understood"}


def test_requeue_lets_one_parked_event_run(joined: Connection, breaks: Break, kicks: list[str]) -> None:
    spine.teapot()
    breaks(Rejected("no"))
    pk = spine.say(joined, standin.order(1))
    spine.run()
    breaks(None)
    kicks.clear()
    assert inbox.requeue(pk)
    assert kicks == ["in"]
    spine.run()
    assert InboundEvent.objects.get().state == "DONE"
    assert "not_understood" not in spine.open_kinds()
    assert not inbox.requeue(pk)


def test_wrong_settings_are_one_case_however_many_events_wait(
    joined: Connection, erp: Connection, settings: Any, world: standin.World, person: Any
) -> None:
    spine.teapot()
    for number in (1, 2, 3):
        spine.say(joined, standin.order(number))
    right = settings.HUB_ENCRYPTION_KEYS
    settings.HUB_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    spine.run()
    assert spine.open_cases() == [("connection_misconfigured", 1)]
    assert set(InboundEvent.objects.values_list("state", flat=True)) == {"DUE"}
    joined.refresh_from_db()
    assert joined.state == "MISCONFIGURED"
    settings.HUB_ENCRYPTION_KEYS = right
    perform(checks.CHECK, joined, by=person("integrator"))
    spine.run()
    assert spine.open_cases() == []
    assert spine.sales(world) == [1, 1, 1]


def test_a_misconfigured_connection_still_receives_and_processes(joined: Connection, world: standin.World) -> None:
    spine.teapot()
    Connection.objects.filter(pk=joined.pk).update(state="MISCONFIGURED")
    spine.deliver(standin.order(1))
    spine.run()
    assert Order.objects.get().state == "ACCEPTED"
    assert world.told == []  # nothing is sent to it


def test_an_event_is_applied_whole_or_not_at_all(joined: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_args: Any) -> str | None:
        raise Rejected("the second handler says no")

    report = type(standin.order_report(standin.order(1)))
    handlers = dispatch._handlers | {report: [*dispatch._handlers[report], fails]}
    monkeypatch.setattr(dispatch, "_handlers", handlers)
    spine.say(joined, standin.order(1))
    spine.run()
    assert InboundEvent.objects.get().state == "PARKED"
    assert not Order.objects.exists()
    assert spine.open_kinds() == {"not_understood"}


def test_a_busy_database_is_no_defect(joined: Connection, breaks: Break) -> None:
    breaks(OperationalError("deadlock detected"))
    spine.say(joined, standin.order(1))
    spine.run()
    assert InboundEvent.objects.get().state == "DUE"
    assert spine.open_cases() == []


def test_what_means_nothing_is_ignored_with_its_reason(shop: Connection) -> None:
    spine.say(shop, {"id": 7}, topic="customer.created")
    spine.run()
    event = InboundEvent.objects.get()
    assert event.state == "IGNORED"
    assert "customers" in str(event.reason["params"]["why"])


def test_events_of_one_object_run_in_order(joined: Connection) -> None:
    for second in (1, 2, 3):
        spine.say(joined, standin.order(1, updated_at=f"2026-11-20T10:00:0{second}Z"))
    _token, first = claims.claim(InboundEvent, limit=10, lease=inbox.LEASE)
    _token, nothing = claims.claim(InboundEvent, limit=10, lease=inbox.LEASE)
    assert (first, nothing) == ([InboundEvent.objects.order_by("pk").first().pk], [])  # type: ignore[union-attr]


def test_a_parked_event_does_not_hold_back_the_next_report(joined: Connection, world: standin.World) -> None:
    spine.teapot()
    spine.say(joined, standin.order(1, bug=True))
    spine.run()
    spine.say(joined, standin.order(1))
    spine.run()
    assert spine.sales(world) == [1]
    assert spine.open_kinds() == {"defect"}


def test_a_stale_worker_changes_nothing(joined: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    real = standin.StandinShop.parse

    def overtaken(self: standin.StandinShop, delivery: Delivery) -> Sequence[Any]:
        InboundEvent.objects.update(lease_token=uuid4(), due_at=timezone.now() + timedelta(minutes=1))
        return real(self, delivery)

    monkeypatch.setattr(standin.StandinShop, "parse", overtaken)
    spine.say(joined, standin.order(1))
    spine.run()
    assert InboundEvent.objects.get().state == "LEASED"
    assert not Order.objects.exists()


def test_an_event_that_kills_its_worker_is_parked_and_its_neighbours_flow(
    joined: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [spine.say(joined, standin.order(number)) for number in (1, 2, 3)]
    real = standin.StandinShop.parse

    def deadly(self: standin.StandinShop, delivery: Delivery) -> Sequence[Any]:
        if delivery.object_id == "2":
            raise SystemExit  # as good as kill -9: nothing of ours catches it
        return real(self, delivery)

    with monkeypatch.context() as patch:
        patch.setattr(standin.StandinShop, "parse", deadly)
        for _turn in range(20):
            with suppress(SystemExit):
                spine.later()
    states = dict(InboundEvent.objects.values_list("pk", "state"))
    assert states == {ids[0]: "DONE", ids[1]: "PARKED", ids[2]: "DONE"}
    case = ExceptionCase.objects.get(kind="defect")
    assert (case.subjects.get().subject_id, InboundEvent.objects.get(pk=ids[1]).crashes) == (ids[1], 3)
    assert cases.rerun(case) == 1
    spine.run()
    assert InboundEvent.objects.get(pk=ids[1]).state == "DONE"


def test_after_a_crash_events_are_claimed_one_at_a_time(joined: Connection) -> None:
    for number in (1, 2, 3):
        spine.say(joined, standin.order(number))
    claims.claim(InboundEvent, limit=10, lease=timedelta(0))
    _token, alone = claims.claim(InboundEvent, limit=10, lease=inbox.LEASE)
    assert len(alone) == 1


def test_the_reason_of_a_parked_event_is_kept(joined: Connection, breaks: Break) -> None:
    breaks(Rejected("The total is missing", code="no_total", detail="x" * 5000))
    spine.say(joined, standin.order(1))
    spine.run()
    event = InboundEvent.objects.get()
    assert (event.reason_code, event.reason["msgid"]) == ("no_total", "The total is missing")
    assert len(ExceptionCase.objects.get().data["detail"]) == 500


def test_storing_the_same_again_later_needs_a_salt(shop: Connection) -> None:
    delivery = Delivery("product.polled", "7", b'{"stock": 1}')
    assert len(inbox.store(shop, [delivery, delivery], "POLL")) == 1
    assert inbox.store(shop, [delivery], "POLL") == []
    assert len(inbox.store(shop, [delivery], "POLL", salt="it came back")) == 1
    assert inbox.stored_before(shop, delivery) == InboundEvent.objects.order_by("pk").first()


def test_an_idempotency_key_counts_whatever_the_body_says(shop: Connection) -> None:
    assert len(inbox.store(shop, [Delivery("order", "1", b"{}")], "API", sender_key="k1")) == 1
    assert inbox.store(shop, [Delivery("order", "1", b'{"a": 1}')], "API", sender_key="k1") == []


@pytest.mark.parametrize("error", [Unauthentic, TooLarge, Defect, NotNow, Unsupported, KeyError, RecursionError])
def test_errors_that_have_no_business_here_are_settled_too(
    joined: Connection, breaks: Break, error: type[Exception]
) -> None:
    breaks(error("x"))
    spine.say(joined, standin.order(1))
    spine.run()
    assert InboundEvent.objects.get().state == "PARKED"
    assert len(spine.open_cases()) == 1
