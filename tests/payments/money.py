"""Rows of money for tests of pages and the API: a payment, its payout, a refund, a write-off, a dispute, a bank line."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from integration_hub.models import Connection
from orders.models import Order
from payments.models import (
    Allocation,
    BankAccount,
    BankLine,
    BankStatement,
    Dispute,
    Payout,
    Refund,
    Transaction,
    WriteOff,
)
from tests.conftest import make_connection
from tests.payments import provider as outside


def provider() -> Connection:
    found = Connection.objects.filter(slug="stripe").first()
    return found or make_connection(outside.StandinProvider.code, "stripe", "PAYMENT")


def movement(order: Order | None = None, name: str = "ch_1", **more: Any) -> Transaction:
    """A settled payment of 28.70, for the order if one is given."""
    found = Transaction.objects.filter(external_id=name).first()
    if found:
        return found
    now = timezone.now()
    figures = {"gross": "28.70", "settled_gross": "28.70", "net": "28.70"} | more
    row = Transaction.objects.create(
        connection=provider(),
        external_id=name,
        kind=figures.pop("kind", "CAPTURE"),
        state="SUCCEEDED",
        occurred_at=now,
        source_updated_at=now,
        currency="EUR",
        settlement_currency="EUR",
        text="Danke, Erika Mustermann",
        payer="Erika Mustermann",
        payment_ids=[name],
        **figures,
    )
    if order:
        Allocation.objects.create(
            transaction=row, order=order, amount=row.gross, order_amount=row.gross, how="CERTAIN", ground="REFERENCE"
        )
    return Transaction.objects.get(pk=row.pk)


def payout(**more: Any) -> Payout:
    now = timezone.now()
    defaults = {"stage": "PAID", "amount": "28.70", "remainder": 0, "currency": "EUR", "created_at": now}
    found, _made = Payout.objects.get_or_create(
        connection=provider(), external_id="po_1", defaults=defaults | {"source_updated_at": now} | more
    )
    return found


def bank_line() -> BankLine:
    account, _made = BankAccount.objects.get_or_create(connection=provider(), number="DE02", currency="EUR")
    statement, _made = BankStatement.objects.get_or_create(
        account=account, number="1", closed_on="2026-11-20", defaults={"moved": 0}
    )
    line, _made = BankLine.objects.get_or_create(
        account=account,
        key="a",
        defaults={"statement": statement, "booked_on": "2026-11-20", "amount": "28.70", "currency": "EUR"},
    )
    return line


def refund(order: Order) -> Refund:
    found = Refund.objects.filter(order=order).first()
    return found or Refund.objects.create(order=order, capture=movement(order), amount="5.00", currency="EUR", why="x")


def arguments() -> dict[str, list[Any]]:
    """What the addresses of the pages of money need."""
    order = Order.objects.earliest("pk")
    row = movement(order)
    off, _made = WriteOff.objects.get_or_create(
        order=order, defaults={"amount": 1, "currency": "EUR", "state": "REQUESTED", "why": "x"}
    )
    now = timezone.now()
    dispute, _made = Dispute.objects.get_or_create(
        connection=provider(),
        external_id="dp_1",
        defaults={"transaction": row, "state": "NEEDS_RESPONSE", "amount": 5, "currency": "EUR", "opened_at": now,
                  "source_updated_at": now},
    )  # fmt: skip
    bank_line()
    return {
        "transaction": [row.pk],
        "transaction_action": [row.pk, "payments.release"],
        "payout": [payout().pk],
        "payout_action": [payout().pk, "payments.accept_remainder"],
        "refund": [refund(order).pk],
        "refund_action": [refund(order).pk, "payments.approve_refund"],
        "write_off_action": [off.pk, "payments.approve_write_off"],
        "dispute": [dispute.pk],
    }
