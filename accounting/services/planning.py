"""What is to be issued for some deliveries: reads everything many at once, composes, and checks what the law wants."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

from django.utils import timezone

from integration_hub.kernel.text import say
from orders.models import Order
from orders.states import Payment

from ..models import (
    Document,
    DocumentLine,
    DocumentTax,
    IssuingRule,
    NumberRange,
    Origin,
    Seller,
)
from ..states import (
    DocumentKind,
    DocumentState,
    Figures,
    Issuer,
    Language,
    LineKind,
    TaxCase,
)
from ..territories import GERMAN
from . import advances, parties
from .composed import rows_of
from .composing import Composition, Task, Trouble, compose
from .facts import Facts, read
from .sums import settle
from .tax import Circumstances, well_formed

ZERO = Decimal(0)
SMALL_AMOUNT = Decimal(250)  # EUR, section 33 UStDV
_SMALL_CASES = {TaxCase.DOMESTIC, TaxCase.ZERO_RATED, TaxCase.EXEMPT, TaxCase.SMALL_BUSINESS}
WHOLE = "order"


@dataclass(frozen=True)
class Delivery:
    """What is to be billed: an order as a whole (``order``), or one of its shipments (``shipment:12``).

    Deliveries of one ``group`` go on one collective invoice.
    """

    order_id: int
    scope: str = WHOLE
    group: str = ""

    @property
    def shipment_id(self) -> int | None:
        word, _colon, pk = self.scope.partition(":")
        return int(pk) if word == "shipment" else None


@dataclass
class Plan:
    """One document before it has its number."""

    document: Document
    orders: list[Order]
    numbers: NumberRange
    lines: list[DocumentLine] = field(default_factory=list)
    taxes: list[DocumentTax] = field(default_factory=list)
    origins: list[Origin] = field(default_factory=list)
    troubles: list[Trouble] = field(default_factory=list)
    scopes: list[tuple[Order, str]] = field(default_factory=list)


def plan(deliveries: Sequence[Delivery], day: date, *, elsewhere: bool = False) -> list[Plan]:
    """Plans for what is not billed yet, in the order given; locks the orders until the transaction ends.

    ``elsewhere``: another system has issued it.  Its rates are the shop's, and whether it says all it must is not ours.
    """
    facts = read(sorted({one.order_id for one in deliveries}))
    if elsewhere:
        facts.elsewhere = True
        facts.figures = dict.fromkeys(facts.orders, Figures.SHOP)
        for order in facts.orders.values():
            facts.rules.setdefault(order.channel_id, IssuingRule(channel=order.channel))
    groups: dict[str, list[Delivery]] = {}
    for at, one in enumerate(deliveries):
        if _is_due(facts, one):
            groups.setdefault(one.group or f"#{at}", []).append(one)
    found = [_document(facts, group, day) for group in groups.values()]
    facts.watch.store()
    return [one for one in found if one is not None]


def _is_due(facts: Facts, one: Delivery) -> bool:
    order = facts.orders.get(one.order_id)
    if order is None or order.channel_id not in facts.rules:
        return False
    every = {origin.scope for origin in facts.origins.get(order.pk, [])}
    if one.scope.startswith("advance:"):
        return (
            not every
        )  # what is delivered and billed, or paid in advance and billed, needs no advance invoice any more
    scopes = {scope for scope in every if not scope.startswith("advance:")}
    if one.scope == WHOLE:
        return not scopes
    return one.scope not in scopes and WHOLE not in scopes


def _document(facts: Facts, group: Sequence[Delivery], day: date) -> Plan | None:
    """One document for one delivery, or for several of one customer."""
    orders = list({one.order_id: facts.orders[one.order_id] for one in group}.values())
    first, rule = orders[0], facts.rules[orders[0].channel_id]
    seller = parties.seller_on(day, facts.sellers) or (Seller(country="DE") if facts.elsewhere else None)
    buyer, delivery = parties.printed_buyer(first), parties.printed_delivery(first)
    document = Document(
        kind=DocumentKind.INVOICE,
        state=DocumentState.ISSUED,
        issuer=Issuer.HUB,
        channel=first.channel,
        order=first if len(orders) == 1 else None,
        scope=group[0].scope if len(group) == 1 else group[0].group,
        customer=first.customer,
        currency=first.currency,
        prices_include_tax=first.prices_include_tax,
        payment_method=first.payment_method,
        country=delivery["country"],
        language=rule.language or ("de" if buyer["country"] in GERMAN else Language.EN.value),
        buyer_vat_id=buyer["vat_id"],
        routing_id=buyer["routing_id"],
        buyer=buyer,
        delivery=delivery,
        seller=parties.printed_seller(seller) if seller else {},
        prepaid=ZERO,
        net=ZERO,
        tax=ZERO,
        gross=ZERO,
    )
    made = Plan(document, orders, rule.invoices or NumberRange())
    if rule.issuer != Issuer.HUB and not facts.elsewhere:
        made.troubles.append(Trouble("document_elsewhere", None, say("%(who)s issues here.", who=rule.issuer)))
    if seller is None:
        made.troubles.append(Trouble("document_incomplete", None, say("Who the seller is on that day is not set.")))
    made.scopes = [(facts.orders[one.order_id], one.scope) for one in group]
    if made.troubles or seller is None:
        return made
    _supplied(facts, document, group, day)
    parts = [_composed(facts, seller, one, document) for one in group]
    return _finish(facts, made, group, parts, day)


def _supplied(facts: Facts, document: Document, group: Sequence[Delivery], day: date) -> None:
    """When it was delivered: the days of the parcels; without parcels the day of issue."""
    days = [
        timezone.localdate(row.shipped_at) if row.shipped_at else day
        for one in group
        for row in facts.shipments.get(one.order_id, [])
        if one.shipment_id in (None, row.pk)
    ]
    document.supplied_from, document.supplied_on = min(days, default=day), max(days, default=day)


def _composed(facts: Facts, seller: Seller, one: Delivery, document: Document) -> Composition:
    order = facts.orders[one.order_id]
    origins = [origin for origin in facts.origins.get(order.pk, []) if not origin.scope.startswith("advance:")]
    on = document.supplied_on or timezone.localdate()
    figures = facts.figures.get(order.pk)
    return compose(
        Task(
            order=order,
            lines=list(order.lines.all()),
            rule=facts.rules[order.channel_id],
            table=facts.table,
            given=_given(facts, seller, order, on),
            pieces=_pieces(facts, one),
            billed=facts.billed.get(order.pk, {}),
            rest=not origins,
            figures=Figures(figures) if figures else None,
        )
    )


def _given(facts: Facts, seller: Seller, order: Order, on: date) -> Circumstances:
    buyer, delivery = parties.printed_buyer(order), parties.printed_delivery(order)
    vat_id = buyer["vat_id"]
    return Circumstances(
        seller=seller,
        destination=delivery["country"] or seller.country,
        postal_code=delivery["postal_code"],
        on=on,
        vat_id=vat_id,
        vat_valid=bool(vat_id) and well_formed(vat_id) and vat_id not in facts.denied,
        business=bool(vat_id or buyer["company"]),
        over=facts.watch.over(on.year, order.total - order.total_tax if order.currency == "EUR" else ZERO),
    )


def _pieces(facts: Facts, one: Delivery) -> Mapping[int, Decimal] | None:
    if one.shipment_id is None:
        return None
    rows = [row for row in facts.shipments.get(one.order_id, []) if row.pk == one.shipment_id]
    return {line.line_id: line.quantity for row in rows for line in row.lines.all()}


def _finish(
    facts: Facts, made: Plan, group: Sequence[Delivery], parts: Sequence[Composition], day: date
) -> Plan | None:
    document, rule = made.document, facts.rules[made.orders[0].channel_id]
    made.troubles += [trouble for part in parts for trouble in part.troubles]
    parts = _together(made, parts, rule)
    _advances(facts, made, group, parts)
    if not made.troubles and not any(part.lines for part in parts):
        return None  # all of it was cancelled before it was billed
    document.net = sum((part.net for part in parts), ZERO)
    document.tax = sum((part.tax for part in parts), ZERO)
    document.gross = sum((part.gross for part in parts), ZERO)
    document.kind = _kind(facts, made, group, parts, rule)
    if not facts.elsewhere:
        made.troubles += _checks(made, parts)
    if made.troubles:
        return made
    document.prepaid = _prepaid(made.orders, parts, document.gross)
    seller = parties.seller_on(day, facts.sellers)
    if document.payable > 0 and seller:
        document.due_on = day + timedelta(days=seller.payment_days)
    made.lines, made.taxes = rows_of(parts)
    made.origins = [
        Origin(order=facts.orders[one.order_id], scope=one.scope, shipment_id=one.shipment_id) for one in group
    ]
    facts.watch.add(document.issued_on or day, document.currency, made.taxes)
    return made


def _together(made: Plan, parts: Sequence[Composition], rule: IssuingRule) -> Sequence[Composition]:
    """Several deliveries on one document: tax is computed over all of them."""
    if len(parts) < 2 or made.troubles:
        return parts
    document, one = made.document, Composition(lines=[line for part in parts for line in part.lines])
    one.vouchers = sum((part.vouchers for part in parts), ZERO)
    one.sums = settle(one.lines, document.currency, includes_tax=document.prices_include_tax, tolerance=rule.tolerance)
    return [one]


def _advances(facts: Facts, made: Plan, group: Sequence[Delivery], parts: Sequence[Composition]) -> None:
    """An advance invoice bills what was paid; any other deducts what was billed so."""
    order, document = made.orders[0], made.document
    if len(group) > 1 or made.troubles:
        return
    german = document.language == "de"
    if group[0].scope.startswith("advance:"):
        words = "Anzahlung zu Auftrag" if german else "Advance payment for order"
        advances.bill(parts[0], f"{words} {order.number}")
    elif left := facts.advances.get(order.pk):
        advances.deduct(parts[0], left, document.currency, "Abzüglich Anzahlung" if german else "Less advance payment")


def _kind(
    facts: Facts, made: Plan, group: Sequence[Delivery], parts: Sequence[Composition], rule: IssuingRule
) -> DocumentKind:
    if len(group) > 1:
        return DocumentKind.COLLECTIVE_INVOICE
    if group[0].scope.startswith("advance:"):
        return DocumentKind.ADVANCE_INVOICE
    if any(line.kind == LineKind.ADVANCE for part in parts for line in part.lines):
        return DocumentKind.FINAL_INVOICE
    order, cases = made.orders[0], {one.treatment.case for part in parts for one in part.sums}
    if group[0].scope != WHOLE and _is_partial(facts, order, parts[0]):
        return DocumentKind.PARTIAL_INVOICE
    document = made.document
    small = rule.small_amounts and document.currency == "EUR" and document.gross <= SMALL_AMOUNT
    return DocumentKind.SMALL_INVOICE if small and cases <= _SMALL_CASES else DocumentKind.INVOICE


def _is_partial(facts: Facts, order: Order, part: Composition) -> bool:
    """Whether something of the order is on another document, or is still to come."""
    wanted = {
        line.pk: line.quantity - line.cancelled for line in order.lines.all() if line.pk in part.taken or line.variant
    }
    return any(part.taken.get(pk, ZERO) < pieces for pk, pieces in wanted.items())


def _checks(made: Plan, parts: Sequence[Composition]) -> list[Trouble]:
    document = made.document
    cases = [one.treatment.case for part in parts for one in part.sums]
    missing = parties.missing(document.kind, document.seller, document.buyer, cases, document.delivery)
    found = [Trouble("document_incomplete", None, say("Missing: %(what)s", what=missing))] if missing else []
    if document.gross < 0:
        found.append(Trouble("document_sum_differs", None, say("The sum of an invoice would be negative.")))
    return found


def _prepaid(orders: Sequence[Order], parts: Sequence[Composition], gross: Decimal) -> Decimal:
    """What is paid already: all of it where every order is, else what vouchers paid."""
    if all(order.payment != Payment.OPEN for order in orders):
        return gross
    return min(sum((part.vouchers for part in parts), ZERO), gross)
