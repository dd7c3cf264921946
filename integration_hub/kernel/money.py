"""Amounts of one currency that lose no cent.

Minor unit digits follow ISO 4217; minor units themselves exist only inside connectors.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from functools import total_ordering

# ISO 4217 active codes whose minor unit has two digits; the others stand in UNUSUAL with their own.
_TWO = frozenset(
    """AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP CRC CUP
    CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS
    KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD
    PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP
    TRY TTD TWD TZS UAH USD UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG BGN ANG""".split()
)
UNUSUAL = {
    **dict.fromkeys("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split(), 0),
    **dict.fromkeys("BHD IQD JOD KWD LYD OMR TND".split(), 3),
    "CLF": 4,
}


def minor_digits(currency: str) -> int:
    """How many digits the smallest coin of an ISO 4217 currency has; ValueError for a code that is none."""
    if currency in _TWO:
        return 2
    if currency in UNUSUAL:
        return UNUSUAL[currency]
    raise ValueError(f"{currency!r} is not an ISO 4217 currency")


def is_currency(code: str) -> bool:
    return code in _TWO or code in UNUSUAL


def rounded(amount: Decimal, currency: str) -> Decimal:
    """Commercial rounding (half away from zero) to the currency's smallest coin."""
    return amount.quantize(Decimal(1).scaleb(-minor_digits(currency)), rounding=ROUND_HALF_UP)


@total_ordering
@dataclass(frozen=True)
class Money:
    """An exact amount with its currency; refuses floats and mixed currencies."""

    amount: Decimal
    currency: str

    def __post_init__(self) -> None:
        if not isinstance(self.amount, Decimal) or not self.amount.is_finite():
            raise TypeError(f"money needs a finite Decimal, got {self.amount!r}")
        minor_digits(self.currency)

    def __add__(self, other: Money) -> Money:
        return Money(self.amount + self._same(other), self.currency)

    def __sub__(self, other: Money) -> Money:
        return Money(self.amount - self._same(other), self.currency)

    def __neg__(self) -> Money:
        return Money(-self.amount, self.currency)

    def __abs__(self) -> Money:
        return Money(abs(self.amount), self.currency)

    def __mul__(self, factor: Decimal | int) -> Money:
        if isinstance(factor, bool) or not isinstance(factor, Decimal | int):
            raise TypeError("money is multiplied by Decimal or int only")
        return Money(self.amount * factor, self.currency)

    def __lt__(self, other: Money) -> bool:
        return self.amount < self._same(other)

    def __bool__(self) -> bool:
        return self.amount != 0

    def __str__(self) -> str:
        return f"{self.rounded().amount} {self.currency}"

    def _same(self, other: Money) -> Decimal:
        if not isinstance(other, Money):
            raise TypeError(f"cannot combine money with {type(other).__name__}")
        if other.currency != self.currency:
            raise ValueError(f"cannot combine {self.currency} with {other.currency}")
        return other.amount

    def rounded(self) -> Money:
        return Money(rounded(self.amount, self.currency), self.currency)

    def split(self, weights: Sequence[Decimal | int]) -> list[Money]:
        """Share by weights in whole coins; the parts sum up to the rounded amount, whatever the weights."""
        whole, total = self.rounded().amount, sum(Decimal(weight) for weight in weights)
        if not weights or total <= 0 or any(weight < 0 for weight in weights):
            raise ValueError("weights must be non-negative and not all zero")
        parts: list[Money] = []
        given, seen = Decimal(0), Decimal(0)
        for weight in weights:
            seen += Decimal(weight)
            upto = whole if seen == total else rounded(whole * seen / total, self.currency)
            parts.append(Money(upto - given, self.currency))
            given = upto
        return parts
