"""Shopify's refunds and returns: recognised from both its shapes, and written without moving money."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from integration_hub.connectors.http import Http
from integration_hub.connectors.shopify import Shopify
from integration_hub.kernel.aftersales import AfterSaleKind, AfterSaleReport, AfterSaleStage
from integration_hub.kernel.errors import Rejected, RetryLater
from integration_hub.kernel.funds import TellPayment
from integration_hub.kernel.messages import OrderReport
from tests.connectors.world import outside

from . import payloads
from .mine import PAID, REFUNDED, TAKEN_BACK, settings
from .shop import Shop


def connect() -> Shopify:
    return Shopify(Shopify.Config(**settings()), Http())


def refunds_of(**changes: Any) -> list[AfterSaleReport]:
    order, *refunds = connect().parse(payloads.webhook(payloads.order(**changes)))
    assert isinstance(order, OrderReport)
    return refunds  # type: ignore[return-value]


def test_a_refund_is_the_money_that_went_with_the_lines_it_went_for() -> None:
    (found,) = refunds_of(refunds=[payloads.returned()])
    (line,) = found.positions
    assert (found.external_id, found.kind, found.amount) == ("983", AfterSaleKind.REFUND, Decimal("15.61"))
    assert (line.line_id, line.quantity, line.amount, line.tax, line.restock) == (
        "11",
        Decimal(1),
        Decimal("10.71"),
        Decimal("1.71"),
        True,
    )
    assert (found.shipping_amount, found.shipping_tax) == (Decimal("4.90"), Decimal("0.78"))
    assert (found.money_moved, found.payment_ids, found.reason) == (True, ("p5",), "Tasse zerbrochen")


def test_webhook_and_poll_say_the_same_of_it() -> None:
    node = {**payloads.node(payloads.order()), "refunds": [payloads.refund_node()]}
    (polled,) = connect().parse(payloads.polled(node))[1:]
    assert [polled] == refunds_of(refunds=[payloads.returned()])


def test_goods_taken_back_without_money_are_pieces_worth_nothing() -> None:
    (found,) = refunds_of(refunds=[payloads.returned(transactions=[])])
    assert (found.amount, found.money_moved, found.vendor_status) == (Decimal(0), False, "restocked")
    assert (found.positions[0].quantity, found.positions[0].amount, found.shipping_amount) == (
        Decimal(1),
        Decimal(0),
        Decimal(0),
    )


@pytest.mark.parametrize("money", ["15.60", "0.01", "7.00"])
def test_less_money_than_goods_is_shared_among_them_to_the_cent(money: str) -> None:
    sent = {"kind": "refund", "status": "success", "amount": money, "currency": "EUR", "manual_payment_gateway": True}
    (found,) = refunds_of(refunds=[payloads.returned(transactions=[sent])])
    assert (found.positions[0].amount or 0) + found.shipping_amount == found.amount == Decimal(money)
    assert found.money_moved is False


def test_money_without_lines_is_an_amount() -> None:
    (found,) = refunds_of(refunds=[payloads.returned(refund_line_items=[], order_adjustments=[])])
    assert (found.amount, found.positions, found.shipping_tax) == (Decimal("15.61"), (), None)


def test_prices_without_tax_have_it_added() -> None:
    sent = [{"kind": "refund", "status": "success", "amount": "20.00", "currency": "EUR"}]
    (found,) = refunds_of(taxes_included=False, refunds=[payloads.returned(transactions=sent)])
    assert found.positions[0].amount == Decimal("12.42")


@pytest.mark.parametrize(
    ("status", "processed", "stage"),
    [
        ("REQUESTED", 0, AfterSaleStage.REQUESTED),
        ("OPEN", 0, AfterSaleStage.ANNOUNCED),
        ("OPEN", 1, AfterSaleStage.ANNOUNCED),
        ("OPEN", 2, AfterSaleStage.RECEIVED),
        ("CLOSED", 2, AfterSaleStage.DONE),
        ("CANCELED", 0, AfterSaleStage.DECLINED),
        ("DECLINED", 0, AfterSaleStage.DECLINED),
        ("SOMETHING_NEW", 0, AfterSaleStage.REQUESTED),
    ],
)
def test_a_return_and_its_stage(status: str, processed: int, stage: AfterSaleStage) -> None:
    (found,) = connect().parse(payloads.webhook(payloads.return_node(status, processed), "return.polled"))
    assert isinstance(found, AfterSaleReport)
    assert (found.kind, found.stage, found.external_id, found.order_id) == (AfterSaleKind.RETURN, stage, "77", "1")
    assert [(line.line_id, line.quantity) for line in found.positions] == [("11", Decimal(2))]
    assert (found.reason, found.vendor_status) == ("zu klein", status.lower())


def test_a_return_with_exchange_items_is_an_exchange() -> None:
    node = payloads.return_node("OPEN", 0)
    sold = {"id": "gid://shopify/LineItem/99", "sku": "MUG-R", "title": "Becher rot"}
    money = {"discountedTotalSet": {"shopMoney": {"amount": "12.50"}}}
    for line_items, sku, amount in (([], "", None), ([{**sold, **money}], "MUG-R", Decimal("12.50"))):
        item = {
            "id": "gid://shopify/ExchangeLineItem/5",
            "quantity": 2,
            "variantId": "gid://shopify/ProductVariant/808",
        }
        changed = {**node, "exchangeLineItems": {"nodes": [{**item, "lineItems": line_items}]}}
        (found,) = connect().parse(payloads.webhook(changed, "return.polled"))
        assert isinstance(found, AfterSaleReport)
        (instead,) = found.instead
        assert (found.kind, instead.product_id, instead.quantity) == ("EXCHANGE", "808", Decimal(2))
        assert (instead.sku, instead.amount) == (sku, amount)


def test_webhooks_of_returns_and_refunds_say_where_to_look() -> None:
    it, shop = connect(), Shop()
    shop.orders[0]["refunds"] = [{"id": "gid://shopify/Refund/983"}]
    with outside(shop):
        (returned,) = it.follow(payloads.webhook({"id": 77}, "returns/request"))
        (order,) = it.follow(payloads.webhook({"id": 983, "order_id": 820982911946154508}, "refunds/create"))
        assert it.follow(payloads.webhook({"id": 5}, "returns/close")) == []
    assert (returned.topic, returned.object_id) == ("return.polled", "77")
    assert [type(one) for one in it.parse(order)] == [OrderReport, AfterSaleReport]


def test_returns_are_polled() -> None:
    with outside(Shop()):
        page = connect().poll("returns", None, None)
    assert [item.object_id for item in page.deliveries] == ["77"]


def test_a_refund_of_ours_takes_lines_and_a_payment_by_hand_and_comes_back_as_nothing() -> None:
    shop = Shop()
    with outside(shop):
        connect().send(REFUNDED)
        assert connect().send(REFUNDED).was_there
    (made,) = shop.refunds
    assert made["refundLineItems"] == [
        {"lineItemId": "gid://shopify/LineItem/11", "quantity": 1, "restockType": "NO_RESTOCK"}
    ]
    (money,) = made["transactions"]
    assert (money["amount"], money["gateway"], made["shipping"], made["notify"]) == (
        "15.61",
        "Vorkasse",
        {"amount": "4.90"},
        False,
    )
    assert refunds_of(refunds=[payloads.returned(note=made["note"])]) == []


def test_a_gateway_is_never_asked_for_the_money() -> None:
    shop = Shop()
    shop.by_hand = False
    with outside(shop):
        connect().send(REFUNDED)
        connect().send(replace(REFUNDED, key="R1/R-9", positions=()))
        assert connect().send(replace(REFUNDED, key="R1/R-9", positions=())).was_there
    assert [one["transactions"] for one in shop.refunds] == [[]]
    assert "15.61 EUR went back" in shop.notes_written[0]
    (order, *_more) = connect().parse(payloads.webhook(payloads.order(note=shop.note)))
    assert isinstance(order, OrderReport)
    assert order.note == "Bitte klingeln"


def test_an_order_that_waits_is_marked_as_paid_and_another_gets_a_tag() -> None:
    for status, tags in (("PENDING", ["vip"]), ("AUTHORIZED", ["vip", "Hub: paid"])):
        shop = Shop()
        shop.status = status
        with outside(shop):
            connect().send(PAID)
            assert connect().send(PAID).was_there
        assert (shop.tags, shop.status) == (tags, "PAID" if status == "PENDING" else status)


@pytest.mark.parametrize("status", ["partly_refunded", "refunded", "in_dispute"])
def test_what_else_became_of_the_money_is_a_tag(status: str) -> None:
    shop = Shop()
    told = TellPayment(key="K", reference="R", order_id="1", status=status, amount=Decimal(5), currency="EUR")
    with outside(shop):
        connect().send(told)
    assert (shop.status, len(shop.tags)) == ("PENDING", 2)


def test_a_standing_nobody_knows_is_rejected() -> None:
    with pytest.raises(Rejected):
        connect().send(replace(PAID, status="lost"))


class Slow(Shop):
    """Cancels by and by."""

    def _on_cancel_order(self, variables: dict[str, Any]) -> Any:
        found = super()._on_cancel_order(variables)
        self.cancelled_at = ""
        return found


class Stubborn(Shop):
    """Does not cancel what has left."""

    def _on_cancel_order(self, variables: dict[str, Any]) -> Any:
        error = {"code": "INVALID", "field": None, "message": "Cannot cancel a fulfilled order"}
        return {"orderCancel": {"job": None, "orderCancelUserErrors": [error]}}


def test_a_cancellation_is_done_when_shopify_says_so() -> None:
    with outside(Slow()), pytest.raises(RetryLater) as caught:
        connect().send(TAKEN_BACK)
    assert caught.value.maybe_written
    with outside(Stubborn()), pytest.raises(Rejected) as refused:
        connect().send(TAKEN_BACK)
    assert "Cannot cancel" in str(refused.value)
