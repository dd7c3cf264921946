"""Making exports: asked for, written part by part in the background, read back, locked with their checksum."""

from __future__ import annotations

import hashlib
import re
import zlib
from collections.abc import Iterator
from dataclasses import asdict
from datetime import timedelta
from typing import Any
from uuid import uuid4

from django.db import connection as database
from django.db import transaction
from django.db.models.functions import Now

from exceptions import services as cases
from exceptions.services import Trouble
from integration_hub.kernel.errors import Defect, NotNow
from integration_hub.kernel.text import say
from integration_hub.messaging import pump
from integration_hub.models.access import User
from integration_hub.models.activity import note

from ..events import ExportState
from ..models import Download, Export, ExportChunk, ExportFile, HeldBack
from . import choices, dryrun, entries, extf, proof, scope

LANE = "export"
LEASE = timedelta(minutes=3)
PIECE = 1 << 20  # bytes of a file that are packed together
WAITING = (ExportState.DUE, ExportState.WRITING, ExportState.PROVING, ExportState.FAILED)

_CLAIM = """
UPDATE accounting_export SET lease_token = %s, due_at = statement_timestamp() + %s WHERE id = (
  SELECT id FROM accounting_export WHERE due_at <= statement_timestamp()
  ORDER BY due_at, id LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING id
"""
_COPY = """
COPY (SELECT concat({row}, E'\x03', e.id, ',', p.position) FROM {source} WHERE {where} AND e.id >= %(last_entry)s AND p.entry_id >= %(last_entry)s
  AND (e.id, p.position) > (%(last_entry)s, %(last_position)s)
  ORDER BY e.id, p.position LIMIT %(most)s) TO STDOUT (FORMAT csv, QUOTE E'\\x01', DELIMITER E'\\x02', ENCODING 'WIN1252')
"""
# by the two indexes in their order, from the last row on: a file is a small part of a large table, and no row is read twice
_IN_ORDER = """
SET LOCAL enable_hashjoin = off; SET LOCAL enable_nestloop = off; SET LOCAL enable_seqscan = off;
SET LOCAL enable_bitmapscan = off; SET LOCAL max_parallel_workers_per_gather = 0
"""
# each row comes with its key behind it, so that the next file begins after the last row of this one without another query
_KEY = re.compile(rb"\x03(\d+),(\d+)\n")


@transaction.atomic
def request(year: int, month: int, *, by: User | None, without: str = "") -> Export:
    """Ask for the next batch of a month.

    NotNow while another one is under way, where nothing is new, where settings are missing, or where rows would be refused and
    ``without`` gives no reason to leave them out.
    """
    entries.lock()  # ids up to the newest are complete now
    last = scope.latest(year, month)
    if last is not None and last.state in WAITING:
        raise NotNow(say("The last export of this month is not finished."))
    wanted, answers = scope.upcoming(year, month), choices.current()
    verdict = dryrun.look(wanted, answers)
    if verdict.settings:
        raise NotNow(say("Set the adviser number and the client number first."))
    if not verdict.rows:
        raise NotNow(say("Nothing new is posted in this month."))
    out = dryrun.refused_entries(wanted, answers) if verdict.reasons else {}
    if out and not without.strip():
        raise NotNow(
            say("%(count)s entries would be refused. Correct them, or give a reason to leave them out.", count=len(out))
        )
    return _make(wanted, answers, out, by, without)


def _make(
    wanted: scope.Scope, answers: choices.Answers, out: dict[int, list[str]], by: User | None, without: str
) -> Export:
    made = Export.objects.create(
        chart=answers.chart,
        year=wanted.year,
        month=wanted.month,
        number=wanted.number,
        after=wanted.after,
        upto=wanted.upto,
        version=answers.format,
        answers=asdict(answers),
        without=without.strip() if out else "",
        asked_by=by,
    )
    HeldBack.objects.bulk_create([HeldBack(export=made, entry_id=pk, reasons=codes) for pk, codes in out.items()])
    rows = proof.rows_of_books(scope.of_export(made))
    if not rows:
        raise NotNow(say("Nothing is left to export."))
    Export.objects.filter(pk=made.pk).update(total=rows)
    text = say("Export of %(month)s asked for: %(rows)s rows", month=f"{made.month:02d}/{made.year}", rows=rows)
    note(made, "accounting.export", text, by=by, why=without)
    pump.kick(LANE)
    return Export.objects.get(pk=made.pk)


def again(export: Export) -> None:
    """Write it once more from the beginning; only what is not ready can be."""
    if export.state != ExportState.FAILED:
        raise NotNow(say("Only an export that failed is written again."))
    _forget_files(export)
    fresh: dict[str, Any] = {"state": ExportState.DUE, "done": 0, "last_entry": 0, "last_position": 0, "error": {}}
    Export.objects.filter(pk=export.pk).update(due_at=Now(), lease_token=None, **fresh)
    pump.kick(LANE)


def _forget_files(export: Export, part: int = 1) -> None:
    """Files that a worker began and nobody has seen."""
    files = ExportFile.objects.filter(export=export, part__gte=part)
    ExportChunk.objects.filter(file__in=files).delete()
    files.delete()


def work() -> int:
    """Go on with one export by one file, or prove one that is written; returns 1, or 0 when none is due."""
    claim: list[Any] = [uuid4(), LEASE]
    with transaction.atomic(), database.cursor() as cursor:
        cursor.execute(_CLAIM, claim)
        row = cursor.fetchone()
    if not row:
        return 0
    export = Export.objects.get(pk=row[0])
    if export.state in (ExportState.DUE, ExportState.WRITING):
        write_part(export)
    else:
        prove(export)
    return 1


def answers_of(export: Export) -> choices.Answers:
    return choices.Answers(**export.answers)


def _mine(export: Export) -> Any:
    return Export.objects.filter(pk=export.pk, lease_token=export.lease_token)


@transaction.atomic
def write_part(export: Export) -> None:
    """Write the next file of at most 99,999 rows and keep how far that is."""
    if not _mine(export).select_for_update().exists():
        return  # another worker has taken it over
    part = 1 + export.done // extf.MOST_ROWS
    _forget_files(export, part)
    rows = min(export.total - export.done, extf.MOST_ROWS)
    file = ExportFile.objects.create(export=export, part=part, name=name_of(export, part), rows=rows, size=0, sha256="")
    size, sha256, (entry, position) = _store(export, file)
    ExportFile.objects.filter(pk=file.pk).update(size=size, sha256=sha256)
    done = export.done + rows
    state = ExportState.PROVING if done >= export.total else ExportState.WRITING
    _mine(export).update(
        state=state, done=done, last_entry=entry, last_position=position, due_at=Now(), lease_token=None
    )


def _params(export: Export, held: scope.Scope, rows: int) -> dict[str, Any]:
    return held.params() | {"last_entry": export.last_entry, "last_position": export.last_position, "most": rows}


def _store(export: Export, file: ExportFile) -> tuple[int, str, tuple[int, int]]:
    """Write a file in packed pieces; returns its size, its SHA-256 and the key of its last row.

    The pieces of one file wait, packed, until the database has sent all of it: a connection does one thing at a time.
    """
    digest, size, last = hashlib.sha256(), 0, (export.last_entry, export.last_position)
    packed: list[bytes] = []
    for piece, key in _pieces(export, file):
        digest.update(piece)
        size, last = size + len(piece), key or last
        packed.append(zlib.compress(piece, 1))
    for position, part in enumerate(packed):
        ExportChunk.objects.create(file=file, position=position, packed=part)
    return size, digest.hexdigest(), last


def _pieces(export: Export, file: ExportFile) -> Iterator[tuple[bytes, tuple[int, int] | None]]:
    """The bytes of a file, a megabyte at a time, as the database formats them, each with the key of its last row."""
    answers, held = answers_of(export), scope.of_export(export)
    label = f"Hub {export.month:02d}/{export.year} {export.number:02d}-{file.part:02d}"
    top = extf.header(answers, year=export.year, month=export.month, label=label, made_at=export.asked_at)
    yield f"{top}\r\n{extf.names(answers.format)}\r\n".encode("cp1252"), None
    sql = _COPY.format(row=extf.row_sql(answers), source=scope.FROM, where=held.where())
    rows: list[bytes | memoryview] = []
    weight = 0
    with database.cursor() as cursor:
        cursor.execute(_IN_ORDER)
    with database.cursor() as cursor, cursor.copy(sql, _params(export, held, file.rows)) as lines:
        for line in lines:
            rows.append(line)
            weight += len(line)
            if weight >= PIECE:
                yield _piece(rows)
                rows, weight = [], 0
    if rows:
        yield _piece(rows)


def _piece(rows: list[bytes | memoryview]) -> tuple[bytes, tuple[int, int]]:
    """Rows without their keys and with DATEV's line ends, and the last key."""
    last = _KEY.search(bytes(rows[-1]))
    if last is None:
        raise Defect(say("A row came without its key."))
    return _KEY.sub(b"\r\n", b"".join(rows)), (int(last[1]), int(last[2]))


def name_of(export: Export, part: int) -> str:
    """The file's name; DATEV takes only what begins with ``EXTF_`` and ends in ``.csv``."""
    kind = "_Korrektur" if export.is_correction else ""
    return f"EXTF_Buchungsstapel_{export.year}_{export.month:02d}_{export.number:02d}{kind}_{part:02d}.csv"


def bytes_of(file: ExportFile) -> Iterator[bytes]:
    """A file as it was written, piece by piece."""
    for packed in file.chunks.order_by("position").values_list("packed", flat=True).iterator(chunk_size=4):
        yield zlib.decompress(packed)


def prove(export: Export) -> None:
    """Read the files back; only where they hold what the books hold is the batch ready, locked, and can be taken."""
    read, whole = proof.of_files((file, bytes_of(file)) for file in export.files.order_by("part"))
    rows, sums = proof.of_books(scope.of_export(export), answers_of(export).general_reversal)
    differs = proof.differences(sums, read.sums)
    with transaction.atomic():
        if not _mine(export).select_for_update().exists():
            return
        if differs or rows != read.rows or not whole:
            _failed(export, rows, read.rows, differs)
        else:
            _ready(export, read)


def _ready(export: Export, read: proof.Read) -> None:
    shas = export.files.order_by("part").values_list("sha256", flat=True)
    whole = hashlib.sha256("".join(shas).encode()).hexdigest() if len(shas) > 1 else shas[0]
    _mine(export).update(
        state=ExportState.READY, proof=read.as_json(), sha256=whole, ready_at=Now(), due_at=None, lease_token=None
    )
    text = say("Export ready: %(rows)s rows, SHA-256 %(sha)s", rows=read.rows, sha=whole)
    note(export, "accounting.export", text, system="hub")
    cases.settle(export, kinds=("export_failed",))


def _failed(export: Export, wanted: int, found: int, differs: list[str]) -> None:
    text = say(
        "The file holds %(found)s rows, the books %(wanted)s; different: %(accounts)s",
        found=found,
        wanted=wanted,
        accounts=", ".join(differs[:10]) or "–",
    )
    _mine(export).update(state=ExportState.FAILED, error=text.as_json(), due_at=None, lease_token=None)
    month = f"{export.month:02d}/{export.year}"
    expected = say("%(count)s rows with the sums of the books", count=wanted)
    trouble = Trouble(
        kind="export_failed", cause=f"export:{export.pk}", params={"month": month}, expected=expected, found=text
    )
    cases.open_case(trouble, export)


@transaction.atomic
def take(file: ExportFile, *, by: User) -> str:
    """Somebody takes a file; returns the name under which: from the second time on it says that it is a repetition."""
    if file.export.state != ExportState.READY:
        raise NotNow(say("The export is not ready yet."))
    before = Download.objects.filter(file=file).count()
    Download.objects.create(file=file, by=by)
    text = say("%(file)s taken, for the %(count)s. time", file=file.name, count=before + 1)
    note(file.export, "accounting.download", text, by=by)
    return file.name if not before else f"{file.name.removesuffix('.csv')}_Wiederholung_{before + 1}.csv"
