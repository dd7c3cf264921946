"""The Mollie connector as the contract suite sees it; its outside world is the sandbox's Mollie without the network."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, ClassVar

from integration_hub.connectors.base import Connector, Delivery, Incoming
from integration_hub.connectors.mollie import Mollie
from integration_hub.kernel.funds import RefundPayment
from integration_hub.kernel.messages import Command
from integration_hub.sandbox.mollie import PREFIX
from integration_hub.sandbox.mollie import Mollie as PlayedMollie
from integration_hub.sandbox.purse import payment_key
from integration_hub.sandbox.world import MOLLIE_KEY, MOLLIE_TOKEN
from tests.connectors.contract import Contract, Sample
from tests.connectors.played import PAID, Played, System
from tests.connectors.world import World

from . import payloads

SECRET = "mollie-test/1234"
PAYMENT = payment_key("mollie", "woo", 7)
REFUND = RefundPayment(
    key="hub-refund-1", payment_id=PAYMENT, amount=Decimal("20.00"), currency="EUR", reason="Tasse zerbrochen"
)


def settings(**changes: Any) -> dict[str, Any]:
    return {"api_key": MOLLIE_KEY, "access_token": MOLLIE_TOKEN, "webhook_secret": SECRET, **changes}


class Account(Played):
    """One payment of 119.00."""

    prefix = PREFIX

    def open(self) -> System:
        played = PlayedMollie(self.purse, self.sender)
        self.purse.pay("mollie", PAID)
        return played


class Mine(Contract):
    connector_class: ClassVar[type[Connector]] = Mollie
    signature_headers: ClassVar[tuple[str, ...]] = ("x-mollie-signature",)

    def config(self) -> dict[str, Any]:
        return settings()

    def samples(self) -> Sequence[Sample]:
        captures = [
            {
                "id": "cpt_1",
                "amount": payloads.money("50.00"),
                "status": "succeeded",
                "paymentId": "tr_1",
                "createdAt": payloads.CREATED,
            }
        ]
        told = {"refunds": [payloads.refund()], "chargebacks": [payloads.chargeback()], "captures": captures}
        whole = payloads.payment(_embedded=told)
        foreign = payloads.payment(amount=payloads.money("12000", "JPY"))
        reversal = payloads.entry("chargeback-reversal", "35.07", "15.00", "50.07", chargebackId="chb_1")
        out = payloads.entry("outgoing-transfer", "-39.75", "0.00", "-39.75", settlementId="stl_1")
        return [
            Sample("payment", payloads.delivery("payment", payloads.payment())),
            Sample("whole payment", payloads.delivery("payment", whole)),
            Sample("authorised", payloads.delivery("payment", payloads.payment(status="authorized"))),
            Sample("refund", payloads.delivery("refund", payloads.refund())),
            Sample("chargeback", payloads.delivery("chargeback", payloads.chargeback())),
            Sample("settlement", payloads.delivery("settlement", payloads.settlement())),
            Sample("open settlement", payloads.delivery("settlement", payloads.settlement(status="open"))),
            Sample("movement", payloads.delivery("movement", payloads.movement(payloads.entry(), whole, "stl_1"))),
            Sample("foreign", payloads.delivery("movement", payloads.movement(payloads.entry(), foreign))),
            Sample("reversal", payloads.delivery("movement", payloads.movement(reversal))),
            Sample("out", payloads.delivery("movement", payloads.movement(out))),
            Sample("fee", payloads.delivery("movement", payloads.movement(
                payloads.entry("invoice-compensation", "-5.00", "0.00", "-5.00", invoiceId="inv_1")))),
        ]  # fmt: skip

    def hints(self) -> Sequence[Delivery]:
        event = b'{"resource":"event","id":"whe_1","type":"payment.paid","entityId":"%s"}' % PAYMENT.encode()
        return [
            Delivery("payment.changed", PAYMENT, f"id={PAYMENT}".encode()),
            Delivery("payment.paid", "whe_1", event),
        ]

    def commands(self) -> Sequence[Command]:
        return [REFUND]

    def world(self) -> World:
        return Account()

    def topic(self) -> str:
        return "event"

    def signed(self, body: bytes, topic: str) -> Incoming:
        digest = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
        return Incoming({"x-mollie-signature": f"sha256={digest}"}, body)
