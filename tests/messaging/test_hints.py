"""Hints: a message that only says where to look is answered by looking there, outside any transaction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from django.db import connection as database

from integration_hub.connectors.base import Delivery
from integration_hub.kernel import codec
from integration_hub.kernel.errors import HubError, Rejected, RetryLater, Unauthentic
from integration_hub.messaging import inbox
from integration_hub.models import Connection, InboundEvent
from orders.models import Order
from tests import spine, standin

pytestmark = pytest.mark.django_db(transaction=True)
Answer = Callable[[dict[str, Any] | HubError | None], None]


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Answer:
    """What the shop answers to a hint: an order, an error, or nothing."""
    held: list[Any] = [None]

    def follow(self: standin.StandinShop, delivery: Delivery) -> Sequence[Delivery]:
        assert not database.in_atomic_block
        if isinstance(held[0], HubError):
            raise held[0]
        return [Delivery("order.read", str(held[0]["id"]), codec.canonical(held[0]))] if held[0] else []

    monkeypatch.setattr(standin.StandinShop, "is_hint", lambda self, delivery: delivery.topic == "look")
    monkeypatch.setattr(standin.StandinShop, "follow", follow)
    return lambda answer: held.__setitem__(0, answer)


def hint(shop: Connection, key: str = "evt_1") -> InboundEvent:
    pk = inbox.store(shop, [Delivery("look", key, b"{}", key=key)], "WEBHOOK")[0]
    spine.run()
    return InboundEvent.objects.get(pk=pk)


def test_what_is_found_is_an_event_of_its_own(joined: Connection, answers: Answer) -> None:
    answers(standin.order(1))
    assert hint(joined).state == "DONE"
    assert InboundEvent.objects.get(topic="order.read").state == "DONE"
    assert Order.objects.count() == 1
    assert hint(joined, "evt_2").state == "DONE"  # the same state again is no second event
    assert InboundEvent.objects.filter(topic="order.read").count() == 1


def test_what_was_only_told_is_an_event_again_when_it_was_asked_for(joined: Connection, answers: Answer) -> None:
    answers(standin.order(1))
    hint(joined)
    for number in range(2):
        inbox.store(joined, [Delivery("look", "1", b"{}", key=f"poll_{number}")], "POLL", salt=str(number))
        spine.run()
    found = InboundEvent.objects.filter(topic="order.read").order_by("pk")
    assert [event.door for event in found] == ["WEBHOOK", "POLL"]


def test_a_state_that_comes_back_is_an_event_again(joined: Connection, answers: Answer) -> None:
    for number, stage in enumerate(("READY", "COMPLETED", "READY")):
        answers(standin.order(1, stage=stage))
        hint(joined, f"evt_{number}")
    assert InboundEvent.objects.filter(topic="order.read").count() == 3


def test_the_senders_key_makes_a_repeat_whatever_it_says(joined: Connection) -> None:
    first = Delivery("look", "evt_1", b"{}", key="evt_1")
    again = Delivery("look", "evt_1", b"{ }", key="evt_1")
    assert len(inbox.store(joined, [first], "WEBHOOK")) == 1
    assert inbox.store(joined, [again], "POLL") == []


@pytest.mark.parametrize(
    ("answer", "state", "kinds"),
    [
        (None, "IGNORED", set()),
        (Unauthentic("not from them"), "IGNORED", set()),
        (Rejected("no such thing"), "PARKED", {"not_understood"}),
        (RetryLater("not now"), "DUE", set()),
    ],
)
def test_every_answer_ends_somewhere(
    joined: Connection, answers: Answer, answer: HubError | None, state: str, kinds: set[str]
) -> None:
    answers(answer)
    event = hint(joined)
    assert event.state == state
    assert event.reason
    assert spine.open_kinds() == kinds


def test_a_system_that_never_answers_is_one_case_for_all_that_it_was_to_be_asked(
    joined: Connection, answers: Answer, settings: Any
) -> None:
    settings.HUB_CASE_TRIES = 2
    answers(RetryLater("not now"))
    hint(joined)
    hint(joined, "evt_2")
    spine.later()
    assert spine.open_cases() == [("target_unreachable", 2)]
    answers(None)
    spine.later()
    assert spine.open_cases() == []
