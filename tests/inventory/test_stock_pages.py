"""The pages and the API of stock: each number leads to what it is made of, and booking asks for a reason."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from integration_hub.connectors.base import Delivery
from integration_hub.kernel import codec
from integration_hub.messaging import inbox
from integration_hub.models import Connection, User
from integration_hub.models.inbound import Door
from inventory.models import Location, LocationMapping, StockMovement, StockRule, Variant
from inventory.services import demand, push
from orders import stock
from orders.models import Order
from tests import standin
from tests.api.conftest import Caller, caller

from . import stocked

pytestmark = pytest.mark.django_db
__all__ = ["caller"]


@pytest.fixture
def operator(person: Callable[..., User]) -> Client:
    user = person("operations")
    User.objects.filter(pk=user.pk).update(language="en")
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def pot(joined: Connection, erp: Connection) -> Variant:
    """Ten teapots of which an order holds two; the shop was told eight."""
    made, main = stocked.article("TK-100"), stocked.place(source=erp)
    stocked.sells(joined, main, buffer=1)
    stocked.listed(joined, made)
    for process in (stock.RESERVE_STOCK, push.STOCK_TO_SHOP):
        stocked.switch(joined, process, erp)
    stocked.put(made, main, 10)
    row = standin.order(1)
    inbox.store(joined, [Delivery("order.updated", "1", codec.canonical(row))], Door.WEBHOOK)
    stocked.run()
    return made


def test_the_page_of_an_articles_stock_says_who_holds_what(operator: Client, pot: Variant) -> None:
    page = operator.get(reverse("stock_of", args=[pot.pk])).content.decode()
    assert reverse("order", args=[Order.objects.get().pk]) in page
    for words in ("Laden #1", "Haupt: 10 − 2 reserved", "safety buffer", "told 7", "<svg", "Level over time between"):
        assert words in page, words


def test_a_bundles_page_shows_its_parts_in_the_formula(operator: Client, pot: Variant, joined: Connection) -> None:
    pair = stocked.bundle("PAIR", (pot, 2))
    stocked.listed(joined, pair)
    page = operator.get(reverse("stock_of", args=[pair.pk])).content.decode()
    assert "7 : 2 each" in page
    assert reverse("stock_of", args=[pot.pk]) in page


def test_levels_and_ledger_are_found_by_filters_at_a_fixed_cost(operator: Client, pot: Variant) -> None:
    for path in ("stock", "stock_ledger"):
        operator.get(reverse(path))
        with CaptureQueriesContext(database) as few:
            assert "TK-100" in operator.get(reverse(path), {"q": "TK"}).content.decode()
        for number in range(12, 24):
            stocked.put(stocked.article(f"TK-{path}-{number}"), Location.objects.get(), 3)
        with CaptureQueriesContext(database) as many:
            operator.get(reverse(path), {"q": "TK"})
        assert len(few) == len(many)
    assert "Nothing matches" in operator.get(reverse("stock"), {"q": "nothing"}).content.decode()


def test_what_sells_faster_than_it_lasts_is_listed(operator: Client, pot: Variant) -> None:
    assert demand.risks() == []
    stocked.put(pot, Location.objects.get(), 3)
    (one,) = demand.risks()
    assert one.variant == pot
    assert one.free == 1
    assert "TK-100" in operator.get(reverse("stock_risk")).content.decode()


def test_people_book_with_a_reason_where_the_hub_counts(operator: Client, pot: Variant) -> None:
    mine = stocked.place("mine")
    url = reverse("stock_action", args=[pot.pk, "stock.book"])
    given = {"kind": "RECEIPT", "location": mine.pk, "quantity": "4", "why": ""}
    operator.post(url, given)
    assert stocked.level(pot, mine) == (0, 0)
    operator.post(url, given | {"why": "delivery note 12"})
    row = StockMovement.objects.get(location=mine)
    assert (row.quantity, row.why, row.by and row.by.username) == (4, "delivery note 12", "operations")
    theirs = Location.objects.exclude(pk=mine.pk).get()
    operator.post(url, given | {"why": "delivery note 13", "location": theirs.pk})
    assert StockMovement.objects.filter(location=theirs, kind="RECEIPT").count() == 0


def test_a_channel_is_set_up_on_its_page(operator: Client, pot: Variant, joined: Connection) -> None:
    mine = stocked.place("mine")
    stocked.put(pot, mine, 5)
    first = Location.objects.exclude(pk=mine.pk).get()
    supply = reverse("stock_channel_action", args=[joined.pk, "stock.supply"])
    operator.post(supply, {f"at_{mine.pk}": "*", f"at_{first.pk}": "*"})
    assert stocked.shown(joined)["TK-100"] == 12
    rule = {"formula": "ON_HAND", "buffer": "0", "minimum": "0", "maximum": "9", "shortage": "PARTIAL"}
    more = {"backorder_days": "7", "unpaid_hours": "0", "drift_threshold": "3"}
    operator.post(reverse("stock_channel_action", args=[joined.pk, "stock.rule"]), rule | more)
    assert StockRule.objects.get().shortage == "PARTIAL"
    assert stocked.shown(joined)["TK-100"] == 9
    page = operator.get(reverse("stock_channel", args=[joined.pk])).content.decode()
    assert "Mine" in page


def test_a_location_is_made_and_its_source_chosen(operator: Client, erp: Connection) -> None:
    operator.post(reverse("stock_locations"), {"code": "shop-1", "name": "Shop window", "confirm_hours": "0"})
    made = Location.objects.get(code="shop-1")
    url = reverse("stock_location_action", args=[made.pk, "stock.source"])
    operator.post(url, {"source": erp.pk, "why": "the ERP counts there"})
    made.refresh_from_db()
    assert made.source is None, "the ERP has no such place"
    LocationMapping.objects.create(connection=erp, external_id="9", location=made)
    operator.post(url, {"source": erp.pk, "why": "the ERP counts there"})
    made.refresh_from_db()
    assert made.source == erp


class TestApi:
    """The same over REST."""

    def test_levels_reservations_and_movements_are_read(self, caller: Caller, pot: Variant) -> None:
        client = caller("auditor")
        (level,) = client.get("/api/v1/stock/levels/?sku=TK-100").json()["results"]
        assert [level["on_hand"], level["reserved"], level["free"]] == ["10.0000", "2.0000", "8.0000"]
        (promise,) = client.get("/api/v1/stock/reservations/?open=true").json()["results"]
        assert (promise["label"], promise["order"]) == ("Laden #1", Order.objects.get().pk)
        kinds = [row["kind"] for row in client.get("/api/v1/stock/movements/?sku=TK-100").json()["results"]]
        assert kinds == ["RESERVED", "COUNT"]
        (shows,) = client.get("/api/v1/stock/availability/?channel=laden").json()["results"]
        assert [shows["wanted"], shows["told"]] == ["7.0000", "7.0000"]

    def test_booking_needs_the_right_a_reason_and_a_location_of_the_hub(self, caller: Caller, pot: Variant) -> None:
        here, there = stocked.place("here"), stocked.place("there")
        body: dict[str, Any] = {
            "sku": "TK-100",
            "kind": "RECEIPT",
            "location": "here",
            "quantity": "5",
            "why": "note 1",
        }

        def post(role: str, **changes: Any) -> int:
            client = caller(role)
            given = json.dumps(body | changes)
            return client.post("/api/v1/stock/movements/", given, content_type="application/json").status_code

        assert post("auditor") == 403
        assert [post("operations", why=""), post("operations", quantity="0.5"), post("operations", kind="SALE")] == [
            400,
            409,
            400,
        ]
        assert post("operations", location="haupt") == 400
        assert [post("operations"), post("operations", kind="TRANSFER", to="there", quantity="2")] == [201, 201]
        assert (stocked.level(pot, here), stocked.level(pot, there)) == ((3, 0), (2, 0))
