"""The main job, end to end over the stand-in world: webhook in, sale in the ERP, status back, trouble fixed."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from exceptions import services as cases
from exceptions.models import CaseState, ExceptionCase
from integration_hub.backoffice.actions import perform
from integration_hub.messaging import pump
from integration_hub.models import Attempt, Connection, InboundEvent, OutboundCommand
from inventory.models import Variant
from orders import actions
from orders.models import Order
from tests import standin

pytestmark = pytest.mark.django_db


def deliver(found: dict[str, Any], topic: str = "order.updated", slug: str = "laden") -> Any:
    body = json.dumps(found).encode()
    return Client().post(
        f"/webhooks/{slug}/",
        body,
        content_type="application/json",
        headers={"X-Signature": standin.sign(body), "X-Topic": topic, "X-Object": str(found.get("id", ""))},
    )


@pytest.fixture
def teapot(db: None) -> Variant:
    return Variant.objects.create(sku="TK-100", title="Teekanne 1,0 l", gtin="4006381333931")


def test_a_signed_order_becomes_one_sale_and_the_shop_is_told(
    joined: Connection, teapot: Variant, world: standin.World
) -> None:
    assert deliver(standin.order(1)).json() == {"stored": 1, "known": 0}
    pump.drain()
    order = Order.objects.get()
    assert (order.state, order.total, order.lines.count()) == ("ACCEPTED", Decimal("28.70"), 2)
    assert [len(sales) for sales in world.sales.values()] == [1]
    assert order.sales.get().number == "VK-#1"
    assert [type(told).__name__ for told in world.told] == ["TellAccepted"]


def test_the_same_webhook_ten_times_is_one_sale(joined: Connection, teapot: Variant, world: standin.World) -> None:
    for _ in range(10):
        deliver(standin.order(1))
    pump.drain()
    assert InboundEvent.objects.count() == 1
    assert [len(sales) for sales in world.sales.values()] == [1]


def test_updated_before_created_is_one_order(joined: Connection, teapot: Variant, world: standin.World) -> None:
    deliver(standin.order(1), "order.updated")
    deliver(standin.order(1), "order.created")
    pump.drain()
    assert sorted(InboundEvent.objects.values_list("state", flat=True)) == ["DONE", "IGNORED"]
    assert [len(sales) for sales in world.sales.values()] == [1]


def test_a_timeout_after_writing_is_looked_up_and_not_repeated(
    joined: Connection, teapot: Variant, world: standin.World
) -> None:
    world.after = standin.timeout
    deliver(standin.order(1))
    pump.drain()
    world.after = None
    OutboundCommand.objects.update(due_at="2020-01-01T00:00:00Z")
    pump.drain()
    assert [len(sales) for sales in world.sales.values()] == [1]
    assert list(
        Attempt.objects.filter(command__verb="sale.write").order_by("pk").values_list("outcome", flat=True)
    ) == [
        "AMBIGUOUS",
        "FOUND",
    ]


def test_an_unknown_sku_holds_orders_until_it_is_mapped(
    joined: Connection, teapot: Variant, world: standin.World, person: Any
) -> None:
    for number in (1, 2, 3):
        lines = [dict(standin.order()["lines"][0], sku="TK-100-B"), standin.order()["lines"][1]]
        deliver(standin.order(number, lines=lines))
    pump.drain()
    case = ExceptionCase.objects.get()
    assert (case.kind, case.size, case.amount) == ("unknown_product", 3, Decimal("86.10"))
    assert not world.sales
    text = perform(actions.MAP_PRODUCT, case, by=person("operations"), data={"variant": str(teapot.pk)})
    assert text.params["count"] == 3
    pump.drain()
    case.refresh_from_db()
    assert case.state == CaseState.SOLVED
    assert sorted(len(sales) for sales in world.sales.values()) == [1, 1, 1]


def test_every_problem_of_an_order_is_found_at_once(joined: Connection, world: standin.World) -> None:
    deliver(standin.order(1, total="30.70", city="", postal_code="", country="DE"))
    pump.drain()
    order = Order.objects.get()
    assert order.state == "HELD"
    kinds = {case.kind for case in cases.open_cases_of(order)}
    assert kinds == {"unknown_product", "totals_disagree", "address_incomplete"}
    assert not world.sales
