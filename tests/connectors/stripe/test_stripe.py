"""What is Stripe's own: secrets being rolled, odd currencies, other accounts, payouts with and without items."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from integration_hub.connectors._stripe_money import digits, minor
from integration_hub.connectors.base import Delivery, Incoming
from integration_hub.connectors.http import Http
from integration_hub.connectors.stripe import Stripe
from integration_hub.kernel.errors import Rejected, Unauthentic
from integration_hub.kernel.funds import (
    DisputeReport,
    DisputeStage,
    FeeKind,
    PayoutReport,
    TransactionKind,
    TransactionReport,
    TransactionState,
)
from integration_hub.sandbox.purse import Paid
from integration_hub.sandbox.stripe import signed
from tests.connectors.world import outside

from . import mine, payloads

FOLDER = Path(__file__).parents[4] / "shared" / "payloads" / "stripe"
real = pytest.mark.skipif(not FOLDER.is_dir(), reason="the real payloads are not here")
Make = Callable[..., Stripe]


def stripe(**changes: Any) -> Stripe:
    return Stripe(Stripe.Config(**mine.settings(**changes)), Http())


def told(topic: str, body: dict[str, Any]) -> list[Any]:
    return list(stripe().parse(payloads.delivery(topic, body)))


def movement(topic: str, body: dict[str, Any]) -> TransactionReport:
    (report,) = [one for one in told(topic, body) if isinstance(one, TransactionReport)]
    return report


def incoming(body: bytes, secret: str, at: int | None = None) -> Incoming:
    return Incoming({name.lower(): value for name, value in signed(secret, body, at).items()}, body)


def test_the_old_secret_counts_until_its_time() -> None:
    soon = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    past = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
    rolled = {"webhook_secret": "whsec_new_secret", "previous_webhook_secret": mine.SECRET}
    request = incoming(b'{"id": "evt_1", "type": "charge.succeeded"}', mine.SECRET)
    assert stripe(**rolled, previous_until=soon).receive(request)
    for until in (past, ""):
        with pytest.raises(Unauthentic):
            stripe(**rolled, previous_until=until).receive(request)


def test_any_of_several_signatures_may_fit_and_other_schemes_prove_nothing() -> None:
    body = b'{"id": "evt_1"}'
    header = signed(mine.SECRET, body)["Stripe-Signature"]
    stamp, right = header.split(",")
    both = Incoming({"stripe-signature": f"{stamp},v1={'0' * 64},{right}"}, body)
    assert stripe().receive(both)
    with pytest.raises(Unauthentic):
        stripe().receive(Incoming({"stripe-signature": header.replace("v1=", "v0=")}, body))


@pytest.mark.parametrize("off", [-301, 301])
def test_a_signature_is_good_for_five_minutes(off: int) -> None:
    now = int(datetime.now(UTC).timestamp())
    with pytest.raises(Unauthentic):
        stripe().receive(incoming(b"{}", mine.SECRET, now + off))
    assert stripe().receive(incoming(b"{}", mine.SECRET, now + off // 2))


@real
def test_the_signature_vector_of_stripes_own_library(monkeypatch: pytest.MonkeyPatch) -> None:
    vector = json.loads((FOLDER / "hmac_vector.json").read_text())
    monkeypatch.setattr("integration_hub.connectors.stripe.TOLERANCE", 10**10)
    header = f"t={vector['timestamp']},v1={vector['v1']}"
    it = stripe(webhook_secret=vector["secret"])
    assert it.receive(Incoming({"stripe-signature": header}, vector["body"].encode()))


@pytest.mark.parametrize(
    ("currency", "amount", "said"),
    [
        ("jpy", 500, "500"),
        ("krw", 1, "1"),
        ("kwd", 5120, "5.120"),
        ("isk", 500, "5"),
        ("eur", 1, "0.01"),
        ("mga", 7, "7"),
    ],
)
def test_minor_units_are_stripes_own(currency: str, amount: int, said: str) -> None:
    report = movement("charge", payloads.charge(amount=amount, amount_captured=amount, currency=currency,
                                                balance_transaction=None))  # fmt: skip
    assert (report.gross, report.currency) == (Decimal(said), currency.upper())


@settings(max_examples=50, deadline=None)
@given(amount=st.integers(1, 10**12), currency=st.sampled_from(["EUR", "JPY", "KWD", "ISK", "UGX", "MGA"]))
def test_minor_units_lose_nothing(amount: int, currency: str) -> None:
    assert minor(Decimal(amount).scaleb(-digits(currency)), currency) == amount
    assert minor(Decimal("0.00001"), currency) is None


def test_a_charge_in_another_currency_keeps_both_and_the_rate() -> None:
    entry = payloads.entry(amount=10834, fee=300, exchange_rate=1.0834)
    report = movement("charge", payloads.charge(amount=10000, amount_captured=10000, currency="usd",
                                                balance_transaction=entry))  # fmt: skip
    assert (report.gross, report.currency) == (Decimal("100.00"), "USD")
    assert (report.settled_gross, report.net, report.settlement_currency) == (
        Decimal("108.34"),
        Decimal("105.34"),
        "EUR",
    )
    assert report.rate == Decimal("1.0834")


def test_fees_are_told_apart_and_tax_is_contained() -> None:
    parts = [
        {"amount": 150, "currency": "eur", "type": "stripe_fee", "description": "Stripe processing fees"},
        {"amount": 29, "currency": "eur", "type": "tax", "description": "VAT"},
        {"amount": 24, "currency": "eur", "type": "application_fee", "description": "Platform"},
    ]
    report = movement("charge", payloads.charge(balance_transaction=payloads.entry(fee_details=parts)))
    assert [(fee.kind, fee.amount) for fee in report.fees] == [
        (FeeKind.PROCESSING, Decimal("1.50")),
        (FeeKind.TAX, Decimal("0.29")),
        (FeeKind.OTHER, Decimal("0.24")),
    ]
    assert report.fee_tax == Decimal("0.29")


def test_figures_that_are_wrong_by_a_cent_are_not_believed() -> None:
    wrong = payloads.entry(net=11698)
    with pytest.raises(Rejected, match="do not add up"):
        told("charge", payloads.charge(balance_transaction=wrong))


def test_a_dispute_takes_the_money_and_a_fee_and_winning_gives_both_back() -> None:
    won = payloads.dispute(
        "won",
        payloads.entry(3, -1000, 2000, "dispute", source="dp_1"),
        payloads.entry(4, 1000, -2000, "dispute_reversal", source="dp_1"),
    )
    dispute, taken, given = told("dispute", won)
    assert isinstance(dispute, DisputeReport)
    assert (dispute.stage, dispute.transaction_id, dispute.fee) == (DisputeStage.WON, "ch_1", Decimal(0))
    assert (taken.kind, taken.net, taken.parent_id) == (TransactionKind.DISPUTE, Decimal("-30.00"), "ch_1")
    assert (given.kind, given.net) == (TransactionKind.DISPUTE_REVERSAL, Decimal("30.00"))
    assert [fee.kind for fee in (*taken.fees, *given.fees)] == [FeeKind.DISPUTE, FeeKind.DISPUTE]


def test_a_refund_that_failed_brings_the_money_back_as_a_movement_of_its_own() -> None:
    back = payloads.entry(9, 2000, 0, "refund_failure", source="re_1")
    refund, returned = told("refund", payloads.refund(status="failed", failure_balance_transaction=back))
    assert (refund.external_id, refund.state, refund.gross) == ("re_1", TransactionState.FAILED, Decimal("-20.00"))
    assert (returned.external_id, returned.kind, returned.parent_id) == ("txn_9", TransactionKind.REFUND_FAILED, "re_1")


def test_a_charge_has_one_identity_wherever_it_is_told() -> None:
    seen = [
        movement("charge", payloads.charge()),
        movement("movement", payloads.entry(source=payloads.charge())),
        movement("item", payloads.entry(payout="po_1")),
    ]
    assert {(one.external_id, one.kind, one.net) for one in seen} == {
        ("ch_1", TransactionKind.CAPTURE, Decimal("116.97"))
    }
    assert [one.payout_id for one in seen] == ["", "", "po_1"]
    assert seen[0].hints.order_reference == "1007"
    assert seen[0].hints.payment_ids == ("ch_1", "pi_1")


def test_a_fee_that_stands_alone_moves_only_itself() -> None:
    report = movement("item", payloads.entry(6, -500, 0, "fee", source=None))
    assert (report.kind, report.settled_gross, report.net) == (TransactionKind.FEE, Decimal(0), Decimal("-5.00"))
    assert [(fee.kind, fee.amount) for fee in report.fees] == [(FeeKind.SUBSCRIPTION, Decimal("5.00"))]


def test_an_event_of_another_account_is_refused() -> None:
    body = payloads.event("charge.succeeded", {"id": "ch_1", "object": "charge"}, account="acct_other")
    for account in ("", "acct_mine"):
        with pytest.raises(Rejected, match="acct_other") as caught:
            stripe(account=account).follow(Delivery("charge.succeeded", "evt_1", body))
        assert caught.value.code == "other_account"


def test_thin_events_and_intents_lead_to_the_charge() -> None:
    thin = {"id": "evt_1", "type": "v1.charge.succeeded", "related_object": {"id": mine.CHARGE, "type": "charge"}}
    intent = payloads.event(
        "payment_intent.succeeded", {"id": mine.CHARGE.replace("ch_", "pi_"), "object": "payment_intent"}
    )
    for body in (json.dumps(thin).encode(), intent):
        it = stripe()
        with outside(mine.Account()):
            (found,) = it.follow(Delivery("any.event", "evt_1", body))
        (report,) = it.parse(found)
        assert isinstance(report, TransactionReport)
        assert (report.external_id, report.net) == (mine.CHARGE, Decimal("116.96"))


def test_an_event_about_something_else_leads_nowhere() -> None:
    body = payloads.event("customer.created", {"id": "cus_1", "object": "customer"})
    assert stripe().follow(Delivery("customer.created", "evt_1", body)) == ()


def test_one_event_is_one_whether_it_came_or_was_looked_up() -> None:
    account = mine.Account()
    it = stripe()
    with outside(account):
        (polled,) = it.poll("events", None, None).deliveries
    (received,) = it.receive(incoming(polled.body, mine.SECRET))
    assert (received.key, received.topic) == (polled.key, polled.topic)
    assert polled.key


def read_all(it: Stripe, stream: str) -> list[Any]:
    found, token = [], None
    while True:
        page = it.poll(stream, None, token)
        found += [report for one in page.deliveries for report in it.parse(one)]
        token = page.token
        if token is None:
            return found


def test_the_items_of_a_payout_sum_up_to_it_and_a_manual_one_names_none() -> None:
    account = mine.Account()
    purse = account.purse
    for number in range(230):
        purse.pay("stripe", Paid("woo", 100 + number, str(number), 1000 + number))
    purse.refund(mine.CHARGE, 2000)
    purse.fee("stripe", 700, "Radar")
    first = purse.payout("stripe")
    purse.pay("stripe", Paid("woo", 999, "999", 5000))
    manual = purse.payout("stripe", manual=True)
    it = stripe()
    with outside(account):
        payouts = {one.external_id: one for one in read_all(it, "payouts") if isinstance(one, PayoutReport)}
        items = [one for one in read_all(it, "items") if isinstance(one, TransactionReport)]
    assert [payouts[one["key"]].has_items for one in (first, manual)] == [True, False]
    assert {one.payout_id for one in items} == {first["key"]}
    assert len({one.external_id for one in items}) == 233
    assert sum(one.net for one in items if one.net is not None) == payouts[first["key"]].amount


def test_a_refund_of_more_than_is_left_is_refused_in_stripes_words() -> None:
    it = stripe()
    big = mine.REFUND.__class__(**{**vars(mine.REFUND), "amount": Decimal("500.00")})
    with outside(mine.Account()), pytest.raises(Rejected, match="more than what is left"):
        it.send(big)


@real
def test_documented_payloads_are_understood() -> None:
    body = json.loads((FOLDER / "djstripe_dispute_dp_funds_reinstated_full.json").read_text())
    dispute, taken, given = told("dispute", body)
    assert (dispute.stage, taken.net, given.net) == (DisputeStage.UNDER_REVIEW, Decimal("-25.00"), Decimal("25.00"))
    charge = movement("charge", json.loads((FOLDER / "djstripe_charge_ch_fakefakefakefakefake0001.json").read_text()))
    assert (charge.gross, charge.currency, charge.card) == (Decimal("20.00"), "USD", "visa")
    fixture = json.loads((FOLDER / "fixture_dispute.json").read_text())
    assert told("dispute", fixture)[0].stage is DisputeStage.WARNING
    payout = told("payout", json.loads((FOLDER / "fixture_payout.json").read_text()))[0]
    assert (payout.amount, payout.has_items, payout.reference) == (Decimal("11.00"), True, "")


@real
def test_the_worked_payout_adds_up() -> None:
    listed = json.loads((FOLDER / "DERIVED_balance_transactions_of_payout.json").read_text())["data"]
    items = [movement("item", {**item, "payout": "po_1"}) for item in listed]
    *inside, leaves = items
    assert sum(one.net for one in inside if one.net is not None) == Decimal("66.97") == -(leaves.net or 0) + Decimal(0)
    assert leaves.kind is TransactionKind.PAYOUT
