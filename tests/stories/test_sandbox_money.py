"""The shops' money from capture to bank line, with the played providers: tied to its order, paid out, in the bank to the cent."""

from __future__ import annotations

from decimal import Decimal

import pytest

from integration_hub.management import demo_money
from integration_hub.messaging import polling, pump
from integration_hub.models import InboundEvent, PollState
from payments import chores
from payments.models import Allocation, BankLine, Payout, Transaction
from tests.sandbox.play import control, until_idle

from .full_stack import LONG_AGO, Stack

pytestmark = pytest.mark.django_db(transaction=True)


def read_all() -> None:
    PollState.objects.update(due_at=LONG_AGO)
    while polling.work():
        pass
    pump.drain()


def test_from_capture_to_bank_line(stack: Stack) -> None:
    for days in range(42, 0, -7):  # before the shop is connected: its first poll reads the past
        control(stack.sandbox, "orders", shop="woo", count=4, days_ago=days, webhooks=False)
    stack.shop("woo", stack.odoo())
    connections = demo_money.connect(stack.sandbox.url, stack.sandbox.world.hub)
    demo_money.pay_out(stack.sandbox.url)
    read_all()
    demo_money.upload(stack.sandbox.url, connections[demo_money.BANK])
    pump.drain()
    chores.find_orders()
    chores.look_after()

    moves = stack.rows("purse.moves")
    assert {row["provider"] for row in moves} == {"stripe", "paypal"}
    told = Transaction.objects.filter(connection__role="PAYMENT")
    assert told.count() == len(moves)
    assert sum(row.net for row in told if row.net is not None) == Decimal(
        sum(row["gross"] - row["fee"] for row in moves)
    ).scaleb(-2)
    captures = told.filter(kind="CAPTURE")
    assert Allocation.objects.filter(transaction__in=captures).count() == captures.count()
    assert not InboundEvent.objects.filter(state="PARKED").exists()

    arrived = {row["key"]: Decimal(row["amount"]).scaleb(-2) for row in stack.rows("purse.payouts") if "arrived" in row}
    assert arrived
    assert {row.external_id: row.amount for row in Payout.objects.filter(external_id__in=arrived)} == arrived
    for payout in Payout.objects.filter(has_items=True):
        assert (payout.explained, payout.remainder) == (payout.amount, Decimal(0))
    assert set(arrived.values()) <= set(BankLine.objects.values_list("amount", flat=True))


def test_a_webhook_brings_a_refund_made_at_the_provider(stack: Stack) -> None:
    stack.shop("woo", stack.odoo())
    control(stack.sandbox, "orders", shop="woo", count=8, days_ago=2, webhooks=False)
    demo_money.connect(stack.sandbox.url, stack.sandbox.world.hub)
    read_all()
    payment = next(row for row in stack.rows("purse.payments") if row["provider"] == "stripe")
    control(stack.sandbox, "money/refund", payment=payment["key"], amount=500)
    until_idle(stack.sandbox)
    pump.drain()
    refund = Transaction.objects.get(kind="REFUND")
    assert (refund.gross, refund.parent_external_id) == (Decimal("-5.0000"), payment["key"])
    assert InboundEvent.objects.filter(topic="refund.created", state="DONE").count() == 1
