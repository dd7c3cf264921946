"""The played payment providers and the bank, over HTTP: orders are paid, webhooks signed, payouts reach the bank to the cent."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
import requests

from integration_hub.connectors.bank import Bank
from integration_hub.connectors.base import Connector, Delivery
from integration_hub.connectors.mollie import Mollie
from integration_hub.connectors.paypal import PayPal
from integration_hub.connectors.stripe import Stripe
from integration_hub.kernel.funds import (
    DisputeReport,
    PayoutReport,
    StatementReport,
    TransactionKind,
    TransactionReport,
)
from integration_hub.kernel.messages import OrderReport
from integration_hub.sandbox import world as facts
from integration_hub.sandbox.app import Sandbox
from tests.connectors.soundness import assert_settlement_adds_up

from .play import Door, control, http, shopify, woo

STREAMS = {
    "stripe": ("movements", "payouts", "items", "disputes", "refunds"),
    "paypal": ("transactions", "disputes"),
    "mollie": ("movements", "settlements", "chargebacks"),
}
SECRETS = {"stripe": facts.STRIPE_WEBHOOK_SECRET, "paypal": facts.PAYPAL_WEBHOOK_ID, "mollie": ""}


def provider(sandbox: Sandbox, name: str) -> Connector:
    if name == "stripe":
        given = Stripe.Config(api_key=facts.STRIPE_KEY, webhook_secret=SECRETS[name], url=f"{sandbox.url}/stripe")
        return Stripe(given, http())
    if name == "paypal":
        login = {"client_id": facts.PAYPAL_ID, "client_secret": facts.PAYPAL_SECRET, "webhook_id": SECRETS[name]}
        return PayPal(PayPal.Config(**login, url=f"{sandbox.url}/paypal"), http())
    keys = {"api_key": facts.MOLLIE_KEY, "access_token": facts.MOLLIE_TOKEN}
    return Mollie(Mollie.Config(**keys, url=f"{sandbox.url}/mollie/v2"), http())


def polled(it: Connector, stream: str) -> list[Any]:
    found: list[Any] = []
    token = None
    while True:
        page = it.poll(stream, None, token)
        found += [report for one in page.deliveries for report in it.parse(one)]
        token = page.token
        if token is None:
            return found


def told(sandbox: Sandbox, name: str) -> list[Any]:
    it = provider(sandbox, name)
    return [report for stream in STREAMS[name] for report in polled(it, stream)]


def movements(reports: list[Any]) -> dict[str, TransactionReport]:
    """What is known of each movement in the end: later facts fill what earlier ones left out."""
    known: dict[str, TransactionReport] = {}
    for report in reports:
        if isinstance(report, TransactionReport):
            before = known.get(report.external_id)
            known[report.external_id] = report if before is None or report.net is not None else before
    return known


def past_orders(sandbox: Sandbox, count: int = 12) -> None:
    for shop in ("woo", "shopify"):
        for days in range(40, 0, -10):
            control(sandbox, "orders", shop=shop, count=count // 4, days_ago=days, webhooks=False)


def test_every_paid_order_has_its_payment_where_the_shop_says(sandbox: Sandbox) -> None:
    past_orders(sandbox)
    ids = {key for name in STREAMS for key in movements(told(sandbox, name))}
    page = woo(sandbox).poll("orders", None, None)
    orders = [one for found in page.deliveries for one in woo(sandbox).parse(found) if isinstance(one, OrderReport)]
    stated = {order.payment.transaction_id for order in orders if order.payment.transaction_id}
    assert stated
    assert stated <= ids
    page = shopify(sandbox).poll("orders", None, None)
    numbers = {one.number for found in page.deliveries for one in shopify(sandbox).parse(found)
               if isinstance(one, OrderReport)}  # fmt: skip
    named = {
        one.hints.order_reference for one in movements(told(sandbox, "mollie")).values() if one.hints.order_reference
    }
    assert named
    assert named <= numbers | {f"#{number}" for number in numbers}


def test_payouts_reach_the_bank_and_are_what_their_items_make(sandbox: Sandbox) -> None:
    past_orders(sandbox, 24)
    assert control(sandbox, "money/history", days=40)["payouts"] > 6
    it = Bank(Bank.Config(), http())
    file = requests.get(f"{sandbox.url}/control/bank/statement", timeout=10).content
    statements = [one for found in it.take("auszug.xml", file) for one in it.parse(found)]
    lines = [line for one in statements if isinstance(one, StatementReport) for line in one.lines]
    arrived = {line.end_to_end_id: line.amount for line in lines}
    for name in STREAMS:
        reports = told(sandbox, name)
        known = movements(reports)
        for one in known.values():
            assert_settlement_adds_up(one)
        payouts = {one.external_id: one for one in reports if isinstance(one, PayoutReport)}
        assert payouts
        for key, payout in payouts.items():
            assert key not in arrived or arrived[key] == payout.amount
            inside = [one for one in reports if isinstance(one, TransactionReport) and one.payout_id == key]
            nets = {one.external_id: known[one.external_id].net for one in inside}
            if name != "paypal" and payout.has_items:
                assert sum(net for net in nets.values() if net is not None) == payout.amount
        total = sum(one.net for one in known.values() if one.kind is not TransactionKind.PAYOUT and one.net is not None)
        assert total >= sum(payout.amount for payout in payouts.values())
    assert len([line for line in lines if "Bestellung" in line.text]) > 0


def test_a_payout_may_be_wrong_by_a_cent(sandbox: Sandbox) -> None:
    past_orders(sandbox)
    wrong = control(sandbox, "money/payout", provider="stripe", wrong=1)
    reports = told(sandbox, "stripe")
    payout = next(one for one in reports if isinstance(one, PayoutReport))
    inside = {one.external_id: one.net for one in reports if isinstance(one, TransactionReport) and one.payout_id}
    assert payout.amount - sum(net for net in inside.values() if net is not None) == Decimal("0.01")
    assert payout.external_id == wrong["key"]


@pytest.mark.parametrize("name", sorted(STREAMS))
def test_webhooks_are_signed_and_lead_to_what_happened(sandbox: Sandbox, door: Door, name: str) -> None:
    past_orders(sandbox)
    control(sandbox, "money/subscribe", provider=name, url=door.url, secret=SECRETS[name])
    payment = next(row for row in sandbox.purse.rows("payments", name))
    control(sandbox, "money/refund", payment=payment["key"], amount=500)
    control(sandbox, "money/dispute", payment=payment["key"])
    it = provider(sandbox, name)
    hints: list[Delivery] = [hint for request in door.wait(2) for hint in it.receive(request)]
    found = [report for hint in hints for one in it.follow(hint) for report in it.parse(one)]
    refunds = [one for one in found if isinstance(one, TransactionReport) and one.kind is TransactionKind.REFUND]
    assert refunds[0].gross == Decimal("-5.00")
    disputes = [one for one in found if isinstance(one, DisputeReport)]
    assert disputes[0].transaction_id == payment["key"]
