"""Stripe's objects as reports.

A charge and a refund are movements under their own ids, whether they come as such or as the source of a balance
transaction; every other balance transaction is a movement under its own id.
"""

from __future__ import annotations

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

from ._stripe_money import category, major, settled

CHARGES = frozenset({"charge"})
REFUNDS = frozenset({"refund"})
# https://docs.stripe.com/reports/reporting-categories; older entries say it in ``type``
_KINDS = {
    "charge": TransactionKind.CAPTURE,
    "payment": TransactionKind.CAPTURE,
    "refund": TransactionKind.REFUND,
    "payment_refund": TransactionKind.REFUND,
    "refund_failure": TransactionKind.REFUND_FAILED,
    "payment_failure_refund": TransactionKind.REFUND_FAILED,
    "partial_capture_reversal": TransactionKind.ADJUSTMENT,
    "charge_failure": TransactionKind.ADJUSTMENT,
    "dispute": TransactionKind.DISPUTE,
    "dispute_reversal": TransactionKind.DISPUTE_REVERSAL,
    "fee": TransactionKind.FEE,
    "network_cost": TransactionKind.FEE,
    "tax": TransactionKind.FEE,
    "stripe_fee": TransactionKind.FEE,
    "tax_fee": TransactionKind.FEE,
    "connect_reserved_funds": TransactionKind.RESERVE,
    "risk_reserved_funds": TransactionKind.RESERVE,
    "payment_network_reserved_funds": TransactionKind.RESERVE,
    "reserve_transaction": TransactionKind.RESERVE,
    "reserved_funds": TransactionKind.RESERVE,
    "reserve_hold": TransactionKind.RESERVE,
    "reserve_release": TransactionKind.RESERVE,
    "currency_conversion": TransactionKind.CONVERSION,
    "transfer": TransactionKind.TRANSFER,
    "transfer_reversal": TransactionKind.TRANSFER,
    "connect_collection_transfer": TransactionKind.TRANSFER,
    "topup": TransactionKind.TRANSFER,
    "topup_reversal": TransactionKind.TRANSFER,
    "payout": TransactionKind.PAYOUT,
    "payout_reversal": TransactionKind.PAYOUT_FAILED,
    "payout_failure": TransactionKind.PAYOUT_FAILED,
    "payout_cancel": TransactionKind.PAYOUT_FAILED,
    "other_adjustment": TransactionKind.ADJUSTMENT,
    "adjustment": TransactionKind.ADJUSTMENT,
}
_OWN_FEES = {"tax": FeeKind.TAX, "tax_fee": FeeKind.TAX, "network_cost": FeeKind.PROCESSING}
_STATES = {
    "succeeded": TransactionState.SUCCEEDED,
    "pending": TransactionState.PENDING,
    "requires_action": TransactionState.PENDING,
    "failed": TransactionState.FAILED,
    "canceled": TransactionState.CANCELLED,
}
_PAYOUTS = {
    "pending": PayoutStage.PENDING,
    "in_transit": PayoutStage.IN_TRANSIT,
    "paid": PayoutStage.PAID,
    "failed": PayoutStage.FAILED,
    "canceled": PayoutStage.CANCELLED,
}
_DISPUTES = {
    "warning_needs_response": DisputeStage.WARNING,
    "warning_under_review": DisputeStage.WARNING,
    "warning_closed": DisputeStage.WON,
    "needs_response": DisputeStage.NEEDS_RESPONSE,
    "under_review": DisputeStage.UNDER_REVIEW,
    "won": DisputeStage.WON,
    "prevented": DisputeStage.WON,
    "lost": DisputeStage.LOST,
}
_ORDER_NAMES = ("order_reference", "order_number", "order_id", "order", "orderId", "order_no", "reference")


def charge_report(charge: Object, seen: datetime | None, entry: Object | None = None) -> TransactionReport:
    """A charge: promised, taken or refused; with its figures where the balance transaction is there."""
    currency = read.currency(charge, "currency")
    status = read.words(charge, "status", 40)
    promised = status == "succeeded" and not read.flag(charge, "captured")
    said = settled(entry) if entry else {}
    gross = major(charge, "amount", currency)
    if said and said["settlement_currency"] == currency:
        gross = said["settled_gross"]  # of a partial capture this is what was taken
    elif charge.get("amount_captured"):
        gross = major(charge, "amount_captured", currency)
    state = _of(_STATES, status, "status")
    if promised and read.flag(charge, "refunded"):
        state = TransactionState.CANCELLED
    return TransactionReport(
        external_id=read.identifier(charge, "id"),
        kind=TransactionKind.AUTHORISATION if promised else TransactionKind.CAPTURE,
        state=state,
        vendor_status=status,
        gross=gross,
        currency=currency,
        hints=_hints(charge),
        is_test=_is_test(charge),
        **_times(charge, seen),
        **_method(charge),
        **said,
    )


def refund_reports(
    refund: Object, seen: datetime | None, entry: Object | None = None, back: Object | None = None
) -> list[TransactionReport]:
    """A refund, and the money that came back where it failed."""
    currency = read.currency(refund, "currency")
    status = read.words(refund, "status", 40)
    external_id = read.identifier(refund, "id")
    report = TransactionReport(
        external_id=external_id,
        kind=TransactionKind.REFUND,
        state=_of(_STATES, status, "status"),
        vendor_status=status,
        gross=-major(refund, "amount", currency),
        currency=currency,
        parent_id=_id_of(refund, "charge") or _id_of(refund, "payment_intent"),
        hints=_hints(refund),
        **_times(refund, seen),
        **(settled(entry) if entry else {}),
    )
    return [report] if not back else [report, movement(back, seen)]


def dispute_reports(dispute: Object, seen: datetime | None) -> list[FundsReport]:
    """A dispute, and the withdrawals and returns of money it has caused."""
    currency = read.currency(dispute, "currency")
    status = read.words(dispute, "status", 60)
    moved = [movement({**entry, "source": dispute}, seen) for entry in read.children(dispute, "balance_transactions")]
    times = _times(dispute, seen)
    report = DisputeReport(
        external_id=read.identifier(dispute, "id"),
        transaction_id=_id_of(dispute, "charge"),
        stage=_of(_DISPUTES, status, "status"),
        vendor_status=status,
        amount=major(dispute, "amount", currency),
        currency=currency,
        opened_at=times["occurred_at"],
        updated_at=times["updated_at"],
        reason=read.words(dispute, "reason", 120),
        evidence_due=read.epoch(read.child(dispute, "evidence_details"), "due_by"),
        fee=sum((fee.amount for one in moved for fee in one.fees), Decimal(0)),
    )
    return [report, *moved]


def payout_report(payout: Object, seen: datetime | None) -> PayoutReport:
    """A payout; one that was asked for by hand has no items."""
    currency = read.currency(payout, "currency")
    status = read.words(payout, "status", 40)
    times, arrival = _times(payout, seen), read.epoch(payout, "arrival_date")
    trace = read.words(read.child(payout, "trace_id"), "value", 120)
    return PayoutReport(
        external_id=read.identifier(payout, "id"),
        stage=_of(_PAYOUTS, status, "status"),
        vendor_status=status,
        amount=major(payout, "amount", currency),
        currency=currency,
        created_at=times["occurred_at"],
        updated_at=times["updated_at"],
        arrives_on=arrival.date() if arrival else None,
        reference=trace or read.words(payout, "statement_descriptor", 120),
        has_items=read.flag(payout, "automatic"),
    )


def movement(entry: Object, seen: datetime | None) -> TransactionReport:
    """A balance transaction; with its source expanded it says whose it is."""
    source, kind = _source(entry), _KINDS.get(category(entry), TransactionKind.OTHER)
    if kind is TransactionKind.CAPTURE and source.get("object") == "charge":
        return charge_report(source, seen, entry)
    if kind is TransactionKind.REFUND and source.get("object") == "refund":
        return refund_reports(source, seen, entry)[0]
    said = settled(entry)
    if kind is TransactionKind.FEE:
        said = _as_fee(entry, said)
    own = kind in (TransactionKind.CAPTURE, TransactionKind.REFUND)
    return TransactionReport(
        external_id=(_id_of(entry, "source") if own else "") or read.identifier(entry, "id"),
        kind=kind,
        state=TransactionState.SUCCEEDED,
        vendor_status=read.words(entry, "status", 40),
        gross=said["settled_gross"],
        currency=said["settlement_currency"],
        parent_id=_parent(entry, source),
        hints=Hints(text=read.words(entry, "description")),
        **_times(entry, seen),
        **said,
    )


def _as_fee(entry: Object, said: dict[str, Any]) -> dict[str, Any]:
    """A fee that stands alone moves nothing but itself: gross nought, the fee by its kind, net what was taken."""
    kind = _OWN_FEES.get(category(entry)) or _OWN_FEES.get(read.words(entry, "type", 60), FeeKind.SUBSCRIPTION)
    own = ReportedFee(kind=kind, amount=-said["settled_gross"], title=read.words(entry, "description", 120))
    tax = said["fee_tax"] + (own.amount if kind is FeeKind.TAX else 0)
    return {**said, "settled_gross": Decimal(0), "fees": (own, *said["fees"]), "fee_tax": tax}


def _source(entry: Object) -> Object:
    source = entry.get("source")
    return source if isinstance(source, dict) else {}


def _parent(entry: Object, source: Object) -> str:
    """The disputed charge, the refund that failed, the payout; else what the entry comes from."""
    return _id_of(source, "charge") if source.get("object") == "dispute" else _id_of(entry, "source")


def _id_of(source: Object, name: str) -> str:
    """The id in a field that holds it or, expanded, the object."""
    value = source.get(name)
    return read.identifier(value if isinstance(value, dict) else source, "id" if isinstance(value, dict) else name,
                           required=False)  # fmt: skip


def _times(source: Object, seen: datetime | None) -> dict[str, Any]:
    """When it came to be, and when we saw it so: Stripe's objects do not say when they changed."""
    created = read.epoch(source, "created")
    if created is None:
        raise unreadable("%(name)s is missing", name="created")
    return {"occurred_at": created, "updated_at": max(seen, created) if seen else created}


def _hints(source: Object) -> Hints:
    metadata, billing = read.child(source, "metadata"), read.child(source, "billing_details")
    reference = next((found for name in _ORDER_NAMES if (found := read.words(metadata, name, 100))), "")
    ids = (read.identifier(source, "id"), _id_of(source, "payment_intent"), _id_of(source, "invoice"))
    return Hints(
        order_reference=reference,
        payment_ids=tuple(one for one in ids if one),
        text=read.words(source, "description"),
        name=read.words(billing, "name", 200),
        email=read.words(billing, "email", 200) or read.words(source, "receipt_email", 200),
    )


def _method(charge: Object) -> dict[str, Any]:
    details = read.child(charge, "payment_method_details")
    method = read.words(details, "type", 60)
    card = read.child(details, method) if method else {}
    country = read.country(card, "country") or read.country(
        read.child(read.child(charge, "billing_details"), "address"), "country"
    )
    return {"method": method, "card": read.words(card, "brand", 40), "country": country}


def _is_test(source: Object) -> bool:
    return source.get("livemode") is False


def _of(table: dict[str, Any], word: str, name: str) -> Any:
    if word not in table:
        raise unreadable("%(name)s “%(word)s” is not known", name=name, word=word)
    return table[word]
