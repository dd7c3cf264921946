"""What is Lexware Office's own: numbers that are not unique, two shapes of refusals, two requests a second."""

from __future__ import annotations

import json
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from integration_hub.connectors._lexware_api import Api
from integration_hub.connectors.http import Http
from integration_hub.connectors.lexware import Lexware
from integration_hub.kernel.errors import Rejected, RetryLater, Unsupported
from tests.connectors.world import everything, outside

from .mine import Mine, part, voucher
from .office import GOODS, TRAVEL, Office

FOLDER = Path(__file__).parents[4] / "shared" / "payloads" / "lexware"
real = pytest.mark.skipif(not FOLDER.is_dir(), reason="the real payloads are not here")


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Api, "pause", 0.0)


def lexware(**changes: Any) -> Lexware:
    return Lexware(Lexware.Config(**Mine().config() | changes), Http())


def written(office: Office) -> dict[str, Any]:
    (found,) = office.vouchers
    return found


def test_a_document_becomes_a_voucher_with_a_part_per_rate() -> None:
    office = Office()
    with outside(office):
        lexware().send(voucher())
    found = written(office)
    assert (found["type"], found["voucherNumber"], found["taxType"]) == ("salesinvoice", "RE-2026-1002", "gross")
    assert (found["totalGrossAmount"], found["totalTaxAmount"]) == (Decimal("109.36"), Decimal("15.22"))
    assert [(one["amount"], one["taxAmount"], one["taxRatePercent"]) for one in found["voucherItems"]] == [
        (Decimal("85.57"), Decimal("13.66"), 19),
        (Decimal("23.79"), Decimal("1.56"), 7),
    ]
    assert (found["voucherDate"], found["shippingDate"]) == ("2026-11-20", "2026-11-21")


def test_a_correction_is_a_credit_note_with_positive_amounts() -> None:
    office = Office()
    with outside(office):
        lexware().send(voucher(part("11.25", "0.74", "0.07"), key="document:31", number="RK-31", credit=True))
    assert (written(office)["type"], written(office)["totalGrossAmount"]) == ("salescreditnote", Decimal("11.25"))


def test_a_number_that_is_there_already_is_not_taken_for_ours() -> None:
    office = Office()
    with outside(office):
        lexware().send(voucher(key="document:10"))
        assert lexware().find(voucher(key="document:1")) is None
        lexware().send(voucher(key="document:1"))
    assert len(office.vouchers) == 2


@pytest.mark.parametrize(
    ("case", "code"), [("EXPORT", "no_category"), ("OSS", "no_category"), ("VOUCHER_MULTI", "no_posting")]
)
def test_what_has_no_category_is_refused_before_anything_is_written(case: str, code: str) -> None:
    office = Office()
    with outside(office) as wire, pytest.raises(Rejected) as caught:
        lexware().send(voucher(part("150.00", "0.00", "0", case)))
    assert (caught.value.code, wire.writes) == (code, 0)


def test_another_currency_is_refused() -> None:
    with outside(Office()), pytest.raises(Rejected) as caught:
        lexware().send(voucher(currency="CHF"))
    assert caught.value.code == "other_currency"


def test_it_writes_vouchers_and_nothing_else() -> None:
    with pytest.raises(Unsupported):
        lexware().send(object())  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "answer",
    [
        {"IssueList": [{"i18nKey": "missing_entity", "source": "categoryId", "type": "validation_failure"}]},
        {"status": 406, "error": "Not Acceptable", "message": "Validation failed", "details": [
            {"violation": "NOTNULL", "field": "categoryId", "message": "darf nicht leer sein"}]},
    ],
)  # fmt: skip
def test_both_shapes_of_refusals_name_the_field(answer: dict[str, Any]) -> None:
    with everything((406, {}, json.dumps(answer))), pytest.raises(Rejected, match="categoryId"):
        lexware().send(voucher())


def test_somebody_else_at_work_is_tried_again() -> None:
    with everything((409, {}, "{}")), pytest.raises(RetryLater):
        lexware().send(voucher())


def test_no_more_than_two_requests_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Api, "pause", 0.05)
    began = time.monotonic()
    with outside(Office()):
        lexware().send(voucher())  # a look and a write
        lexware().send(voucher())  # a list and the voucher
    assert time.monotonic() - began >= 0.1


@pytest.mark.parametrize("category", [TRAVEL, "00000000-0000-0000-0000-000000000000"])
def test_the_check_names_the_categories_that_there_are(category: str) -> None:
    with outside(Office()):
        findings = lexware(goods=category).check()
    assert not all(finding.ok for finding in findings)
    assert GOODS in str(findings[-1].text)


@real
def test_the_documented_answers_are_understood() -> None:
    for name in ("error_legacy_issue_list", "error_regular_406"):
        with everything((406, {}, (FOLDER / f"{name}.json").read_text())), pytest.raises(Rejected) as caught:
            lexware().send(voucher())
        assert caught.value.code == "refused"
    with everything((201, {}, (FOLDER / "voucher_create.response.json").read_text())):
        assert Api(lexware().http).write("/vouchers", {})["id"] == "66196c43-baf3-4335-bfee-d610367059db"
