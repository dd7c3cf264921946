"""Exchanges end to end: played shops and ERP over real HTTP, read over their own addresses in the end."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction

from integration_hub.backoffice.actions import perform
from integration_hub.models import Connection, User
from inventory.models import Variant
from orders.actions import ORDER_ACTIONS
from orders.aftersales import exchange, flow, services
from orders.aftersales.models import AfterSale
from orders.models import Order
from tests.sandbox.play import control, odoo, woo

from .full_stack import Stack, item, open_cases
from .test_special_cases import SHOPS, SIEVE, TEA, Told, decide

EXCHANGE = next(action for action in ORDER_ACTIONS if action.code == "orders.exchange")


@pytest.fixture
def boss(db: Any) -> User:
    return User.objects.create_superuser("boss", "boss@example.com", "secret-for-tests")


@pytest.fixture
def told(stack: Stack, odoo: Connection) -> Callable[[str], Told]:
    return lambda shop: Told(stack, shop, odoo)


def notes(it: Told) -> str:
    """What the shop shows about its order, over its own interface."""
    if it.shop == "woo":
        path = f"/wp-json/wc/v3/orders/{it.number}/notes"
        found, _more = woo(it.stack.sandbox).api.items(path)
        return "\n".join(str(note["note"]) for note in found)
    return str(it.in_shop()["note"])


def in_erp(it: Told, order: Order) -> list[tuple[str, str, Decimal]]:
    """The live sales under this order's reference, as the ERP lists them."""
    found = odoo(it.stack.sandbox).list_sales([order.reference])
    return [(sale.reference, "live" if sale.live else "cancelled", sale.total) for sale in found]


def arrives(it: Told, case: AfterSale, boss: User) -> None:
    """The parcel is here, and what is in it is good."""
    case.refresh_from_db()
    if case.state == "ANNOUNCED":
        decide(flow.arrive, case, boss)
    good = {one.pk: {"RESTOCK": one.quantity} for one in case.lines.all()}
    with transaction.atomic():
        flow.inspect(case.pk, good, by=boss)
    it.stack.work()


@SHOPS
def test_a_person_exchanges_on_the_order_page_and_all_three_agree(
    told: Callable[[str], Told], shop: str, boss: User
) -> None:
    it = told(shop)
    order = it.place(item(SIEVE, 2))
    assert order
    it.stack.ship(order)
    line = order.lines.get(sku=SIEVE)
    data = {f"line_{line.pk}": "1", "sku_1": TEA, "quantity_1": "1", "why": "falscher Artikel"}
    perform(EXCHANGE, order, by=boss, data=data)
    case = it.case(kind="EXCHANGE")
    decide(services.confirm, case, boss)
    it.stack.work()
    new = Order.objects.get(exchange=case)
    assert (in_erp(it, new), new.state) == ([], "WAITING")  # not before the other goods are back
    arrives(it, case, boss)
    new.refresh_from_db()
    case.refresh_from_db()
    assert in_erp(it, new) == [(new.reference, "live", new.total)]
    assert (case.state, it.sale(), open_cases()) == ("DONE", "live", {})
    assert f"{case.number}: 1 × {SIEVE} comes back, 1 × {TEA} is sent instead" in notes(it)
    assert it.refunds_in_shop() == 0
    it.stack.ship(new)
    assert f"Exchange {case.number}: 1 × {TEA} is on its way" in notes(it)
    new.refresh_from_db()
    assert (new.fulfilment, it.is_cancelled_in_shop()) == ("FULL", False)
    it.stack.poll(it.channel, it.erp)
    assert (Order.objects.count(), AfterSale.objects.count(), open_cases()) == (2, 1, {})


@SHOPS
def test_a_cheaper_replacement_notes_only_the_difference_in_the_shop(
    told: Callable[[str], Told], shop: str, boss: User
) -> None:
    it = told(shop)
    order = it.place(item(SIEVE, 1))
    assert order
    it.stack.ship(order)
    line = order.lines.get(sku=SIEVE)
    goods = [exchange.Goods(Variant.objects.get(sku=TEA), Decimal(1), line.gross - 2, line.tax_rate)]
    with transaction.atomic():
        case = services.replace(order, {line.pk: Decimal(1)}, goods, by=boss, why="x", advance=True)
    decide(services.confirm, case, boss)
    it.stack.work()
    new = Order.objects.get(exchange=case)
    assert len(in_erp(it, new)) == 1  # in advance
    arrives(it, case, boss)
    decide(services.done_by_hand, case, boss, why="überwiesen")
    it.stack.work()
    it.stack.poll(it.channel)
    case.refresh_from_db()
    assert (case.state, it.refunds_in_shop(), AfterSale.objects.count()) == ("DONE", 1, 1)
    if shop == "woo":
        assert [refund["total"] for refund in it.in_shop()["refunds"]] == ["-2.00"]


def test_an_exchange_that_shopify_makes_is_sent_when_the_goods_are_back(
    told: Callable[[str], Told], boss: User
) -> None:
    it = told("shopify")
    order = it.place(item(SIEVE, 2))
    assert order
    it.stack.ship(order)
    it.stack.poll(it.channel)  # its products: an exchange item is named by its variant
    it.does("return", move="request", lines={SIEVE: 1}, instead={TEA: 1}, reason="zu klein")
    case = it.case(kind="EXCHANGE")
    assert (case.state, [(one.sku, one.variant.sku if one.variant else "") for one in case.instead.all()]) == (
        "PROPOSED",
        [(TEA, TEA)],
    )
    decide(services.confirm, case, boss)
    it.does("return", move="approve")
    it.does("return", move="process")
    it.stack.poll(it.channel)
    arrives(it, case, boss)
    new = Order.objects.get(exchange=case)
    case.refresh_from_db()
    assert [(reference, state) for reference, state, _total in in_erp(it, new)] == [(new.reference, "live")]
    assert (case.state, open_cases()) == ("DONE", {})


def test_an_exchange_that_is_declined_leaves_nothing_in_the_erp(told: Callable[[str], Told], boss: User) -> None:
    it = told("woo")
    order = it.place(item(SIEVE, 2))
    assert order
    it.stack.ship(order)
    line = order.lines.get(sku=SIEVE)
    goods = [exchange.Goods(Variant.objects.get(sku=TEA), Decimal(1), line.gross / 2, line.tax_rate)]
    with transaction.atomic():
        case = services.replace(order, {line.pk: Decimal(1)}, goods, by=boss, why="x", advance=False)
    decide(services.confirm, case, boss)
    decide(flow.decline, case, boss, why="behält es doch")
    it.stack.work()
    control(it.stack.sandbox, "reset")
    new = Order.objects.get(exchange=case)
    assert (new.state, in_erp(it, new), open_cases()) == ("CANCELLED", [], {})
    assert order.lines.get(sku=SIEVE).returned == 0
