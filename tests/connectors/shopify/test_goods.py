"""What Shopify says about products and stock, and what becomes of a push of levels."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from integration_hub.connectors.base import Delivery, Incoming
from integration_hub.connectors.http import Http
from integration_hub.connectors.shopify import Shopify
from integration_hub.kernel.errors import Rejected, RetryLater
from integration_hub.kernel.goods import (
    Level,
    LevelSet,
    LevelToSet,
    LocationReport,
    ProductGone,
    ProductKind,
    ProductReport,
    ReportedPart,
    SetStock,
    StockReport,
)
from integration_hub.kernel.messages import Ignored, Report
from tests.connectors.world import everything, outside

from .goods import SEEN, level, polled, rest, shelf, variant
from .mine import settings, sign
from .shop import Shop

FOUR = datetime(2026, 11, 21, 16, tzinfo=UTC)
FIVE = datetime(2026, 11, 21, 17, tzinfo=UTC)


def connect(**changes: Any) -> Shopify:
    return Shopify(Shopify.Config(**settings(**changes)), Http())


def parse(body: Any, topic: str, **context: str) -> list[Report]:
    return list(connect().parse(Delivery(topic, "1", json.dumps(body).encode(), context)))


def article(*variants: dict[str, Any], **changes: Any) -> ProductReport:
    report = parse(polled(*variants, **changes), "product.polled")[0]
    assert isinstance(report, ProductReport)
    return report


def test_a_polled_product_says_all_that_the_shop_knows() -> None:
    assert parse(polled(), "product.polled") == [
        ProductReport(
            external_id="501",
            sku="MUG-B",
            title="Tasse - blau",
            gtin="4006381333931",
            updated_at=FOUR,
            product_id="50",
            stock_id="1501",
            product_title="Tasse",
            options=(("Farbe", "blau"),),
            kind=ProductKind.GOODS,
            group="Geschirr",
            weight=Decimal("0.35"),
            price=Decimal("11.90"),
            price_includes_tax=True,
            currency="EUR",
            tracked=True,
        ),
        ProductGone(product_id="50", kept=("501",), stated_at=FOUR),
    ]


def test_a_webhook_says_the_same_as_far_as_it_goes() -> None:
    told, left = parse(rest(), "products/update")
    whole = article()
    assert isinstance(told, ProductReport)
    silent = ("kind", "weight", "price_includes_tax", "currency", "tracked")
    stated = {name: getattr(told, name) for name in vars(told) if name not in silent}
    assert stated == {name: getattr(whole, name) for name in stated}
    assert [getattr(told, name) for name in silent] == [None, None, None, "", None]
    assert left == ProductGone(product_id="50", kept=("501",), stated_at=FOUR)


def test_a_large_product_is_not_taken_for_complete() -> None:
    many = [{**rest()["variants"][0], "id": 501 + number} for number in range(100)]
    assert not [one for one in parse(rest(variants=many), "products/update") if isinstance(one, ProductGone)]
    ids = [{"admin_graphql_api_id": f"gid://shopify/ProductVariant/{501 + number}"} for number in range(120)]
    left = parse(rest(variants=many, variant_gids=ids), "products/update")[-1]
    assert isinstance(left, ProductGone)
    assert len(left.kept) == 120


@pytest.mark.parametrize(
    ("report", "kind"),
    [
        (lambda: article(isGiftCard=True), ProductKind.VOUCHER_MULTI),
        (lambda: article(variant(requiresComponents=True)), ProductKind.BUNDLE),
        (
            lambda: article(variant(inventoryItem={"id": "gid://x/1", "tracked": False, "requiresShipping": False})),
            "SERVICE",
        ),
        (
            lambda: article(variant(inventoryItem={"id": "gid://x/1", "tracked": True, "requiresShipping": False})),
            "GOODS",
        ),
    ],
)
def test_kinds(report: Any, kind: str) -> None:
    assert report().kind == kind


def test_a_hidden_product_is_not_active_and_an_untaxed_one_says_so() -> None:
    assert not article(status="ARCHIVED").active
    assert article(variant(taxable=False)).tax_class == "none"


def test_a_product_without_options_has_its_own_name() -> None:
    report = article(variant(selectedOptions=[{"name": "Title", "value": "Default Title"}]))
    assert (report.title, report.options) == ("Tasse", ())


def test_levels_and_places() -> None:
    found = Level(stock_id="1501", location_id="1", available=Decimal(6))
    assert parse(level(), "inventory_levels/update") == [StockReport(levels=(found,), stated_at=FOUR)]
    here = LocationReport(external_id="1", name="Hauptlager")
    held = Level(
        product_id="501", stock_id="1501", sku="MUG-B", location_id="1", on_hand=Decimal(15), available=Decimal(12)
    )
    assert parse(shelf(), "stock.polled", **SEEN) == [here, StockReport(levels=(held,), stated_at=FIVE)]
    assert parse({"id": 1}, "locations/delete") == [LocationReport(external_id="1", name="", active=False)]
    assert parse({"id": 50}, "products/delete") == [ProductGone(product_id="50")]


@pytest.mark.parametrize(
    "changes", [{"available": "many"}, {"available": 1.00001}, {"updated_at": None}, {"location_id": 0}]
)
def test_nonsense_levels_are_rejected(changes: dict[str, Any]) -> None:
    with pytest.raises(Rejected):
        parse(level(**changes), "inventory_levels/update")


def test_what_says_nothing_is_ignored_with_a_reason() -> None:
    assert isinstance(parse(level(available=None), "inventory_levels/update")[0], Ignored)
    assert isinstance(parse({"id": 1501, "sku": "X"}, "inventory_items/update")[0], Ignored)


@pytest.mark.parametrize("topic", ["inventory_levels/update", "INVENTORY_LEVELS_UPDATE"])
def test_a_level_is_about_an_item_at_a_location(topic: str) -> None:
    body = json.dumps(level()).encode()
    (told,) = connect().receive(Incoming({"x-shopify-topic": topic, "x-shopify-hmac-sha256": sign(body)}, body))
    assert (told.topic, told.object_id) == ("inventory_levels/update", "1501:1")


def poll(shop: Shop, stream: str, since: datetime | None) -> list[Report]:
    found: list[Report] = []
    token = None
    with outside(shop):
        for _ in range(20):
            page = connect().poll(stream, since, token)
            found += [report for one in page.deliveries for report in connect().parse(one)]
            token = page.token
            if token is None:
                return found
    raise AssertionError("the poll does not end")


def test_the_beginning_and_the_changes_state_the_same_variants() -> None:
    shop = Shop()
    shop.goods.variants[502]["requiresComponents"] = True
    first = [one for one in poll(shop, "products", None) if isinstance(one, ProductReport)]
    later = poll(shop, "products", FOUR)
    assert {one.external_id for one in first} == {"501", "502", "503"}
    assert {one.external_id for one in later if isinstance(one, ProductReport)} == {"501", "502", "503"}
    assert [one.kept for one in later if isinstance(one, ProductGone)] == [("501", "502"), ("503",)]
    bundles = [one for one in (*first, *later) if isinstance(one, ProductReport) and one.parts]
    assert {one.external_id for one in bundles} == {"502"}
    assert bundles[0].parts == (ReportedPart(product_id="502", sku="MUG-R", quantity=Decimal(2)),)
    assert ("Products", "updated_at:>='2026-11-21T16:00:00Z'") in [
        (name, asked.get("query")) for name, asked in shop.asked
    ]


def test_stock_is_polled_location_by_location() -> None:
    shop = Shop()
    told = poll(shop, "stock", FOUR)
    assert {one.external_id for one in told if isinstance(one, LocationReport)} == {"1", "2"}
    levels = [
        (one.product_id, one.location_id) for report in told if isinstance(report, StockReport) for one in report.levels
    ]
    assert levels == [("501", "1"), ("502", "1"), ("501", "2")], "what is not tracked has no level"
    assert all(asked["query"] for name, asked in shop.asked)


def test_an_app_without_the_right_to_products_goes_on_with_orders() -> None:
    denied = {"errors": [{"message": "Access denied for products", "extensions": {"code": "ACCESS_DENIED"}}]}
    with everything((200, {}, json.dumps(denied))), pytest.raises(RetryLater) as caught:
        connect().poll("products", FOUR, None)
    assert "lacks a right" in str(caught.value)


def to(variant: int, location: int | str, quantity: Any, **more: Any) -> LevelToSet:
    return LevelToSet(
        product_id=str(variant),
        stock_id=more.pop("stock_id", str(variant + 1000)),
        location_id=str(location),
        quantity=Decimal(quantity),
        **more,
    )


def push(shop: Shop, *levels: LevelToSet) -> list[LevelSet]:
    with outside(shop):
        return list(connect().send(SetStock(key="K", levels=levels)).levels)


def test_a_level_that_is_not_as_expected_is_left_alone() -> None:
    shop = Shop()
    first, second = push(shop, to(501, 1, 9, expected=Decimal(13)), to(502, 1, 4, expected=Decimal(8)))
    assert (first.problem_code, first.found, second.problem_code) == ("changed_meanwhile", Decimal(12), "")
    assert shop.goods.set == [((1502, 1), 4)]


def test_a_sale_between_looking_and_setting_is_not_overwritten() -> None:
    shop = Shop()
    shop.goods.races = [((1501, 1), 11)]
    first, second = push(shop, to(501, 1, 9), to(502, 1, 4))
    assert (first.problem_code, second.problem_code, second.found) == ("changed_meanwhile", "", Decimal(8))
    assert shop.goods.levels[1501, 1] == 11
    assert shop.goods.set == [((1502, 1), 4)]
    assert len(shop.goods.keys) == 2, "another wish has another key"


def test_many_levels_go_in_batches_of_250() -> None:
    shop = Shop()
    for number in range(1000, 1400):
        shop.goods.variants[number] = variant(number)
        shop.goods.levels[number + 1000, 1] = 1
    told = push(shop, *(to(number, 1, 5) for number in range(1000, 1400)))
    assert shop.goods.batches == [250, 150]
    assert not [one for one in told if one.problem]


def test_each_refusal_is_the_problem_of_its_row() -> None:
    shop = Shop()
    places = (to(501, 1, "2.5"), to(502, 2, 4), to(502, 1, 4))
    told = push(shop, *places)
    assert [one.problem_code for one in told] == ["refused", "unknown_there", ""]
    assert "whole pieces" in str(told[0].problem)
    assert "not stock" in str(told[1].problem)


def test_a_refused_row_does_not_hold_up_the_others() -> None:
    shop = Shop()
    shop.goods.errors = [
        {
            "field": ["input", "quantities", "0", "quantity"],
            "message": "No. shpat_1234567890",
            "code": "NON_MUTABLE_INVENTORY_ITEM",
        }
    ]
    with outside(shop):
        it = connect()
        ask = it.api.attempt

        def once(*given: Any) -> Any:
            answer = ask(*given)
            shop.goods.errors = []
            return answer

        it.api.attempt = once  # type: ignore[method-assign, assignment]
        first, second = it.send(SetStock(key="K", levels=(to(501, 1, 3), to(502, 1, 4)))).levels
    assert (first.problem_code, second.problem_code) == ("refused", "")
    assert "shpat" not in str(first.problem)


@pytest.mark.parametrize(
    ("code", "error"), [("IDEMPOTENCY_CONCURRENT_REQUEST", RetryLater), ("INVALID_REASON", Rejected)]
)
def test_what_is_about_no_row_is_about_the_push(code: str, error: type[Exception]) -> None:
    shop = Shop()
    shop.goods.errors = [{"field": ["input"], "message": "No.", "code": code}]
    with pytest.raises(error):
        push(shop, to(501, 1, 3))


def test_without_a_location_the_only_one_is_meant() -> None:
    shop = Shop()
    assert push(shop, to(501, "", 3))[0].problem_code == "refused"
    del shop.goods.places[2]
    assert push(shop, to(501, "", 3)) == [LevelSet(product_id="501", found=Decimal(12))]


def test_the_inventory_item_is_asked_for_where_it_is_not_known() -> None:
    shop = Shop()
    told = push(shop, to(501, 1, 3, stock_id=""), to(777, 1, 3, stock_id=""))
    assert [one.problem_code for one in told] == ["", "unknown_there"]
