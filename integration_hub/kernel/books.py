"""What accounting systems are asked to hold: vouchers of documents that somebody has issued.

Amounts are Decimal in the document's currency and positive on an invoice and on a credit note alike; rates are fractions.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal


@dataclass(frozen=True, kw_only=True)
class VoucherPart:
    """The sum of one tax case, country and rate: ``case`` is accounting's word (DOMESTIC, OSS, EXPORT ...)."""

    case: str
    country: str
    rate: Decimal
    gross: Decimal
    tax: Decimal


@dataclass(frozen=True, kw_only=True)
class WriteVoucher:
    """Bring a document into the books of an accounting system, once under ``key``.

    ``credit``: it takes back (Rechnungskorrektur, Stornorechnung).  ``gross`` and ``tax`` are the sums of ``parts``.
    """

    key: str
    number: str
    credit: bool
    issued_on: date
    supplied_on: date
    currency: str
    gross: Decimal
    tax: Decimal
    parts: tuple[VoucherPart, ...]
    order_number: str = ""


BooksCommand = WriteVoucher
