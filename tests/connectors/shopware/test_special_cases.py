"""Special cases of Shopware: what its state machines and its return management say, and what the hub writes there."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from integration_hub.connectors.base import Delivery
from integration_hub.kernel.aftersales import AfterSaleReport
from integration_hub.kernel.errors import Rejected
from tests.connectors.world import outside

from . import payloads
from .mine import CAME_BACK, EXCHANGED, PAID_BACK, connect
from .payloads import back, delivery_row, order, payment, price, refund, refunded, returned, state
from .shop import Shop

PRICE = {"orderLineItemId": payloads.LINE, "price": price(30.0, quantity=3)}


def told(body: Any, topic: str = "order.polled", **config: Any) -> list[AfterSaleReport]:
    reports = connect(**config).parse(payloads.delivery(body, topic))
    return [one for one in reports if isinstance(one, AfterSaleReport)]


def test_an_order_that_is_as_it_was_says_nothing() -> None:
    assert told(order()) == []


@pytest.mark.parametrize(
    ("word", "stage", "moved"),
    [
        ("open", "REQUESTED", False),
        ("in_progress", "REQUESTED", False),
        ("completed", "DONE", True),
        ("failed", "DECLINED", False),
        ("cancelled", "DECLINED", False),
    ],
)
def test_a_refund_of_a_capture_names_lines_and_money(word: str, stage: str, moved: bool) -> None:
    (found,) = told(refunded(refund(name=word)))
    assert (found.kind, found.stage, found.money_moved, found.reason) == ("REFUND", stage, moved, "broken")
    assert (found.external_id, found.order_id, found.amount) == (payloads.REFUND, payloads.ORDER, Decimal("10.0"))
    (position,) = found.positions
    assert (position.line_id, position.quantity, position.amount) == (payloads.LINE, Decimal(1), Decimal("10.0"))


def test_an_unknown_state_of_a_refund_is_somebodys_to_look_at() -> None:
    with pytest.raises(Rejected):
        told(refunded(refund(name="teleported")))


@pytest.mark.parametrize(("word", "amount"), [("refunded", Decimal("31.9")), ("refunded_partially", None)])
def test_a_payment_that_went_back_without_a_row_of_its_own(word: str, amount: Decimal | None) -> None:
    (found,) = told(order(transactions=[payment(stateMachineState=state(word))]))
    assert (found.kind, found.amount, found.positions, found.vendor_status) == ("REFUND", amount, (), word)
    assert found.external_id == f"{payloads.PAYMENT}:{word}"


def test_a_delivery_that_came_back_as_a_whole_brings_all_it_held() -> None:
    (found,) = told(returned("returned"))
    assert (found.kind, found.stage) == ("RETURN", "RECEIVED")
    assert [(one.line_id, one.quantity) for one in found.positions] == [(payloads.LINE, Decimal(3))]


def test_a_delivery_that_came_back_in_part_does_not_say_what() -> None:
    (found,) = told(returned("returned_partially"))
    assert (found.kind, found.positions, found.amount) == ("RETURN", (), None)


def test_a_position_without_pieces_says_them_by_its_price() -> None:
    (found,) = told(order(deliveries=[delivery_row(stateMachineState=state("returned"), positions=[PRICE])]))
    assert [one.quantity for one in found.positions] == [3]


@pytest.mark.parametrize(("own", "kinds"), [("open", ["CANCELLATION"]), ("cancelled", [])])
def test_a_delivery_that_is_cancelled_takes_its_goods_out_of_an_order_that_is_not(own: str, kinds: list[str]) -> None:
    found = told(returned("cancelled", stateMachineState=state(own)))
    assert [one.kind for one in found] == kinds


@pytest.mark.parametrize(
    ("word", "line", "stage"),
    [
        ("open", "return_requested", "REQUESTED"),
        ("in_progress", "return_requested", "ANNOUNCED"),
        ("in_progress", "returned", "RECEIVED"),
        ("done", "returned", "DONE"),
        ("cancelled", "cancelled", "DECLINED"),
    ],
)
def test_a_return_of_the_return_management(word: str, line: str, stage: str) -> None:
    (found,) = told(back(word, line), "return.polled", returns=True)
    assert (found.kind, found.stage, found.order_id, found.reason) == ("RETURN", stage, payloads.ORDER, "R-1000")
    assert [(one.line_id, one.quantity, one.amount) for one in found.positions] == [
        (payloads.LINE, Decimal(1), Decimal("10.0"))
    ]


def test_returns_are_polled_page_by_page_and_only_where_the_extension_is_there() -> None:
    shop = Shop()
    shop.returns = [back(id=f"{number:032x}", createdAt=f"2026-11-21T17:00:{number:02}+00:00") for number in range(52)]
    with outside(shop):
        assert connect().poll("returns", None, None).deliveries == []
        first = connect(returns=True).poll("returns", None, None)
        rest = connect(returns=True).poll("returns", None, first.token)
    ids = [one.object_id for page in (first, rest) for one in page.deliveries]
    assert (len(first.deliveries), rest.token, ids) == (50, None, [f"{number:032x}" for number in range(52)])


def test_a_webhook_about_a_return_is_followed_to_it() -> None:
    shop = Shop()
    shop.returns = [back()]
    body = payloads.event("order_return.written", [payloads.written("order_return", payloads.RETURN)])
    hint = Delivery("order_return.written", payloads.RETURN, body)
    with outside(shop):
        assert connect(returns=True).is_hint(hint)
        assert [one.topic for one in connect(returns=True).follow(hint)] == ["return.polled"]
        assert list(connect().follow(hint)) == []


def test_with_the_return_management_a_deliverys_state_is_no_second_return() -> None:
    assert told(returned("returned"), returns=True) == []


def moves(shop: Shop) -> list[str]:
    return [what for what, _ in shop.writes if " " in what]


def test_refunds_in_parts_until_all_is_back() -> None:
    shop = Shop()
    rest = replace(PAID_BACK, key="R1/R-8", amount=Decimal("26.90"))
    with outside(shop):
        assert connect().send(PAID_BACK).vendor_status == "open/refunded_partially/open"
        assert connect().send(PAID_BACK).was_there
        assert connect().send(rest).vendor_status == "open/refunded/open"
        assert connect().find(rest)
    assert moves(shop) == ["order_transaction refund_partially", "order_transaction refund"]
    assert sorted(shop.orders[0]["customFields"].values()) == ["26.90 EUR refunded", "5.00 EUR refunded_partially"]


def test_what_the_hub_has_set_there_comes_back_as_nothing() -> None:
    shop = Shop(returned("shipped"))
    with outside(shop):
        connect().send(PAID_BACK)
        connect().send(CAME_BACK)
    assert shop.orders[0]["deliveries"][0]["stateMachineState"]["technicalName"] == "returned_partially"
    assert told(shop.orders[0]) == []


def test_what_the_shop_sets_on_top_of_it_is_news() -> None:
    shop = Shop(returned("shipped"))
    with outside(shop):
        connect().send(CAME_BACK)
    shop.orders[0]["deliveries"][0]["stateMachineState"] = state("returned")
    assert [one.vendor_status for one in told(shop.orders[0])] == ["returned"]


def test_a_refund_that_broke_off_between_note_and_state_is_finished() -> None:
    shop = Shop()
    with outside(shop):
        connect().send(PAID_BACK)
        shop.orders[0]["transactions"][0]["stateMachineState"] = state("paid")
        assert connect().find(PAID_BACK) is None
        assert connect().send(PAID_BACK).vendor_status == "open/refunded_partially/open"
    assert len(shop.orders[0]["customFields"]) == 1


def test_an_unpaid_order_and_an_unshipped_delivery_are_only_noted() -> None:
    shop = Shop(order(transactions=[payment(stateMachineState=state("open"))]))
    with outside(shop):
        connect().send(PAID_BACK)
        connect().send(CAME_BACK)
    assert moves(shop) == []
    assert len(shop.orders[0]["customFields"]) == 2


def test_all_back_is_returned_and_an_exchange_is_a_note() -> None:
    shop = Shop(returned("shipped_partially"))
    with outside(shop):
        connect().send(replace(CAME_BACK, complete=True))
        connect().send(EXCHANGED)
        connect().send(replace(EXCHANGED, key="R1/E-5/9", tracking="DHL 0034"))
    assert moves(shop) == ["order_delivery retour"]
    notes = sorted(value for key, value in shop.orders[0]["customFields"].items() if key.startswith("hub_exchange"))
    assert len(notes) == 2
    assert "MUG-R" in notes[0]
    assert "DHL 0034" in notes[1]
