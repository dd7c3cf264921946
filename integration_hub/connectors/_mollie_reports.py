"""Mollie's objects as reports.

A payment, refund, chargeback or capture is a movement under its own id, told by itself (what the customer saw) or by the
balance transaction it has caused (what was settled and what it cost).  Fees stand in the latter only.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from integration_hub.kernel import codec
from integration_hub.kernel import fields as read
from integration_hub.kernel.errors import Rejected, unreadable
from integration_hub.kernel.fields import Object
from integration_hub.kernel.funds import (
    DisputeReport,
    DisputeStage,
    FeeKind,
    FundsReport,
    Hints,
    PayoutReport,
    PayoutStage,
    ReportedFee,
    TransactionKind,
    TransactionReport,
    TransactionState,
)
from integration_hub.kernel.messages import Ignored
from integration_hub.kernel.text import say

_PAYMENTS = {
    "open": TransactionState.PENDING,
    "pending": TransactionState.PENDING,
    "authorized": TransactionState.SUCCEEDED,
    "paid": TransactionState.SUCCEEDED,
    "failed": TransactionState.FAILED,
    "canceled": TransactionState.CANCELLED,
    "expired": TransactionState.EXPIRED,
}
_REFUNDS = {
    "queued": TransactionState.PENDING,
    "pending": TransactionState.PENDING,
    "processing": TransactionState.PENDING,
    "refunded": TransactionState.SUCCEEDED,
    "failed": TransactionState.FAILED,
    "canceled": TransactionState.CANCELLED,
}
_CAPTURES = {"pending": TransactionState.PENDING, "succeeded": TransactionState.SUCCEEDED, "": TransactionState.SUCCEEDED,
             "failed": TransactionState.FAILED}  # fmt: skip
_SETTLEMENTS = {"pending": PayoutStage.IN_TRANSIT, "paidout": PayoutStage.PAID, "failed": PayoutStage.FAILED}
# https://docs.mollie.com/reference/list-balance-transactions; what is missing here is OTHER
_KINDS = {
    "payment": TransactionKind.CAPTURE,
    "capture": TransactionKind.CAPTURE,
    "split-payment": TransactionKind.CAPTURE,
    "refund": TransactionKind.REFUND,
    "platform-payment-refund": TransactionKind.REFUND,
    "returned-refund": TransactionKind.REFUND_FAILED,
    "returned-platform-payment-refund": TransactionKind.REFUND_FAILED,
    "chargeback": TransactionKind.DISPUTE,
    "platform-payment-chargeback": TransactionKind.DISPUTE,
    "chargeback-reversal": TransactionKind.DISPUTE_REVERSAL,
    "reversed-platform-payment-chargeback": TransactionKind.DISPUTE_REVERSAL,
    "failed-payment": TransactionKind.ADJUSTMENT,
    "unauthorized-direct-debit": TransactionKind.DISPUTE,
    "balance-correction": TransactionKind.ADJUSTMENT,
    "invoice-compensation": TransactionKind.FEE,
    "invoice-rounding-compensation": TransactionKind.FEE,
    "application-fee": TransactionKind.FEE,
    "payment-fee": TransactionKind.FEE,
    "balance-charge-fee": TransactionKind.FEE,
    "fee-prepayment": TransactionKind.FEE,
    "outgoing-transfer": TransactionKind.PAYOUT,
    "outgoing-custom-amount-transfer": TransactionKind.PAYOUT,
    "canceled-outgoing-transfer": TransactionKind.PAYOUT_FAILED,
    "canceled-transfer": TransactionKind.PAYOUT_FAILED,
    "returned-transfer": TransactionKind.PAYOUT_FAILED,
    "topup": TransactionKind.TRANSFER,
    "balance-topup": TransactionKind.TRANSFER,
    "incoming-transfer": TransactionKind.TRANSFER,
    **dict.fromkeys(
        (
            "balance-reserve balance-reserve-return held-rolling-reserve pending-rolling-reserve rolling-reserve-hold "
            "released-rolling-reserve to-be-released-rolling-reserve rolling-reserve-release cash-collateral-issuance "
            "cash-collateral-release api-payment-rolling-reserve-release"
        ).split(),
        TransactionKind.RESERVE,
    ),
}
# which id of the context is the movement's own
_OWN_ID = {
    "payment": "paymentId",
    "capture": "captureId",
    "refund": "refundId",
    "chargeback": "chargebackId",
}
_METHODS = {"creditcard": "card", "banktransfer": "bank_transfer", "directdebit": "sepa_debit"}
_ORDER_NAMES = ("order_reference", "order_number", "order_id", "orderId", "orderNumber", "order", "reference")


def payment_reports(payment: Object, seen: datetime | None) -> list[FundsReport]:
    """A payment with what is embedded in it: captures, refunds, chargebacks."""
    inside = read.child(payment, "_embedded")
    captures = [capture_report(payment, one, seen) for one in read.children(inside, "captures")]
    refunds = [refund_report(one, seen) for one in read.children(inside, "refunds")]
    back = [report for one in read.children(inside, "chargebacks") for report in chargeback_reports(one, seen)]
    return [_payment(payment, seen), *captures, *refunds, *back]


def _payment(payment: Object, seen: datetime | None) -> TransactionReport:
    status = read.words(payment, "status", 40)
    details = read.child(payment, "details")
    amount, currency = money(payment, "amount")
    promised = status == "authorized" or read.words(payment, "captureMode", 20) == "manual"
    method = read.words(payment, "method", 60)
    return TransactionReport(
        external_id=read.identifier(payment, "id"),
        kind=TransactionKind.AUTHORISATION if promised else TransactionKind.CAPTURE,
        state=_of(_PAYMENTS, status),
        vendor_status=status,
        gross=amount,
        currency=currency,
        payout_id=read.identifier(payment, "settlementId", required=False),
        method=_METHODS.get(method, method),
        card=read.words(details, "cardLabel", 40),
        country=read.country(details, "cardCountryCode") or read.country(payment, "countryCode"),
        hints=_hints(payment),
        is_test=read.words(payment, "mode", 10) == "test",
        **_times(payment, seen, "paidAt", "authorizedAt"),
    )


def capture_report(payment: Object, capture: Object, seen: datetime | None) -> TransactionReport:
    """A part of a promised payment that was taken."""
    amount, currency = money(capture, "amount")
    status = read.words(capture, "status", 40)
    return TransactionReport(
        external_id=read.identifier(capture, "id"),
        kind=TransactionKind.CAPTURE,
        state=_of(_CAPTURES, status),
        vendor_status=status,
        gross=amount,
        currency=currency,
        parent_id=read.identifier(capture, "paymentId", required=False),
        payout_id=read.identifier(capture, "settlementId", required=False),
        hints=_hints(payment) if payment else Hints(),
        **_times(capture, seen),
    )


def refund_report(refund: Object, seen: datetime | None) -> TransactionReport:
    """A refund; the money leaves some days after it was asked for."""
    amount, currency = money(refund, "amount")
    status = read.words(refund, "status", 40)
    return TransactionReport(
        external_id=read.identifier(refund, "id"),
        kind=TransactionKind.REFUND,
        state=_of(_REFUNDS, status),
        vendor_status=status,
        gross=-amount,
        currency=currency,
        parent_id=read.identifier(refund, "paymentId", required=False),
        payout_id=read.identifier(refund, "settlementId", required=False),
        hints=_hints(refund),
        is_test=read.words(refund, "mode", 10) == "test",
        **_times(refund, seen),
    )


def chargeback_reports(chargeback: Object, seen: datetime | None) -> list[FundsReport]:
    """A chargeback takes the money at once: Mollie asks nobody, so it is lost unless it is reversed."""
    amount, currency = money(chargeback, "amount")
    chargeback_id, payment_id = read.identifier(chargeback, "id"), read.identifier(chargeback, "paymentId")
    reversed_at = read.moment(chargeback, "reversedAt")
    times = _times(chargeback, seen)
    dispute = DisputeReport(
        external_id=chargeback_id,
        transaction_id=payment_id,
        stage=DisputeStage.WON if reversed_at else DisputeStage.LOST,
        vendor_status="reversed" if reversed_at else "chargeback",
        amount=amount,
        currency=currency,
        opened_at=times["occurred_at"],
        updated_at=times["updated_at"],
        reason=read.words(read.child(chargeback, "reason"), "description", 120),
    )
    taken = TransactionReport(
        external_id=chargeback_id,
        kind=TransactionKind.DISPUTE,
        state=TransactionState.SUCCEEDED,
        vendor_status=dispute.vendor_status,
        gross=-amount,
        currency=currency,
        parent_id=payment_id,
        payout_id=read.identifier(chargeback, "settlementId", required=False),
        **times,
    )
    return [dispute, taken]


def payout_report(settlement: Object, seen: datetime | None) -> PayoutReport | Ignored:
    """A settlement; the virtual ones, ``open`` and ``next``, still collect and are no payouts yet."""
    status = read.words(settlement, "status", 40) or "paidout"
    if status == "open" or read.words(settlement, "id", 40) in ("open", "next"):
        return Ignored(reason=say("the settlement still collects; it is no payout yet"))
    amount, currency = money(settlement, "amount")
    settled = read.moment(settlement, "settledAt")
    times = _times(settlement, seen, "settledAt") if not settlement.get("createdAt") else _times(settlement, seen)
    return PayoutReport(
        external_id=read.identifier(settlement, "id"),
        stage=_of(_SETTLEMENTS, status),
        vendor_status=status,
        amount=amount,
        currency=currency,
        created_at=times["occurred_at"],
        updated_at=times["updated_at"],
        arrives_on=settled.date() if settled else None,
        reference=read.words(settlement, "reference", 120),
    )


def movement(entry: Object, payment: Object, payout_id: str, seen: datetime | None) -> TransactionReport:
    """A balance transaction: what was settled, less what it cost; ``payment`` is what it belongs to, if anything."""
    sort, context = read.words(entry, "type", 60), context_of(entry)
    kind = _KINDS.get(sort, TransactionKind.OTHER)
    settled = _settled(entry, kind)
    own = read.identifier(context, _OWN_ID.get(sort, ""), required=False)
    seen_by_customer = _told(payment, sort, own, seen)
    told = {
        "gross": settled["settled_gross"],
        "currency": settled["settlement_currency"],
        "state": TransactionState.SUCCEEDED,
        "vendor_status": sort,
        **_times(entry, seen),
        **(vars(seen_by_customer) if seen_by_customer else {}),
    }
    parent = read.identifier(context, "paymentId", required=False)
    if kind is TransactionKind.REFUND_FAILED:
        parent = read.identifier(context, "refundId", required=False) or parent
    if kind in (TransactionKind.PAYOUT, TransactionKind.PAYOUT_FAILED):
        parent = read.identifier(context, "settlementId", required=False)
    itself = {
        "external_id": own or read.identifier(entry, "id"),
        "kind": kind,
        "parent_id": "" if own == parent else parent,
        "payout_id": payout_id or (seen_by_customer.payout_id if seen_by_customer else ""),
    }
    return TransactionReport(**{**told, **settled, **itself})


def _told(payment: Object, sort: str, own: str, seen: datetime | None) -> TransactionReport | None:
    """What the payment says about this movement of its: what the customer saw, and whose it is."""
    if not payment or not own:
        return None
    reports = [one for one in payment_reports(payment, seen) if isinstance(one, TransactionReport)]
    return next((one for one in reports if one.external_id == own), None)


def _settled(entry: Object, kind: TransactionKind) -> dict[str, Any]:
    gross, currency = money(entry, "initialAmount")
    net, _ = money(entry, "resultAmount")
    cost = -money(entry, "deductions")[0] if read.child(entry, "deductions") else Decimal(0)
    read.sound_settlement(gross, cost, net, read.identifier(entry, "id"))
    fees = (ReportedFee(kind=_fee_kind(kind), amount=cost),) if cost else ()
    if kind is TransactionKind.FEE:  # a fee that stands alone moves nothing but itself
        own = ReportedFee(kind=FeeKind.PROCESSING, amount=-gross, title=read.words(entry, "type", 60))
        gross, fees = Decimal(0), (own, *fees)
    rate = {"settlement_currency": currency, "settled_gross": gross, "fees": fees, "net": net}
    return {**rate, "available_at": read.moment(entry, "createdAt")}


def _fee_kind(kind: TransactionKind) -> FeeKind:
    disputed = kind in (TransactionKind.DISPUTE, TransactionKind.DISPUTE_REVERSAL)
    return FeeKind.DISPUTE if disputed else FeeKind.PROCESSING


def context_of(entry: Object) -> Object:
    """The ids a balance transaction names; newer answers put them one level deeper, under the type."""
    context = read.child(entry, "context")
    inside = [value for value in context.values() if isinstance(value, dict)]
    return {name: value for one in (context, *inside) for name, value in one.items() if not isinstance(value, dict)}


def money(source: Object, name: str) -> tuple[Decimal, str]:
    """Amount and currency of ``{"value": "10.00", "currency": "EUR"}``."""
    found = read.child(source, name)
    if not found:
        raise unreadable("%(name)s is missing", name=name)
    return read.amount(found, "value"), read.currency(found, "currency")


def _times(source: Object, seen: datetime | None, *names: str) -> dict[str, Any]:
    """When it came to be, by the first of these that is there, and when we saw it so."""
    moments = [read.moment(source, name) for name in (*names, "createdAt")]
    created = next((one for one in moments if one), None)
    if created is None:
        raise unreadable("%(name)s is missing", name="createdAt")
    return {"occurred_at": created, "updated_at": max(seen, created) if seen else created}


def _hints(source: Object) -> Hints:
    said, details = metadata(source), read.child(source, "details")
    reference = next((found for name in _ORDER_NAMES if (found := read.words(said, name, 100))), "")
    ids: Sequence[str] = [read.identifier(source, name, required=False) for name in ("id", "orderId", "paymentId")]
    return Hints(
        order_reference=reference,
        payment_ids=tuple(one for one in ids if one),
        text=read.words(source, "description"),
        name=read.words(details, "consumerName", 200) or read.words(details, "cardHolder", 200),
        email=read.words(read.child(source, "billingAddress"), "email", 200),
        iban=read.words(details, "consumerAccount", 40),
    )


def metadata(source: Object) -> Object:
    """What the shop put there: an object, or JSON as text, or words that mean nothing to us."""
    found = source.get("metadata")
    if isinstance(found, str):
        try:
            found = codec.loads(found)
        except Rejected:
            return {}
    return (
        {name: value for name, value in found.items() if isinstance(value, str | int)}
        if isinstance(found, dict)
        else {}
    )


def _of(table: dict[str, Any], word: str) -> Any:
    if word not in table:
        raise unreadable("%(name)s “%(word)s” is not known", name="status", word=word)
    return table[word]
