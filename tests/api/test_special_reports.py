"""Special cases over the API: what a portal or a warehouse reports, and what a program starts as a person would."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from exceptions.models import ExceptionCase
from integration_hub.messaging import pump
from integration_hub.models import Connection
from orders.aftersales.models import AfterSale
from orders.models import Order
from tests import spine, standin
from tests.api.conftest import Caller
from tests.orders.after_sales_world import joined, placed, ship

pytestmark = pytest.mark.django_db
URL = "/api/v1/reports/special-cases/"


@pytest.fixture
def shop(world: standin.World) -> Connection:
    return joined()


@pytest.fixture
def portal(caller: Caller, own_system: Connection) -> Client:
    return caller("integrator")


def said(**changes: Any) -> dict[str, Any]:
    base: dict[str, Any] = {
        "channel": "b2b",
        "id": "RMA-31",
        "kind": "RETURN",
        "stage": "ANNOUNCED",
        "order": "1",
        "order_channel": "laden",
        "updated_at": "2026-11-22T10:00:00Z",
        "positions": [{"sku": "TK-100", "quantity": "1"}],
        "reason": "too small",
    }
    return base | changes


def post(client: Client, body: Any, **headers: str) -> Any:
    return client.post(URL, json.dumps(body), content_type="application/json", headers=headers)


def test_a_return_of_another_channels_order_is_announced_and_arrives(shop: Connection, portal: Client) -> None:
    ship(placed(shop), "2", stage="SHIPPED")
    taken = post(portal, said())
    assert (taken.status_code, post(portal, said()).status_code) == (202, 200)
    pump.drain()
    row = AfterSale.objects.get(kind="RETURN")
    assert (row.order, row.state, row.amount, row.reason) == (
        Order.objects.get(),
        "ANNOUNCED",
        Decimal("11.90"),
        "too small",
    )
    assert row.connection == Connection.objects.get(slug="b2b")
    assert portal.get(taken.json()["status_url"]).json()["state"] == "DONE"
    post(portal, said(stage="RECEIVED", updated_at="2026-11-23T10:00:00Z"))
    pump.drain()
    row.refresh_from_db()
    assert (row.state, row.amount) == ("ARRIVED", Decimal("11.90"))


def test_what_comes_before_its_order_waits_for_it(shop: Connection, portal: Client) -> None:
    post(portal, said(kind="REFUND", stage="DONE", amount="3.00", positions=[]))
    pump.drain()
    assert spine.open_kinds() == {"after_sale_untied"}
    placed(shop, 2)  # another one
    assert AfterSale.objects.get().order is None
    placed(shop)
    assert (AfterSale.objects.get().order, spine.open_cases()) == (Order.objects.get(external_id="1"), [])


def test_more_than_there_is_is_a_case_and_not_lost(shop: Connection, portal: Client) -> None:
    ship(placed(shop), "2", stage="SHIPPED")
    post(portal, said(positions=[{"line": "1", "quantity": "3"}]))
    pump.drain()
    assert [case.kind for case in ExceptionCase.objects.open()] == ["after_sale_exceeds"]


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        ({"kind": "EDIT"}, "/kind"),
        ({"stage": "SOON"}, "/stage"),
        ({"order_channel": "nobody"}, "/order_channel"),
        ({"positions": [{"quantity": "1"}]}, "/positions/0/line"),
        ({"positions": [{"sku": "A", "quantity": "-1"}]}, "/positions/0/quantity"),
        ({"amount": 3.5}, "/amount"),
        ({"instead": [{"sku": "A", "quantity": "1"}]}, "/instead"),
        ({"channel": "laden"}, "/channel"),
        ({"surprise": "1"}, "/surprise"),
    ],
)
def test_what_makes_no_sense_is_refused_at_the_door(
    shop: Connection, portal: Client, wrong: dict[str, Any], pointer: str
) -> None:
    answer = post(portal, said(**wrong))
    assert answer.status_code == 400
    assert f"#{pointer}" in {error["pointer"] for error in answer.json()["errors"]}


@pytest.mark.parametrize("role", ["finance", "marketing", "auditor", "operations"])
def test_only_those_who_report_orders_may(shop: Connection, own_system: Connection, caller: Caller, role: str) -> None:
    assert post(caller(role), said()).status_code == 403


def test_a_program_starts_and_confirms_one_as_a_person_would(shop: Connection, caller: Caller) -> None:
    order = placed(shop)
    client = caller("operations")
    detail = client.get(f"/api/v1/orders/{order.pk}/").json()
    cancel = next(action for action in detail["actions"] if action["code"] == "orders.cancel")
    assert (cancel["permitted"], cancel["hindrance"]) == (True, "")
    line = order.lines.get(sku="TK-100").pk
    url = f"/api/v1/orders/{order.pk}/actions/orders.cancel/"
    assert client.post(url, {f"line_{line}": "1", "why": "sold out"}, "application/json").status_code == 200
    row = AfterSale.objects.get()
    url = f"/api/v1/after-sales/{row.pk}/actions/orders.confirm_after_sale/"
    assert client.post(url, {}, "application/json").status_code == 200
    pump.drain()
    found = client.get(f"/api/v1/after-sales/{row.pk}/").json()
    assert found["checklist"][0]["system"] == "ERP"
    assert Order.objects.get().lines.get(sku="TK-100").cancelled == 1
