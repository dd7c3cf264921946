"""The dry run: every row that DATEV would refuse, by DATEV's own rules, with the reason, before anything is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection as database
from django.utils.translation import gettext_lazy as _

from ..models import Account
from .choices import Answers
from .extf import BEYOND, fiscal_begin, sql_ansi
from .scope import FROM, Scope

SHOWN = 500

# what DATEV refuses, by the SQL that finds it over ``e`` and ``p``
_CHECKS: Mapping[str, str] = {
    "text_ansi": f"octet_length(p.text) <> char_length(p.text) AND {sql_ansi('p.text')} ~ '[^\\x20-\\x7e{BEYOND}]'",
    "text_long": "char_length(p.text) > 60",
    "text_control": "p.text ~ '[[:cntrl:]]'",
    "belegfeld1": "p.belegfeld1 !~ '^[A-Za-z0-9_$%%/-]*$' OR char_length(p.belegfeld1) > 36",
    "belegfeld2": "e.belegfeld2 !~ '^[A-Za-z0-9_$%%/-]{0,12}$'",
    "outside_year": "e.booked_on < %(begin)s OR e.booked_on >= (%(begin)s::date + interval '1 year')",
    "account_length": "NOT (char_length(p.account) <= %(length)s OR char_length(p.account) = %(length)s + 1 AND"
    " p.account >= '1') OR NOT (char_length(p.contra) <= %(length)s OR char_length(p.contra) = %(length)s + 1 AND"
    " p.contra >= '1')",
    "account_noughts": "p.account ~ '^0*$' OR p.contra ~ '^0*$' OR p.account !~ '^[0-9]+$' OR p.contra !~ '^[0-9]+$'",
    "automatic_key": "p.tax_key NOT IN ('', '40') AND (p.account = ANY(%(automatic)s) OR p.contra = ANY(%(automatic)s))",
    "tax_key": "p.tax_key !~ '^[0-9]{0,4}$'",
    "zero": "round(p.debit + p.credit, 2) = 0 OR round(p.foreign, 2) = 0",
    "too_large": "p.debit + p.credit >= 10000000000",
    "eu_missing": "p.eu_id = '' AND (p.tax_key IN ('11', '240', '241') OR p.contra = ANY(%(with_eu)s))",
    "eu_id": "char_length(p.eu_id) > 15 OR p.eu_id !~ '^[A-Z0-9+*]*$'",
    "cost_centre": "p.cost_centre !~ '^[A-Za-z0-9ÄÖÜäöüß_ ]{0,36}$'",
    "exchange": "p.foreign IS NOT NULL AND (p.exchange IS NULL OR p.exchange < 1 AND p.exchange < 0.000001)",
    "other_chart": "e.chart <> %(chart)s",
}

REASONS: Mapping[str, Any] = {
    "text_ansi": _("The posting text holds characters that Windows-1252 lacks"),
    "text_long": _("The posting text has more than 60 characters"),
    "text_control": _("The posting text holds control characters"),
    "belegfeld1": _("Document field 1 holds characters that are not allowed, or more than 36"),
    "belegfeld2": _("Document field 2 holds characters that are not allowed, or more than 12"),
    "outside_year": _("The date is outside the fiscal year"),
    "account_length": _("An account has the wrong length"),
    "account_noughts": _("An account is no number, or only noughts"),
    "automatic_key": _("An automatic account bears a tax key"),
    "tax_key": _("The tax key is no number of up to four digits"),
    "zero": _("The amount is zero"),
    "too_large": _("The amount has more than ten digits"),
    "eu_missing": _("The EU country or the buyer's VAT id is missing"),
    "eu_id": _("The EU country or VAT id holds characters that are not allowed, or more than 15"),
    "cost_centre": _("The cost centre holds characters that are not allowed, or more than 36"),
    "exchange": _("The exchange rate is missing"),
    "other_chart": _("It was posted by the other chart of accounts"),
}
SETTINGS: Mapping[str, Any] = {
    "adviser": _("The adviser number is missing: DATEV takes 1001 to 9999999."),
    "client": _("The client number is missing: DATEV takes 1 to 99999."),
}

_SUMMARY = """
SELECT count(*), coalesce(sum(p.debit + p.credit), 0),
  count(*) FILTER (WHERE octet_length(p.text) <> char_length(p.text) AND {ansi} <> p.text), {counts}
FROM {source} WHERE {where}
"""
_REFUSED = """
SELECT e.id, p.position, {flags}, p.account, p.contra, p.debit + p.credit, p.text, p.belegfeld1, e.booked_on
FROM {source} WHERE {where} AND ({any}) ORDER BY e.id, p.position LIMIT %(most)s
"""
_ENTRIES = "SELECT e.id, {flags} FROM {source} WHERE {where} AND ({any}) ORDER BY e.id"


@dataclass(frozen=True)
class Refused:
    """A row that DATEV would refuse, and why."""

    entry: int
    reasons: Sequence[Any]
    account: str
    contra: str
    amount: Any
    text: str
    belegfeld1: str
    booked_on: Any


@dataclass(frozen=True)
class Verdict:
    """What a batch would be: rows, turnover, how many texts are written in other letters, what is refused, by reason."""

    rows: int
    turnover: Any
    transliterated: int
    reasons: Sequence[tuple[Any, int]]
    refused: Sequence[Refused]
    settings: Sequence[Any]

    @property
    def is_clean(self) -> bool:
        return not self.reasons and not self.settings


def look(scope: Scope, answers: Answers) -> Verdict:
    """Try a batch out; nothing is written."""
    params = scope.params() | _about(scope, answers)
    counts = ", ".join(f"count(*) FILTER (WHERE {sql})" for sql in _CHECKS.values())
    with database.cursor() as cursor:
        cursor.execute(
            _SUMMARY.format(ansi=sql_ansi("p.text"), counts=counts, source=FROM, where=scope.where()), params
        )
        rows, turnover, other, *found = cursor.fetchone() or (0, 0, 0)
    reasons = [(REASONS[code], count) for code, count in zip(_CHECKS, found, strict=True) if count]
    refused = _refused(scope, params) if reasons else []
    return Verdict(rows, turnover, other, reasons, refused, missing_settings(answers))


def missing_settings(answers: Answers) -> list[Any]:
    """Settings without which DATEV takes no file at all."""
    return [
        *([] if 1001 <= answers.adviser_number <= 9_999_999 else [SETTINGS["adviser"]]),
        *([] if 1 <= answers.client_number <= 99_999 else [SETTINGS["client"]]),
    ]


def _about(scope: Scope, answers: Answers) -> dict[str, Any]:
    accounts = list(Account.objects.filter(chart=answers.chart, flag__in=("AM", "AV")).values_list("number", flat=True))
    return {
        "begin": fiscal_begin(scope.year, scope.month, answers.fiscal_month),
        "length": answers.account_length,
        "automatic": accounts,
        "with_eu": ["8125" if answers.chart == "03" else "4125"],
        "chart": answers.chart,
        "most": SHOWN,
    }


def _flags() -> tuple[str, str]:
    """An array of the reasons that hold, and the condition that any does."""
    flags = ", ".join(f"CASE WHEN {sql} THEN '{code}' END" for code, sql in _CHECKS.items())
    return f"array_remove(ARRAY[{flags}], NULL)", " OR ".join(f"({sql})" for sql in _CHECKS.values())


def _refused(scope: Scope, params: Mapping[str, Any]) -> list[Refused]:
    flags, any_ = _flags()
    with database.cursor() as cursor:
        cursor.execute(_REFUSED.format(flags=flags, source=FROM, where=scope.where(), any=any_), dict(params))
        rows = cursor.fetchall()
    return [Refused(row[0], [REASONS[code] for code in row[2]], *row[3:]) for row in rows]


def refused_entries(scope: Scope, answers: Answers) -> dict[int, list[str]]:
    """Every entry of which DATEV would refuse a row, with the codes of the reasons."""
    flags, any_ = _flags()
    found: dict[int, list[str]] = {}
    with database.cursor() as cursor:
        sql = _ENTRIES.format(flags=flags, source=FROM, where=scope.where(), any=any_)
        cursor.execute(sql, scope.params() | _about(scope, answers))
        for entry, codes in cursor.fetchall():
            found[entry] = sorted({*found.get(entry, []), *codes})
    return found
