"""Items, warehouses and levels of ERPNext."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from integration_hub.connectors import _erpnext_goods
from integration_hub.connectors.base import Delivery
from integration_hub.kernel.errors import RetryLater
from integration_hub.kernel.goods import Level, LocationReport, ProductKind, ProductReport, ReportedPart, StockReport
from integration_hub.sandbox.erpnext_schema import FrappeError
from integration_hub.sandbox.erpnext_stock import MAIN, REJECTED, SHOP
from tests.connectors.world import outside

from .mine import Erp, connector
from .test_poll import EPOCH, later


@pytest.fixture
def erp() -> Erp:
    return Erp()


def polled(erp: Erp, stream: str, since: datetime | None = None, **changes: Any) -> list[Delivery]:
    found: list[Delivery] = []
    token: str | None = None
    it = connector(**changes)
    with outside(erp):
        while True:
            page = it.poll(stream, since, token)
            found += page.deliveries
            token = page.token
            if token is None:
                return found


def products(erp: Erp, since: datetime | None = None, **changes: Any) -> dict[str, ProductReport]:
    found = [report for one in polled(erp, "products", since, **changes) for report in connector().parse(one)]
    return {report.external_id: report for report in found if isinstance(report, ProductReport)}


def levels(erp: Erp, since: datetime | None = None) -> dict[tuple[str, str], Level]:
    found = [report for one in polled(erp, "stock", since) for report in connector().parse(one)]
    rows = [level for report in found if isinstance(report, StockReport) for level in report.levels]
    return {(row.product_id, row.location_id): row for row in rows}


def change(erp: Erp, doctype: str, name: str, **values: Any) -> None:
    docs = erp.erp.docs
    with docs.transaction():
        docs.put(doctype, {**docs.get(doctype, name), **values})


def test_a_variant_with_all_that_belongs_to_it(erp: Erp) -> None:
    found = products(erp)["TS-M"]
    assert (found.title, found.product_id, found.product_title) == ("T-Shirt Teeliebe - M", "TS", "T-Shirt Teeliebe")
    assert (found.options, found.gtin, found.weight) == (
        (("Größe", "M"),),
        "2999000000071"[:12] + found.gtin[-1],
        Decimal("0.35"),
    )
    assert (found.kind, found.unit, found.group, found.tracked) == (ProductKind.GOODS, "Nos", "Handelsware", True)
    assert (found.price, found.currency, found.price_includes_tax) == (Decimal("19.9"), "EUR", None)
    assert found.tax_class == "Umsatzsteuer 19 % - ST"


def test_a_template_is_no_article(erp: Erp) -> None:
    assert "TS" not in products(erp)
    assert {"TS-S", "TS-M", "TS-L"} <= set(products(erp))


def test_a_service_moves_no_stock_and_a_set_has_parts(erp: Erp) -> None:
    found = products(erp)
    assert (found["VERSAND"].kind, found["VERSAND"].tracked) == (ProductKind.SERVICE, False)
    assert found["SET-TEE"].kind == ProductKind.BUNDLE
    assert found["SET-TEE"].parts == (
        ReportedPart(quantity=Decimal(2), product_id="TEE-250", sku="TEE-250"),
        ReportedPart(quantity=Decimal(1), product_id="TK-100", sku="TK-100"),
    )


def test_without_a_price_list_there_are_no_prices(erp: Erp) -> None:
    assert {report.price for report in products(erp, price_list="").values()} == {None}


def test_a_price_or_a_set_that_changes_tells_its_item(erp: Erp) -> None:
    since = later(erp)
    assert products(erp, since) == {}
    (price,) = [row for row in erp.rows("Item Price") if row["item_code"] == "TK-100"]
    change(erp, "Item Price", price["name"], price_list_rate=41.5)
    found = products(erp, since)
    assert {name: report.price for name, report in found.items()} == {"TK-100": Decimal("41.5")}
    assert found["TK-100"].updated_at is not None
    assert found["TK-100"].updated_at >= since
    change(erp, "Product Bundle", "SET-TEE")
    assert set(products(erp, since)) == {"TK-100", "SET-TEE"}


def test_a_price_of_tomorrow_or_of_one_customer_is_not_the_price(erp: Erp) -> None:
    docs = erp.erp.docs
    kept = {
        "item_code": "TK-100",
        "price_list": "Standard-Vertrieb",
        "currency": "EUR",
        "selling": 1,
        "price_list_rate": 1.0,
    }
    with docs.transaction():
        docs.put("Item Price", docs.new("Item Price", {**kept, "valid_from": "2999-01-01"}))
        docs.put("Item Price", docs.new("Item Price", {**kept, "customer": "Erika"}))
        docs.put("Item Price", docs.new("Item Price", {**kept, "uom": "Karton"}))
        docs.put("Item Price", docs.new("Item Price", {**kept, "valid_upto": "2001-01-01"}))
    assert products(erp)["TK-100"].price == Decimal("39.95")


def test_a_disabled_item_is_told_and_not_gone(erp: Erp) -> None:
    since = later(erp)
    change(erp, "Item", "SIEB-01", disabled=1)
    assert [(name, report.active) for name, report in products(erp, since).items()] == [("SIEB-01", False)]
    with outside(erp):
        assert connector().gone_products(["SIEB-01", "WEG-01"]) == ["WEG-01"]


def test_pages_of_products_hold_everything_once(erp: Erp, monkeypatch: pytest.MonkeyPatch) -> None:
    everything = set(products(erp))
    monkeypatch.setattr(_erpnext_goods, "PRODUCTS", 3)
    deliveries = polled(erp, "products")
    assert sorted(one.object_id for one in deliveries) == sorted(everything)


def test_warehouses_but_no_groups(erp: Erp) -> None:
    found = [report for one in polled(erp, "locations") for report in connector().parse(one)]
    assert found == [LocationReport(external_id=name, name=name) for name in sorted((MAIN, SHOP, REJECTED))]
    since = later(erp)
    change(erp, "Warehouse", SHOP, disabled=1)
    (told,) = [report for one in polled(erp, "locations", since) for report in connector().parse(one)]
    assert told == LocationReport(external_id=SHOP, name=SHOP, active=False)


def test_every_article_at_every_warehouse_also_where_nothing_lies(erp: Erp) -> None:
    found = levels(erp)
    assert found["TK-100", MAIN] == Level(
        product_id="TK-100", sku="TK-100", location_id=MAIN, on_hand=Decimal(1000), available=Decimal(1000)
    )
    assert found["TK-100", REJECTED].on_hand == 0
    assert not [key for key in found if key[0] in ("VERSAND", "SET-TEE", "TS")]


def test_what_is_promised_is_not_available(erp: Erp) -> None:
    since = later(erp)
    erp.sold("H-1")
    found = levels(erp, since)
    assert {key: (row.on_hand, row.available) for key, row in found.items()} == {
        ("TEE-250", MAIN): (Decimal(1000), Decimal(997)),
        ("TK-100", MAIN): (Decimal(1000), Decimal(999)),
    }
    erp.ship("H-1")
    left = levels(erp, since)["TEE-250", MAIN]
    assert left.on_hand == left.available == Decimal(997)


def test_the_same_levels_are_the_same_delivery(erp: Erp) -> None:
    erp.levers._count({"sku": "TK-100", "quantity": 7})
    first, second = (polled(erp, "stock", EPOCH) for _ in range(2))
    assert [one.body for one in first] == [one.body for one in second]


def test_pages_of_levels_hold_everything_once(erp: Erp, monkeypatch: pytest.MonkeyPatch) -> None:
    everything = levels(erp)
    changed = levels(erp, EPOCH)
    monkeypatch.setattr(_erpnext_goods, "LISTED", 3)
    monkeypatch.setattr(_erpnext_goods, "BINS", 4)
    assert levels(erp) == everything
    assert levels(erp, EPOCH) == changed
    assert len(polled(erp, "stock")) > 4


def test_a_right_that_is_missing_for_goods_alone_does_not_stop_the_sales(
    erp: Erp, monkeypatch: pytest.MonkeyPatch
) -> None:
    query = erp.erp.docs.query

    def forbidden(given: Any) -> Any:
        if given["doctype"] in ("Bin", "Item Barcode"):
            raise FrappeError("PermissionError", f"No permission for {given['doctype']}", 403)
        return query(given)

    monkeypatch.setitem(erp.erp._methods, "frappe.client.get_list", forbidden)
    for stream in ("stock", "products"):
        with outside(erp), pytest.raises(RetryLater) as caught:
            connector().poll(stream, datetime(2026, 1, 1, tzinfo=UTC), None)
        assert caught.value.code == "refused_rights"
    with outside(erp):
        findings = connector().check()
    assert [str(one.text) for one in findings if not one.ok] == [
        "The ERPNext user lacks a right: No permission for Item Barcode"
    ]
