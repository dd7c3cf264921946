"""What connectors must keep that list all they hold, or say which of their articles are gone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from integration_hub.connectors.base import Connector, Delivery
from integration_hub.kernel.goods import Level, LocationReport, ProductGone, ProductReport, StockReport
from integration_hub.kernel.messages import Report

from .contract import Contract
from .soundness import assert_sound
from .world import World, outside


def all_pages(it: Connector) -> list[Delivery]:
    """Every delivery of a list, page after page."""
    found: list[Delivery] = []
    token: str | None = None
    for _ in range(200):
        page = it.list_levels(token)
        found += page.deliveries
        token = page.token
        if token is None:
            return found
    raise AssertionError("the list does not end")


def levels_of(reports: list[Report]) -> list[Level]:
    return [level for report in reports if isinstance(report, StockReport) for level in report.levels]


class LevelsListedContract(Contract):
    """The list says once of everything how much of it lies where, and where that is."""

    def listed(self) -> list[Report]:
        with outside(self.world()):
            it = self.connector()
            deliveries = all_pages(it)
        reports = [report for delivery in deliveries for report in it.parse(delivery)]
        assert reports == [report for delivery in deliveries for report in it.parse(delivery)]
        return reports

    def test_it_holds_levels_and_places_only(self) -> None:
        reports = self.listed()
        assert levels_of(reports)
        for report in reports:
            assert isinstance(report, LocationReport | StockReport)
            assert_sound(report)

    def test_each_level_stands_once_and_at_a_place_that_was_named(self) -> None:
        reports = self.listed()
        places = {report.external_id for report in reports if isinstance(report, LocationReport)}
        levels = levels_of(reports)
        keys = [(level.product_id or level.stock_id, level.location_id) for level in levels]
        assert len(set(keys)) == len(keys)
        assert all(product for product, _place in keys)
        assert {place for _product, place in keys} <= places | {""}
        assert all(level.on_hand is not None or level.available is not None for level in levels)

    def test_it_was_stated_just_now(self) -> None:
        stated = [report.stated_at for report in self.listed() if isinstance(report, StockReport)]
        assert all(abs(moment - datetime.now(UTC)) < timedelta(minutes=2) for moment in stated)


class ProductsSweptContract(Contract):
    """What it reports it holds; what nobody ever had is gone."""

    def known(self, world: World) -> list[str]:
        """The ids of some articles of ``world``."""
        with outside(world):
            it = self.connector()
            page = it.poll("products", None, None)
        reports = [report for delivery in page.deliveries for report in it.parse(delivery)]
        return [report.external_id for report in reports if isinstance(report, ProductReport)][:50]

    def test_what_is_there_is_not_gone_and_what_is_not_is(self) -> None:
        world = self.world()
        known = self.known(world)
        assert known
        with outside(world):
            assert list(self.connector().gone_products([*known[:1], "999999", *known[1:], "x/../y"])) == [
                "999999",
                "x/../y",
            ]
            assert not self.connector().gone_products([])

    def test_the_delivery_says_so(self) -> None:
        it = self.connector()
        (report,) = it.parse(it.gone_product_delivery("999999"))
        assert isinstance(report, ProductGone)
        assert report.external_id == "999999"
