"""Webhooks as they really are: lost, doubled, out of order, switched off by the shop, and none at all for a deletion."""

from __future__ import annotations

import pytest
import requests

from integration_hub.models import Connection, InboundEvent
from integration_hub.sandbox import world as facts
from orders.models import Order
from tests.sandbox.play import control, state

from .full_stack import SHOPS, Stack, basket, item, open_cases

REFUSED = 7  # failures in a row after which WooCommerce switches a webhook off


@pytest.mark.parametrize("shop", ["woo", "shopify"])
def test_lost_webhooks_are_healed_by_polling(stack: Stack, odoo: Connection, shop: str) -> None:
    connection = stack.shop(shop, odoo)
    stack.fault("webhooks", lost_rate=1)
    numbers = stack.place(shop, *[basket(item("TEE-250", count)) for count in (1, 2, 3)])
    stack.work()
    assert (Order.objects.count(), stack.rows("sale.order")) == (0, [])
    stack.poll(connection)
    assert sorted(Order.objects.values_list("external_id", flat=True)) == sorted(numbers)
    assert len(stack.rows("sale.order")) == 3
    stack.in_order()


@pytest.mark.parametrize("shop", ["woo", "shopify"])
def test_doubled_and_disordered_webhooks_are_one_sale_with_the_last_word(
    stack: Stack, odoo: Connection, shop: str
) -> None:
    connection = stack.shop(shop, odoo)
    stack.fault("webhooks", duplicate_rate=1, reorder_window=0.5)
    numbers = stack.place(shop, *[basket(item("HONIG-500", count), payment="bacs") for count in (1, 2, 3, 4)])
    counter = stack.sandbox.woo.shop if shop == "woo" else stack.sandbox.shopify.shop
    for number in numbers:
        counter.edit(int(number), {"note" if shop == "shopify" else "customer_note": "Bitte an die Nachbarin"})
        counter.pay(int(number))
    stack.work()
    stack.poll(connection)  # shops state whole seconds: of two webhooks within one only a look can tell the later
    sent = state(stack.sandbox)["webhooks"]
    assert sent[f"{shop}.again"] == sent[f"{shop}.sent"] >= 8
    assert {(order.state, order.payment, order.note) for order in Order.objects.all()} == {
        ("ACCEPTED", "PAID", "Bitte an die Nachbarin")
    }
    assert len(stack.rows("sale.order")) == 4
    stack.in_order()


@pytest.mark.parametrize("shop", ["woo", "shopify"])
def test_a_hub_that_was_away_gets_everything_once(stack: Stack, odoo: Connection, shop: str) -> None:
    """The webhooks met a closed door; Shopify tries again, WooCommerce does not."""
    connection = stack.shop(shop, odoo)
    control(stack.sandbox, "subscribe", shop=shop, url=f"http://127.0.0.1:9/webhooks/{connection.slug}/", secret="x")
    stack.place(shop, basket(item("BE-500")), basket(item("BUCH-01")))
    stack.work()
    assert Order.objects.count() == 0
    stack.subscribe(shop)
    stack.poll(connection)
    assert (Order.objects.count(), len(stack.rows("sale.order"))) == (2, 2)
    stack.in_order()


def test_a_deletion_that_sends_nothing_is_found_by_the_sweep(stack: Stack, woo: Connection, odoo: Connection) -> None:
    unpaid, written = stack.place("woo", basket(item("TK-100"), payment="bacs"), basket(item("TK-200")))
    stack.work()
    for number in (unpaid, written):
        control(stack.sandbox, f"woo/orders/{number}", action="delete", force=True)
    stack.work()
    assert not Order.objects.filter(stage="GONE").exists()
    stack.poll(woo)
    states = {order.external_id: (order.stage, order.state) for order in Order.objects.all()}
    assert states == {unpaid: ("GONE", "CANCELLED"), written: ("GONE", "CANCELLED")}
    assert open_cases() == {"cancelled_after_export": 1}
    control(stack.sandbox, "odoo/cancel", order=Order.objects.get(external_id=written).reference)
    stack.poll(odoo, woo)
    stack.in_order()


def test_an_order_put_into_the_bin_and_taken_out_again_runs_on(stack: Stack, woo: Connection) -> None:
    (number,) = stack.place("woo", basket(item("TK-100"), payment="bacs"))
    stack.work()
    control(stack.sandbox, f"woo/orders/{number}", action="delete")
    stack.work()
    assert Order.objects.get().state == "CANCELLED"
    stack.sandbox.woo.shop.edit(int(number), {"status": "processing"})
    stack.work()
    assert (Order.objects.get().state, len(stack.rows("sale.order"))) == ("ACCEPTED", 1)
    stack.in_order()


def test_a_webhook_that_the_shop_switched_off_is_a_case_until_it_is_active_again(stack: Stack, woo: Connection) -> None:
    stack.subscribe("woo", secret="another secret")
    stack.place("woo", *[basket(item("SIEB-01")) for _ in range(REFUSED)])
    stack.work()
    hooks = {row["topic"]: row for row in stack.rows("woo.webhooks")}
    assert (hooks["order.created"]["status"], Order.objects.count()) == ("disabled", 0)
    stack.poll(woo)
    assert (Order.objects.count(), open_cases()) == (REFUSED, {"webhook_disabled": 2})
    for topic in ("order.created", "order.updated"):
        switch_on(stack, hooks[topic]["id"])
    stack.poll(woo)
    stack.place("woo", basket(item("SIEB-01")))
    stack.work()
    assert InboundEvent.objects.filter(connection=woo, door="WEBHOOK").exists()
    stack.in_order()


def switch_on(stack: Stack, hook: int) -> None:
    """What a merchant does in the shop: enter the right secret and activate the webhook."""
    key = (facts.WOO_KEY, facts.WOO_SECRET)
    change = {"status": "active", "secret": SHOPS["woo"][2]["webhook_secret"]}
    address = f"{stack.sandbox.url}/woo/wp-json/wc/v3/webhooks/{hook}"
    requests.put(address, json=change, auth=key, timeout=10).raise_for_status()
