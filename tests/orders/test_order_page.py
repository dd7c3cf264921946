"""The list of orders and the page of one: found fast, shown in words, masked where the role may not see."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext

from integration_hub.messaging import polling, pump
from integration_hub.models import OutboundCommand, User
from orders import timeline
from orders.models import Order, Sale
from orders.views import tax_totals
from tests import standin
from tests.dashboards.conftest import filled
from tests.dashboards.filled import Filled, deliver

__all__ = ["filled"]

pytestmark = pytest.mark.django_db


@pytest.fixture
def operator(person: Callable[..., User]) -> Client:
    somebody = person("operations")
    User.objects.filter(pk=somebody.pk).update(language="en")
    client = Client()
    client.force_login(somebody)
    return client


def numbers(client: Client, query: str) -> list[str]:
    return [order.number for order in client.get(f"/orders/?{query}").context["slice"].rows]


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("q=%232", ["#2"]),
        ("q=2", ["#2"]),
        ("q=kunde1@example.com", ["#1"]),
        ("q=KUNDE1@example.com", ["#1"]),
        ("q=nobody@example.com", []),
        ("q=999", []),
        ("state=HELD", ["#3"]),
        ("state=WAITING", ["#4"]),
        ("payment=OPEN", ["#4"]),
        ("fulfilment=FULL", []),
        ("since=2026-11-20", ["#5", "#4", "#3", "#2", "#1"]),
        ("since=2026-11-21", []),
        ("q=%232&state=HELD", []),
    ],
)
def test_orders_are_found(query: str, wanted: list[str], filled: Filled, operator: Client) -> None:
    assert sorted(numbers(operator, query), reverse=True) == wanted


def test_who_may_not_see_people_cannot_look_for_them(filled: Filled, person: Callable[..., User]) -> None:
    client = Client()
    client.force_login(person("integrator"))
    assert numbers(client, "q=kunde1@example.com") == []


def test_pages_follow_one_another_without_gap_or_repeat(filled: Filled, operator: Client) -> None:
    for number in range(100, 160):
        deliver(standin.order(number))
    pump.drain()
    first = operator.get("/orders/").context["slice"]
    second = operator.get("/orders/", {"before": first.older}).context["slice"]
    seen = [row.pk for row in [*first.rows, *second.rows]]
    assert (len(first.rows), second.older, second.first) == (50, "", False)
    assert sorted(seen, reverse=True) == list(Order.objects.order_by("-pk").values_list("pk", flat=True))


@pytest.mark.parametrize("key", ["x", "|", "2026-11-20|1", "1", "nonsense|5", "2026-11-20T10:00:00|3", "9" * 40])
def test_a_key_that_makes_no_sense_begins_at_the_top(key: str, filled: Filled, operator: Client) -> None:
    page = operator.get("/orders/", {"before": key})
    assert len(page.context["slice"].rows) == 5


def test_the_list_and_the_page_keep_their_number_of_queries(filled: Filled, operator: Client) -> None:
    def queries(address: str) -> int:
        with CaptureQueriesContext(database) as seen:
            assert operator.get(address).status_code == 200
        return len(seen)

    few = queries("/orders/")
    lines = [dict(standin.order()["lines"][0], id=str(n)) for n in range(1, 20)]
    deliver(standin.order(30, lines=lines, total="452.20", total_tax="72.20"))
    for number in range(31, 40):
        deliver(standin.order(number))
    pump.drain()
    assert queries("/orders/") == few
    short, long = Order.objects.get(external_id="31"), Order.objects.get(external_id="30")
    assert queries(f"/orders/{long.pk}/") == queries(f"/orders/{short.pk}/")


def test_the_page_says_where_the_order_stands(filled: Filled, operator: Client) -> None:
    shown = operator.get(f"/orders/{Order.objects.get(external_id='3').pk}/").content.decode()
    for word in (
        "held",
        "not shipped",
        "paid",
        "not in the ERP",
        "Teekanne",
        "The shop states a total of",
        "Hafenstraße 1",
    ):
        assert word in shown
    for code in ("HELD</", "READY", "order_to_erp", "ITEM"):
        assert code not in shown


def test_tax_is_added_up_per_rate(filled: Filled) -> None:
    order = Order.objects.get(external_id="1")
    (total,) = tax_totals(order.lines.all())
    assert (total.rate, total.net, total.tax, total.gross) == (
        Decimal("0.19"),
        Decimal("24.12"),
        Decimal("4.58"),
        Decimal("28.70"),
    )


def test_people_are_hidden_from_roles_that_may_not_see_them(filled: Filled, person: Callable[..., User]) -> None:
    client = Client()
    client.force_login(person("integrator"))
    pages = [client.get(f"/orders/{order.pk}/").content.decode() for order in Order.objects.all()]
    pages.append(client.get("/orders/").content.decode())
    for personal in ("Mustermann", "Hafenstraße", "@example.com", "20457"):
        assert not any(personal in page for page in pages)


def test_the_timeline_runs_from_the_first_byte_to_the_erp_and_back(filled: Filled) -> None:
    order, sale = Order.objects.get(external_id="1"), Sale.objects.get(order__external_id="1")
    filled.world.pages["sales"] = [
        {
            "topic": "sale.polled",
            "id": sale.external_id,
            "number": sale.number,
            "stage": "SHIPPED",
            "updated_at": "2026-11-22T10:00:00Z",
            "shipments": [{"id": "LS-1", "tracking": "0034", "lines": [["TK-100", "2"]]}],
        }
    ]
    polling.poll_now(filled.erp)
    pump.drain(lanes=("poll", "in", "out"))
    steps = timeline.of(order)
    said = [str(step.text["msgid"] if isinstance(step.text, dict) else step.text.msgid) for step in steps]
    assert said[:3] == [
        "Received from %(channel)s: %(topic)s (%(door)s)",
        "Order: %(old)s → %(to)s",
        "Written to %(erp)s as %(number)s",
    ]
    assert "Shipped: %(number)s %(tracking)s" in said
    assert said[-1] == "Told %(shop)s: %(what)s"
    assert [step.at for step in steps] == sorted(step.at for step in steps)
    assert steps[0].event is not None
    assert steps[2].attempt is not None


def test_failed_tries_and_what_still_waits_are_on_the_timeline(filled: Filled, operator: Client) -> None:
    order = Order.objects.get(external_id="5")
    (tried,) = [step for step in timeline.of(order) if step.tone == "bad"]
    (waiting,) = timeline.still_to_come(order)
    assert (tried.reason or {})["params"] == {"status": "422"}
    assert waiting == OutboundCommand.objects.get(state="PARKED")
    shown = operator.get(f"/orders/{order.pk}/").content.decode()
    assert f"/commands/{waiting.pk}/" in shown


def test_process_again_is_a_button_that_runs_once(filled: Filled, operator: Client) -> None:
    order = Order.objects.get(external_id="3")
    page = operator.post(f"/orders/{order.pk}/do/orders.retry/", follow=True)
    assert page.redirect_chain == [(f"/orders/{order.pk}/", 302)]
    assert [message.level_tag for message in page.context["messages"]] == ["success"]
    assert operator.post(f"/orders/{order.pk}/do/orders.unheard_of/").status_code == 404


def test_a_link_of_a_target_is_shown_only_if_it_leads_to_the_web(filled: Filled, operator: Client) -> None:
    Sale.objects.filter(order__external_id="1").update(url="javascript:alert(1)")
    Sale.objects.filter(order__external_id="2").update(url="https://erp.example/sale/2")
    first, second = (
        operator.get(f"/orders/{Order.objects.get(external_id=number).pk}/").content.decode() for number in ("1", "2")
    )
    assert "javascript:alert" not in first
    assert "https://erp.example/sale/2" in second
