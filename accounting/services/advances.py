"""Advance payments: billed when they are received (section 13 (1) no. 1a UStG), deducted with their tax from the final invoice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Sum

from integration_hub.kernel.money import rounded

from ..models import DocumentLine
from ..states import DocumentState, LineKind, TaxCase
from .composing import Composition
from .sums import Draft, TaxSum
from .tax import Treatment

ZERO = Decimal(0)


@dataclass
class Left:
    """What of advance payments of one treatment is not deducted yet."""

    net: Decimal
    tax: Decimal
    gross: Decimal


Open = dict[Treatment, Left]


def of(ids: Sequence[int]) -> dict[int, Open]:
    """By order: advance invoices less their cancellations and what invoices have deducted."""
    rows = (
        DocumentLine.objects.filter(
            document__order_id__in=ids, document__state=DocumentState.ISSUED, kind=LineKind.ADVANCE
        )
        .values("document__order_id", "tax_case", "country", "rate")
        .annotate(n=Sum("net"), t=Sum("tax"), g=Sum("gross"))
    )
    found: dict[int, Open] = {}
    for row in rows:
        treatment = Treatment(TaxCase(row["tax_case"]), row["country"], row["rate"])
        if row["g"] > 0:
            found.setdefault(row["document__order_id"], {})[treatment] = Left(row["n"], row["t"], row["g"])
    return found


def deduct(made: Composition, left: Mapping[Treatment, Left], currency: str, title: str) -> None:
    """Take what was paid in advance off the sums of an invoice, at the rates it was billed at."""
    for one in made.sums:
        paid = left.get(one.treatment)
        if paid and one.gross > 0:
            _take(made, one, paid, currency, title)


def _take(made: Composition, one: TaxSum, paid: Left, currency: str, title: str) -> None:
    gross = min(paid.gross, one.gross)
    if gross == paid.gross:
        tax = paid.tax
    elif gross == one.gross:
        tax = one.tax
    else:
        tax = rounded(paid.tax * gross / paid.gross, currency)
    line = Draft(kind=LineKind.ADVANCE, title=title, gross=-gross, unit_price=-gross, treatment=one.treatment)
    line.net, line.tax = -(gross - tax), -tax
    made.lines.append(line)
    one.net, one.tax, one.gross = one.net + line.net, one.tax + line.tax, one.gross + line.gross


def bill(made: Composition, title: str) -> None:
    """Turn what an order comes to into an advance invoice over all of it: one line per treatment, with the order's own tax."""
    made.sums = [TaxSum(one.treatment, one.net, one.tax, one.gross) for one in made.sums if one.gross > 0]
    made.lines = []
    for one in made.sums:
        line = Draft(kind=LineKind.ADVANCE, title=title, gross=one.gross, unit_price=one.gross, treatment=one.treatment)
        line.net, line.tax = one.net, one.tax
        made.lines.append(line)
