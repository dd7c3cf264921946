"""Whatever a document holds: its entry balances, and DATEV's own split of each row gives the document's VAT to the cent."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounting.models import Document, DocumentLine, Posting
from accounting.services import rows, sales
from accounting.services.entries import Draft
from accounting.services.mapping import Table
from tests.accounting.papers import tax_in

pytestmark = pytest.mark.django_db

CASES = (("DOMESTIC", "19"), ("DOMESTIC", "7"), ("OSS", "20"), ("OSS", "21"), ("OSS", "25.5"), ("EU_B2B", "0"), ("EXPORT", "0"),
         ("EU_BELOW_THRESHOLD", "19"), ("VOUCHER_SINGLE", "19"), ("VOUCHER_MULTI", "0"), ("SMALL_BUSINESS", "0"))  # fmt: skip
amounts = st.decimals(min_value="0.01", max_value="99999.99", places=2)
parts = st.lists(
    st.tuples(st.sampled_from(CASES), amounts, st.sampled_from(["", "Tee", "Bücher"])), min_size=1, max_size=8
)


def document_of(found: list[tuple[tuple[str, str], Decimal, str]], sign: int) -> Document:
    made = Document(pk=1, kind="INVOICE" if sign > 0 else "CORRECTION", state="ISSUED", number="RE-1", currency="EUR",
                    issued_on=date(2026, 11, 10), country="AT", buyer_vat_id="ATU33864707")  # fmt: skip
    made.channel_id = 1
    lines = [
        DocumentLine(position=place, kind="GOODS", title="x", gross=sign * gross, tax_case=case, country="AT" if case == "OSS" else "DE",
                     rate=Decimal(percent) / 100, group=group)
        for place, ((case, percent), gross, group) in enumerate(found, start=1)
    ]  # fmt: skip
    made._prefetched_objects_cache = {"lines": lines}  # type: ignore[attr-defined]
    return made


def split(line: Posting) -> Decimal:
    """What DATEV takes out of a row by its account or key, by the rate that the row says."""
    rate = (line.rate or Decimal(0)) * 100
    return tax_in(line.debit + line.credit, rate) if rate and line.tax_case != "VOUCHER_MULTI" else Decimal(0)


@pytest.fixture
def tables() -> dict[str, Table]:
    return {chart: Table.load(chart) for chart in ("03", "04")}


@pytest.mark.parametrize("chart", ["03", "04"])
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(found=parts, sign=st.sampled_from([1, -1]))
def test_any_document_balances_and_datev_finds_its_vat(
    tables: dict[str, Table], monkeypatch: pytest.MonkeyPatch, chart: str,
    found: list[tuple[tuple[str, str], Decimal, str]], sign: int,
) -> None:  # fmt: skip
    monkeypatch.setattr(sales, "_text", lambda _document, _suffix: "Verkauf")
    document = document_of(found, sign)
    draft = sales.of_document(document, tables[chart], {}, lambda _order: "")
    assert isinstance(draft, Draft)
    made = rows.lines(draft.rows, tables[chart], "EUR")
    for number in {line.row for line in made}:
        of_row = [line for line in made if line.row == number]
        assert sum(line.debit for line in of_row) == sum(line.credit for line in of_row)
    heads = [line for line in made if line.side == "HEAD"]
    taxed = {
        (case, percent): sum((g for c, g, _group in found if c == (case, percent)), Decimal(0))
        for (case, percent), _g, _x in found
    }
    assert len(heads) == len(taxed)  # one row per tax case and rate, whatever the groups
    vat = sum((tax_in(gross, Decimal(percent)) for (_case, percent), gross in taxed.items()), Decimal(0))
    assert sum((split(line) for line in heads), Decimal(0)) == vat
    booked = sum((line.debit - line.credit for line in made if line.side == "TAX"), Decimal(0))
    assert booked == -sign * vat
    assert all((line.debit > 0) == (sign > 0) for line in heads)
