"""PayPal's objects as reports.

A fee is positive on a capture (``paypal_fee``: 0.37) and negative in the transaction search (``fee_amount``: -0.37); here it
is a positive cost either way.  A withdrawal to the bank is a payout that names no items.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from integration_hub.kernel import fields as read
from integration_hub.kernel.errors import unreadable
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

from ._paypal_codes import fee_kind_of, kind_of

_CAPTURES = {
    "COMPLETED": TransactionState.SUCCEEDED,
    "PARTIALLY_REFUNDED": TransactionState.SUCCEEDED,
    "REFUNDED": TransactionState.SUCCEEDED,
    "PENDING": TransactionState.PENDING,
    "DECLINED": TransactionState.FAILED,
    "FAILED": TransactionState.FAILED,
}
_REFUNDS = {
    "COMPLETED": TransactionState.SUCCEEDED,
    "PENDING": TransactionState.PENDING,
    "FAILED": TransactionState.FAILED,
    "CANCELLED": TransactionState.CANCELLED,
}
_AUTHORISATIONS = {
    "CREATED": TransactionState.SUCCEEDED,
    "CAPTURED": TransactionState.SUCCEEDED,
    "PARTIALLY_CAPTURED": TransactionState.SUCCEEDED,
    "PENDING": TransactionState.PENDING,
    "DENIED": TransactionState.FAILED,
    "VOIDED": TransactionState.CANCELLED,
    "EXPIRED": TransactionState.EXPIRED,
}
# V: it went through and was taken back later, which is a movement of its own
_ROWS = {
    "S": TransactionState.SUCCEEDED,
    "V": TransactionState.SUCCEEDED,
    "P": TransactionState.PENDING,
    "D": TransactionState.FAILED,
    "F": TransactionState.FAILED,
}
_PAYOUTS = {
    TransactionState.SUCCEEDED: PayoutStage.PAID,
    TransactionState.PENDING: PayoutStage.IN_TRANSIT,
    TransactionState.FAILED: PayoutStage.FAILED,
}
_WAITING = frozenset({"WAITING_FOR_BUYER_RESPONSE", "UNDER_REVIEW", "OTHER"})
_LOST = frozenset({"RESOLVED_BUYER_FAVOUR", "ACCEPTED", "NONE", ""})
_OWN_ID = frozenset({TransactionKind.CAPTURE, TransactionKind.REFUND})


def capture_report(capture: Object) -> TransactionReport:
    """Money taken; a pending one has no figures yet."""
    amount, currency = money(capture, "amount")
    status = read.words(capture, "status", 40)
    return TransactionReport(
        external_id=read.identifier(capture, "id"),
        kind=TransactionKind.CAPTURE,
        state=_of(_CAPTURES, status),
        vendor_status=status,
        gross=amount,
        currency=currency,
        method="paypal",
        hints=_hints(capture),
        **_times(capture, "create_time", "update_time"),
        **_settled(read.child(capture, "seller_receivable_breakdown"), 1),
    )


def authorisation_report(found: Object) -> TransactionReport:
    """Money promised."""
    amount, currency = money(found, "amount")
    status = read.words(found, "status", 40)
    return TransactionReport(
        external_id=read.identifier(found, "id"),
        kind=TransactionKind.AUTHORISATION,
        state=_of(_AUTHORISATIONS, status),
        vendor_status=status,
        gross=amount,
        currency=currency,
        method="paypal",
        hints=_hints(found),
        **_times(found, "create_time", "update_time"),
    )


def refund_report(refund: Object) -> TransactionReport:
    """Money given back, and what of the fee came back with it."""
    amount, currency = money(refund, "amount")
    status = read.words(refund, "status", 40)
    return TransactionReport(
        external_id=read.identifier(refund, "id"),
        kind=TransactionKind.REFUND,
        state=_of(_REFUNDS, status),
        vendor_status=status,
        gross=-amount,
        currency=currency,
        parent_id=up(refund),
        method="paypal",
        hints=_hints(refund),
        **_times(refund, "create_time", "update_time"),
        **_settled(read.child(refund, "seller_payable_breakdown"), -1),
    )


def _settled(parts: Object, sign: int) -> dict[str, Any]:
    """Gross, fees and net of a breakdown; nothing while PayPal does not state them."""
    if not all(read.child(parts, name) for name in ("gross_amount", "net_amount")):
        return {}
    gross, currency = money(parts, "gross_amount")
    net = sign * money(parts, "net_amount")[0]
    fees = [ReportedFee(kind=FeeKind.PROCESSING, amount=sign * money(parts, "paypal_fee")[0])] if read.child(
        parts, "paypal_fee") else []  # fmt: skip
    for part in read.children(parts, "platform_fees"):
        fees.append(ReportedFee(kind=FeeKind.OTHER, amount=sign * money(part, "amount")[0], title="platform"))
    read.sound_settlement(sign * gross, sum((fee.amount for fee in fees), Decimal(0)), net, "the breakdown")
    return {"settlement_currency": currency, "settled_gross": sign * gross, "fees": tuple(fees), "net": net}


def row_reports(row: Object) -> Sequence[FundsReport]:
    """A row of the transaction search; a withdrawal is a movement and a payout."""
    info = read.child(row, "transaction_info")
    code = read.words(info, "transaction_event_code", 10)
    amount, currency = money(info, "transaction_amount")
    kind, state = kind_of(code, amount), _of(_ROWS, read.words(info, "transaction_status", 4))
    report = TransactionReport(
        external_id=_row_id(info, kind, amount, currency),
        kind=kind,
        state=state,
        vendor_status=f"{code} {read.words(info, 'transaction_status', 4)}",
        gross=amount,
        currency=currency,
        parent_id=_parent(info, kind),
        method="paypal" if kind in _OWN_ID else "",
        country=read.country(read.child(row, "payer_info"), "country_code"),
        hints=_row_hints(row, info),
        **_times(info, "transaction_initiation_date", "transaction_updated_date"),
        **(_row_settled(info, kind, code, amount, currency) if state is TransactionState.SUCCEEDED else {}),
    )
    return [report, _payout(info, report)] if kind is TransactionKind.PAYOUT and amount < 0 else [report]


def _row_settled(info: Object, kind: TransactionKind, code: str, amount: Decimal, currency: str) -> dict[str, Any]:
    cost = -money(info, "fee_amount")[0] if read.child(info, "fee_amount") else Decimal(0)
    net, gross = amount - cost, amount
    disputed = kind in (TransactionKind.DISPUTE, TransactionKind.DISPUTE_REVERSAL)
    usual = FeeKind.DISPUTE if disputed else FeeKind.PROCESSING
    fees = [ReportedFee(kind=usual, amount=cost)] if cost else []
    if kind is TransactionKind.FEE:  # a fee that stands alone moves nothing but itself
        fees, gross = [ReportedFee(kind=fee_kind_of(code), amount=-amount, title=code), *fees], Decimal(0)
    return {"settlement_currency": currency, "settled_gross": gross, "fees": tuple(fees), "net": net}


def _row_id(info: Object, kind: TransactionKind, amount: Decimal, currency: str) -> str:
    """One id can stand on several rows; only payments and refunds have theirs for themselves."""
    own = read.identifier(info, "transaction_id")
    if kind in _OWN_ID:
        return own
    code = read.words(info, "transaction_event_code", 10)
    return f"{own}:{code}:{amount}{currency}"


def _payout(info: Object, report: TransactionReport) -> PayoutReport:
    after = money(info, "ending_balance")[0] if read.child(info, "ending_balance") else None
    moved = report.net if report.net is not None else report.gross
    return PayoutReport(
        external_id=read.identifier(info, "transaction_id"),
        stage=_PAYOUTS[report.state],
        vendor_status=report.vendor_status,
        amount=-report.gross,
        currency=report.currency,
        created_at=report.occurred_at,
        updated_at=report.updated_at,
        reference=read.words(info, "bank_reference_id", 120),
        has_items=False,
        balance_before=None if after is None else after - moved,
        balance_after=after,
    )


def _parent(info: Object, kind: TransactionKind) -> str:
    if kind is TransactionKind.PAYOUT:
        return read.identifier(info, "transaction_id")
    is_transaction = read.words(info, "paypal_reference_id_type", 10) == "TXN"
    return read.identifier(info, "paypal_reference_id", required=False) if is_transaction else ""


def _row_hints(row: Object, info: Object) -> Hints:
    payer = read.child(row, "payer_info")
    ids = [read.identifier(info, name, required=False) for name in ("transaction_id", "paypal_reference_id")]
    said = [read.words(info, name) for name in ("transaction_subject", "transaction_note", "custom_field")]
    return Hints(
        order_reference=read.words(info, "invoice_id", 120),
        payment_ids=tuple(one for one in ids if one),
        text=" ".join(one for one in said if one),
        name=read.words(read.child(payer, "payer_name"), "alternate_full_name", 200),
        email=read.words(payer, "email_address", 200),
    )


def dispute_report(dispute: Object) -> DisputeReport:
    """A dispute; an inquiry that PayPal only passes on takes no money yet."""
    amount, currency = money(dispute, "dispute_amount")
    status = read.words(dispute, "status", 60)
    times = _times(dispute, "create_time", "update_time")
    disputed = read.children(dispute, "disputed_transactions")
    return DisputeReport(
        external_id=read.identifier(dispute, "dispute_id"),
        transaction_id=read.identifier(disputed[0], "seller_transaction_id", required=False) if disputed else "",
        stage=_stage(dispute, status),
        vendor_status=status,
        amount=amount,
        currency=currency,
        opened_at=times["occurred_at"],
        updated_at=times["updated_at"],
        reason=read.words(dispute, "reason", 120),
        evidence_due=read.moment(dispute, "seller_response_due_date"),
    )


def _stage(dispute: Object, status: str) -> DisputeStage:
    if status == "RESOLVED":
        outcome = read.words(read.child(dispute, "dispute_outcome"), "outcome_code", 60)
        return DisputeStage.LOST if outcome in _LOST else DisputeStage.WON
    if status == "WAITING_FOR_SELLER_RESPONSE":
        return DisputeStage.NEEDS_RESPONSE
    if status == "OPEN":
        inquiry = read.words(dispute, "dispute_life_cycle_stage", 40) == "INQUIRY"
        return DisputeStage.WARNING if inquiry else DisputeStage.NEEDS_RESPONSE
    if status not in _WAITING:
        raise unreadable("%(name)s “%(word)s” is not known", name="status", word=status)
    return DisputeStage.UNDER_REVIEW


def up(source: Object) -> str:
    """The id of what this belongs to: the capture of a refund."""
    links = [one for one in read.children(source, "links") if one.get("rel") == "up"]
    return read.words(links[0], "href").rstrip("/").rpartition("/")[2][:100] if links else ""


def money(source: Object, name: str) -> tuple[Decimal, str]:
    """Amount and currency of ``{"value": "10.00", "currency_code": "EUR"}``."""
    found = read.child(source, name)
    if not found:
        raise unreadable("%(name)s is missing", name=name)
    return read.amount(found, "value"), read.currency(found, "currency_code")


def order_of(source: Object) -> str:
    """The checkout order of a capture."""
    related = read.child(read.child(source, "supplementary_data"), "related_ids")
    return read.identifier(related, "order_id", required=False)


def _hints(source: Object) -> Hints:
    ids = (read.identifier(source, "id"), order_of(source), up(source))
    return Hints(
        order_reference=read.words(source, "invoice_id", 127) or read.words(source, "custom_id", 127),
        payment_ids=tuple(dict.fromkeys(one for one in ids if one)),
        text=f"{read.words(source, 'custom_id', 127)} {read.words(source, 'note_to_payer')}".strip(),
    )


def _times(source: Object, created: str, updated: str) -> dict[str, Any]:
    occurred_at = read.moment(source, created)
    if occurred_at is None:
        raise unreadable("%(name)s is missing", name=created)
    changed: datetime = read.moment(source, updated) or occurred_at
    return {"occurred_at": occurred_at, "updated_at": max(changed, occurred_at)}


def _of(table: dict[str, Any], word: str) -> Any:
    if word not in table:
        raise unreadable("%(name)s “%(word)s” is not known", name="status", word=word)
    return table[word]
