"""The Shopware connector tells a shop in memory what became of its orders; the shop's state machines judge each step."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from integration_hub.kernel.errors import Misconfigured, Rejected, Unsupported
from integration_hub.kernel.funds import TellPayment
from integration_hub.kernel.messages import TellShipped
from tests.connectors.world import outside

from . import payloads
from .mine import ACCEPTED, CANCEL, CANCELLED, PARCEL, REFUNDED, SHIPPED, connect
from .payloads import DISCOUNTED, delivery_row, order, price, state
from .shop import Shop, refusal

PARTLY = TellShipped(
    reference="R1", order_id=payloads.ORDER, parcel=replace(PARCEL, key="P0", tracking_number="00339"), complete=False
)


def own(name: str) -> dict[str, Any]:
    return order(stateMachineState=state(name))


def moves(shop: Shop) -> list[str]:
    return [what for what, _ in shop.writes if " " in what]


def test_accepted_is_a_custom_field_and_leaves_the_others() -> None:
    shop = Shop(order(customFields={"theirs": "x"}))
    with outside(shop):
        written = connect().send(ACCEPTED)
    assert shop.orders[0]["customFields"] == {"theirs": "x", "hub_sale_number": "S/9 (Tryton)"}
    assert (written.number, written.vendor_status) == ("SW-10077", "open/paid/open")
    assert written.url == f"https://shop.example.test/admin#/sw/order/detail/{payloads.ORDER}"
    assert moves(shop) == []


def test_accepted_under_another_number_is_told_again() -> None:
    shop = Shop()
    with outside(shop):
        connect().send(ACCEPTED)
        assert connect().find(replace(ACCEPTED, sale_number="S/10")) is None
        assert not connect().send(replace(ACCEPTED, sale_number="S/10")).was_there
    assert shop.orders[0]["customFields"]["hub_sale_number"] == "S/10 (Tryton)"


@pytest.mark.parametrize(("now", "steps"), [("open", ["order process"]), ("cancelled", []), ("completed", [])])
def test_a_late_acceptance_does_not_reopen_an_order(now: str, steps: list[str]) -> None:
    shop = Shop(own(now))
    with outside(shop):
        connect(accepted_state="in_progress").send(ACCEPTED)
    assert moves(shop) == steps


def test_parcels_in_part_then_the_rest() -> None:
    shop = Shop()
    with outside(shop):
        assert connect().send(PARTLY).vendor_status == "open/paid/shipped_partially"
        assert connect().send(PARTLY).was_there
        assert connect().send(SHIPPED).vendor_status == "open/paid/shipped"
    assert shop.orders[0]["deliveries"][0]["trackingCodes"] == ["00339", "00340"]
    assert [what for what, _ in shop.writes] == [
        "order-delivery", "order_delivery ship_partially", "order-delivery", "order_delivery ship",
    ]  # fmt: skip


def test_the_customer_gets_the_mail_about_a_parcel_if_the_merchant_wants_it() -> None:
    for wanted in (True, False):
        shop = Shop()
        with outside(shop):
            connect(mail_shipped=wanted, shipped_state="completed").send(SHIPPED)
        assert shop.writes[1:] == [("order_delivery ship", wanted), ("order process", False), ("order complete", False)]


def test_a_parcel_goes_to_the_delivery_with_its_lines_and_never_to_a_discount() -> None:
    off = delivery_row(id=DISCOUNTED, shippingCosts=price(-4.9), positions=[])
    shop = Shop(order(deliveries=[off, delivery_row()]))
    with outside(shop):
        connect().send(SHIPPED)
    assert [row["trackingCodes"] for row in shop.orders[0]["deliveries"]] == [[], ["00340"]]


@pytest.mark.parametrize("now", ["returned", "cancelled", "shipped"])
def test_a_late_parcel_only_brings_its_tracking_code(now: str) -> None:
    shop = Shop(order(deliveries=[delivery_row(stateMachineState=state(now))]))
    with outside(shop):
        connect().send(SHIPPED)
    assert moves(shop) == []
    assert shop.orders[0]["deliveries"][0]["trackingCodes"] == ["00340"]


def test_an_order_without_delivery_takes_no_parcel() -> None:
    with outside(Shop(order(deliveries=[]))), pytest.raises(Rejected):
        connect().send(SHIPPED)


def test_cancelled_in_the_erp_is_a_field_and_a_state_only_if_wished() -> None:
    shop = Shop()
    with outside(shop):
        connect().send(CANCELLED)
        assert moves(shop) == []
        assert connect(cancelled_state="cancelled").send(CANCELLED).vendor_status == "cancelled/paid/open"
    assert shop.orders[0]["customFields"] == {"hub_cancelled": "out of stock"}


def test_cancelling_the_order_mails_nobody() -> None:
    shop = Shop(own("in_progress"))
    with outside(shop):
        connect().send(CANCEL)
    assert shop.writes[-1] == ("order cancel", False)


def test_a_completed_order_is_not_cancelled() -> None:
    shop = Shop(own("completed"))
    with outside(shop), pytest.raises(Rejected) as caught:
        connect().send(CANCEL)
    assert caught.value.code == "illegal_step"
    assert shop.writes == []


def pay(status: str) -> TellPayment:
    return replace(REFUNDED, status=status)


@pytest.mark.parametrize(
    ("now", "told", "steps"),
    [
        ("open", "paid", ["paid"]),
        ("authorized", "paid", ["paid"]),
        ("cancelled", "paid", ["paid"]),
        ("paid", "paid", []),
        ("chargeback", "paid", ["paid"]),
        ("paid", "partly_refunded", ["refund_partially"]),
        ("paid", "refunded", ["refund"]),
        ("refunded_partially", "refunded", ["refund"]),
        ("refunded_partially", "partly_refunded", []),
        ("paid", "in_dispute", ["chargeback"]),
        ("open", "refunded", ["paid", "refund"]),
    ],
)
def test_how_the_money_stands_is_a_step_of_the_payment(now: str, told: str, steps: list[str]) -> None:
    shop = Shop(order(transactions=[payloads.payment(stateMachineState=state(now))]))
    with outside(shop):
        connect().send(pay(told))
        assert connect().send(pay(told)).was_there
    assert moves(shop) == [f"order_transaction {step}" for step in steps]


@pytest.mark.parametrize(("now", "told"), [("refunded", "paid"), ("refunded", "in_dispute"), ("chargeback", "strange")])
def test_what_no_step_leads_to_is_for_a_person(now: str, told: str) -> None:
    shop = Shop(order(transactions=[payloads.payment(stateMachineState=state(now))]))
    with outside(shop), pytest.raises(Rejected):
        connect().send(pay(told))
    assert shop.writes == []


@pytest.mark.parametrize("order_id", ["", "..", "1/../2", "0" * 31, "A" * 32, payloads.OTHER])
def test_an_order_that_is_none_or_gone_is_rejected(order_id: str) -> None:
    with outside(Shop()), pytest.raises(Rejected):
        connect().send(replace(ACCEPTED, order_id=order_id))


def test_a_sale_is_nothing_for_a_shop() -> None:
    with pytest.raises(Unsupported):
        connect().find("WriteSale")  # type: ignore[arg-type]


class Refusing(Shop):
    """A shop that answers each write with this refusal."""

    reply = refusal(403, "FRAMEWORK__MISSING_PRIVILEGE_ERROR", "Missing privilege order:update")

    def answer(self, request: Any) -> Any:
        return self.reply if self.is_write(request) else super().answer(request)


def test_a_missing_right_is_named() -> None:
    with outside(Refusing()), pytest.raises(Misconfigured) as caught:
        connect().send(ACCEPTED)
    assert "order:update" in str(caught.value)


def test_a_step_that_the_shop_has_forbidden_itself_says_why() -> None:
    shop = Refusing()
    shop.reply = refusal(400, "SYSTEM__ILLEGAL_STATE_TRANSITION", "Possible transitions are: reopen")
    with outside(shop), pytest.raises(Rejected) as caught:
        connect().send(CANCEL)
    assert "reopen" in str(caught.value)


def test_a_parcel_without_number_only_moves_the_state() -> None:
    shop, bare = Shop(), replace(PARCEL, tracking_number="", lines=((payloads.LINE, Decimal(1)),))
    with outside(shop):
        connect().send(replace(SHIPPED, parcel=bare))
    assert [what for what, _ in shop.writes] == ["order_delivery ship"]
