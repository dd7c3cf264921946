"""What an order holds: sums that agree, names in every script, and the same cost however many orders there are."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.db import connection as database
from django.db import transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exceptions.models import ExceptionCase
from integration_hub.kernel.messages import OrderReport
from integration_hub.messaging import pump
from integration_hub.models import Connection
from orders import recording
from orders.models import Order
from tests import spine, standin

pytestmark = pytest.mark.django_db

NAMES = [
    "Straße des 17. Juni 135, Größe Ñandú",
    "Łódź, ul. Żółkiewskiego",
    "東京都千代田区丸の内",
    "شارع الملك فهد",
    "רחוב דיזנגוף",
    "Проспект Мира",
    "ถนนสุขุมวิท",
    "한글 도로명",
    "Zoe\u0308 (decomposed)",
    "👩‍🚀 & Söhne <b>'\";--",
    "%(name)s {name} %s",
    "a" * 5000,
]


@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
def test_names_in_every_script_arrive_as_they_are(joined: Connection, world: standin.World, name: str) -> None:
    spine.teapot()
    item, shipping = standin.order()["lines"]
    words = {"city": name, "street": name, "number": name[:50]}
    found = standin.order(1, lines=[item | {"title": name}, shipping]) | words
    assert spine.deliver(found).status_code == 200
    spine.run()
    order = Order.objects.get()
    line = order.lines.get(position=1)
    assert (order.number, line.title) == (name[:50], name[:250])
    assert order.addresses.get(role="BILLING").street == " ".join(name.split())[:250]
    assert spine.sales(world) == [1]


def test_a_strange_product_name_makes_a_case_that_can_be_shown(joined: Connection) -> None:
    for number, name in enumerate(NAMES, start=1):
        item, shipping = standin.order()["lines"]
        spine.say(joined, standin.order(number, lines=[item | {"title": name, "sku": "", "product_id": ""}, shipping]))
    spine.run()
    assert Order.objects.filter(state="HELD").count() == len(NAMES)
    assert ExceptionCase.objects.open().count() == len(NAMES)


CENTS = st.integers(min_value=0, max_value=10**9)
RATES = st.sampled_from(["0.19", "0.07", "0"])
LINES = st.lists(st.tuples(CENTS, RATES, st.integers(min_value=1, max_value=99)), min_size=1, max_size=8)


def line(place: int, cents: int, rate: str, quantity: int) -> dict[str, Any]:
    net = Decimal(cents) * quantity / 100
    tax = (net * Decimal(rate)).quantize(Decimal("0.01"))
    return {
        "id": str(place),
        "sku": "TK-100",
        "title": "Kanne",
        "quantity": str(quantity),
        "price": str((net + tax) / quantity),
        "net": str(net),
        "tax": str(tax),
        "rate": rate,
    }


@given(LINES)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_sums_are_kept_to_the_cent(joined: Connection, drawn: list[tuple[int, str, int]]) -> None:
    lines = [line(place, *parts) for place, parts in enumerate(drawn, start=1)]
    tax = sum(Decimal(item["tax"]) for item in lines)
    total = tax + sum(Decimal(item["net"]) for item in lines)
    report = standin.order_report(standin.order(1, lines=lines, total=str(total), total_tax=str(tax)))
    with transaction.atomic():
        order = recorded(joined, report)
        held = list(order.lines.all())
        transaction.set_rollback(True)
    assert [item.gross for item in held] == [item.net + item.tax for item in held]
    assert (sum(item.gross for item in held), sum(item.tax for item in held)) == (order.total, order.total_tax)
    assert (order.total, order.total_tax) == (total, tax)


def recorded(joined: Connection, report: OrderReport) -> Order:
    recording.create(joined, report)
    order = Order.objects.select_related("channel").get()
    recording.fill(order, report)
    order.refresh_from_db()
    return order


def test_the_fingerprint_is_of_the_meaning_not_the_wording() -> None:
    one = standin.order_report(standin.order(1))
    same = standin.order_report(standin.order(1, total="28.7", stage="COMPLETED", updated_at="2026-11-21T10:00:00Z"))
    other = standin.order_report(standin.order(1, total="28.71"))
    assert recording.digest(one) == recording.digest(same) != recording.digest(other)


def cost(joined: Connection, number: int) -> int:
    spine.say(joined, standin.order(number))
    with CaptureQueriesContext(
        database,
    ) as seen:
        pump.run("in")
    return len(seen)


def test_the_cost_of_an_event_does_not_grow_with_the_orders(joined: Connection) -> None:
    spine.teapot()
    first = [cost(joined, number) for number in (1, 2)]
    for number in range(3, 60):
        spine.say(joined, standin.order(number))
    spine.run()
    later = cost(joined, 99)
    print(f"queries for one new order: {later}")  # noqa: T201  the number is wanted
    assert later <= first[1]
    assert later <= 60


def test_the_cost_of_a_repeat_is_small(joined: Connection) -> None:
    spine.teapot()
    cost(joined, 1)
    spine.say(joined, standin.order(1, updated_at="2026-11-20T10:01:00Z"))
    with CaptureQueriesContext(database) as seen:
        pump.run("in")
    assert len(seen) <= 25
