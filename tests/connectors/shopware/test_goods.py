"""Products and stock of a Shopware shop in memory."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from integration_hub.connectors import _shopware_goods
from integration_hub.kernel.goods import LevelToSet, ProductReport, StockReport
from tests.connectors.world import outside

from .goods import LARGE, MUG, SHIRT, SMALL
from .mine import STOCK, connect
from .shop import Shop, refusal

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def test_articles_are_what_is_sold_with_what_they_inherit() -> None:
    with outside(Shop()):
        page = connect().poll("products", None, None)
    found = [report for delivery in page.deliveries for report in connect().parse(delivery)]
    mug, small, large = (one for one in found if isinstance(one, ProductReport))
    assert (mug.external_id, mug.sku, mug.title, mug.gtin) == (MUG, "MUG-B", "Becher blau", "4006381333931")
    assert (mug.weight, mug.tax_class, mug.product_id, mug.options) == (Decimal("0.35"), "Standard rate", "", ())
    assert (small.external_id, small.product_id, small.title) == (SMALL, SHIRT, "Hemd")
    assert (small.options, large.options) == ((("Größe", "S"),), (("Größe", "L"),))
    assert [one.levels[0].available for one in found if isinstance(one, StockReport)] == [8, 4, 0]


def test_a_change_of_the_product_is_one_of_its_variants() -> None:
    shop = Shop()
    shop.products[2]["parent"] = {"updatedAt": NOON.isoformat()}
    with outside(shop):
        page = connect().poll("products", NOON - timedelta(minutes=15), None)
    assert [delivery.object_id for delivery in page.deliveries] == [SMALL]


def test_all_levels_page_by_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_shopware_goods, "PER_PAGE", 2)
    seen: list[object] = []
    token: str | None = None
    with outside(Shop()):
        for _ in range(2):
            page = connect().list_levels(token)
            (report,) = connect().parse(page.deliveries[0])
            assert isinstance(report, StockReport)
            seen += [(level.product_id, level.available) for level in report.levels]
            token = page.token
    assert (seen, token) == ([(MUG, Decimal(8)), (SMALL, Decimal(4)), (LARGE, Decimal(0))], None)


def test_what_the_shop_holds_back_for_orders_is_not_sold_twice() -> None:
    shop = Shop()
    with outside(shop):
        connect().send(STOCK)
    assert shop.writes == [("stock", {"id": MUG, "stock": 22}), ("stock", {"id": LARGE, "stock": 3})]
    assert (shop.products[0]["availableStock"], shop.products[3]["availableStock"]) == (20, 3)


def test_half_a_piece_is_refused_and_spoils_no_other() -> None:
    shop, half = Shop(), LevelToSet(product_id=SMALL, quantity=Decimal("1.5"))
    with outside(shop):
        told = connect().send(replace(STOCK, levels=(half, *STOCK.levels))).levels
    assert [one.problem_code for one in told] == ["refused", "", ""]
    assert len(shop.writes) == 2


class Refusing(Shop):
    """A shop that takes no stock."""

    def answer(self, request):  # type: ignore[no-untyped-def]
        return refusal(400, "FRAMEWORK__WRITE", "No.") if self.is_write(request) else super().answer(request)


def test_what_the_shop_refuses_is_a_problem_of_the_articles() -> None:
    with outside(Refusing()):
        told = connect().send(STOCK).levels
    assert [(one.problem_code, one.found) for one in told] == [("refused", Decimal(8)), ("refused", Decimal(0))]
