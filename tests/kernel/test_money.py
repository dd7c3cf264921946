"""Money loses no cent, mixes no currencies and knows no float."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integration_hub.kernel.money import Money, is_currency, minor_digits, rounded

AMOUNTS = st.decimals(min_value=-(10**9), max_value=10**9, places=4, allow_nan=False, allow_infinity=False)
CURRENCIES = st.sampled_from(["EUR", "JPY", "KWD", "CLF"])
WEIGHTS = st.lists(st.decimals(min_value=0, max_value=1000, places=3), min_size=1, max_size=30).filter(sum)


@given(AMOUNTS, CURRENCIES, WEIGHTS)
def test_a_split_gives_everything_and_no_more(amount: Decimal, currency: str, weights: list[Decimal]) -> None:
    parts = Money(amount, currency).split(weights)
    assert len(parts) == len(weights)
    assert sum((part.amount for part in parts), Decimal(0)) == rounded(amount, currency)
    assert all(part.rounded() == part for part in parts)


@given(AMOUNTS, CURRENCIES, WEIGHTS)
def test_a_part_is_within_one_coin_of_its_share(amount: Decimal, currency: str, weights: list[Decimal]) -> None:
    whole, coin = rounded(amount, currency), Decimal(1).scaleb(-minor_digits(currency))
    for part, weight in zip(Money(amount, currency).split(weights), weights, strict=True):
        assert abs(part.amount - whole * weight / sum(weights)) <= coin


@given(AMOUNTS, AMOUNTS)
def test_addition_and_subtraction_undo_each_other(one: Decimal, other: Decimal) -> None:
    first, second = Money(one, "EUR"), Money(other, "EUR")
    assert first + second - second == first
    assert first + -first == Money(Decimal(0), "EUR")
    assert (first < second) == (one < other)


@given(AMOUNTS)
def test_rounding_is_symmetric_and_settles(amount: Decimal) -> None:
    money = Money(amount, "EUR")
    assert (-money).rounded() == -money.rounded()
    assert money.rounded().rounded() == money.rounded()


@pytest.mark.parametrize(
    ("amount", "currency", "expected"),
    [("2.345", "EUR", "2.35"), ("-2.345", "EUR", "-2.35"), ("0.5", "JPY", "1"), ("1.2345", "KWD", "1.235")],
)
def test_half_a_coin_rounds_away_from_zero(amount: str, currency: str, expected: str) -> None:
    assert rounded(Decimal(amount), currency) == Decimal(expected)


@pytest.mark.parametrize("amount", [1.5, 1, "1.50", None, Decimal("NaN"), Decimal("Infinity")])
def test_only_finite_decimals_are_money(amount: Any) -> None:
    with pytest.raises(TypeError):
        Money(amount, "EUR")


@pytest.mark.parametrize("code", ["", "eur", "EURO", "XXX", "DM"])
def test_a_currency_is_one_of_iso_4217(code: str) -> None:
    assert not is_currency(code)
    with pytest.raises(ValueError, match="ISO 4217"):
        Money(Decimal(1), code)


def test_currencies_do_not_mix() -> None:
    with pytest.raises(ValueError, match="cannot combine"):
        Money(Decimal(1), "EUR") + Money(Decimal(1), "USD")
    with pytest.raises(TypeError):
        Money(Decimal(1), "EUR") + 1  # type: ignore[operator]


@pytest.mark.parametrize("factor", [1.5, True, "2"])
def test_money_is_not_multiplied_by_everything(factor: Any) -> None:
    with pytest.raises(TypeError):
        Money(Decimal(1), "EUR") * factor


@pytest.mark.parametrize("weights", [[], [0], [1, -1], [-1, 3]])
def test_weights_that_say_nothing_are_refused(weights: list[int]) -> None:
    with pytest.raises(ValueError, match="weights"):
        Money(Decimal(1), "EUR").split(weights)


def test_shows_itself_in_whole_coins() -> None:
    assert str(Money(Decimal("1.005"), "EUR")) == "1.01 EUR"
    assert not Money(Decimal(0), "EUR")
    assert abs(Money(Decimal(-1), "EUR")) == Money(Decimal(1), "EUR")
    assert Money(Decimal(2), "EUR") * 3 == Money(Decimal(6), "EUR")
