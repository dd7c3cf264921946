"""Systems that fail, stall and drop the line at the worst moment: retried, never doubled, never lost."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import pytest
import requests
from django.contrib.auth.models import Group
from django.utils import timezone

from integration_hub.api import tokens
from integration_hub.connectors.http import Http
from integration_hub.management.demo_trouble import reported
from integration_hub.models import Connection, OutboundCommand, PollState, User
from integration_hub.sandbox.http import Request, Response
from orders.models import Order
from tests.sandbox.play import control

from .full_stack import Stack, basket, everything, item, next_second, open_cases, outcomes


def test_an_erp_that_is_down_is_tried_again_until_it_is_back(stack: Stack, woo: Connection) -> None:
    stack.fault("odoo", error_rate=1)
    stack.place("woo", everything(), basket(item("TK-100")))
    stack.work()
    stack.later()
    waiting = OutboundCommand.objects.filter(state="DUE", verb="sale.write")
    assert (waiting.count(), stack.rows("sale.order"), set(outcomes())) == (2, [], {"RETRY"})
    assert all(row.due_at > timezone.now() - timedelta(seconds=1) for row in waiting)
    stack.all_well()
    stack.later()
    assert len(stack.rows("sale.order")) == 2
    stack.in_order()


def test_an_erp_that_fails_now_and_then(stack: Stack, woo: Connection) -> None:
    stack.fault("odoo", error_rate=0.1)
    stack.place("woo", *[basket(item("SIEB-01", count)) for count in range(1, 7)])
    stack.work()
    stack.persist(orders=6)
    stack.all_well()
    stack.later()
    stack.in_order()


@pytest.mark.parametrize("version", ["19", "17"])
def test_every_write_of_the_erp_is_carried_out_and_the_line_dropped(
    stack: Stack, woo: Connection, version: str
) -> None:
    stack.sandbox.world.turn(odoo_version=version)
    stack.fault("odoo", drop_after_write_rate=1)
    stack.place("woo", everything())
    stack.work()
    stack.persist(orders=1)
    assert outcomes()[-1] == "FOUND"
    assert set(outcomes()[:-1]) == {"AMBIGUOUS"}
    stack.all_well()
    stack.later()
    # the firm, its contact at the billing address, the recipient
    assert (len(stack.rows("sale.order")), len(stack.rows("res.partner"))) == (1, 3)
    stack.in_order()


def test_every_write_of_the_erp_is_carried_out_and_nobody_says_so_in_time(
    stack: Stack, woo: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("integration_hub.models.connection.Http", partial(Http, timeout=(2.0, 0.3)))
    stack.fault("odoo", timeout_after_write_rate=1, hold_seconds=1)
    stack.place("woo", basket(item("TK-100")))
    stack.work()
    assert outcomes() == ["AMBIGUOUS"]
    assert OutboundCommand.objects.get(verb="sale.write").due_at > timezone.now() + timedelta(seconds=20)
    stack.persist(orders=1)
    stack.all_well()
    stack.later()
    assert (len(stack.rows("sale.order")), len(stack.rows("res.partner"))) == (1, 1)
    stack.in_order()


@pytest.mark.parametrize("shop", ["woo", "shopify"])
def test_a_shop_that_drops_the_line_gets_each_parcel_once(stack: Stack, odoo: Connection, shop: str) -> None:
    stack.shop(shop, odoo)
    stack.place(shop, basket(item("TK-100", 2), item("TEE-250")))
    stack.work()
    order = Order.objects.get()
    stack.fault(shop, drop_after_write_rate=1)
    stack.ship(order, partial=True)
    stack.ship(order)
    for _ in range(6):
        stack.later()
    stack.all_well()
    stack.later()
    assert len(stack.rows("woo.trackings" if shop == "woo" else "shopify.fulfillments")) == 2
    assert {"AMBIGUOUS", "FOUND"} <= set(outcomes("shop.shipped"))
    stack.in_order()


@pytest.mark.parametrize("wait", [17, 240])
def test_retry_after_is_honoured_when_writing_and_polling(stack: Stack, woo: Connection, wait: int) -> None:
    stack.fault("odoo", error_rate=1, status=429, retry_after=wait)
    stack.fault("woo", error_rate=1, status=429, retry_after=wait)
    before = timezone.now()
    stack.place("woo", basket(item("TK-100")))
    stack.poll(woo)
    poll = PollState.objects.get(connection=woo, stream="orders")
    for row in (OutboundCommand.objects.get(verb="sale.write"), poll):
        assert timedelta(seconds=wait) <= row.due_at - before < timedelta(seconds=wait + 15)
    stack.all_well()
    stack.work()
    assert stack.rows("sale.order") == []  # what was asked for is waited for, even though all is well again
    stack.later()
    stack.in_order()


def test_a_throttled_shopify_is_told_later(stack: Stack, shopify: Connection) -> None:
    stack.place("shopify", basket(item("TK-100")))
    stack.fault("shopify", error_rate=1, status=429)
    stack.work()
    assert set(outcomes("shop.accepted")) == {"RETRY"}
    stack.all_well()
    stack.later()
    assert "ERP:S" in stack.rows("shopify.orders")[0]["tags"]
    stack.in_order()


def test_a_system_of_the_merchants_own_reports_over_rest(stack: Stack, odoo: Connection) -> None:
    portal = stack.connect("portal", "report", "SHOP", {}, {})
    stack.join(portal, odoo)
    user = User.objects.create_user(username="portal", password="pw-for-tests-1")
    integrator = Group.objects.get(name="integrator")
    user.groups.add(integrator)
    _token, secret = tokens.issue(user, "portal", integrator)
    order = reported("portal", "P-1", "K-1", "einkauf@kontor.example", "TEE-250")
    headers = {"Authorization": f"Bearer {secret}", "Idempotency-Key": "2026-P-1"}
    address = f"{stack.url}/api/v1/reports/orders/"
    answers = [requests.post(address, json=order, headers=headers, timeout=10) for _ in range(10)]
    assert [answer.status_code for answer in answers] == [202] + [200] * 9
    stack.work()
    held = Order.objects.get()
    sale = stack.sale(held)
    assert (sale["amount_total"], sale["amount_tax"], sale["origin"]) == (25.80, 1.69, "portal P-1")
    status = requests.get(answers[0].json()["status_url"], headers=headers, timeout=10).json()
    assert (status["state"], status["order"]["number"], status["order"]["state"]) == ("DONE", "P-1", "ACCEPTED")
    stack.ship(held)
    held.refresh_from_db()
    assert held.fulfilment == "FULL"
    stack.in_order()
    without = requests.post(address, json=order, timeout=10)
    assert without.status_code == 401


def test_a_sale_that_is_there_counts_as_written_although_the_last_question_about_it_failed(
    stack: Stack, woo: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    erp = stack.sandbox.odoo
    confirmed: list[str] = []

    def handle(request: Request) -> Response:
        if request.path.endswith("/sale.order/read") and len(confirmed) == 1:
            confirmed.append("asked")
            return erp.failure(504, 0)
        confirmed.extend(["confirmed"] * request.path.endswith("action_confirm"))
        return played(request)

    played = erp.handle
    monkeypatch.setattr(erp, "handle", handle)
    (number,) = stack.place("woo", basket(item("TK-100")))
    stack.work()
    assert (outcomes(), OutboundCommand.objects.get(verb="sale.write").maybe_sent) == (["RETRY"], True)
    control(stack.sandbox, f"woo/orders/{number}", action="cancel")
    stack.work()
    assert open_cases() == {"cancelled_after_export": 1}
    stack.later()
    assert (outcomes(), len(stack.rows("sale.order"))) == (["RETRY", "FOUND"], 1)
    assert open_cases() == {"cancelled_after_export": 1}


def test_a_quotation_of_an_order_that_is_cancelled_before_it_is_confirmed_becomes_a_case(
    stack: Stack, woo: Connection, odoo: Connection
) -> None:
    stack.fault("odoo", drop_after_write_rate=1)
    (number,) = stack.place("woo", basket(item("TK-100")))
    stack.work()
    for _ in range(5):
        if stack.rows("sale.order"):
            break
        stack.later()
    stack.all_well()
    next_second()
    control(stack.sandbox, f"woo/orders/{number}", action="cancel")
    stack.later()
    order = Order.objects.get()
    assert (stack.sale(order)["state"], order.state, order.sales.get().stage) == ("draft", "CANCELLED", "DRAFT")
    stack.in_order(cases={"cancelled_after_export": 1})
    control(stack.sandbox, "odoo/cancel", order=order.reference)
    stack.poll(odoo)
    stack.in_order()
