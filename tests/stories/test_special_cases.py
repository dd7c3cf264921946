"""What happens to an order after it was taken: played shop and ERP, read over their own addresses in the end."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction

from integration_hub.kernel.aftersales import AfterSaleKind
from integration_hub.kernel.messages import SaleReport
from integration_hub.kernel.states import Capability
from integration_hub.models import Connection, User
from orders.aftersales import flow, services
from orders.aftersales.models import AfterSale
from orders.aftersales.states import Outcome
from orders.models import Order
from tests.sandbox.play import control, odoo, shopify, woo

from .full_stack import Stack, basket, item, open_cases

SIEVE, POT, TEA = "SIEB-01", "TK-200", "TEE-250"
SHOPS = pytest.mark.parametrize("shop", ["woo", "shopify"])


@pytest.fixture
def boss(db: Any) -> User:
    return User.objects.create_superuser("boss", "boss@example.com", "secret-for-tests")


def decide(what: Callable[..., Any], case: AfterSale, boss: User, **given: Any) -> None:
    """A person presses a button."""
    with transaction.atomic():
        what(case.pk, by=boss, **given)


class Told:
    """One shop, its ERP and one order, and levers to pull."""

    def __init__(self, stack: Stack, shop: str, erp: Connection) -> None:
        self.stack, self.shop, self.erp = stack, shop, erp
        self.channel = stack.shop(shop, erp)
        self.number = ""

    def place(self, *items: Any, announce: bool = True, **changes: Any) -> Order | None:
        (self.number,) = self.stack.place(self.shop, basket(*items, **changes), announce=announce)
        self.stack.work()
        return Order.objects.filter(external_id=self.number).first()

    def does(self, action: str, **given: Any) -> None:
        """Somebody in the shop does this; the hub hears of it."""
        control(self.stack.sandbox, f"{self.shop}/orders/{self.number}", action=action, **given)
        self.stack.work()

    def case(self, **wanted: Any) -> AfterSale:
        return AfterSale.objects.get(**wanted)

    def in_shop(self) -> dict[str, Any]:
        """The order as the shop's own interface gives it."""
        if self.shop == "woo":
            return dict(woo(self.stack.sandbox).api.read(f"/wp-json/wc/v3/orders/{self.number}"))
        query = (
            "query Q($id: ID!) { order(id: $id) { cancelledAt displayFinancialStatus tags note refunds { id note } } }"
        )
        found = shopify(self.stack.sandbox).api.query(query, {"id": f"gid://shopify/Order/{self.number}"})
        return dict(found["order"])

    def is_cancelled_in_shop(self) -> bool:
        found = self.in_shop()
        return bool(found.get("cancelledAt")) or found.get("status") == "cancelled"

    def refunds_in_shop(self) -> int:
        return len(self.in_shop()["refunds"])

    def sale(self) -> str:
        """The sale's state in the ERP, over its own interface."""
        order = Order.objects.get(external_id=self.number)
        (found,) = odoo(self.stack.sandbox).list_sales([order.reference])
        return "live" if found.live else "cancelled"

    def moved_in_erp(self) -> tuple[list[tuple[str, Decimal]], list[tuple[str, Decimal, bool | None]]]:
        """What left the ERP's warehouse and what came back, over its own interface."""
        erp = odoo(self.stack.sandbox)
        reports = [report for one in erp.poll("sales", None, None).deliveries for report in erp.parse(one)]
        (found,) = [report for report in reports if isinstance(report, SaleReport)]
        left = sorted((line.sku, line.quantity) for parcel in found.shipments for line in parcel.lines)
        back = [(one.sku, one.quantity, one.restock) for told in found.returns for one in told.positions]
        return left, sorted(back)

    def let_the_erp_cancel(self) -> None:
        """By command where the hub can, else by hand as the step says."""
        if Capability.CANCEL_SALE not in self.erp.connector_class.capabilities:
            order = Order.objects.get(external_id=self.number)
            control(self.stack.sandbox, "odoo/cancel", order=order.reference)
            self.stack.poll(self.erp)
        self.stack.work()


@pytest.fixture
def told(stack: Stack, odoo: Connection) -> Callable[[str], Told]:
    return lambda shop: Told(stack, shop, odoo)


@SHOPS
def test_pieces_refunded_after_shipping_are_a_refund_and_leave_the_sale(told: Callable[[str], Told], shop: str) -> None:
    it = told(shop)
    order = it.place(item(SIEVE, 3), item(TEA, 2))
    assert order
    it.stack.ship(order)
    it.does("refund", lines={SIEVE: 1, TEA: 1}, reason="zerbrochen")
    case = it.case(kind=AfterSaleKind.REFUND)
    gross = {line.line.sku: (line.quantity, line.amount, line.tax) for line in case.lines.select_related("line")}
    per_piece = {line.sku: (Decimal(1), line.gross / line.quantity) for line in order.lines.filter(kind="ITEM")}
    assert {sku: (found[0], round(found[1], 2)) for sku, found in gross.items()} == {
        sku: (pieces, round(amount, 2)) for sku, (pieces, amount) in per_piece.items()
    }
    assert (case.state, case.reason, case.amount) == (
        "PROPOSED",
        "zerbrochen",
        sum(found[1] for found in gross.values()),
    )
    assert (it.sale(), it.refunds_in_shop(), open_cases()) == ("live", 1, {})


@SHOPS
def test_two_refunds_of_one_line_at_once_are_two(told: Callable[[str], Told], shop: str) -> None:
    it = told(shop)
    order = it.place(item(SIEVE, 3))
    assert order
    it.stack.ship(order)
    for _ in range(2):
        control(it.stack.sandbox, f"{shop}/orders/{it.number}", action="refund", lines={SIEVE: 1})
    it.stack.work()
    it.stack.poll(it.channel)
    assert [case.lines.get().quantity for case in AfterSale.objects.filter(kind="REFUND")] == [1, 1]
    assert (it.sale(), it.refunds_in_shop()) == ("live", 2)


@SHOPS
def test_an_amount_alone_is_split_by_the_rates_of_the_order(told: Callable[[str], Told], shop: str) -> None:
    it = told(shop)
    order = it.place(item(SIEVE), item(TEA))
    assert order
    it.stack.ship(order)
    it.does("refund", amount="5.00")
    case = it.case(kind="REFUND")
    split = {Decimal(rate): Decimal(gross) for rate, (gross, _tax) in case.stated["split"].items()}
    assert (case.amount, sum(split.values()), set(split)) == (
        Decimal(5),
        Decimal(5),
        {Decimal("0.19"), Decimal("0.07")},
    )
    assert (case.lines.count(), it.sale(), it.refunds_in_shop()) == (0, "live", 1)


@SHOPS
def test_a_refund_of_what_is_still_here_is_a_cancellation_of_lines(
    told: Callable[[str], Told], shop: str, boss: User
) -> None:
    it = told(shop)
    order = it.place(item(SIEVE, 2), item(TEA))
    assert order
    it.does("refund", lines={SIEVE: 1})
    case = it.case()
    assert (case.kind, case.state, case.lines.get().quantity) == ("CANCELLATION", "PROPOSED", Decimal(1))
    decide(services.confirm, case, boss)
    it.stack.work()
    line = order.lines.get(sku=SIEVE)
    assert (line.cancelled, it.sale(), it.is_cancelled_in_shop()) == (Decimal(1), "live", False)
    it.stack.ship(order)
    assert it.moved_in_erp() == ([(SIEVE, Decimal(1)), (TEA, Decimal(1))], [])


@SHOPS
def test_what_comes_back_lies_in_the_erp_and_what_is_broken_does_not(
    told: Callable[[str], Told], shop: str, boss: User
) -> None:
    it = told(shop)
    order = it.place(item(SIEVE, 3))
    assert order
    it.stack.ship(order)
    line = order.lines.get(sku=SIEVE)
    case = services.request(order, AfterSaleKind.RETURN, {line.pk: Decimal(2)}, by=boss, why="gefällt nicht")
    decide(services.confirm, case, boss)
    decide(flow.arrive, case, boss)
    halves = {case.lines.get().pk: {Outcome.RESTOCK.value: Decimal(1), Outcome.WRITE_OFF.value: Decimal(1)}}
    with transaction.atomic():
        flow.inspect(case.pk, halves, by=boss)
    it.stack.work()
    it.stack.poll(it.erp)
    back = [(SIEVE, Decimal(1), False), (SIEVE, Decimal(1), True)]
    assert it.moved_in_erp() == ([(SIEVE, Decimal(3))], back)
    assert (AfterSale.objects.count(), open_cases()) == (1, {})


@SHOPS
def test_a_refund_that_comes_before_its_order_waits_for_it(told: Callable[[str], Told], shop: str) -> None:
    it = told(shop)
    assert it.place(item(SIEVE), announce=False) is None
    it.does("refund", amount="3.00")
    it.stack.poll(it.channel)
    order = Order.objects.get(external_id=it.number)
    case = it.case(kind="REFUND")
    assert (case.order, case.amount, case.state) == (order, Decimal(3), "PROPOSED")
    assert (it.sale(), it.refunds_in_shop(), open_cases()) == ("live", 1, {})


@SHOPS
def test_cancelled_in_the_shop_is_cancelled_in_the_erp_once_confirmed(
    told: Callable[[str], Told], shop: str, boss: User
) -> None:
    it = told(shop)
    it.place(item(POT))
    it.does("cancel")
    case = it.case(kind="CANCELLATION")
    assert (case.state, it.sale()) == ("PROPOSED", "live")
    decide(services.confirm, case, boss)
    it.let_the_erp_cancel()
    assert (it.sale(), it.is_cancelled_in_shop()) == ("cancelled", True)
    assert Order.objects.get().state == "CANCELLED"


@SHOPS
def test_cancelled_and_refunded_is_one_cancellation_and_the_money_of_it(told: Callable[[str], Told], shop: str) -> None:
    it = told(shop)
    it.place(item(SIEVE, 2))
    it.does("cancel")
    it.does("refund", lines={SIEVE: 1})
    it.stack.poll(it.channel)
    cancelled, refund = AfterSale.objects.order_by("pk")
    assert (cancelled.kind, cancelled.lines.count()) == ("CANCELLATION", 0)
    line = refund.lines.get()
    assert (refund.kind, line.line.sku, line.quantity, line.amount) == ("REFUND", SIEVE, Decimal(0), refund.amount)
    assert (it.sale(), it.is_cancelled_in_shop(), it.refunds_in_shop()) == ("live", True, 1)


@SHOPS
def test_cancelled_in_the_shop_after_it_left_is_laid_before_a_person(told: Callable[[str], Told], shop: str) -> None:
    it = told(shop)
    order = it.place(item(POT))
    assert order
    it.stack.ship(order)
    it.does("cancel")
    assert (it.case(kind="CANCELLATION").state, open_cases()) == ("PROPOSED", {"after_sale_conflict": 1})
    assert (it.sale(), it.is_cancelled_in_shop()) == ("live", True)


@SHOPS
def test_money_that_comes_after_the_cancellation_wakes_nothing(told: Callable[[str], Told], shop: str) -> None:
    it = told(shop)
    it.place(item(POT), payment="bacs")
    it.does("cancel")
    it.does("pay")
    it.does("edit", changes={"note": "Geld ist da"} if shop == "shopify" else {"customer_note": "Geld ist da"})
    order = Order.objects.get()
    assert (order.state, order.sales.count(), it.is_cancelled_in_shop()) == ("CANCELLED", 0, True)
    assert it.stack.rows("sale.order") == []


def test_an_order_deleted_in_the_shop_stays_with_its_refund(told: Callable[[str], Told]) -> None:
    it = told("woo")
    order = it.place(item(SIEVE, 2))
    assert order
    it.stack.ship(order)
    control(it.stack.sandbox, f"woo/orders/{it.number}", action="refund", lines={SIEVE: 1})
    control(it.stack.sandbox, f"woo/orders/{it.number}", action="delete", force=True)
    it.stack.work()
    it.stack.poll(it.channel)
    assert it.stack.sandbox.world.store.get("woo.orders", int(it.number)) is None
    assert it.sale() == "live"
    assert Order.objects.get().lines.get(sku=SIEVE).quantity == 2


@SHOPS
def test_what_the_hub_refunds_stands_in_the_shop_once_and_comes_back_as_nothing(
    told: Callable[[str], Told], shop: str, boss: User
) -> None:
    it = told(shop)
    order = it.place(item(SIEVE, 2))
    assert order
    it.stack.ship(order)
    case = services.request(order, AfterSaleKind.REFUND, {}, by=boss, why="Kulanz", amount=Decimal("4.00"))
    decide(services.confirm, case, boss)
    it.stack.work()
    assert it.refunds_in_shop() == 0  # the money comes first
    decide(services.done_by_hand, case, boss, why="überwiesen")
    it.stack.work()
    it.stack.poll(it.channel)
    case.refresh_from_db()
    assert (case.state, AfterSale.objects.count(), it.refunds_in_shop(), it.sale()) == ("DONE", 1, 1, "live")


@SHOPS
def test_what_the_hub_cancels_is_cancelled_on_both_sides(told: Callable[[str], Told], shop: str, boss: User) -> None:
    it = told(shop)
    order = it.place(item(SIEVE, 2))
    assert order
    case = services.request(order, AfterSaleKind.CANCELLATION, {}, by=boss, why="ausverkauft")
    decide(services.confirm, case, boss)
    it.stack.work()
    it.let_the_erp_cancel()
    it.stack.poll(it.channel)
    assert (it.sale(), it.is_cancelled_in_shop()) == ("cancelled", True)
    assert (Order.objects.get().state, AfterSale.objects.count()) == ("CANCELLED", 1)


@SHOPS
def test_all_money_back_in_two_parts_is_two_refunds(told: Callable[[str], Told], shop: str) -> None:
    it = told(shop)
    order = it.place(item(SIEVE, 2))
    assert order
    it.stack.ship(order)
    it.does("refund", lines={SIEVE: 1})
    it.does("refund")
    first, second = AfterSale.objects.order_by("pk")
    assert first.amount + second.amount == order.total
    order.refresh_from_db()
    assert (order.payment, it.refunds_in_shop(), it.sale()) == ("REFUNDED", 2, "live")


def test_a_return_goes_from_asked_for_to_arrived_and_is_booked(told: Callable[[str], Told], boss: User) -> None:
    it = told("shopify")
    order = it.place(item(SIEVE, 3))
    assert order
    it.stack.ship(order)
    it.does("return", move="request", lines={SIEVE: 2}, reason="zu klein")
    case = it.case(kind="RETURN")
    assert (case.state, case.reason, case.lines.get().quantity) == ("PROPOSED", "zu klein", Decimal(2))
    decide(services.confirm, case, boss)
    it.does("return", move="approve")
    case.refresh_from_db()
    assert (case.state, order.lines.get(sku=SIEVE).returned) == ("ANNOUNCED", Decimal(2))
    it.does("return", move="process")
    it.stack.poll(it.channel)
    case.refresh_from_db()
    assert (case.state, AfterSale.objects.count(), it.sale()) == ("ARRIVED", 1, "live")


def test_a_return_declined_in_the_shop_gives_the_pieces_back(told: Callable[[str], Told], boss: User) -> None:
    it = told("shopify")
    order = it.place(item(SIEVE, 2))
    assert order
    it.stack.ship(order)
    it.does("return", move="request", lines={SIEVE: 1})
    it.does("return", move="decline")
    assert (it.case(kind="RETURN").state, order.lines.get(sku=SIEVE).returned) == ("DECLINED", Decimal(0))
    assert (it.sale(), open_cases()) == ("live", {})


def test_a_return_of_what_never_left_is_a_cancellation(told: Callable[[str], Told]) -> None:
    it = told("shopify")
    order = it.place(item(SIEVE, 2))
    assert order
    it.does("return", move="request", lines={SIEVE: 1})
    case = it.case()
    assert (case.kind, case.lines.get().quantity, it.sale()) == ("CANCELLATION", Decimal(1), "live")
