"""DATEV's format EXTF (version 700), category 21 "Buchungsstapel": header, names, and each row formatted inside the database.

Source: DATEV developer portal, Buchungsstapel versions 12 and 13.  A text is always quoted, an empty number is nothing; decimals
have a comma; lines end in CR LF; the file is Windows-1252.
"""

from __future__ import annotations

import calendar
import csv
import unicodedata
from datetime import date, datetime
from functools import cache
from pathlib import Path

from django.utils import timezone

from ..events import Format
from .choices import Answers

COLUMNS = {Format.V13: 125, Format.V12: 124}
MOST_ROWS = 99_999
LAYOUT = Path(__file__).resolve().parents[1] / "charts" / "buchungsstapel.csv"

# what Windows-1252 holds beyond ASCII; everything else is written as its base letter, or refused
BEYOND = "\u00a0-\u00ff€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ"


@cache
def layout() -> tuple[tuple[str, bool], ...]:
    """Name and whether it is a text, of each of the 125 columns."""
    with LAYOUT.open(encoding="utf-8", newline="") as source:
        return tuple((row["name"], row["quoted"] == "1") for row in csv.DictReader(source, delimiter=";"))


@cache
def _translation() -> tuple[str, str]:
    """Letters that Windows-1252 lacks, and what is written for each."""
    pairs = {"đ": "d", "Đ": "D", "ħ": "h", "Ħ": "H", "ı": "i", "ł": "l", "Ł": "L", "ŧ": "t", "Ŧ": "T", "ẞ": "ß",
             "‐": "-", "‑": "-", "‒": "-", "−": "-", "\u2009": " ", "\u202f": " ", "′": "'"}  # fmt: skip
    for code in (*range(0x100, 0x180), *range(0x200, 0x220), *range(0x1E00, 0x1F00)):
        base = unicodedata.normalize("NFD", chr(code))[0]
        if base.isascii() and not _fits(chr(code)):
            pairs.setdefault(chr(code), base)
    return "".join(pairs), "".join(pairs.values())


def _fits(text: str) -> bool:
    try:
        text.encode("cp1252")
    except UnicodeEncodeError:
        return False
    return True


def ansi(text: str) -> str:
    """The text as the file holds it: letters that Windows-1252 lacks become their base letters."""
    return text.translate(str.maketrans(*_translation()))


def _sql(text: str) -> str:
    return "'" + text.replace("'", "''").replace("%", "%%") + "'"


def sql_ansi(column: str) -> str:
    """The same in the database.  A thousand letters are dear to look up, so Western European texts are left alone."""
    there, here = _translation()
    plain = f"octet_length({column}) = char_length({column}) OR {column} !~ '[^\\x20-\\u00ff]'"
    return f"CASE WHEN {plain} THEN {column} ELSE translate({column}, {_sql(there)}, {_sql(here)}) END"


def first_day(year: int, month: int) -> date:
    return date(year, month, 1)


def last_day(year: int, month: int) -> date:
    return date(year, month, calendar.monthrange(year, month)[1])


def fiscal_begin(year: int, month: int, first_month: int) -> date:
    """The first day of the fiscal year that a month is in."""
    return date(year if month >= first_month else year - 1, first_month, 1)


def header(answers: Answers, *, year: int, month: int, label: str, made_at: datetime) -> str:
    """The first line, 31 fields."""
    at = timezone.localtime(made_at)
    fields = [
        '"EXTF"', "700", "21", '"Buchungsstapel"', str(answers.format), f"{at:%Y%m%d%H%M%S}{at.microsecond // 1000:03d}",
        "", '"IH"', '"IntegrationHub"', '""', str(answers.adviser_number), str(answers.client_number),
        f"{fiscal_begin(year, month, answers.fiscal_month):%Y%m%d}", str(answers.account_length),
        f"{first_day(year, month):%Y%m%d}", f"{last_day(year, month):%Y%m%d}", f'"{label[:30]}"', f'"{answers.initials}"',
        "1", str(answers.purpose), str(int(answers.finalised)), '"EUR"', "", '""', "", "", f'"{answers.chart}"', "", "",
        '""', f'"{f"{month:02d}/{year}"[:16]}"',
    ]  # fmt: skip
    return ";".join(fields)


def names(version: int) -> str:
    """The second line."""
    return ";".join(name for name, _quoted in layout()[: COLUMNS[Format(version)]])


def _number(amount: str, digits: int = 2) -> str:
    return f"translate(round({amount}, {digits})::text, '.', ',')"


def _text(column: str) -> str:
    return f"replace({column}, '\"', '\"\"')"


# the id under which the image of a document is handed over: made of the document's own, so that it is the same everywhere
GUID = "md5('integration-hub:document:' || e.document_id)::uuid::text"


def _fields(answers: Answers) -> dict[int, str]:
    """The SQL of every column that may hold something; texts without their quotes."""
    reversed_ = "e.reverses_id IS NOT NULL" if answers.general_reversal else "FALSE"
    fx = "p.foreign IS NOT NULL"
    fields = {
        1: f"CASE WHEN {fx} THEN {_number('p.foreign')} ELSE {_number('p.debit + p.credit')} END",
        2: f"CASE WHEN (p.debit > 0) <> ({reversed_}) THEN 'S' ELSE 'H' END",
        3: "p.currency",
        4: f"CASE WHEN {fx} THEN {_number('p.exchange', 6)} ELSE '' END",
        5: f"CASE WHEN {fx} THEN {_number('p.debit + p.credit')} ELSE '' END",
        6: f"CASE WHEN {fx} THEN 'EUR' ELSE '' END",
        7: "p.account",
        8: "p.contra",
        9: "p.tax_key",
        10: "to_char(e.booked_on, 'DDMM')",
        11: "p.belegfeld1",
        12: "e.belegfeld2",
        14: _text(sql_ansi("p.text")),
        37: "p.cost_centre",
        40: "p.eu_id",
        41: f"CASE WHEN p.eu_rate > 0 THEN lpad({_number('p.eu_rate * 100')}, 5, '0') ELSE '' END",
        114: f"'{int(answers.finalised)}'",
        118: f"CASE WHEN {reversed_} THEN '1' ELSE '' END",
        123: "CASE WHEN p.tax_key IN ('240', '241') THEN 'DE' ELSE '' END",
    }
    if answers.beleglink:
        fields[20] = f"CASE WHEN e.document_id IS NULL THEN '' ELSE 'BEDI \"\"' || {GUID} || '\"\"' END"
    return fields


def row_sql(answers: Answers) -> str:
    """What ``concat`` makes a whole row of, without its end; what is always empty is a constant."""
    fields, parts, constant = _fields(answers), [], ""
    for place, (_name, quoted) in enumerate(layout()[: COLUMNS[Format(answers.format)]], start=1):
        constant += (";" if place > 1 else "") + ('"' if quoted else "")
        if place in fields:
            parts += [_sql(constant)] if constant else []
            parts.append(f"({fields[place]})")
            constant = ""
        constant += '"' if quoted else ""
    return ", ".join([*parts, _sql(constant)] if constant else parts)
