"""Against localstripe, a stand-in for Stripe that no one here wrote: keys, charges, refunds, payouts and signed webhooks.

It knows no fees, no ``created`` filter on these lists, no idempotency keys and no ``failure_balance_transaction``; what needs
them is tested elsewhere.
"""

from __future__ import annotations

import importlib.util
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from ipaddress import ip_network
from typing import Any

import pytest
import requests

from integration_hub.connectors.base import Delivery
from integration_hub.connectors.http import Http
from integration_hub.connectors.stripe import Stripe
from integration_hub.kernel import codec
from integration_hub.kernel.errors import Misconfigured, Rejected
from integration_hub.kernel.funds import PayoutReport, PayoutStage, RefundPayment, TransactionKind, TransactionReport
from tests.sandbox.play import Door

SECRET = "whsec_localstripe_1234"
KEY = "sk_test_localstripe_1234"
there = importlib.util.find_spec("localstripe") is not None
pytestmark = pytest.mark.skipif(not there and not os.environ.get("CI"), reason="localstripe is not installed")


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "localstripe", "--port", str(port), "--from-scratch"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}"
    try:
        _wait(address)
        yield address
    finally:
        process.terminate()
        process.wait(10)


def _wait(address: str) -> None:
    for _ in range(300):
        try:
            requests.get(f"{address}/v1/balance", auth=(KEY, ""), timeout=1)
        except requests.RequestException:
            time.sleep(0.1)
        else:
            return
    raise AssertionError("localstripe does not start")


@pytest.fixture(scope="module")
def door(url: str) -> Iterator[Door]:
    found = Door()
    requests.post(
        f"{url}/_config/webhooks/hub", json={"url": found.url, "secret": SECRET}, timeout=5
    ).raise_for_status()
    yield found
    found.close()


def stripe(url: str, key: str = KEY) -> Stripe:
    config = Stripe.Config(api_key=key, webhook_secret=SECRET, url=url)
    return Stripe(config, Http(allowed=[ip_network("127.0.0.0/8")]))


def post(url: str, path: str, **form: Any) -> Any:
    answer = requests.post(f"{url}/v1/{path}", data=form, auth=(KEY, ""), timeout=5)
    assert answer.ok, answer.text
    return answer.json()


@pytest.fixture(scope="module")
def payment(url: str, door: Door) -> Any:
    """A payment of 119.00 EUR by card."""
    card = {"number": "4242424242424242", "exp_month": "12", "exp_year": "2030", "cvc": "123"}
    method = post(url, "payment_methods", type="card", **{f"card[{name}]": value for name, value in card.items()})
    intent = post(url, "payment_intents", amount=11900, currency="eur", payment_method=method["id"],
                  **{"metadata[order_number]": "1007"})  # fmt: skip
    return post(url, f"payment_intents/{intent['id']}/confirm")


def test_the_payment_is_read_with_its_figures(url: str, payment: Any) -> None:
    it = stripe(url)
    body = b'{"id":"evt_1","data":{"object":{"id":"%s","object":"payment_intent"}}}' % payment["id"].encode()
    (found,) = it.follow(Delivery("payment_intent.succeeded", "evt_1", body))
    (report,) = it.parse(found)
    assert isinstance(report, TransactionReport)
    assert (report.kind, report.gross, report.currency) == (TransactionKind.CAPTURE, Decimal("119.00"), "EUR")


def test_its_webhooks_are_signed_as_we_expect(url: str, payment: Any, door: Door) -> None:
    (hint, *_more) = stripe(url).receive(door.wait(1, 10)[0])
    assert hint.key.startswith("evt_")
    assert stripe(url).is_hint(hint)
    with pytest.raises(Exception, match="signature"):
        Stripe(Stripe.Config(api_key=KEY, webhook_secret="another-secret-1"), Http()).receive(door.hooks()[0])


def test_a_refund_is_made_found_and_listed(url: str, payment: Any) -> None:
    it = stripe(url)
    charge = requests.get(f"{url}/v1/payment_intents/{payment['id']}", auth=(KEY, ""), timeout=5).json()[
        "latest_charge"
    ]
    charge_id = charge if isinstance(charge, str) else charge["id"]
    wanted = RefundPayment(
        key="hub-1", payment_id=charge_id, amount=Decimal("20.00"), currency="EUR", reason="zerbrochen"
    )
    assert it.find(wanted) is None
    made = it.send(wanted)
    again = it.send(wanted)
    assert (made.was_there, again.was_there) == (False, True)
    assert again.external_id == made.external_id
    (listed,) = it.api.page("/v1/refunds", {"expand[]": "data.balance_transaction"})[0]
    (report,) = it.parse(Delivery("refund", made.external_id, codec.canonical(listed)))
    assert isinstance(report, TransactionReport)
    assert (report.external_id, report.gross, report.parent_id) == (made.external_id, Decimal("-20.00"), charge_id)


def test_a_payout_is_read(url: str) -> None:
    made = post(url, "payouts", amount=5000, currency="eur", status="paid")
    it = stripe(url)
    (report,) = [report for one in it.poll("payouts", None, None).deliveries for report in it.parse(one)]
    assert isinstance(report, PayoutReport)
    assert (report.external_id, report.amount, report.stage) == (made["id"], Decimal("50.00"), PayoutStage.PAID)
    assert not report.has_items


def test_refusals_are_told_apart(url: str) -> None:
    with pytest.raises(Rejected):
        stripe(url).api.read("/v1/charges/ch_nobody")
    with pytest.raises(Misconfigured):
        stripe(url, key="nonsense").api.read("/v1/balance")
