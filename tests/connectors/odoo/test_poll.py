"""What changed in Odoo: sales with their parcels, products; page by page and nothing twice."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from integration_hub.connectors import _odoo_goods, _odoo_poll
from integration_hub.connectors.odoo import Odoo
from integration_hub.kernel.errors import Rejected, Unsupported
from integration_hub.kernel.goods import ProductReport
from integration_hub.kernel.messages import SaleReport, ShippedLine
from integration_hub.kernel.states import SaleStage
from integration_hub.sandbox import odoo_sales
from integration_hub.sandbox.odoo_schema import MODELS
from tests.connectors.world import outside

from .mine import PARCEL, POT, TEA, Erp, connector, delivery, sale, sold

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture(params=["17", "19"])
def erp(request: pytest.FixtureRequest) -> Iterator[Erp]:
    found = Erp(request.param)
    with outside(found):
        yield found


def sales(it: Odoo, since: datetime | None = LONG_AGO) -> list[SaleReport]:
    """All pages of a window."""
    found: list[SaleReport] = []
    token: str | None = None
    while True:
        page = it.poll("sales", since, token)
        for item in page.deliveries:
            (report,) = it.parse(item)
            assert isinstance(report, SaleReport)
            assert report.external_id == item.object_id
            found.append(report)
        token = page.token
        if token is None:
            return found


def ship(erp: Erp, partial: bool = False) -> None:
    for picking in erp.world.store.where("stock.picking", "state", "assigned"):
        odoo_sales.ship(erp.world, picking, partial)


def age(erp: Erp, model: str) -> None:
    for row in erp.rows(model):
        row["write_date"] = "2025-01-01 00:00:00"


def test_a_confirmed_sale_is_reported_with_total_and_reference(erp: Erp) -> None:
    it = connector()
    written = it.send(sale())
    report = sales(it)[0]
    assert (report.external_id, report.number, report.reference) == (written.external_id, written.number, "H-1001")
    assert (report.stage, report.total, report.currency) == (SaleStage.CONFIRMED, Decimal("83.55"), "EUR")
    assert report.shipments == ()


def test_parcels_come_with_tracking_and_what_they_hold(erp: Erp) -> None:
    it = connector()
    it.send(sale(POT, TEA, PARCEL))
    ship(erp, partial=True)
    report = sales(it)[0]
    assert report.stage is SaleStage.PARTLY_SHIPPED
    (first,) = report.shipments
    assert first.tracking_number == erp.rows("stock.picking")[0]["carrier_tracking_ref"]
    assert (first.number, first.carrier) == ("WH/OUT/00001", "DHL Paket")
    assert first.shipped_at is not None
    assert sum(line.quantity for line in first.lines) == 2
    ship(erp)
    report = sales(it)[0]
    assert report.stage is SaleStage.SHIPPED
    moved = [line for shipment in report.shipments for line in shipment.lines]
    assert sum(line.quantity for line in moved if line.sku == "TEE-250") == 3
    assert ShippedLine(sku="TK-100", quantity=Decimal(1)) in moved


def test_a_parcel_that_leaves_the_sales_own_time_untouched_is_found(erp: Erp) -> None:
    it = connector()
    it.send(sale())
    ship(erp)
    age(erp, "sale.order")
    since = datetime.now(UTC) - timedelta(minutes=5)
    (report,) = sales(it, since)
    assert report.stage is SaleStage.SHIPPED
    assert report.updated_at > since
    age(erp, "stock.picking")
    assert sales(it, since) == []


def test_a_cancelled_sale_is_reported(erp: Erp) -> None:
    it = connector()
    it.send(sale())
    odoo_sales.cancel(erp.world, erp.rows("sale.order")[0])
    assert {report.stage for report in sales(it)} == {SaleStage.CANCELLED}


def test_sales_that_are_not_ours_are_left_out(erp: Erp) -> None:
    erp.world.store.add("sale.order", {"name": "S1", "state": "sale", "write_date": "2026-11-21 09:00:00"})
    assert sales(connector()) == []


def test_pages_lead_to_the_end_with_every_sale_once(erp: Erp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_odoo_poll, "PAGE", 2)
    it = connector()
    for number in range(5):
        it.send(sale(reference=f"H-{number}"))
    assert [report.reference for report in sales(it, None)] == [f"H-{number}" for number in range(5)]
    again = [report.reference for report in sales(it, LONG_AGO)]
    assert sorted(again) == sorted(2 * [f"H-{number}" for number in range(5)])  # by the sale, then by its parcels


def test_the_same_state_gives_the_same_bytes(erp: Erp) -> None:
    it = connector()
    it.send(sale())
    ship(erp)
    assert it.poll("sales", None, None) == it.poll("sales", None, None)


def test_products_come_with_gtin_and_archived_ones_too(erp: Erp) -> None:
    erp.rows("product.product")[0]["active"] = False
    page = connector().poll("products", None, None)
    reports = [report for item in page.deliveries for report in connector().parse(item)]
    first = reports[0]
    assert isinstance(first, ProductReport)
    assert (first.sku, first.gtin, first.active) == ("TK-100", "2999000000012", False)
    assert len(reports) == 15
    assert page.token is None


def test_products_come_in_pages(erp: Erp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_odoo_goods, "PRODUCTS", 10)
    it = connector()
    first = it.poll("products", None, None)
    second = it.poll("products", None, first.token)
    ids = [item.object_id for page in (first, second) for item in page.deliveries]
    assert len(set(ids)) == len(ids) == 15
    assert second.token is None


@pytest.mark.parametrize(
    "missing", [("carrier_id", "carrier_tracking_ref", "carrier_tracking_url"), ("sale_id",)], ids=["delivery", "stock"]
)
def test_an_odoo_without_a_module_reports_what_it_has(
    erp: Erp, missing: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    it = connector()
    it.send(sale())
    ship(erp)
    kept = {name: kind for name, kind in MODELS["stock.picking"].items() if name not in missing}
    monkeypatch.setitem(MODELS, "stock.picking", kept)
    report = sales(it)[0]
    assert [shipment.tracking_number for shipment in report.shipments] == ([""] if "sale_id" in kept else [])


def test_an_odoo_without_stock_reports_sales_alone(erp: Erp, monkeypatch: pytest.MonkeyPatch) -> None:
    it = connector()
    it.send(sale())
    monkeypatch.delitem(MODELS, "stock.picking")
    assert [report.stage for report in sales(it)] == [SaleStage.CONFIRMED]


def test_quantities_of_before_17_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    erp = Erp("17")
    fields = dict(MODELS["stock.move"])
    fields["quantity_done"] = fields.pop("quantity")
    with outside(erp):
        it = connector()
        it.send(sale(TEA))
        ship(erp)
        for move in erp.rows("stock.move"):
            move["quantity_done"] = move.pop("quantity")
        monkeypatch.setitem(MODELS, "stock.move", fields)
        assert sales(it)[0].shipments[0].lines == (ShippedLine(sku="TEE-250", quantity=Decimal(3)),)


@pytest.mark.parametrize("token", ["sale:x", "sale:-1", "nothing:1", "picking:", "sale:" + "9" * 30])
def test_a_token_that_is_none_is_refused(token: str) -> None:
    with pytest.raises(Rejected):
        connector().poll("sales", None, token)


def test_unknown_streams_and_topics_are_refused() -> None:
    with pytest.raises(Unsupported):
        connector().poll("orders", None, None)
    with pytest.raises(Rejected):
        connector().parse(delivery(sold(), "sale.created"))


def test_an_unknown_state_is_not_guessed() -> None:
    with pytest.raises(Rejected):
        connector().parse(delivery(sold(state="waiting")))


@pytest.mark.parametrize(
    ("states", "stage"),
    [
        ((), SaleStage.CONFIRMED),
        (("assigned",), SaleStage.CONFIRMED),
        (("done", "assigned"), SaleStage.PARTLY_SHIPPED),
        (("done", "cancel"), SaleStage.SHIPPED),
        (("cancel",), SaleStage.CONFIRMED),
    ],
)
def test_stage_follows_the_pickings(states: tuple[str, ...], stage: SaleStage) -> None:
    body = sold()
    parcel = body["pickings"][0]
    body["pickings"] = [{**parcel, "id": place, "state": state} for place, state in enumerate(states, 1)]
    (report,) = connector().parse(delivery(body))
    assert isinstance(report, SaleReport)
    assert report.stage is stage
    assert len(report.shipments) == states.count("done")
