"""Drawing up the procedural documentation: from the live configuration, stored, dated, comparable."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from typing import Any

from django.db import connection as database
from django.db import transaction
from django.template.loader import render_to_string
from django.utils import timezone, translation

from integration_hub.kernel.text import say
from integration_hub.models.access import User
from integration_hub.models.activity import note

from ..models import ProcedureDocument
from .chapters import chapters


@dataclass(frozen=True)
class Change:
    """What became different in a chapter: rows that came and rows that went; ``texts`` if its words did."""

    title: str
    came: list[list[str]] = field(default_factory=list)
    went: list[list[str]] = field(default_factory=list)
    texts: bool = False


@transaction.atomic
def draw_up(*, by: User, why: str, language: str = "de") -> ProcedureDocument:
    """A new version of what is in force now; versions are numbered without gaps."""
    with database.cursor() as cursor:
        cursor.execute("LOCK TABLE accounting_proceduredocument IN EXCLUSIVE MODE")
    last = ProcedureDocument.objects.order_by("-version").first()
    version = last.version + 1 if last else 1
    with translation.override(language):
        made = [asdict(one) for one in chapters()]
        page = {"version": version, "chapters": made, "made_at": timezone.now(), "by": by, "why": why}
        content = render_to_string("accounting/procedure_file.html", page | {"language": language})
    stored = ProcedureDocument.objects.create(
        version=version,
        language=language,
        chapters=made,
        content=content,
        sha256=sha256(content.encode()).hexdigest(),
        previous=last.sha256 if last else "",
        why=why,
        made_by=by,
    )
    text = say("Procedural documentation drawn up, version %(version)s", version=version)
    note(stored, "accounting.procedure", text, by=by, why=why)
    return stored


def changes(document: ProcedureDocument) -> list[Change]:
    """What differs from the version before it in the same language; empty for the first."""
    before = (
        ProcedureDocument.objects.filter(language=document.language, version__lt=document.version)
        .order_by("-version")
        .first()
    )
    if before is None:
        return []
    old = {one["code"]: one for one in before.chapters}
    found = [_difference(old.get(one["code"], {}), one) for one in document.chapters]
    return [one for one in found if one.came or one.went or one.texts]


def _difference(old: Mapping[str, Any], new: Mapping[str, Any]) -> Change:
    before, after = old.get("rows", []), new["rows"]
    return Change(
        title=new["title"],
        came=_only(after, before),
        went=_only(before, after),
        texts=bool(old) and old.get("paragraphs") != new["paragraphs"],
    )


def _only(these: Sequence[list[str]], others: Sequence[list[str]]) -> list[list[str]]:
    known = {tuple(row) for row in others}
    return [row for row in these if tuple(row) not in known]
