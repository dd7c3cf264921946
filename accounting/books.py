"""Issued documents go to the accounting system, as commands, where the process is on for their channel."""

from __future__ import annotations

from collections.abc import Sequence

from integration_hub.kernel.books import VoucherPart, WriteVoucher
from integration_hub.kernel.messages import DocumentIssued, Written
from integration_hub.kernel.text import say
from integration_hub.messaging import outbox
from integration_hub.models import Attempt, Connection, ExternalReference, OutboundCommand, ProcessSwitch
from integration_hub.models.activity import note

from .models import Document
from .states import REVERSING, DocumentState

TO_BOOKS = "documents_to_books"
WRITE = "books.write"
VOUCHER = "voucher"


def documents_issued(news: Sequence[DocumentIssued]) -> None:
    """Each document of a channel whose process is on is to stand in its accounting system, once."""
    switches = ProcessSwitch.objects.filter(process=TO_BOOKS, enabled=True).select_related("target")
    on = {switch.channel_id: switch for switch in switches}
    if not on:
        return
    issued = Document.objects.filter(pk__in=[one.document_id for one in news], channel_id__in=on.keys())
    outbox.commands(
        WRITE,
        [
            (on[one.channel_id].target, f"document:{one.pk}", one)
            for one in issued.order_by("pk")
            if one.issued_at and one.issued_at >= on[one.channel_id].since and _is_told(one, on[one.channel_id].target)
        ],
    )


def _is_told(document: Document, target: Connection) -> bool:
    """A document that the accounting system issued itself is there already."""
    return document.state == DocumentState.ISSUED and document.source_id != target.pk


def build(command: OutboundCommand) -> WriteVoucher | None:
    """The document with a part per tax case, country and rate; amounts positive either way."""
    document = Document.objects.select_related("order").get(pk=command.subject_id)
    if document.issued_on is None or not document.gross:
        return None  # nothing of worth was billed, so there is nothing to book
    sign = -1 if document.kind in REVERSING else 1
    return WriteVoucher(
        key=command.key,
        number=document.number,
        credit=document.kind in REVERSING,
        issued_on=document.issued_on,
        supplied_on=document.supplied_on or document.issued_on,
        currency=document.currency,
        gross=sign * document.gross,
        tax=sign * document.tax,
        parts=tuple(
            VoucherPart(
                case=row.tax_case, country=row.country, rate=row.rate, gross=sign * row.gross, tax=sign * row.tax
            )
            for row in document.taxes.all()
        ),
        order_number=document.order.number if document.order else "",
    )


def written(command: OutboundCommand, done: Written, attempt: Attempt) -> None:
    """The accounting system holds it: its id there is kept, and a step stands in the document's timeline."""
    document = Document.objects.get(pk=command.subject_id)
    target = command.connection
    found, made = ExternalReference.objects.get_or_create(
        connection=target, kind=VOUCHER, external_id=done.external_id, defaults={"subject": document}
    )
    if made or found.subject_id == document.pk:
        text = say("%(system)s holds the document as a voucher", system=target.name)
        note(document, "accounting.told", text, system=target.name, attempt=attempt, ms=attempt.ms)
