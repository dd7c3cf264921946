"""Exchanges: goods come back, others go out as an order of their own, and every cent of the difference is explained."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from integration_hub.backoffice.actions import Invalid, perform
from integration_hub.kernel.aftersales import TellExchanged, TellRefunded, WriteReturn
from integration_hub.kernel.messages import TellAccepted, TellCancelled, TellShipped
from integration_hub.models import Connection, OutboundCommand, User
from inventory.models import Location, StockLevel, Variant
from orders.actions import ORDER_ACTIONS
from orders.aftersales import actions
from orders.aftersales.models import AfterSale
from orders.models import Order
from payments.models import OpenItem
from tests import spine, standin
from tests.conftest import make_connection
from tests.inventory import stocked
from tests.orders.after_sales_world import joined, placed, ship, told
from tests.payments import provider

pytestmark = pytest.mark.django_db
EXCHANGE = next(action for action in ORDER_ACTIONS if action.code == "orders.exchange")


@pytest.fixture
def shop(world: standin.World) -> Connection:
    found = joined()
    Variant.objects.create(sku="TK-200", title="Teekanne 2,0 l")
    return found


@pytest.fixture
def psp(db: None) -> Connection:
    provider.TILL = provider.Till()
    return make_connection(provider.StandinProvider.code, "stripe", "PAYMENT")


@pytest.fixture
def boss(db: None) -> User:
    return User.objects.create_superuser("boss", password="x")


def delivered(shop: Connection) -> Order:
    order = placed(shop)
    ship(order, "2", stage="SHIPPED")
    order.refresh_from_db()
    return order


def ask(order: Order, boss: User, *, pieces: str = "1", **more: Any) -> AfterSale:
    line = order.lines.get(sku="TK-100")
    data = {f"line_{line.pk}": pieces, "sku_1": "TK-200", "quantity_1": "1", "why": "zu klein", **more}
    perform(EXCHANGE, order, by=boss, data=data)
    return AfterSale.objects.get(kind="EXCHANGE")


def confirmed(row: AfterSale, boss: User) -> Order:
    perform(actions.CONFIRM, row, by=boss)
    spine.run()
    return Order.objects.get(exchange=row)


def inspected(row: AfterSale, boss: User, pieces: str = "1") -> None:
    perform(actions.ARRIVE, AfterSale.objects.get(pk=row.pk), by=boss)
    position = row.lines.get()
    perform(actions.INSPECT, AfterSale.objects.get(pk=row.pk), by=boss, data={f"restock_{position.pk}": pieces})
    spine.run()


def parcel(order: Order, name: str = "X1") -> None:
    """The replacement leaves the house."""
    sale = order.sales.get()
    found = {
        "id": sale.external_id,
        "number": sale.number,
        "stage": "SHIPPED",
        "updated_at": "2026-11-25T09:00:00Z",
        "shipments": [{"id": name, "tracking": "T" + name, "lines": [["TK-200", "1"]]}],
    }
    spine.say(sale.connection, found, topic="sale.polled")
    spine.run()


def test_an_exchange_of_equals_ends_with_two_sales_and_no_money(shop: Connection, boss: User) -> None:
    row = ask(delivered(shop), boss)
    assert "goods worth 11.90 EUR are sent instead" in str(actions.CONFIRM.effect(row))  # type: ignore[misc]
    new = confirmed(row, boss)
    assert (new.state, new.total, new.number) == ("WAITING", Decimal("11.90"), f"#1-E-{row.pk}")
    inspected(row, boss)
    new.refresh_from_db()
    row.refresh_from_db()
    assert (new.state, row.state, new.sales.get().number) == ("ACCEPTED", "DONE", f"VK-#1-E-{row.pk}")
    written = standin.WORLD.sales[new.reference][0]
    assert ([line.sku for line in written.lines], written.billing.city) == (["TK-200"], "Hamburg")
    assert [line.sku for line in told(WriteReturn)[0].lines] == ["TK-100"]
    (said,) = told(TellExchanged)
    assert (said.order_id, said.sale_number, said.difference) == ("1", new.sales.get().number, 0)
    assert row.steps.filter(code__in=("money", "collect")).count() == 0
    assert spine.open_cases() == []


def test_the_shop_hears_of_the_parcel_on_the_original_order_only(shop: Connection, boss: User) -> None:
    row = ask(delivered(shop), boss)
    new = confirmed(row, boss)
    before = len(told(TellAccepted)) + len(told(TellShipped))
    inspected(row, boss)
    parcel(new)
    assert [one.tracking for one in told(TellExchanged)] == ["", "DHL TX1"]
    assert {one.order_id for one in told(TellExchanged)} == {"1"}
    assert len(told(TellAccepted)) + len(told(TellShipped)) == before
    new.refresh_from_db()
    assert (new.stage, new.fulfilment) == ("COMPLETED", "FULL")


def test_a_dearer_one_waits_for_the_difference_and_closes_when_it_is_paid(
    shop: Connection, psp: Connection, boss: User
) -> None:
    order = delivered(shop)
    provider.tell(psp, provider.capture(order="1", gross="28.70"))
    new = confirmed(row := ask(order, boss, price_1="20.00"), boss)
    inspected(row, boss)
    row.refresh_from_db()
    assert (row.state, [step.code for step in row.steps.filter(done_at=None)]) == ("RUNNING", ["collect"])
    assert [OpenItem.objects.get(order=one).open for one in (order, new)] == [0, Decimal("8.10")]
    provider.tell(psp, provider.capture("ch_2", order=new.external_id, gross="8.10"))
    row.refresh_from_db()
    items = {item.order_id: item for item in OpenItem.objects.all()}
    assert (row.state, items[new.pk].open, items[new.pk].overpaid) == ("DONE", 0, 0)
    assert (items[order.pk].moved, items[new.pk].moved) == (Decimal("-11.90"), Decimal("11.90"))


def test_a_cheaper_one_gives_only_the_difference_back(shop: Connection, psp: Connection, boss: User) -> None:
    order = delivered(shop)
    provider.tell(psp, provider.capture(order="1", gross="28.70"))
    new = confirmed(row := ask(order, boss, price_1="8.00"), boss)
    inspected(row, boss)
    (refund,) = row.refunds.all()
    assert (refund.amount, refund.order) == (Decimal("3.90"), order)
    provider.tell(psp, {"id": refund.external_id, "kind": "REFUND", "gross": "-3.90", "parent": "ch_1"})
    spine.run()
    row.refresh_from_db()
    items = {item.order_id: item for item in OpenItem.objects.all()}
    assert [(items[one.pk].open, items[one.pk].overpaid) for one in (order, new)] == [(0, 0), (0, 0)]
    assert (row.state, [(one.amount, one.positions) for one in told(TellRefunded)]) == ("DONE", [(Decimal("3.90"), ())])


def test_what_did_not_come_back_is_owed(shop: Connection, psp: Connection, boss: User) -> None:
    order = delivered(shop)
    provider.tell(psp, provider.capture(order="1", gross="28.70"))
    new = confirmed(row := ask(order, boss, pieces="2", price_1="23.80"), boss)
    inspected(row, boss, pieces="1")
    row.refresh_from_db()
    assert (row.amount, row.credit, row.state) == (Decimal("11.90"), Decimal("11.90"), "RUNNING")
    assert OpenItem.objects.get(order=new).open == Decimal("11.90")


def test_the_replacement_may_go_first(shop: Connection, boss: User) -> None:
    row = ask(delivered(shop), boss, advance="on")
    new = confirmed(row, boss)
    row.refresh_from_db()
    assert (row.state, new.sales.count()) == ("ANNOUNCED", 1)
    inspected(row, boss)
    row.refresh_from_db()
    assert (row.state, len(standin.WORLD.sales[new.reference])) == ("DONE", 1)


def test_stock_is_promised_at_once_and_free_again_when_it_is_declined(shop: Connection, boss: User) -> None:
    shelf = stocked.place()
    stocked.sells(shop, shelf)
    stocked.switch(shop, "reserve_stock", Connection.objects.get(slug="erp"))
    stocked.put(Variant.objects.get(sku="TK-200"), shelf, 5)
    row = ask(delivered(shop), boss)
    new = confirmed(row, boss)
    level = StockLevel.objects.filter(variant__sku="TK-200", location=Location.objects.get())
    assert (new.state, level.get().reserved) == ("WAITING", 1)
    perform(actions.DECLINE, AfterSale.objects.get(pk=row.pk), by=boss, data={"why": "keeps it"})
    spine.run()
    new.refresh_from_db()
    row.refresh_from_db()
    assert row.order
    assert (new.state, level.get().reserved, row.credit) == ("CANCELLED", Decimal(0), Decimal(0))
    assert row.order.lines.get(sku="TK-100").returned == 0
    assert (told(TellCancelled), OutboundCommand.objects.filter(subject_id=new.pk, state="DUE").count()) == ([], 0)


def test_a_replacement_that_the_erp_cancels_is_laid_before_a_person(shop: Connection, boss: User) -> None:
    row = ask(delivered(shop), boss, advance="on")
    sale = confirmed(row, boss).sales.get()
    found = {"id": sale.external_id, "number": sale.number, "stage": "CANCELLED", "updated_at": "2026-11-25T09:00:00Z"}
    spine.say(sale.connection, found, topic="sale.polled")
    spine.run()
    assert spine.open_kinds() == {"after_sale_conflict"}
    assert told(TellCancelled) == []  # the shop never knew this sale


def test_an_unknown_number_and_no_pieces_are_refused(shop: Connection, boss: User) -> None:
    order = delivered(shop)
    for wrong in ({"sku_1": "NO-1"}, {"pieces": ""}, {"sku_1": ""}):
        with pytest.raises(Invalid):
            ask(order, boss, **wrong)
    assert AfterSale.objects.filter(kind="EXCHANGE").count() == 0


def test_an_exchange_that_the_shop_reports_names_both_sides(shop: Connection, boss: User) -> None:
    delivered(shop)
    found = {"id": 7, "kind": "EXCHANGE", "stage": "ANNOUNCED", "positions": [{"line": "1", "quantity": "1"}]}
    spine.say(shop, found | {"instead": [{"sku": "TK-200", "quantity": "1"}]}, topic="after_sale")
    spine.run()
    row = AfterSale.objects.get(kind="EXCHANGE")
    new = Order.objects.get(exchange=row)
    assert (row.state, new.total, new.state) == ("ANNOUNCED", Decimal("11.90"), "WAITING")
    inspected(row, boss)
    row.refresh_from_db()
    assert (row.state, row.amount) == ("DONE", Decimal("11.90"))
