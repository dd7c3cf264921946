"""What connectors must keep that list all they hold, for the full comparison of stock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from integration_hub.connectors.base import Connector, Delivery
from integration_hub.kernel.goods import Level, LocationReport, StockReport
from integration_hub.kernel.messages import Report

from .contract import Contract
from .soundness import assert_sound
from .world import outside


def all_pages(it: Connector) -> list[Delivery]:
    """Every delivery of a list, page after page."""
    found: list[Delivery] = []
    token: str | None = None
    while True:
        page = it.list_levels(token)
        found += page.deliveries
        token = page.token
        if token is None:
            return found


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
