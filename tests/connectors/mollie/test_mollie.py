"""What is Mollie's own: webhooks that only say an id, settlements with their items, fees in the balance."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from integration_hub.connectors.base import Delivery, Incoming
from integration_hub.connectors.http import Http
from integration_hub.connectors.mollie import REACH, Mollie
from integration_hub.kernel.errors import Rejected, Unauthentic
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
from integration_hub.kernel.messages import Ignored
from integration_hub.sandbox.purse import Paid, payment_key
from tests.connectors.soundness import assert_settlement_adds_up
from tests.connectors.world import outside

from . import mine, payloads

FOLDER = Path(__file__).parents[4] / "shared" / "payloads" / "mollie"
real = pytest.mark.skipif(not FOLDER.is_dir(), reason="the real payloads are not here")


def mollie(**changes: Any) -> Mollie:
    return Mollie(Mollie.Config(**mine.settings(**changes)), Http())


def told(topic: str, body: Any) -> list[Any]:
    return list(mollie().parse(payloads.delivery(topic, body)))


def moved(found: Any, about: Any = None, payout: str = "") -> TransactionReport:
    (report,) = told("movement", payloads.movement(found, about, payout))
    assert isinstance(report, TransactionReport)
    return report


def test_the_classic_webhook_is_taken_unsigned_and_means_only_where_to_look() -> None:
    (hint,) = mollie().receive(Incoming({}, b"id=tr_7UhSN1zuXS"))
    assert (hint.topic, hint.object_id, hint.body) == ("payment.changed", "tr_7UhSN1zuXS", b"id=tr_7UhSN1zuXS")
    assert mollie().is_hint(hint)
    assert hint.salt  # the same words come again when the payment is refunded


@pytest.mark.parametrize("body", [b"", b"id=", b"id=../settlements", b"id=tr_1&x=1", b"id=ord_1", b"{}"])
def test_nothing_else_comes_in_unsigned(body: bytes) -> None:
    with pytest.raises(Unauthentic):
        mollie().receive(Incoming({}, body))


def test_a_made_up_id_leads_nowhere() -> None:
    with outside(mine.Account()):
        assert mollie().follow(Delivery("payment.changed", "tr_0", b"id=tr_0")) == ()


def test_both_secrets_are_good_while_one_is_changed() -> None:
    request = mine.Mine().signed(b'{"id":"whe_1","type":"payment-link.paid"}', "")
    changed = {"webhook_secret": "another-secret"}
    assert mollie(**changed, previous_webhook_secret=mine.SECRET).receive(request)
    with pytest.raises(Unauthentic):
        mollie(**changed).receive(request)


@real
def test_the_signature_vector_of_mollies_own_library() -> None:
    vector = json.loads((FOLDER / "hmac_vector.json").read_text())
    for header in (vector["header"], vector["header"].removeprefix("sha256=")):
        request = Incoming({"x-mollie-signature": header}, vector["body"].encode())
        assert mollie(webhook_secret=vector["secret"]).receive(request)


def test_the_figures_come_from_the_balance_and_the_rest_from_the_payment() -> None:
    foreign = payloads.payment(amount=payloads.money("130.00", "USD"))
    report = moved(payloads.entry(), foreign, "stl_1")
    assert (report.external_id, report.kind) == ("tr_1", TransactionKind.CAPTURE)
    assert (report.gross, report.currency) == (Decimal("130.00"), "USD")
    assert (report.settled_gross, report.net, report.settlement_currency) == (
        Decimal("119.00"),
        Decimal("116.61"),
        "EUR",
    )
    assert [(fee.kind, fee.amount) for fee in report.fees] == [(FeeKind.PROCESSING, Decimal("2.39"))]
    assert (report.hints.order_reference, report.payout_id, report.country) == ("1007", "stl_1", "AT")


def test_context_is_read_flat_and_under_its_type() -> None:
    flat = payloads.entry("refund", "-20.00", "-0.25", "-20.25", paymentId="tr_1", refundId="re_1")
    deep = payloads.entry("refund", "-20.00", "-0.25", "-20.25", refund={"paymentId": "tr_1", "refundId": "re_1"})
    assert moved(flat) == moved(deep)
    assert (moved(deep).external_id, moved(deep).parent_id) == ("re_1", "tr_1")


def test_figures_that_are_wrong_by_a_cent_are_not_believed() -> None:
    with pytest.raises(Rejected, match="do not add up"):
        moved(payloads.entry(net="116.62"))


@pytest.mark.parametrize(
    ("status", "state"),
    [("queued", "PENDING"), ("processing", "PENDING"), ("refunded", "SUCCEEDED"), ("failed", "FAILED"),
     ("canceled", "CANCELLED")],
)  # fmt: skip
def test_a_refund_leaves_days_after_it_was_asked_for(status: str, state: str) -> None:
    (report,) = told("refund", payloads.refund(status=status))
    assert (report.state, report.gross, report.parent_id) == (TransactionState(state), Decimal("-20.00"), "tr_1")


def test_a_chargeback_is_lost_until_it_is_reversed() -> None:
    dispute, taken = told("chargeback", payloads.chargeback())
    assert isinstance(dispute, DisputeReport)
    assert (dispute.stage, dispute.transaction_id, taken.gross) == (DisputeStage.LOST, "tr_1", Decimal("-43.38"))
    assert told("chargeback", payloads.chargeback(reversedAt=payloads.CREATED))[0].stage is DisputeStage.WON


@pytest.mark.parametrize("changes", [{"id": "open"}, {"id": "next"}, {"status": "open"}])
def test_what_still_collects_is_no_payout(changes: dict[str, str]) -> None:
    (report,) = told("settlement", payloads.settlement(**changes))
    assert isinstance(report, Ignored)


def read_all(it: Mollie, stream: str, since: datetime | None = None) -> list[Any]:
    found, token = [], None
    while True:
        page = it.poll(stream, since, token)
        found += [report for one in page.deliveries for report in it.parse(one)]
        token = page.token
        if token is None:
            return found


def test_settlements_come_with_all_their_items_and_the_balance_says_what_they_cost() -> None:
    account, purse = mine.Account(), None
    purse = account.purse
    for number in range(120):
        purse.pay("mollie", Paid("woo", 100 + number, str(number), 1000 + number))
    purse.refund(mine.PAYMENT, 2000)
    purse.fee("mollie", 700, "invoice")
    first = purse.payout("mollie")
    purse.pay("mollie", Paid("woo", 998, "998", 4000))
    second = purse.payout("mollie")
    purse.pay("mollie", Paid("woo", 999, "999", 5000))
    it = mollie()
    with outside(account):
        settled = read_all(it, "settlements")
        moves = [one for one in read_all(it, "movements") if isinstance(one, TransactionReport)]
    payouts = {one.external_id: one for one in settled if isinstance(one, PayoutReport)}
    assert {key: one.stage for key, one in payouts.items()} == dict.fromkeys(
        (first["key"], second["key"]), PayoutStage.IN_TRANSIT
    )
    items = {one.external_id: one.payout_id for one in settled if isinstance(one, TransactionReport)}
    assert len(items) == 123
    for key, payout in payouts.items():
        inside = [one for one in moves if one.payout_id == key]
        assert sum(one.net for one in inside if one.net is not None) == payout.amount
        assert {one.external_id for one in inside if one.kind is not TransactionKind.FEE} == {
            item for item, of in items.items() if of == key
        }
    assert [one.external_id for one in moves if not one.payout_id and one.kind is not TransactionKind.PAYOUT] == [
        payment_key("mollie", "woo", 999)
    ]
    for one in moves:
        assert_settlement_adds_up(one)


def test_what_was_told_before_is_not_asked_for_again() -> None:
    account = mine.Account()
    it = mollie()
    since = datetime.now(UTC) - REACH + timedelta(hours=3)  # so the last poll was three hours after the payment
    with outside(account):
        assert it.poll("movements", since, None).deliveries == []
    assert len(it.http.exchanges) == 1


def test_without_a_token_for_the_books_the_check_says_what_is_missed() -> None:
    it = mollie(access_token="")
    with outside(mine.Account()):
        assert it.poll("settlements", None, None).deliveries == []
        findings = it.check()
    assert [finding.ok for finding in findings] == [True, False]


def files(pattern: str) -> list[Path]:
    return sorted(FOLDER.glob(pattern)) if FOLDER.is_dir() else []


@real
@pytest.mark.parametrize("path", [*files("*payment_single*"), *files("payment_canceled*"), *files("php_payment.json")],
                         ids=lambda path: str(path.stem))  # fmt: skip
def test_documented_payments_are_understood(path: Path) -> None:
    report = told("payment", json.loads(path.read_text()))[0]
    assert report.gross in (Decimal("10.00"), Decimal("20.00"))
    assert report.hints.order_reference in ("12345", "1234")


@real
def test_documented_refunds_chargebacks_and_settlements_are_understood() -> None:
    for name in ("refund_single", "php_refund"):
        assert told("refund", json.loads((FOLDER / f"{name}.json").read_text()))[0].gross == Decimal("-5.95")
    for name in ("payment_chargeback_single", "php_chargeback"):
        assert told("chargeback", json.loads((FOLDER / f"{name}.json").read_text()))[1].gross == Decimal("-43.38")
    payout = told("settlement", json.loads((FOLDER / "php_settlement.json").read_text()))[0]
    assert (payout.amount, payout.reference) == (Decimal("39.75"), "1234567.2404.03")
    for entry in json.loads((FOLDER / "balance_transactions_list.json").read_text())["_embedded"][
        "balance_transactions"
    ]:
        report = moved(entry)
        assert (report.external_id, report.gross, report.net) == ("re_4qqhO89gsT", Decimal("-10.00"), Decimal("-10.25"))
