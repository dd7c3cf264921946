"""What WooCommerce says about its products, and what becomes of a push of levels."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from integration_hub.connectors.base import Delivery
from integration_hub.connectors.http import Http
from integration_hub.connectors.woocommerce import WooCommerce
from integration_hub.kernel.errors import Rejected, RetryLater
from integration_hub.kernel.goods import (
    Level,
    LevelSet,
    LevelToSet,
    ProductGone,
    ProductKind,
    ProductReport,
    ReportedPart,
    SetStock,
    StockReport,
)
from integration_hub.kernel.messages import Ignored, Report
from tests.connectors.stock import shelf
from tests.connectors.world import Fault, outside

from .articles import bundle, product, shirt, size
from .goods import Goods
from .mine import settings
from .shop import Shop

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
FOUR = datetime(2026, 11, 21, 16, tzinfo=UTC)


def connect(**changes: Any) -> WooCommerce:
    return WooCommerce(WooCommerce.Config(**settings(**changes)), Http())


def parse(body: Any, topic: str = "product.updated", **changes: Any) -> list[Report]:
    return list(connect(**changes).parse(Delivery(topic, "1", json.dumps(body).encode())))


def article(body: Any, **changes: Any) -> ProductReport:
    report = parse(body, **changes)[0]
    assert isinstance(report, ProductReport)
    return report


def shop(*products: dict[str, Any], **changes: Any) -> Shop:
    made = Shop()
    made.goods = Goods(*products, **changes)
    return made


def test_a_product_says_all_that_the_shop_knows() -> None:
    assert parse(product()) == [
        ProductReport(
            external_id="7",
            sku="MUG-B",
            title="Tasse – blau",
            gtin="4006381333931",
            updated_at=FOUR,
            kind=ProductKind.GOODS,
            group="Geschirr & Glas",
            tax_class="standard",
            weight=Decimal("0.35"),
            price=Decimal("11.90"),
            price_includes_tax=True,
            currency="EUR",
            tracked=True,
        ),
        StockReport(levels=(Level(product_id="7", sku="MUG-B", available=Decimal(12)),), stated_at=FOUR),
    ]


def test_what_the_connection_does_not_know_of_the_shop_stays_open() -> None:
    report = article(product(), currency="", prices="", weight_unit="")
    assert (report.currency, report.price_includes_tax, report.weight, report.price) == (
        "",
        None,
        None,
        Decimal("11.90"),
    )
    assert article(product(weight="350"), weight_unit="g").weight == Decimal("0.35")


def test_a_variable_product_is_sold_as_its_variations_only() -> None:
    told = parse({**shirt(20, 21, 22), "hub_variations": [size(), size(22, "M")]}, "product.polled")
    variants = [report for report in told if isinstance(report, ProductReport)]
    assert [(one.external_id, one.product_id, one.title, one.options) for one in variants] == [
        ("21", "20", "T-Shirt - S", (("Größe", "S"),)),
        ("22", "20", "T-Shirt - M", (("Größe", "M"),)),
    ]
    first = variants[0]
    assert (first.product_title, first.group, first.weight) == ("T-Shirt", "Geschirr & Glas", Decimal("0.2"))
    assert told[-1] == ProductGone(product_id="20", kept=("21", "22"), stated_at=FOUR)
    assert parse(shirt(20, 21, 22)) == [told[-1]]


def test_a_variation_on_its_own_has_its_full_name() -> None:
    report = article(size(name="T-Shirt - S"))
    assert (report.external_id, report.product_id, report.title) == ("21", "20", "T-Shirt - S")


def test_a_hidden_product_hides_its_variations() -> None:
    told = parse({**shirt(20, 21, status="draft"), "hub_variations": [size()]}, "product.polled")
    assert isinstance(told[0], ProductReport)
    assert not told[0].active
    assert not article(size(status="private")).active


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"virtual": True, "manage_stock": False}, ProductKind.SERVICE),
        ({"virtual": True}, ProductKind.GOODS),  # tickets: nothing to ship, but they run out
        ({"type": "composite"}, ProductKind.BUNDLE),
        ({"type": "pw-gift-card", "tax_status": "none"}, ProductKind.VOUCHER_MULTI),
        ({"meta_data": [{"key": "_gift_card", "value": "yes"}], "tax_status": "none"}, ProductKind.VOUCHER_MULTI),
        ({"meta_data": [{"key": "_gift_card", "value": "yes"}]}, ProductKind.VOUCHER_SINGLE),
        ({"meta_data": [{"key": "_gift_card", "value": "no"}, "odd", {"key": ["x"]}]}, ProductKind.GOODS),
    ],
)
def test_kinds(changes: dict[str, Any], kind: ProductKind) -> None:
    assert article(product(**changes)).kind is kind


def test_a_bundle_names_its_parts_where_nobody_chooses() -> None:
    assert article(bundle()).parts == (ReportedPart(product_id="7", quantity=Decimal(2)),)
    choice = {"product_id": 7, "quantity_min": 1, "quantity_max": 3, "optional": False}
    report = article(bundle(bundled_items=[choice]))
    assert (report.kind, report.parts) == (ProductKind.BUNDLE, ())


@pytest.mark.parametrize("stated", ["16.5", 16.5, "-3", 0])
def test_odd_quantities_are_read(stated: Any) -> None:
    told = parse(product(stock_quantity=stated))[1]
    assert isinstance(told, StockReport)
    assert told.levels[0].available == Decimal(str(stated))


@pytest.mark.parametrize("stated", ["many", [1], "1e12", True])
def test_nonsense_quantities_are_rejected(stated: Any) -> None:
    with pytest.raises(Rejected):
        parse(product(stock_quantity=stated))


@pytest.mark.parametrize("stated", [None, ""])
def test_no_quantity_is_no_level(stated: Any) -> None:
    assert len(parse(product(stock_quantity=stated))) == 1


def test_what_is_not_sold_is_no_article() -> None:
    odd: tuple[dict[str, Any], ...] = ({"type": "grouped"}, {"type": "external"}, {"status": "auto-draft"})
    for changes in odd:
        assert isinstance(parse(product(**changes))[0], Ignored)


def test_the_bin_and_the_end() -> None:
    gone = [ProductGone(external_id="7", product_id="7")]
    assert parse({"id": 7}, "product.deleted") == gone
    assert parse(product(status="trash")) == gone


def poll_all(made: Shop) -> list[Delivery]:
    found: list[Delivery] = []
    token = None
    with outside(made):
        for _ in range(30):
            page = connect().poll("products", NOON, token)
            found += page.deliveries
            token = page.token
            if token is None:
                return found
    raise AssertionError("the poll does not end")


@pytest.mark.parametrize("second", [lambda number: 7, lambda number: number % 60])
def test_polling_finds_every_product_with_its_variations(second: Any) -> None:
    families = [
        (
            shirt(number, number + 1, date_modified_gmt=f"2026-11-21T17:00:{second(number):02}"),
            size(number + 1, parent=number),
        )
        for number in range(1000, 1260, 2)
    ]
    made = shop(*(one for family in families for one in family))
    found = {item.object_id: connect().parse(item) for item in poll_all(made)}
    assert found.keys() == {str(number) for number in range(1000, 1260, 2)}
    assert all(isinstance(reports[0], ProductReport) for reports in found.values())


def test_a_product_that_changes_during_the_poll_pushes_none_out() -> None:
    made = shop(*(product(number, date_modified_gmt=f"2026-11-21T17:00:{number // 5:02}") for number in range(1, 151)))
    with outside(made):
        first = connect().poll("products", NOON, None)
        made.goods.held["1"]["date_modified_gmt"] = "2026-11-21T17:00:59"
        second = connect().poll("products", NOON, first.token)
    assert len({item.object_id for item in [*first.deliveries, *second.deliveries]}) == 150


@pytest.mark.parametrize("new", [True, False])
def test_the_list_holds_every_article_once(new: bool) -> None:
    products = [product(number) for number in range(1, 131)]
    families = [
        one for number in range(1000, 1180, 2) for one in (shirt(number, number + 1), size(number + 1, parent=number))
    ]
    made = shop(*products, *families, lists_variations=new)
    with outside(made):
        levels = shelf(connect())
    assert len(levels) == 130 + 90
    asked = len(made.queries)
    assert asked <= 6 if new else asked <= 110


def push(made: Shop, *levels: LevelToSet) -> list[LevelSet]:
    with outside(made):
        return list(connect().send(SetStock(key="K", levels=levels)).levels)


def to(number: int, quantity: Any, parent: int | str = "", **more: Any) -> LevelToSet:
    return LevelToSet(product_id=str(number), quantity=Decimal(quantity), parent_id=str(parent), **more)


def test_many_levels_go_in_batches_of_a_hundred() -> None:
    made = shop(*(product(number) for number in range(1, 251)))
    with outside(made) as wire:
        told = connect().send(SetStock(key="K", levels=tuple(to(number, 3) for number in range(1, 251)))).levels
    assert wire.writes == 3
    assert {one.found for one in told} == {Decimal(12)}
    assert not [one for one in told if one.problem]


def test_an_error_inside_a_success_is_the_problem_of_that_article() -> None:
    made = shop(product(1), product(2))
    made.goods.errors["1"] = {"code": "woocommerce_rest_cannot_edit", "message": "No. cs_0987654321"}
    first, second = push(made, to(1, 3), to(2, 3))
    assert (first.problem_code, second.problem_code) == ("refused", "")
    assert "No. •••" in str(first.problem)


def test_a_shop_of_whole_pieces_says_what_it_kept_of_a_fraction() -> None:
    made = shop(product(1))
    (told,) = push(made, to(1, "2.5"))
    assert (told.problem_code, made.goods.set) == ("refused", [("1", 2)])
    made.goods.whole_pieces = False
    assert not push(made, to(1, "2.5"))[0].problem


def test_a_variation_is_found_without_its_product() -> None:
    made = shop(shirt(20, 21), size())
    assert push(made, to(21, 2)) == [LevelSet(product_id="21", found=Decimal(5))]


def sharing(*parents: str) -> Shop:
    sizes = [
        size(21 + place, name, manage_stock=kept) for place, (name, kept) in enumerate(zip("SM", parents, strict=True))
    ]
    return shop(shirt(20, 21, 22, manage_stock=True, stock_quantity=8), *sizes)


def test_shared_stock_is_set_where_all_variations_agree() -> None:
    made = sharing("parent", "parent")
    first, second = push(made, to(21, 6, 20), to(22, 6, 20))
    assert (first.problem_code, second.problem_code, first.found) == ("", "", Decimal(8))
    assert made.goods.set == [("20", 6)]


@pytest.mark.parametrize("levels", [(to(21, 6, 20),), (to(21, 6, 20), to(22, 0, 20))])
def test_shared_stock_is_left_alone_where_they_do_not(levels: tuple[LevelToSet, ...]) -> None:
    made = sharing("parent", "parent")
    assert {one.problem_code for one in push(made, *levels)} == {"refused"}
    assert not made.goods.set


def test_after_half_a_push_the_rest_is_set_and_nothing_twice() -> None:
    made = shop(*(product(number) for number in range(1, 151)))
    command = SetStock(key="K", levels=tuple(to(number, 3) for number in range(1, 151)))
    with outside(made, Fault(before_write=2)), pytest.raises(RetryLater):
        connect().send(command)
    with outside(made) as wire:
        told = connect().send(command)
    assert wire.writes == 1
    assert sorted(int(number) for number, _ in made.goods.set) == list(range(1, 151))
    assert not told.was_there


def findings(made: Shop, **changes: Any) -> dict[str, bool]:
    with outside(made):
        return {str(one.text): one.ok for one in connect(**changes).check()}


def test_the_check_says_whether_the_key_may_write_products() -> None:
    assert findings(Shop())["The key may write products and their stock."]
    denied = '{"code":"woocommerce_rest_authentication_error","message":"The API key provided does not have write permissions."}'
    made = Shop()
    answer = made.goods.answer
    made.goods.answer = lambda method, *rest: (401, {}, denied) if method == "POST" else answer(method, *rest)  # type: ignore[method-assign]
    bad = [text for text, ok in findings(made).items() if not ok]
    assert len(bad) == 1
    assert "may only read" in bad[0]


def test_the_check_compares_what_the_shop_says_of_itself() -> None:
    made = Shop()
    made.goods.settings["woocommerce_weight_unit"] = "g"
    assert [text for text, ok in findings(made).items() if not ok] == [
        "The shop's setting for weight unit is “g”, this connection says “kg”. Correct the connection."
    ]
    assert all(findings(Shop(), weight_unit="", prices="", currency="").values())


def test_a_strange_answer_to_a_push_is_no_success() -> None:
    made = shop(product(1))
    with outside(made):
        it = connect()
        it.api.write = lambda *_: {"update": "done"}  # type: ignore[method-assign]
        with pytest.raises(Rejected):
            it.send(SetStock(key="K", levels=(to(1, 3),)))
