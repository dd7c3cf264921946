"""SWIFT MT940 bank statements, by the library ``mt-940``; what it does not check is checked here."""

from __future__ import annotations

import io
import logging
import re
from datetime import date
from decimal import Decimal
from typing import Any

import mt940
from mt940.models import Transactions

from integration_hub.kernel.errors import Rejected, unreadable
from integration_hub.kernel.funds import StatementLine, StatementReport
from integration_hub.kernel.money import minor_digits
from integration_hub.kernel.text import say

from ._bank_lines import keyed, plain, reference

logging.getLogger("mt940").setLevel(logging.CRITICAL)  # it writes what it cannot read into the log, names and all
START = re.compile(rb"(?m)^\s*:20:")
_OPENINGS = ("final_opening_balance", "intermediate_opening_balance")
_CLOSINGS = ("final_closing_balance", "intermediate_closing_balance")


def read(body: bytes) -> list[StatementReport]:
    """Every statement of the file; Rejected where it is cut short or makes no sense."""
    text = _decoded(body)
    try:
        # a handle: of a plain text the library would look whether a file of that name exists
        found = mt940.parse_statements(io.StringIO(text), options=mt940.Options.all())
    except Exception as error:
        words = say("The file is not whole: a field cannot be read (%(error)s).", error=type(error).__name__)
        raise Rejected(words, code="broken_file") from error
    statements = [_statement(one) for one in found]
    if not statements:
        raise unreadable("the file holds no statement")
    return statements


def _decoded(body: bytes) -> str:
    for encoding in ("utf-8-sig", "cp1252"):
        try:
            return body.decode(encoding)
        except UnicodeDecodeError:
            continue
    return body.decode("latin-1")


def _statement(found: Transactions) -> StatementReport:
    data: dict[str, Any] = found.data
    account = plain(data.get("account_identification"), 60)
    opening, closing = _balance(data, _OPENINGS), _balance(data, _CLOSINGS)
    if not account or opening is None or closing is None:
        raise Rejected(say("The statement has no opening or no closing balance; is it whole?"), code="no_balance")
    currency = str(closing.amount.currency)
    lines = [_line(one.data, currency) for one in found if one.data.get("amount") is not None]
    sequence = [plain(data.get(name), 20) for name in ("statement_number", "sequence_number")]
    return StatementReport(
        account=account,
        number="/".join(one for one in sequence if one) or plain(data.get("transaction_reference"), 60),
        currency=currency,
        opening=_exact(opening.amount.amount, currency),
        closing=_exact(closing.amount.amount, currency),
        opened_on=_day(opening.date),
        closed_on=_day(closing.date),
        lines=keyed(lines),
    )


def _balance(data: dict[str, Any], names: tuple[str, ...]) -> Any:
    return next((data[name] for name in names if data.get(name) is not None), None)


def _line(data: dict[str, Any], currency: str) -> StatementLine:
    said = data.get("purpose") or data.get("transaction_details") or data.get("extra_details")
    further = data.get("additional_purpose")
    booked = data.get("guessed_entry_date") or data.get("entry_date") or data.get("date")
    return StatementLine(
        key="",
        booked_on=_day(booked),
        valued_on=_day(data["date"]) if data.get("date") else None,
        amount=_exact(data["amount"].amount, currency),
        name=plain(" ".join(filter(None, (data.get("applicant_name"), data.get("recipient_name")))), 200),
        iban=plain(data.get("gvc_applicant_iban") or data.get("applicant_iban"), 40),
        text=plain(" ".join(filter(None, (said, further)))),
        end_to_end_id=reference(data.get("end_to_end_reference")),
        bank_reference="",  # what stands behind // is often the same for many lines
        kind=plain(data.get("transaction_code") or data.get("id"), 40),
    )


def _exact(amount: Decimal, currency: str) -> Decimal:
    """The amount with the digits of its currency; one with more is none."""
    try:
        exact = round(amount, minor_digits(currency))
    except ValueError:
        raise unreadable("%(name)s “%(code)s” is not a currency", name="currency", code=currency[:10]) from None
    if exact != amount:
        raise unreadable("%(name)s is not an amount", name="amount")
    return exact


def _day(value: Any) -> date:
    if not isinstance(value, date):
        raise unreadable("%(name)s is not a date", name="date")
    return date(value.year, value.month, value.day)
