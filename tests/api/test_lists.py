"""Lists: filters, pages that lose and repeat nothing, and a fixed number of queries."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from customers.models import Customer
from exceptions.models import CaseSubject, ExceptionCase
from integration_hub.models import Connection
from inventory.models import Variant
from orders.models import Order, Sale
from tests.api.conftest import Caller

pytestmark = pytest.mark.django_db
MONDAY = datetime(2026, 11, 16, 8, tzinfo=UTC)


def make_orders(shop: Connection, number: int, **said: Any) -> list[Order]:
    first = 1 + max((int(row.external_id) for row in Order.objects.all()), default=-1)
    common = {
        "stage": "READY",
        "state": "ACCEPTED",
        "currency": "EUR",
        "prices_include_tax": True,
        "total": 10,
        "total_tax": 1,
        "digest": "x",
        "placed_at": MONDAY,
        "source_updated_at": MONDAY,
    }
    rows = [
        Order(channel=shop, external_id=str(place), number=f"#{place}", **(common | said))
        for place in range(first, first + number)
    ]
    return Order.objects.bulk_create(rows)


def walk(client: Client, url: str, way: str = "next") -> list[list[int]]:
    """The ids on each page, following the links."""
    pages, link = [], url
    while link:
        answer = client.get(link)
        assert answer.status_code == 200, answer.content
        pages.append([row["id"] for row in answer.json()["results"]])
        link = answer.json()[way]
    return pages


def flat(pages: list[list[int]]) -> list[int]:
    return [pk for page in pages for pk in page]


@pytest.mark.parametrize(
    "ordering", ["", "-placed_at", "placed_at", "source_updated_at", "-source_updated_at", "-id", "id"]
)
def test_every_ordering_walks_every_row_once_even_among_ties(caller: Caller, shop: Connection, ordering: str) -> None:
    make_orders(shop, 7)
    make_orders(shop, 6, placed_at=MONDAY + timedelta(hours=1), source_updated_at=MONDAY - timedelta(hours=1))
    wanted = ordering or "-placed_at"
    tie = "-pk" if wanted.startswith("-") else "pk"
    expected = list(Order.objects.order_by(wanted, tie).values_list("pk", flat=True))
    client = caller("operations")
    pages = walk(client, f"/api/v1/orders/?page_size=3&ordering={ordering}")
    assert flat(pages) == expected
    assert [len(page) for page in pages] == [3, 3, 3, 3, 1]


def test_the_way_back_shows_the_same_pages(caller: Caller, shop: Connection) -> None:
    make_orders(shop, 8)
    client = caller("operations")
    there = walk(client, "/api/v1/orders/?page_size=3")
    last = "/api/v1/orders/?page_size=3"
    while link := client.get(last).json()["next"]:
        last = link
    back = walk(client, last, "previous")
    assert flat(back[::-1]) == flat(there)


def test_rows_that_come_and_go_meanwhile_move_nothing(caller: Caller, shop: Connection) -> None:
    rows = make_orders(shop, 6)
    client = caller("operations")
    first = client.get("/api/v1/orders/?page_size=3").json()
    Order.objects.filter(pk=rows[-2].pk).delete()
    make_orders(shop, 3, placed_at=MONDAY + timedelta(days=1))
    second = client.get(first["next"]).json()
    assert [row["id"] for row in second["results"]] == [row.pk for row in rows[2::-1]]


@pytest.mark.parametrize(
    "cursor", ["x", "%00", "é", "bnVsbA", "WzEsMiwzLDRd", "A" * 5000, "WyItcGxhY2VkX2F0Iiwibm8iLDEsZmFsc2Vd"]
)
def test_a_cursor_that_is_not_ours_is_400(caller: Caller, cursor: str) -> None:
    answer = caller("operations").get(f"/api/v1/orders/?cursor={cursor}")
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["pointer"] == "#/cursor"


@pytest.mark.parametrize(
    "query",
    [
        "page_size=0",
        "page_size=-1",
        "page_size=x",
        "page_size=²",
        "ordering=password",
        "state=NONE",
        "placed_from=yesterday",
        "customer=x",
        "customer=NaN",
        "customer=1e999999",
        "number=%00",
        "stat=HELD",
    ],
)
def test_a_wrong_question_is_400(caller: Caller, query: str) -> None:
    assert caller("operations").get(f"/api/v1/orders/?{query}").status_code == 400


@pytest.mark.parametrize(
    "query",
    [
        "placed_from=0001-01-01T00:00:00Z",
        "placed_before=9999-12-31T23:59:59-12:00",
        "customer=99999999999999999999999999",
        "number=%FF%FE",
        "search=%F0%9F%98%80",
    ],
)
def test_a_strange_question_finds_nothing_or_all_but_breaks_nothing(caller: Caller, query: str) -> None:
    assert caller("operations").get(f"/api/v1/orders/?{query}").status_code == 200


def test_a_page_has_at_most_200_rows(caller: Caller, shop: Connection) -> None:
    make_orders(shop, 205)
    client = caller("operations")
    assert len(client.get("/api/v1/orders/?page_size=999999").json()["results"]) == 200
    assert len(client.get("/api/v1/orders/").json()["results"]) == 50


def test_orders_can_be_found(caller: Caller, shop: Connection, erp: Connection) -> None:
    early, late = make_orders(shop, 2)
    Order.objects.filter(pk=late.pk).update(
        placed_at=MONDAY + timedelta(days=1),
        source_updated_at=MONDAY + timedelta(days=2),
        state="HELD",
        fulfilment="PARTIAL",
        payment="PAID",
    )
    Sale.objects.create(order=early, connection=erp, external_id="1", number="VK-7", stage="CONFIRMED")
    client = caller("operations")

    def found(query: str) -> set[int]:
        return {row["id"] for row in client.get(f"/api/v1/orders/?{query}").json()["results"]}

    for query in (
        "state=HELD",
        "fulfilment=PARTIAL",
        "payment=PAID",
        "number=%231",
        "external_id=1",
        "placed_from=2026-11-17T00:00:00Z",
        "updated_from=2026-11-18T00:00:00Z",
        "search=%231",
    ):
        assert found(query) == {late.pk}, query
    assert found("placed_before=2026-11-17T00:00:00Z") == {early.pk}
    assert found("search=VK-7") == {early.pk}
    assert found("channel=laden") == {early.pk, late.pk}
    assert found("channel=erp") == found("search=VK-8") == set()


def test_products_and_customers_can_be_found(caller: Caller) -> None:
    pot = Variant.objects.create(sku="TK-100", title="Teekanne", gtin="4006381333931")
    Variant.objects.create(sku="XX-1", title="Alt", active=False)
    erika = Customer.objects.create(email="erika@example.com", name="Erika")
    Customer.objects.create(name="Ohne Adresse")
    client = caller("operations")

    def found(url: str) -> list[int]:
        return [row["id"] for row in client.get(f"/api/v1/{url}").json()["results"]]

    for query in ("sku=TK-100", "gtin=4006381333931", "gtin=4006-3813-33931", "active=true", "search=TK"):
        assert found(f"products/?{query}") == [pot.pk], query
    assert found("products/?gtin=nonsense") == []
    assert found("customers/?email=ERIKA@example.com") == [erika.pk]
    assert found("customers/?email=nonsense") == []


def test_exceptions_can_be_found(caller: Caller, reported: Order) -> None:
    case = ExceptionCase.objects.get()
    client = caller("operations")

    def found(query: str) -> list[int]:
        return [row["id"] for row in client.get(f"/api/v1/exceptions/?{query}").json()["results"]]

    client.post(f"/api/v1/exceptions/{case.pk}/actions/exceptions.take/", "{}", content_type="application/json")
    hits = ("state=OPEN", "kind=unknown_product", "role=operations", "assignee=operations", "connection=laden")
    for query in (*hits, "due_before=2200-01-01T00:00:00Z"):
        assert found(query) == [case.pk], query
    for query in (
        "state=SOLVED",
        "kind=defect",
        "role=finance",
        "assignee=nobody",
        "connection=erp",
        "due_before=2020-01-01",
    ):
        assert found(query) == [], query


@pytest.mark.parametrize("name", ["orders", "customers", "products", "exceptions", "connections"])
def test_a_list_takes_the_same_number_of_queries_at_any_size(
    caller: Caller, shop: Connection, django_assert_num_queries: DjangoAssertNumQueries, name: str
) -> None:
    client = caller("administrator")
    client.get("/api/v1/products/")  # the token's last use is written once a minute
    counts = {}
    for size in (3, 30):
        fill(shop, size)
        with django_assert_num_queries(QUERIES[name]) as captured:
            answer = client.get(f"/api/v1/{name}/")
        counts[size] = (len(captured.captured_queries), len(answer.json()["results"]))
    assert counts[3][0] == counts[30][0]
    assert counts[3][1] < counts[30][1]


# four for who asks (token, its role, the person's own and group permissions), one for the rows; connections read six
# figures of all rows at once; that personal data of customers was read is written down in one more
QUERIES = {"orders": 5, "customers": 6, "products": 5, "exceptions": 5, "connections": 11}


def fill(shop: Connection, size: int) -> None:
    make_orders(shop, size)
    start = Variant.objects.count()
    for place in range(start, start + size):
        Variant.objects.create(sku=f"S{place}", title="x")
        Customer.objects.create(name=f"K{place}")
        Connection.objects.create(kind="report", slug=f"c{place}", name="x", role="SHOP")
        case = ExceptionCase.objects.create(
            kind="unknown_product",
            cause=str(place),
            params={"sku": "x"},
            connection=shop,
            role="operations",
            due_at=MONDAY,
        )
        assert not CaseSubject.objects.filter(case=case).exists()
