"""What is PayPal's own: certificates, tokens, windows of 31 days, fee signs, codes, withdrawals without items."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import requests
import responses
from cryptography.hazmat.primitives.asymmetric import rsa

from integration_hub.connectors import _paypal_api, _paypal_signature
from integration_hub.connectors._paypal_codes import kind_of
from integration_hub.connectors.base import Incoming
from integration_hub.connectors.http import Http
from integration_hub.connectors.paypal import PayPal
from integration_hub.kernel.errors import Misconfigured, Rejected, Unauthentic
from integration_hub.kernel.funds import (
    DisputeReport,
    DisputeStage,
    FeeKind,
    PayoutReport,
    PayoutStage,
    TransactionKind,
    TransactionReport,
    TransactionState,
)
from integration_hub.sandbox.paypal import certificate
from integration_hub.sandbox.purse import Paid
from tests.connectors.world import outside

from . import mine, payloads

FOLDER = Path(__file__).parents[4] / "shared" / "payloads" / "paypal"
real = pytest.mark.skipif(not FOLDER.is_dir(), reason="the real payloads are not here")


@pytest.fixture(autouse=True)
def forgotten() -> None:
    _paypal_api._tokens.clear()
    _paypal_signature._certificates.clear()


def paypal(**changes: Any) -> PayPal:
    return PayPal(PayPal.Config(**mine.settings(**changes)), Http())


def told(topic: str, body: Any) -> list[Any]:
    return list(paypal().parse(payloads.delivery(topic, body)))


def row(*args: Any, **changes: Any) -> TransactionReport:
    report = told("row", payloads.row(*args, **changes))[0]
    assert isinstance(report, TransactionReport)
    return report


def request(body: bytes = b"{}", **headers: str) -> Incoming:
    return Incoming({**mine.Mine().signed(body, "").headers, **headers}, body)


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example/v1/notifications/certs/x",
        "http://api.paypal.com/v1/notifications/certs/x",
        "https://api.paypal.com.evil.example/x",
        "https://evilpaypal.com/x",
        "https://api.paypal.com@evil.example/x",
        "https://evil.example\\@api.paypal.com/x",
        "https://api.paypal.com:8443/x",
        "file:///etc/passwd",
    ],
)
def test_a_certificate_is_fetched_from_nobody_else(address: str) -> None:
    with pytest.raises(Unauthentic, match="certificate"):
        paypal().receive(request(b"{}", **{"paypal-cert-url": address}))


def test_a_certificate_must_name_paypal_and_be_one() -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    for pem in (certificate(key, "evil.example"), b"no certificate"):
        (hint,) = paypal().receive(request())
        with responses.RequestsMock() as rsps:
            rsps.add("GET", re.compile(".*/certs/.*"), body=pem)
            with pytest.raises(Unauthentic, match="certificate"):
                paypal().follow(hint)


def test_the_certificate_is_fetched_once_and_the_token_too() -> None:
    account = mine.ACCOUNT
    body = payloads.event("capture", {"id": mine.CAPTURE})
    for expected in (3, 1):  # certificate, token, capture; then only the capture
        it = paypal()
        with outside(account):
            (found,) = it.follow(it.receive(request(body))[0])
        assert len(it.http.exchanges) == expected
        (report,) = it.parse(found)
        assert isinstance(report, TransactionReport)
        assert report.external_id == mine.CAPTURE


def test_a_token_that_is_taken_no_more_is_fetched_anew_once() -> None:
    account = mine.Account()
    it = paypal()
    with outside(account):
        it.check()
        _paypal_api._tokens[it.api._account] = ("stale", 1e12)
        it.api.read(f"/v2/payments/captures/{mine.CAPTURE}")
    with outside(account), pytest.raises(Misconfigured):
        paypal(client_secret="wrong-secret-1234").api.read("/v2/payments/captures/X")


def test_the_fee_is_a_positive_cost_however_it_is_stated() -> None:
    capture, searched = told("capture", payloads.capture())[0], row()
    for report in (capture, searched):
        assert report.external_id == "27M47624FP291604U"
        assert [(fee.kind, fee.amount) for fee in report.fees] == [(FeeKind.PROCESSING, Decimal("3.95"))]
        assert (report.settled_gross, report.net) == (Decimal("119.00"), Decimal("115.05"))
        assert report.hints.order_reference == "1007"


def test_a_refund_gives_part_of_the_fee_back() -> None:
    refund = told("refund", payloads.refund())[0]
    searched = row("T1107", "-10.99", "0.33", transaction_id="1JU08902781691411")
    for report in (refund, searched):
        assert (report.kind, report.settled_gross, report.net) == (
            TransactionKind.REFUND,
            Decimal("-10.99"),
            Decimal("-10.66"),
        )
        assert [fee.amount for fee in report.fees] == [Decimal("-0.33")]
    assert refund.parent_id == "27M47624FP291604U"


def test_figures_that_are_wrong_by_a_cent_are_not_believed() -> None:
    parts = {"gross_amount": payloads.money("119.00"), "paypal_fee": payloads.money("3.95")}
    with pytest.raises(Rejected, match="do not add up"):
        told("capture", payloads.capture(seller_receivable_breakdown={**parts, "net_amount": payloads.money("115.06")}))


@pytest.mark.parametrize(
    ("code", "amount", "kind"),
    [
        ("T0000", "10", "CAPTURE"),
        ("T0006", "-10", "TRANSFER"),
        ("T0106", "-20", "FEE"),
        ("T0200", "-10", "CONVERSION"),
        ("T0300", "100", "TRANSFER"),
        ("T0400", "-10", "PAYOUT"),
        ("T1101", "10", "PAYOUT_FAILED"),
        ("T1106", "-10", "DISPUTE"),
        ("T1106", "10", "DISPUTE_REVERSAL"),
        ("T1105", "10", "RESERVE"),
        ("T1107", "-10", "REFUND"),
        ("T1201", "-10", "DISPUTE"),
        ("T1202", "10", "DISPUTE_REVERSAL"),
        ("T1503", "-10", "RESERVE"),
        ("T2103", "-10", "RESERVE"),
        ("T1900", "1", "ADJUSTMENT"),
        ("T9900", "1", "OTHER"),
    ],
)
def test_codes_become_our_words(code: str, amount: str, kind: str) -> None:
    assert kind_of(code, Decimal(amount)) == TransactionKind(kind)


def test_one_id_on_several_rows_is_several_movements() -> None:
    rows = [row("T1503", "-50.00", "0.00"), row("T1105", "50.00", "0.00"), row("T0200", "-50.00", "0.00"), row()]
    assert len({one.external_id for one in rows}) == 4


@pytest.mark.parametrize(
    ("status", "state"), [("S", "SUCCEEDED"), ("P", "PENDING"), ("D", "FAILED"), ("V", "SUCCEEDED")]
)
def test_what_is_not_settled_has_no_figures(status: str, state: str) -> None:
    report = row(status=status)
    assert report.state is TransactionState(state)
    assert (report.net is None) == (state != "SUCCEEDED")


def test_a_withdrawal_is_a_payout_without_items() -> None:
    moved, payout = told("row", payloads.row("T0400", "-300.00", "0.00"))
    assert isinstance(payout, PayoutReport)
    assert (moved.kind, moved.parent_id) == (TransactionKind.PAYOUT, payout.external_id)
    assert (payout.amount, payout.stage, payout.has_items) == (Decimal("300.00"), PayoutStage.PAID, False)
    assert (payout.balance_before, payout.balance_after) == (Decimal("800.00"), Decimal("500.00"))


@pytest.mark.parametrize(
    ("changes", "stage"),
    [
        ({}, DisputeStage.NEEDS_RESPONSE),
        ({"status": "OPEN", "dispute_life_cycle_stage": "INQUIRY"}, DisputeStage.WARNING),
        ({"status": "UNDER_REVIEW"}, DisputeStage.UNDER_REVIEW),
        ({"status": "RESOLVED", "dispute_outcome": {"outcome_code": "RESOLVED_SELLER_FAVOUR"}}, DisputeStage.WON),
        ({"status": "RESOLVED", "dispute_outcome": {"outcome_code": "RESOLVED_BUYER_FAVOUR"}}, DisputeStage.LOST),
    ],
)
def test_disputes_have_a_stage_and_a_deadline(changes: dict[str, Any], stage: DisputeStage) -> None:
    (report,) = told("dispute", payloads.dispute(**changes))
    assert isinstance(report, DisputeReport)
    assert (report.stage, report.transaction_id) == (stage, "27M47624FP291604U")
    assert report.evidence_due == datetime(2026, 11, 12, 10, tzinfo=UTC)


def read_all(it: PayPal, since: datetime | None = None) -> list[Any]:
    found, token = [], None
    while True:
        page = it.poll("transactions", since, token)
        found += [report for one in page.deliveries for report in it.parse(one)]
        token = page.token
        if token is None:
            return found


def test_the_search_goes_window_by_window_and_a_payout_is_what_the_balance_lost() -> None:
    account = mine.Account()
    purse, now = account.purse, datetime.now(UTC)
    for number in range(620):
        purse.pay("paypal", Paid("woo", 100 + number, str(number), 1000 + number), now - timedelta(days=number % 80))
    purse.refund(mine.CAPTURE, 2000)
    payout = purse.payout("paypal")
    it = paypal()
    with outside(account):
        found = read_all(it, now - timedelta(days=90))
    moves = {one.external_id: one for one in found if isinstance(one, TransactionReport)}
    (stated,) = {one.external_id: one for one in found if isinstance(one, PayoutReport)}.values()
    assert len(moves) == 623
    assert stated.amount == Decimal(payout["amount"]).scaleb(-2)
    inside = [one.net for one in moves.values() if one.kind is not TransactionKind.PAYOUT and one.net is not None]
    assert sum(inside) == stated.amount
    assert stated.balance_before == stated.amount


def test_a_window_with_too_many_rows_is_halved() -> None:
    asked: list[tuple[str, str]] = []

    def answer(sent: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        if "oauth2" in str(sent.url):
            return 200, {}, json.dumps({"access_token": "t-12345678", "expires_in": 32400})
        params = sent.params  # type: ignore[attr-defined]
        asked.append((params["start_date"], params["end_date"]))
        if len(asked) < 3:
            return 400, {}, json.dumps({"name": "RESULTSET_TOO_LARGE", "message": "too large"})
        return 200, {}, json.dumps({"transaction_details": [], "total_pages": 0})

    with responses.RequestsMock() as rsps:
        for method in ("GET", "POST"):
            rsps.add_callback(method, re.compile(".*"), callback=answer)
        it, since, token = paypal(), datetime.now(UTC) - timedelta(days=8), None
        for _ in range(4):
            token = it.poll("transactions", since, token).token
    spans = [datetime.fromisoformat(end) - datetime.fromisoformat(start) for start, end in asked]
    assert spans[:3] == [timedelta(days=8), timedelta(days=4), timedelta(days=2)]
    assert asked[3][0] == asked[2][1]  # and goes on from there


def test_a_refund_that_cannot_be_looked_up_still_goes_out_once() -> None:
    account = mine.Account()
    account.paypal.capture = lambda row: payloads.capture(supplementary_data={})  # type: ignore[method-assign]
    with outside(account):
        first, second = paypal().send(mine.REFUND), paypal().send(mine.REFUND)
    assert (first.was_there, second.was_there) == (False, True)
    assert first.external_id == second.external_id
    assert len(account.made()) == 1


@real
def test_documented_payloads_are_understood() -> None:
    event = json.loads((FOLDER / "webhook_PAYMENT.CAPTURE.COMPLETED.json").read_text())
    capture = told("capture", event["resource"])[0]
    assert (capture.settled_gross, capture.net, capture.currency) == (Decimal("2.51"), Decimal("2.14"), "USD")
    searched = json.loads((FOLDER / "transaction_search.json").read_text())["transaction_details"][0]
    report = told("row", searched)[0]
    assert (report.settled_gross, report.net) == (Decimal("465.00"), Decimal("451.21"))
    assert (report.hints.order_reference, report.country) == ("Invoice-005", "US")
    refund = told("refund", json.loads((FOLDER / "UNVERIFIED_refund.json").read_text()))[0]
    assert (refund.net, refund.parent_id) == (Decimal("-10.66"), "2GG279541U471931P")
