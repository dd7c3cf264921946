"""Writing entries: chained, in one order, never changed; what turns out different is reversed and posted anew."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db import connection as database

from integration_hub.models.access import User

from ..models import Entry, MappingVersion, Posting
from .rows import Row

# whoever writes entries holds this lock, so that ids follow the order of commits and the chain has one end
LOCK = 0x6C656467
_LINE = ("position", "row", "side", "account", "contra", "debit", "credit", "tax_key", "eu_id", "cost_centre",
         "belegfeld1", "text")  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Draft:
    """What one thing means for the books, before its accounts are known."""

    source: str
    subject_id: int
    booked_on: date
    rows: Sequence[Row]
    text: str = ""
    belegfeld1: str = ""
    belegfeld2: str = ""
    order_id: int | None = None
    document_id: int | None = None
    transaction_id: int | None = None
    payout_id: int | None = None
    bank_line_id: int | None = None
    write_off_id: int | None = None


def fresh(
    draft: Draft, lines: Sequence[Posting], version: MappingVersion, *, revision: int = 1
) -> tuple[Entry, Sequence[Posting]]:
    """The entry of a draft with its lines, not yet written."""
    entry = Entry(
        chart=version.chart,
        version=version,
        source=draft.source,
        subject_id=draft.subject_id,
        revision=revision,
        booked_on=draft.booked_on,
        text=draft.text[:200],
        belegfeld1=draft.belegfeld1[:60],
        belegfeld2=draft.belegfeld2[:40],
        order_id=draft.order_id,
        document_id=draft.document_id,
        transaction_id=draft.transaction_id,
        payout_id=draft.payout_id,
        bank_line_id=draft.bank_line_id,
        write_off_id=draft.write_off_id,
    )
    return entry, lines


_KEPT = ("chart", "version_id", "source", "subject_id", "revision", "belegfeld1", "belegfeld2", "text", "order_id",
         "document_id", "transaction_id", "payout_id", "bank_line_id", "write_off_id")  # fmt: skip


def reversal(
    entry: Entry, *, booked_on: date, why: str = "", by: User | None = None
) -> tuple[Entry, Sequence[Posting]]:
    """The entry that takes this one back: the same lines, debit and credit exchanged."""
    made = Entry(
        **{name: getattr(entry, name) for name in _KEPT}, reverses=entry, booked_on=booked_on, why=why[:300], by=by
    )
    lines = list(entry.lines.order_by("position"))
    for line in lines:
        line.pk, line.debit, line.credit = None, line.credit, line.debit
        line._state.adding = True  # noqa: SLF001  a copy of a row, as Django's documentation makes one
    return made, lines


def write(made: Sequence[tuple[Entry, Sequence[Posting]]]) -> list[Entry]:
    """Write these entries, in this order, in the transaction of the caller."""
    if not made:
        return []
    lock()
    last = Entry.objects.order_by("-pk").values_list("digest", flat=True).first() or ""
    for entry, lines in made:
        entry.previous, entry.digest = last, digest(last, entry, lines)
        last = entry.digest
    entries = Entry.objects.bulk_create([entry for entry, _lines in made], batch_size=1000)
    Posting.objects.bulk_create(list(_numbered(made)), batch_size=2000)
    return entries


def lock() -> None:
    """Wait until nobody else writes entries, and keep others waiting until this transaction ends."""
    with database.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])


def _numbered(made: Iterable[tuple[Entry, Sequence[Posting]]]) -> Iterable[Posting]:
    for entry, lines in made:
        for line in lines:
            line.entry = entry
            yield line


def signature(line: Posting, *, texts: bool = True) -> str:
    """What a line says, as the digest and the comparison with a later computation take it."""
    return "|".join(_plain(getattr(line, name)) for name in (_LINE if texts else _FIGURES))


_FIGURES = _LINE[:-2]


def _plain(value: Any) -> str:
    return f"{value:.4f}" if isinstance(value, Decimal) else str(value)


def digest(previous: str, entry: Entry, lines: Sequence[Posting]) -> str:
    """SHA-256 over the digest before it, the entry and its lines; ``CHAIN`` computes the same in the database."""
    said = (previous, entry.chart, entry.source, entry.subject_id, entry.revision, entry.reverses_id or "",
            entry.booked_on, entry.belegfeld1, entry.belegfeld2, entry.text)  # fmt: skip
    body = "\n".join([*map(str, said), *(signature(line) for line in lines)])
    return hashlib.sha256(body.encode()).hexdigest()


# the entries whose digest is not what they and their lines make, or that do not follow on the one before
CHAIN = """
SELECT c.id FROM (
  SELECT e.id, e.digest, e.previous, lag(e.digest, 1, '') OVER (ORDER BY e.id) AS before,
    encode(sha256(convert_to(concat_ws(E'\\n', e.previous, e.chart, e.source, e.subject_id, e.revision,
      coalesce(e.reverses_id::text, ''), e.booked_on, e.belegfeld1, e.belegfeld2, e.text, l.said), 'UTF8')), 'hex') AS made
  FROM accounting_entry e JOIN (
    SELECT entry_id, string_agg(concat_ws('|', position, row, side, account, contra, debit, credit, tax_key, eu_id,
      cost_centre, belegfeld1, text), E'\\n' ORDER BY position) AS said
    FROM accounting_posting GROUP BY entry_id) l ON l.entry_id = e.id) c
WHERE c.digest <> c.made OR c.previous <> c.before
"""
