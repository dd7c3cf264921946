"""Money as rows: movements and whose they are, payouts, bank lines, refunds, disputes, what is open."""

from .balance import FeeCheck, FeeContract, OpenItem, PaymentTerm, Progress
from .bank import BankAccount, BankLine, BankStatement
from .payout import AcceptedRemainder, Payout, PayoutItem
from .refund import Bounds, Dispute, Policy, Refund, RefundLine, WriteOff, bounds_of
from .transaction import Allocation, Candidate, NumberRule, Transaction, TransactionFee, Unassigned

__all__ = [
    "AcceptedRemainder",
    "Allocation",
    "BankAccount",
    "BankLine",
    "BankStatement",
    "Bounds",
    "Candidate",
    "Dispute",
    "FeeCheck",
    "FeeContract",
    "NumberRule",
    "OpenItem",
    "PaymentTerm",
    "Payout",
    "PayoutItem",
    "Policy",
    "Progress",
    "Refund",
    "RefundLine",
    "Transaction",
    "TransactionFee",
    "Unassigned",
    "WriteOff",
    "bounds_of",
]
