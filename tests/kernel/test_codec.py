"""The JSON door lets through what can be stored and computed, and nothing else."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integration_hub.kernel import codec
from integration_hub.kernel.errors import Rejected
from tests.connectors.nonsense import BROKEN_BODIES

AMOUNTS = st.decimals(min_value=-(10**12), max_value=10**12, places=6, allow_nan=False, allow_infinity=False)
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=20)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | TEXTS | AMOUNTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=20,
)


@pytest.mark.parametrize("body", BROKEN_BODIES, ids=range(len(BROKEN_BODIES)))
def test_nonsense_is_rejected_at_once(body: bytes) -> None:
    started = time.perf_counter()
    with pytest.raises(Rejected):
        codec.load_object(body)
    assert time.perf_counter() - started < 1


@given(VALUES)
def test_canonical_keeps_every_value(value: Any) -> None:
    again = codec.loads(codec.canonical(value))
    assert codec.canonical(again) == codec.canonical(value)


@given(AMOUNTS)
def test_amounts_pass_without_losing_a_digit(amount: Decimal) -> None:
    assert codec.loads(codec.canonical({"a": amount}))["a"] == amount


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_rejected(raw: bytes) -> None:
    try:
        value = codec.loads(raw)
    except Rejected:
        return
    assert codec.loads(codec.canonical(value)) == value


def test_fractions_are_decimals() -> None:
    assert codec.loads("12.056074666666667") == Decimal("12.056074666666667")
    assert codec.loads("0.1") + codec.loads("0.2") == Decimal("0.3")


def test_the_order_of_names_does_not_matter() -> None:
    assert codec.canonical({"b": 1, "a": [None, True]}) == codec.canonical({"a": [None, True], "b": 1})
    assert codec.canonical({"a": Decimal("1E+2")}) == b'{"a":100}'


def test_our_own_columns_hold_decimals_as_text() -> None:
    assert codec.dumps({"a": Decimal("1.50"), "d": date(2026, 1, 2)}) == '{"a":"1.50","d":"2026-01-02"}'


@pytest.mark.parametrize("value", ["1.50", " 1.50 ", Decimal("1.50")])
def test_an_amount_is_a_text_or_a_number(value: Any) -> None:
    assert codec.money_amount(value, "total") == Decimal("1.5")


def test_an_amount_may_be_a_whole_number() -> None:
    assert codec.money_amount(7, "total") == 7


@pytest.mark.parametrize(
    "value", [None, "", True, 1.5, "1,50", "NaN", "-Infinity", "sNaN", [], {}, "1e15", Decimal("-1e15"), "abc"]
)
def test_what_is_no_amount_is_rejected_by_its_name(value: Any) -> None:
    with pytest.raises(Rejected, match="total"):
        codec.money_amount(value, "total")


def test_an_endless_amount_is_rejected_before_it_is_computed() -> None:
    with pytest.raises(Rejected):
        codec.money_amount("1e2000000", "total")


def test_a_moment_without_offset_is_utc() -> None:
    noon = datetime(2026, 11, 21, 12, tzinfo=UTC)
    assert codec.utc("2026-11-21T12:00:00", "at") == noon
    assert codec.utc("2026-11-21T13:00:00+01:00", "at") == noon
    assert codec.utc("2026-11-21T12:00:00Z", "at").utcoffset() == noon.utcoffset()


@pytest.mark.parametrize(
    "text", ["", "now", "2026-13-01", "0001-01-01T00:00:00+10:00", "9999-12-31T23:59:59-10:00", None, 5, ["2026"]]
)
def test_what_is_no_moment_is_rejected(text: Any) -> None:
    with pytest.raises(Rejected, match="at is not a time"):
        codec.utc(text, "at")


@given(st.integers(0, 10**18), st.dictionaries(TEXTS, VALUES, max_size=3))
def test_what_a_delivery_is_about_is_the_same_read_cheaply_or_whole(number: int, rest: dict[str, Any]) -> None:
    rest.pop("id", None)
    first, last = codec.dumps({"id": number} | rest), codec.dumps(rest | {"id": number})
    assert codec.peek(first.encode(), "id") == codec.peek(last.encode(), "id") == str(number)


@pytest.mark.parametrize("body", [b'{"id": true}', b'{"id": 1.5}', b'{"id": [1]}', b'["id"]', b"", b'{"x": {"id": 1}}'])
def test_what_a_delivery_is_about_is_empty_for_anything_odd(body: bytes) -> None:
    assert codec.peek(body, "id") == ""
