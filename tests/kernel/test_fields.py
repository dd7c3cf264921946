"""Fields of foreign objects: read leniently where shops differ, rejected by name where they make no sense."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from integration_hub.kernel import fields
from integration_hub.kernel.errors import Rejected
from integration_hub.kernel.messages import ReportedLine
from integration_hub.kernel.states import LineKind


@pytest.mark.parametrize(("value", "text"), [(None, ""), (False, ""), (7, "7"), (Decimal("1.5"), "1.5"), (" a ", "a")])
def test_words(value: Any, text: str) -> None:
    assert fields.words({"a": value}, "a") == text


def test_words_are_cut_and_ids_are_not() -> None:
    assert len(fields.words({"a": "x" * 9999}, "a")) == 500
    with pytest.raises(Rejected, match="too long"):
        fields.identifier({"a": "x" * 101}, "a")


@pytest.mark.parametrize("value", [None, "", 0, "0", " "])
def test_no_id_is_missing_unless_it_may_be(value: Any) -> None:
    assert fields.identifier({"a": value}, "a", required=False) == ""
    with pytest.raises(Rejected, match="a is missing"):
        fields.identifier({"a": value}, "a")


def test_an_amount_is_empty_only_where_that_means_something() -> None:
    assert fields.amount({"a": ""}, "a", Decimal(0)) == 0
    assert fields.amount({}, "a", Decimal(0)) == 0
    assert fields.amount({"a": "0.00"}, "a", Decimal(9)) == 0
    with pytest.raises(Rejected):
        fields.amount({"a": ""}, "a")


@pytest.mark.parametrize(
    ("value", "yes"), [(True, True), ("yes", True), (1, True), ("TRUE", True), (None, False), ("", False)]
)
def test_flags(value: Any, yes: bool) -> None:
    assert fields.flag({"a": value}, "a") is yes


@pytest.mark.parametrize("value", [None, "", [], {}])
def test_nothing_is_an_empty_object_and_an_empty_list(value: Any) -> None:
    assert fields.child({"a": value}, "a") == {}
    assert fields.children({"a": value}, "a") == []


def test_a_php_list_with_gaps_is_a_list() -> None:
    assert fields.children({"a": {"0": {"x": 1}, "2": {"x": 2}}}, "a") == [{"x": 1}, {"x": 2}]


@pytest.mark.parametrize(
    ("read", "value"),
    [
        (fields.words, ["a"]),
        (fields.words, True),
        (fields.flag, "maybe"),
        (fields.flag, []),
        (fields.child, "a"),
        (fields.child, [1]),
        (fields.children, "a"),
        (fields.children, [1]),
        (fields.children, {"a": 1}),
        (fields.children, [{}] * 2001),
        (fields.texts, ["a", 1]),
        (fields.texts, "a"),
        (fields.quantity, "1e9"),
        (fields.quantity, "0.00001"),
        (fields.currency, "EURO"),
        (fields.moment, "never"),
    ],
)
def test_what_makes_no_sense_is_rejected_by_its_name(read: Callable[..., Any], value: Any) -> None:
    with pytest.raises(Rejected, match="the_field"):
        read({"the_field": value}, "the_field")


def test_codes() -> None:
    assert fields.currency({"a": "eur"}, "a") == "EUR"
    assert [fields.country({"a": code}, "a") for code in ("de", "DEU", "Germany", None)] == ["DE", "", "", ""]
    assert fields.texts({"a": ["x", " ", "y "]}, "a") == ["x", "y"]
    assert fields.moment({"a": ""}, "a") is None
    assert fields.moment({"a": "2026-11-21T12:00:00"}, "a") == datetime(2026, 11, 21, 12, tzinfo=UTC)


def line(number: str, **changes: Any) -> ReportedLine:
    one = Decimal(1)
    amounts = {"quantity": one, "unit_price": one, "net": one, "tax": Decimal(0), "gross": one, **changes}
    return ReportedLine(external_id=number, kind=LineKind.ITEM, title="x", **amounts)


def test_lines_of_an_order_differ_and_fit_the_columns() -> None:
    assert len(fields.sound_lines([line("1"), line("2")])) == 2
    with pytest.raises(Rejected, match="same id"):
        fields.sound_lines([line("1"), line("1")])
    with pytest.raises(Rejected, match="line 1 is out of bounds"):
        fields.sound_lines([line("1", gross=Decimal(10) ** 15)])
