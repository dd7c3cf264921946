"""What payment providers and banks say about money, and what we ask of them.

Amounts are Decimal in major units with their ISO 4217 currency beside them; minor units end at the connector.  Signs are
from the merchant's view: money that comes in is positive.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum


class TransactionKind(StrEnum):
    """What moved the provider's balance, or will."""

    AUTHORISATION = "AUTHORISATION"  # promised, moves nothing yet
    CAPTURE = "CAPTURE"
    REFUND = "REFUND"
    REFUND_FAILED = "REFUND_FAILED"  # money of a refund that came back
    DISPUTE = "DISPUTE"  # chargeback withdrawn
    DISPUTE_REVERSAL = "DISPUTE_REVERSAL"
    FEE = "FEE"  # a fee of its own: subscription, dispute, tax on fees
    RESERVE = "RESERVE"  # held back or released
    ADJUSTMENT = "ADJUSTMENT"
    CONVERSION = "CONVERSION"
    TRANSFER = "TRANSFER"  # between accounts of the merchant's
    PAYOUT = "PAYOUT"  # to the bank
    PAYOUT_FAILED = "PAYOUT_FAILED"
    OTHER = "OTHER"


class TransactionState(StrEnum):
    """Where it stands with the provider, in our words."""

    PENDING = "PENDING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"
    EXPIRED = "EXPIRED"


class FeeKind(StrEnum):
    """What a fee is for."""

    PROCESSING = "PROCESSING"
    EXCHANGE = "EXCHANGE"
    DISPUTE = "DISPUTE"
    SUBSCRIPTION = "SUBSCRIPTION"
    TAX = "TAX"  # tax on fees, stated apart
    OTHER = "OTHER"


class PayoutStage(StrEnum):
    """Where a payout stands with the provider."""

    PENDING = "PENDING"
    IN_TRANSIT = "IN_TRANSIT"
    PAID = "PAID"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


class DisputeStage(StrEnum):
    """Where a dispute stands with the provider."""

    WARNING = "WARNING"  # an inquiry; no money was taken
    NEEDS_RESPONSE = "NEEDS_RESPONSE"
    UNDER_REVIEW = "UNDER_REVIEW"
    WON = "WON"
    LOST = "LOST"


@dataclass(frozen=True, kw_only=True)
class ReportedFee:
    """A fee as a positive cost in the transaction's settlement currency (negative: given back)."""

    kind: FeeKind
    amount: Decimal
    title: str = ""


@dataclass(frozen=True, kw_only=True)
class Hints:
    """What a transaction says about whom it belongs to; empty where it says nothing.

    ``order_reference`` is a reference or number of the order from metadata that somebody put there on purpose,
    ``payment_ids`` are ids by which a shop may know the payment (charge, intent, order of the provider), ``text`` is
    free text to search for numbers (description, remittance information), ``name`` and ``email`` the payer's.
    """

    order_reference: str = ""
    payment_ids: tuple[str, ...] = ()
    text: str = ""
    name: str = ""
    email: str = ""
    iban: str = ""


@dataclass(frozen=True, kw_only=True)
class TransactionReport:
    """One movement of money as its provider shows it now; (provider connection, ``external_id``) is its identity.

    ``gross`` and ``currency`` are what the customer saw (presentment).  ``settled_gross``, ``fees``, ``fee_tax``, ``net`` are in
    ``settlement_currency``: settled_gross - sum of fees = net (fee_tax is contained in fees); None where not settled yet.
    ``rate`` is the exchange rate used from currency to settlement_currency.  ``parent_id`` is the movement this one
    belongs to (a refund's capture).  ``payout_id`` is set when the provider says in which payout it is paid out.
    ``updated_at`` orders reports of one movement.
    """

    external_id: str
    kind: TransactionKind
    state: TransactionState
    vendor_status: str
    occurred_at: datetime
    updated_at: datetime
    gross: Decimal
    currency: str
    settlement_currency: str = ""
    settled_gross: Decimal | None = None
    fees: tuple[ReportedFee, ...] = ()
    fee_tax: Decimal = Decimal(0)
    net: Decimal | None = None
    rate: Decimal | None = None
    reserve: Decimal = Decimal(0)
    parent_id: str = ""
    payout_id: str = ""
    available_at: datetime | None = None
    method: str = ""  # card, paypal, sepa_debit, klarna, ideal, bank_transfer, cash_on_delivery ...
    country: str = ""
    card: str = ""  # brand or region class, as far as fees depend on it
    hints: Hints = field(default_factory=Hints)
    is_test: bool = False


@dataclass(frozen=True, kw_only=True)
class PayoutReport:
    """A payout as its provider shows it.  ``amount`` is what goes to the bank (positive).

    ``items`` are external ids of transactions where the report holds them whole; None where they come with the
    transactions (``payout_id``) or not at all (``has_items`` False: a manual payout).
    """

    external_id: str
    stage: PayoutStage
    vendor_status: str
    amount: Decimal
    currency: str
    created_at: datetime
    updated_at: datetime
    arrives_on: date | None = None
    reference: str = ""  # what the bank's statement will show
    has_items: bool = True
    items: tuple[str, ...] | None = None
    balance_before: Decimal | None = None
    balance_after: Decimal | None = None


@dataclass(frozen=True, kw_only=True)
class DisputeReport:
    """A dispute as its provider shows it; ``transaction_id`` is the disputed capture, ``fee`` a positive cost."""

    external_id: str
    transaction_id: str
    stage: DisputeStage
    vendor_status: str
    amount: Decimal
    currency: str
    opened_at: datetime
    updated_at: datetime
    reason: str = ""
    evidence_due: datetime | None = None
    fee: Decimal = Decimal(0)


@dataclass(frozen=True, kw_only=True)
class StatementLine:
    """One booked line of a bank account; ``amount`` positive for money in.  ``key`` is unique within the account."""

    key: str
    booked_on: date
    amount: Decimal
    valued_on: date | None = None
    name: str = ""
    iban: str = ""
    text: str = ""  # remittance information, unwrapped
    end_to_end_id: str = ""
    bank_reference: str = ""
    kind: str = ""  # the bank's own transaction code


@dataclass(frozen=True, kw_only=True)
class StatementReport:
    """A bank statement, whole or not at all: opening + sum of lines = closing, else the file is refused."""

    account: str  # IBAN or the bank's account number
    number: str
    currency: str
    opening: Decimal | None
    closing: Decimal | None
    opened_on: date | None
    closed_on: date
    lines: tuple[StatementLine, ...]


FundsReport = TransactionReport | PayoutReport | DisputeReport | StatementReport


@dataclass(frozen=True, kw_only=True)
class RefundPayment:
    """Give money of a capture back.  ``key`` travels as idempotency key; ``payment_id`` is the provider's id to refund."""

    key: str
    payment_id: str
    amount: Decimal
    currency: str
    reason: str = ""
    order_reference: str = ""


@dataclass(frozen=True, kw_only=True)
class RegisterPayment:
    """Tell an ERP that money for an order came in (or went back, negative ``amount``), under a ``key`` of its own.

    ``sale_id`` and ``sale_number`` are the ERP's.
    """

    key: str
    reference: str
    sale_id: str
    sale_number: str
    amount: Decimal
    currency: str
    paid_at: datetime
    method: str = ""
    provider: str = ""
    payment_id: str = ""


@dataclass(frozen=True, kw_only=True)
class TellPayment:
    """Tell a shop how an order stands with its money: ``status`` is paid, partly_refunded, refunded or in_dispute."""

    key: str
    reference: str
    order_id: str
    status: str
    amount: Decimal
    currency: str
    payment_id: str = ""
    details: Mapping[str, str] = field(default_factory=dict)


FundsCommand = RefundPayment | RegisterPayment | TellPayment
