"""The shops' products and stock on the wire, as the hub's connectors meet them."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import requests

from integration_hub.kernel.goods import LevelToSet, ProductGone, ProductKind, ProductReport, SetStock, StockReport
from integration_hub.kernel.messages import OrderReport
from integration_hub.sandbox.app import Sandbox
from integration_hub.sandbox.catalogue import ARTICLES, BUNDLE, EXTRAS, GIFT_CARD, STOCK
from tests.connectors.stock import shelf

from .across import SECRETS, SHOPS, polled
from .play import Door, control, until_idle, woo


def products(it: Any) -> dict[str, ProductReport]:
    """All articles by SKU."""
    found, token = [], None
    for _ in range(20):
        page = it.poll("products", None, token)
        found += [report for one in page.deliveries for report in it.parse(one)]
        token = page.token
        if token is None:
            break
    return {report.sku: report for report in found if isinstance(report, ProductReport)}


def levels(it: Any) -> dict[str, Decimal | None]:
    """What may still be sold, by article and location."""
    return {":".join(filter(None, place)): level.available for place, level in shelf(it).items()}


@pytest.fixture
def it(shop: str, sandbox: Sandbox) -> Any:
    return SHOPS[shop](sandbox)


def test_a_shop_reports_every_article(it: Any) -> None:
    found = products(it)
    assert set(found) == {article.sku for article in (*ARTICLES, *EXTRAS)}
    for article in ARTICLES:
        report = found[article.sku]
        assert (report.gtin, report.price, report.currency) == (article.gtin, article.price, report.currency)
        assert (report.kind, report.tracked) == (ProductKind.GOODS, True)
        assert bool(report.options) == article.variant
    assert found[BUNDLE.sku].kind is ProductKind.BUNDLE
    assert len(found[BUNDLE.sku].parts) == 2
    assert found[GIFT_CARD.sku].kind is ProductKind.VOUCHER_MULTI


def test_order_lines_name_articles_that_the_shop_reports(shop: str, it: Any, sandbox: Sandbox) -> None:
    control(sandbox, "orders", shop=shop, count=20)
    known = {report.external_id: report.sku for report in products(it).values()}
    lines = [line for order in polled(it) for line in order.lines if line.product_id]
    assert len(lines) > 20
    assert all(known[line.product_id] == line.sku for line in lines)


def test_an_order_takes_its_pieces_off_the_shelf_and_a_cancelled_one_puts_them_back(
    shop: str, it: Any, sandbox: Sandbox
) -> None:
    pot = products(it)["TK-100"].external_id
    (number,) = control(sandbox, "orders", shop=shop, sku="TK-100", pieces=3)["ids"]
    assert sum(value or 0 for place, value in levels(it).items() if place.startswith(pot)) == STOCK - 3
    control(sandbox, f"{shop}/orders/{number}", action="cancel")
    control(sandbox, f"{shop}/orders/{number}", action="edit")
    assert sum(value or 0 for place, value in levels(it).items() if place.startswith(pot)) == STOCK


def test_a_sold_bundle_takes_its_parts(shop: str, it: Any, sandbox: Sandbox) -> None:
    before = levels(it)
    control(sandbox, "orders", shop=shop, sku=BUNDLE.sku, pieces=2)
    after = levels(it)
    assert sorted((before[place] or 0) - (after[place] or 0) for place in before if before[place] != after[place]) == [
        2,
        4,
    ]


def test_pushed_levels_stand_there(it: Any) -> None:
    found = products(it)
    held = shelf(it)
    wishes = tuple(
        LevelToSet(
            product_id=product,
            location_id=location,
            parent_id=report.product_id,
            stock_id=report.stock_id,
            quantity=Decimal(7),
            expected=held[product, location].available,
        )
        for report in found.values()
        for product, location in held
        if product == report.external_id
    )
    told = it.send(SetStock(key="K1", levels=wishes))
    assert not [one for one in told.levels if one.problem]
    assert set(levels(it).values()) == {Decimal(7)}
    assert it.send(SetStock(key="K1", levels=wishes)).was_there


def test_product_webhooks_are_signed_and_say_what_the_poll_says(
    shop: str, it: Any, sandbox: Sandbox, door: Door
) -> None:
    control(sandbox, "subscribe", shop=shop, url=door.url, secret=SECRETS[shop], goods=True)
    control(sandbox, "orders", shop=shop, sku="TS-M", pieces=2)
    until_idle(sandbox)
    reports = [report for hook in door.hooks() for one in it.receive(hook) for report in it.parse(one)]
    stock = [level.available for report in reports if isinstance(report, StockReport) for level in report.levels]
    assert stock == [Decimal(STOCK - 2)]
    assert [report for report in reports if isinstance(report, OrderReport)]


def test_without_a_wish_for_them_no_product_webhooks_come(shop: str, it: Any, sandbox: Sandbox, door: Door) -> None:
    control(sandbox, "subscribe", shop=shop, url=door.url, secret=SECRETS[shop])
    control(sandbox, "orders", shop=shop, sku="TK-100")
    until_idle(sandbox)
    reports = [report for hook in door.hooks() for one in it.receive(hook) for report in it.parse(one)]
    assert {type(report) for report in reports} == {OrderReport}


def put(sandbox: Sandbox, number: str, **given: Any) -> None:
    control(sandbox, f"woo/products/{number}", **given)


@pytest.fixture
def laden(sandbox: Sandbox) -> Any:
    return woo(sandbox)


def test_woo_a_colleague_changes_stock_by_hand(laden: Any, sandbox: Sandbox, door: Door) -> None:
    control(sandbox, "subscribe", shop="woo", url=door.url, secret=SECRETS["woo"], goods=True)
    number = products(laden)["TS-S"].external_id
    put(sandbox, number, action="stock", quantity=3)
    until_idle(sandbox)
    report, stock = (report for one in laden.receive(door.hooks()[-1]) for report in laden.parse(one))
    assert isinstance(report, ProductReport)
    assert report.updated_at
    assert (report.external_id, report.options) == (number, (("Größe", "S"),))
    assert stock.levels[0].available == 3
    changed = laden.poll("products", report.updated_at - timedelta(seconds=1), None).deliveries
    assert "20" in {one.object_id for one in changed}, "a change of a variation moves its product"


def test_woo_one_refused_article_leaves_the_others(laden: Any, sandbox: Sandbox) -> None:
    found = products(laden)
    put(sandbox, found["TK-100"].external_id, action="fault", message="A plugin says no.")
    put(sandbox, found["TK-200"].external_id, action="edit", changes={"manage_stock": False})
    wishes = tuple(
        LevelToSet(product_id=found[sku].external_id, quantity=Decimal(5)) for sku in ("TK-100", "TK-200", "BE-500")
    )
    told = laden.send(SetStock(key="K", levels=wishes)).levels
    assert [one.problem_code for one in told] == ["refused", "not_tracked", ""]
    assert levels(laden)[found["BE-500"].external_id] == 5


def test_woo_deleted_products_are_told_or_found(laden: Any, sandbox: Sandbox, door: Door) -> None:
    found = products(laden)
    binned, gone, size = (found[sku].external_id for sku in ("TK-100", "BE-500", "TS-L"))
    control(sandbox, "subscribe", shop="woo", url=door.url, secret=SECRETS["woo"], goods=True)
    put(sandbox, binned, action="delete")
    put(sandbox, gone, action="delete", force=True)
    put(sandbox, size, action="delete", force=True)
    until_idle(sandbox)
    told = [report for hook in door.hooks() for one in laden.receive(hook) for report in laden.parse(one)]
    kept = next(report.kept for report in told if isinstance(report, ProductGone) and report.product_id == "20")
    assert ProductGone(external_id=binned, product_id=binned) in told
    assert size not in kept
    assert laden.gone_products([binned, gone, size, found["TEE-250"].external_id]) == [binned, gone, size]


@pytest.mark.parametrize("new", [True, False])
def test_woo_lists_its_levels_in_both_versions(laden: Any, sandbox: Sandbox, new: bool) -> None:
    sandbox.world.turn(woo_lists_variations=new)
    assert levels(laden) == {
        report.external_id: Decimal(STOCK) for report in products(laden).values() if report.tracked
    }


def test_the_page_shows_the_stock_to_set(sandbox: Sandbox) -> None:
    page = requests.get(sandbox.url, timeout=10).text
    assert 'aria-label="Stock of TK-100"' in page
    form = requests.post(
        f"{sandbox.url}/control/woo/products/101",
        data={"action": "stock", "quantity": "4"},
        timeout=10,
        allow_redirects=False,
    )
    assert form.status_code == 303
    assert requests.get(f"{sandbox.url}/control/stock", timeout=10).json()["woo"]["101"]["stock_quantity"] == 4
