"""PayPal's transaction event codes in our words (https://developer.paypal.com/docs/reports/reference/tcodes)."""

from __future__ import annotations

from decimal import Decimal

from integration_hub.kernel.funds import FeeKind, TransactionKind

_GROUPS = {
    "T01": TransactionKind.FEE,
    "T02": TransactionKind.CONVERSION,
    "T03": TransactionKind.TRANSFER,
    "T04": TransactionKind.PAYOUT,
    "T05": TransactionKind.TRANSFER,
    "T06": TransactionKind.TRANSFER,
    "T07": TransactionKind.TRANSFER,
    "T08": TransactionKind.ADJUSTMENT,
    "T09": TransactionKind.ADJUSTMENT,
    "T12": TransactionKind.ADJUSTMENT,
    "T13": TransactionKind.AUTHORISATION,
    "T15": TransactionKind.RESERVE,
    "T17": TransactionKind.TRANSFER,
    "T19": TransactionKind.ADJUSTMENT,
    "T20": TransactionKind.TRANSFER,
    "T21": TransactionKind.RESERVE,
    "T22": TransactionKind.TRANSFER,
}
_CODES = {
    "T0001": TransactionKind.TRANSFER,  # mass payment
    "T0015": TransactionKind.TRANSFER,
    "T1101": TransactionKind.PAYOUT_FAILED,  # the bank sent a withdrawal back
    "T1104": TransactionKind.TRANSFER,
    "T1105": TransactionKind.RESERVE,  # a hold is lifted
    "T1107": TransactionKind.REFUND,
    "T1108": TransactionKind.FEE,
    "T1109": TransactionKind.FEE,
    "T1110": TransactionKind.RESERVE,  # held while a dispute is looked into
    "T1111": TransactionKind.RESERVE,
    "T1113": TransactionKind.REFUND,
    "T1119": TransactionKind.RESERVE,
    "T1201": TransactionKind.DISPUTE,
    "T1202": TransactionKind.DISPUTE_REVERSAL,
    "T1205": TransactionKind.DISPUTE_REVERSAL,
    "T1208": TransactionKind.DISPUTE_REVERSAL,
}
_REVERSALS = frozenset({"T1100", "T1106"})  # taken back from us, or, when positive, given back to us
_FEES = {
    "T0101": FeeKind.SUBSCRIPTION,
    "T0106": FeeKind.DISPUTE,
    "T0114": FeeKind.DISPUTE,
    "T0107": FeeKind.PROCESSING,
    "T1108": FeeKind.PROCESSING,
    "T1109": FeeKind.PROCESSING,
}


def kind_of(code: str, amount: Decimal) -> TransactionKind:
    """What a code means for the merchant, whose money the amount comes to (positive) or leaves."""
    if code in _REVERSALS:
        return TransactionKind.DISPUTE if amount < 0 else TransactionKind.DISPUTE_REVERSAL
    if code == "T1201" and amount > 0:
        return TransactionKind.DISPUTE_REVERSAL
    if code in _CODES:
        return _CODES[code]
    if code.startswith("T00"):  # payments: one that leaves is a purchase of the merchant's
        return TransactionKind.CAPTURE if amount >= 0 else TransactionKind.TRANSFER
    return _GROUPS.get(code[:3], TransactionKind.OTHER)


def fee_kind_of(code: str) -> FeeKind:
    """What a fee that stands alone is for."""
    return _FEES.get(code, FeeKind.OTHER)
