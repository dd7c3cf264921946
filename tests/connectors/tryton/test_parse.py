"""Rows of Tryton as reports."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
import responses

from integration_hub.connectors.http import Http
from integration_hub.connectors.tryton import Tryton
from integration_hub.kernel.aftersales import AfterSaleStage, Position
from integration_hub.kernel.errors import Rejected, RetryLater
from integration_hub.kernel.goods import Level, LocationReport, ProductKind, ProductReport, ReportedPart, StockReport
from integration_hub.kernel.messages import ReportedShipment, SaleReport, ShippedLine
from integration_hub.kernel.states import SaleStage

from .orders import config
from .payloads import (
    Row,
    at,
    back,
    delivery,
    full_product,
    kit,
    level,
    levels,
    location,
    move,
    part,
    product,
    sale,
    shipment,
)


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
        ({"shipment_state": "exception"}, SaleStage.TROUBLE),
        ({"invoice_state": "exception"}, SaleStage.TROUBLE),
        ({"state": "done", "invoice_state": "paid"}, SaleStage.SHIPPED),
        ({"state": "done", "shipment_state": "none", "moves": ()}, SaleStage.SHIPPED),
        ({"state": "done", "shipment_state": "none", "moves": ("cancelled",)}, SaleStage.CANCELLED),
        ({"shipment_state": "none", "invoice_state": "posted", "moves": ("cancelled",)}, SaleStage.CANCELLED),
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


@pytest.mark.parametrize(
    ("given", "stage", "restock"),
    [
        (back("draft"), AfterSaleStage.ANNOUNCED, None),
        (back("received"), AfterSaleStage.RECEIVED, None),
        (back("done", "draft"), AfterSaleStage.ANNOUNCED, True),
        (back("done", "cancelled"), AfterSaleStage.DONE, True),
        (back("done", shelf="lost_found"), AfterSaleStage.DONE, False),
        (back("cancelled"), AfterSaleStage.DECLINED, None),
        (back(state="draft", shipment_returns=[]), AfterSaleStage.REQUESTED, None),
        (back(state="cancelled", shipment_returns=[]), AfterSaleStage.DECLINED, None),
    ],
)
def test_a_return_comes_with_its_sale(given: Row, stage: AfterSaleStage, restock: bool | None) -> None:
    told = report(sale(returns=[given]))

    (found,) = told.returns
    assert (found.external_id, found.number, found.reference) == ("13", "5", "shop:1001/R1")
    assert (found.stage, found.positions) == (stage, (Position(quantity=Decimal(2), sku="MUG", restock=restock),))
    assert told.updated_at == datetime(2026, 11, 20, 16 if given["shipment_returns"] else 15, 5, 0, 7, tzinfo=UTC)


def test_a_sale_of_which_a_part_left_is_partly_shipped() -> None:
    told = report(sale(shipment(7, move(1, "MUG", 2.0)), shipment_state="partially shipped"))

    assert told.stage == SaleStage.PARTLY_SHIPPED


def test_what_was_cancelled_in_part_is_not_partly_shipped() -> None:
    waiting = shipment(7, move(1, "MUG", 2.0, "draft"), state="waiting", effective_date=None)

    assert report(sale(waiting, shipment_state="partially shipped")).stage == SaleStage.CONFIRMED


def test_a_product() -> None:
    assert report(product(), "product.polled") == ProductReport(
        external_id="5",
        sku="MUG",
        title="Tasse",
        gtin="4006381333931",
        active=True,
        updated_at=datetime(2026, 11, 20, 11, 5, 0, 7, tzinfo=UTC),
        product_id="4",
    )


@pytest.mark.parametrize("changes", [{"active": False}, {"salable": False}])
def test_a_product_that_cannot_be_sold_is_not_active(changes: dict[str, Any]) -> None:
    assert not report(product(**changes, write_date=at(16)), "product.polled").active


def test_a_product_with_all_that_modules_bring() -> None:
    told = report(full_product(), "product.polled")

    assert (told.product_id, told.product_title) == ("4", "Tasse Leuchtturm")
    assert told.options == (("Farbe", "Blau"), ("Länge", "7"), ("Breite", "1.5"), ("Seit", "2026-11-03"))
    assert (told.kind, told.unit, told.tracked, told.parts) == (ProductKind.GOODS, "u", True, ())
    assert (told.group, told.tax_class) == ("Geschirr", "Waren 19 %")
    assert (told.weight, told.price, told.currency) == (Decimal("0.35"), Decimal("8.3950"), "EUR")
    assert told.price_includes_tax is False


def test_without_a_category_it_is_grouped_as_it_is_booked() -> None:
    row = full_product()
    row["template"]["categories"] = []

    assert report(row, "product.polled").group == "Waren 19 %"


def test_a_set_has_its_parts_in_their_own_unit() -> None:
    told = report(kit(), "product.polled")

    assert told.kind == ProductKind.BUNDLE
    assert told.parts == (
        ReportedPart(quantity=Decimal(2), product_id="1", sku="P1"),
        ReportedPart(quantity=Decimal(12), product_id="2", sku="P2"),
    )


def test_parts_of_the_variant_go_before_those_of_its_template() -> None:
    assert [item.sku for item in report(kit() | {"components": [part(7, 1)]}, "product.polled").parts] == ["P7"]


@pytest.mark.parametrize(
    ("codes", "gtin"),
    [
        ({"isbn": "978-3-16-148410-0", "ean": "4006381333931"}, "4006381333931"),
        ({"isbn": "978-3-16-148410-0"}, "978-3-16-148410-0"),
        ({"isbn": "3-16-148410-X"}, ""),
        ({"mpn": "1"}, ""),
    ],
)
def test_which_identifier_is_the_gtin(codes: dict[str, str], gtin: str) -> None:
    rows = [{"id": number, "type": kind, "code": code} for number, (kind, code) in enumerate(codes.items())]

    assert report(product(identifiers=rows), "product.polled").gtin == gtin


def test_a_place() -> None:
    assert report(location(active=False), "location.polled") == LocationReport(
        external_id="5", name="Hauptlager (WH)", active=False
    )


def test_levels() -> None:
    (told,) = Tryton(config(), Http()).parse(levels(level(), level(5, on_hand=-0.30000000000000004, available=-2)))

    assert told == StockReport(
        levels=(
            Level(product_id="4", location_id="5", sku="MUG", on_hand=Decimal(98), available=Decimal(17)),
            Level(product_id="5", location_id="5", sku="MUG", on_hand=Decimal("-0.3"), available=Decimal(-2)),
        ),
        stated_at=datetime(2026, 11, 20, 14, 6, tzinfo=UTC),
    )


@pytest.mark.parametrize("changes", [{"on_hand": None}, {"available": "many"}, {"product": "4"}, {"on_hand": 10**9}])
def test_levels_that_make_no_sense_are_rejected(changes: dict[str, Any]) -> None:
    with pytest.raises(Rejected):
        Tryton(config(), Http()).parse(levels(level(**changes)))


@pytest.mark.parametrize("stream", ["products", "locations", "stock"])
def test_a_right_that_is_missing_for_goods_does_not_stop_the_sales(stream: str) -> None:
    """Tryton leaves out what the user may not read."""
    company = '[{"id": 1, "timezone": "UTC", "party": {"name": "A"}, "currency": {"code": "EUR"}}]'
    with responses.RequestsMock(assert_all_requests_are_fired=False) as wire:
        wire.get(re.compile(".*/company.company"), body=company)
        wire.get(re.compile(".*/ir.model.field"), body="[]")
        wire.get(re.compile(".*"), body='[{"id": 1}]')
        with pytest.raises(RetryLater) as caught:
            Tryton(config(), Http()).poll(stream, datetime(2026, 11, 20, tzinfo=UTC), None)

    assert caught.value.code == "no_right_to_read"


def test_an_unknown_topic_is_rejected() -> None:
    with pytest.raises(Rejected):
        report(sale(), "party.polled")
