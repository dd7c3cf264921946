"""Issue documents: many at once, each delivery once, number and seal in one transaction.

``issue_many`` locks the orders, drops what is billed already, composes, leaves what is in doubt to people, and writes the
rest in as many statements as for one.  What may wait (PDF, XML, mail) is made afterwards.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date

from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.utils import timezone

from integration_hub.kernel.errors import NotNow
from integration_hub.kernel.messages import DocumentIssued
from integration_hub.kernel.states import Role
from integration_hub.kernel.text import say
from integration_hub.messaging import dispatch
from integration_hub.models import Connection
from integration_hub.models.access import User
from integration_hub.models.activity import Activity
from orders.models import Order

from ..models import Document, DocumentLine, DocumentTax, IssuingRule, NumberRange, Origin
from ..states import Issuer
from . import doubts, numbers, planning, sealing
from .planning import Delivery, Plan


@dataclass
class Issued:
    """What came of it: the new documents, and the orders about which there is a doubt."""

    documents: list[Document] = field(default_factory=list)
    doubtful: list[Order] = field(default_factory=list)


def issue(delivery: Delivery, *, by: User | None = None) -> Document:
    """Issue one document now; NotNow where it is billed already, nothing is left to bill, or there is a doubt."""
    found = issue_many([delivery], by=by)
    if found.doubtful:
        raise NotNow(say("It is in doubt; see its exception."), code="doubt")
    if not found.documents:
        raise NotNow(say("There is nothing to bill."), code="nothing")
    return found.documents[0]


@transaction.atomic
def issue_many(deliveries: Sequence[Delivery], *, by: User | None = None, today: date | None = None) -> Issued:
    """Issue documents for these deliveries; those of one group become one collective invoice.

    Safe to run twice: what is billed is left out under the order's lock, and the database's unique key stands behind it.
    """
    day = today or timezone.localdate()
    plans = planning.plan(deliveries, day)
    found = Issued()
    good = [plan for plan in plans if not plan.troubles]
    for plan in plans:
        if plan.troubles:
            found.doubtful += doubts.record(plan)
    found.documents = write(good, day, by=by)
    return found


@transaction.atomic
def record_elsewhere(
    order: Order, *, number: str, issued_on: date, by: User, why: str = "", source: Connection | None = None
) -> Document:
    """Keep the document that ERP or shop issued for an order, as theirs; NotNow where the order is billed already.

    ``source`` is the system; without it the ERP that the channel's rule names as issuer, else the shop itself.
    """
    rule = IssuingRule.objects.filter(channel_id=order.channel_id).first()
    sale = order.sales.select_related("connection").first()
    at_erp = bool(sale and rule and rule.issuer == Issuer.ERP)
    system = source or (sale.connection if at_erp and sale else order.channel)
    plans = planning.plan([Delivery(order.pk)], issued_on, elsewhere=True)
    if not plans:
        raise NotNow(say("It is billed already."), code="billed")
    plan = plans[0]
    if plan.troubles:
        raise NotNow(plan.troubles[0].found, code="doubt")
    book = numbers.open_foreign_book(system)
    document = plan.document
    document.issuer = Issuer.ERP if system.role == Role.ERP else Issuer.SHOP
    document.source, document.external_id, document.number = system, number, number
    document.sequence, document.series, document.why = book.take(), book.series, why[:300]
    document.issued_on, document.issued_at = issued_on, timezone.now()
    seal(document, book, plan.lines, plan.taxes)
    book.close()
    return _store([plan], by)[0]


def write(plans: Sequence[Plan], day: date, *, by: User | None = None) -> list[Document]:
    """Number, seal and store what is planned; the news goes out in the same transaction."""
    if not plans:
        return []
    _number(plans, day)
    return _store(plans, by)


def _store(plans: Sequence[Plan], by: User | None) -> list[Document]:
    Document.objects.bulk_create([plan.document for plan in plans])
    _parts(plans)
    documents = [plan.document for plan in plans]
    Activity.objects.bulk_create([_step(plan, by) for plan in plans])
    dispatch.publish(*(DocumentIssued(document_id=one.pk) for one in documents))
    return documents


def _step(plan: Plan, by: User | None) -> Activity:
    document, order = plan.document, plan.orders[0]
    text = say("%(kind)s %(number)s issued", kind=document.kind, number=document.number)
    return Activity(
        subject_type=ContentType.objects.get_for_model(Order),
        subject_id=order.pk,
        action="accounting.issued",
        text=text.as_json(),
        actor=by,
        system="" if by else "hub",
        why=document.why,
    )


def _number(plans: Sequence[Plan], day: date) -> None:
    """Numbers in order of the ranges' ids, so that two who issue never wait for each other."""
    for numbers_of, theirs in _by_range(plans):
        book = numbers.open_book(numbers_of, day)
        for plan in theirs:
            document = plan.document
            document.sequence, document.series, document.range = book.take(), book.series, numbers_of
            document.number = numbers.written(numbers_of, day, document.sequence)
            document.issued_on, document.issued_at = day, timezone.now()
            seal(document, book, plan.lines, plan.taxes)
        book.close()


def seal(document: Document, book: numbers.Book, lines: Iterable[DocumentLine], taxes: Iterable[DocumentTax]) -> None:
    """Chain the document to the one before it in its series."""
    document.previous = book.series.head
    document.digest = book.series.head = sealing.digest(document, lines, taxes)


def _by_range(plans: Sequence[Plan]) -> list[tuple[NumberRange, list[Plan]]]:
    found: dict[int, tuple[NumberRange, list[Plan]]] = {}
    for plan in plans:
        found.setdefault(plan.numbers.pk, (plan.numbers, []))[1].append(plan)
    return [found[pk] for pk in sorted(found)]


def _parts(plans: Sequence[Plan]) -> None:
    for plan in plans:
        parts: tuple[DocumentLine | DocumentTax | Origin, ...] = (*plan.lines, *plan.taxes, *plan.origins)
        for part in parts:
            part.document = plan.document
    Origin.objects.bulk_create([one for plan in plans for one in plan.origins])
    DocumentLine.objects.bulk_create([one for plan in plans for one in plan.lines])
    DocumentTax.objects.bulk_create([one for plan in plans for one in plan.taxes])
