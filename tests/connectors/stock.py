"""What connectors must keep that show our stock and say what they hold."""

from __future__ import annotations

import dataclasses
from decimal import Decimal

from integration_hub.connectors.base import Capability, Connector
from integration_hub.kernel.goods import Level, LevelSet, LevelToSet, ProductReport, SetStock
from integration_hub.kernel.messages import Report

from .levels import LevelsListedContract, all_pages, levels_of
from .world import World, outside

CODES = frozenset({"", "changed_meanwhile", "unknown_there", "not_tracked", "refused"})


def shelf(it: Connector) -> dict[tuple[str, str], Level]:
    """All levels that the list holds, by article and location."""
    return by_place([report for delivery in all_pages(it) for report in it.parse(delivery)])


def by_place(reports: list[Report]) -> dict[tuple[str, str], Level]:
    return {(level.product_id, level.location_id): level for level in levels_of(reports)}


class StockContract(LevelsListedContract):
    """Levels are set once, what stood there is told, and a problem of one article stays its own."""

    def set_stock(self) -> SetStock:
        """The command of ``commands`` that sets levels; each of its levels differs from what ``world`` holds."""
        return next(command for command in self.commands() if isinstance(command, SetStock))

    def held(self, world: World) -> dict[tuple[str, str], Level]:
        with outside(world):
            return shelf(self.connector())

    def send(self, world: World, command: SetStock) -> tuple[LevelSet, ...]:
        with outside(world):
            levels = self.connector().send(command).levels
        assert [(one.product_id, one.location_id) for one in levels] == [
            (one.product_id, one.location_id) for one in command.levels
        ]
        assert all(one.problem_code in CODES and bool(one.problem) == bool(one.problem_code) for one in levels)
        return levels

    def test_can_both(self) -> None:
        assert self.can(Capability.SET_STOCK)
        assert self.can(Capability.LIST_LEVELS)

    def test_what_was_set_is_listed_and_what_stood_there_is_told(self) -> None:
        world, command = self.world(), self.set_stock()
        before = self.held(world)
        told = self.send(world, command)
        after = self.held(world)
        for wish, one in zip(command.levels, told, strict=True):
            place = (wish.product_id, wish.location_id)
            assert one == LevelSet(product_id=place[0], location_id=place[1], found=before[place].available)
            assert after[place].available == wish.quantity
        ours = {(wish.product_id, wish.location_id) for wish in command.levels}
        assert {place: level for place, level in after.items() if place not in ours} == {
            place: level for place, level in before.items() if place not in ours
        }

    def test_what_is_right_already_is_not_written(self) -> None:
        world, command = self.world(), self.set_stock()
        self.send(world, command)
        with outside(world) as wire:
            again = self.connector().send(dataclasses.replace(command, key="another"))
        assert wire.writes == 0
        assert again.was_there
        assert [one.found for one in again.levels] == [wish.quantity for wish in command.levels]

    def test_one_unknown_article_spoils_no_other(self) -> None:
        world, command = self.world(), self.set_stock()
        lost = LevelToSet(
            product_id="999999", stock_id="999999", quantity=Decimal(4), location_id=command.levels[0].location_id
        )
        told = self.send(world, dataclasses.replace(command, levels=(lost, *command.levels)))
        assert [one.problem_code for one in told] == ["unknown_there", *[""] * len(command.levels)]
        assert told[0].found is None

    def test_nonsense_for_an_id_is_a_problem_and_no_crash(self) -> None:
        world, command = self.world(), self.set_stock()
        for odd in ("", "0", "-1", "x/../y", "１２", "1" * 60, "a b"):
            wish = LevelToSet(
                product_id=odd, stock_id=odd, quantity=Decimal(1), location_id=command.levels[0].location_id
            )
            assert self.send(world, dataclasses.replace(command, levels=(wish,)))[0].problem_code == "unknown_there", (
                odd
            )

    def test_stock_that_is_not_kept_there_is_not_switched_on(self) -> None:
        world = self.world()
        wish = self.untracked()
        made = world.made()
        (told,) = self.send(world, SetStock(key="K", levels=(wish,)))
        assert told.problem_code == "not_tracked"
        assert world.made() == made

    def untracked(self) -> LevelToSet:
        """A level of an article of ``world`` whose stock the system does not keep."""
        raise NotImplementedError

    def test_products_name_what_order_lines_name(self) -> None:
        with outside(self.world()):
            it = self.connector()
            found = [report for one in it.poll("products", None, None).deliveries for report in it.parse(one)]
        products = [report for report in found if isinstance(report, ProductReport)]
        assert {wish.product_id for wish in self.set_stock().levels} <= {one.external_id for one in products}
        by_id = {one.external_id: one for one in products}
        for wish in self.set_stock().levels:
            assert by_id[wish.product_id].stock_id == wish.stock_id
            assert by_id[wish.product_id].tracked
