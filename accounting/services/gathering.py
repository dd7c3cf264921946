"""Everything that a batch of postings needs to know, read in a fixed number of queries."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db.models import Model, QuerySet

from integration_hub.kernel.funds import PayoutStage
from integration_hub.kernel.text import say
from orders.models import Order
from payments.models import AcceptedRemainder, Allocation, BankLine, Payout, Transaction, WriteOff
from payments.states import Kind

from ..events import Source
from ..models import Document, DocumentTax
from ..states import ORIGINATING
from . import choices, money, sales
from .mapping import Table

MODELS: Mapping[str, type[Model]] = {
    Source.DOCUMENT: Document,
    Source.MOVEMENT: Transaction,
    Source.PAYOUT: Payout,
    Source.REMAINDER: AcceptedRemainder,
    Source.BANK_LINE: BankLine,
    Source.WRITE_OFF: WriteOff,
}
_PLAIN = re.compile(r"[^A-Za-z0-9$%\-/_]")


def rows_of(source: str, ids: Iterable[int]) -> dict[int, Any]:
    """The rows of one source with what their postings need."""
    rows: dict[str, QuerySet[Any]] = {
        Source.DOCUMENT: Document.objects.select_related("channel", "order", "corrects").prefetch_related("lines"),
        Source.MOVEMENT: Transaction.objects.select_related("connection", "unassigned").prefetch_related(
            "fee_rows", "allocations__order"
        ),
        Source.PAYOUT: Payout.objects.select_related("connection"),
        Source.REMAINDER: AcceptedRemainder.objects.select_related("payout__connection"),
        Source.BANK_LINE: BankLine.objects.select_related("account", "payout__connection"),
        Source.WRITE_OFF: WriteOff.objects.select_related("order__channel"),
    }
    return {row.pk: row for row in rows[source].filter(pk__in=list(ids))}


class Batch:
    """What is to be posted together: the rows, the account mapping, the numbers of open items, rates and taxes."""

    def __init__(self, wanted: Mapping[str, Iterable[int]], answers: choices.Answers, table: Table) -> None:
        self.answers, self.table = answers, table
        self.rows = {source: rows_of(source, ids) for source, ids in wanted.items()}
        orders = set(self._orders())
        self._numbers = numbers(orders, invoices=answers.belegfeld == "INVOICE")
        self._plain = numbers(orders, invoices=False) if answers.belegfeld == "ORDER" else {}
        self.rates = rates(self.rows.get(Source.DOCUMENT, {}).values())
        self.taxes = taxes([row.order_id for row in self.rows.get(Source.WRITE_OFF, {}).values()])
        self.returned = returned(self.rows.get(Source.PAYOUT, {}).values())

    def _orders(self) -> Iterable[int]:
        for row in self.rows.get(Source.MOVEMENT, {}).values():
            yield from (share.order_id for share in row.allocations.all())
        for source in (Source.DOCUMENT, Source.WRITE_OFF):
            yield from (row.order_id for row in self.rows.get(source, {}).values() if row.order_id)

    def number_of(self, order: int | None) -> str:
        """Under which number an order's open item stands."""
        return self._numbers.get(order or 0, "")

    def number_for_document(self, order: int | None) -> str:
        """The order's number where all rows are to bear that; empty where documents bear their own."""
        return self._plain.get(order or 0, "")

    def outcome(self, source: str, pk: int) -> money.Outcome:
        """What this thing means for the books.  Rejected or Unmapped where that cannot be said."""
        row = self.rows[source].get(pk)
        if row is None:
            return money.Nothing(say("It is not there any more."))
        readers: Mapping[str, Callable[[Any], money.Outcome]] = {
            Source.DOCUMENT: lambda row: sales.of_document(row, self.table, self.rates, self.number_for_document),
            Source.MOVEMENT: lambda row: money.of_movement(row, self.number_of, self.answers.bank_lines),
            Source.PAYOUT: lambda row: money.of_payout(row, row.pk in self.returned),
            Source.REMAINDER: money.of_remainder,
            Source.BANK_LINE: lambda row: money.of_bank_line(row, self.answers.bank_lines),
            Source.WRITE_OFF: lambda row: money.of_write_off(row, self.number_of, self.taxes),
        }
        return readers[source](row)


def numbers(order_ids: Iterable[int], *, invoices: bool) -> dict[int, str]:
    """By order, the number of its first invoice, or what is left of the order's own where DATEV takes no other characters."""
    ids = list(order_ids)
    found = {
        pk: _PLAIN.sub("", number)[:36] for pk, number in Order.objects.filter(pk__in=ids).values_list("pk", "number")
    }
    if invoices:
        issued = Document.objects.filter(order_id__in=ids, state="ISSUED", kind__in=ORIGINATING).order_by("-pk")
        found |= {pk: number for pk, number in issued.values_list("order_id", "number") if pk is not None}
    return found


def rates(documents: Iterable[Document]) -> dict[int, Decimal]:
    """By order in a foreign currency, what one unit was in the books when it was paid, as the provider converted it."""
    foreign = [row.order_id for row in documents if row.currency != settings.HUB_BOOK_CURRENCY and row.order_id]
    if not foreign:
        return {}
    paid = Allocation.objects.filter(
        order_id__in=foreign, transaction__kind=Kind.CAPTURE, transaction__booked__isnull=False
    ).select_related("transaction", "order")
    return {
        share.order_id: (share.transaction.booked / share.transaction.gross)
        for share in paid.order_by("-pk")
        if share.transaction.gross and share.transaction.currency == share.order.currency
    }


def taxes(order_ids: Iterable[int]) -> dict[int, tuple[str, Decimal]]:
    """By order, the tax case and rate of its documents where there is only one."""
    rows = DocumentTax.objects.filter(document__order_id__in=list(order_ids), document__state="ISSUED")
    found: dict[int, set[tuple[str, Decimal]]] = {}
    for order, case, rate in rows.values_list("document__order_id", "tax_case", "rate"):
        found.setdefault(order or 0, set()).add((case, rate))
    return {order: next(iter(pairs)) for order, pairs in found.items() if len(pairs) == 1}


def returned(payouts: Iterable[Payout]) -> set[int]:
    """Payouts that came back by a movement of their own: it and the payout take each other back."""
    failed = [row for row in payouts if row.stage in (PayoutStage.FAILED, PayoutStage.CANCELLED)]
    names = [row.external_id for row in failed]
    back = Transaction.objects.filter(kind=Kind.PAYOUT_FAILED, parent_external_id__in=names)
    pairs = set(back.values_list("connection_id", "parent_external_id"))
    return {row.pk for row in failed if (row.connection_id, row.external_id) in pairs}
