"""The PayPal connector as the contract suite sees it; its outside world is the sandbox's PayPal without the network."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any, ClassVar

import pytest

from integration_hub.connectors import _paypal_api, _paypal_signature
from integration_hub.connectors.base import Connector, Delivery, Incoming
from integration_hub.connectors.paypal import PayPal
from integration_hub.kernel.funds import RefundPayment
from integration_hub.kernel.messages import Command
from integration_hub.sandbox.paypal import PayPal as PlayedPayPal
from integration_hub.sandbox.purse import payment_key
from integration_hub.sandbox.world import PAYPAL_ID, PAYPAL_SECRET
from tests.connectors.contract import Contract, Sample
from tests.connectors.played import PAID, Played, System
from tests.connectors.world import World, outside

from . import payloads

WEBHOOK_ID = "WH-TEST-1234"
URL = "http://127.0.0.1/paypal"
CAPTURE = payment_key("paypal", "woo", 7)
REFUND = RefundPayment(
    key="refund:1", payment_id=CAPTURE, amount=Decimal("20.00"), currency="EUR", reason="Tasse zerbrochen"
)


def settings(**changes: Any) -> dict[str, Any]:
    return {
        "client_id": PAYPAL_ID,
        "client_secret": PAYPAL_SECRET,
        "webhook_id": WEBHOOK_ID,
        "url": URL,
        **changes,
    }


class Account(Played):
    """One payment of 119.00."""

    def open(self) -> System:
        self.paypal = PlayedPayPal(self.purse, self.sender)
        self.purse.pay("paypal", PAID)
        return self.paypal


ACCOUNT = Account()  # making a key takes a while; its certificate is what signs here


class Mine(Contract):
    connector_class: ClassVar[type[Connector]] = PayPal
    signature_headers: ClassVar[tuple[str, ...]] = ("paypal-transmission-sig", "paypal-cert-url")

    @pytest.fixture(autouse=True)
    def known(self) -> Iterator[None]:
        """The certificate is known, a token is not."""
        self.fetch()
        _paypal_api._tokens.clear()
        yield
        _paypal_api._tokens.clear()

    def fetch(self) -> None:
        it, request = self.connector(), self.signed(b"{}", "")
        (delivery,) = it.receive(request)
        with outside(ACCOUNT):
            _paypal_signature.verify(delivery.context, WEBHOOK_ID, b"{}", it.http, URL)

    def config(self) -> dict[str, Any]:
        return settings()

    def samples(self) -> Sequence[Sample]:
        rows = {
            "payment": payloads.row(),
            "pending": payloads.row(status="P"),
            "refund row": payloads.row(
                "T1107", "-10.99", "0.33", paypal_reference_id="27M", paypal_reference_id_type="TXN"
            ),
            "chargeback": payloads.row("T1201", "-119.00", "-20.00"),
            "given back": payloads.row("T1106", "119.00", "0.00"),
            "withdrawal": payloads.row("T0400", "-300.00", "0.00"),
            "subscription": payloads.row("T0101", "-30.00", "0.00"),
            "held": payloads.row("T1503", "-50.00", "0.00"),
        }
        return [
            Sample("capture", payloads.delivery("capture", payloads.capture())),
            Sample("pending capture", payloads.delivery("capture", payloads.capture(
                status="PENDING", seller_receivable_breakdown=None))),
            Sample("authorisation", payloads.delivery("authorization", payloads.capture(status="CREATED"))),
            Sample("refund", payloads.delivery("refund", payloads.refund())),
            Sample("dispute", payloads.delivery("dispute", payloads.dispute())),
            *(Sample(name, payloads.delivery("row", row)) for name, row in rows.items()),
        ]  # fmt: skip

    def hints(self) -> Sequence[Delivery]:
        body = payloads.event("capture", {"id": CAPTURE})
        return self.connector().receive(self.signed(body, ""))

    def commands(self) -> Sequence[Command]:
        return [REFUND]

    def world(self) -> World:
        return Account()

    def topic(self) -> str:
        return "event"

    def signed(self, body: bytes, topic: str) -> Incoming:
        return Incoming({name.lower(): value for name, value in ACCOUNT.paypal.signed(WEBHOOK_ID, body).items()}, body)
