"""The pages of special cases: what waits, found by scanning, carried out by buttons, and closed to those who may not."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext

from integration_hub.models import Connection, User
from orders.aftersales.models import AfterSale
from orders.models import Order
from tests import spine, standin
from tests.orders.after_sales_world import joined, placed, ship

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop(world: standin.World) -> Connection:
    return joined()


def signed_in(person: Callable[..., User], role: str) -> Client:
    somebody = person(role)
    User.objects.filter(pk=somebody.pk).update(language="en")
    client = Client()
    client.force_login(somebody)
    return client


@pytest.fixture
def operator(person: Callable[..., User]) -> Client:
    return signed_in(person, "operations")


def announced(shop: Connection, number: int = 1) -> AfterSale:
    order = placed(shop, number)
    ship(order, "2", stage="SHIPPED", parcel=f"P{number}")
    found = {"id": number, "order": number, "kind": "RETURN", "stage": "ANNOUNCED"}
    spine.say(shop, found | {"positions": [{"line": "1", "quantity": "2"}]}, topic="after_sale")
    spine.run()
    return AfterSale.objects.get(order=order)


def test_a_return_goes_through_the_warehouse_by_scanner_and_buttons(shop: Connection, operator: Client) -> None:
    row = announced(shop)
    assert "Returns on their way" in operator.get("/special/?tab=returns").content.decode()
    assert operator.get("/special/?q=TP1")["Location"] == f"/special/{row.pk}/"  # the label on the parcel
    operator.post(f"/special/{row.pk}/do/orders.return_arrived/")
    page = operator.get(f"/special/{row.pk}/").content.decode()
    assert "TK-100 Teekanne: back into stock" in page
    position = row.lines.get()
    operator.post(f"/special/{row.pk}/do/orders.inspect_return/", {f"restock_{position.pk}": "2"})
    spine.run()
    row.refresh_from_db()
    assert row.state == "DONE"
    assert "Book the return in the ERP" in operator.get(f"/orders/{row.order_id}/").content.decode()


def test_a_person_cancels_on_the_order_page_and_sees_first_what_will_be_written(
    shop: Connection, operator: Client
) -> None:
    order = placed(shop)
    line = order.lines.get(sku="TK-100")
    operator.post(f"/orders/{order.pk}/do/orders.cancel/", {f"line_{line.pk}": "1", "why": "sold out"})
    row = AfterSale.objects.get()
    page = operator.get(f"/special/{row.pk}/").content.decode()
    assert "the pieces are taken out of the sale in ERP" in page
    operator.post("/special/do/orders.confirm_after_sale/", {"pk": [str(row.pk)]})
    spine.run()
    operator.post(f"/special/{row.pk}/do/orders.done_by_hand/", {"why": "paid back"})
    spine.run()
    row.refresh_from_db()
    assert (row.state, Order.objects.get().lines.get(sku="TK-100").cancelled) == ("DONE", Decimal(1))


def test_the_worklist_costs_the_same_however_many_there_are(shop: Connection, operator: Client) -> None:
    def queries() -> int:
        with CaptureQueriesContext(database) as seen:
            assert operator.get("/special/").status_code == 200
        return len(seen)

    announced(shop)
    one = queries()
    for number in range(2, 6):
        announced(shop, number)
    assert queries() == one


@pytest.mark.parametrize(("role", "status"), [("auditor", 200), ("marketing", 403), ("finance", 200)])
def test_who_may_look_and_who_may_act(shop: Connection, person: Callable[..., User], role: str, status: int) -> None:
    row = announced(shop)
    client = signed_in(person, role)
    assert client.get(f"/special/{row.pk}/").status_code == status
    assert client.get("/special/").status_code == status
    assert client.post(f"/special/{row.pk}/do/orders.return_arrived/").status_code in (302, 403)
    row.refresh_from_db()
    assert row.state == "ANNOUNCED"


def test_the_api_shows_the_checklist_and_does_the_same(shop: Connection, operator: Client) -> None:
    row = announced(shop)
    found = operator.get(f"/api/v1/after-sales/{row.pk}/").json()
    assert (found["kind"], found["state"], found["lines"][0]["quantity"]) == ("RETURN", "ANNOUNCED", "2.0000")
    done = operator.post(f"/api/v1/after-sales/{row.pk}/actions/orders.return_arrived/", {}, "application/json")
    assert done.status_code in (200, 403)
