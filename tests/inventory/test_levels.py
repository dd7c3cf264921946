"""What systems state about levels: taken over where their word counts, and nowhere else, and never silently wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from django.db import IntegrityError, transaction
from django.db import connection as database
from django.test.utils import CaptureQueriesContext

from integration_hub.backoffice.invariants import judge
from integration_hub.kernel.errors import NotNow
from integration_hub.kernel.messages import ProductKnown
from integration_hub.models import Connection, User
from inventory.invariants import INVARIANTS
from inventory.models import (
    Location,
    LocationMapping,
    Movement,
    StockDifference,
    StockLevel,
    StockMovement,
    UnplacedLevel,
)
from inventory.services import alarms, ledger, places, watch
from tests import spine

from . import stocked
from .stocked import qty

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def proven(db: None) -> Iterator[None]:
    """Whatever a test did, the invariants hold afterwards."""
    yield
    assert [(one.code, judge(one).sample) for one in INVARIANTS if not judge(one).kept] == []


@pytest.fixture
def anna(person: Callable[..., User]) -> User:
    return person("operations")


def test_the_sources_word_becomes_a_movement_by_its_difference(erp: Connection) -> None:
    pot, main = stocked.article(), stocked.place(source=erp)
    event = stocked.state(erp, ("TK-100", "haupt", 12, "TK-100"))
    stocked.state(erp, ("TK-100", "haupt", 9, "TK-100"))
    assert stocked.level(pot, main) == (9, 0)
    rows = list(StockMovement.objects.order_by("pk"))
    assert [(row.kind, row.quantity) for row in rows] == [("COUNT", 12), ("COUNT", -3)]
    assert rows[0].cause == event
    assert rows[0].text["params"] == {"system": "Erp", "count": "12"}


def test_an_erps_own_place_becomes_a_location(erp: Connection) -> None:
    pot = stocked.article()
    stocked.state(erp, ("TK-100", "8", 5, "TK-100"), places=[["8", "WH/Stock"]])
    location = Location.objects.get()
    assert (location.name, location.source) == ("WH/Stock", erp)
    assert stocked.level(pot, location) == (5, 0)


def test_an_older_statement_changes_nothing(erp: Connection) -> None:
    pot, main = stocked.article(), stocked.place(source=erp)
    stocked.state(erp, ("TK-100", "haupt", 12, "TK-100"), at=stocked.moment(-1))
    late = stocked.state(erp, ("TK-100", "haupt", 99, "TK-100"), at=stocked.moment(-9))
    assert stocked.level(pot, main) == (12, 0)
    assert (late.state, late.reason["params"]["why"]) == ("IGNORED", ["older than what the hub holds"])


def test_a_clock_that_runs_ahead_silences_nobody(erp: Connection) -> None:
    pot, main = stocked.article(), stocked.place(source=erp)
    stocked.state(erp, ("TK-100", "haupt", 12, "TK-100"), at=stocked.moment(600))
    stocked.state(erp, ("TK-100", "haupt", 11, "TK-100"), at=stocked.moment(601))
    assert stocked.level(pot, main) == (11, 0)


def test_another_side_than_the_source_makes_a_difference_not_a_level(erp: Connection, anna: User) -> None:
    pot, mine = stocked.article(), stocked.place("mine")
    LocationMapping.objects.create(connection=erp, external_id="mine", location=mine)
    ledger.receive(pot, mine, qty(7), by=anna, why="delivery note 1")
    stocked.state(erp, ("TK-100", "mine", 4, "TK-100"))
    difference = StockDifference.objects.get()
    assert (stocked.level(pot, mine), difference.ours, difference.stated) == ((7, 0), 7, 4)
    stocked.state(erp, ("TK-100", "mine", 7, "TK-100"))
    difference.refresh_from_db()
    assert difference.gone_at is not None


def test_people_book_only_where_the_hub_counts(erp: Connection, anna: User) -> None:
    pot, theirs = stocked.article(), stocked.place(source=erp)
    with pytest.raises(NotNow, match="Erp says what lies"):
        ledger.correct(pot, theirs, qty(1), by=anna, why="found one")


def test_the_database_refuses_what_another_side_moves(erp: Connection) -> None:
    pot, theirs = stocked.article(), stocked.place(source=erp)
    step = ledger.Step(variant_id=pot.pk, location_id=theirs.pk, kind=Movement.RECEIPT, quantity=qty(1))
    with pytest.raises(IntegrityError, match="source of truth"), transaction.atomic():
        ledger.book([step])


@pytest.mark.parametrize(
    ("stated", "kind"),
    [
        (("GHOST", "haupt", 3, "GHOST"), "stock_article_unknown"),
        (("TK-100", "nowhere", 3, "TK-100"), "stock_location_unknown"),
        (("TK-100", "haupt", "2.5", "TK-100"), "stock_fraction"),
    ],
)
def test_what_has_no_place_is_kept_with_a_case(erp: Connection, stated: tuple[object, ...], kind: str) -> None:
    pot, main = stocked.article(), stocked.place(source=erp)
    LocationMapping.objects.create(connection=erp, external_id="nowhere")
    stocked.state(erp, stated)
    assert UnplacedLevel.objects.count() == 1
    assert spine.open_kinds() == {kind}
    assert stocked.level(pot, main) == (0, 0)


def test_a_level_that_waited_is_taken_over_when_its_article_comes(erp: Connection) -> None:
    main = stocked.place(source=erp)
    stocked.state(erp, ("P-7", "haupt", 3, "TK-700"))
    found = stocked.article("TK-700")
    watch.products_known([ProductKnown(variant_id=found.pk)])
    assert (stocked.level(found, main), spine.open_kinds(), UnplacedLevel.objects.count()) == ((3, 0), set(), 0)


def test_two_articles_there_for_one_here_are_not_guessed(erp: Connection) -> None:
    pot, main = stocked.article(), stocked.place(source=erp)
    stocked.listed(erp, pot, "a")
    stocked.listed(erp, pot, "b")
    stocked.state(erp, ("a", "haupt", 3), ("b", "haupt", 4))
    assert (stocked.level(pot, main), spine.open_kinds()) == ((0, 0), {"stock_article_twice"})


def test_a_location_is_mapped_once_from_either_side(erp: Connection, anna: User) -> None:
    main = stocked.place(source=erp)
    second = LocationMapping.objects.create(connection=erp, external_id="second")
    with pytest.raises(NotNow, match="another place"):
        places.assign(second, main, by=anna)
    with pytest.raises(IntegrityError), transaction.atomic():
        LocationMapping.objects.create(connection=erp, external_id="second")


def test_people_receive_correct_count_and_transfer(anna: User) -> None:
    pot, here, there = stocked.article(), stocked.place("here"), stocked.place("there")
    ledger.receive(pot, here, qty(10), by=anna, why="delivery note 1")
    ledger.receive(pot, here, qty(1), by=anna, why="came back", returned=True)
    ledger.correct(pot, here, qty(-2), by=anna, why="two are broken")
    ledger.transfer(pot, here, there, qty(4), by=anna, why="for the shop window")
    assert ledger.count(pot, here, qty(5), by=anna, why="yearly count") is None
    ledger.count(pot, here, qty(6), by=anna, why="one was behind the shelf")
    assert (stocked.level(pot, here), stocked.level(pot, there)) == ((6, 0), (4, 0))
    kinds = StockMovement.objects.order_by("pk").values_list("kind", "quantity", "by__username")
    assert kinds[0] == ("RECEIPT", 10, "operations")
    assert [kind for kind, _quantity, _by in kinds] == [
        "RECEIPT", "RETURN", "CORRECTION", "TRANSFER", "TRANSFER", "COUNT",
    ]  # fmt: skip


def test_nobody_books_halves_of_pieces_nor_into_bundles(anna: User) -> None:
    pot, here = stocked.article(), stocked.place("here")
    for variant, quantity in ((pot, "0.5"), (stocked.bundle("SET", (pot, 2)), "1"), (pot, "-3"), (pot, "1e12")):
        with pytest.raises(NotNow):
            ledger.receive(variant, here, qty(quantity), by=anna, why="delivery")
    ledger.receive(stocked.article("TEE", pieces_only=False), here, qty("0.5"), by=anna, why="loose tea")


def test_the_ledger_cannot_be_changed(anna: User) -> None:
    row = ledger.receive(stocked.article(), stocked.place("here"), qty(1), by=anna, why="delivery")
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        StockMovement.objects.filter(pk=row.pk).update(quantity=2)


def test_negative_stock_is_a_case_until_it_is_not(erp: Connection) -> None:
    stocked.article()
    stocked.place(source=erp)
    stocked.state(erp, ("TK-100", "haupt", -2, "TK-100"))
    assert spine.open_kinds() == {"negative_stock"}
    stocked.state(erp, ("TK-100", "haupt", 0, "TK-100"))
    assert spine.open_kinds() == set()


def test_levels_that_nobody_confirms_are_a_case(erp: Connection) -> None:
    stocked.article()
    main = stocked.place(source=erp)
    stocked.state(erp, ("TK-100", "haupt", 2, "TK-100"))
    alarms.hourly()
    assert spine.open_kinds() == set()
    StockLevel.objects.filter(location=main).update(confirmed_at=stocked.moment(-60 * 49))
    alarms.hourly()
    assert spine.open_cases() == [("stock_unconfirmed", 1)]


def test_idle_stock_is_found_at_night(erp: Connection) -> None:
    old = stocked.article("OLD", active=False)
    stocked.put(old, stocked.place(source=erp), 3)
    alarms.nightly()
    assert spine.open_kinds() == {"stock_of_inactive"}


def test_many_levels_cost_as_many_statements_as_few(erp: Connection) -> None:
    stocked.place(source=erp)
    rows = [stocked.article(f"A-{number}") for number in range(60)]

    def statements(first: int, last: int, stock: int) -> int:
        with CaptureQueriesContext(database) as seen:
            stocked.state(erp, *[(row.sku, "haupt", stock, row.sku) for row in rows[first:last]])
        return len(seen)

    statements(0, 60, 1)
    assert statements(0, 50, 2) == statements(50, 55, 2)
