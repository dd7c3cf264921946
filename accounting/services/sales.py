"""What a document means for the books: one booking row per tax case, country and rate, and per account where they differ."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from django.conf import settings

from integration_hub.kernel.errors import Rejected
from integration_hub.kernel.text import say

from ..events import Event, Source
from ..models import Document, DocumentLine
from ..states import DocumentKind, DocumentState, LineKind, TaxCase
from .entries import Draft
from .mapping import Key, Table
from .money import Later, Nothing, Outcome, text_of
from .rows import Row, percent

WORDS = {
    DocumentKind.INVOICE: "Verkauf",
    DocumentKind.PARTIAL_INVOICE: "Verkauf",
    DocumentKind.COLLECTIVE_INVOICE: "Verkauf",
    DocumentKind.SMALL_INVOICE: "Verkauf",
    DocumentKind.FINAL_INVOICE: "Verkauf",
    DocumentKind.ADVANCE_INVOICE: "Anzahlung",
    DocumentKind.CORRECTION: "Korrektur",
    DocumentKind.CANCELLATION: "Storno",
}
REVERSING = (DocumentKind.CORRECTION, DocumentKind.CANCELLATION)
_NAMES_BUYER = (TaxCase.EU_B2B, TaxCase.EU_B2B_SERVICE)


@dataclass(frozen=True)
class _Bucket:
    """What is summed up into one row."""

    key: Key
    gross: Decimal


def of_document(
    document: Document, table: Table, rates: Mapping[int, Decimal], number_of: Callable[[int | None], str]
) -> Outcome:
    """An issued document; ``rates``: by order, what one unit of a foreign currency is in the books."""
    if document.state != DocumentState.ISSUED or document.issued_on is None:
        return Later(say("It is not issued yet."))
    buckets = list(_together(_buckets(document), table))
    if not any(bucket.gross for bucket in buckets):
        return Nothing(say("It comes to nothing."))
    rate = _rate(document, rates)
    number = _belegfeld1(document, number_of)
    return Draft(
        source=Source.DOCUMENT,
        subject_id=document.pk,
        booked_on=document.issued_on,
        rows=[_row(document, bucket, rate, number, many=len(buckets) > 1) for bucket in buckets],
        text=_text(document, ""),
        belegfeld1=number,
        document_id=document.pk,
        order_id=document.order_id,
    )


def _buckets(document: Document) -> Iterator[_Bucket]:
    """Sums of the lines by what their account depends on."""
    sums: dict[Key, Decimal] = {}
    for line in document.lines.all():
        key = _key(document, line)
        sums[key] = sums.get(key, Decimal(0)) + line.gross
    yield from (_Bucket(key, gross) for key, gross in sums.items())


def _key(document: Document, line: DocumentLine) -> Key:
    about = document.corrects if document.kind in REVERSING and document.corrects else document
    advance = about.kind == DocumentKind.ADVANCE_INVOICE or line.kind == LineKind.ADVANCE
    assert document.issued_on is not None  # noqa: S101  an issued document has its day, by a check of the table
    return Key(
        event=Event.ADVANCE if advance else Event.REVENUE,
        day=document.issued_on,
        channel_id=document.channel_id,
        location=line.location,
        product_group=line.group,
        payment_method=document.payment_method,
        country=line.country,
        rate=line.rate,
        tax_case=line.tax_case,
    )


def _together(buckets: Iterator[_Bucket], table: Table) -> Iterator[_Bucket]:
    """One row per tax and account: groups and locations that lead to the same account are not told apart."""
    sums: dict[tuple[object, ...], _Bucket] = {}
    for bucket in buckets:
        found, key = table.find(bucket.key), bucket.key
        target = (
            key.event,
            key.tax_case,
            key.country,
            key.rate,
            found.account.number,
            found.rule.tax_key,
            found.rule.cost_centre,
        )
        held = sums.get(target)
        sums[target] = bucket if held is None else _Bucket(_common(held.key, key), held.gross + bucket.gross)
    yield from sums.values()


def _common(one: Key, other: Key) -> Key:
    """What two questions have in common."""
    return replace(
        one,
        product_group=one.product_group if one.product_group == other.product_group else "",
        location=one.location if one.location == other.location else "",
    )


def _rate(document: Document, rates: Mapping[int, Decimal]) -> Decimal:
    if document.currency == settings.HUB_BOOK_CURRENCY:
        return Decimal(1)
    if document.order_id is None or document.order_id not in rates:
        raise Rejected(
            say("There is no rate from %(currency)s to the currency of the books.", currency=document.currency),
            code="no_rate",
        )
    return rates[document.order_id]


def _row(document: Document, bucket: _Bucket, rate: Decimal, number: str, *, many: bool) -> Row:
    foreign = document.currency != settings.HUB_BOOK_CURRENCY
    key = bucket.key
    debtor = Key(
        event=Event.DEBTOR,
        day=key.day,
        channel_id=document.channel_id,
        payment_method=document.payment_method,
        country=document.country,
    )
    return Row(
        head=debtor,
        contra=key,
        amount=bucket.gross * rate,
        text=_text(document, f"{percent(key.rate or Decimal(0))}%" if many else ""),
        belegfeld1=number,
        eu_id=_eu_id(document, key),
        currency=document.currency,
        foreign=bucket.gross if foreign else None,
        exchange=(1 / rate).quantize(Decimal("0.000001")) if foreign else None,
    )


def _eu_id(document: Document, key: Key) -> str:
    """Field 40: the country of destination for distance sales, the buyer's VAT id between businesses."""
    if key.tax_case == TaxCase.OSS:
        return key.country
    return document.buyer_vat_id if key.tax_case in _NAMES_BUYER else ""


def _text(document: Document, suffix: str) -> str:
    order = document.order.number if document.order else ""
    if document.kind in REVERSING and document.corrects:
        return text_of(WORDS[DocumentKind(document.kind)], document.number, "zu", document.corrects.number, suffix)
    return text_of(WORDS[DocumentKind(document.kind)], document.channel.name, order or document.number, suffix)


def _belegfeld1(document: Document, number_of: Callable[[int | None], str]) -> str:
    """The key of the open item: a correction bears the number of the invoice that it is about."""
    if number := number_of(document.order_id):
        return number
    about = document.corrects if document.kind in REVERSING and document.corrects else document
    return about.number
