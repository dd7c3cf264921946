"""Special cases: recognised once, tied to order and lines, carried out in the right systems, never more than there is."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.db.models import Sum

from exceptions.models import ExceptionCase
from integration_hub.backoffice.actions import perform
from integration_hub.kernel.aftersales import AfterSaleKind, CancelOrder, CancelSale, WriteReturn
from integration_hub.kernel.errors import NotNow
from integration_hub.models import Connection, User
from orders.aftersales import actions, services
from orders.aftersales.models import AfterSale
from orders.models import Order, OrderLine
from tests import spine, standin
from tests.orders.after_sales_world import joined, placed, rule, ship, told

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop(world: standin.World) -> Connection:
    return joined()


@pytest.fixture
def boss(db: None) -> User:
    return User.objects.create_superuser("boss", password="x")


def says(shop: Connection, **found: Any) -> None:
    spine.say(shop, found, topic="after_sale")
    spine.run()


def only() -> AfterSale:
    return AfterSale.objects.get()


def teapots(order: Order) -> Any:
    return order.lines.get(sku="TK-100")


def test_a_cancellation_in_the_shop_is_proposed_and_confirmed_into_the_erp(shop: Connection, boss: User) -> None:
    placed(shop)
    spine.say(shop, standin.order(1, stage="CANCELLED", updated_at="2026-11-20T11:00:00Z"))
    spine.run()
    assert (only().kind, only().state) == ("CANCELLATION", "PROPOSED")
    assert spine.open_kinds() == {"cancelled_after_export"}
    perform(actions.CONFIRM, only(), by=boss)
    spine.run()
    assert [command.lines for command in told(CancelSale)] == [()]
    assert (only().state, Order.objects.get().sales.get().stage) == ("DONE", "CANCELLED")
    assert spine.open_cases() == []


def test_a_shop_whose_cancellations_run_by_themselves_needs_no_person(shop: Connection) -> None:
    rule(shop, "CANCELLATION")
    placed(shop)
    spine.say(shop, standin.order(1, stage="CANCELLED", updated_at="2026-11-20T11:00:00Z"))
    spine.run()
    assert (only().state, len(told(CancelSale)), spine.open_cases()) == ("DONE", 1, [])


@pytest.mark.parametrize(
    ("wins", "state", "kind"), [("SHOP", "ANNOUNCED", "RETURN"), ("ERP", "DECLINED", "CANCELLATION")]
)
def test_cancelled_in_the_shop_but_shipped_goes_by_the_rule(shop: Connection, wins: str, state: str, kind: str) -> None:
    rule(shop, "CANCELLATION", wins=wins)
    ship(placed(shop), "2", stage="SHIPPED")
    spine.say(shop, standin.order(1, stage="CANCELLED", updated_at="2026-11-21T11:00:00Z"))
    spine.run()
    assert (only().state, only().kind, told(CancelSale)) == (state, kind, [])


def test_without_a_rule_both_sides_lie_before_a_person(shop: Connection, boss: User) -> None:
    ship(placed(shop), "2", stage="SHIPPED")
    spine.say(shop, standin.order(1, stage="CANCELLED", updated_at="2026-11-21T11:00:00Z"))
    spine.run()
    case = ExceptionCase.objects.open().get(kind="after_sale_conflict")
    perform(actions.CASE_RETURN, case, by=boss)
    assert (only().state, only().kind) == ("ANNOUNCED", "RETURN")
    assert [(one.line.sku, one.quantity) for one in only().lines.all()] == [("TK-100", Decimal(2))]
    assert spine.open_cases() == []


def test_a_refund_before_its_order_waits_for_it(shop: Connection) -> None:
    says(shop, id=7, kind="REFUND", positions=[{"line": "1", "quantity": "1", "amount": "11.90"}])
    assert (only().state, spine.open_kinds()) == ("UNTIED", {"after_sale_untied"})
    placed(shop)
    assert (only().order, only().state, spine.open_cases()) == (Order.objects.get(), "PROPOSED", [])
    assert only().kind == "CANCELLATION"
    assert (only().amount, only().tax) == (Decimal("11.90"), Decimal("1.90"))


def test_the_same_report_twice_and_an_older_one_change_nothing(shop: Connection) -> None:
    placed(shop)
    said: dict[str, Any] = {"id": 7, "kind": "REFUND", "amount": "5.00"}
    says(shop, **said)
    says(shop, **said, updated_at="2026-11-21T09:00:00Z")
    assert (AfterSale.objects.count(), only().amount) == (1, Decimal(5))


def test_an_amount_without_lines_gets_its_tax_proposed_by_the_rates_of_the_order(shop: Connection) -> None:
    ship(placed(shop), "2", stage="SHIPPED")
    says(shop, id=7, kind="REFUND", amount="5.00")
    assert (only().state, only().tax) == ("PROPOSED", Decimal("0.80"))
    assert only().stated["split"] == {"0.19000": ["5.00", "0.80"]}


def test_an_unknown_line_and_too_many_pieces_are_cases(shop: Connection) -> None:
    ship(placed(shop), "2", stage="SHIPPED")
    says(shop, id=7, kind="RETURN", stage="ANNOUNCED", positions=[{"line": "99", "quantity": "1"}])
    says(shop, id=8, kind="RETURN", stage="ANNOUNCED", positions=[{"line": "1", "quantity": "3"}])
    assert spine.open_kinds() == {"after_sale_untied", "after_sale_exceeds"}
    assert teapots(Order.objects.get()).returned == 0


def test_a_return_is_announced_arrives_is_inspected_and_booked(shop: Connection, boss: User) -> None:
    ship(placed(shop), "2", stage="SHIPPED")
    says(shop, id=7, kind="RETURN", stage="ANNOUNCED", positions=[{"line": "1", "quantity": "2"}])
    assert only().state == "ANNOUNCED"
    perform(actions.ARRIVE, only(), by=boss)
    position = only().lines.get()
    data = {f"restock_{position.pk}": "1", f"write_off_{position.pk}": ""}
    perform(actions.INSPECT, only(), by=boss, data=data)
    spine.run()
    sent = told(WriteReturn)[0]
    assert [(line.sku, line.quantity, line.restock) for line in sent.lines] == [("TK-100", 1, True)]
    assert (only().state, teapots(Order.objects.get()).returned) == (
        "DONE",
        1,
    )  # the other piece is the customer's again


def test_only_what_came_back_is_paid_back_to_the_cent(shop: Connection, boss: User) -> None:
    order = placed(shop)
    ship(order, "2", stage="SHIPPED")
    order.refresh_from_db()
    OrderLine.objects.filter(pk=teapots(order).pk).update(net="8.41", tax="1.60", gross="10.01")  # no even halves
    row = services.request(order, AfterSaleKind.RETURN, {teapots(order).pk: Decimal(2)}, by=boss, why="x")
    assert row.amount == Decimal("10.01")
    services.confirm(row.pk, by=boss)
    services.arrive(row.pk, by=boss)
    services.inspect(row.pk, {row.lines.get().pk: {"RESTOCK": Decimal(1)}}, by=boss)
    row.refresh_from_db()
    kept = row.lines.get()
    assert (row.amount, row.tax) == (kept.amount, kept.tax)
    assert row.amount in (Decimal("5.00"), Decimal("5.01"))


def test_no_cent_is_lost_between_the_shelf_and_the_bin(shop: Connection, boss: User) -> None:
    order = placed(shop)
    ship(order, "2", stage="SHIPPED")
    order.refresh_from_db()
    OrderLine.objects.filter(pk=teapots(order).pk).update(net="8.41", tax="1.60", gross="10.01")
    row = services.request(order, AfterSaleKind.RETURN, {teapots(order).pk: Decimal(2)}, by=boss, why="x")
    services.confirm(row.pk, by=boss)
    services.arrive(row.pk, by=boss)
    services.inspect(row.pk, {row.lines.get().pk: {"RESTOCK": Decimal(1), "WRITE_OFF": Decimal(1)}}, by=boss)
    parts = row.lines.aggregate(amount=Sum("amount"), tax=Sum("tax"))
    assert (parts["amount"], parts["tax"]) == (Decimal("10.01"), Decimal("1.60"))


def test_a_return_before_shipping_is_a_cancellation_of_these_pieces(shop: Connection, boss: User) -> None:
    order = placed(shop)
    says(shop, id=7, kind="RETURN", positions=[{"line": "1", "quantity": "1"}])
    perform(actions.CONFIRM, only(), by=boss)
    spine.run()
    assert [(line.sku, line.quantity) for line in told(CancelSale)[0].lines] == [("TK-100", 1)]
    assert (teapots(order).cancelled, only().state) == (1, "DONE")


def test_pieces_cancelled_before_the_sale_is_written_are_taken_from_it_afterwards(shop: Connection, boss: User) -> None:
    rule(shop, "CANCELLATION")
    spine.say(shop, standin.order(1, postal_code=""))
    spine.run()
    says(shop, id=7, kind="REFUND", positions=[{"line": "1", "quantity": "1"}])
    order = Order.objects.get()
    assert (order.state, only().kind, only().state, told(CancelSale)) == ("HELD", "CANCELLATION", "DONE", [])
    spine.say(shop, standin.order(1, updated_at="2026-11-20T11:00:00Z"))
    spine.run()
    assert [(line.sku, line.quantity) for line in told(CancelSale)[0].lines] == [("TK-100", 1)]
    assert (teapots(order).cancelled, only().state, len(told(CancelSale)), spine.open_cases()) == (1, "DONE", 1, [])


def test_two_partial_cancellations_never_take_the_same_piece(shop: Connection, boss: User) -> None:
    order = placed(shop)
    line = teapots(order).pk
    first = services.request(order, AfterSaleKind.CANCELLATION, {line: Decimal(2)}, by=boss, why="x")
    second = services.request(order, AfterSaleKind.CANCELLATION, {line: Decimal(1)}, by=boss, why="y")
    services.confirm(first.pk, by=boss)
    with pytest.raises(NotNow):
        services.confirm(second.pk, by=boss)
    assert teapots(order).cancelled == 2


def test_a_person_cancels_the_whole_order_everywhere(shop: Connection, boss: User) -> None:
    order = placed(shop)
    row = services.request(order, AfterSaleKind.CANCELLATION, {}, by=boss, why="customer called")
    services.confirm(row.pk, by=boss)
    spine.run()
    assert (len(told(CancelSale)), len(told(CancelOrder)), only().state) == (1, 1, "RUNNING")
    services.done_by_hand(row.pk, by=boss, why="paid back by bank transfer")
    spine.run()
    order.refresh_from_db()
    assert (order.state, AfterSale.objects.get().state) == ("CANCELLED", "DONE")
    spine.say(shop, standin.order(1, updated_at="2026-11-20T12:00:00Z", paid=False))
    spine.run()
    order.refresh_from_db()
    assert order.state == "CANCELLED"  # whatever the shop still says


def test_what_the_erp_refuses_can_be_declined_and_nothing_is_lost(shop: Connection, boss: User) -> None:
    order = placed(shop)
    row = services.request(order, AfterSaleKind.CANCELLATION, {teapots(order).pk: Decimal(1)}, by=boss, why="shipped")
    services.confirm(row.pk, by=boss)
    spine.run()
    assert (only().state, spine.open_kinds()) == ("RUNNING", {"target_refused"})
    services.decline(row.pk, by=boss, why="too late")
    assert (only().state, teapots(order).cancelled, spine.open_cases()) == ("DECLINED", 0, [])


def test_a_partial_delivery_is_seen_until_the_last_parcel(shop: Connection) -> None:
    order = placed(shop)
    ship(order, "1")
    assert (only().kind, only().state) == ("PARTIAL_DELIVERY", "RUNNING")
    ship(order, "1", parcel="P2", stage="SHIPPED", minute=2)
    assert only().state == "DONE"


def test_a_change_after_export_is_done_by_hand_or_taken_back(shop: Connection, boss: User) -> None:
    placed(shop)
    spine.say(shop, standin.order(1, street="Neue Straße 5", updated_at="2026-11-20T11:00:00Z"))
    spine.run()
    assert (only().kind, only().state) == ("ADDRESS_CHANGE", "PROPOSED")
    perform(actions.CONFIRM, only(), by=boss)
    perform(actions.BY_HAND, only(), by=boss, data={"why": "changed in the ERP"})
    assert only().state == "DONE"
