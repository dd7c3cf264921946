"""What a channel may sell, and telling it: the formula, changed articles only, drift kept before it is overwritten."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext

from exceptions.models import ExceptionCase
from integration_hub.models import Connection, OutboundCommand
from inventory.models import ChannelAvailability, Comparison, Drift, Location, Movement, Variant
from inventory.services import availability, comparison, places, push, watch
from inventory.services.ledger import Step, book
from tests import spine, standin

from . import stocked
from .stocked import qty

pytestmark = pytest.mark.django_db


@pytest.fixture
def pot(db: None) -> Variant:
    return stocked.article("TK-100")


@pytest.fixture
def main(shop: Connection, erp: Connection, pot: Variant) -> Location:
    """Ten teapots at the ERP's warehouse; the shop lists them and is told."""
    made = stocked.place(source=erp)
    stocked.sells(shop, made)
    stocked.listed(shop, pot)
    stocked.switch(shop, push.STOCK_TO_SHOP, erp)
    return made


def goes_to(shop: Connection, quantity: object, *, place: str = "") -> None:
    assert stocked.shown(shop)[f"TK-100@{place}" if place else "TK-100"] == qty(quantity)


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ({}, 7),
        ({"formula": "ON_HAND"}, 10),
        ({"buffer": 2}, 5),
        ({"buffer": 20}, 0),
        ({"minimum": 8}, 0),
        ({"maximum": 4}, 4),
        ({"formula": "ON_HAND", "buffer": 1, "minimum": 3, "maximum": 9}, 9),
    ],
)
def test_the_formula(shop: Connection, erp: Connection, pot: Variant, rule: dict[str, Any], expected: int) -> None:
    main, side = stocked.place(source=erp), stocked.place("side")
    stocked.sells(shop, main, side, **rule)
    stocked.listed(shop, pot)
    stocked.put(pot, main, 6)
    stocked.put(pot, side, 4)
    stocked.article("OTHER")
    book([Step(variant_id=pot.pk, location_id=main.pk, kind=Movement.RESERVED, reserved=qty(3))])
    stocked.run()
    goes_to(shop, expected)
    (figures,) = availability.preview(pot, shop)
    assert figures.result == expected
    assert [len(part.sources) for part in figures.parts] == [2]


def test_a_bundle_is_as_available_as_its_scarcest_part(
    shop: Connection, erp: Connection, pot: Variant, main: Location
) -> None:
    cup = stocked.article("CUP")
    inner = stocked.bundle("SET", (pot, 1), (cup, 4))
    outer = stocked.bundle("SET-2", (inner, 2), (cup, 1))
    for one in (inner, outer):
        stocked.listed(shop, one)
    stocked.put(pot, main, 10)
    stocked.put(cup, main, 19)
    stocked.run()
    assert stocked.shown(shop) == {"TK-100": 10, "SET": 4, "SET-2": 2}
    assert availability.preview(outer, shop)[0].result == 2
    stocked.put(cup, main, 3)
    stocked.run()
    assert stocked.shown(shop) == {"TK-100": 10, "SET": 0, "SET-2": 0}


def test_what_nobody_stated_is_not_told(shop: Connection, main: Location, pot: Variant, world: standin.World) -> None:
    stocked.listed(shop, stocked.article("VOUCHER", kind="VOUCHER_MULTI"))
    stocked.run()
    assert (stocked.shown(shop), world.shelf.pushes) == ({}, [])
    assert availability.preview(pot, shop)[0].result is None


def test_several_places_of_a_shop_each_show_their_own(shop: Connection, main: Location, pot: Variant) -> None:
    side = stocked.place("side")
    places.set_supply(shop, [(main, "gid1"), (side, "gid2")], by=None)  # type: ignore[arg-type]
    stocked.put(pot, main, 6)
    stocked.put(pot, side, 4)
    stocked.run()
    assert stocked.shown(shop) == {"TK-100@gid1": 6, "TK-100@gid2": 4}


def test_only_what_changed_is_told_and_the_newest_wins(
    shop: Connection, erp: Connection, main: Location, pot: Variant, world: standin.World
) -> None:
    cup = stocked.article("CUP")
    stocked.listed(shop, cup)
    stocked.put(pot, main, 10)
    stocked.put(cup, main, 5)
    stocked.run()
    assert world.shelf.shown == {("TK-100", ""): 10, ("CUP", ""): 5}
    stocked.put(pot, main, 9)
    watch.work()
    stocked.put(pot, main, 8)
    stocked.run()
    assert [len(one.levels) for one in world.shelf.pushes] == [2, 1]
    assert world.shelf.shown["TK-100", ""] == 8
    row = ChannelAvailability.objects.get(listing__variant=pot)
    assert (row.told, row.dirty_since, row.push) == (8, None, None)


def test_a_change_that_is_taken_back_is_not_told(
    shop: Connection, main: Location, pot: Variant, world: standin.World
) -> None:
    stocked.put(pot, main, 10)
    stocked.run()
    OutboundCommand.objects.update(state="DONE")
    stocked.put(pot, main, 9)
    stocked.put(pot, main, 10)
    stocked.run()
    assert len(world.shelf.pushes) == 1


def test_pushes_are_as_large_as_the_shop_takes(
    shop: Connection, main: Location, world: standin.World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(standin.StandinShop, "stock_batch", 4, raising=False)
    for number in range(9):
        one = stocked.article(f"A-{number}")
        stocked.listed(shop, one)
        stocked.put(one, main, 3)
    stocked.run()
    assert [len(one.levels) for one in world.shelf.pushes] == [4, 4, 1]
    assert len({one.key for one in world.shelf.pushes}) == 3


class TestDrift:
    """The shop shows something else than it was told."""

    @pytest.fixture(autouse=True)
    def told_ten(self, main: Location, pot: Variant) -> None:
        stocked.put(pot, main, 10)
        stocked.run()

    def test_it_is_kept_before_it_is_overwritten(
        self, shop: Connection, main: Location, pot: Variant, world: standin.World
    ) -> None:
        world.shelf.compares = False
        world.shelf.shown["TK-100", ""] = qty(55)
        stocked.put(pot, main, 9)
        stocked.run()
        drift = Drift.objects.get()
        assert (drift.told, drift.found, drift.cause, drift.seen) == (10, 55, "EDITED", "PUSH")
        assert world.shelf.shown["TK-100", ""] == 9
        assert spine.open_cases() == [("stock_drift", 1)]
        stocked.put(pot, main, 8)
        stocked.run()
        assert (spine.open_cases(), Drift.objects.count()) == ([], 1)

    def test_a_shop_that_compares_is_told_again(
        self, shop: Connection, main: Location, pot: Variant, world: standin.World
    ) -> None:
        world.shelf.shown["TK-100", ""] = qty(7)
        stocked.put(pot, main, 9)
        stocked.run()
        assert [Drift.objects.get().found, world.shelf.shown["TK-100", ""]] == [7, 7]
        ChannelAvailability.objects.update(not_before=None)
        push.start()
        stocked.run()
        assert world.shelf.shown["TK-100", ""] == 9
        assert world.shelf.pushes[-1].levels[0].expected == 7

    def test_what_the_shop_states_is_compared(self, shop: Connection, pot: Variant, world: standin.World) -> None:
        stocked.state(shop, ("TK-100", "", 10))
        assert Drift.objects.count() == 0
        stocked.state(shop, ("TK-100", "", 4), at=stocked.moment(-60))
        assert Drift.objects.count() == 0, "older than what it was told"
        stocked.state(shop, ("TK-100", "", 4))
        assert Drift.objects.get().seen == "REPORT"
        assert ChannelAvailability.objects.get().told == 4

    def test_an_answer_that_was_lost_is_no_drift(
        self, shop: Connection, main: Location, pot: Variant, world: standin.World
    ) -> None:
        world.shelf.shown["TK-100", ""] = qty(9)  # our own word arrived, its answer did not
        stocked.put(pot, main, 9)
        stocked.run()
        assert Drift.objects.count() == 0
        assert ChannelAvailability.objects.get().told == 9

    def test_what_is_not_taken_is_a_case_and_tried_again(
        self, shop: Connection, main: Location, pot: Variant, world: standin.World
    ) -> None:
        world.shelf.refused["TK-100"] = "unknown_there"
        stocked.put(pot, main, 9)
        stocked.run()
        case = ExceptionCase.objects.get(kind="stock_not_taken")
        assert (case.params["count"], len(world.shelf.pushes)) == (1, 2)
        world.shelf.refused.clear()
        push.again(case)
        stocked.run()
        assert spine.open_cases() == []
        assert world.shelf.shown["TK-100", ""] == 9


def test_the_full_comparison_goes_page_by_page(
    shop: Connection, erp: Connection, main: Location, world: standin.World
) -> None:
    for number in range(5):
        one = stocked.article(f"A-{number}")
        stocked.listed(shop, one)
        stocked.put(one, main, 3)
    stocked.run()
    world.shelf.shown["A-2", ""] = qty(30)
    world.shelf.held = {("A-1", "haupt"): qty(7)}
    assert comparison.nightly() == {"systems": 2}
    while comparison.work():
        pass
    of_shop = Comparison.objects.get(connection=shop)
    assert (of_shop.last["pages"], of_shop.last["seen"], of_shop.last["drifted"]) == (3, 5, 1)
    assert Drift.objects.get().variant.sku == "A-2"
    stocked.run()
    assert world.shelf.shown["A-2", ""] == 3
    assert world.shelf.shown["A-1", ""] == 7


def test_an_article_listed_later_is_reckoned_by_the_duty(
    shop: Connection, main: Location, world: standin.World
) -> None:
    late = stocked.article("LATE")
    stocked.put(late, main, 4)
    stocked.run()
    stocked.listed(shop, late)
    watch.tidy()
    stocked.run()
    assert world.shelf.shown["LATE", ""] == 4


def test_many_moved_levels_cost_as_many_statements_as_few(shop: Connection, main: Location) -> None:
    rows = [stocked.article(f"A-{number}") for number in range(40)]
    for row in rows:
        stocked.listed(shop, row)

    def statements(first: int, last: int, quantity: int) -> int:
        for row in rows[first:last]:
            stocked.put(row, main, quantity)
        with CaptureQueriesContext(database) as seen:
            watch.work()
        return len(seen)

    statements(0, 40, 1)
    assert statements(0, 30, 2) == statements(30, 33, 2)
