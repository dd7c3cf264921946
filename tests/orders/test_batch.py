"""The way for many and the way one by one leave the same rows."""

from __future__ import annotations

from typing import Any

import pytest
from django.core import serializers
from django.db import connection as database
from django.db import models, transaction
from django.test.utils import CaptureQueriesContext

from customers.models import Customer
from integration_hub.connectors.base import Delivery
from integration_hub.kernel import codec
from integration_hub.messaging import dispatch, inbox, pump
from integration_hub.models import Activity, Connection, ExternalReference, InboundEvent, OutboundCommand
from integration_hub.models.inbound import Door
from inventory.models import Variant
from orders.models import Order, OrderAddress, OrderLine
from tests import standin

pytestmark = pytest.mark.django_db
TABLES: tuple[type[models.Model], ...] = (
    Order,
    OrderLine,
    OrderAddress,
    Customer,
    ExternalReference,
    Activity,
    OutboundCommand,
)
OWN = {"recorded_at", "created_at", "at", "due_at"}


@pytest.fixture(autouse=True)
def teapot(db: None) -> Variant:
    return Variant.objects.create(sku="TK-100", title="Teekanne 1,0 l", gtin="4006381333931")


def say(shop: Connection, *orders: dict[str, Any]) -> None:
    inbox.store(shop, [Delivery("order.updated", str(row["id"]), codec.canonical(row)) for row in orders], Door.WEBHOOK)


def mixed() -> list[dict[str, Any]]:
    """Plain ones, one that waits, a guest again, one with a number in the shop, and ones with trouble."""
    return [
        standin.order(1),
        standin.order(2, stage="PENDING", paid=False),
        standin.order(3, email="kunde1@example.com"),
        standin.order(4, customer="C-4"),
        standin.order(5, total="99.00"),
        standin.order(6, email=""),
        standin.order(7, stage="CANCELLED"),
        standin.order(8, placed_at="2019-01-01T00:00:00Z"),
        standin.order(9, test=True),
    ]


def held() -> dict[str, list[dict[str, Any]]]:
    """Every row of every table in plain words, with the keys of this run left out."""
    return {model.__name__: sorted((_plain(row) for row in _rows(model)), key=str) for model in TABLES}


def _rows(model: type[models.Model]) -> list[dict[str, Any]]:
    return [row["fields"] for row in serializers.serialize("python", model._default_manager.all())]


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    keys = {"order", "customer", "subject_id", "event", "key"} | OWN
    return {name: value for name, value in row.items() if name not in keys}


def test_both_ways_leave_the_same_rows(joined: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    say(joined, *mixed())
    with transaction.atomic():
        while inbox.process():
            pass
        at_once = held()
        states = list(InboundEvent.objects.order_by("object_id").values_list("object_id", "state"))
        transaction.set_rollback(True)
    monkeypatch.setattr(dispatch, "handle_batch", lambda _given: set())
    while inbox.process():
        pass
    assert held() == at_once
    assert list(InboundEvent.objects.order_by("object_id").values_list("object_id", "state")) == states


def test_a_plain_order_takes_the_way_for_many(joined: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatch, "handle", lambda *_args: pytest.fail("one by one"))
    say(joined, standin.order(1), standin.order(2))
    pump.drain(lanes=("in",))
    assert set(Order.objects.values_list("state", flat=True)) == {"ACCEPTED"}


def test_what_goes_wrong_at_once_is_done_one_by_one(joined: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_given: object) -> set[int]:
        Customer.objects.create(email="half@done.example")
        raise ZeroDivisionError

    monkeypatch.setattr(dispatch, "handle_batch", broken)
    say(joined, standin.order(1), standin.order(2, bug=True), standin.order(3))
    pump.drain(lanes=("in",))
    assert Order.objects.count() == 2
    assert not Customer.objects.filter(email="half@done.example").exists()
    assert InboundEvent.objects.get(object_id="2").reason_code == "defect"


def test_an_order_that_is_known_is_left_to_the_other_way(joined: Connection) -> None:
    say(joined, standin.order(1))
    pump.drain(lanes=("in",))
    say(joined, standin.order(1, updated_at="2026-11-20T11:00:00Z", stage="CANCELLED"))
    pump.drain(lanes=("in",))
    assert Order.objects.get().state == "CANCELLED"


def test_twenty_orders_cost_hardly_more_statements_than_one(joined: Connection) -> None:
    def statements(first: int, count: int) -> int:
        say(joined, *[standin.order(first + place) for place in range(count)])
        with CaptureQueriesContext(database) as seen:
            inbox.process()
        return len(seen)

    statements(1, 1)
    assert statements(20, 20) <= statements(100, 1) + 2
