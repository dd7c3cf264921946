"""WooCommerce's refunds: recognised with their lines, written without moving money, and never taken for somebody else's."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from integration_hub.connectors.base import Delivery
from integration_hub.connectors.http import Http
from integration_hub.connectors.woocommerce import WITH_REFUNDS, WooCommerce
from integration_hub.kernel.aftersales import AfterSaleKind, AfterSaleReport, AfterSaleStage, Position
from integration_hub.kernel.errors import Rejected
from integration_hub.kernel.funds import TellPayment
from integration_hub.kernel.messages import OrderReport
from tests.connectors.world import outside

from . import payloads
from .mine import PAID, REFUNDED, TAKEN_BACK, settings
from .shop import Shop


def connect() -> WooCommerce:
    return WooCommerce(WooCommerce.Config(**settings()), Http())


def refunds_of(body: dict[str, object], topic: str = WITH_REFUNDS) -> list[AfterSaleReport]:
    order, *refunds = connect().parse(payloads.delivery(body, topic))
    assert isinstance(order, OrderReport)
    assert all(isinstance(one, AfterSaleReport) for one in refunds)
    return refunds  # type: ignore[return-value]


def test_a_refund_comes_with_its_lines_tax_and_shipping_costs() -> None:
    (found,) = refunds_of(payloads.refunded())
    assert (found.external_id, found.order_id, found.kind, found.stage) == (
        "9",
        "4711",
        AfterSaleKind.REFUND,
        AfterSaleStage.DONE,
    )
    assert found.positions == (
        Position(quantity=Decimal(1), line_id="1", sku="MUG-B", amount=Decimal("10.71"), tax=Decimal("1.71")),
    )
    assert (found.amount, found.shipping_amount, found.shipping_tax) == tuple(map(Decimal, ("15.61", "4.90", "0.78")))
    assert (found.money_moved, found.reason) == (False, "Tasse zerbrochen")


@pytest.mark.parametrize("named", [{}, {"reason": None, "refund": "Tasse zerbrochen"}])
def test_what_the_order_alone_says_is_an_amount(named: dict[str, object]) -> None:
    (found,) = refunds_of(payloads.order(refunds=[payloads.named_refund(**named)]), "order.updated")
    assert (found.external_id, found.amount, found.positions) == ("9", Decimal("15.61"), ())
    assert (found.money_moved, found.reason) == (None, "Tasse zerbrochen")


def test_a_refund_by_amount_only_has_no_positions_and_no_tax() -> None:
    bare = payloads.refund(line_items=[], shipping_lines=[], amount="5.00")
    body = payloads.order(refunds=[payloads.named_refund(total="-5.00")], hub_refunds=[bare])
    (found,) = refunds_of(body)
    assert (found.amount, found.positions, found.shipping_tax) == (Decimal("5.00"), (), None)


def test_a_line_that_names_no_line_of_the_order_is_known_by_its_article() -> None:
    bare = payloads.refund()
    bare["line_items"][0]["meta_data"] = "plugin"
    (found,) = refunds_of(payloads.order(refunds=[payloads.named_refund()], hub_refunds=[bare]))
    assert (found.positions[0].line_id, found.positions[0].sku) == ("", "MUG-B")


def test_only_an_order_that_names_refunds_is_asked_about_them() -> None:
    it = connect()
    assert not it.is_hint(payloads.delivery(payloads.order()))
    assert not it.is_hint(payloads.delivery(payloads.refunded(), WITH_REFUNDS))
    assert not it.is_hint(payloads.delivery(payloads.order(customer_note='{"refunds":[{"id":1}]}')))
    spaced = Delivery("order.updated", "1", json.dumps({"refunds": [{"id": 1}]}, indent=1).encode())
    assert it.is_hint(spaced)


def test_follow_reads_the_lines_and_keeps_the_order_as_it_was_said() -> None:
    shop, it = Shop(), connect()
    shop.refunds = [payloads.refund()]
    hint = payloads.delivery(payloads.order(refunds=[payloads.named_refund()], customer_note="as said"))
    with outside(shop):
        (found,) = it.follow(hint)
    report, refund = it.parse(found)
    assert isinstance(report, OrderReport)
    assert isinstance(refund, AfterSaleReport)
    assert (report.note, refund.positions[0].line_id) == ("as said", "1")


def test_an_order_deleted_meanwhile_leaves_what_it_said() -> None:
    hint = payloads.delivery(payloads.order(id=5, refunds=[payloads.named_refund()]))
    with outside(Shop()):
        (found,) = connect().follow(hint)
    assert [one.positions for one in connect().parse(found)[1:]] == [()]  # type: ignore[union-attr]


def test_a_refund_of_ours_names_lines_moves_nothing_and_comes_back_as_nothing_new() -> None:
    shop = Shop()
    with outside(shop):
        written = connect().send(REFUNDED)
        assert connect().send(REFUNDED).was_there
    (made,) = shop.refunds
    assert (made["api_refund"], made["api_restock"], made["amount"]) == (False, False, "15.61")
    assert made["line_items"] == [
        {"id": 1, "quantity": 1, "refund_total": "9.00", "refund_tax": [{"id": 1, "refund_total": "1.71"}]},
        {"id": 90, "quantity": 0, "refund_total": "4.12", "refund_tax": [{"id": 1, "refund_total": "0.78"}]},
    ]
    assert written.external_id == "1"
    order = shop.orders["4711"]
    assert refunds_of(order, "order.updated") == []


def test_a_payment_lets_only_what_waits_for_it_go_on() -> None:
    for status, puts in (
        ("on-hold", [{"status": "processing", "transaction_id": "ch_1"}]),
        ("cancelled", []),
        ("completed", []),
        ("in-arbeit", []),
    ):
        shop = Shop(payloads.order(status=status))
        with outside(shop):
            connect().send(PAID)
            assert connect().send(PAID).was_there
        assert (shop.puts, len(shop.notes)) == (puts, 1)


@pytest.mark.parametrize("status", ["partly_refunded", "refunded", "in_dispute"])
def test_what_else_became_of_the_money_is_a_note(status: str) -> None:
    shop = Shop()
    told = TellPayment(key="K", reference="R", order_id="4711", status=status, amount=Decimal("5.00"), currency="EUR")
    with outside(shop):
        connect().send(told)
    assert (shop.puts, "5.00" in shop.notes[0]["note"]) == ([], True)


def test_a_standing_nobody_knows_is_rejected() -> None:
    odd = TellPayment(key="K", reference="R", order_id="4711", status="lost", amount=Decimal(5), currency="EUR")
    with pytest.raises(Rejected):
        connect().send(odd)


def test_cancelling_sets_the_status_and_says_why() -> None:
    shop = Shop()
    with outside(shop):
        connect().send(TAKEN_BACK)
        assert connect().send(TAKEN_BACK).was_there
    assert shop.puts == [{"status": "cancelled"}]
    assert "out of stock" in shop.notes[0]["note"]
