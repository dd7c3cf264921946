"""From composed lines to the rows of a document."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from ..models import DocumentLine, DocumentTax
from .composing import Composition
from .sums import Draft

ZERO = Decimal(0)


def rows_of(parts: Sequence[Composition]) -> tuple[list[DocumentLine], list[DocumentTax]]:
    """The rows of a document's lines and of its taxes, the sums of several parts added up."""
    lines = [line for part in parts for line in part.lines]
    taxes: dict[tuple[str, str, Decimal], DocumentTax] = {}
    for part in parts:
        for one in part.sums:
            key = (one.treatment.case, one.treatment.country, one.treatment.rate)
            row = taxes.setdefault(
                key, DocumentTax(tax_case=key[0], country=key[1], rate=key[2], net=ZERO, tax=ZERO, gross=ZERO)
            )
            row.net, row.tax, row.gross = row.net + one.net, row.tax + one.tax, row.gross + one.gross
    return [_line(at, line) for at, line in enumerate(lines, 1)], list(taxes.values())


def _line(position: int, line: Draft) -> DocumentLine:
    treatment = line.treated
    return DocumentLine(
        position=position,
        order_line_id=line.order_line_id,
        variant_id=line.variant_id,
        kind=line.kind,
        title=line.title,
        sku=line.sku,
        quantity=line.quantity,
        unit_price=line.unit_price,
        discount=line.discount,
        group=line.group,
        location=line.location,
        tax_case=treatment.case,
        country=treatment.country,
        rate=treatment.rate,
        net=line.net,
        tax=line.tax,
        gross=line.gross,
        stated_tax=line.stated_tax,
        stated_rate=line.stated_rate,
    )
