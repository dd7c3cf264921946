"""The Stripe connector as the contract suite sees it; its outside world is the sandbox's Stripe without the network."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, ClassVar

from integration_hub.connectors.base import Connector, Delivery, Incoming
from integration_hub.connectors.stripe import Stripe
from integration_hub.kernel.funds import RefundPayment
from integration_hub.kernel.messages import Command
from integration_hub.sandbox.purse import payment_key
from integration_hub.sandbox.stripe import PREFIX, signed
from integration_hub.sandbox.stripe import Stripe as PlayedStripe
from integration_hub.sandbox.world import STRIPE_KEY
from tests.connectors.contract import Contract, Sample
from tests.connectors.played import PAID, Played, System
from tests.connectors.world import World

from . import payloads

SECRET = "whsec-test/1234"
CHARGE = payment_key("stripe", "woo", 7)
REFUND = RefundPayment(
    key="hub-refund-1", payment_id=CHARGE, amount=Decimal("20.00"), currency="EUR", reason="Tasse zerbrochen"
)


def settings(**changes: Any) -> dict[str, Any]:
    return {"api_key": STRIPE_KEY, "webhook_secret": SECRET, **changes}


class Account(Played):
    """One payment of 119.00, and a webhook endpoint for everything."""

    prefix = PREFIX

    def open(self) -> System:
        played = PlayedStripe(self.purse, self.sender)
        played.subscribe("http://127.0.0.1/webhooks/stripe/", SECRET)
        self.purse.pay("stripe", PAID)
        return played


class Mine(Contract):
    connector_class: ClassVar[type[Connector]] = Stripe
    signature_headers: ClassVar[tuple[str, ...]] = ("stripe-signature",)

    def config(self) -> dict[str, Any]:
        return settings()

    def samples(self) -> Sequence[Sample]:
        failed = payloads.refund(
            status="failed", failure_balance_transaction=payloads.entry(9, 2000, 0, "refund_failure", source="re_1")
        )
        won = payloads.dispute(
            "won",
            payloads.entry(3, -1000, 2000, "dispute", source="dp_1"),
            payloads.entry(4, 1000, -2000, "dispute_reversal", source="dp_1"),
        )
        return [
            Sample("charge", payloads.delivery("charge", payloads.charge())),
            Sample("charge without figures", payloads.delivery("charge", payloads.charge(balance_transaction="txn_1"))),
            Sample("promised", payloads.delivery("charge", payloads.charge(captured=False, balance_transaction=None))),
            Sample("refund", payloads.delivery("refund", payloads.refund())),
            Sample("failed refund", payloads.delivery("refund", failed)),
            Sample("dispute", payloads.delivery("dispute", payloads.dispute())),
            Sample("won dispute", payloads.delivery("dispute", won)),
            Sample("payout", payloads.delivery("payout", payloads.payout())),
            Sample("movement", payloads.delivery("movement", payloads.entry(source=payloads.charge()))),
            Sample("item", payloads.delivery("item", payloads.entry(payout="po_1"))),
            Sample("own fee", payloads.delivery("item", payloads.entry(6, -500, 0, "fee", source=None, payout="po_1"))),
            Sample("leaves", payloads.delivery("movement", payloads.entry(7, -6697, 0, "payout", source="po_1"))),
        ]

    def hints(self) -> Sequence[Delivery]:
        found = {"id": CHARGE, "object": "charge"}
        return [Delivery("charge.succeeded", "evt_1", payloads.event("charge.succeeded", found))]

    def commands(self) -> Sequence[Command]:
        return [REFUND]

    def world(self) -> World:
        return Account()

    def topic(self) -> str:
        return "event"

    def signed(self, body: bytes, topic: str) -> Incoming:
        return Incoming({name.lower(): value for name, value in signed(SECRET, body).items()}, body)
