"""One root, one row: cases of several causes with the same root are shown, counted and mended together."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from exceptions import roots, services
from exceptions.models import ExceptionCase, Job
from exceptions.services import Trouble
from integration_hub.kernel.text import say
from integration_hub.messaging import pump
from integration_hub.models import Connection
from orders.models import Order
from tests import standin
from tests.exceptions import scene

pytestmark = pytest.mark.django_db
AtScreen = Callable[..., Client]


def refused(order: Order, erp: Connection, words: str = "Tax 19 % unknown for VK-%(number)s") -> ExceptionCase:
    trouble = Trouble(
        kind="target_refused",
        cause=f"command:{order.pk}",
        params={"target": erp.name, "verb": "sale.write", "connection": erp.name},
        found=say(words, number=order.pk),
    )
    return services.open_case(trouble, order, connection=erp)


@pytest.fixture
def orders(joined: Connection) -> list[Order]:
    scene.teapot()
    for number in (1, 2, 3):
        scene.report(standin.order(number))
    pump.drain()
    return list(Order.objects.order_by("pk"))


def test_what_differs_from_object_to_object_is_left_out() -> None:
    one, other = (
        say("refused: order %(n)s, trace 0af35b9c12de", n=17),
        say("refused: order %(n)s, trace 9b0c1d2e3f40", n=4),
    )
    assert roots.words(one) == roots.words(other)
    assert roots.words(one) != roots.words(say("refused: customer %(n)s, trace 0af35b9c12de", n=17))


def test_a_rate_is_the_trouble_itself(joined: Connection) -> None:
    seen = {roots.root_of("tax_rate_unknown", 1, "x", say("%(rates)s for DE", rates=rate)) for rate in ("17 %", "22 %")}
    assert len(seen) == 2


def test_a_kind_without_a_shared_root_has_one_for_each_cause(orders: list[Order]) -> None:
    keys = {roots.root_of("unknown_product", 1, cause, say("same")) for cause in ("a", "b")}
    assert len(keys) == 2
    assert roots.root_of("unknown_product", 1, "a", None) != roots.root_of("unknown_product", 2, "a", None)


def test_the_same_answer_for_many_orders_is_one_row(orders: list[Order], erp: Connection, at_screen: AtScreen) -> None:
    for order in orders:
        refused(order, erp)
    client = at_screen("operations")
    (row,) = client.get("/exceptions/?tab=all").context["rows"]
    assert (row.number, row.size, row.amount) == (3, 3, "€86.10")
    assert "3 exceptions, one root" in client.get("/exceptions/?tab=all").content.decode()
    inside = client.get(f"/exceptions/?{row.query}")
    assert len(inside.context["rows"]) == 3
    assert inside.context["group"].number == 3
    assert len(client.get("/exceptions/?tab=all&single=1").context["rows"]) == 3


def test_another_answer_is_another_row(orders: list[Order], erp: Connection, at_screen: AtScreen) -> None:
    refused(orders[0], erp)
    refused(orders[1], erp)
    refused(orders[2], erp, "Customer %(number)s is locked")
    rows = at_screen("operations").get("/exceptions/?tab=all").context["rows"]
    assert sorted(getattr(row, "number", 1) for row in rows) == [1, 2]


def test_a_ticked_row_means_all_of_its_cases(orders: list[Order], erp: Connection, at_screen: AtScreen) -> None:
    cases = [refused(order, erp) for order in orders]
    client = at_screen("operations", "anna")
    client.post("/exceptions/bulk/", {"action": "exceptions.take", "root": cases[0].root, "back": "tab=all"})
    assert set(ExceptionCase.objects.values_list("assignee__username", flat=True)) == {"anna"}
    assert Job.objects.get().root == cases[0].root


def strange_tax(number: int) -> dict[str, Any]:
    first, shipping = standin.order()["lines"]
    return standin.order(number, lines=[dict(first, rate="0.17"), shipping])


def test_a_fix_of_the_kind_mends_all_of_a_root(joined: Connection, at_screen: AtScreen) -> None:
    scene.teapot()
    for number in (1, 2, 3):
        scene.report(strange_tax(number))
    pump.drain()
    kind = ExceptionCase.objects.filter(kind="tax_rate_unknown")
    assert kind.values("root").distinct().count() == 1
    client = at_screen("finance", "anna")
    (row,) = [row for row in client.get("/exceptions/?tab=all").context["rows"] if row.case.kind == "tax_rate_unknown"]
    offered = [action.code for action in client.get(f"/exceptions/?{row.query}").context["bulk"]]
    assert offered[0] == "orders.accept"
    sent = {"action": "orders.accept", "root": row.case.root, "back": row.query, "why": "agreed with the adviser"}
    done = client.post("/exceptions/bulk/", sent, follow=True)
    assert (done.context["done"], done.context["failed"]) == (3, 0)
    assert not kind.open().exists()
    assert row.title.startswith("Tax rate of order … is unknown: 17")


def test_groups_cost_a_fixed_number_of_queries(
    orders: list[Order], erp: Connection, at_screen: AtScreen, django_assert_max_num_queries: Any
) -> None:
    client = at_screen("operations")
    for order in orders:
        refused(order, erp)
        refused(order, erp, f"Word {chr(65 + order.pk % 20)} is unknown, %(number)s")
    client.get("/exceptions/?tab=all")
    with django_assert_max_num_queries(20):
        client.get("/exceptions/?tab=all")
