"""Every list as a file: the rows of the filter, masked as on the page, harmless in a spreadsheet, a row at a time."""

from __future__ import annotations

import csv
import io
import tracemalloc
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection as database
from django.http import FileResponse, StreamingHttpResponse
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import translation
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook

from customers.models import Customer
from integration_hub.backoffice import exports
from integration_hub.backoffice.masking import MASK
from integration_hub.models import Activity, User
from orders.models import Order
from tests.dashboards.filled import Filled

LISTS = (
    "orders after_sales completeness open_items transactions payouts refunds disputes bank_lines fees stock stock_ledger"
    " stock_risk stock_locations mapping mapping_history article_differences connections events commands activity tokens"
    " audit exceptions admin:customers_customer_changelist admin:inventory_variant_changelist"
).split()


def rows(answer: Any, delimiter: str = ";") -> list[list[str]]:
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text), delimiter=delimiter))


def book(answer: Any) -> list[tuple[Any, ...]]:
    page: Any = load_workbook(io.BytesIO(b"".join(answer))).active
    return [tuple(cell.value for cell in row) for row in page.iter_rows()]


@pytest.fixture
def client(filled: Filled, person: Callable[..., User]) -> Client:
    made = Client()
    made.force_login(person("administrator"))
    return made


@pytest.mark.django_db
def test_every_list_is_offered_as_a_file_and_is_one(client: Client) -> None:
    for name in LISTS:
        page = client.get(reverse(name))
        assert vars(page.wsgi_request)["exportable"], name
        comma = client.get(reverse(name), {"export": "csv"})
        assert comma.headers["Content-Type"] == "text/csv; charset=utf-8", name
        assert ".csv" in comma.headers["Content-Disposition"]
        there = rows(comma)
        sheet = book(client.get(reverse(name), {"export": "xlsx"}))
        assert len(there) == len(sheet), name
        assert [str(cell) for cell in sheet[0]] == there[0], name
        assert len(set(there[0])) == len(there[0]), name


@pytest.mark.django_db
def test_the_file_holds_what_the_filter_holds(client: Client) -> None:
    head, *found = rows(client.get(reverse("orders"), {"export": "csv", "state": "HELD"}))
    assert [line[0] for line in found] == ["#3"]
    assert found[0][head.index("Summe")] == "30,7000"
    every = rows(client.get(reverse("orders"), {"export": "csv"}))
    assert len(every) == Order.objects.count() + 1
    client.cookies["hub_language"] = "en"
    english = rows(client.get(reverse("orders"), {"export": "csv", "state": "HELD"}), ",")
    assert english[1][english[0].index("Total")] == "30.7000"


@pytest.mark.django_db
def test_who_may_not_see_a_list_may_not_take_it(filled: Filled, person: Callable[..., User]) -> None:
    client = Client()
    client.force_login(person("marketing"))
    for name in ("orders", "payouts", "events", "exceptions"):
        assert client.get(reverse(name), {"export": "csv"}).status_code == 403
    assert Client().get(reverse("admin:customers_customer_changelist"), {"export": "csv"}).status_code == 302


@pytest.mark.django_db
def test_personal_data_is_masked_as_on_the_page(filled: Filled, person: Callable[..., User]) -> None:
    name = str(Customer.objects.earliest("pk"))
    client = Client()
    for role, seen in (("integrator", False), ("auditor", True)):
        client.force_login(person(role))
        text = str(rows(client.get(reverse("orders"), {"export": "csv"})))
        assert (name in text, MASK in text) == (seen, not seen)
    client.force_login(person("marketing"))
    customers = rows(client.get(reverse("admin:customers_customer_changelist"), {"export": "csv"}))
    assert len(customers) > 1
    assert "@" not in str(customers)


@pytest.mark.django_db
def test_who_took_what_with_which_filter_is_on_record(client: Client) -> None:
    client.get(reverse("orders"), {"export": "csv", "state": "HELD"})
    (row,) = Activity.objects.filter(action="exports.taken")
    assert row.data == {"list": "orders", "filters": "state=HELD", "personal": True}
    assert row.actor == row.subject


@pytest.mark.django_db
def test_the_number_of_queries_is_the_same_however_many_rows(client: Client) -> None:
    def queries(name: str) -> int:
        with CaptureQueriesContext(database) as seen:
            rows(client.get(reverse(name), {"export": "csv"}))
        return len(seen)

    names = ("orders", "events", "commands", "exceptions")
    assert all(map(queries, names))  # what is looked up once per process is looked up now
    before = {name: queries(name) for name in names}
    Customer.objects.bulk_create([Customer(email=f"x{n}@example.test") for n in range(20)])
    order = Order.objects.earliest("pk")
    for number in range(20):
        order.pk, order.external_id, order._state.adding = None, f"x{number}", True
        order.save(force_insert=True)
    assert {name: queries(name) for name in before} == before


@pytest.mark.django_db
def test_a_sheet_that_would_be_cut_is_refused_with_a_word(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exports, "MOST_XLSX", 2)
    answer = client.get(reverse("orders"), {"export": "xlsx", "state": ""}, follow=True)
    assert answer.redirect_chain[0][0].startswith("/orders/")
    assert "export" not in answer.redirect_chain[0][0]
    assert [str(message) for message in answer.context["messages"]]
    assert not Activity.objects.filter(action="exports.taken").exists()
    assert isinstance(client.get(reverse("orders"), {"export": "csv"}), StreamingHttpResponse)


def _request(person: Callable[..., User]) -> Any:
    request = RequestFactory().get("/", {"export": "csv"})
    request.user = person("auditor")
    return request


DANGEROUS = ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "=cmd|' /C calc'!A0", '=HYPERLINK("http://x.test")')


@pytest.mark.django_db
@pytest.mark.parametrize("text", DANGEROUS)
def test_a_formula_is_only_a_text(text: str, person: Callable[..., User]) -> None:
    made = exports.Sheet("try", "Try", (exports.Column("=Head", lambda row: row),))
    request = _request(person)
    answer = exports.asked(request, made, [text])
    assert isinstance(answer, StreamingHttpResponse)
    (head,), (cell,) = rows(answer)
    assert head == "'=Head"
    assert cell == f"'{text}"
    file = exports._xlsx(request, made, [text])
    assert isinstance(file, FileResponse)
    page = load_workbook(io.BytesIO(b"".join(file))).active
    file.close()
    assert page["A2"].data_type == "s"
    assert str(page["A2"].value).startswith("'")


@settings(deadline=None)
@given(st.text(max_size=40))
def test_no_text_begins_like_a_formula(text: str) -> None:
    found = exports.safe(text)
    assert not found.startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
    assert found.removeprefix("'") == text.removeprefix("'") or found == text


@given(st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-(10**12), max_value=10**12))
def test_amounts_stay_numbers_to_the_last_digit(amount: Decimal) -> None:
    with translation.override("de"):
        german = exports._plain(amount, german=True)
    assert Decimal(german.replace(",", ".")) == amount
    assert "." not in german
    assert "'" not in german


@pytest.mark.django_db
@pytest.mark.parametrize("wanted", ["csv", "xlsx"])
def test_memory_does_not_grow_with_the_rows(wanted: str, person: Callable[..., User]) -> None:
    def many() -> Iterator[tuple[int, str]]:
        for number in range(30_000):
            yield number, f"row {number} " + "x" * 200

    made = exports.Sheet(
        "many", "Many", (exports.Column("n", lambda row: row[0]), exports.Column("t", lambda row: row[1]))
    )
    request = _request(person)
    request.GET = request.GET.copy()
    request.GET["export"] = wanted
    tracemalloc.start()
    answer = exports.asked(request, made, many())
    assert answer is not None
    size = sum(len(part) for part in answer)
    answer.close()
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert size > 100_000
    assert peak < 4_000_000
