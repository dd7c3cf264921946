"""The reports door: what it takes, what it refuses at once, and that a key stands for one report for ever."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection as database
from django.test import Client

from exceptions.models import ExceptionCase
from integration_hub.messaging import pump
from integration_hub.models import Connection, InboundEvent
from inventory.models import Variant
from orders.models import Order
from tests.api.conftest import Caller, line, order, post

pytestmark = pytest.mark.django_db


@pytest.fixture
def reporter(caller: Caller, own_system: Connection) -> Client:
    return caller("integrator")


def pointers(answer: Any) -> set[str]:
    return {error["pointer"] for error in answer.json()["errors"]}


def test_a_report_is_taken_and_its_fate_can_be_asked(reporter: Client, teapot: Variant) -> None:
    taken = post(reporter, order())
    assert taken.status_code == 202
    assert taken.json()["state"] == "DUE"
    assert taken.headers["Location"] == taken.json()["status_url"]
    before = reporter.get(taken.json()["status_url"]).json()
    assert (before["state"], before["order"]) == ("DUE", None)
    pump.drain()
    after = reporter.get(taken.json()["status_url"]).json()
    assert (after["state"], after["order"]["number"], after["order"]["state"]) == ("DONE", "2026-1", "RECORDED")
    assert reporter.get(after["order"]["url"]).json()["total"] == "28.7000"
    held = Order.objects.get()
    assert (held.total, held.lines.count(), held.addresses.count()) == (Decimal("28.70"), 2, 2)


def test_the_same_report_is_the_same_event(reporter: Client) -> None:
    first, again = post(reporter, order()), post(reporter, order())
    assert (first.status_code, again.status_code) == (202, 200)
    assert first.json()["event"] == again.json()["event"]
    assert InboundEvent.objects.count() == 1


def test_a_key_stands_for_one_report(reporter: Client) -> None:
    first = post(reporter, order(), key="k-1")
    reordered = dict(reversed(list(order().items())))
    again = post(reporter, reordered, key="k-1")
    other = post(reporter, order(total="28.80"), key="k-1")
    assert (first.status_code, again.status_code, other.status_code) == (202, 200, 409)
    assert first.json()["event"] == again.json()["event"]
    assert other.json()["type"] == "urn:hub:problem:key-reused"
    assert InboundEvent.objects.get().sender_key == "k-1"


def test_a_second_key_for_the_same_words_is_bound_to_them_too(reporter: Client) -> None:
    post(reporter, order(), key="k-1")
    assert post(reporter, order(), key="k-2").status_code == 202
    assert post(reporter, order(total="28.80"), key="k-2").status_code == 409
    pump.drain()
    assert sorted(InboundEvent.objects.values_list("state", flat=True)) == ["DONE", "IGNORED"]
    assert Order.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_rivals_with_one_key_make_one_event(reporter: Client) -> None:
    def rival(number: int) -> tuple[int, int | None]:
        try:
            answer = post(reporter, order(number), key="race")
            return answer.status_code, answer.json().get("event")
        finally:
            database.close()

    with ThreadPoolExecutor(8) as pool:
        same = list(pool.map(rival, [1] * 8))
    assert sorted(status for status, _event in same) == [200] * 7 + [202]
    assert len({event for _status, event in same}) == 1
    with ThreadPoolExecutor(8) as pool:
        others = list(pool.map(rival, range(2, 10)))
    assert {status for status, _event in others} == {409}
    assert InboundEvent.objects.count() == 1


@pytest.mark.parametrize("key", ["", " ", "a b", "x" * 256, "schlüssel", "a\tb"])
def test_a_key_is_printable_ascii(reporter: Client, key: str) -> None:
    answer = post(reporter, order(), key=key)
    assert answer.status_code == 400
    assert pointers(answer) == {"#/Idempotency-Key"}


def test_all_errors_are_named_at_once(reporter: Client) -> None:
    wrong = order(
        total=28.7,
        currency="EURO",
        stage="SOLD",
        placed_at="yesterday",
        prices_include_tax="yes",
        colour="blue",
        lines=[{"id": "1", "title": "x", "quantity": 1, "unit_price": "1", "net": "1", "tax": "NaN", "sku": 7}],
        billing={"country": "Germany"},
    )
    answer = post(reporter, wrong)
    assert answer.status_code == 400
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert pointers(answer) == {
        "#/total",
        "#/currency",
        "#/stage",
        "#/placed_at",
        "#/prices_include_tax",
        "#/colour",
        "#/lines/0/quantity",
        "#/lines/0/tax",
        "#/lines/0/sku",
        "#/billing/country",
    }
    assert not InboundEvent.objects.exists()


@pytest.mark.parametrize(
    "figure", [28.7, 28, None, True, "NaN", "Infinity", "1e2", "28,70", "", " 1", "٢", "1.00001", [], {}]
)
def test_money_is_a_decimal_string(reporter: Client, figure: Any) -> None:
    answer = post(reporter, order(total=figure))
    assert answer.status_code == 400
    assert pointers(answer) == {"#/total"}


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"currency": "XXX"}, "#/currency"),
        ({"currency": "eur"}, "#/currency"),
        ({"channel": "laden"}, "#/channel"),
        ({"channel": "nowhere"}, "#/channel"),
        ({"placed_at": "2026-11-20T10:00:00"}, "#/placed_at"),
        ({"placed_at": "0001-01-01T00:00:00+23:59"}, "#/placed_at"),
        ({"id": "0"}, "#/id"),
        ({"id": ""}, "#/id"),
        ({"id": "x" * 101}, "#/id"),
        ({"refunded": "-1"}, "#/refunded"),
        ({"lines": {}}, "#/lines"),
        ({"lines": [line(id="1", title="x", quantity="1", unit_price="1", net="1", tax="0")] * 2}, "#/lines"),
        ({"lines": [order()["lines"][0] | {"tax": "3.81"}]}, "#/lines/0/taxes"),
        ({"lines": [order()["lines"][0] | {"taxes": [{"rate": "19", "amount": "3.80"}]}]}, "#/lines/0/taxes/0/rate"),
    ],
)
def test_what_cannot_be_an_order_is_refused(reporter: Client, shop: Connection, change: Any, place: str) -> None:
    answer = post(reporter, order(**change))
    assert answer.status_code == 400
    assert pointers(answer) == {place}


@pytest.mark.parametrize(
    "change", [{"lines": []}, {"lines": [order()["lines"][0] | {"quantity": "-2"}]}, {"total": "-5.00"}]
)
def test_what_can_be_written_down_but_not_be_right_becomes_a_case(
    reporter: Client, own_system: Connection, erp: Connection, teapot: Variant, change: Any
) -> None:
    own_system.switches.create(process="order_to_erp", target=erp, since="2020-01-01T00:00:00Z")
    taken = post(reporter, order(**change))
    assert taken.status_code == 202
    pump.drain()
    assert Order.objects.get().state == "HELD"
    assert "order_implausible" in set(ExceptionCase.objects.open().values_list("kind", flat=True))
    fate = reporter.get(taken.json()["status_url"]).json()
    assert "order_implausible" in {case["kind"] for case in fate["exceptions"]}


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"null",
        b"[]",
        b'"text"',
        b"{",
        b"\xff\xfe",
        b'{"total": NaN}',
        b'{"total": 1e2000000}',
        b'{"id": 1, "id": 2}',
        b'{"id": "\\u0000"}',
        b'{"id": "\\ud800"}',
        b'{"a": ' + b"[" * 100 + b"]" * 100 + b"}",
        b"[" * 500_000,
    ],
    ids=range(13),
)
def test_bytes_that_make_no_sense_are_400(reporter: Client, raw: bytes) -> None:
    answer = post(reporter, raw)
    assert answer.status_code == 400
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_size_and_type_have_bounds(reporter: Client) -> None:
    fits = json.dumps(order()).encode()
    assert post(reporter, fits.ljust(1024 * 1024)).status_code == 202
    assert post(reporter, fits.ljust(1024 * 1024 + 1)).status_code == 413
    assert post(reporter, fits, content_type="text/plain").status_code == 415
    assert post(reporter, fits, content_type="application/x-www-form-urlencoded").status_code == 415


def test_a_body_in_chunks_is_refused_by_its_name(reporter: Client) -> None:
    headers = {"Transfer-Encoding": "chunked"}
    answer = reporter.generic("POST", "/api/v1/reports/orders/", b"", content_type="application/json", headers=headers)
    assert (answer.status_code, answer.json()["type"]) == (411, "urn:hub:problem:length-required")


def test_reporting_needs_its_permission(caller: Caller, own_system: Connection) -> None:
    assert post(caller("operations"), order()).status_code == 403
    assert post(Client(), order()).status_code == 401


def test_an_order_changed_and_reported_again_is_taken_over(reporter: Client, teapot: Variant) -> None:
    post(reporter, order())
    pump.drain()
    post(reporter, order(updated_at="2026-11-20T11:00:00Z", number="2026-1b"))
    post(reporter, order(updated_at="2026-11-20T09:00:00Z", number="too old"))
    pump.drain()
    assert Order.objects.get().number == "2026-1b"
