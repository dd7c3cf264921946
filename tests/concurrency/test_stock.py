"""The last pieces, wanted by many at once: each goes to one order, whichever way the orders come in."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import connection as database

from integration_hub.backoffice.invariants import judge
from integration_hub.connectors.base import Delivery
from integration_hub.kernel import codec
from integration_hub.messaging import inbox, pump
from integration_hub.models import Connection, InboundEvent
from integration_hub.models.inbound import Door
from inventory.invariants import INVARIANTS
from inventory.models import StockLevel, Variant
from orders import stock
from orders.models import Order
from tests import standin
from tests.inventory import stocked

from .together import together

pytestmark = pytest.mark.django_db(transaction=True)
PIECES, ORDERS = 12, 10  # of two pieces each: six can be served


@pytest.fixture
def pot(joined: Connection, erp: Connection) -> Iterator[Variant]:
    made = stocked.article("TK-100")
    main = stocked.place(source=erp)
    stocked.sells(joined, main)
    stocked.switch(joined, stock.RESERVE_STOCK, erp)
    stocked.put(made, main, PIECES)
    yield made
    assert [one.code for one in INVARIANTS if not judge(one).kept] == []


def say(shop: Connection, count: int, first: int = 1) -> None:
    rows = [standin.order(first + number) for number in range(count)]
    inbox.store(shop, [Delivery("order.updated", str(row["id"]), codec.canonical(row)) for row in rows], Door.WEBHOOK)


def one_by_one() -> None:
    """One event at a time, so that the threads really meet at the level."""
    while inbox.process(1):
        pass


def again() -> None:
    """What lost a race is due again."""
    for _time in range(5):
        InboundEvent.objects.filter(state="DUE").update(due_at="2020-01-01T00:00:00Z")
        pump.drain(lanes=("in",))


@pytest.mark.parametrize("batch", [1, 20])
def test_the_last_pieces_go_to_as_many_orders_as_there_are(joined: Connection, pot: Variant, batch: int) -> None:
    say(joined, ORDERS)
    together(*[one_by_one if batch == 1 else inbox.process] * 4)
    again()
    states = sorted(Order.objects.values_list("state", flat=True))
    assert states == ["ACCEPTED"] * (PIECES // 2) + ["HELD"] * (ORDERS - PIECES // 2)
    row = StockLevel.objects.get()
    assert (row.on_hand, row.reserved) == (PIECES, PIECES)


def test_orders_and_a_statement_at_once_leave_the_sum_right(joined: Connection, erp: Connection, pot: Variant) -> None:
    say(joined, 5)

    def state() -> None:
        for number in range(4):
            body = {"at": stocked.moment().isoformat(), "levels": [["TK-100", "haupt", str(20 + number), "TK-100"]]}
            inbox.store(erp, [Delivery("levels", "", codec.canonical(body))], Door.POLL)
            one_by_one()

    together(one_by_one, state, lambda: pump.drain(lanes=("stock",)), one_by_one)
    again()
    row = StockLevel.objects.get()
    assert (row.on_hand, row.reserved) == (23, 10)
    with database.cursor() as cursor:
        cursor.execute("SELECT sum(quantity), sum(reserved) FROM inventory_stockmovement")
        assert cursor.fetchone() == (23, 10)
