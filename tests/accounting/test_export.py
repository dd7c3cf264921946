"""The file for the adviser: read by an independent reader, tried out before, proven after, locked, corrected by a further batch."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction

from accounting.events import Chart, ExportState
from accounting.models import Entry, Export, ExportFile, HeldBack, Posting
from accounting.services import choices, correcting, dryrun, exporting, extf, finding, scope
from exceptions.models import ExceptionCase
from integration_hub.backoffice import invariants
from integration_hub.kernel.errors import NotNow
from integration_hub.models import Connection, User
from orders.models import Order
from tests.accounting import ledger, papers, reader
from tests.payments.provider import capture, tell
from tests.payments.test_payouts import entry

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).parents[2]
SAMPLES = next(
    (ROOT / up / "shared/payloads/datev" for up in ("..", "../..") if (ROOT / up / "shared").exists()), ROOT / "none"
)
TEXT = "Müller & Söhne „Tee“ – 5 €; “quoted”"


def month(psp: Connection, ordered: Callable[..., Order], chart: str = "03", **more: object) -> None:
    """A small month: a sale of two rates, a distance sale, a supply to a business, a payment, a correction."""
    ledger.keep(Chart(chart), **more)
    mixed = [("Kanne", "85.57", "DOMESTIC", "19"), ("Buch", "23.79", "DOMESTIC", "7")]
    order = ordered(1, total="109.36")
    sold = papers.issue("RE-2026-1", mixed, order=order, day="2026-11-10")
    papers.issue("RE-2026-2", [("Kanne", "60.00", "OSS", "20")], order=ordered(2), country="AT", day="2026-11-11")
    papers.issue(
        "RE-2026-3", [("Kanne", "200.00", "EU_B2B", "0")], order=ordered(3), country="AT", buyer_vat_id="ATU33864707",
        day="2026-11-12",
    )  # fmt: skip
    papers.issue(
        "RK-1", [("Buch", "-11.25", "DOMESTIC", "7")], order=order, kind="CORRECTION", corrects=sold, day="2026-11-13"
    )
    tell(psp, capture("ch_1", "109.36", order="laden:1"))
    ledger.post()


def export(by: User | None = None, **more: str) -> Export:
    """The next batch of November, written and proven."""
    made = exporting.request(2026, 11, by=by, **more)
    while exporting.work():
        pass
    return Export.objects.get(pk=made.pk)


def do(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)


def content(file: ExportFile) -> bytes:
    return b"".join(exporting.bytes_of(file))


def read(made: Export) -> reader.Batch:
    return reader.read(b"".join(content(file) for file in made.files.order_by("part")))


@pytest.mark.parametrize(("chart", "version"), [("03", 13), ("04", 12)])
def test_the_file_holds_what_an_independent_reader_expects(
    psp: Connection, ordered: Callable[..., Order], chart: str, version: int
) -> None:
    month(psp, ordered, chart, format=version)
    made = export()
    batch = read(made)
    assert batch.findings == []
    assert (made.state, len(batch.rows), len(batch.names)) == (ExportState.READY, 7, 125 if version == 13 else 124)
    assert (batch.header[10], batch.header[11], batch.header[26]) == ("29098", "55003", chart)
    rows = {(row[0], row[1], row[7], row[8], row[39], row[40]) for row in batch.rows}
    revenue, oss, eu = ("8400", "8320", "8125") if chart == "03" else ("4400", "4320", "4125")
    assert ("85,57", "S", revenue, "", "", "") in rows
    assert ("60,00", "S", oss, "240", "AT", "20,00") in rows
    assert ("200,00", "S", eu, "", "ATU33864707", "") in rows
    assert {row[10] for row in batch.rows} == {"RE-2026-1", "RE-2026-2", "RE-2026-3", ""}
    assert made.proof["rows"] == 7
    held = {one["account"]: one for one in made.proof["accounts"]}
    assert (held[revenue]["debit"], held[revenue]["credit"]) == ("0.00", "85.57")


def test_the_reader_agrees_with_datevs_own_sample() -> None:
    sample = SAMPLES / "EXTF_Buchungsstapel.csv"
    if not sample.exists():
        pytest.skip("DATEV's sample files are not here")
    raw = sample.read_bytes()
    batch = reader.read(raw, encoding="utf-8", end="\r\n" if b"\r\n" in raw else "\n")
    assert batch.names == [name for name, _quoted in extf.layout()]
    # its 54 rows break a few of the portal's own rules: unpadded numbers, and the days of a whole year in one batch
    assert [one for one in batch.findings if "quoted" in one or "fields" in one] == []


def test_a_reader_that_finds_nothing_would_prove_nothing(psp: Connection, ordered: Callable[..., Order]) -> None:
    month(psp, ordered)
    raw = content(export().files.get())
    for old, new in (
        (b";8400;", b";84000;8"), (b'"240"', b'"24000"'), (b"85,57", b"0,00"), (b"\r\n", b"\n"), (b';"S";', b";S;"),
        (b";1011;", b";3513;"), (b'"RE-2026-1"', b'"RE 2026:1"'), (b'EXTF";700', b'EXTF";510'),
        (b'"ATU33864707"', b'"ATU33864707ATU33864707"'), (b";8400;\"\"", b';8400;"3"'),
    ):  # fmt: skip
        assert old in raw, old
        try:
            assert reader.read(raw.replace(old, new)).findings, (old, new)
        except (IndexError, ValueError):
            continue


def test_a_correction_after_the_export_is_a_batch_of_its_own(psp: Connection, ordered: Callable[..., Order]) -> None:
    month(psp, ordered)
    first = export()
    tell(psp, capture("ch_1", "109.36", order="laden:1", fee="0.70", updated="2026-11-21T12:00:00Z"))
    ledger.post()
    second = export()
    assert (second.number, second.is_correction) == (2, True)
    assert "Korrektur" in second.files.get().name
    batch = read(second)
    assert batch.findings == []
    assert [(row[0], row[1], row[117]) for row in batch.rows] == [
        ("109,36", "S", "1"), ("0,68", "S", "1"), ("109,36", "S", ""), ("0,70", "S", ""),
    ]  # fmt: skip
    first.refresh_from_db()
    assert first.sha256 != second.sha256
    with pytest.raises(NotNow, match="Nothing new"):
        exporting.request(2026, 11, by=None)


def test_reversals_may_be_mirrored_rows_instead(psp: Connection, ordered: Callable[..., Order]) -> None:
    month(psp, ordered, general_reversal=False)
    export()
    tell(psp, capture("ch_1", "109.36", order="laden:1", fee="0.70", updated="2026-11-21T12:00:00Z"))
    ledger.post()
    batch = read(export())
    assert [(row[0], row[1], row[117]) for row in batch.rows][:2] == [("109,36", "H", ""), ("0,68", "H", "")]


BAD: list[tuple[str, dict[str, Any]]] = [
    ("text_ansi", {"text": "Tee 茶"}),
    ("text_long", {"text": "x" * 61}),
    ("text_control", {"text": "a\tb"}),
    ("belegfeld1", {"belegfeld1": "RE 2026:1"}),
    ("belegfeld1", {"belegfeld1": "x" * 37}),
    ("account_length", {"contra": "840000"}),
    ("automatic_key", {"tax_key": "3"}),
    ("eu_missing", {"tax_key": "240", "contra": "8320"}),
    ("eu_id", {"eu_id": "ATU33864707ATU338"}),
    ("cost_centre", {"cost_centre": "a;b"}),
    ("zero", {"debit": Decimal("0.004")}),
]


def spoil(change: dict[str, object]) -> None:
    """One row as a mapping, a shop or an import might have made it."""
    line = Posting.objects.filter(side="HEAD", contra="8400").get()
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # what was posted is proven before it is spoilt
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        cursor.execute("SET LOCAL hub.purge = 'on'")
        Posting.objects.filter(pk=line.pk).update(**change)
        cursor.execute("SET LOCAL hub.purge = 'off'")


@pytest.mark.parametrize(("code", "change"), BAD, ids=[f"{code}-{next(iter(what))}" for code, what in BAD])
def test_what_datev_would_refuse_is_found_before(
    psp: Connection, ordered: Callable[..., Order], code: str, change: dict[str, object]
) -> None:
    month(psp, ordered)
    spoil(change)
    verdict = dryrun.look(scope.upcoming(2026, 11), choices.current())
    assert [reason for reason, _count in verdict.reasons] == [dryrun.REASONS[code]]
    assert len(verdict.refused) == 1
    with pytest.raises(NotNow, match="would be refused"):
        exporting.request(2026, 11, by=None)


def test_rows_are_left_out_only_by_choice_and_come_with_the_next_batch(
    psp: Connection, ordered: Callable[..., Order], person: Callable[..., User]
) -> None:
    month(psp, ordered)
    spoil({"belegfeld1": "RE 2026:1"})
    made = export(without="the adviser wants the rest today")
    assert read(made).findings == []
    assert (made.total, made.without) == (5, "the adviser wants the rest today")
    held = HeldBack.objects.get(export=made)
    assert held.reasons == ["belegfeld1"]
    correcting.reword(held.entry, belegfeld1="RE-2026-1", text="Verkauf", by=person("finance"), why="typing error")
    last = export(without="the spoilt row and its reversal stay out")
    assert read(last).findings == []
    assert [row[10] for row in read(last).rows] == ["RE-2026-1", "RE-2026-1"]


def test_without_datevs_numbers_nothing_is_exported(psp: Connection, ordered: Callable[..., Order]) -> None:
    month(psp, ordered, adviser_number=0)
    assert not dryrun.look(scope.upcoming(2026, 11), choices.current()).is_clean
    with pytest.raises(NotNow, match="adviser number"):
        exporting.request(2026, 11, by=None)


def test_a_month_of_the_other_chart_is_refused(psp: Connection, ordered: Callable[..., Order]) -> None:
    month(psp, ordered)
    ledger.keep(Chart.SKR04)
    verdict = dryrun.look(scope.upcoming(2026, 11), choices.current())
    assert dict(verdict.reasons)[dryrun.REASONS["other_chart"]] == 7


def test_texts_are_written_in_letters_that_windows_1252_has_and_it_is_said(
    psp: Connection, ordered: Callable[..., Order]
) -> None:
    month(psp, ordered)
    spoil({"text": f"Łukasz Čapek; {TEXT}"[:60]})
    verdict = dryrun.look(scope.upcoming(2026, 11), choices.current())
    assert (verdict.transliterated, verdict.is_clean) == (1, True)
    texts = [row[13] for row in read(export()).rows]
    assert f"Lukasz Capek; {TEXT}"[:60] in texts


def test_a_ready_export_is_locked_and_taking_it_again_says_so(
    psp: Connection, ordered: Callable[..., Order], person: Callable[..., User]
) -> None:
    month(psp, ordered)
    made, who = export(), person("finance")
    file = made.files.get()
    assert exporting.take(file, by=who) == "EXTF_Buchungsstapel_2026_11_01_01.csv"
    assert exporting.take(file, by=who) == "EXTF_Buchungsstapel_2026_11_01_01_Wiederholung_2.csv"
    for sql in (
        "UPDATE accounting_export SET total = 1", "DELETE FROM accounting_exportchunk", "UPDATE accounting_exportfile SET rows = 1",
        "DELETE FROM accounting_download",
    ):  # fmt: skip
        with pytest.raises(Exception, match=r"stays|append-only"), transaction.atomic():
            do(sql)


def test_files_are_split_and_a_killed_worker_goes_on_where_it_was(
    psp: Connection, ordered: Callable[..., Order], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(extf, "MOST_ROWS", 3)
    monkeypatch.setattr(exporting, "PIECE", 200)
    month(psp, ordered)
    made = exporting.request(2026, 11, by=None)
    exporting.work()
    half = Export.objects.get(pk=made.pk)
    assert (half.state, half.done) == (ExportState.WRITING, 3)
    Export.objects.filter(pk=made.pk).update(lease_token="0" * 32, due_at="2020-01-01T00:00:00Z")
    while exporting.work():
        pass
    whole = Export.objects.get(pk=made.pk)
    assert (whole.state, list(whole.files.order_by("part").values_list("rows", flat=True))) == ("READY", [3, 3, 1])
    files = [reader.read(content(file)) for file in whole.files.order_by("part")]
    assert [one.findings for one in files] == [[], [], []]
    assert len({tuple(row) for one in files for row in one.rows}) == 7


def test_a_file_that_differs_from_the_books_is_a_case(psp: Connection, ordered: Callable[..., Order]) -> None:
    month(psp, ordered)
    made = exporting.request(2026, 11, by=None)
    exporting.work()
    spoil({"debit": Decimal("85.58")})
    exporting.work()
    broken = Export.objects.get(pk=made.pk)
    assert broken.state == ExportState.FAILED
    assert ExceptionCase.objects.get(kind="export_failed").state == "OPEN"
    with pytest.raises(NotNow, match="not ready"):
        exporting.take(broken.files.get(), by=None)  # type: ignore[arg-type]
    exporting.again(broken)
    while exporting.work():
        pass
    assert Export.objects.get(pk=made.pk).state == ExportState.READY
    assert ExceptionCase.objects.get(kind="export_failed").state == "SOLVED"
    assert invariants.judge(invariants.invariant_of("exports_hold_each_entry_once")).kept


def test_a_foreign_currency_bears_rate_and_amount_of_the_books(psp: Connection, ordered: Callable[..., Order]) -> None:
    ledger.keep()
    order = ordered(1, total="102.80", currency="GBP")
    tell(
        psp,
        capture(
            "ch_1", "102.80", fee="0", currency="GBP", settled="123.86", settlement_currency="EUR", order="laden:1"
        ),
    )
    papers.issue("RE-1", [("Kanne", "102.80", "DOMESTIC", "19")], order=order, currency="GBP", day="2026-11-20")
    ledger.post()
    assert "10001" not in ledger.balances()
    rows = [row for row in read(export()).rows if row[7] == "8400"]
    assert [row[:6] for row in rows] == [["102,80", "S", "GBP", "0,829969", "123,86", "EUR"]]


def test_a_document_bears_the_id_of_its_image(psp: Connection, ordered: Callable[..., Order]) -> None:
    month(psp, ordered)
    links = {row[10]: row[19] for row in read(export()).rows if row[19]}
    assert set(links) == {"RE-2026-1", "RE-2026-2", "RE-2026-3"}
    assert all(link.startswith('BEDI "') and len(link) == 43 for link in links.values())


def test_ids_that_commit_late_are_not_missed(psp: Connection) -> None:
    """Whoever writes entries holds the lock that an export takes before it looks for the newest id."""
    ledger.keep()
    tell(psp, entry("ad_1", "ADJUSTMENT", "10.00"))
    finding.look()
    ledger.post()
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()")
        assert cursor.fetchone()[0] >= 1
    assert Entry.objects.count() == 1
