"""The purse in Stripe's words: charges, refunds, disputes, payouts and balance transactions as the API shows them."""

from __future__ import annotations

from typing import Any

from .purse import Purse
from .store import Record

_CATEGORY = {
    "charge": ("charge", "charge"),
    "refund": ("refund", "refund"),
    "refund_failure": ("refund_failure", "refund_failure"),
    "dispute": ("adjustment", "dispute"),
    "dispute_reversal": ("adjustment", "dispute_reversal"),
    "fee": ("stripe_fee", "fee"),
    "payout": ("payout", "payout"),
}
_DISPUTE = {"open": "needs_response", "won": "won", "lost": "lost"}


class Words:
    """Turns records of the purse into objects."""

    def __init__(self, purse: Purse) -> None:
        self._purse = purse

    def charge(self, row: Record) -> Record:
        return {
            "id": row["key"],
            "object": "charge",
            "amount": row["amount"],
            "amount_captured": row["amount"],
            "amount_refunded": row["refunded"],
            "balance_transaction": self._entry_id(row["key"], "charge"),
            "billing_details": {"address": {"country": row["country"]}, "email": row["email"], "name": row["name"]},
            "captured": True,
            "created": row["created"],
            "currency": row["currency"].lower(),
            "description": f"Bestellung {row['number']}",
            "disputed": any(one["payment"] == row["key"] for one in self._purse.rows("disputes", "stripe")),
            "livemode": False,
            "metadata": {"order_number": row["number"], "shop": row["shop"]},
            "paid": True,
            "payment_intent": intent_id(row),
            "payment_method_details": {"type": "card", "card": {"brand": "visa", "country": row["country"]}},
            "refunded": row["refunded"] == row["amount"],
            "status": "succeeded",
        }

    def intent(self, row: Record) -> Record:
        return {
            "id": intent_id(row),
            "object": "payment_intent",
            "amount": row["amount"],
            "amount_received": row["amount"],
            "currency": row["currency"].lower(),
            "created": row["created"],
            "latest_charge": row["key"],
            "livemode": False,
            "metadata": {"order_number": row["number"], "shop": row["shop"]},
            "status": "succeeded",
        }

    def refund(self, row: Record) -> Record:
        return {
            "id": row["key"],
            "object": "refund",
            "amount": row["amount"],
            "balance_transaction": self._entry_id(row["key"], "refund"),
            "charge": row["payment"],
            "created": row["created"],
            "currency": row["currency"].lower(),
            "failure_balance_transaction": self._entry_id(row["key"], "refund_failure"),
            "metadata": row.get("metadata", {}),
            "payment_intent": intent_id(self._purse.payment(row["payment"])),
            "reason": None,
            "status": row["status"],
        }

    def dispute(self, row: Record) -> Record:
        entries = [self.entry(move) for move in self._purse.moves_of("stripe", row["key"])]
        return {
            "id": row["key"],
            "object": "dispute",
            "amount": row["amount"],
            "balance_transactions": entries,
            "charge": row["payment"],
            "created": row["created"],
            "currency": row["currency"].lower(),
            "evidence_details": {"due_by": row["due"], "has_evidence": False, "past_due": False, "submission_count": 0},
            "livemode": False,
            "metadata": {},
            "payment_intent": intent_id(self._purse.payment(row["payment"])),
            "reason": row["reason"],
            "status": _DISPUTE[row["status"]],
        }

    def payout(self, row: Record) -> Record:
        return {
            "id": row["key"],
            "object": "payout",
            "amount": row["amount"],
            "arrival_date": row.get("arrived") or row["created"] + 2 * 86400,
            "automatic": not row["manual"],
            "balance_transaction": self._entry_id(row["key"], "payout"),
            "created": row["created"],
            "currency": row["currency"].lower(),
            "description": "STRIPE PAYOUT",
            "livemode": False,
            "metadata": {},
            "method": "standard",
            "reconciliation_status": "not_applicable" if row["manual"] else "completed",
            "statement_descriptor": f"STRIPE {row['key']}",
            "status": row["status"],
            "trace_id": {"status": "pending", "value": None},
            "type": "bank_account",
        }

    def entry(self, row: Record) -> Record:
        kind, category = _CATEGORY[row["kind"]]
        return {
            "id": f"txn_sandbox{row['id']:06}",
            "object": "balance_transaction",
            "amount": row["gross"],
            "available_on": row["available"],
            "created": row["created"],
            "currency": row["currency"].lower(),
            "description": row["about"],
            "exchange_rate": None,
            "fee": row["fee"],
            "fee_details": _fee_details(row),
            "net": row["gross"] - row["fee"],
            "reporting_category": category,
            "source": None if row["kind"] == "fee" else row["about"],
            "status": "available",
            "type": kind,
        }

    def source(self, key: str | None) -> Any:
        """The object behind an id."""
        for table, show in (
            ("payments", self.charge),
            ("refunds", self.refund),
            ("disputes", self.dispute),
            ("payouts", self.payout),
        ):
            if key and (row := self._purse.find(table, key)):
                return show(row)
        return None

    def entry_of(self, entry_id: str | None) -> Record | None:
        """The balance transaction of this id."""
        number = (entry_id or "").removeprefix("txn_sandbox")
        row = self._purse.world.store.get("purse.moves", int(number)) if number.isdigit() else None
        return self.entry(row) if row else None

    def _entry_id(self, about: str, kind: str) -> str | None:
        rows = self._purse.moves_of("stripe", about)
        return next((f"txn_sandbox{row['id']:06}" for row in rows if row["kind"] == kind), None)


def intent_id(payment: Record) -> str:
    """The payment intent of a charge."""
    return str(payment["key"]).replace("ch_", "pi_", 1)


def _fee_details(row: Record) -> list[Record]:
    if not row["fee"]:
        return []
    title = "Dispute fee" if row["kind"].startswith("dispute") else "Stripe processing fees"
    return [
        {
            "amount": row["fee"],
            "application": None,
            "currency": row["currency"].lower(),
            "description": title,
            "type": "stripe_fee",
        }
    ]
