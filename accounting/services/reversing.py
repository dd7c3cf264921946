"""Corrections and cancellations of documents: at the original's rates, with the original's own split of net and tax.

Section 17 (1) UStG: the tax is corrected in the period in which the money goes back.  What is corrected of a document never
exceeds it; the database proves that under a lock.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from django.db import transaction
from django.db.models import Sum
from django.utils import timezone

from integration_hub.kernel.errors import NotNow
from integration_hub.kernel.money import Money, rounded
from integration_hub.kernel.text import say
from integration_hub.models.access import User
from orders.aftersales.models import AfterSale
from orders.models import Order

from ..models import Document, DocumentLine, DocumentTax, IssuingRule, NumberRange, Origin
from ..states import ORIGINATING, DocumentKind, DocumentState, Issuer, LineKind, TaxCase
from . import issuing
from .composed import rows_of
from .composing import Composition
from .planning import Plan
from .sums import Draft, TaxSum, shares
from .tax import Treatment

ZERO = Decimal(0)
Key = tuple[str, str, Decimal]


@dataclass(frozen=True)
class Piece:
    """What goes back of one line of a document: pieces (may be none) and gross money, positive."""

    line: DocumentLine
    quantity: Decimal
    gross: Decimal


@dataclass
class _Rest:
    """What of a document's tax row is not corrected yet."""

    net: Decimal
    tax: Decimal
    gross: Decimal
    pieces: list[Draft] = field(default_factory=list)


@transaction.atomic
def correct(
    original: Document,
    pieces: Sequence[Piece],
    *,
    why: str,
    by: User | None = None,
    after_sale: AfterSale | None = None,
) -> Document:
    """Issue a Rechnungskorrektur over these pieces; NotNow where that is nothing or more than is left of the document."""
    _lock(original)
    left = _rest(original)
    for piece in pieces:
        if piece.gross:
            left[_key(piece.line)].pieces.append(_draft(piece))
    used = {key: rest for key, rest in left.items() if rest.pieces}
    made = Composition()
    for key, rest in used.items():
        _settle(made, key, rest, original.currency)
    if not made.lines:
        raise NotNow(say("There is nothing to correct."), code="nothing")
    return _issue(original, made, DocumentKind.CORRECTION, why=why, by=by, after_sale=after_sale)


@transaction.atomic
def cancel(original: Document, *, why: str, by: User | None = None, after_sale: AfterSale | None = None) -> Document:
    """Issue a Stornorechnung over all of a document; what it billed may be billed anew.

    NotNow for what is cancelled or corrected already, or was issued by another system.
    """
    _lock(original)
    if original.kind not in (*ORIGINATING, DocumentKind.ADVANCE_INVOICE) or original.issuer != Issuer.HUB:
        raise NotNow(say("Only invoices of the hub can be cancelled here."), code="not_ours")
    if original.corrections.exists():
        raise NotNow(say("It is corrected or cancelled already."), code="corrected")
    made = Composition()
    for line in original.lines.all():
        made.lines.append(_mirrored(line))
    made.sums = [TaxSum(_treatment(row), -row.net, -row.tax, -row.gross) for row in original.taxes.all()]
    document = _issue(original, made, DocumentKind.CANCELLATION, why=why, by=by, after_sale=after_sale)
    for origin in Origin.objects.filter(document=original, released_by=None):
        origin.released_by = document
        origin.save(update_fields=["released_by"])
    return document


@transaction.atomic
def reduce(original: Document, amount: Decimal, *, why: str, by: User | None = None) -> Document:
    """Correct a document by an amount, shared over what is left of its lines (a price reduction)."""
    _lock(original)
    room = {line: left for line in original.lines.all() if (left := _left_by_line(original)[line.pk]) > 0}
    wanted = rounded(amount, original.currency)
    if not room or wanted > sum(room.values(), ZERO):
        raise NotNow(say("More than is left of the document cannot be corrected."), code="too_much")
    parts = Money(wanted, original.currency).split(list(room.values()))
    pieces = [Piece(line, ZERO, one.amount) for line, one in zip(room, parts, strict=True)]
    return correct(original, pieces, why=why, by=by)


def after(row: AfterSale, *, by: User | None = None) -> list[Document]:
    """Correct what was billed of what a special case gives back; nothing where nothing was billed.

    A cancellation that takes back all of a document is a Stornorechnung, anything else a Rechnungskorrektur per document.
    """
    if row.order is None or Document.objects.filter(after_sale=row, state=DocumentState.ISSUED).exists():
        return []
    originals = list(standing(row.order))
    asked = _asked(row)
    found: list[Document] = []
    for original in originals:
        pieces = _pieces(original, row, asked, last=original is originals[-1])
        whole = sum((piece.gross for piece in pieces), ZERO) == original.gross
        if not pieces:
            continue
        if row.kind == "CANCELLATION" and whole and not original.corrections.exists():
            found.append(cancel(original, why=row.reason or row.number, by=by, after_sale=row))
        else:
            found.append(correct(original, pieces, why=row.reason or row.number, by=by, after_sale=row))
    return found


def standing(order: Order) -> Sequence[Document]:
    """The invoices of an order that are not cancelled, collective ones that bill it included."""
    rows = Document.objects.filter(state=DocumentState.ISSUED, kind__in=ORIGINATING, origins__order=order)
    return list(
        rows.exclude(corrections__kind=DocumentKind.CANCELLATION)
        .select_related("channel", "order", "customer", "range")
        .prefetch_related("lines", "taxes")
        .distinct()
        .order_by("pk")
    )


def _lock(original: Document) -> None:
    Document.objects.select_for_update(of=("self",), no_key=True).get(pk=original.pk)


def _asked(row: AfterSale) -> dict[int, tuple[Decimal, Decimal]]:
    """Pieces and gross money by order line; shipping and what no line explains stand under 0."""
    found: dict[int, tuple[Decimal, Decimal]] = {}
    for one in row.lines.all():
        pieces, amount = found.get(one.line_id, (ZERO, ZERO))
        found[one.line_id] = (pieces + one.quantity, amount + one.amount)
    rest = row.amount - sum((amount for _pieces_, amount in found.values()), ZERO)
    if rest > 0:
        found[0] = (ZERO, rest)
    return found


def _pieces(
    original: Document, row: AfterSale, asked: dict[int, tuple[Decimal, Decimal]], *, last: bool
) -> list[Piece]:
    """This document's part of what is asked, taken off ``asked``; money without a line is shared over what is left of it."""
    found: list[Piece] = []
    left = _left_by_line(original)
    for line in original.lines.all():
        if line.order_line_id not in asked or line.gross <= 0:
            continue
        pieces, amount = asked[line.order_line_id]
        room = left.get(line.pk, ZERO)
        share = _amount(line, pieces, amount, room, row)
        if share:
            taken = min(pieces, line.quantity)
            found.append(Piece(line, taken, share))
            asked[line.order_line_id] = (pieces - taken, max(amount - share, ZERO))
    if last and 0 in asked:
        found += _spread_rest(original, asked[0][1], left, found)
    return found


def _amount(line: DocumentLine, pieces: Decimal, amount: Decimal, room: Decimal, row: AfterSale) -> Decimal:
    """The stated money, else that of the pieces; never more than is left of the line."""
    currency = row.order.currency if row.order else "EUR"
    by_pieces = rounded(line.gross * min(pieces, line.quantity) / line.quantity, currency) if line.quantity else ZERO
    return min(rounded(amount, currency) if row.amount else by_pieces, room)


def _left_by_line(original: Document) -> dict[int, Decimal]:
    """What corrections have left of each line, by the order line they name."""
    taken: dict[tuple[int | None, str, Decimal], Decimal] = {}
    rows = DocumentLine.objects.filter(document__corrects=original).values("order_line_id", "tax_case", "rate")
    for row in rows.annotate(sum=Sum("gross")):
        taken[row["order_line_id"], row["tax_case"], row["rate"]] = row["sum"]
    return {
        line.pk: line.gross + taken.get((line.order_line_id, line.tax_case, line.rate), ZERO)
        for line in original.lines.all()
    }


def _spread_rest(
    original: Document, amount: Decimal, left: Mapping[int, Decimal], taken: Sequence[Piece]
) -> list[Piece]:
    """Shipping first, as that is what shops give back without a line; then over all lines by what is left of them."""
    used = {piece.line.pk: piece.gross for piece in taken}
    room = {line: left[line.pk] - used.get(line.pk, ZERO) for line in original.lines.all()}
    rest = min(rounded(amount, original.currency), sum((value for value in room.values() if value > 0), ZERO))
    found: list[Piece] = []
    shipping = [line for line, value in room.items() if line.kind == LineKind.SHIPPING and value > 0]
    for lines in (shipping, [line for line, value in room.items() if line.kind != LineKind.SHIPPING and value > 0]):
        total = sum((room[line] for line in lines), ZERO)
        part = min(rest, total)
        if part > 0:
            parts = Money(part, original.currency).split([room[line] for line in lines])
            found += [Piece(line, ZERO, one.amount) for line, one in zip(lines, parts, strict=True) if one.amount]
            rest -= part
    return found


def _rest(original: Document) -> dict[Key, _Rest]:
    left = {_key(row): _Rest(row.net, row.tax, row.gross) for row in original.taxes.all()}
    rows = DocumentTax.objects.filter(document__corrects=original, document__kind=DocumentKind.CORRECTION)
    for row in rows.values("tax_case", "country", "rate").annotate(n=Sum("net"), t=Sum("tax"), g=Sum("gross")):
        rest = left[row["tax_case"], row["country"], row["rate"]]
        rest.net, rest.tax, rest.gross = rest.net + row["n"], rest.tax + row["t"], rest.gross + row["g"]
    return left


def _key(row: DocumentLine | DocumentTax) -> Key:
    return (row.tax_case, row.country, row.rate)


def _treatment(row: DocumentLine | DocumentTax) -> Treatment:
    return Treatment(TaxCase(row.tax_case), row.country, row.rate)


def _draft(piece: Piece) -> Draft:
    line = piece.line
    return Draft(
        kind=LineKind(line.kind),
        title=line.title,
        gross=-piece.gross,
        quantity=piece.quantity or Decimal(1),
        unit_price=line.unit_price if piece.quantity else piece.gross,
        sku=line.sku,
        group=line.group,
        location=line.location,
        order_line_id=line.order_line_id,
        variant_id=line.variant_id,
        treatment=_treatment(line),
    )


def _mirrored(line: DocumentLine) -> Draft:
    draft = _draft(Piece(line, line.quantity, line.gross))
    draft.discount = line.discount
    draft.net, draft.tax = -line.net, -line.tax
    return draft


def _settle(made: Composition, key: Key, rest: _Rest, currency: str) -> None:
    """Tax of the correction by the original's rate; the last correction of a row takes exactly what is left of it."""
    case, country, rate = key
    gross = -sum((draft.gross for draft in rest.pieces), ZERO)
    if gross > rest.gross:
        raise NotNow(say("More than is left of the document cannot be corrected."), code="too_much")
    tax = rest.tax if gross == rest.gross else min(rounded(gross * rate / (1 + rate), currency), rest.tax)
    one = TaxSum(Treatment(TaxCase(case), country, rate), -(gross - tax), -tax, -gross)
    nets = shares(one.net, [draft.gross / (1 + rate) for draft in rest.pieces], currency)
    for draft, net in zip(rest.pieces, nets, strict=True):
        draft.net, draft.tax = net, draft.gross - net
        made.lines.append(draft)
    made.sums.append(one)


def _issue(
    original: Document,
    made: Composition,
    kind: DocumentKind,
    *,
    why: str,
    by: User | None,
    after_sale: AfterSale | None,
) -> Document:
    day = timezone.localdate()
    order = original.order or (after_sale.order if after_sale else None)
    document = Document(
        kind=kind,
        state=DocumentState.ISSUED,
        issuer=Issuer.HUB,
        channel=original.channel,
        order=order,
        scope=f"after:{after_sale.pk}" if after_sale else f"corrects:{original.pk}",
        after_sale=after_sale,
        customer=original.customer,
        corrects=original,
        currency=original.currency,
        prices_include_tax=original.prices_include_tax,
        net=made.net,
        tax=made.tax,
        gross=made.gross,
        payment_method=original.payment_method,
        supplied_from=original.supplied_from,
        supplied_on=original.supplied_on,
        language=original.language,
        country=original.country,
        buyer_vat_id=original.buyer_vat_id,
        routing_id=original.routing_id,
        seller=original.seller,
        buyer=original.buyer,
        delivery=original.delivery,
        why=why[:300],
    )
    orders = [order] if order else [one.order for one in original.origins.select_related("order")[:1]]
    plan = Plan(document, orders, _numbers(original))
    plan.lines, plan.taxes = rows_of([made])
    return issuing.write([plan], day, by=by)[0]


def _numbers(original: Document) -> NumberRange:
    """The channel's range for corrections, else that of its invoices."""
    rule = IssuingRule.objects.select_related("corrections", "invoices").filter(channel=original.channel).first()
    found = (rule.corrections or rule.invoices) if rule else original.range
    if found is None:
        raise NotNow(say("The channel has no number range for corrections."), code="no_range")
    return found
