"""Articles, places and levels of a real Tryton."""

from __future__ import annotations

import itertools
import os
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from integration_hub.connectors import _tryton_goods
from integration_hub.connectors.base import Delivery
from integration_hub.connectors.tryton import Tryton
from integration_hub.kernel.goods import Level, LocationReport, ProductKind, ProductReport, ReportedPart, StockReport
from tests.connectors.levels import all_pages, levels_of
from tests.erp.office import Office
from tests.erp.server import Erp

from .orders import connector, line, order

pytestmark = pytest.mark.erp
_codes = itertools.count(1)


@pytest.fixture(scope="module")
def tryton(real_erp: Erp) -> Tryton:
    return connector(real_erp)


@pytest.fixture
def code() -> str:
    """A number that no article has yet."""
    return f"G{os.getpid()}-{next(_codes)}"


def now() -> datetime:
    return datetime.now(UTC)


def deliveries(tryton: Tryton, stream: str, since: datetime | None) -> list[Delivery]:
    page = tryton.poll(stream, since, None)
    found = list(page.deliveries)
    while page.token:
        page = tryton.poll(stream, since, page.token)
        found += page.deliveries
    return found


def told(tryton: Tryton, stream: str, since: datetime | None = None) -> list[Any]:
    return [report for delivery in deliveries(tryton, stream, since) for report in tryton.parse(delivery)]


def product(tryton: Tryton, code: str, since: datetime | None = None) -> ProductReport:
    (found,) = [item for item in told(tryton, "products", since) if item.sku == code]
    assert isinstance(found, ProductReport)
    return found


def levels(tryton: Tryton, since: datetime, code: str) -> dict[str, tuple[int, int]]:
    """On hand and available by place, as the poll tells of what moved."""
    found: dict[str, Level] = {}
    for level in levels_of(told(tryton, "stock", since)):
        if level.sku == code:
            found[level.location_id] = level
    return {place: (int(level.on_hand or 0), int(level.available or 0)) for place, level in found.items()}


def test_an_article_with_all_that_tryton_says_of_it(tryton: Tryton, office: Office, code: str) -> None:
    attributes = [
        {"name": f"colour_{next(_codes)}", "string": "Farbe", "type_": "selection", "selection": "r: Rot\nb: Blau"},
        {"name": f"length_{next(_codes)}", "string": "Länge", "type_": "integer"},
    ]
    office.rest.create("product.attribute.set", {"name": code, "attributes": [["create", attributes]]})
    (kinds,) = office.rest.search("product.attribute.set", [["name", "=", code]], ["id"])
    office.rest.create("product.category", {"name": f"Group {code}"})
    (group,) = office.rest.search("product.category", [["name", "=", f"Group {code}"]], ["id"])
    (gram,) = office.rest.search("product.uom", [["symbol", "=", "g"]], ["id"])
    measured = {"weight": 180.5, "weight_uom": gram["id"], "attribute_set": kinds["id"]}
    variant = office.product(code, categories=[["add", [group["id"]]]], **measured)
    chosen = {attributes[0]["name"]: "b", attributes[1]["name"]: 74}
    office.rest.write("product.product", variant, {"attributes": chosen})

    found = product(tryton, code)

    assert (found.external_id, found.title, found.product_title) == (str(variant), f"Artikel {code}", f"Artikel {code}")
    assert found.options == (("Farbe", "Blau"), ("Länge", "74"))
    assert (found.kind, found.unit, found.tracked, found.active) == (ProductKind.GOODS, "u", True, True)
    assert (found.group, found.tax_class) == (f"Group {code}", "Waren 19 %")
    assert found.weight == Decimal("0.1805")
    assert (found.price, found.price_includes_tax, found.currency) == (Decimal("16.81"), False, "EUR")


def test_variants_of_one_article_belong_together_and_a_service_moves_no_stock(tryton: Tryton) -> None:
    found = {item.sku: item for item in told(tryton, "products")}

    assert len({found[f"TSHIRT-{size}"].product_id for size in "SML"}) == 1
    assert (found["GIFT-25"].kind, found["GIFT-25"].tracked) == (ProductKind.SERVICE, False)


def test_a_gtin_that_is_given_later_is_a_change(tryton: Tryton, office: Office, code: str) -> None:
    variant = office.product(code)
    started = now()

    office.rest.create("product.identifier", {"product": variant, "type": "ean", "code": "4012345678901"})

    assert product(tryton, code, started).gtin == "4012345678901"


def test_a_set_with_its_parts(tryton: Tryton, office: Office, code: str) -> None:
    office.product(code, kind="kit", parts={"MUG": 2, "TEA": 1})
    (component,) = office.rest.search("product.component", [["product.code", "=", "TEA"], _of(code)], ["id"])
    started = now()

    found = product(tryton, code)
    office.rest.write("product.component", component["id"], {"quantity": 3.0})
    changed = product(tryton, code, started)

    assert (found.kind, found.tracked) == (ProductKind.BUNDLE, False)
    assert {part.sku: part.quantity for part in found.parts} == {"MUG": 2, "TEA": 1}
    assert {part.product_id for part in found.parts} == {str(office.variant(sku)) for sku in ("MUG", "TEA")}
    assert ReportedPart(quantity=Decimal(3), product_id=str(office.variant("TEA")), sku="TEA") in changed.parts


def _of(code: str) -> list[str]:
    return ["parent_template.code", "=", code]


def test_warehouses_are_the_places_and_their_rooms_are_not(tryton: Tryton, office: Office) -> None:
    found = {item.external_id: item for item in told(tryton, "locations")}

    assert found[str(office.place("WH"))] == LocationReport(
        external_id=str(office.place("WH")), name="Hauptlager (WH)", active=True
    )
    assert str(office.place("WH2")) in found
    assert not {str(office.place(room)) for room in ("STO", "IN", "OUT", "STO2")} & set(found)


def test_a_place_that_is_renamed(tryton: Tryton, office: Office) -> None:
    started = now()

    office.rest.write("stock.location", office.place("WH2"), {"name": "Laden"})

    assert [item.name for item in told(tryton, "locations", started)] == ["Laden (WH2)"]


def test_goods_come_in_are_ordered_packed_and_leave(tryton: Tryton, office: Office, code: str) -> None:
    office.product(code)
    main, store = str(office.place("WH")), str(office.place("WH2"))
    started = now()

    office.count("STO", **{code: 20})
    office.count("STO2", **{code: 4})
    came = levels(tryton, started, code)
    command = order(line(code, 3, "59.97"))
    tryton.send(command)
    ordered = levels(tryton, started, code)
    office.ship(command.reference, only={code: 2})
    partly = levels(tryton, started, code)
    office.ship(command.reference)
    gone = levels(tryton, started, code)

    assert came == {main: (20, 20), store: (4, 4)}
    assert ordered == {main: (20, 17), store: (4, 4)}
    assert partly == {main: (18, 17), store: (4, 4)}
    assert gone == {main: (17, 17), store: (4, 4)}


def test_what_should_have_left_yesterday_may_not_be_sold_again(tryton: Tryton, office: Office, code: str) -> None:
    """Tryton's own forecast of today forgets it."""
    office.product(code)
    started = now()
    office.count("STO", **{code: 5})
    command = order(line(code, 5, "99.95"))
    tryton.send(command)

    yesterday = now() - timedelta(days=3)
    late = {"__class__": "date", "year": yesterday.year, "month": yesterday.month, "day": yesterday.day}
    for move in office.rest.search("stock.move", [["product.code", "=", code], ["state", "=", "draft"]], ["id"]):
        office.rest.write("stock.move", move["id"], {"planned_date": late})

    assert levels(tryton, started, code) == {str(office.place("WH")): (5, 0)}


def test_a_cancelled_shipment_frees_what_it_held(tryton: Tryton, office: Office, code: str) -> None:
    office.product(code)
    started = now()
    office.count("STO", **{code: 5})
    command = order(line(code, 2, "39.98"))
    tryton.send(command)
    held = levels(tryton, started, code)

    office.cancel_shipments(command.reference)

    main = str(office.place("WH"))
    assert (held, levels(tryton, started, code)) == ({main: (5, 3)}, {main: (5, 5)})


def test_selling_a_set_moves_its_parts(tryton: Tryton, office: Office, code: str) -> None:
    part, kit = f"{code}-P", f"{code}-K"
    office.product(part)
    office.product(kit, kind="kit", parts={part: 2})
    started = now()
    office.count("STO", **{part: 10})
    command = order(line(kit, 3, "59.97"))
    tryton.send(command)
    main = str(office.place("WH"))
    ordered = levels(tryton, started, part)

    office.ship(command.reference)

    assert ordered == {main: (10, 4)}
    assert levels(tryton, started, part) == {main: (4, 4)}
    assert levels(tryton, started, kit) == {}


def test_the_same_again_is_a_repeat_and_something_new_is_not(tryton: Tryton, office: Office, code: str) -> None:
    office.product(code)
    started = now()
    office.count("STO", **{code: 5})
    (first,) = deliveries(tryton, "stock", started)
    (again,) = deliveries(tryton, "stock", started)

    office.count("STO", **{code: 4})
    office.count("STO", **{code: 5})
    (later,) = deliveries(tryton, "stock", started)

    assert first.body == again.body
    assert first.body != later.body
    (report,) = tryton.parse(first)
    assert isinstance(report, StockReport)
    assert abs(report.stated_at - now()) < timedelta(minutes=1)


def test_pages_of_moves_follow_each_other(tryton: Tryton, office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    codes = [f"G{os.getpid()}-{next(_codes)}" for _ in range(5)]
    for code in codes:
        office.product(code)
    started = now()
    for number, code in enumerate(codes):
        office.count("STO", **{code: number + 1})
    whole = deliveries(tryton, "stock", started)

    monkeypatch.setattr(_tryton_goods, "VARIANTS", 2)
    monkeypatch.setattr(_tryton_goods, "BATCH", 1)
    monkeypatch.setattr(_tryton_goods, "IDS", 1)

    assert len(whole) == 1
    assert len(deliveries(tryton, "stock", started)) == 3
    for number, code in enumerate(codes):
        assert levels(tryton, started, code) == {str(office.place("WH")): (number + 1, number + 1)}


def test_all_levels_page_by_page(tryton: Tryton, office: Office, code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    office.product(code)
    office.count("STO2", **{code: 7})
    whole = [report for delivery in all_pages(tryton) for report in tryton.parse(delivery)]
    monkeypatch.setattr(_tryton_goods, "IDS", 3)
    paged = [report for delivery in all_pages(tryton) for report in tryton.parse(delivery)]

    found = {(level.sku, level.location_id): level.on_hand for level in levels_of(whole)}
    assert found[code, str(office.place("WH2"))] == 7
    assert found[code, str(office.place("WH"))] == 0
    assert not {"GIFT-25", "SHIP-DHL"} & {sku for sku, _place in found}
    assert sorted(levels_of(paged), key=str) == sorted(levels_of(whole), key=str)
