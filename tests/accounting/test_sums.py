"""Sums whatever the lines: exact to the cent, tax per rate as the law rounds it, corrections that end at zero."""

from __future__ import annotations

from datetime import date
from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accounting import shipped
from accounting.models import Seller
from accounting.services import tax
from accounting.services.rates import RateTable
from accounting.services.sums import Draft, settle, shares, spread
from accounting.services.tax import Article, Circumstances, Treatment, Undecided
from accounting.states import LineKind, TaxCase
from tests.accounting.books import SELLER

RATES = [Decimal("0.19"), Decimal("0.07"), Decimal("0.20"), Decimal("0.255"), Decimal(0)]
cents = st.integers(min_value=-50_000, max_value=500_000).map(lambda number: Decimal(number) / 100)
lines_of = st.lists(st.tuples(cents, st.sampled_from(RATES)), min_size=1, max_size=30)
TABLE = RateTable.of(shipped.rates())


def draft(gross: Decimal, rate: Decimal) -> Draft:
    return Draft(kind=LineKind.GOODS, title="x", gross=gross, treatment=Treatment(TaxCase.DOMESTIC, "DE", rate))


@given(lines_of)
@settings(max_examples=300, deadline=None)
def test_every_sum_is_exact_and_tax_is_rounded_once_per_rate(given_lines: list[tuple[Decimal, Decimal]]) -> None:
    lines = [draft(*one) for one in given_lines]
    sums = settle(lines, "EUR", includes_tax=True, tolerance=Decimal("0.01"))
    assert sum(one.gross for one in sums) == sum(line.gross for line in lines)
    for one in sums:
        rate = one.treatment.rate
        assert one.tax == (one.gross * rate / (1 + rate)).quantize(Decimal("0.01"), ROUND_HALF_UP)
        assert (one.net, one.tax) == (sum(line.net for line in one.lines), sum(line.tax for line in one.lines))
        for line in one.lines:
            assert line.net + line.tax == line.gross
            assert abs(line.net - line.gross / (1 + rate)) < Decimal("0.02")


@given(st.lists(cents.filter(lambda amount: amount > 0), min_size=1, max_size=8), cents)
@settings(max_examples=200, deadline=None)
def test_what_is_shared_pro_rata_loses_no_cent(goods: list[Decimal], shared: Decimal) -> None:
    over = [draft(gross, RATES[at % 3]) for at, gross in enumerate(goods)]
    parts = spread(Draft(kind=LineKind.SHIPPING, title="DHL", gross=shared), over, "EUR")
    assert sum((part.gross for part in parts), Decimal(0)) == shared


@given(st.lists(cents, min_size=1, max_size=20))
@settings(max_examples=200, deadline=None)
def test_shares_are_near_and_sum_up(amounts: list[Decimal]) -> None:
    exact = [amount / 3 for amount in amounts]
    total = sum(exact, Decimal(0)).quantize(Decimal("0.01"), ROUND_HALF_UP)
    found = shares(total, exact, "EUR")
    assert sum(found) == total
    assert all(abs(one - other) <= Decimal("0.01") for one, other in zip(found, exact, strict=True))


def around(country: str, day: str = "2026-11-20", **more: object) -> Circumstances:
    seller = Seller(**SELLER | {key: more.pop(key) for key in ("oss", "small_business") if key in more})
    postal = str(more.pop("postal_code", ""))
    return Circumstances(seller=seller, destination=country, postal_code=postal, on=date.fromisoformat(day), **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("given_here", "article", "expected"),
    [
        (around("DE"), Article(stated=Decimal("0.19")), ("DOMESTIC", "DE", "0.19")),
        (around("DE", "2020-08-01"), Article(stated=Decimal("0.16")), ("DOMESTIC", "DE", "0.16")),
        (around("DE", "2020-12-31"), Article(stated=Decimal("0.05")), ("DOMESTIC", "DE", "0.05")),
        (around("DE", "2021-01-01"), Article(), ("DOMESTIC", "DE", "0.19")),
        (around("DE", postal_code="27498"), Article(stated=Decimal(0)), ("EXPORT", "DE", "0")),
        (around("ES", postal_code="35001"), Article(), ("EXPORT", "DE", "0")),
        (around("GB"), Article(), ("EXPORT", "DE", "0")),
        (around("FR"), Article(stated=Decimal("0.19")), ("EU_BELOW_THRESHOLD", "DE", "0.19")),
        (around("FR", over=True), Article(stated=Decimal("0.20")), ("OSS", "FR", "0.2")),
        (around("FR", oss=True), Article(stated=Decimal("0.055")), ("OSS", "FR", "0.055")),
        (around("DK", oss=True), Article(stated=Decimal("0.19")), ("OSS", "DK", "0.25")),
        (around("MC", oss=True), Article(stated=Decimal("0.20")), ("OSS", "FR", "0.2")),
        (around("FI", "2024-08-31", oss=True), Article(), ("OSS", "FI", "0.24")),
        (around("FI", "2024-09-01", oss=True), Article(), ("OSS", "FI", "0.255")),
        (around("AT", vat_id="ATU33864707", vat_valid=True), Article(), ("EU_B2B", "AT", "0")),
        (around("AT", vat_id="ATU33864707", vat_valid=True), Article(kind="SERVICE"), ("EU_B2B_SERVICE", "AT", "0")),
        (around("US", business=True), Article(kind="SERVICE"), ("NOT_TAXABLE", "US", "0")),
        (around("US"), Article(kind="SERVICE"), ("DOMESTIC", "DE", "0.19")),
        (around("FR", small_business=True), Article(stated=Decimal(0)), ("SMALL_BUSINESS", "DE", "0")),
        (around("DE"), Article(kind="VOUCHER_MULTI"), ("VOUCHER_MULTI", "DE", "0")),
        (around("DE"), Article(kind="VOUCHER_SINGLE"), ("VOUCHER_SINGLE", "DE", "0.19")),
    ],
)
def test_how_the_law_sees_it(given_here: Circumstances, article: Article, expected: tuple[str, str, str]) -> None:
    found = tax.decide(TABLE, given_here, article)
    assert (found.case, found.country, found.rate) == (*expected[:2], Decimal(expected[2]))


@pytest.mark.parametrize(
    ("given_here", "article", "code"),
    [
        (around("DE", "2021-01-02"), Article(stated=Decimal("0.16")), "rate"),
        (around("DE", "2020-07-01"), Article(stated=Decimal("0.19")), "rate"),
        (around("AT", vat_id="ATU33864708"), Article(stated=Decimal(0)), "vat_id"),
        (around("FR", oss=True), Article(stated=Decimal("0.07")), "level"),
    ],
)
def test_what_the_tables_leave_open_is_asked(given_here: Circumstances, article: Article, code: str) -> None:
    with pytest.raises(Undecided) as raised:
        tax.decide(TABLE, given_here, article)
    assert raised.value.code == code


@pytest.mark.parametrize(
    ("vat_id", "right"),
    [
        ("ATU33864707", True),
        ("DE136695976", True),
        ("ATU33864708", False),
        ("DE136695970", False),
        ("nonsense", False),
        ("", False),
    ],
)
def test_vat_ids_are_checked_by_their_digits(vat_id: str, right: bool) -> None:
    assert tax.well_formed(vat_id) is right


def test_shipped_rates_are_the_ones_that_orders_may_have() -> None:
    """The table of rates and the kernel's list of what may stand on a line say the same about today."""
    from integration_hub.kernel.tax import RATES as ALLOWED  # noqa: PLC0415

    for country in {country for country, _level in TABLE.rates}:
        here = {TABLE.rate(country, level, date(2026, 11, 29)) for state, level in TABLE.rates if state == country}
        assert here - {None, Decimal(0)} <= ALLOWED[country], country
