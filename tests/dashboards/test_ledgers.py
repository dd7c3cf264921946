"""The ledgers: read-only, masked, searchable, with the two buttons that let a message run again or take it back."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext

from exceptions.models import CaseState, ExceptionCase
from integration_hub.dashboards.differences import differences
from integration_hub.messaging import pump
from integration_hub.models import Activity, InboundEvent, OutboundCommand, User
from orders.models import Order
from tests import standin
from tests.dashboards.filled import Filled, deliver, refuse

pytestmark = pytest.mark.django_db


@pytest.fixture
def sign(person: Callable[..., User]) -> Callable[[str], Client]:
    def make(role: str) -> Client:
        client = Client()
        client.force_login(person(role))
        return client

    return make


@pytest.mark.parametrize(
    ("query", "count"),
    [("state=PARKED", 1), ("state=DONE", 5), ("state=UNSETTLED", 0), ("object_id=3", 1), ("door=POLL", 0), ("", 6)],
)
def test_events_are_found(query: str, count: int, filled: Filled, sign: Callable[[str], Client]) -> None:
    assert len(sign("operations").get(f"/events/?{query}").context["slice"].rows) == count


def test_a_payload_is_shown_as_far_as_the_role_may_see(filled: Filled, sign: Callable[[str], Client]) -> None:
    event = InboundEvent.objects.get(object_id="1")
    full = sign("operations").get(f"/events/{event.pk}/").content.decode()
    masked = sign("integrator").get(f"/events/{event.pk}/").content.decode()
    assert "kunde1@example.com" in full
    assert "kunde1@example.com" not in masked
    assert "•••" in masked
    assert f"/orders/{Order.objects.get(external_id='1').pk}/" in masked


def test_a_parked_event_runs_again(filled: Filled, sign: Callable[[str], Client]) -> None:
    event = InboundEvent.objects.get(state="PARKED")
    client = sign("integrator")
    client.post(f"/events/{event.pk}/do/events.process_again/")
    event.refresh_from_db()
    assert event.state == "DUE"
    pump.drain()
    event.refresh_from_db()
    assert event.state == "PARKED"
    assert Activity.objects.get(action="events.process_again").actor is not None


def test_a_done_event_is_left_alone(filled: Filled, sign: Callable[[str], Client]) -> None:
    event = InboundEvent.objects.filter(state="DONE").earliest("pk")
    sign("integrator").post(f"/events/{event.pk}/do/events.process_again/")
    event.refresh_from_db()
    assert event.state == "DONE"


@pytest.mark.parametrize(
    ("query", "count"), [("state=PARKED", 1), ("state=UNSETTLED", 0), ("verb=sale.write", 3), ("", 5)]
)
def test_commands_are_found(query: str, count: int, filled: Filled, sign: Callable[[str], Client]) -> None:
    assert len(sign("operations").get(f"/commands/?{query}").context["slice"].rows) == count


def test_a_refused_command_is_tried_now_and_its_exception_closes(filled: Filled, sign: Callable[[str], Client]) -> None:
    command = OutboundCommand.objects.get(state="PARKED")
    sign("operations").post(f"/commands/{command.pk}/do/commands.try_now/")
    pump.drain()
    command.refresh_from_db()
    assert command.state == "DONE"
    assert ExceptionCase.objects.get(kind="target_refused").state == CaseState.SOLVED


def test_what_changed_between_two_tries_is_shown(filled: Filled, sign: Callable[[str], Client]) -> None:
    command = OutboundCommand.objects.get(state="PARKED")
    order = Order.objects.get(external_id="5")
    client = sign("operations")
    Order.objects.filter(pk=order.pk).update(note="ring twice")
    filled.world.before = refuse
    client.post(f"/commands/{command.pk}/do/commands.try_now/")
    pump.drain()
    second, first = client.get(f"/commands/{command.pk}/").context["tries"]
    assert second["changes"] == [("note", "", "ring twice")]
    assert (second["compared"], first["compared"]) == (True, False)


def test_a_command_is_taken_back_with_a_reason(filled: Filled, sign: Callable[[str], Client]) -> None:
    command = OutboundCommand.objects.get(state="PARKED")
    assert not command.maybe_sent
    client = sign("operations")
    client.post(f"/commands/{command.pk}/do/commands.cancel/", {"why": ""})
    command.refresh_from_db()
    assert command.state == "PARKED"
    client.post(f"/commands/{command.pk}/do/commands.cancel/", {"why": "the customer wrote to us"})
    command.refresh_from_db()
    assert command.state == "CANCELLED"
    assert ExceptionCase.objects.get(kind="target_refused").state == CaseState.SOLVED
    assert Activity.objects.get(action="commands.cancel").why == "the customer wrote to us"


def test_what_may_have_arrived_cannot_be_taken_back(filled: Filled, sign: Callable[[str], Client]) -> None:
    OutboundCommand.objects.filter(state="PARKED").update(maybe_sent=True)
    command = OutboundCommand.objects.get(state="PARKED")
    sign("operations").post(f"/commands/{command.pk}/do/commands.cancel/", {"why": "long enough"})
    command.refresh_from_db()
    assert command.state == "PARKED"


def test_activity_is_found_by_person(filled: Filled, sign: Callable[[str], Client]) -> None:
    order = Order.objects.get(external_id="3")
    client = sign("operations")
    client.post(f"/orders/{order.pk}/do/orders.retry/")
    actor = User.objects.get(username="operations")
    rows = client.get(f"/activity/?actor={actor.pk}").context["slice"].rows
    assert {row.action for row in rows} == {"orders.retry"}


@pytest.mark.parametrize("address", ["/events/", "/commands/", "/activity/", "/connections/"])
def test_lists_keep_their_number_of_queries(address: str, filled: Filled, sign: Callable[[str], Client]) -> None:
    client = sign("administrator")

    def queries() -> int:
        with CaptureQueriesContext(database) as seen:
            assert client.get(address).status_code == 200
        return len(seen)

    few = queries()
    for number in range(20, 35):
        deliver(standin.order(number))
    pump.drain()
    assert queries() <= few  # fewer where a page happens to be about fewer kinds of object


def test_differences_name_the_place_and_both_values() -> None:
    old = {"a": 1, "lines": [{"sku": "x"}, {"sku": "y"}], "gone": "z", "same": None}
    new = {"a": 2, "lines": [{"sku": "x"}], "same": None}
    assert differences(old, new) == [("a", "1", "2"), ("lines[2].sku", "y", ""), ("gone", "z", "")]
