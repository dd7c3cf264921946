"""What is handed out of a document: made once, stored byte for byte, never made anew."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from typing import Any

from django.db import transaction

from integration_hub.kernel.errors import HubError, NotNow
from integration_hub.kernel.text import say

from ..models import Document, DocumentFile
from ..states import DocumentState, FileKind, Issuer

MEDIA = {FileKind.PDF: "application/pdf", FileKind.XML: "application/xml", FileKind.XRECHNUNG: "application/xml"}
BATCH = 50


@cache
def _library(name: str) -> Any:
    """Who prints loads what printing takes: 40 MB of libraries that no other worker is to carry."""
    return import_module(f"accounting.{name}")


def kinds_of(document: Document) -> tuple[FileKind, ...]:
    """What there is of it: XRechnung only for buyers with a routing id; nothing of what others issued."""
    if document.state != DocumentState.ISSUED or document.issuer != Issuer.HUB:
        return ()
    return (FileKind.PDF, FileKind.XML, FileKind.XRECHNUNG) if document.routing_id else (FileKind.PDF, FileKind.XML)


@transaction.atomic
def file_of(pk: int, kind: FileKind) -> DocumentFile:
    """The stored file; made now where nobody has asked for it yet.  NotNow where there is none of this kind.

    Two who ask at once get the same bytes: whoever comes second waits for the document's row.
    """
    document = (
        Document.objects.select_for_update(of=("self",), no_key=True)
        .select_related("order", "corrects", "channel")
        .prefetch_related("lines", "taxes")
        .get(pk=pk)
    )
    if kind not in kinds_of(document):
        raise NotNow(say("There is no such file of this document."), code="no_file")
    stored = {row.kind: row for row in document.files.all()}
    if kind not in stored:
        stored |= _store(document, kind)
    return stored[kind]


def _store(document: Document, kind: FileKind) -> Mapping[str, DocumentFile]:
    """PDF and XML come together, so that the XML in the PDF is the one that is stored."""
    if kind == FileKind.XRECHNUNG:
        made: dict[FileKind, bytes] = {kind: _library("einvoice").build(document, xrechnung=True)}
    else:
        xml, pdf = _library("printing").both(document)
        made = {FileKind.XML: xml, FileKind.PDF: pdf}
    rows = [_row(document, one, content) for one, content in made.items()]
    return {row.kind: row for row in DocumentFile.objects.bulk_create(rows)}


def _row(document: Document, kind: FileKind, content: bytes) -> DocumentFile:
    ending = "pdf" if kind == FileKind.PDF else "xml"
    extra = "-xrechnung" if kind == FileKind.XRECHNUNG else ""
    name = f"{document.number.replace('/', '-')}{extra}.{ending}"
    digest = hashlib.sha256(content).hexdigest()
    return DocumentFile(document=document, kind=kind, name=name, content=content, sha256=digest, size=len(content))


def make() -> dict[str, int]:
    """Every few minutes: files of documents that have none yet, oldest first, a batch at a time."""
    wanted = Document.objects.filter(state=DocumentState.ISSUED, issuer=Issuer.HUB, files=None)
    made = failed = 0
    for pk in wanted.order_by("pk").values_list("pk", flat=True)[:BATCH]:
        try:
            file_of(pk, FileKind.PDF)
            made += 1
        except HubError:
            failed += 1  # it is told on the document's page, and asked for again
    return {"made": made, "failed": failed}
