"""Reports sum what was issued, each figure opens into its rows; the audit export is whole and described."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from xml.etree import ElementTree

import pytest
from django.test import Client
from django.urls import reverse

from accounting.models import Document
from accounting.services import handing_over, reports
from accounting.services.audit_tables import TABLES
from accounting.services.reports import Quarter, Span
from integration_hub.models import Connection, User
from orders.models import Order
from tests.accounting import ledger, papers

pytestmark = pytest.mark.django_db
NOVEMBER = Span(date(2026, 11, 1), date(2026, 11, 30))


@pytest.fixture
def issued(ordered: Callable[..., Order]) -> Document:
    """A sale of two rates and groups, a distance sale, and a correction of the first."""
    order = ordered(1, total="109.36")
    mixed = [("Kanne", "85.57", "DOMESTIC", "19", {"group": "Geschirr"}), ("Buch", "23.79", "DOMESTIC", "7", {"group": "Bücher"})]  # fmt: skip
    first = papers.issue("RE-1", mixed, order=order, day="2026-11-10")
    papers.issue("RE-2", [("Kanne", "60.00", "OSS", "20")], order=ordered(2), country="AT", day="2026-11-11")
    papers.issue("RK-1", [("Buch", "-11.25", "DOMESTIC", "7", {"group": "Bücher"})], order=order, kind="CORRECTION", corrects=first, day="2026-11-13")  # fmt: skip
    papers.issue("RE-0", [("Kanne", "10.00", "DOMESTIC", "19")], order=ordered(3), day="2026-10-31")
    return first


def by(code: str) -> dict[str, Decimal]:
    dimension = reports.dimension_of(code)
    assert dimension
    return {row.label: row.gross for row in reports.revenue(NOVEMBER, dimension)}


def test_revenue_counts_corrections_and_stays_in_its_span(issued: Document) -> None:
    assert by("group") == {"Geschirr": Decimal("85.57"), "–": Decimal("60.00"), "Bücher": Decimal("12.54")}
    assert by("country") == {"DE": Decimal("98.11"), "AT": Decimal("60.00")}
    assert by("channel") == {"Laden": Decimal("158.11")}
    assert sum(by("case").values()) == Decimal("158.11")


def test_a_figure_opens_into_the_lines_that_make_it(
    issued: Document, person: Callable[..., User], client: Client
) -> None:
    dimension = reports.dimension_of("group")
    assert dimension
    for row in reports.revenue(NOVEMBER, dimension):
        assert sum(line.gross for line in reports.of_value(NOVEMBER, dimension, row.value)) == row.gross
    client.force_login(person("finance"))
    asked = {"by": "group", "first": "2026-11-01", "last": "2026-11-30", "value": "Bücher"}
    page = client.get(reverse("revenue_rows"), asked).content.decode()
    assert "RE-1" in page
    assert "RK-1" in page
    assert "RE-2" not in page
    file = b"".join(client.get(reverse("revenue"), asked | {"export": "csv"}).streaming_content)  # type: ignore[attr-defined]
    assert "12,54" in file.decode("utf-8-sig") or "12.54" in file.decode("utf-8-sig")


def test_distance_sales_by_quarter_country_and_rate(issued: Document) -> None:
    (row,) = reports.oss(Quarter(2026, 4))
    assert (row.country, row.rate, row.net, row.tax) == ("AT", Decimal("0.20"), Decimal("50.00"), Decimal("10.00"))
    assert reports.oss(Quarter(2026, 3)) == []
    assert Quarter.of(date(2026, 12, 31)).span == Span(date(2026, 10, 1), date(2026, 12, 31))


@pytest.mark.parametrize("query", ["?quarter=2026-5", "?quarter=x"])
def test_a_quarter_that_is_none_is_not_found(query: str, person: Callable[..., User], client: Client) -> None:
    client.force_login(person("finance"))
    assert client.get(reverse("oss") + query).status_code == 404


def test_the_audit_export_holds_every_table_as_described(issued: Document, psp: Connection) -> None:
    ledger.keep()
    ledger.post()
    with handing_over_outside_of_the_test(NOVEMBER) as packed:
        assert set(packed.namelist()) == {table.file for table in TABLES} | {"index.xml"}
        root = ElementTree.fromstring(packed.read("index.xml"))
        for described in root.iter("Table"):
            name = described.findtext("URL")
            assert name
            rows = list(csv.reader(io.StringIO(packed.read(name).decode()), delimiter=";"))
            columns = [one.findtext("Name") for one in described.iter() if one.tag.startswith("Variable") and one.tag != "VariableLength"]  # fmt: skip
            assert rows[0] == columns
            assert all(len(row) == len(columns) for row in rows)
        documents = list(csv.DictReader(io.StringIO(packed.read("belege.csv").decode()), delimiter=";"))
        assert [(row["Nummer"], row["Brutto"]) for row in documents] == [
            ("RE-1", "109.3600"), ("RE-2", "60.0000"), ("RK-1", "-11.2500")]  # fmt: skip
        postings = list(csv.DictReader(io.StringIO(packed.read("buchungen.csv").decode()), delimiter=";"))
        assert sum(Decimal(row["Soll"]) for row in postings) == sum(Decimal(row["Haben"]) for row in postings) > 0


def handing_over_outside_of_the_test(span: Span) -> zipfile.ZipFile:
    """A test is a transaction already, in which no other level of isolation can be asked for any more."""
    held = io.BytesIO()
    handing_over.pack(span, held)
    return zipfile.ZipFile(held)


def test_who_took_an_audit_export_is_on_record(person: Callable[..., User], client: Client) -> None:
    client.force_login(person("marketing"))
    assert client.get(reverse("audit_export")).status_code == 403
    client.force_login(person("auditor"))
    assert client.get(reverse("audit_export")).status_code == 200
    assert client.get(reverse("audit_export"), {"first": "2026-11-30", "last": "2026-11-01"}).status_code == 422
