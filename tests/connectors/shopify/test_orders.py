"""Shopify orders become reports: every trap of the format by name, and webhook and GraphQL agree."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from integration_hub.connectors.http import Http
from integration_hub.connectors.shopify import Shopify
from integration_hub.kernel.errors import Rejected
from integration_hub.kernel.messages import Address, Ignored, OrderGone, OrderReport, SubscriptionReport
from integration_hub.kernel.states import LineKind, OrderStage

from .mine import settings
from .payloads import ADDRESS, item, money, node, order, polled, refund, shipping, tax, webhook


def connect(**config: Any) -> Shopify:
    return Shopify(Shopify.Config(**settings(**config)), Http())


def parse(body: Any, topic: str = "orders/updated", **config: Any) -> Any:
    report, *_refunds = connect(**config).parse(webhook(body, topic))
    return report


def report_of(**changes: Any) -> OrderReport:
    report = parse(order(**changes))
    assert isinstance(report, OrderReport)
    return report


def rejected(**changes: Any) -> str:
    with pytest.raises(Rejected) as caught:
        parse(order(**changes))
    return str(caught.value)


VARIANTS: dict[str, dict[str, Any]] = {
    "plain": {},
    "net prices": {"taxes_included": False, "total_price": "42.94"},
    "guest at the till": {
        "customer": None,
        "billing_address": None,
        "shipping_address": None,
        "shipping_lines": [],
        "fulfillment_status": "fulfilled",
        "email": None,
    },
    "custom item": {"line_items": [item(product_id=None, variant_id=None, sku=None)]},
    "gift card": {"line_items": [item(gift_card=True, tax_lines=[])]},
    "cancelled": {"cancelled_at": "2026-11-21T19:00:00Z", "financial_status": "refunded"},
    "two taxes": {"line_items": [item(tax_lines=[tax("3.00", 0.06), tax("2.13", 0.025)])]},
    "free shipping": {
        "shipping_lines": [shipping(discounted_price="0.00", discount_allocations=[{"amount": "4.90"}], tax_lines=[])]
    },
    "tip as a line": {
        "total_tip_received": "5.00",
        "line_items": [
            item(),
            item(2, price="5.00", quantity=1, discount_allocations=[], tax_lines=[], variant_id=None, product_id=None),
        ],
    },
    "tip beside the lines": {"total_tip_received": "5.00", "total_price": "42.03"},
}


@pytest.mark.parametrize("changes", VARIANTS.values(), ids=VARIANTS)
def test_webhook_and_graphql_give_equal_reports(changes: dict[str, Any]) -> None:
    raw = order(**{"total_price_set": None, **changes})
    raw["line_items"] = [{**line, "price_set": None} for line in raw["line_items"]]
    (other,) = connect().parse(polled(node(raw)))
    assert other == parse(raw)


def test_discounts_are_the_allocations() -> None:
    line = report_of().lines[0]
    assert (line.unit_price, line.discount, line.gross) == (Decimal("11.90"), Decimal("3.57"), Decimal("32.13"))
    assert (line.net, line.tax) == (Decimal("27.00"), Decimal("5.13"))


def test_without_allocations_the_stated_discount_counts() -> None:
    assert report_of(line_items=[item(discount_allocations=[], total_discount="3.57")]).lines[0].gross == Decimal(
        "32.13"
    )


def test_tax_comes_on_top_of_net_prices() -> None:
    line = report_of(taxes_included=False).lines[0]
    assert (line.net, line.tax, line.gross) == (Decimal("32.13"), Decimal("5.13"), Decimal("37.26"))


def test_quantities_and_totals_are_as_placed() -> None:
    report = report_of()
    assert (report.lines[0].quantity, report.total) == (Decimal(3), Decimal("37.03"))


def test_the_shops_currency_is_used_throughout() -> None:
    line = item(
        price="13.00",
        price_set=money("11.90", "13.00"),
        discount_allocations=[{"amount": "3.90", "amount_set": money("3.57", "3.90")}],
        tax_lines=[{**tax("5.60"), "price_set": money("5.13", "5.60")}],
    )
    assert report_of(line_items=[line]).lines == report_of().lines


def test_discounted_shipping() -> None:
    by_price = report_of(shipping_lines=[shipping(discounted_price="2.00", tax_lines=[])]).lines[1]
    assert (by_price.kind, by_price.discount, by_price.gross) == (LineKind.SHIPPING, Decimal("2.90"), Decimal("2.00"))


def test_removed_shipping_is_no_line() -> None:
    assert len(report_of(shipping_lines=[shipping(is_removed=True)]).lines) == 1


def test_a_gift_card_as_product_is_one_and_as_payment_reduces_nothing() -> None:
    report = report_of(line_items=[item(gift_card=True)])
    assert report.lines[0].kind is LineKind.GIFT_CARD
    assert sum(line.gross for line in report.lines) == report.total
    assert (report.payment.method, report.payment.title) == ("paypal", "gift_card, paypal")


def test_a_tip_among_the_lines_counts_once() -> None:
    tip = item(2, price="5.00", price_set=None, quantity=1, discount_allocations=[], tax_lines=[])
    bare = {**tip, "variant_id": None, "product_id": None}
    report = report_of(total_tip_received="5.00", line_items=[item(), bare], total_price_set=money("42.03"))
    assert [line.kind for line in report.lines] == [LineKind.ITEM, LineKind.FEE, LineKind.SHIPPING]
    assert sum(line.gross for line in report.lines) == report.total


def test_what_the_lines_lack_is_explained_by_tip_duties_and_fees() -> None:
    apart = {"total_tip_received": "5.00", "original_total_duties_set": money("7.00")}
    both = report_of(**apart, total_price_set=money("49.03"))
    assert [line.external_id for line in both.lines[2:]] == ["original_total_duties", "total_tip_received"]
    assert [line.external_id for line in report_of(**apart, total_price_set=money("44.03")).lines[2:]] == [
        "original_total_duties"
    ]
    assert len(report_of(**apart).lines) == 2


def test_a_cent_of_rounding_does_not_swallow_the_tip() -> None:
    report = report_of(total_tip_received="5.00", total_price_set=money("42.04"))
    assert report.lines[2].gross == Decimal("5.00")


def test_cash_rounding_is_a_matter_of_the_payment() -> None:
    report = report_of(total_cash_rounding_payment_adjustment_set=money("0.02"))
    assert len(report.lines) == 2


def test_variants_that_are_gone_have_no_id() -> None:
    assert report_of(line_items=[item(product_exists=False)]).lines[0].product_id == ""
    assert report_of(line_items=[item(variant_id=None, product_id=None)]).lines[0].product_id == ""
    assert report_of().lines[0].product_id == "51"


def test_ids_beyond_a_float_keep_every_digit() -> None:
    report = report_of()
    assert (report.external_id, report.lines[0].external_id) == ("820982911946154508", "866550311766439020")


def test_what_stands_around_the_amounts() -> None:
    report = report_of()
    assert report.number == "#1001"
    assert report.placed_at == datetime(2026, 11, 21, 17, 0, tzinfo=UTC)
    assert (report.buyer.external_id, report.buyer.vat_id, report.buyer.phone) == ("207119551", "DE123", "+49301")
    assert (report.buyer.email, report.billing.email) == ("anna@example.test", "anna@example.test")
    assert (report.billing.country, report.billing.postal_code) == ("DE", "10115")
    assert (report.note, report.vendor_status) == ("Bitte klingeln", "paid/unfulfilled")


def test_an_order_at_the_till_has_neither_buyer_nor_address() -> None:
    report = report_of(**VARIANTS["guest at the till"])
    assert (report.buyer.external_id, report.billing, report.shipping) == ("", Address(), None)
    assert report.stage is OrderStage.COMPLETED


@pytest.mark.parametrize(
    ("financial", "fulfilment", "cancelled", "stage"),
    [
        ("pending", None, None, OrderStage.PENDING),
        ("authorized", None, None, OrderStage.READY),
        ("paid", None, None, OrderStage.READY),
        ("paid", "partial", None, OrderStage.READY),
        ("partially_refunded", None, None, OrderStage.READY),
        ("partially_paid", None, None, OrderStage.PENDING),
        ("expired", None, None, OrderStage.PENDING),
        ("paid", "fulfilled", None, OrderStage.COMPLETED),
        ("voided", None, None, OrderStage.CANCELLED),
        ("refunded", "fulfilled", None, OrderStage.REFUNDED),
        ("refunded", None, "2026-11-21T19:00:00Z", OrderStage.CANCELLED),
        (None, None, None, OrderStage.PENDING),
        ("something_new", "not_eligible", None, OrderStage.PENDING),
    ],
)
def test_stages(financial: str | None, fulfilment: str | None, cancelled: str | None, stage: OrderStage) -> None:
    report = report_of(financial_status=financial, fulfillment_status=fulfilment, cancelled_at=cancelled)
    assert report.stage is stage


def test_the_merchant_says_what_is_ready() -> None:
    ready = ("pending",)
    assert parse(order(financial_status="pending"), ready_financial_statuses=ready).stage is OrderStage.READY
    assert parse(order(financial_status="paid"), ready_financial_statuses=ready).stage is OrderStage.PENDING


def test_returned_money_is_what_really_went() -> None:
    assert report_of(refunds=[refund("10.00"), refund("1.50")]).refunded == Decimal("11.50")


def test_a_return_of_goods_without_money_returns_none() -> None:
    empty = {"transactions": [], "refund_line_items": [{"subtotal": 9.9, "total_tax": 1.88}], "order_adjustments": []}
    assert report_of(refunds=[empty]).refunded == 0


def test_money_returned_in_another_currency_is_counted_by_the_goods_in_the_shops() -> None:
    goods = {
        "subtotal": 11.0,
        "subtotal_set": money("10.00", "11.00"),
        "total_tax": 1.76,
        "total_tax_set": money("1.60"),
    }
    postage = {"amount": "-4.40", "amount_set": money("-4.00", "-4.40"), "tax_amount": "0.00"}
    sent = {**refund("15.40", "USD"), "refund_line_items": [goods], "order_adjustments": [postage]}
    assert report_of(refunds=[sent]).refunded == Decimal("14.00")
    assert report_of(refunds=[sent], taxes_included=False).refunded == Decimal("15.60")


def test_a_trial_order_says_so() -> None:
    assert report_of(test=True).is_test
    (report,) = connect().parse(webhook(order(), test="true"))
    assert isinstance(report, OrderReport)
    assert report.is_test
    assert not report_of().is_test


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"id": None}, "id is missing"),
        ({"currency": "XXQ"}, "currency"),
        ({"total_price": "NaN", "total_price_set": None}, "total_price"),
        ({"total_price": None, "total_price_set": None}, "total_price"),
        ({"created_at": None, "processed_at": None}, "created_at"),
        ({"line_items": "none"}, "line_items"),
        ({"line_items": [item(), item()]}, "same id"),
        ({"line_items": [item(quantity=None)]}, "quantity"),
        ({"line_items": [item(tax_lines=[tax("1.00", 19)])]}, "tax rate"),
        ({"line_items": [item(price_set=None, price="900000000000000")]}, "out of bounds"),
        ({"customer": "Anna"}, "customer"),
        ({"payment_gateway_names": [{"name": "paypal"}]}, "payment_gateway_names"),
    ],
)
def test_trouble_of_shape_is_rejected_with_its_field(changes: dict[str, Any], words: str) -> None:
    assert words in rejected(**changes)


def test_business_trouble_is_reported_for_the_hub_to_judge() -> None:
    assert report_of(line_items=[], shipping_lines=[]).lines == ()
    assert report_of(line_items=[item(quantity=-1)]).lines[0].quantity == -1


@pytest.mark.parametrize(
    "event", ["create", "updated", "paid", "cancelled", "fulfilled", "partially_fulfilled", "edited"]
)
def test_every_order_topic_gives_the_same_report(event: str) -> None:
    assert parse(order(), f"orders/{event}") == report_of()


def test_an_edit_names_no_order_and_is_left_to_the_update_beside_it() -> None:
    assert isinstance(parse({"order_edit": {"id": 1, "order_id": 2}}, "orders/edited"), Ignored)


@pytest.mark.parametrize("topic", ["refunds/create", "customers/update", "products/exploded", "app/uninstalled", ""])
def test_other_topics_are_ignored_with_a_reason(topic: str) -> None:
    report = parse({"id": 1}, topic)
    assert isinstance(report, Ignored)
    assert topic in str(report.reason)


def test_deleted_says_only_the_id() -> None:
    assert parse({"id": 820982911946154508}, "orders/delete") == OrderGone(external_id="820982911946154508")


def test_a_subscription_speaks_our_topics() -> None:
    body = {
        "id": "gid://shopify/WebhookSubscription/7",
        "topic": "ORDERS_CREATE",
        "status": "active",
        "uri": "https://h",
    }
    assert parse(body, "webhook.state") == SubscriptionReport(
        external_id="7", topic="orders/create", active=True, vendor_status="active", url="https://h"
    )


def test_an_address_without_a_name_is_put_together() -> None:
    nameless = {**ADDRESS, "name": None}
    assert report_of(billing_address=nameless).billing.name == "Anna Grün"


def test_what_the_hub_wrote_behind_the_note_is_not_the_buyers() -> None:
    note = "Bitte klingeln\nZweimal\nCancelled in the ERP: out of stock"
    assert report_of(note=note).note == "Bitte klingeln\nZweimal"
    assert report_of(note="Cancelled in the ERP:").note == ""
