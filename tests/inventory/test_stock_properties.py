"""Whatever comes in whatever order: the ledger sums, nothing is reserved below zero, no more is promised than held."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from integration_hub.backoffice.invariants import judge
from integration_hub.kernel.errors import NotNow
from integration_hub.models import Connection, User
from inventory.invariants import INVARIANTS
from inventory.models import Location, Movement, StockLevel, Variant
from inventory.services import availability, ledger, promises, shipping, watch
from inventory.services.planning import Wish

from . import stocked
from .stocked import qty

pytestmark = pytest.mark.django_db

_PIECES = st.integers(1, 9)
_ORDER = st.integers(0, 3)
_STEP = st.one_of(
    st.tuples(st.just("order"), _ORDER, st.integers(0, 4), st.integers(0, 2)),
    st.tuples(st.just("cancel"), _ORDER),
    st.tuples(st.just("ship"), _ORDER, _PIECES, st.booleans()),
    st.tuples(st.just("receive"), st.booleans(), _PIECES),
    st.tuples(st.just("return"), st.booleans(), _PIECES),
    st.tuples(st.just("correct"), st.booleans(), st.integers(-4, 4)),
    st.tuples(st.just("count"), st.booleans(), st.integers(0, 20)),
    st.tuples(st.just("transfer"), _PIECES),
    st.tuples(st.just("settle")),
)


class _Shop:
    """A merchant with a pot, a set of two pots and a cup, two places of the hub's own, and four orders that come and go."""

    def __init__(self, shop: Connection, erp: Connection, by: User, rule: str) -> None:
        self.shop, self.by = shop, by
        self.pot, self.cup = stocked.article("POT"), stocked.article("CUP")
        self.set = stocked.bundle("SET", (self.pot, 2), (self.cup, 1))
        self.here, self.there = stocked.place("here"), stocked.place("there")
        stocked.sells(shop, self.here, self.there, shortage=rule)
        self.subjects = [stocked.article(f"ORDER-{number}") for number in range(4)]  # any row can be promised to
        self.shipped: dict[int, dict[int, Decimal]] = {}
        self.taken_away = False

    def order(self, number: int, pots: int, sets: int) -> None:
        lines = [(self.pot.pk, qty(pots)), (self.set.pk, qty(sets))]
        promises.promise(
            Wish(subject=self.subjects[number], label=str(number), channel=self.shop, lines=[x for x in lines if x[1]])
        )

    def cancel(self, number: int) -> None:
        promises.release(self.subjects[number])

    def ship(self, number: int, pieces: int, complete: bool) -> None:
        total = self.shipped.setdefault(number, {})
        held = sum(
            row.open
            for row in promises.of_subject(self.subjects[number]).filter(variant=self.pot, location__isnull=False)
        )
        total[self.pot.pk] = total.get(self.pot.pk, Decimal(0)) + min(qty(pieces), held)
        lines = [(variant, quantity) for variant, quantity in total.items() if quantity]
        shipping.shipped(
            self.subjects[number], self.shop, lines, label=str(number), at=stocked.moment(), complete=complete
        )

    def place(self, here: bool) -> Location:
        return self.here if here else self.there

    def receive(self, here: bool, pieces: int) -> None:
        ledger.receive(self.pot, self.place(here), qty(pieces), by=self.by, why="delivery")
        ledger.receive(self.cup, self.place(here), qty(pieces), by=self.by, why="delivery")

    def give_back(self, here: bool, pieces: int) -> None:
        ledger.receive(self.pot, self.place(here), qty(pieces), by=self.by, why="return", returned=True)

    def correct(self, here: bool, change: int) -> None:
        self.taken_away |= change < 0
        ledger.correct(self.pot, self.place(here), qty(change), by=self.by, why="correction")

    def count(self, here: bool, counted: int) -> None:
        self.taken_away = True
        ledger.count(self.pot, self.place(here), qty(counted), by=self.by, why="yearly count")

    def transfer(self, pieces: int) -> None:
        self.taken_away = True
        ledger.transfer(self.pot, self.here, self.there, qty(pieces), by=self.by, why="needed there")

    def settle(self) -> None:
        while watch.work():
            pass

    def do(self, step: tuple[Any, ...]) -> None:
        name = {"return": "give_back"}.get(step[0], step[0])
        try:
            with transaction.atomic():
                getattr(self, name)(*step[1:])
        except NotNow:
            pass  # a correction by nothing

    def prove(self) -> None:
        broken = {one.code: verdict.sample for one in INVARIANTS if not (verdict := judge(one)).kept}
        assert broken == {}
        levels = list(StockLevel.objects.all())
        assert all(level.reserved >= 0 for level in levels)
        if not self.taken_away:
            assert all(level.reserved <= level.on_hand for level in levels), "promised more than held"


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(_STEP, min_size=3, max_size=25), rule=st.sampled_from(["WAIT", "PARTIAL", "BACKORDER"]))
def test_any_sequence_leaves_the_books_in_order(
    shop: Connection, erp: Connection, django_user_model: Any, steps: list[tuple[Any, ...]], rule: str
) -> None:
    with transaction.atomic():
        merchant = _Shop(shop, erp, django_user_model.objects.create_user("b"), rule)
        for step in steps:
            merchant.do(step)
            merchant.prove()
        merchant.settle()
        merchant.prove()
        transaction.set_rollback(True)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    held=st.lists(st.tuples(st.integers(-3, 12), st.integers(0, 9)), min_size=2, max_size=2),
    each=st.integers(1, 4),
    buffer=st.integers(0, 3),
    least=st.integers(0, 3),
    most=st.none() | st.integers(3, 8),
    formula=st.sampled_from(["FREE", "ON_HAND"]),
)
def test_what_is_shown_is_what_the_preview_says(
    shop: Connection,
    erp: Connection,
    held: list[tuple[int, int]],
    each: int,
    buffer: int,
    least: int,
    most: int | None,
    formula: str,
) -> None:
    with transaction.atomic():
        pot = stocked.article("POT")
        pack = stocked.bundle("PACK", (pot, each))
        here = [stocked.place("a"), stocked.place("b")]
        stocked.sells(shop, *here, buffer=buffer, minimum=least, maximum=most, formula=formula)
        for one in (pot, pack):
            stocked.listed(shop, one)
        for where, (quantity, reserved) in zip(here, held, strict=True):
            stocked.put(pot, where, quantity or 1)
            step = ledger.Step(variant_id=pot.pk, location_id=where.pk, kind=Movement.RESERVED, reserved=qty(reserved))
            ledger.book([step] if reserved else [])
        while watch.work():
            pass
        shown = stocked.shown(shop)
        for one in (pot, pack):
            assert shown[one.sku] == availability.preview(Variant.objects.get(pk=one.pk), shop)[0].result
        transaction.set_rollback(True)
