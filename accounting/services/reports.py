"""Figures out of the issued documents and the fees of providers: summed in the database, each opening into its rows.

Corrections and cancellations count with their negative amounts in the month they were issued (section 17 (1) UStG).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import Count, F, Q, QuerySet, Sum
from django.utils.translation import gettext_lazy as _

from integration_hub.models import Connection
from payments.models import TransactionFee

from ..models import DocumentLine, DocumentTax
from ..states import DocumentState, TaxCase

MOST = 500


@dataclass(frozen=True)
class Span:
    """From a day to a day, both included."""

    first: date
    last: date


@dataclass(frozen=True, kw_only=True)
class Dimension:
    """What revenue is broken down by: the path to its value and the words for it."""

    code: str
    label: Any
    path: str
    words: Mapping[str, Any] | None = None


DIMENSIONS = (
    Dimension(code="channel", label=_("Channel"), path="document__channel_id"),
    Dimension(code="group", label=_("Product group"), path="group"),
    Dimension(code="case", label=_("Tax case"), path="tax_case", words=dict(TaxCase.choices)),
    Dimension(code="country", label=_("Country"), path="country"),
    Dimension(code="location", label=_("Location"), path="location"),
)


@dataclass(frozen=True)
class Figure:
    """A row of a report: ``value`` names it in addresses, ``label`` on the page."""

    value: str
    label: str
    net: Decimal
    tax: Decimal
    gross: Decimal
    currency: str
    count: int


def dimension_of(code: str) -> Dimension | None:
    return next((one for one in DIMENSIONS if one.code == code), None)


def lines(span: Span) -> QuerySet[DocumentLine]:
    """The lines of all documents issued in this span."""
    return DocumentLine.objects.filter(
        document__state=DocumentState.ISSUED, document__issued_on__gte=span.first, document__issued_on__lte=span.last
    )


def revenue(span: Span, by: Dimension) -> list[Figure]:
    """Net, tax and gross of what was billed, the largest first; by currency where there are several."""
    found = (
        lines(span)
        .values(value=F(by.path), currency=F("document__currency"))
        .annotate(net=Sum("net"), tax=Sum("tax"), gross=Sum("gross"), number=Count("document_id", distinct=True))
        .order_by("-gross")[:MOST]
    )
    names = dict(Connection.objects.values_list("pk", "name")) if by.code == "channel" else by.words or {}
    return [_figure(row, names) for row in found]


def _figure(row: Mapping[str, Any], names: Mapping[Any, Any]) -> Figure:
    value = row["value"]
    label = names.get(value, value)
    return Figure(str(value), str(label or "–"), row["net"], row["tax"], row["gross"], row["currency"], row["number"])


def of_value(span: Span, by: Dimension, value: str) -> QuerySet[DocumentLine]:
    """The lines that make up one figure of ``revenue``; none for a value that makes no sense."""
    if by.code == "channel" and not value.isdecimal():
        return DocumentLine.objects.none()
    return lines(span).filter(Q(**{by.path: value})).select_related("document__channel").order_by("-pk")


@dataclass(frozen=True)
class Quarter:
    """A quarter of a year, as the OSS return wants it (section 18j UStG)."""

    year: int
    number: int

    @property
    def span(self) -> Span:
        month = self.number * 3
        last = {3: 31, 6: 30, 9: 30, 12: 31}[month]
        return Span(date(self.year, month - 2, 1), date(self.year, month, last))

    @classmethod
    def of(cls, day: date) -> Quarter:
        return cls(day.year, (day.month - 1) // 3 + 1)


@dataclass(frozen=True)
class OssFigure:
    """What a country of destination is owed at one rate; ``earlier`` is what corrections of earlier quarters take back of it."""

    country: str
    rate: Decimal
    net: Decimal
    tax: Decimal
    earlier: Decimal
    currency: str
    count: int


def oss(quarter: Quarter) -> list[OssFigure]:
    """The distance sales of a quarter by country and rate, with corrections of earlier quarters beside them."""
    span = quarter.span
    found = (
        DocumentTax.objects.filter(
            tax_case=TaxCase.OSS,
            document__state=DocumentState.ISSUED,
            document__issued_on__gte=span.first,
            document__issued_on__lte=span.last,
        )
        .values("country", "rate", currency=F("document__currency"))
        .annotate(
            net_sum=Sum("net"),
            tax_sum=Sum("tax"),
            earlier=Sum("tax", filter=Q(document__corrects__issued_on__lt=span.first)),
            number=Count("document_id", distinct=True),
        )
        .order_by("country", "rate")
    )
    return [
        OssFigure(
            row["country"], row["rate"], row["net_sum"], row["tax_sum"], row["earlier"] or Decimal(0),
            row["currency"], row["number"],
        )
        for row in found
    ]  # fmt: skip


@dataclass(frozen=True)
class FeeFigure:
    """What one provider took for one kind of service."""

    connection_id: int
    provider: str
    kind: str
    amount: Decimal
    currency: str
    count: int


def fees(span: Span) -> list[FeeFigure]:
    """Fees by provider and kind, in the currency they were settled in."""
    kinds = dict(TransactionFee._meta.get_field("kind").choices or ())
    found = (
        TransactionFee.objects.filter(
            transaction__occurred_at__date__gte=span.first, transaction__occurred_at__date__lte=span.last
        )
        .values(
            "kind", pk_of=F("transaction__connection_id"), name=F("transaction__connection__name"),
            currency=F("transaction__settlement_currency"),
        )
        .annotate(sum=Sum("amount"), number=Count("transaction_id", distinct=True))
        .order_by("name", "-sum")
    )  # fmt: skip
    return [
        FeeFigure(row["pk_of"], row["name"], str(kinds[row["kind"]]), row["sum"], row["currency"], row["number"])
        for row in found
    ]
