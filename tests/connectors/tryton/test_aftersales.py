"""Cancellations and returns in a real Tryton: carried out once, wherever a try was cut short."""

from __future__ import annotations

import itertools
import os
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from integration_hub.connectors.tryton import Tryton
from integration_hub.kernel.aftersales import (
    AfterSaleStage,
    CancelSale,
    GoodsLine,
    Position,
    ReportedReturn,
    WriteReturn,
)
from integration_hub.kernel.errors import Rejected, RetryLater
from integration_hub.kernel.messages import SaleReport, ShippedLine, WriteSale
from integration_hub.kernel.states import SaleStage
from tests.connectors.world import Fault, outside
from tests.erp.office import Office
from tests.erp.server import Erp

from .orders import connector, line, order, shipping
from .test_contract import RealWorld

pytestmark = pytest.mark.erp
_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def tryton(real_erp: Erp) -> Tryton:
    return connector(real_erp)


@pytest.fixture
def code(office: Office) -> str:
    """An article of its own, ten of which lie in the warehouse."""
    found = f"AS{os.getpid()}-{next(_numbers)}"
    office.product(found)
    office.count("STO", **{found: 10})
    return found


def goods(code: str, quantity: int, **changes: Any) -> GoodsLine:
    return GoodsLine(sku=code, quantity=Decimal(quantity), **changes)


def cancel(command: WriteSale, *lines: GoodsLine, key: str = "C1") -> CancelSale:
    key = f"{command.reference}/{key}"
    words = {"sale_id": "", "sale_number": "", "reason": "Kunde hat storniert"}
    return CancelSale(key=key, sale_reference=command.reference, lines=lines, **words)


def back(command: WriteSale, *lines: GoodsLine, received: bool = False) -> WriteReturn:
    words = {"sale_id": "", "sale_number": "", "reason": "gefällt nicht"}
    reference = f"{command.reference}/R1"
    return WriteReturn(reference=reference, sale_reference=command.reference, lines=lines, received=received, **words)


def report(tryton: Tryton, reference: str, since: datetime | None = None) -> SaleReport:
    page = tryton.poll("sales", since, None)
    reports = [item for delivery in page.deliveries for item in tryton.parse(delivery)]
    while page.token:
        page = tryton.poll("sales", since, page.token)
        reports += [item for delivery in page.deliveries for item in tryton.parse(delivery)]
    (found,) = [item for item in reports if isinstance(item, SaleReport) and item.reference == reference]
    return found


def level(office: Office, code: str) -> Decimal:
    """What lies in the main warehouse."""
    context = {"locations": [office.place("WH")], "with_childs": True}
    (row,) = office.rest.rows("product.product", [["code", "=", code]], ["quantity"], context=context)
    return Decimal(row["quantity"])


def live(office: Office, reference: str) -> dict[str, Decimal]:
    """What is still to leave, by article."""
    fields = [f"shipments.outgoing_moves.{name}" for name in ("state", "quantity", "product.code")]
    found: dict[str, Decimal] = {}
    for shipment in office.sale(reference, *fields)["shipments"]:
        for move in shipment["outgoing_moves"]:
            if move["state"] in ("draft", "assigned"):
                code = move["product"]["code"]
                found[code] = found.get(code, Decimal(0)) + Decimal(move["quantity"])
    return found


def test_a_whole_sale_is_taken_back_and_stays_so(tryton: Tryton, office: Office, code: str) -> None:
    command = order(line(code, 3, "59.97"), shipping())
    tryton.send(command)
    wish = cancel(command)

    before = tryton.find(wish)
    first, again = tryton.send(wish), tryton.send(wish)

    assert before is None
    assert not first.was_there
    assert again.was_there
    found = tryton.find(wish)
    assert found is not None
    assert found.external_id == first.external_id
    assert report(tryton, command.reference).stage == SaleStage.CANCELLED
    assert live(office, command.reference) == {}
    sale = office.sale(command.reference, "invoices.state")
    assert (sale["state"], [invoice["state"] for invoice in sale["invoices"]]) == ("done", ["cancelled"])


def test_a_draft_is_simply_cancelled(real_erp: Erp, tryton: Tryton, office: Office, code: str) -> None:
    command = order(line(code, 1, "19.99"))
    connector(real_erp, confirm=False).send(command)

    with pytest.raises(Rejected):
        tryton.send(cancel(command, goods(code, 1)))
    tryton.send(cancel(command))

    assert office.sale(command.reference)["state"] == "cancelled"
    assert tryton.find(cancel(command)) is not None


def test_part_of_a_sale_is_taken_back_and_the_rest_is_shipped(tryton: Tryton, office: Office, code: str) -> None:
    command = order(line(code, 3, "59.97"), line("BOOK", 1, "19.99", "0.07"), line("MUG", 2, "19.98"), shipping())
    tryton.send(command)

    tryton.send(cancel(command, goods(code, 1), goods("BOOK", 1)))
    partly = report(tryton, command.reference)
    open_then = live(office, command.reference)
    tryton.send(cancel(command, goods(code, 1), key="C2"))
    assert tryton.send(cancel(command, goods(code, 1), goods("BOOK", 1))).was_there
    office.ship(command.reference)
    shipped = report(tryton, command.reference)

    assert partly.stage == SaleStage.CONFIRMED
    assert open_then == {code: 2, "MUG": 2}
    assert shipped.stage == SaleStage.SHIPPED
    (parcel,) = shipped.shipments
    assert set(parcel.lines) == {
        ShippedLine(sku=code, quantity=Decimal(1)),
        ShippedLine(sku="MUG", quantity=Decimal(2)),
    }
    assert level(office, code) == 9


def test_what_is_reserved_already_can_be_taken_back(tryton: Tryton, office: Office, code: str) -> None:
    command = order(line(code, 3, "59.97"))
    tryton.send(command)
    (shipment,) = office.sale(command.reference, "shipments.state")["shipments"]
    office.press("stock.shipment.out", shipment["id"], "assign_try")

    tryton.send(cancel(command, goods(code, 2)))

    assert live(office, command.reference) == {code: 1}


def test_what_is_packed_or_gone_is_not_taken_back(tryton: Tryton, office: Office, code: str) -> None:
    command = order(line(code, 3, "59.97"))
    tryton.send(command)
    office.ship(command.reference, only={code: 2})

    for wish in (cancel(command), cancel(command, goods(code, 2))):
        with pytest.raises(Rejected) as caught:
            tryton.send(wish)
        assert caught.value.code == "already_shipped"
    tryton.send(cancel(command, goods(code, 1), key="C3"))

    assert report(tryton, command.reference).stage == SaleStage.SHIPPED
    assert live(office, command.reference) == {}


def test_a_set_is_taken_back_as_a_whole(tryton: Tryton, office: Office, code: str) -> None:
    kit = f"{code}-K"
    office.product(kit, kind="kit", parts={code: 2})
    command = order(line(kit, 2, "39.98"))
    tryton.send(command)

    with pytest.raises(Rejected):
        tryton.send(cancel(command, goods(kit, 1)))
    tryton.send(cancel(command))

    assert live(office, command.reference) == {}
    assert office.sale(command.reference, "shipment_state")["shipment_state"] == "none"


@pytest.mark.parametrize("number", [3, 6])
def test_a_cancellation_that_is_cut_short_ends_as_it_should(real_erp: Erp, office: Office, number: int) -> None:
    """After the goods were taken out of their shipment, and after the rest was cancelled; all others take long."""
    world = RealWorld(office)
    tryton = connector(real_erp, web_shop=world.name)
    command = order(line("MUG", 3, "29.97"), line("BOOK", 2, "39.98", "0.07"))
    tryton.send(command)
    wish = cancel(command, goods("MUG", 1), goods("BOOK", 2))

    with outside(world, Fault(after_write=number)), pytest.raises(RetryLater) as caught:
        connector(real_erp, web_shop=world.name).send(wish)
    assert tryton.find(wish) is None
    tryton.send(wish)

    assert caught.value.maybe_written
    assert live(office, command.reference) == {"MUG": 2}
    assert tryton.find(wish) is not None


def test_a_return_is_announced_and_then_booked_in(tryton: Tryton, office: Office, code: str) -> None:
    command = order(line(code, 3, "59.97"), shipping())
    tryton.send(command)
    office.ship(command.reference)
    started = datetime.now(UTC)
    announce, receive = (back(command, goods(code, 2), received=received) for received in (False, True))

    assert tryton.find(announce) is None
    announced = tryton.send(announce)
    expected = report(tryton, command.reference, started)
    assert tryton.find(receive) is None
    assert level(office, code) == 7
    received = tryton.send(receive)
    done = report(tryton, command.reference, started)

    assert (announced.was_there, received.was_there, announced.external_id) == (False, True, received.external_id)
    (one,), (two,) = expected.returns, done.returns
    assert (one.stage, one.reference) == (AfterSaleStage.ANNOUNCED, announce.reference)
    assert two == ReportedReturn(
        external_id=announced.external_id,
        number=announced.number,
        stage=AfterSaleStage.DONE,
        vendor_status="processing / done",
        reference=announce.reference,
        received_at=two.received_at,
        positions=(Position(quantity=Decimal(2), sku=code, restock=True),),
    )
    assert two.received_at is not None
    assert level(office, code) == 9
    assert office.sale(announce.reference, "invoices.state")["invoices"] == []
    assert tryton.send(receive).was_there
    assert len(office.sales(announce.reference)) == 1


def test_what_is_not_to_be_sold_again_does_not_go_to_the_shelf(tryton: Tryton, office: Office, code: str) -> None:
    command = order(line(code, 3, "59.97"))
    tryton.send(command)
    office.ship(command.reference)

    tryton.send(back(command, goods(code, 1), goods(code, 2, restock=False), received=True))

    assert level(office, code) == 8
    (told,) = report(tryton, command.reference).returns
    assert (told.stage, {position.restock for position in told.positions}) == (AfterSaleStage.DONE, {None})


def test_what_was_not_sold_does_not_come_back(tryton: Tryton, office: Office, code: str) -> None:
    command = order(line(code, 1, "19.99"))
    tryton.send(command)

    for lines in ([goods(code, 2)], [goods("MUG", 1)]):
        with pytest.raises(Rejected) as caught:
            tryton.send(back(command, *lines))
        assert caught.value.code == "more_than_sold"
    assert office.sales(f"{command.reference}/R1") == []


def test_a_return_that_a_colleague_makes_is_told_with_its_sale(tryton: Tryton, office: Office, code: str) -> None:
    command = order(line(code, 2, "39.98"))
    tryton.send(command)
    office.ship(command.reference)

    office.take_back(command.reference)

    (told,) = report(tryton, command.reference).returns
    assert (told.stage, told.reference) == (AfterSaleStage.REQUESTED, "")
    assert told.positions == (Position(quantity=Decimal(2), sku=code),)
