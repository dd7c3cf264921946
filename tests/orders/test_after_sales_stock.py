"""Special cases and stock: cancelled pieces are free again, returned ones lie on the shelf again, each once."""

from __future__ import annotations

from decimal import Decimal

import pytest

from integration_hub.kernel.aftersales import AfterSaleKind
from integration_hub.models import Connection, User
from inventory.models import Location, StockLevel, Variant
from orders.aftersales import services
from orders.models import Order
from tests import spine, standin
from tests.inventory import stocked
from tests.orders.after_sales_world import joined, placed, ship

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop(world: standin.World) -> Connection:
    """A shop that sells from the hub's own shelf, on which ten teapots lie."""
    shop = joined()
    shelf = stocked.place()
    stocked.sells(shop, shelf)
    stocked.switch(shop, "reserve_stock", Connection.objects.get(slug="erp"))
    stocked.put(Variant.objects.get(sku="TK-100"), shelf, 10)
    return shop


@pytest.fixture
def boss(db: None) -> User:
    return User.objects.create_superuser("boss", password="x")


def level() -> tuple[Decimal, Decimal]:
    row = StockLevel.objects.get(location=Location.objects.get())
    return row.on_hand, row.reserved


def cancel(order: Order, pieces: int, boss: User) -> None:
    line = order.lines.get(sku="TK-100")
    wanted = {line.pk: Decimal(pieces)} if pieces else {}
    row = services.request(order, AfterSaleKind.CANCELLATION, wanted, by=boss, why="x")
    services.confirm(row.pk, by=boss)
    spine.run()


def test_a_cancelled_piece_is_free_again(shop: Connection, boss: User) -> None:
    order = placed(shop)
    assert level() == (Decimal(10), Decimal(2))
    cancel(order, 1, boss)
    assert level() == (Decimal(10), Decimal(1))


def test_a_cancelled_order_holds_nothing(shop: Connection, boss: User) -> None:
    cancel(placed(shop), 0, boss)
    assert level() == (Decimal(10), Decimal(0))


def test_what_comes_back_in_order_lies_on_the_shelf_again(shop: Connection, boss: User) -> None:
    order = placed(shop)
    ship(order, "2", stage="SHIPPED")
    assert level() == (Decimal(8), Decimal(0))
    order.refresh_from_db()
    line = order.lines.get(sku="TK-100")
    row = services.request(order, AfterSaleKind.RETURN, {line.pk: Decimal(2)}, by=boss, why="x")
    services.confirm(row.pk, by=boss)
    services.arrive(row.pk, by=boss)
    services.inspect(row.pk, {row.lines.get().pk: {"RESTOCK": Decimal(1), "WRITE_OFF": Decimal(1)}}, by=boss)
    spine.run()
    assert level() == (Decimal(9), Decimal(0))
