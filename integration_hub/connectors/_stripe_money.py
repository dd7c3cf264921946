"""Stripe's amounts: integers in minor units, whose digits are Stripe's own and not always those of ISO 4217."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from integration_hub.kernel import fields as read
from integration_hub.kernel.errors import unreadable
from integration_hub.kernel.fields import Object
from integration_hub.kernel.funds import FeeKind, ReportedFee

# https://docs.stripe.com/currencies: amounts in these have no decimals (MGA against ISO; ISK and UGX keep two there)
_ZERO = frozenset("BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF".split())
_THREE = frozenset("BHD JOD KWD OMR TND".split())

_FEES = {
    "stripe_fee": FeeKind.PROCESSING,
    "payment_method_passthrough_fee": FeeKind.PROCESSING,
    "tax": FeeKind.TAX,
    "withheld_tax": FeeKind.TAX,
    "application_fee": FeeKind.OTHER,
}
_DISPUTES = frozenset({"dispute", "dispute_reversal"})


def digits(currency: str) -> int:
    """How many digits of a whole amount are decimals."""
    return 0 if currency in _ZERO else 3 if currency in _THREE else 2


def major(source: Object, name: str, currency: str) -> Decimal:
    """An amount in major units; Rejected unless it stands there as a whole number."""
    value = source.get(name)
    if isinstance(value, bool) or not isinstance(value, int):
        raise unreadable("%(name)s is not a whole number of minor units", name=name)
    return read.amount({name: Decimal(value).scaleb(-digits(currency))}, name)


def minor(amount: Decimal, currency: str) -> int | None:
    """An amount in minor units, None where Stripe has no coin that small."""
    whole = amount.scaleb(digits(currency))
    return int(whole) if whole == whole.to_integral_value() else None


def settled(entry: Object) -> dict[str, Any]:
    """What a balance transaction says about settlement, as fields of a TransactionReport."""
    currency = read.currency(entry, "currency")
    gross, net = major(entry, "amount", currency), major(entry, "net", currency)
    fees = _fees(entry, currency)
    read.sound_settlement(gross, sum((fee.amount for fee in fees), Decimal(0)), net, read.identifier(entry, "id"))
    return {
        "settlement_currency": currency,
        "settled_gross": gross,
        "fees": fees,
        "fee_tax": sum((fee.amount for fee in fees if fee.kind is FeeKind.TAX), Decimal(0)),
        "net": net,
        "rate": read.amount(entry, "exchange_rate") if entry.get("exchange_rate") is not None else None,
        "available_at": read.epoch(entry, "available_on"),
        "payout_id": read.identifier(entry, "payout", required=False),
    }


def category(entry: Object) -> str:
    """What the entry is for: the reporting category, which is finer than the type."""
    return read.words(entry, "reporting_category", 60) or read.words(entry, "type", 60)


def _fees(entry: Object, currency: str) -> tuple[ReportedFee, ...]:
    total = major(entry, "fee", currency)
    parts = tuple(_fee(part, category(entry)) for part in read.children(entry, "fee_details"))
    rest = total - sum((part.amount for part in parts), Decimal(0))
    return parts if not rest else (*parts, ReportedFee(kind=FeeKind.OTHER, amount=rest))


def _fee(part: Object, of: str) -> ReportedFee:
    kind = _FEES.get(read.words(part, "type", 60), FeeKind.OTHER)
    if kind is FeeKind.PROCESSING and of in _DISPUTES:
        kind = FeeKind.DISPUTE
    amount = major(part, "amount", read.currency(part, "currency"))
    return ReportedFee(kind=kind, amount=amount, title=read.words(part, "description", 120))
