"""Statement files: whole or not at all, the same line under the same key in every file, nothing in them is followed."""

from __future__ import annotations

import dataclasses
import io
import zipfile
from contextlib import suppress
from datetime import date
from decimal import Decimal
from typing import Any, ClassVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from integration_hub.connectors.bank import CAMT, CSV, MT940, Bank
from integration_hub.connectors.base import Connector, Delivery
from integration_hub.connectors.http import Http
from integration_hub.kernel.errors import HubError, Misconfigured, Rejected
from integration_hub.kernel.funds import StatementReport
from tests.connectors.contract import DeclarationContract
from tests.connectors.nonsense import BROKEN_BODIES
from tests.connectors.soundness import assert_sound

from . import files

SETTINGS = {"csv_account": files.IBAN, "csv_balance": "Saldo"}
ALL = [
    pytest.param(files.camt(), CAMT, id="camt 02"),
    pytest.param(files.camt(version=8), CAMT, id="camt 08"),
    pytest.param(files.MT940, MT940, id="mt940"),
    pytest.param(files.CSV, CSV, id="csv"),
]


class TestDeclaration(DeclarationContract):
    connector_class: ClassVar[type[Connector]] = Bank

    def config(self) -> dict[str, Any]:
        return dict(SETTINGS)


def bank(**changes: Any) -> Bank:
    return Bank(Bank.Config(**{**SETTINGS, **changes}), Http())


def read(body: bytes, **changes: Any) -> list[StatementReport]:
    it = bank(**changes)
    found = [report for one in it.take("auszug", body) for report in it.parse(one)]
    return [one for one in found if isinstance(one, StatementReport)]


def one(body: bytes, **changes: Any) -> StatementReport:
    (statement,) = read(body, **changes)
    return statement


@pytest.mark.parametrize(("body", "topic"), ALL)
def test_every_format_says_the_same(body: bytes, topic: str) -> None:
    (delivery,) = bank().take("auszug.xml", body)
    assert (delivery.topic, delivery.object_id, delivery.body) == (topic, files.IBAN, body)
    statement = one(body)
    assert (statement.account, statement.currency, statement.closing) == (files.IBAN, "EUR", Decimal("1845.90"))
    assert statement.opening is not None
    assert statement.opening + sum(line.amount for line in statement.lines) == statement.closing
    stripe = next(line for line in statement.lines if line.amount == Decimal("855.80"))
    assert (stripe.name, stripe.iban, stripe.text) == (
        "STRIPE PAYMENTS EUROPE",
        "DE02120300000000202051",
        "STRIPE po_1 Auszahlung",
    )
    assert stripe.booked_on == date(2026, 11, 2)
    assert Decimal("-9.90") in [line.amount for line in statement.lines]
    assert bank().parse(delivery) == bank().parse(delivery)


@pytest.mark.parametrize("version", [2, 8])
def test_a_batch_is_told_line_by_line_where_its_details_make_it_up(version: int) -> None:
    parts = files.detail("Bestellung 1", "A", "500.00", version=version) + files.detail(
        "Bestellung 2", "B", "355.80", version=version
    )
    batch = files.entry("855.80", details=parts, version=version) + files.entry("9.90", "DBIT", version=version)
    assert [line.text for line in one(files.camt(batch, version=version)).lines][:2] == ["Bestellung 1", "Bestellung 2"]
    odd = files.entry("855.80", details=parts.replace("355.80", "355.81"), version=version) + files.entry(
        "9.90", "DBIT", version=version
    )
    assert [line.amount for line in one(files.camt(odd, version=version)).lines] == [
        Decimal("855.80"),
        Decimal("-9.90"),
    ]


def test_what_is_only_noted_is_not_booked() -> None:
    assert len(one(files.camt()).lines) == 2


def test_a_line_has_the_same_key_in_every_file_and_twins_are_counted() -> None:
    twice = files.entry("9.90", "DBIT") + files.entry("9.90", "DBIT")
    alone = files.entry("9.90", "DBIT")
    first = [line.key for line in one(files.camt(twice, closing="980.20")).lines]
    again = [line.key for line in one(files.camt(alone, closing="990.10", number="99")).lines]
    assert len(set(first)) == 2
    assert first[0] == again[0]


@pytest.mark.parametrize(("body", "topic"), ALL)
def test_a_file_that_is_wrong_by_a_cent_is_refused_whole(body: bytes, topic: str) -> None:
    wrong = body.replace(b"1845.90", b"1845.91").replace(b"1845,90", b"1845,91").replace(b"1.845,90", b"1.845,91")
    with pytest.raises(Rejected, match="add up"):
        bank().take("auszug", wrong)


@pytest.mark.parametrize("cut", [0.3, 0.6, 0.9, 0.97])
@pytest.mark.parametrize(("body", "topic"), [ALL[0], ALL[1], ALL[2]])
def test_a_file_that_is_cut_short_is_refused_whole(body: bytes, topic: str, cut: float) -> None:
    with pytest.raises(Rejected):
        bank().take("auszug", body[: int(len(body) * cut)])


def test_a_csv_file_that_is_cut_within_a_line_is_refused() -> None:
    with pytest.raises(Rejected, match="cut short"):
        bank(csv_balance="").take("auszug.csv", files.CSV[:-40])


def test_csv_without_balances_says_none_and_still_has_keys() -> None:
    statement = one(files.CSV, csv_balance="")
    assert (statement.opening, statement.closing) == (None, None)
    assert [line.amount for line in statement.lines] == [Decimal("100.00"), Decimal("855.80"), Decimal("-9.90")]


def test_csv_with_two_columns_and_points() -> None:
    body = b'Date,Out,In,Info\n2026-11-02,9.90,,fee\n2026-11-03,,"1,200.00",sale\n'
    statement = one(body, csv_delimiter=",", csv_decimal=".", csv_dates="%Y-%m-%d", csv_booked="Date", csv_debit="Out",
                    csv_credit="In", csv_text=("Info",), csv_balance="")  # fmt: skip
    assert [line.amount for line in statement.lines] == [Decimal("-9.90"), Decimal("1200.00")]


def test_csv_that_does_not_fit_the_mapping_says_which_columns_are_missing() -> None:
    with pytest.raises(Rejected, match="Wertstellung"):
        bank(csv_booked="Wertstellung").take("auszug.csv", files.CSV)
    with pytest.raises(Misconfigured):
        bank(csv_account="").take("auszug.csv", files.CSV)


def test_another_account_is_refused() -> None:
    assert read(files.camt(), accounts=("DE89 3704 0044 0532 0130 00",))
    with pytest.raises(Rejected, match="does not name"):
        bank(accounts=("DE00",)).take("auszug", files.camt())


@pytest.mark.parametrize("kind", ["052", "054"])
def test_what_is_no_statement_is_refused(kind: str) -> None:
    with pytest.raises(Rejected, match="no account statement"):
        bank().take("auszug", files.camt().replace(b"camt.053", b"camt." + kind.encode()))


def test_nothing_in_the_xml_is_followed() -> None:
    bomb = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>' + files.camt()[39:].replace(
        b"S1", b"&x;"
    )
    with pytest.raises(Rejected, match="not whole"):
        bank().take("auszug", bomb)


def test_several_statements_and_archives() -> None:
    two = files.MT940 + files.MT940.replace(b"00012", b"00013").replace(
        b"C261101EUR1000,00", b"C261102EUR1845,90"
    ).replace(b"C261102EUR1845,90\n-", b"C261103EUR2691,80\n-")
    assert [statement.number for statement in read(two)] == ["00012/001", "00013/001"]
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr("a.xml", files.camt())
        archive.writestr("b.sta", files.MT940)
    assert len(read(held.getvalue())) == 2
    with pytest.raises(Rejected, match="unpacked"):
        bank().take("auszug.zip", held.getvalue()[:-30])


def test_an_archive_that_unpacks_to_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.xml", b" " * 200_000)
    monkeypatch.setattr("integration_hub.connectors.bank.MOST_BYTES", 100_000)
    with pytest.raises(Rejected, match="too much"):
        bank().take("auszug.zip", held.getvalue())


@pytest.mark.parametrize("topic", [CAMT, MT940, CSV])
@pytest.mark.parametrize("body", BROKEN_BODIES, ids=range(len(BROKEN_BODIES)))
def test_broken_bytes_are_rejected(body: bytes, topic: str) -> None:
    with pytest.raises(Rejected):
        bank().parse(Delivery(topic, "", body))


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_whatever_is_wrong_inside_is_rejected_or_sound(data: st.DataObject) -> None:
    body, topic = data.draw(st.sampled_from([(param.values[0], param.values[1]) for param in ALL]))
    assert isinstance(body, bytes)
    at = data.draw(st.integers(0, len(body)))
    upto = data.draw(st.integers(at, min(len(body), at + 30)))
    changed = body[:at] + data.draw(st.binary(max_size=12)) + body[upto:]
    with suppress(HubError):
        for report in bank().parse(Delivery(str(topic), "", changed)):
            assert_sound(report)
            assert isinstance(report, StatementReport)
            if report.opening is not None and report.closing is not None:
                assert report.opening + sum(line.amount for line in report.lines) == report.closing


def test_what_cannot_be_read_is_in_no_log(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(Rejected):
        bank().take("auszug", files.MT940.replace(b":61:2611021102C855,80", b":61:Anna Gruen"))
    assert "Anna" not in caplog.text


def test_the_check_says_what_is_taken() -> None:
    assert all(finding.ok for finding in bank().check())
    assert dataclasses.is_dataclass(Bank.Config)
