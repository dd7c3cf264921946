"""Shopware orders become reports: every trap of the format by name."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from integration_hub.kernel import codec
from integration_hub.kernel.errors import Rejected
from integration_hub.kernel.messages import OrderReport, ReportedLine
from integration_hub.kernel.states import LineKind, OrderStage
from tests.connectors.soundness import assert_lines_add_up

from . import payloads
from .mine import connect
from .payloads import BOX, DELIVERY, DISCOUNTED, LINE, PROMOTION, RETRIED, cart, delivery_row, item, order, price, state


def report(raw: Any, **config: Any) -> OrderReport:
    found = connect(**config).parse(payloads.delivery(raw))[0]
    assert isinstance(found, OrderReport)
    assert_lines_add_up(found)
    return found


def line(found: OrderReport, line_id: str) -> ReportedLine:
    return next(one for one in found.lines if one.external_id == line_id)


def amounts(one: ReportedLine) -> tuple[object, object, object]:
    return one.net, one.tax, one.gross


def test_a_gross_order_to_the_cent() -> None:
    found = report(order())
    assert (found.external_id, found.number, found.vendor_status) == (payloads.ORDER, "SW-10077", "open/paid/open")
    assert (found.currency, found.prices_include_tax, found.total) == ("EUR", True, Decimal("31.9"))
    assert found.total_tax == sum(one.tax for one in found.lines) == Decimal("5.09")
    mugs, rebate, shipping = found.lines
    assert (mugs.kind, mugs.quantity, mugs.unit_price, mugs.sku) == (LineKind.ITEM, Decimal(3), Decimal(10), "MUG-B")
    assert (mugs.product_id, amounts(mugs)) == (payloads.PRODUCT, (Decimal("25.21"), Decimal("4.79"), 30))
    assert (rebate.kind, rebate.quantity, amounts(rebate)) == (
        LineKind.FEE,
        Decimal(1),
        (Decimal("-2.52"), Decimal("-0.48"), -3),
    )
    assert (shipping.kind, shipping.title, shipping.external_id) == (LineKind.SHIPPING, "DHL", DELIVERY)
    assert amounts(shipping) == (Decimal("4.12"), Decimal("0.78"), Decimal("4.9"))


def test_people_places_and_money_are_read() -> None:
    found = report(order())
    assert found.placed_at == datetime(2026, 11, 21, 17, 0, 0, 125000, UTC)
    assert found.updated_at == datetime(2026, 11, 21, 17, 0, 5, 250000, UTC)  # of the payment: the order has none
    assert (found.buyer.external_id, found.buyer.email, found.buyer.vat_id) == (
        "c" * 32,
        "anna@example.test",
        "DE123456789",
    )
    assert (found.billing.name, found.billing.company, found.billing.street2) == ("Anna Grün", "Grün GmbH", "Hinterhof")
    assert found.shipping is not None
    assert (found.shipping.postal_code, found.shipping.region, found.shipping.country) == ("10115", "Berlin", "DE")
    assert (found.payment.method, found.payment.title, found.payment.paid) == ("swag_paypal", "PayPal", True)
    assert (found.payment.transaction_id, found.note) == ("8XY", "Bitte klingeln")


def test_a_net_order_has_its_tax_on_top() -> None:
    raw = order(
        taxStatus="net", amountTotal=40.22, price=cart(40.22, (19, 6.42, 33.8), taxStatus="net"),
        lineItems=[item(29.7, (19, 5.64, 29.7))],
        deliveries=[delivery_row(shippingCosts=price(4.1, (19, 0.78, 4.1)))],
    )  # fmt: skip
    found = report(raw)
    assert not found.prices_include_tax
    assert amounts(found.lines[0]) == (Decimal("29.7"), Decimal("5.64"), Decimal("35.34"))
    assert sum(one.gross for one in found.lines) == found.total == Decimal("40.22")


def test_a_tax_free_order_has_no_tax_whatever_its_rates_say() -> None:
    raw = order(
        taxStatus="tax-free", amountTotal=34.9, price=cart(34.9, taxStatus="tax-free"),
        lineItems=[item(30.0, (19, 4.79, 30.0))],
    )  # fmt: skip
    found = report(raw)
    assert found.total_tax == 0
    assert [(one.net, one.gross, one.taxes) for one in found.lines] == [
        (30, 30, ()),
        (Decimal("4.9"), Decimal("4.9"), ()),
    ]


def test_a_promotion_and_shipping_over_two_rates_are_a_line_for_each() -> None:
    raw = order(
        amountTotal=35.5,
        price=cart(35.5, (19, 2.71, 17.0), (7, 1.21, 18.5)),
        lineItems=[
            item(20.0, (19, 3.19, 20.0)), item(20.0, (7, 1.31, 20.0), id=BOX),
            payloads.promotion(-10.0, (19, -0.8, -5.0), (7, -0.33, -5.0)),
        ],
        deliveries=[delivery_row(shippingCosts=price(5.5, (19, 0.32, 2.0), (7, 0.23, 3.5)))],
    )  # fmt: skip
    found = report(raw)
    assert amounts(line(found, f"{PROMOTION}:19")) == (Decimal("-4.20"), Decimal("-0.80"), -5)
    assert amounts(line(found, f"{PROMOTION}:7")) == (Decimal("-4.67"), Decimal("-0.33"), -5)
    assert [part.rate for part in line(found, f"{DELIVERY}:7").taxes] == [Decimal("0.07")]
    assert sum(one.gross for one in found.lines) == found.total


def test_a_discount_on_shipping_is_a_delivery_without_goods() -> None:
    off = delivery_row(id=DISCOUNTED, shippingCosts=price(-4.9, (19, -0.78, -4.9)), stateMachineState=state("open"))
    raw = order(amountTotal=27.0, price=cart(27.0, (19, 4.31, 27.0)),
                deliveries=[off, delivery_row(stateMachineState=state("shipped"))])  # fmt: skip
    found = report(raw)
    assert [one.gross for one in found.lines if one.kind is LineKind.SHIPPING] == [Decimal("-4.9"), Decimal("4.9")]
    assert sum(one.gross for one in found.lines) == found.total
    assert (found.stage, found.vendor_status) == (OrderStage.COMPLETED, "open/paid/shipped")


def box(total: float = 30.0, **changes: Any) -> dict[str, Any]:
    return item(total, id=BOX, quantity=1, type="customized-products", productId=None, payload=[], **changes)


def test_a_container_is_its_parts_where_they_add_up() -> None:
    parts = [
        item(25.0, (19, 3.99, 25.0), parentId=BOX, quantity=1),
        item(5.0, (19, 0.8, 5.0), id=PROMOTION, parentId=BOX, quantity=1, productId=None, type="option", payload=[]),
    ]
    raw = order(lineItems=[box(), *parts], deliveries=[], shippingCosts=price(0), amountTotal=30.0,
                price=cart(30.0, (19, 4.79, 30.0)))  # fmt: skip
    assert [one.external_id for one in report(raw).lines] == [LINE, PROMOTION]
    crooked = order(**{**raw, "lineItems": [box(), parts[0]]})
    assert [one.external_id for one in report(crooked).lines] == [BOX]


def test_a_product_with_parts_is_the_product() -> None:
    raw = order(lineItems=[item(), item(30.0, id=BOX, parentId=LINE)])
    assert [one.external_id for one in report(raw).lines if one.kind is LineKind.ITEM] == [LINE]


def test_rappen_are_a_line() -> None:
    raw = order(
        currency={"isoCode": "CHF"}, amountTotal=30.0, deliveries=[], lineItems=[item(29.98, (7.7, 2.14, 29.98), quantity=1)],
        shippingCosts=price(0), price=cart(30.0, (7.7, 2.14, 29.98), rawTotal=29.98),
    )  # fmt: skip
    found = report(raw)
    assert amounts(line(found, "rounding")) == (Decimal("0.02"), 0, Decimal("0.02"))
    assert sum(one.gross for one in found.lines) == found.total


def test_tax_of_the_sum_goes_to_the_largest_line() -> None:
    raw = order(
        taxStatus="net", deliveries=[], shippingCosts=price(0),
        lineItems=[item(1.29, (19, 0.25, 1.29), quantity=1), item(1.32, (19, 0.25, 1.32), id=BOX, quantity=1)],
        amountTotal=3.12, price=cart(3.12, (19, 0.51, 2.61), taxStatus="net"),
    )  # fmt: skip
    found = report(raw)
    assert amounts(line(found, BOX)) == (Decimal("1.32"), Decimal("0.26"), Decimal("1.58"))
    assert sum(one.gross for one in found.lines) == found.total == Decimal("3.12")


def test_the_noise_of_floats_is_no_money() -> None:
    raw = order(price=cart(31.9, (19, 5.09, 31.9), rawTotal=31.900000000000002))
    assert "rounding" not in {one.external_id for one in report(raw).lines}


@pytest.mark.parametrize(
    ("own", "money", "goods", "stage"),
    [
        ("open", "open", "open", OrderStage.PENDING),
        ("open", "paid", "open", OrderStage.READY),
        ("in_progress", "authorized", "shipped_partially", OrderStage.READY),
        ("open", "paid", "shipped", OrderStage.COMPLETED),
        ("completed", "open", "open", OrderStage.COMPLETED),
        ("cancelled", "paid", "shipped", OrderStage.CANCELLED),
        ("open", "refunded", "returned", OrderStage.REFUNDED),
        ("open", "failed", "open", OrderStage.PENDING),
        ("open", "chargeback", "open", OrderStage.PENDING),
        ("open", "a plugin's own", "open", OrderStage.PENDING),
    ],
)
def test_the_stage_comes_from_three_machines(own: str, money: str, goods: str, stage: OrderStage) -> None:
    raw = order(
        stateMachineState=state(own), transactions=[payloads.payment(stateMachineState=state(money))],
        deliveries=[delivery_row(stateMachineState=state(goods))],
    )  # fmt: skip
    assert report(raw).stage is stage


def test_on_invoice_is_ready_unpaid_only_where_the_merchant_says_so() -> None:
    method = {"technicalName": "payment_invoicepayment"}
    unpaid = order(transactions=[payloads.payment(stateMachineState=state("open"), paymentMethod=method)])
    broken = order(transactions=[payloads.payment(stateMachineState=state("failed"), paymentMethod=method)])
    assert report(unpaid).stage is OrderStage.PENDING
    assert report(unpaid, ready_methods=("payment_invoicepayment",)).stage is OrderStage.READY
    assert report(broken, ready_methods=("payment_invoicepayment",)).stage is OrderStage.PENDING


def test_the_last_attempt_to_pay_that_has_not_failed_counts() -> None:
    failed = payloads.payment(id=RETRIED, createdAt="2026-11-21T17:09:00+00:00", stateMachineState=state("failed"))
    assert report(order(transactions=[failed, payloads.payment()])).payment.paid
    assert not report(order(transactions=[failed])).payment.paid


def test_what_went_back_is_what_the_captures_say_or_all_of_it() -> None:
    refunds = [
        {"id": "1" * 32, "amount": price(5.25), "stateMachineState": state("completed")},
        {"id": "2" * 32, "amount": price(7.0), "stateMachineState": state("open")},
    ]
    capture = {"externalReference": "CAP-1", "refunds": refunds}
    partly = payloads.payment(stateMachineState=state("refunded_partially"), captures=[capture])
    found = report(order(transactions=[partly]))
    assert (found.refunded, found.payment.transaction_id) == (Decimal("5.25"), "CAP-1")
    assert report(order(transactions=[payloads.payment(stateMachineState=state("refunded"))])).refunded == Decimal(
        "31.9"
    )


def test_a_guest_has_no_customer_id() -> None:
    raw = order()
    raw["orderCustomer"]["customer"]["guest"] = True
    assert report(raw).buyer.external_id == ""


@pytest.mark.parametrize(
    "change", [{"id": "../1"}, {"id": None}, {"taxStatus": "odd", "price": {}}, {"currency": None}]
)
def test_what_makes_no_sense_is_rejected(change: dict[str, Any]) -> None:
    with pytest.raises(Rejected):
        report(order(**change))


CENTS = st.integers(min_value=1, max_value=50_000)


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.tuples(CENTS, st.integers(1, 9), st.sampled_from([0, 7, 19])), min_size=1, max_size=6), st.booleans()
)
def test_lines_are_the_total_whatever_is_bought(basket: list[tuple[int, int, int]], gross: bool) -> None:
    """Shopware's own reckoning, line by line, comes out as the sum of our lines to the cent."""
    items, total, taxes = [], Decimal(0), dict.fromkeys((0, 7, 19), Decimal(0))
    for place, (cents, pieces, rate) in enumerate(basket):
        whole = Decimal(cents * pieces) / 100
        tax = round(whole * rate / (100 + rate if gross else 100), 2)
        items.append(item(float(whole), (rate, float(tax), float(whole)), quantity=pieces, id=f"{place:032x}"))
        total += whole if gross else whole + tax
        taxes[rate] += tax
    status = "gross" if gross else "net"
    stated = cart(float(total), *((rate, float(tax), 0.0) for rate, tax in taxes.items()), taxStatus=status)
    raw = order(
        lineItems=items, deliveries=[], shippingCosts=price(0), taxStatus=status, price=stated, amountTotal=float(total)
    )
    (found,) = connect().parse(
        replace(payloads.delivery({}), body=codec.canonical(codec.loads(payloads.delivery(raw).body)))
    )
    assert isinstance(found, OrderReport)
    assert_lines_add_up(found)
    assert sum(one.gross for one in found.lines) == found.total
    assert sum(one.tax for one in found.lines) == found.total_tax
