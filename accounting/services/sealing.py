"""The digest that chains documents: SHA-256 over the one before and over all that a document says."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from integration_hub.kernel import codec

from ..models import Document, DocumentLine, DocumentTax, Series

_HEAD = (
    "kind issuer number sequence channel_id order_id scope after_sale_id corrects_id currency prices_include_tax issued_on "
    "supplied_from supplied_on due_on language country buyer_vat_id routing_id seller buyer delivery why payment_method "
    "source_id external_id"
).split()
_LINE = "position order_line_id kind title sku tax_case country group location".split()
_NUMBERS = "quantity unit_price discount rate net tax gross".split()
_SUMS = "rate net tax gross".split()


def digest(document: Document, lines: Iterable[DocumentLine], taxes: Iterable[DocumentTax]) -> str:
    """The seal of a document; needs ``previous`` to be set."""
    said: dict[str, Any] = {name: _plain(getattr(document, name)) for name in _HEAD}
    said |= {name: _number(getattr(document, name)) for name in ("net", "tax", "gross", "prepaid")}
    said["lines"] = [_row(line, _LINE, _NUMBERS) for line in sorted(lines, key=lambda line: line.position)]
    said["taxes"] = sorted(_row(row, ["tax_case", "country"], _SUMS) for row in taxes)
    return hashlib.sha256(document.previous.encode() + codec.canonical(said)).hexdigest()


def _row(row: Any, words: Iterable[str], numbers: Iterable[str]) -> list[Any]:
    return [_plain(getattr(row, name)) for name in words] + [_number(getattr(row, name)) for name in numbers]


def _number(value: Decimal) -> str:
    """The same text whether it comes from memory or from numeric(19,4)."""
    return f"{value.normalize():f}" if value else "0"


def _plain(value: Any) -> Any:
    return value if isinstance(value, str | int | bool | dict) or value is None else str(value)


def broken(series: Series, *, batch: int = 500) -> int | None:
    """The id of the first document of a series whose seal or link is wrong; None where all hold.  Bounded memory."""
    before = ""
    rows = series.documents.order_by("sequence").prefetch_related("lines", "taxes")
    for document in rows.iterator(chunk_size=batch):
        right = digest(document, document.lines.all(), document.taxes.all())
        if document.previous != before or document.digest != right:
            return document.pk
        before = document.digest
    return None if before == series.head else -1
