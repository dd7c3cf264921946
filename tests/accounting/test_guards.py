"""What the database refuses, whoever asks: changed documents, gaps, a second bill, sums that are not exact; races included."""

from __future__ import annotations

import threading
from collections.abc import Callable
from decimal import Decimal

import pytest
from django.db import Error, IntegrityError, connection, transaction

from accounting.models import Document, DocumentLine, NumberRange, Origin, Series, VoidNumber
from accounting.services import issuing, numbers, reversing, sealing
from accounting.services.planning import Delivery
from integration_hub.kernel.errors import NotNow
from integration_hub.models import Connection, User
from tests.accounting import books


def issue(shop: Connection, number: int = 1, gross: str = "49.99") -> Document:
    return issuing.issue(Delivery(books.ordered(shop, number, books.line(gross)).pk))


def sql(statement: str) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE accounting_document SET net = net + 1, gross = gross + 1",
        "DELETE FROM accounting_documentline",
        "UPDATE accounting_documentline SET title = 'x'",
        "DELETE FROM accounting_documenttax",
        "INSERT INTO accounting_documentline SELECT (l.s).* FROM (SELECT l AS s FROM accounting_documentline l) l",
        "UPDATE accounting_series SET next = 1",
        "UPDATE accounting_origin SET released_by_id = document_id",
        "DELETE FROM accounting_origin",
        "UPDATE accounting_numberrange SET pattern = 'X-{number}'",
    ],
)
def test_an_issued_document_never_changes(laden: Connection, statement: str) -> None:
    issue(laden)
    sql("SET CONSTRAINTS ALL IMMEDIATE")
    with pytest.raises(Error):
        sql(statement)


@pytest.mark.django_db
def test_a_document_that_is_not_its_lines_cannot_be_committed(laden: Connection) -> None:
    original = issue(laden)
    row = Document.objects.get(pk=original.pk)
    series = Series.objects.get()
    row.pk, row.sequence, row.number = None, series.next, "RE-X"

    def commit() -> None:
        with transaction.atomic():
            row.save(force_insert=True)
            Series.objects.update(next=series.next + 1)
            sql("SET CONSTRAINTS ALL IMMEDIATE")

    with pytest.raises(IntegrityError, match="not the sum"):
        commit()


@pytest.mark.django_db
def test_a_series_cannot_skip_a_number(laden: Connection) -> None:
    issue(laden)

    def commit() -> None:
        with transaction.atomic():
            Series.objects.update(next=5)
            sql("SET CONSTRAINTS ALL IMMEDIATE")

    with pytest.raises(IntegrityError, match="gap"):
        commit()


@pytest.mark.django_db
def test_numbers_are_voided_with_a_reason_and_never_given(laden: Connection, person: Callable[..., User]) -> None:
    first, clerk = issue(laden), person("finance")
    row = numbers.void(NumberRange.objects.get(), upto=9, why="Übernahme aus dem alten System", by=clerk)
    sql("SET CONSTRAINTS ALL IMMEDIATE")
    sql("SET CONSTRAINTS ALL DEFERRED")
    second = issue(laden, 2)
    assert (first.sequence, row.first, row.last, second.sequence) == (1, 2, 9, 10)
    assert VoidNumber.objects.get().why == "Übernahme aus dem alten System"
    with pytest.raises(NotNow):
        numbers.void(NumberRange.objects.get(), upto=10, why="zu spät", by=clerk)


@pytest.mark.django_db
def test_seals_hold_and_show_what_was_changed(laden: Connection) -> None:
    for number in (1, 2, 3):
        issue(laden, number)
    series = Series.objects.get()
    assert sealing.broken(series) is None
    with transaction.atomic():
        sql("SET LOCAL hub.purge = 'on'")
        second = Document.objects.get(sequence=2)
        DocumentLine.objects.filter(document=second).update(title="anders")
        sql("SET LOCAL hub.purge = 'off'")
    assert sealing.broken(series) == second.pk


@pytest.mark.django_db
def test_no_more_is_corrected_than_was_billed(laden: Connection) -> None:
    original = issue(laden, gross="100.00")
    reversing.reduce(original, Decimal("60.00"), why="Nachlass")
    with pytest.raises(NotNow):
        reversing.reduce(original, Decimal("40.01"), why="Nachlass")
    last = reversing.reduce(original, Decimal("40.00"), why="Nachlass")
    assert original.net + sum(one.net for one in original.corrections.all()) == 0
    assert (last.kind, original.corrections.count()) == ("CORRECTION", 2)
    with pytest.raises(NotNow):
        reversing.cancel(original, why="zu spät")


@pytest.mark.django_db
def test_what_is_cancelled_may_be_billed_anew(laden: Connection) -> None:
    original = issue(laden)
    back = reversing.cancel(original, why="falsche Anschrift")
    assert (back.kind, back.gross, back.corrects) == ("CANCELLATION", -original.gross, original)
    again = issuing.issue(Delivery(original.order_id or 0))
    assert [again.sequence, back.sequence, original.sequence] == [3, 2, 1]
    assert Origin.objects.filter(released_by=None).count() == 1


@pytest.mark.django_db
def test_order_and_shipment_are_never_both_billed(laden: Connection) -> None:
    document = issue(laden)
    with pytest.raises(IntegrityError, match="billed already"), transaction.atomic():
        Origin.objects.create(document=document, order_id=document.order_id or 0, scope="shipment:1")


def together(count: int, work: Callable[[int], object]) -> list[Exception]:
    """Run it in so many threads at once; what they raised."""
    raised: list[Exception] = []
    barrier = threading.Barrier(count)

    def run(at: int) -> None:
        try:
            barrier.wait(timeout=30)
            work(at)
        except Exception as error:  # noqa: BLE001  told below
            raised.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(at,)) for at in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    return raised


@pytest.mark.django_db(transaction=True)
def test_numbers_are_gapless_when_many_issue_at_once(laden: Connection) -> None:
    orders = [books.ordered(laden, number, books.line("10.00")).pk for number in range(1, 13)]

    def fail(pk: int) -> None:
        with transaction.atomic():
            issuing.issue(Delivery(pk))
            raise ZeroDivisionError  # after it has taken its number

    def work(at: int) -> None:
        for pk in orders[at::4]:
            if at == 3:
                with pytest.raises(ZeroDivisionError):
                    fail(pk)
            else:
                issuing.issue(Delivery(pk))

    assert together(4, work) == []
    assert sorted(one or 0 for one in Document.objects.values_list("sequence", flat=True)) == list(range(1, 10))
    assert sealing.broken(Series.objects.get()) is None


@pytest.mark.django_db(transaction=True)
def test_one_delivery_is_billed_once_when_many_try(laden: Connection) -> None:
    order = books.ordered(laden, 1, books.line("10.00")).pk
    found: list[int] = []
    raised = together(4, lambda _at: found.append(len(issuing.issue_many([Delivery(order)]).documents)))
    assert (raised, sorted(found), Document.objects.count()) == ([], [0, 0, 0, 1], 1)
