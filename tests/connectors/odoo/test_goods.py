"""Variants, places and levels of Odoo, before and after 18 and 19 changed how it says them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from integration_hub.connectors import _odoo_goods, _odoo_kits, _odoo_rpc
from integration_hub.connectors.base import Delivery
from integration_hub.kernel.errors import Rejected, RetryLater
from integration_hub.kernel.goods import Level, LocationReport, ProductKind, ProductReport, ReportedPart, StockReport
from integration_hub.sandbox import odoo_sales, odoo_stock
from integration_hub.sandbox.odoo_schema import MODELS, stamp
from tests.connectors.levels import all_pages, levels_of
from tests.connectors.world import everything, outside

from .mine import KIT, LEVEL, POT, TEA, Erp, connector, delivery, levels, sale

STOCK, STORE = str(odoo_stock.STOCK), str(odoo_stock.STORE)


@pytest.fixture(params=["17", "18", "19"])
def erp(request: pytest.FixtureRequest) -> Iterator[Erp]:
    found = Erp(request.param)
    with outside(found):
        yield found


def just_now() -> datetime:
    return datetime.now(UTC) - timedelta(minutes=5)


def deliveries(stream: str, since: datetime | None) -> list[Delivery]:
    it, token = connector(), None
    found: list[Delivery] = []
    while True:
        page = it.poll(stream, since, token)
        found += page.deliveries
        token = page.token
        if token is None:
            return found


def told(stream: str, since: datetime | None = None) -> list[Any]:
    return [report for item in deliveries(stream, since) for report in connector().parse(item)]


def product(sku: str, since: datetime | None = None) -> ProductReport:
    (found,) = [item for item in told("products", since) if item.sku == sku]
    assert isinstance(found, ProductReport)
    return found


def moved(sku: str) -> dict[str, tuple[int, int]]:
    """On hand and available by place of what moved lately; the last word counts."""
    found = {level.location_id: level for level in levels_of(told("stock", just_now())) if level.sku == sku}
    return {place: (int(level.on_hand or 0), int(level.available or 0)) for place, level in found.items()}


def age(erp: Erp, *models: str) -> None:
    """Nothing of this was written lately."""
    for model in models:
        for row in erp.rows(model):
            row["write_date"] = "2025-01-01 00:00:00"


def make_kit(erp: Erp, sku: str, **parts: float) -> int:
    """Sell this article as a kit, six of which are made of these parts (TK_100=2); parts are counted in dozens."""
    article = next(row for row in erp.rows("product.product") if row["default_code"] == sku)
    article["is_storable"] = False
    now = stamp(erp.world.now())
    bom = {"type": "phantom", "product_tmpl_id": article["product_tmpl_id"], "product_qty": 6.0, "product_uom_id": 1}
    number = erp.world.store.add("mrp.bom", {**bom, "active": True, "sequence": 1, "write_date": now})["id"]
    for name, pieces in parts.items():
        part = next(row for row in erp.rows("product.product") if row["default_code"] == name.replace("_", "-"))
        line = {"bom_id": number, "product_id": part["id"], "product_qty": pieces, "product_uom_id": 2}
        erp.world.store.add("mrp.bom.line", {**line, "write_date": now})
    return int(number)


def test_a_variant_with_all_that_odoo_says_of_it(erp: Erp) -> None:
    found = product("TS-M")

    assert (found.title, found.product_title) == ("T-Shirt Teeliebe - M", "T-Shirt Teeliebe")
    assert found.options == (("Größe", "M"),)
    assert (found.kind, found.unit, found.tracked, found.active) == (ProductKind.GOODS, "Stück", True, True)
    assert (found.group, found.tax_class, found.weight) == ("Handelsware", "19% USt inkl.", Decimal("0.35"))
    assert (found.price, found.price_includes_tax, found.currency) == (Decimal("19.9"), True, "EUR")
    assert found.product_id == product("TS-L").product_id != product("TK-100").product_id


def test_an_article_without_a_currency_has_no_price_but_is_told(erp: Erp) -> None:
    next(row for row in erp.rows("product.product") if row["default_code"] == "TS-M")["currency_id"] = False

    found = product("TS-M")

    assert (found.sku, found.price, found.price_includes_tax, found.currency) == ("TS-M", None, None, "")


def test_a_service_moves_no_stock(erp: Erp) -> None:
    found = product("VERSAND")

    assert (found.kind, found.tracked, found.weight) == (ProductKind.SERVICE, False, None)


def test_a_kit_with_its_parts_in_their_own_units(erp: Erp) -> None:
    make_kit(erp, "BUCH-01", TK_100=1, TEE_250=2)

    found = product("BUCH-01")

    assert (found.kind, found.tracked) == (ProductKind.BUNDLE, False)
    assert {part.sku: part.quantity for part in found.parts} == {"TK-100": 2, "TEE-250": 4}
    assert product("TK-100").parts == ()


def test_a_line_that_holds_for_other_variants_only_is_no_part(erp: Erp) -> None:
    make_kit(erp, "TS-M", TK_100=1, TEE_250=1)
    bound = erp.rows("mrp.bom.line")[1]
    bound["bom_product_template_attribute_value_ids"] = [odoo_stock.SIZES["L"]]

    assert [part.sku for part in product("TS-M").parts] == ["TK-100"]
    assert [part.sku for part in product("TS-L").parts] == ["TK-100", "TEE-250"]


def test_parts_that_change_leave_the_variants_own_time_but_are_told(erp: Erp, monkeypatch: pytest.MonkeyPatch) -> None:
    make_kit(erp, "BUCH-01", TK_100=1)
    age(erp, "product.product", "mrp.bom")

    assert product("BUCH-01", just_now()).parts[0].quantity == 2

    make_kit(erp, "HONIG-500", TK_100=1)
    monkeypatch.setattr(_odoo_kits, "BOMS", 1)
    assert [item.sku for item in told("products", just_now())] == ["BUCH-01", "HONIG-500"]
    age(erp, "mrp.bom", "mrp.bom.line")
    assert told("products", just_now()) == []


def test_archived_variants_are_told(erp: Erp) -> None:
    erp.rows("product.product")[0]["active"] = False

    assert not product("TK-100").active


def test_pages_of_variants_with_a_token_of_an_older_version(erp: Erp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_odoo_goods, "PRODUCTS", 4)

    assert len(told("products")) == erp.world.store.count("product.product")
    assert connector().poll("products", None, "4").deliveries[0].object_id == "5"
    for token in ("x", "other:1", "kit:1"):
        with pytest.raises(Rejected):
            connector().poll("products", None, token)


def test_places_are_the_outermost_internal_locations(erp: Erp) -> None:
    found = told("locations")

    assert found == [
        LocationReport(external_id=STOCK, name="WH/Stock", active=True),
        LocationReport(external_id=STORE, name="LADEN/Stock", active=True),
    ]
    age(erp, "stock.location")
    assert told("locations", just_now()) == []


def test_locations_in_a_circle_end(erp: Erp) -> None:
    for number, parent in ((odoo_stock.STOCK, odoo_stock.SHELF), (odoo_stock.SHELF, odoo_stock.STOCK)):
        erp.world.store.get("stock.location", number)["location_id"] = parent  # type: ignore[index]

    assert [item.external_id for item in told("locations")] == [STORE]


def test_an_order_holds_a_delivery_takes_and_shelves_count(erp: Erp) -> None:
    age(erp, "stock.quant")
    assert moved("TEE-250") == {}
    connector().send(sale(POT, TEA))
    held = moved("TEE-250")
    (picking,) = erp.rows("stock.picking")
    odoo_sales.ship(erp.world, picking, partial=True)
    partly = moved("TEE-250")
    odoo_sales.ship(erp.world, erp.rows("stock.picking")[1])

    assert held[STOCK] == (1000, 997)
    assert partly[STOCK] == (999, 997)
    assert moved("TEE-250")[STOCK] == (997, 997)
    assert moved("TK-100")[STOCK] == (999, 999)
    assert moved("TK-200") == {}


def test_a_cancelled_sale_holds_no_longer(erp: Erp) -> None:
    connector().send(sale(POT))
    held = moved("TK-100")
    odoo_sales.cancel(erp.world, erp.rows("sale.order")[0])

    assert (held[STOCK], moved("TK-100")[STOCK]) == ((1000, 999), (1000, 1000))


def test_selling_a_kit_takes_its_parts(erp: Erp) -> None:
    make_kit(erp, "TK-100", TEE_KR=1)
    connector().send(sale(POT))
    held = moved("TEE-KR")

    odoo_sales.ship(erp.world, erp.rows("stock.picking")[0])

    assert (held[STOCK], moved("TEE-KR")[STOCK]) == ((1000, 998), (998, 998))
    assert moved("TK-100") == {}


def test_what_is_gone_to_the_last_piece_leaves_no_quant_and_is_told_as_none(erp: Erp) -> None:
    erp.world.store.clear("stock.quant")
    odoo_stock.count(erp.world, "TK-100", 1)
    age(erp, "stock.move", "stock.quant")
    connector().send(sale(POT))
    odoo_sales.ship(erp.world, erp.rows("stock.picking")[0])

    assert erp.rows("stock.quant") == []
    assert moved("TK-100") == {STOCK: (0, 0)}


def test_a_count_is_told_and_the_same_again_is_a_repeat(erp: Erp) -> None:
    age(erp, "stock.quant")
    odoo_stock.count(erp.world, "TK-100", 3, odoo_stock.STORE)
    (first,), (again,) = deliveries("stock", just_now()), deliveries("stock", just_now())
    odoo_stock.count(erp.world, "TK-100", 4, odoo_stock.STORE)
    (later,) = deliveries("stock", just_now())

    assert moved("TK-100")[STORE] == (4, 4)
    assert first.body == again.body != later.body
    (report,) = connector().parse(first)
    assert isinstance(report, StockReport)
    assert abs(report.stated_at - datetime.now(UTC)) < timedelta(minutes=1)


def test_pages_of_what_moved_lead_to_the_end(erp: Erp, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = deliveries("stock", just_now())
    everything_told = set(levels_of(told("stock", just_now())))
    monkeypatch.setattr(_odoo_goods, "VARIANTS", 2)
    monkeypatch.setattr(_odoo_rpc, "MANY", 3)

    assert len(whole) == 1
    assert len(deliveries("stock", just_now())) > 5
    assert set(levels_of(told("stock", just_now()))) == everything_told


def test_all_levels_page_by_page_without_kits_and_services(erp: Erp, monkeypatch: pytest.MonkeyPatch) -> None:
    make_kit(erp, "BUCH-01", TK_100=1)
    whole = [report for item in all_pages(connector()) for report in connector().parse(item)]
    monkeypatch.setattr(_odoo_goods, "LISTED", 2)
    paged = [report for item in all_pages(connector()) for report in connector().parse(item)]

    found: dict[Any, Any] = {
        (level.sku, level.location_id): (level.on_hand, level.available) for level in levels_of(whole)
    }
    assert found["TK-100", STOCK] == (1000, 1000)
    assert found["TK-100", STORE] == (10, 10)
    assert not {"BUCH-01", "VERSAND"} & {sku for sku, _place in found}
    assert sorted(levels_of(paged), key=str) == sorted(levels_of(whole), key=str)


def test_without_the_apps_for_stock_and_kits_there_is_nothing_to_read(
    erp: Erp, monkeypatch: pytest.MonkeyPatch
) -> None:
    for model in ("stock.quant", "mrp.bom"):
        monkeypatch.delitem(MODELS, model)

    assert told("stock") == told("stock", just_now()) == told("locations") == all_pages(connector()) == []
    assert product("TK-100").kind == ProductKind.GOODS
    assert "Inventory app is not there" in str(connector().check()[-1].text)


def test_the_check_names_the_places(erp: Erp) -> None:
    last = connector().check()[-1]

    assert last.ok
    assert "WH/Stock, LADEN/Stock" in str(last.text)


@pytest.mark.parametrize("stream", ["products", "locations", "stock"])
def test_a_right_that_is_missing_for_goods_does_not_stop_the_sales(stream: str) -> None:
    body = '{"name": "odoo.exceptions.AccessError", "message": "You are not allowed to access it.", "arguments": []}'
    with everything((403, {}, body)), pytest.raises(RetryLater) as caught:
        connector(transport="json2").poll(stream, just_now(), None)

    assert caught.value.code == "refused_rights"


@pytest.mark.parametrize(
    ("unit", "factor", "pieces"),
    [({"factor": 12.0, "upwards": True}, 1.0, 1), ({"factor": 0.5, "upwards": False}, 1, 2)],
)
def test_units_before_and_after_odoo_19(unit: dict[str, Any], factor: float, pieces: int) -> None:
    parts = [{"quantity": 12.0, "factor": 1.0, "own_factor": factor, "product": 8, "code": "A", "upwards": True}]
    makes = {"quantity": pieces / 1.0, "own_factor": factor, **unit}
    (found,) = connector().parse(delivery({**KIT, "kit": {"makes": makes, "parts": parts}}, "product.polled"))

    assert isinstance(found, ProductReport)
    assert found.parts == (ReportedPart(quantity=Decimal({1: 1, 2: 3}[pieces]), product_id="8", sku="A"),)


def test_levels_as_they_are_polled() -> None:
    (found,) = connector().parse(levels({**LEVEL, "on_hand": 0.30000000000000004, "available": -1}))

    assert found == StockReport(
        levels=(Level(product_id="3", location_id="2", sku="TEE-250", on_hand=Decimal("0.3"), available=Decimal(-1)),),
        stated_at=datetime(2026, 11, 21, 9, tzinfo=UTC),
    )


@pytest.mark.parametrize("changes", [{"on_hand": None}, {"available": "many"}, {"product": None}, {"on_hand": 10**9}])
def test_levels_that_make_no_sense_are_rejected(changes: dict[str, Any]) -> None:
    with pytest.raises(Rejected):
        connector().parse(levels({**LEVEL, **changes}))
