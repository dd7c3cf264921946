"""The whole way with ERPNext in the back: order in, shipped, told; cancelled, taken back, paid; and what goes wrong on it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction

from exceptions.models import ExceptionCase
from integration_hub.kernel.aftersales import AfterSaleKind
from integration_hub.kernel.messages import SaleReport
from integration_hub.models import Connection, OutboundCommand, User
from inventory.models import Location, LocationMapping, StockLevel
from orders.aftersales import flow, services
from orders.aftersales.models import AfterSale
from orders.aftersales.states import Outcome
from orders.models import Order
from tests.sandbox.play import control, state
from tests.sandbox.play import erpnext as played

from .full_stack import AUNT, Stack, at_rest, basket, everything, item, open_cases, outcomes, unknown, unwritten

SIEVE, POT, TEA = "SIEB-01", "TK-200", "TEE-250"
SHOPS = pytest.mark.parametrize("shop", ["woo", "shopify"])


@pytest.fixture
def boss(db: Any) -> User:
    return User.objects.create_superuser("boss", "boss@example.com", "secret-for-tests")


def document(stack: Stack, order: Order) -> dict[str, Any]:
    """The one sales order of this reference, over ERPNext's own interface."""
    it = played(stack.sandbox)
    (listed,) = it.list_sales([order.reference])
    return it._api.read("Sales Order", listed.external_id)


def standing(stack: Stack, order: Order) -> str:
    (listed,) = played(stack.sandbox).list_sales([order.reference])
    return "live" if listed.live else "cancelled"


def moved(stack: Stack) -> tuple[list[tuple[str, Decimal]], list[tuple[str, Decimal, bool | None]]]:
    """What left ERPNext's warehouse and what came back, over its own interface."""
    it = played(stack.sandbox, scrap_warehouse="Ausschuss - ST")
    reports = [report for one in it.poll("sales", None, None).deliveries for report in it.parse(one)]
    (found,) = [report for report in reports if isinstance(report, SaleReport)]
    left = sorted((line.sku, line.quantity) for parcel in found.shipments for line in parcel.lines)
    return left, sorted((one.sku, one.quantity, one.restock) for told in found.returns for one in told.positions)


def in_order(stack: Stack, **cases: int) -> None:
    """One sale per accepted order and none besides, nothing waits, and just these cases are open, by kind."""
    found = state(stack.sandbox)["erpnext"]
    accepted = {order.reference for order in Order.objects.filter(sales__connection__kind="erpnext")}
    assert (found["doubles"], set(found["sales"])) == ({}, accepted)
    assert unwritten() == []
    assert at_rest() == ([], [])
    assert open_cases() == cases


def decide(what: Callable[..., Any], case: AfterSale, boss: User, **given: Any) -> None:
    """A person presses a button."""
    with transaction.atomic():
        what(case.pk, by=boss, **given)


@SHOPS
def test_an_order_goes_in_and_its_parcels_come_back(stack: Stack, erpnext: Connection, shop: str) -> None:
    stack.shop(shop, erpnext)
    wanted = everything() if shop == "woo" else replace(everything(), fee=None, payment="paypal")
    (number,) = stack.place(shop, wanted)
    stack.work()
    order = Order.objects.get()
    found = document(stack, order)
    goods: dict[str, Decimal] = {}
    for row in found["items"]:
        goods[row["item_code"]] = goods.get(row["item_code"], Decimal(0)) + row["amount"]
    fee = {"GEBUEHR": wanted.fee.gross} if wanted.fee else {}
    assert (
        goods
        == {line.article.sku: line.after.gross for line in wanted.items} | {"VERSAND": wanted.shipping.gross} | fee
    )
    taxes = sum((sum(parts) for parts in wanted.by_rate().values()), Decimal(0))
    assert found["grand_total"] == wanted.total
    assert abs(found["total_taxes_and_charges"] - taxes) <= Decimal("0.02")
    it = played(stack.sandbox)
    assert it._api.read("Address", found["customer_address"])["address_line1"] == wanted.buyer.street
    assert it._api.read("Address", found["shipping_address_name"])["city"] == AUNT.city
    assert "Klingel" in found["terms"]

    stack.ship(order, partial=True)
    order.refresh_from_db()
    assert order.fulfilment == "PARTIAL"
    stack.ship(order)
    order.refresh_from_db()
    assert (order.state, order.fulfilment) == ("ACCEPTED", "FULL")
    sent = {row["awb_number"] for row in stack.rows("erpnext.Shipment")}
    told = {row["tracking_number"] for row in stack.rows("woo.trackings" if shop == "woo" else "shopify.fulfillments")}
    assert (told, len(sent)) == (sent, 2)
    if shop == "woo":
        assert stack.shop_order("woo", number)["status"] == "completed"
    in_order(stack)


def test_cancelled_in_the_shop_is_cancelled_in_erpnext_once_confirmed(
    stack: Stack, erpnext: Connection, boss: User
) -> None:
    stack.shop("woo", erpnext)
    (number,) = stack.place("woo", basket(item(POT)))
    stack.work()
    control(stack.sandbox, f"woo/orders/{number}", action="cancel")
    stack.work()
    order, case = Order.objects.get(), AfterSale.objects.get()
    assert (case.state, standing(stack, order)) == ("PROPOSED", "live")
    decide(services.confirm, case, boss)
    stack.work()
    order.refresh_from_db()
    assert (standing(stack, order), order.state) == ("cancelled", "CANCELLED")


def test_a_piece_that_is_not_wanted_any_more_does_not_leave(stack: Stack, erpnext: Connection, boss: User) -> None:
    stack.shop("shopify", erpnext)
    (number,) = stack.place("shopify", basket(item(SIEVE, 2), item(TEA)))
    stack.work()
    control(stack.sandbox, f"shopify/orders/{number}", action="refund", lines={SIEVE: 1})
    stack.work()
    decide(services.confirm, AfterSale.objects.get(), boss)
    stack.work()
    order = Order.objects.get()
    assert order.lines.get(sku=SIEVE).cancelled == 1
    stack.ship(order)
    assert moved(stack) == ([(SIEVE, Decimal(1)), (TEA, Decimal(1))], [])


def test_cancelled_after_it_left_is_laid_before_a_person(stack: Stack, erpnext: Connection) -> None:
    stack.shop("woo", erpnext)
    (number,) = stack.place("woo", basket(item(POT)))
    stack.work()
    order = Order.objects.get()
    stack.ship(order)
    control(stack.sandbox, f"woo/orders/{number}", action="cancel")
    stack.work()
    assert (AfterSale.objects.get().state, open_cases()) == ("PROPOSED", {"after_sale_conflict": 1})
    assert standing(stack, order) == "live"


def test_cancelled_in_erpnext_is_told_to_the_shop_once(stack: Stack, erpnext: Connection) -> None:
    stack.shop("woo", erpnext)
    stack.place("woo", basket(item("TK-100")))
    stack.work()
    control(stack.sandbox, "erpnext/cancel", order=Order.objects.get().reference)
    stack.poll(erpnext, erpnext)
    notes = [row["note"] for row in stack.rows("woo.notes")]
    assert [("cancelled]" in note) for note in notes] == [False, True]
    in_order(stack)


def test_what_comes_back_lies_on_the_shelf_and_what_is_broken_apart(
    stack: Stack, erpnext: Connection, boss: User
) -> None:
    stack.shop("woo", erpnext)
    stack.place("woo", basket(item(SIEVE, 3)))
    stack.work()
    order = Order.objects.get()
    stack.ship(order)
    line = order.lines.get(sku=SIEVE)
    case = services.request(order, AfterSaleKind.RETURN, {line.pk: Decimal(2)}, by=boss, why="gefällt nicht")
    decide(services.confirm, case, boss)
    decide(flow.arrive, case, boss)
    halves = {case.lines.get().pk: {Outcome.RESTOCK.value: Decimal(1), Outcome.WRITE_OFF.value: Decimal(1)}}
    with transaction.atomic():
        flow.inspect(case.pk, halves, by=boss)
    stack.work()
    stack.poll(erpnext)
    assert moved(stack) == ([(SIEVE, Decimal(3))], [(SIEVE, Decimal(1), False), (SIEVE, Decimal(1), True)])
    assert (AfterSale.objects.count(), open_cases()) == (1, {})
    order.refresh_from_db()
    assert order.fulfilment == "FULL"


def test_a_return_made_in_erpnext_comes_to_its_order(stack: Stack, erpnext: Connection) -> None:
    stack.shop("woo", erpnext)
    stack.place("woo", basket(item(SIEVE, 3)))
    stack.work()
    order = Order.objects.get()
    stack.ship(order)
    control(stack.sandbox, "erpnext/return", order=order.reference, sku=SIEVE, pieces=1)
    stack.poll(erpnext)
    case = AfterSale.objects.get()
    assert (case.kind, case.order, case.lines.get().quantity) == ("RETURN", order, Decimal(1))


def test_orders_of_an_unknown_product_run_on_when_erpnext_gets_it(stack: Stack, erpnext: Connection) -> None:
    stack.shop("woo", erpnext)
    stack.place("woo", basket(unknown(), item("TK-100")), basket(item("TK-200")))
    stack.work()
    case = ExceptionCase.objects.get()
    assert (case.kind, len(stack.rows("erpnext.Sales Order"))) == ("unknown_product", 1)
    goods = {"item_code": "TK-100-B", "item_name": "Teekanne Blau", "item_group": "Handelsware", "stock_uom": "Nos"}
    played(stack.sandbox)._api.create("Item", goods | {"is_stock_item": 0})
    stack.poll(erpnext)
    case.refresh_from_db()
    assert (case.state, case.closed_by, len(stack.rows("erpnext.Sales Order"))) == ("SOLVED", None, 2)
    in_order(stack)


def test_levels_come_in_and_change_with_the_warehouse(stack: Stack, erpnext: Connection) -> None:
    place = Location.objects.create(code="HAUPT", name="Hauptlager", source=erpnext)
    known = LocationMapping.objects.filter(connection=erpnext, external_id="Hauptlager - ST")
    assert known.update(location=place) == 1
    control(stack.sandbox, "erpnext/stock", sku="TK-100", quantity=7)
    stack.poll(erpnext)
    level = StockLevel.objects.get(variant__sku="TK-100", location=place)
    assert level.on_hand == 7


@pytest.mark.parametrize("fault", ["timeout_after_write_rate", "drop_after_write_rate", "error_rate"])
def test_whatever_breaks_there_is_one_sale(stack: Stack, erpnext: Connection, fault: str) -> None:
    stack.shop("woo", erpnext)
    rate = 0.1 if fault == "error_rate" else 0.5  # a sale takes a dozen requests, but few of them write
    stack.fault("erpnext", **{fault: rate, "hold_seconds": 0.01})
    stack.place("woo", *[basket(item(SIEVE, pieces)) for pieces in (1, 2, 3)])
    stack.work()
    stack.persist(orders=3)
    stack.all_well()
    stack.later()
    assert {outcome for outcome in outcomes() if outcome != "DONE"}
    assert sorted(row["total_qty"] for row in stack.rows("erpnext.Sales Order")) == [2, 3, 4]
    assert not OutboundCommand.objects.exclude(state__in=("DONE", "CANCELLED")).exists()
    in_order(stack)
