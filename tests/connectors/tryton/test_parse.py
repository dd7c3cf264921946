"""Rows of Tryton as reports."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from integration_hub.connectors.http import Http
from integration_hub.connectors.tryton import Tryton
from integration_hub.kernel.errors import Rejected
from integration_hub.kernel.goods import ProductReport
from integration_hub.kernel.messages import ReportedShipment, SaleReport, ShippedLine
from integration_hub.kernel.states import SaleStage

from .orders import config
from .payloads import Row, at, delivery, move, product, sale, shipment


def report(row: Row, topic: str = "sale.polled") -> Any:
    (found,) = Tryton(config(), Http()).parse(delivery(row, topic))
    return found


def test_a_sale_with_a_parcel() -> None:
    told = report(
        sale(shipment(7, move(1, "MUG", 2.0), move(2, "BOOK", 1.0, state="cancelled"), move(3, "TEA", 4, sale=99)))
    )

    assert told == SaleReport(
        external_id="12",
        number="4",
        reference="shop:1001",
        stage=SaleStage.SHIPPED,
        vendor_status="processing / sent / pending",
        updated_at=datetime(2026, 11, 20, 14, 5, 0, 7, tzinfo=UTC),
        total=Decimal("44.97"),
        currency="EUR",
        shipments=(
            ReportedShipment(
                external_id="7",
                number="A7",
                tracking_number="00340434161094",
                shipped_at=datetime(2026, 11, 21, tzinfo=UTC),
                lines=(ShippedLine(sku="MUG", quantity=Decimal(2)),),
            ),
        ),
    )


@pytest.mark.parametrize("state", ["draft", "waiting", "assigned", "picked", "packed", "cancelled"])
def test_a_parcel_that_has_not_left_is_not_told(state: str) -> None:
    assert report(sale(shipment(7, move(1, "MUG", 2.0), state=state))).shipments == ()


@pytest.mark.parametrize(
    ("changes", "stage"),
    [
        ({"state": "draft", "shipment_state": "none"}, SaleStage.DRAFT),
        ({"state": "quotation", "shipment_state": "none"}, SaleStage.DRAFT),
        ({"state": "cancelled", "shipment_state": "none"}, SaleStage.CANCELLED),
        ({"state": "confirmed", "shipment_state": "none", "moves": ()}, SaleStage.CONFIRMED),
        ({"shipment_state": "waiting"}, SaleStage.CONFIRMED),
        ({"shipment_state": "partially shipped"}, SaleStage.PARTLY_SHIPPED),
        ({"shipment_state": "exception"}, SaleStage.TROUBLE),
        ({"invoice_state": "exception"}, SaleStage.TROUBLE),
        ({"state": "done", "invoice_state": "paid"}, SaleStage.SHIPPED),
        ({"state": "done", "shipment_state": "none", "moves": ()}, SaleStage.SHIPPED),
        ({"state": "done", "shipment_state": "none", "moves": ("cancelled",)}, SaleStage.CANCELLED),
    ],
)
def test_stages(changes: dict[str, Any], stage: SaleStage) -> None:
    assert report(sale(**changes)).stage == stage


@pytest.mark.parametrize(
    "changes", [{"state": "dreaming"}, {"shipment_state": "lost"}, {"id": "12"}, {"create_date": None}]
)
def test_what_tryton_never_says_is_rejected(changes: dict[str, Any]) -> None:
    with pytest.raises(Rejected):
        report(sale(**({"write_date": None} | changes)))


def test_a_product() -> None:
    assert report(product(), "product.polled") == ProductReport(
        external_id="5",
        sku="MUG",
        title="Tasse",
        gtin="4006381333931",
        active=True,
        updated_at=datetime(2026, 11, 20, 11, 5, 0, 7, tzinfo=UTC),
    )


@pytest.mark.parametrize("changes", [{"active": False}, {"salable": False}])
def test_a_product_that_cannot_be_sold_is_not_active(changes: dict[str, Any]) -> None:
    assert not report(product(**changes, write_date=at(16)), "product.polled").active


def test_an_unknown_topic_is_rejected() -> None:
    with pytest.raises(Rejected):
        report(sale(), "party.polled")
