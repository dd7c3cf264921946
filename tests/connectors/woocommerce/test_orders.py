"""WooCommerce orders become reports: every trap of the format by name."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from integration_hub.connectors.http import Http
from integration_hub.connectors.woocommerce import WooCommerce
from integration_hub.kernel.errors import Rejected
from integration_hub.kernel.messages import Ignored, OrderGone, OrderReport, SubscriptionReport
from integration_hub.kernel.states import LineKind, OrderStage

from .mine import settings
from .payloads import BERLIN, delivery, item, order, shipping, tax_line


def parse(body: Any, topic: str = "order.updated", **config: Any) -> Any:
    connector = WooCommerce(WooCommerce.Config(**settings(**config)), Http())
    report, *_refunds = connector.parse(delivery(body, topic))
    return report


def report_of(**changes: Any) -> OrderReport:
    report = parse(order(**changes))
    assert isinstance(report, OrderReport)
    return report


def rejected(**changes: Any) -> str:
    with pytest.raises(Rejected) as caught:
        parse(order(**changes))
    return str(caught.value)


def test_gross_prices_come_from_net_amounts_and_their_tax() -> None:
    (line, _) = report_of().lines
    assert (line.unit_price, line.discount) == (Decimal("11.90"), Decimal("3.57"))
    assert (line.net, line.tax, line.gross) == (Decimal("27.00"), Decimal("5.13"), Decimal("32.13"))


def test_net_prices_stay_net() -> None:
    (line, _) = report_of(prices_include_tax=False).lines
    assert (line.unit_price, line.discount, line.gross) == (Decimal(10), Decimal(3), Decimal("32.13"))


def test_the_float_price_is_never_read() -> None:
    assert report_of(line_items=[item(price="nonsense")]) == report_of()


def test_what_stands_around_the_amounts() -> None:
    report = report_of()
    assert (report.external_id, report.number, report.currency) == ("4711", "R-4711", "EUR")
    assert report.placed_at == datetime(2026, 11, 21, 17, 0, tzinfo=UTC)
    assert report.updated_at == datetime(2026, 11, 21, 17, 0, 5, tzinfo=UTC)
    assert (report.buyer.external_id, report.buyer.name, report.billing.country) == ("12", "Anna Grün", "DE")
    assert report.payment.paid_at == datetime(2026, 11, 21, 17, 0, 3, tzinfo=UTC)
    assert (report.payment.method, report.payment.transaction_id) == ("paypal", "8XY")
    assert (report.note, report.is_test) == ("Bitte klingeln", False)


def test_titles_lose_their_html_entities() -> None:
    line = report_of().lines[0]
    assert (line.title, line.sku, line.gtin, line.product_id) == ("Tasse – blau", "MUG-B", "4006381333931", "7")


def test_the_variation_is_the_product() -> None:
    assert report_of(line_items=[item(variation_id=8)]).lines[0].product_id == "8"


def test_a_deleted_product_has_no_id() -> None:
    assert report_of(line_items=[item(product_id=0, sku=None)]).lines[0].product_id == ""


def test_only_rates_that_apply_count() -> None:
    line = report_of().lines[1]
    assert line.kind is LineKind.SHIPPING
    assert [(part.rate, part.amount, part.title) for part in line.taxes] == [
        (Decimal("0.19"), Decimal("0.78"), "MwSt. 19%")
    ]


@pytest.mark.parametrize("percent", [19, "19", "19.0000", 19.0])
def test_a_rate_is_a_number_or_a_text(percent: Any) -> None:
    report = report_of(tax_lines=[tax_line(percent=percent)])
    assert report.lines[0].taxes[0].rate == Decimal("0.19")


def test_a_rate_without_percentage_is_read_from_its_label() -> None:
    report = report_of(tax_lines=[tax_line(rate_percent=None, label="MwSt. 19 %")])
    assert report.lines[0].taxes[0].rate == Decimal("0.19")


def test_a_rate_without_any_word_is_read_from_the_unrounded_amounts() -> None:
    line = item(total="15.00", total_tax="1.13", taxes=[{"id": 75, "total": "1.125"}])
    nameless = tax_line(75, rate_percent=None, label="State Tax", rate_code="US-IL-STATE TAX")
    report = report_of(line_items=[line], tax_lines=[nameless], shipping_lines=[])
    (part,) = report.lines[0].taxes
    assert (part.rate, part.amount) == (Decimal("0.0750"), Decimal("1.13"))


def test_a_line_without_its_taxes_gets_the_rate_that_fits() -> None:
    (part,) = report_of(line_items=[item(taxes=[])]).lines[0].taxes
    assert (part.rate, part.amount) == (Decimal("0.19"), Decimal("5.13"))


def test_two_taxes_on_one_line_sum_up_to_its_tax() -> None:
    line = item(total_tax="5.13", taxes=[{"id": 1, "total": "2.5649"}, {"id": 2, "total": "2.5649"}])
    parts = report_of(line_items=[line]).lines[0].taxes
    assert [part.amount for part in parts] == [Decimal("2.56"), Decimal("2.57")]


def test_a_country_without_tax_has_none() -> None:
    line = item(quantity=2, subtotal="24.11", total="24.11", subtotal_tax="0.00", total_tax="0.00", taxes=[])
    report = report_of(line_items=[line], tax_lines=[], shipping_lines=[])
    assert (report.lines[0].gross, report.lines[0].taxes) == (Decimal("24.11"), ())


def test_fees_may_be_negative() -> None:
    report = report_of(fee_lines=[{"id": 5, "name": "Rabatt", "total": "-2.00", "total_tax": "-0.38", "taxes": []}])
    assert (report.lines[2].kind, report.lines[2].gross) == (LineKind.FEE, Decimal("-2.38"))


def test_gift_cards_that_reduced_the_total_are_lines() -> None:
    cards = [{"id": 2, "code": "SU9F-MGB5", "amount": 20}, {"id": 4, "code": "NZR8-BMP8", "amount": "7.03"}]
    report = report_of(total="10.00", gift_cards=cards)
    assert [line.gross for line in report.lines[2:]] == [Decimal(-20), Decimal("-7.03")]
    assert sum(line.gross for line in report.lines) == report.total
    assert "MGB5" in report.lines[2].title
    assert "SU9F" not in repr(report)


def test_gift_cards_that_did_not_reduce_the_total_are_no_lines() -> None:
    assert len(report_of(gift_cards=[{"id": 2, "code": "X", "amount": 20}]).lines) == 2


def test_bundles_are_taken_as_stated() -> None:
    child = item(
        2, quantity=3, subtotal="0.00", total="0.00", subtotal_tax="0", total_tax="0", taxes=[], bundled_by="1"
    )
    report = report_of(line_items=[item(), child])
    assert [line.gross for line in report.lines] == [Decimal("32.13"), Decimal(0), Decimal("4.90")]


def test_quantities_may_be_fractions() -> None:
    line = item(quantity="1.5", subtotal="10.00", total="10.00", subtotal_tax="0.70", total_tax="0.70")
    (found,) = report_of(line_items=[line], shipping_lines=[]).lines
    assert found.quantity == Decimal("1.5")
    assert round(found.quantity * found.unit_price, 2) == Decimal("10.70")


def test_a_line_whose_price_was_raised_by_hand_has_no_discount() -> None:
    line = report_of(line_items=[item(total="36.00", total_tax="6.84")]).lines[0]
    assert (line.unit_price, line.discount) == (Decimal("14.28"), Decimal(0))


def test_refunds_are_positive_and_leave_the_total() -> None:
    report = report_of(refunds=[{"id": 1, "reason": "x", "total": "-10.71"}, {"id": 2, "refund": "", "total": "-1.00"}])
    assert (report.refunded, report.total) == (Decimal("11.71"), Decimal("37.03"))


def test_business_trouble_is_reported_for_the_hub_to_judge() -> None:
    assert report_of(line_items=[], shipping_lines=[]).lines == ()
    assert report_of(line_items=[item(quantity=-1, total="-9.00", total_tax="-1.71")]).lines[0].quantity == -1
    assert report_of(line_items=[item(quantity=0)]).lines[0].quantity == 0
    assert report_of(total="99.99").total == Decimal("99.99")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"currency": ""}, "currency"),
        ({"currency": "EURO"}, "currency"),
        ({"currency": None}, "currency"),
        ({"id": None}, "id is missing"),
        ({"total": ""}, "total"),
        ({"total": "NaN"}, "total"),
        ({"total": ["1"]}, "total"),
        ({"total": "1e15"}, "out of bounds"),
        ({"line_items": {"a": 1}}, "line_items"),
        ({"line_items": [item(), item()]}, "same id"),
        ({"line_items": [item(quantity="many")]}, "quantity"),
        ({"line_items": [item(quantity="1e9")]}, "quantity"),
        ({"line_items": [item(total={"x": 1})]}, "total"),
        ({"billing": "Berlin"}, "billing"),
        ({"date_created_gmt": None, "date_modified_gmt": None}, "date_created_gmt"),
        ({"date_modified_gmt": "yesterday"}, "not a time"),
        ({"tax_lines": [tax_line(percent=1900)]}, "rate_percent"),
    ],
)
def test_trouble_of_shape_is_rejected_with_its_field(changes: dict[str, Any], words: str) -> None:
    assert words in rejected(**changes)


def test_plugins_write_numbers_as_text_nothing_as_text_and_nothing_as_list() -> None:
    odd = order(
        id="4711",
        number=4711,
        total=37.03,
        total_tax="",
        customer_id="0",
        prices_include_tax="yes",
        fee_lines=None,
        refunds="",
        meta_data={},
        shipping=[],
        line_items=[item(1, quantity="3", subtotal=30, total=27, subtotal_tax=5.7, total_tax=5.13)],
    )
    report = parse(odd)
    assert (report.number, report.total, report.total_tax) == ("4711", Decimal("37.03"), Decimal("5.91"))
    assert (report.buyer.external_id, report.shipping) == ("", None)
    assert report.lines == report_of().lines


def test_modified_may_be_missing() -> None:
    assert report_of(date_modified_gmt=None).updated_at == datetime(2026, 11, 21, 17, 0, tzinfo=UTC)


def test_a_vat_id_is_found_where_plugins_keep_it() -> None:
    assert report_of(meta_data=[{"key": "_billing_vat_id", "value": "DE1"}]).buyer.vat_id == "DE1"
    assert report_of(billing={**BERLIN, "vat_id": "DE2"}).buyer.vat_id == "DE2"
    assert report_of(meta_data=[{"key": "_billing_vat_id", "value": ["DE1"]}]).buyer.vat_id == ""


@pytest.mark.parametrize("meta", [None, "", {}, {"a": 1}, [[]], [None, 1, {"key": ["x"]}], "x"])
def test_no_meta_data_of_a_plugin_stops_an_order(meta: Any) -> None:
    assert report_of(meta_data=meta) == report_of()


def test_a_shipping_line_without_id_gets_a_stable_one() -> None:
    assert report_of(shipping_lines=[shipping(id=None)]).lines[1].external_id == "shipping:0"


@pytest.mark.parametrize(
    ("status", "stage"),
    [
        ("pending", OrderStage.PENDING),
        ("on-hold", OrderStage.PENDING),
        ("processing", OrderStage.READY),
        ("wc-processing", OrderStage.READY),
        ("completed", OrderStage.COMPLETED),
        ("cancelled", OrderStage.CANCELLED),
        ("failed", OrderStage.CANCELLED),
        ("refunded", OrderStage.REFUNDED),
        ("trash", OrderStage.GONE),
        ("wc-im-druck", OrderStage.PENDING),
    ],
)
def test_statuses(status: str, stage: OrderStage) -> None:
    report = report_of(status=status)
    assert (report.stage, report.vendor_status) == (stage, status.removeprefix("wc-"))


def test_the_merchant_says_which_statuses_are_ready() -> None:
    assert parse(order(status="on-hold"), ready_statuses=("wc-on-hold",)).stage is OrderStage.READY


def test_an_unfinished_checkout_is_no_order() -> None:
    assert isinstance(parse(order(status="checkout-draft")), Ignored)


@pytest.mark.parametrize("topic", ["order.created", "order.updated", "order.restored", "order.polled"])
def test_every_order_topic_gives_the_same_report(topic: str) -> None:
    assert parse(order(), topic) == report_of()


@pytest.mark.parametrize("topic", ["customer.created", "product.exploded", "coupon.deleted", "action.x", ""])
def test_other_topics_are_ignored_with_a_reason(topic: str) -> None:
    report = parse({"id": 1}, topic)
    assert isinstance(report, Ignored)
    assert topic in str(report.reason)


def test_deleted_says_only_the_id() -> None:
    assert parse({"id": 24}, "order.deleted") == OrderGone(external_id="24")


def test_a_webhook_is_active_by_its_status_only() -> None:
    body = {"id": 3, "topic": "order.created", "status": "disabled", "delivery_url": "https://hub.example/in/"}
    state = parse(body, "webhook.state")
    assert state == SubscriptionReport(
        external_id="3", topic="order.created", active=False, vendor_status="disabled", url="https://hub.example/in/"
    )
    assert parse({**body, "status": "active"}, "webhook.state").active
