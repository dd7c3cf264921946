"""From the shop's webhook to a sale in the ERP and back: number, parcels, completed; for both shops and both of Odoo's doors."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from integration_hub.models import Connection, InboundEvent
from integration_hub.sandbox.basket import Basket
from orders.models import Order
from tests.concurrency.together import together
from tests.sandbox.play import control

from .full_stack import AUNT, Stack, basket, everything, item, requests_made


def amounts(stack: Stack, sale: dict[str, Any]) -> dict[str, Decimal]:
    """Gross per product of a sale in the played ERP."""
    codes = {row["id"]: row["default_code"] for row in stack.rows("product.product")}
    lines = stack.sandbox.world.store.where("sale.order.line", "order_id", sale["id"])
    return {codes[line["product_id"]]: Decimal(str(line["price_total"])) for line in lines}


def partner(stack: Stack, number: int) -> dict[str, Any]:
    found = stack.sandbox.world.store.get("res.partner", number)
    assert found is not None
    return found


def assert_written_as_ordered(stack: Stack, order: Order, wanted: Basket, number: str) -> None:
    """Lines after discount, shipping, fee, tax, both addresses, the shop's number and the note are those of the basket."""
    sale = stack.sale(order)
    goods = {line.article.sku: line.after.gross for line in wanted.items}
    fee = {"GEBUEHR": wanted.fee.gross} if wanted.fee else {}
    assert amounts(stack, sale) == goods | {"VERSAND": wanted.shipping.gross} | fee
    taxes = sum((sum(parts) for parts in wanted.by_rate().values()), Decimal(0))
    assert (Decimal(str(sale["amount_total"])), Decimal(str(sale["amount_tax"]))) == (wanted.total, taxes)
    assert (sale["state"], number in sale["origin"]) == ("sale", True)
    billing, delivery = partner(stack, sale["partner_invoice_id"]), partner(stack, sale["partner_shipping_id"])
    assert (billing["street"], billing["zip"]) == (wanted.buyer.street, wanted.buyer.postcode)
    assert (delivery["street"], delivery["zip"], delivery["city"]) == (AUNT.street, AUNT.postcode, AUNT.city)
    assert "Klingel" in sale["note"]


DOORS = {"19": "/json/2/", "17": "/jsonrpc"}


@pytest.mark.parametrize("version", DOORS)
def test_woocommerce_to_odoo_and_back(stack: Stack, version: str) -> None:
    stack.sandbox.world.turn(odoo_version=version)
    stack.shop("woo", stack.odoo())
    (number,) = stack.place("woo", everything())
    stack.work()
    order = Order.objects.get()
    assert_written_as_ordered(stack, order, everything(), number)
    assert requests_made("POST", DOORS[version])
    assert order.sales.get().number in stack.rows("woo.notes")[0]["note"]
    stack.ship(order, partial=True)
    assert (len(stack.rows("woo.trackings")), stack.shop_order("woo", number)["status"]) == (1, "processing")
    stack.ship(order)
    parcels = {row["carrier_tracking_ref"] for row in stack.rows("stock.picking")}
    assert {row["tracking_number"] for row in stack.rows("woo.trackings")} == parcels
    assert (len(parcels), stack.shop_order("woo", number)["status"]) == (2, "completed")
    assert len(requests_made("PUT", "/orders/")) == 1
    order.refresh_from_db()
    assert (order.state, order.fulfilment, order.stage) == ("ACCEPTED", "FULL", "COMPLETED")
    stack.in_order()


@pytest.mark.parametrize("version", DOORS)
def test_shopify_to_odoo_and_back(stack: Stack, version: str) -> None:
    stack.sandbox.world.turn(odoo_version=version)
    shop = stack.shop("shopify", stack.odoo())
    wanted = replace(everything(), fee=None, payment="paypal")  # Shopify has no fees
    (number,) = stack.place("shopify", wanted)
    stack.work()
    order = Order.objects.get()
    assert_written_as_ordered(stack, order, wanted, stack.shop_order("shopify", number)["name"].lstrip("#"))
    assert f"ERP:{order.sales.get().number}" in stack.shop_order("shopify", number)["tags"]
    stack.ship(order, partial=True)
    assert stack.shop_order("shopify", number)["fulfillment_status"] == "partial"
    stack.ship(order)
    held = stack.shop_order("shopify", number)
    parcels = {row["carrier_tracking_ref"] for row in stack.rows("stock.picking")}
    assert held["fulfillment_status"] == "fulfilled"
    assert sorted(row["tracking_number"] for row in stack.rows("shopify.fulfillments")) == sorted(parcels)
    stack.poll(shop)
    assert len(stack.rows("shopify.fulfillments")) == 2
    stack.in_order()


@pytest.mark.parametrize("shop", ["woo", "shopify"])
def test_poll_and_webhook_of_the_same_orders_at_once(stack: Stack, odoo: Connection, shop: str) -> None:
    connection = stack.shop(shop, odoo)
    for _ in range(3):
        stack.place(shop, *[basket(item("SIEB-01", count)) for count in (1, 2, 3)])
        together(lambda: stack.poll(connection), stack.work)
    stack.work()
    assert (Order.objects.count(), len(stack.rows("sale.order"))) == (9, 9)
    assert set(InboundEvent.objects.filter(connection=connection).values_list("door", flat=True)) == {"WEBHOOK", "POLL"}
    stack.in_order()


@pytest.mark.parametrize("shop", ["woo", "shopify"])
def test_an_order_paid_later_goes_out_once_it_is_paid(stack: Stack, odoo: Connection, shop: str) -> None:
    stack.shop(shop, odoo)
    (number,) = stack.place(shop, basket(item("TK-200"), payment="bacs"))
    stack.work()
    assert (Order.objects.get().state, stack.rows("sale.order")) == ("WAITING", [])
    counter = stack.sandbox.woo.shop if shop == "woo" else stack.sandbox.shopify.shop
    counter.pay(int(number))
    stack.work()
    assert (Order.objects.get().state, len(stack.rows("sale.order"))) == ("ACCEPTED", 1)
    stack.in_order()


def test_what_we_told_the_shop_comes_back_and_moves_nothing(stack: Stack, woo: Connection, odoo: Connection) -> None:
    stack.place("woo", everything())
    stack.work()
    order = Order.objects.get()
    sent = len(requests_made("POST")) + len(requests_made("PUT"))
    stack.ship(order)
    told = len(requests_made("POST")) + len(requests_made("PUT")) - sent
    echoes = InboundEvent.objects.filter(connection=woo, door="WEBHOOK").count()
    stack.poll(woo, odoo)
    stack.later()
    assert told == 2  # the parcel and the status; the shop answered both with webhooks of its own
    assert echoes >= 2
    assert len(requests_made("POST")) + len(requests_made("PUT")) - sent == told
    stack.in_order()


def test_a_cancelled_sale_is_told_to_the_shop_once(stack: Stack, woo: Connection, odoo: Connection) -> None:
    stack.place("woo", basket(item("TK-100")))
    stack.work()
    order = Order.objects.get()
    control(stack.sandbox, "odoo/cancel", order=order.reference)
    stack.poll(odoo)
    stack.poll(odoo)
    notes = [row["note"] for row in stack.rows("woo.notes")]
    assert [("cancelled]" in note) for note in notes] == [False, True]
    stack.in_order()
