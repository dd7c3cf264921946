"""Cancellations and returns in Odoo: carried out once, told back, refused where goods have left."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from integration_hub.connectors.odoo import Odoo
from integration_hub.kernel.aftersales import AfterSaleStage, Position
from integration_hub.kernel.errors import Rejected
from integration_hub.kernel.messages import SaleReport
from integration_hub.kernel.states import SaleStage
from integration_hub.sandbox import odoo_stock
from tests.connectors.world import outside

from .mine import Erp, back, cancel, connector, goods


@pytest.fixture(params=["17", "19"])
def erp(request: pytest.FixtureRequest) -> Erp:
    return Erp(request.param)


def odoo(erp: Erp) -> Odoo:
    return connector(transport="auto" if erp.world.switch("odoo_version") == "19" else "jsonrpc")


def report(erp: Erp) -> SaleReport:
    it = odoo(erp)
    with outside(erp):
        (found,) = [item for delivery in it.poll("sales", None, None).deliveries for item in it.parse(delivery)]
    assert isinstance(found, SaleReport)
    return found


def moves(erp: Erp, state: str) -> dict[str, float]:
    codes = {row["id"]: row["default_code"] for row in erp.rows("product.product")}
    return {codes[row["product_id"]]: row["product_uom_qty"] for row in erp.rows("stock.move") if row["state"] == state}


def lies(erp: Erp, sku: str) -> dict[str, float]:
    return dict(odoo_stock.levels(erp.world)[sku]["WH/Stock"])


def refused(erp: Erp, command: Any) -> str:
    with outside(erp), pytest.raises(Rejected) as caught:
        odoo(erp).send(command)
    return caught.value.code


def test_a_whole_sale_is_taken_back_with_its_delivery(erp: Erp) -> None:
    erp.sold("H-1")
    with outside(erp):
        first, again = (odoo(erp).send(cancel("H-1")) for _ in range(2))
    assert (first.was_there, again.was_there, first.vendor_status) == (False, True, "cancel")
    assert report(erp).stage == SaleStage.CANCELLED
    assert moves(erp, "assigned") == {}
    assert lies(erp, "TK-100")["reserved"] == 0


def test_part_of_a_sale_is_taken_back_twice_and_the_rest_leaves_at_its_price(erp: Erp) -> None:
    erp.sold("H-1")
    with outside(erp):
        odoo(erp).send(cancel("H-1", goods("TEE-250", 1), goods("TK-100", 1)))
        odoo(erp).send(cancel("H-1", goods("TEE-250", 1), key="C2"))
        assert odoo(erp).send(cancel("H-1", goods("TEE-250", 1), goods("TK-100", 1))).was_there
    assert moves(erp, "assigned") == {"TEE-250": 1}
    assert lies(erp, "TK-100")["reserved"] == 0
    erp.ship("H-1")
    told = report(erp)
    assert told.stage == SaleStage.SHIPPED
    assert told.total == Decimal("17.80")  # one of three at 38.70, and 4.90 for the parcel


def test_what_has_left_is_not_taken_back(erp: Erp) -> None:
    erp.sold("H-1")
    erp.ship("H-1", partial=True)
    open_then = moves(erp, "assigned")
    assert refused(erp, cancel("H-1")) == "already_shipped"
    assert refused(erp, cancel("H-1", goods("TEE-250", 3))) == "already_shipped"
    assert refused(erp, cancel("H-1", goods("NOTHING", 1))) == "already_shipped"
    assert moves(erp, "assigned") == open_then
    with outside(erp):
        odoo(erp).send(cancel("H-1", goods("TEE-250", int(open_then["TEE-250"]))))
    assert report(erp).stage == SaleStage.SHIPPED
    assert not erp.rows("mail.message")[1:]


def test_a_draft_loses_pieces_too(erp: Erp) -> None:
    erp.sold("H-1", confirm=False)
    with outside(erp):
        assert odoo(erp).find(cancel("H-1", goods("TEE-250", 1))) is None
        odoo(erp).send(cancel("H-1", goods("TEE-250", 1)))
    assert [line["product_uom_qty"] for line in erp.rows("sale.order.line")] == [1, 2, 1]
    with outside(erp):
        odoo(erp).send(cancel("H-1"))
    assert report(erp).stage == SaleStage.CANCELLED


def test_a_return_is_announced_then_booked_in_and_told(erp: Erp) -> None:
    erp.sold("H-1", shipped=True)
    before = lies(erp, "TEE-250")["quantity"]
    wish = [goods("TEE-250", 2), goods("TK-100", 1, restock=False)]
    with outside(erp):
        announced = odoo(erp).send(back("H-1", *wish, received=False))
    expected = report(erp)
    with outside(erp):
        left = odoo(erp).find(back("H-1", *wish))
        received = odoo(erp).send(back("H-1", *wish))
        assert odoo(erp).send(back("H-1", *wish)).was_there
    told = report(erp)

    assert left is not None
    assert left.unfinished
    assert (announced.external_id, received.was_there) == (received.external_id, True)
    (one,), (two,) = expected.returns, told.returns
    assert (one.stage, one.reference, one.received_at) == (AfterSaleStage.ANNOUNCED, "H-1/R1", None)
    assert set(one.positions) == {
        Position(quantity=Decimal(2), sku="TEE-250"),
        Position(quantity=Decimal(1), sku="TK-100"),
    }
    assert (two.stage, two.number) == (AfterSaleStage.DONE, received.number)
    assert set(two.positions) == {
        Position(quantity=Decimal(2), sku="TEE-250", restock=True),
        Position(quantity=Decimal(1), sku="TK-100", restock=False),
    }
    assert told.stage == SaleStage.SHIPPED
    assert len(told.shipments) == 1
    assert lies(erp, "TEE-250")["quantity"] == before + 2
    assert [row["scrap_qty"] for row in erp.rows("stock.scrap")] == [1]
    delivered = [row["qty_delivered"] for row in erp.rows("sale.order.line") if row["qty_delivered"]]
    assert delivered == [1]


def test_more_than_left_does_not_come_back(erp: Erp) -> None:
    erp.sold("H-1", shipped=True)
    with outside(erp):
        odoo(erp).send(back("H-1", goods("TEE-250", 2)))
    again = back("H-1", goods("TEE-250", 2))
    other = type(again)(**{**vars(again), "reference": "H-1/R2"})
    assert refused(erp, other) == "more_than_sold"
    assert refused(erp, back("H-9", goods("TEE-250", 1))) == "sale_gone"


def test_a_return_that_a_colleague_makes_is_told_as_theirs(erp: Erp) -> None:
    erp.sold("H-1", shipped=True)
    with outside(erp):
        odoo(erp).send(back("H-1", goods("TEE-250", 1)))
    (row,) = [row for row in erp.rows("stock.picking") if row["picking_type_code"] == "incoming"]
    row["origin"] = "Return of WH/OUT/00001"
    (told,) = report(erp).returns
    assert told.reference == ""


def test_a_return_cancelled_there_is_refused(erp: Erp) -> None:
    erp.sold("H-1", shipped=True)
    with outside(erp):
        odoo(erp).send(back("H-1", goods("TEE-250", 1), received=False))
    (row,) = [row for row in erp.rows("stock.picking") if row["picking_type_code"] == "incoming"]
    row["state"] = "cancel"
    assert refused(erp, back("H-1", goods("TEE-250", 1))) == "return_cancelled"
    (told,) = report(erp).returns
    assert told.stage == AfterSaleStage.DECLINED
