"""CSV exports of banks, by the column mapping that the connection has saved."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal

from integration_hub.kernel import codec
from integration_hub.kernel.errors import Misconfigured, Rejected, unreadable
from integration_hub.kernel.funds import StatementLine, StatementReport
from integration_hub.kernel.text import say

from ._bank_config import BankConfig
from ._bank_lines import keyed, plain, reference

_PREAMBLE = 40  # lines that may stand above the one that names the columns


def read(body: bytes, config: BankConfig) -> list[StatementReport]:
    """The lines of the file as one statement; balances only where a column states them."""
    if not config.csv_account.strip():
        words = say("The settings do not say which account CSV files are of, so none are taken.")
        raise Misconfigured(words, code="no_csv_account")
    rows = _rows(body, config)
    lines = [_line(row, config) for row in rows]
    balances = [_amount(row, config.csv_balance, config) for row in rows] if config.csv_balance else []
    falling = lines[0].booked_on > lines[-1].booked_on
    if falling:  # newest first, as many banks have it
        lines.reverse()
        balances.reverse()
    currencies = {_currency(row, config) for row in rows}
    if len(currencies) != 1:
        raise unreadable("the file holds several currencies")
    last = max(line.booked_on for line in lines)
    return [
        StatementReport(
            account=config.csv_account.strip()[:60],
            number=f"CSV {last:%Y-%m-%d} {hashlib.sha256(body).hexdigest()[:8]}",
            currency=currencies.pop(),
            opening=balances[0] - lines[0].amount if balances else None,
            closing=balances[-1] if balances else None,
            opened_on=min(line.booked_on for line in lines),
            closed_on=last,
            lines=keyed(lines),
        )
    ]


def _rows(body: bytes, config: BankConfig) -> list[Mapping[str, str]]:
    text = io.StringIO(_decoded(body), newline=None)
    try:
        table = [row for row in csv.reader(text, delimiter=config.csv_delimiter) if any(row)]
    except csv.Error as error:
        raise unreadable("the file is no table") from error
    wanted = [config.csv_booked, *([config.csv_debit, config.csv_credit] if config.csv_debit else [config.csv_amount])]
    wanted += [config.csv_balance] if config.csv_balance else []
    for number, row in enumerate(table[:_PREAMBLE]):
        names = [cell.strip() for cell in row]
        if all(name in names for name in wanted):
            return _under(names, table[number + 1 :])
    words = say("No line of the file names the columns %(columns)s. Does the mapping in the settings fit this file?",
                columns=", ".join(wanted))  # fmt: skip
    raise Rejected(words, code="other_columns")


def _under(names: Sequence[str], table: Sequence[list[str]]) -> list[Mapping[str, str]]:
    for number, row in enumerate(table, 1):
        if len(row) < len([name for name in names if name]):
            raise Rejected(say("Line %(number)s is cut short; is the file whole?", number=number), code="broken_file")
    if not table:
        raise unreadable("the file holds no lines")
    return [dict(zip(names, row, strict=False)) for row in table]


def _decoded(body: bytes) -> str:
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = body.decode("cp1252", "replace")
    if "\x00" in text:
        raise unreadable("the file is no text")
    return text


def _line(row: Mapping[str, str], config: BankConfig) -> StatementLine:
    if config.csv_debit:
        amount = _amount(row, config.csv_credit, config) - abs(_amount(row, config.csv_debit, config))
    else:
        amount = _amount(row, config.csv_amount, config)
    return StatementLine(
        key="",
        booked_on=_day(row, config.csv_booked, config),
        valued_on=_day(row, config.csv_valued, config) if row.get(config.csv_valued) else None,
        amount=amount,
        name=plain(row.get(config.csv_name), 200),
        iban=plain(row.get(config.csv_iban), 40),
        text=plain(" ".join(row.get(name, "") for name in config.csv_text)),
        bank_reference=reference(row.get(config.csv_reference)) if config.csv_reference else "",
    )


def _amount(row: Mapping[str, str], name: str, config: BankConfig) -> Decimal:
    text = "".join(row.get(name, "").split()).replace("\u2212", "-").removesuffix("€").removesuffix("EUR")
    if not text and config.csv_debit:
        return Decimal(0)
    thousands = "." if config.csv_decimal == "," else ","
    text = text.replace(thousands, "").replace("'", "").replace(config.csv_decimal, ".")
    return codec.money_amount(text, name)


def _currency(row: Mapping[str, str], config: BankConfig) -> str:
    return row.get(config.csv_currency, "EUR").strip().upper() or "EUR"


def _day(row: Mapping[str, str], name: str, config: BankConfig) -> date:
    try:
        return datetime.strptime(row.get(name, "").strip(), config.csv_dates).date()  # noqa: DTZ007  a day, no moment
    except ValueError:
        raise unreadable("%(name)s is not a date", name=name) from None
