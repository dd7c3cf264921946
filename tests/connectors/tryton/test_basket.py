"""Lines, taxes and rounding, reckoned without a server."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integration_hub.connectors import _tryton_basket as basket
from integration_hub.connectors._tryton_basket import Basket, Catalogue, Line, Product, Taxes, taxes_of
from integration_hub.kernel.errors import Rejected
from integration_hub.kernel.messages import SaleLine
from integration_hub.kernel.states import LineKind

from .orders import fee, line, shipping
from .payloads import amount

STANDARD, REDUCED = Taxes((8,), Decimal("0.19")), Taxes((9,), Decimal("0.07"))
MUG = Product(1, "MUG", 1, STANDARD)
BOOK = Product(2, "BOOK", 1, REDUCED)
POST = Product(3, "SHIP-DHL", 1, STANDARD)
EXTRA = Product(4, "SURCHARGE", 1, STANDARD)
REBATE = Product(5, "DISCOUNT", 1, STANDARD)
CATALOGUE = Catalogue((MUG, BOOK, POST, EXTRA, REBATE), (STANDARD, REDUCED))
CODES = {"shipping": "SHIP-DHL", "fee": "SURCHARGE", "discount": "DISCOUNT", "rounding": "SURCHARGE"}


def made(*wanted: SaleLine, gross: bool = True) -> list[Line]:
    return basket.lines(wanted, CATALOGUE, CODES, gross=gross)


def balanced(*wanted: SaleLine) -> Basket:
    """The basket with its correction, as it is sent."""
    whole = Basket(tuple(made(*wanted)), EXTRA, sum((item.gross for item in wanted), Decimal(0)), "EUR")
    return whole.balanced(whole.reckoned())


def dated(rate: str, start: date | None, end: date | None) -> dict[str, Any]:
    return {"id": 1, "type": "percentage", "rate": Decimal(rate), "start_date": start, "end_date": end}


STANDARD_RATE = {
    "id": 8,
    "type": "none",
    "rate": None,
    "start_date": None,
    "end_date": None,
    "childs": [
        dated("0.19", None, date(2020, 6, 30)),
        dated("0.16", date(2020, 7, 1), date(2020, 12, 31)),
        dated("0.19", date(2021, 1, 1), None),
    ],
}


@pytest.mark.parametrize(
    ("on", "rate"),
    [(date(2020, 6, 30), "0.19"), (date(2020, 7, 1), "0.16"), (date(2020, 12, 31), "0.16"), (date(2026, 1, 1), "0.19")],
)
def test_the_rate_is_that_of_the_day(on: date, rate: str) -> None:
    assert taxes_of([STANDARD_RATE], on) == Taxes((8,), Decimal(rate))


def test_a_tax_that_is_no_percentage_has_no_rate() -> None:
    fixed = dated("0", None, None) | {"type": "fixed", "rate": None}

    assert taxes_of([STANDARD_RATE, fixed], date(2026, 1, 1)).rate is None


def test_shipping_with_the_reduced_rate_takes_the_taxes_of_books() -> None:
    (parcel,) = made(shipping("4.99", "0.07"))

    assert (parcel.product, parcel.taxes) == (POST, REDUCED)


def test_zero_tax_is_no_tax() -> None:
    (card,) = made(line("MUG", 1, "25.00", "0"))

    assert card.taxes == Taxes()


def test_an_own_tax_of_zero_is_kept() -> None:
    exempt = Taxes((11,), Decimal(0))
    catalogue = Catalogue((replace(MUG, taxes=exempt),), (STANDARD,))

    assert catalogue.taxes_for(catalogue.products[0], Decimal(0)) == exempt


def test_negative_fees_are_billed_as_discount() -> None:
    extra, rebate = made(fee("2.00"), fee("-2.00"))

    assert (extra.product, rebate.product) == (EXTRA, REBATE)
    assert rebate.unit_price == Decimal("-1.6807")


def test_a_discount_shows_the_price_before_it() -> None:
    (goods,) = made(line("MUG", 2, "17.98", off="2.00"))

    assert goods.base_price == Decimal("8.3950")
    assert goods.unit_price == Decimal("7.5546")


def test_a_line_of_nothing_is_left_out_but_not_one_that_costs() -> None:
    nothing = replace(line("MUG", 1, "0.00"), quantity=Decimal(0))

    assert made(nothing) == []
    with pytest.raises(Rejected) as caught:
        made(replace(nothing, gross=Decimal("1.00")))
    assert caught.value.code == "no_quantity"


def test_a_gift_card_is_sold_as_a_product() -> None:
    (card,) = made(line("MUG", 1, "25.00", kind=LineKind.GIFT_CARD))

    assert card.product == MUG


def test_without_code_and_id_the_product_is_unknown() -> None:
    with pytest.raises(Rejected) as caught:
        made(line("", 1, "5.00"))
    assert caught.value.code == "unknown_product_in_erp"


def test_a_known_id_that_is_gone_is_not_replaced_by_the_code() -> None:
    with pytest.raises(Rejected, match="77"):
        made(replace(line("MUG", 1, "5.00"), product_id="77"))


def test_the_line_for_rounding_carries_no_tax_and_stands_last() -> None:
    whole = balanced(*[line("MUG", 1, "0.40")] * 6)

    assert whole.correction == Decimal("-0.02")
    last = whole.values()[-1]
    assert (last["product"], last["sequence"]) == (EXTRA.id, 7)
    assert (last["unit_price"], last["taxes"]) == (amount("-0.02"), [["add", []]])


def test_net_prices_are_taken_as_they_are() -> None:
    mug = line("MUG", 3, "29.97")
    (goods,) = made(replace(mug, unit_price=Decimal("9.00"), discount=Decimal("1.82")), gross=False)

    assert goods.unit_price == Decimal("8.3933")
    assert goods.base_price == Decimal("9.0000")


def test_what_is_too_much_for_rounding_is_refused() -> None:
    whole = Basket(tuple(made(line("MUG", 1, "9.99"))), EXTRA, Decimal("10.20"), "EUR")

    with pytest.raises(Rejected, match=r"10\.20.*10\.00") as caught:
        whole.balanced(whole.reckoned())
    assert caught.value.code == "totals_disagree"


some_line = st.builds(
    lambda goods, quantity, coins: line(
        goods.code, quantity, str(Decimal(coins * quantity) / 100), str(goods.taxes.rate)
    ),
    st.sampled_from([MUG, BOOK]),
    st.integers(1, 500),
    st.integers(1, 200_000),
)
some_fee = st.builds(
    lambda coins, rate: fee(str(Decimal(coins) / 100), rate),
    st.integers(-5000, 5000),
    st.sampled_from(["0", "0.07", "0.19"]),
)


@given(st.lists(st.one_of(some_line, some_fee), max_size=40))
def test_whatever_is_in_it_the_basket_comes_to_the_shops_total(wanted: list[SaleLine]) -> None:
    whole = balanced(*wanted)

    assert whole.reckoned() == sum((item.gross for item in wanted), Decimal(0))
    assert all(item.unit_price == round(item.unit_price, 4) for item in whole.all_lines())
