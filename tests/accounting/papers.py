"""Issued documents for tests of postings: written as the shop's own, with lines, taxes, number and seal."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from django.db import transaction
from django.utils import timezone

from accounting.models import Document, DocumentLine, DocumentTax, Series
from orders.models import Order

# title, gross, tax case, rate in percent; more by name
Line = tuple[str, str, str, str] | tuple[str, str, str, str, dict[str, Any]]


def tax_in(gross: Decimal, percent: Decimal) -> Decimal:
    """VAT of gross prices per rate, as accounting.md section C has it."""
    return (gross * percent / (100 + percent)).quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)


@transaction.atomic
def issue(
    number: str,
    lines: Sequence[Line],
    *,
    order: Order | None = None,
    kind: str = "INVOICE",
    channel: Any = None,
    **more: Any,
) -> Document:
    """A document with these lines; the tax is computed once per tax case, country and rate and given to the first line."""
    channel = channel or (order.channel if order else None)
    series, _made = Series.objects.get_or_create(source=channel, range=None, year=0)
    rows = [_line(place, line, more.get("country", "DE")) for place, line in enumerate(lines, start=1)]
    taxes = _taxes(rows)
    day = more.pop("day", timezone.localdate())
    document = Document.objects.create(
        kind=kind, state="ISSUED", issuer="SHOP", number=number, series=series, sequence=series.next, channel=channel,
        order=order, scope="order", currency=more.pop("currency", "EUR"), net=sum(tax.net for tax in taxes),
        tax=sum(tax.tax for tax in taxes), gross=sum(tax.gross for tax in taxes), issued_on=day,
        issued_at=timezone.now(), source=channel, external_id=number, digest="x" * 64, **more,
    )  # fmt: skip
    parts: list[Any] = [*rows, *taxes]
    for part in parts:
        part.document = document
        part.save()
    Series.objects.filter(pk=series.pk).update(next=series.next + 1)
    return Document.objects.get(pk=document.pk)


def _line(place: int, line: Line, country: str) -> DocumentLine:
    title, gross, case, percent, *more = line
    about: dict[str, Any] = {"kind": "GOODS"} | (dict(more[0]) if more else {})
    return DocumentLine(
        position=place, title=title, quantity=1, unit_price=abs(Decimal(gross)), tax_case=case,
        country=about.pop("country", country), rate=Decimal(percent) / 100, gross=Decimal(gross), **about,
    )  # fmt: skip


def _taxes(rows: Sequence[DocumentLine]) -> list[DocumentTax]:
    held: dict[tuple[str, str, Decimal], list[DocumentLine]] = {}
    for row in rows:
        held.setdefault((row.tax_case, row.country, row.rate), []).append(row)
    return [_tax(key, theirs) for key, theirs in held.items()]


def _tax(key: tuple[str, str, Decimal], rows: Sequence[DocumentLine]) -> DocumentTax:
    gross = sum((row.gross for row in rows), Decimal(0))
    tax = tax_in(gross, key[2] * 100)
    for place, row in enumerate(rows):
        row.tax = tax if place == 0 else Decimal(0)
        row.net = row.gross - row.tax
    return DocumentTax(tax_case=key[0], country=key[1], rate=key[2], net=gross - tax, tax=tax, gross=gross)
