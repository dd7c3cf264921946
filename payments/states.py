"""Where money stands: the words of every axis and the tables of moves."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from integration_hub.kernel.states import Moves


class Kind(models.TextChoices):
    """What moved the balance; as ``kernel.funds.TransactionKind``."""

    AUTHORISATION = "AUTHORISATION", _("authorisation")
    CAPTURE = "CAPTURE", _("payment")
    REFUND = "REFUND", _("refund")
    REFUND_FAILED = "REFUND_FAILED", _("refund that came back")
    DISPUTE = "DISPUTE", _("chargeback")
    DISPUTE_REVERSAL = "DISPUTE_REVERSAL", _("chargeback returned")
    FEE = "FEE", _("fee")
    RESERVE = "RESERVE", _("reserve")
    ADJUSTMENT = "ADJUSTMENT", _("adjustment")
    CONVERSION = "CONVERSION", _("currency conversion")
    TRANSFER = "TRANSFER", _("transfer")
    PAYOUT = "PAYOUT", _("payout")
    PAYOUT_FAILED = "PAYOUT_FAILED", _("payout that came back")
    OTHER = "OTHER", pgettext_lazy("movement", "other")


# what is about an order, by nature; a fee or a payout is about none
OF_ORDERS = (
    Kind.AUTHORISATION,
    Kind.CAPTURE,
    Kind.REFUND,
    Kind.REFUND_FAILED,
    Kind.DISPUTE,
    Kind.DISPUTE_REVERSAL,
)
MONEY_BACK = (Kind.REFUND, Kind.REFUND_FAILED)
NO_ITEM = (Kind.AUTHORISATION, Kind.PAYOUT)  # never an item of a payout


class Standing(models.TextChoices):
    """Where a movement stands with its provider; as ``kernel.funds.TransactionState``."""

    PENDING = "PENDING", _("pending")
    SUCCEEDED = "SUCCEEDED", _("done")
    FAILED = "FAILED", _("failed")
    CANCELLED = "CANCELLED", _("cancelled")
    EXPIRED = "EXPIRED", _("expired")


STANDING_MOVES: Moves = {
    Standing.PENDING: frozenset(Standing.values) - {Standing.PENDING},
    Standing.SUCCEEDED: frozenset({Standing.FAILED, Standing.CANCELLED}),
    Standing.FAILED: frozenset({Standing.SUCCEEDED}),
    Standing.CANCELLED: frozenset({Standing.SUCCEEDED}),
    Standing.EXPIRED: frozenset({Standing.SUCCEEDED, Standing.CANCELLED}),
}
LIVE = (Standing.PENDING, Standing.SUCCEEDED)


class How(models.TextChoices):
    """Who tied a payment to an order."""

    CERTAIN = "CERTAIN", _("certain")
    PROPOSED = "PROPOSED", _("proposed and confirmed")
    PERSON = "PERSON", _("by a person")


class Ground(models.TextChoices):
    """Why a payment belongs to an order."""

    PARENT = "PARENT", _("belongs to a payment of this order")
    PAYMENT_ID = "PAYMENT_ID", _("the shop names this payment")
    REFERENCE = "REFERENCE", _("the payment names this order")
    TEXT = "TEXT", _("order number in the text, same amount")
    SCORE = "SCORE", _("amount, time and payer fit")
    CHOSEN = "CHOSEN", _("chosen by a person")


class Search(models.TextChoices):
    """Where the search for a payment's order stands."""

    NEW = "NEW", _("not searched yet")
    WAITING = "WAITING", _("waits for its order")
    ASKED = "ASKED", _("needs a decision")


class PayoutState(models.TextChoices):
    """How far a payout is explained and seen."""

    ANNOUNCED = "ANNOUNCED", _("announced")
    EXPLAINED = "EXPLAINED", _("explained")
    IN_BANK = "IN_BANK", _("in the bank, not explained")
    CLOSED = "CLOSED", pgettext_lazy("payout", "closed")
    CAME_BACK = "CAME_BACK", _("came back")


_PAYOUT = frozenset(PayoutState.values)
PAYOUT_MOVES: Moves = {state: _PAYOUT - {state} for state in PayoutState.values}


class RefundState(models.TextChoices):
    """A refund as a process."""

    REQUESTED = "REQUESTED", _("requested")
    APPROVED = "APPROVED", _("approved")
    SENT = "SENT", _("sent")
    PENDING = "PENDING", _("pending at the provider")
    SETTLED = "SETTLED", _("refunded")
    FAILED = "FAILED", _("failed")
    DECLINED = "DECLINED", _("declined")


REFUND_MOVES: Moves = {
    RefundState.REQUESTED: frozenset({RefundState.APPROVED, RefundState.DECLINED}),
    RefundState.APPROVED: frozenset(
        {RefundState.SENT, RefundState.PENDING, RefundState.SETTLED, RefundState.FAILED, RefundState.DECLINED}
    ),
    RefundState.SENT: frozenset({RefundState.PENDING, RefundState.SETTLED, RefundState.FAILED}),
    RefundState.PENDING: frozenset({RefundState.SETTLED, RefundState.FAILED}),
    RefundState.SETTLED: frozenset({RefundState.FAILED}),  # a bank may send it back weeks later
    RefundState.FAILED: frozenset({RefundState.APPROVED, RefundState.SETTLED}),
    RefundState.DECLINED: frozenset(),
}
HOLDING = (  # these count against what can still be refunded
    RefundState.REQUESTED,
    RefundState.APPROVED,
    RefundState.SENT,
    RefundState.PENDING,
    RefundState.SETTLED,
)


class DisputeState(models.TextChoices):
    """Where a dispute stands; as ``kernel.funds.DisputeStage``."""

    WARNING = "WARNING", _("inquiry")
    NEEDS_RESPONSE = "NEEDS_RESPONSE", _("needs a response")
    UNDER_REVIEW = "UNDER_REVIEW", _("under review")
    WON = "WON", _("won")
    LOST = "LOST", _("lost")


_DISPUTE = frozenset(DisputeState.values)
DISPUTE_MOVES: Moves = {state: _DISPUTE - {state} for state in DisputeState.values}
UNDECIDED = (DisputeState.WARNING, DisputeState.NEEDS_RESPONSE)


class Purpose(models.TextChoices):
    """What a line of a bank account is."""

    OPEN = "OPEN", _("not explained")
    PAYOUT = "PAYOUT", _("payout of a provider")
    PAYMENT = "PAYMENT", _("payment of a customer")
    OTHER = "OTHER", _("none of the shops' business")


class WriteOffState(models.TextChoices):
    """A small difference that is given up."""

    REQUESTED = "REQUESTED", _("waits for a second person")
    DONE = "DONE", _("written off")
    DECLINED = "DECLINED", _("declined")


WRITE_OFF_MOVES: Moves = {
    WriteOffState.REQUESTED: frozenset({WriteOffState.DONE, WriteOffState.DECLINED}),
    WriteOffState.DONE: frozenset(),
    WriteOffState.DECLINED: frozenset(),
}


class Money(models.TextChoices):
    """How an order stands with its money, derived; what shops are told."""

    OPEN = "OPEN", _("open")
    AUTHORISED = "AUTHORISED", _("authorised")
    PARTLY_PAID = "PARTLY_PAID", _("partly paid")
    PAID = "PAID", _("paid")
    OVERPAID = "OVERPAID", _("overpaid")
    PARTLY_REFUNDED = "PARTLY_REFUNDED", _("partly refunded")
    REFUNDED = "REFUNDED", _("refunded")
    IN_DISPUTE = "IN_DISPUTE", _("in dispute")


# what these codes in stored sentences are called
TERMS: dict[str, Any] = {
    code: label
    for words in (PayoutState, RefundState, DisputeState, WriteOffState, Ground)
    for code, label in words.choices
}
