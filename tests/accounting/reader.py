"""A reader of DATEV's format by its own rules: what the hub writes is checked by what somebody else would expect of it.

It shares nothing with the writer: the rules are those of the developer portal, loosened where DATEV's own sample needs it.
"""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass, field
from datetime import date

TEXTS = frozenset(
    {2, 3, 6, 9, 11, 12, 14, 16, *range(20, 39), 40, 42, *range(48, 88), 91, 95, 96, 98, 102, 103, 105, 107, 109, 110, 112, 118,
     120, 121, 123}
)  # fmt: skip
RULES = {
    1: r"(?!0{1,10},00)\d{1,10}(,\d{2})?", 2: r"[SH]", 3: r"([A-Z]{3})?", 4: r"(\d{1,4},\d{2,6})?",
    5: r"((?!0{1,10},00)\d{1,10},\d{2})?", 6: r"([A-Z]{3})?", 7: r"(?!0+$)\d{1,9}", 8: r"(?!0+$)\d{1,9}", 9: r"\d{0,4}",
    10: r"(0[1-9]|[12]\d|3[01])(0[1-9]|1[0-2])", 11: r"[\w$&%*+\-/]{0,36}", 12: r"[\w$&%*+\-/]{0,36}", 13: r"([1-9]\d{0,7},\d{2})?",
    14: r".{0,60}", 20: r".{0,210}", 37: r"[\w ]{0,36}", 38: r"[\w ]{0,36}", 40: r".{0,15}", 41: r"(\d{2},\d{2})?",
    114: r"[01]?", 118: r"[01G]?", 123: r".{0,15}",
}  # fmt: skip
AUTOMATIC = {
    "03": {"8400", "8401", "8300", "8301", "8125", "8120", "8315", "8310", "8192", "1718", "1711", "3123", "3125", "2406", "2401",
           "8710", "8720"},
    "04": {"4400", "4401", "4300", "4301", "4125", "4120", "4315", "4310", "4184", "3272", "3260", "5923", "5925", "6936", "6931",
           "4710", "4720"},
}  # fmt: skip
HEADER_QUOTED = (1, 4, 8, 9, 10, 17, 18, 22, 24, 27, 30, 31)


@dataclass
class Batch:
    """A file as read: header fields, column names, rows, and what is wrong with it."""

    header: list[str]
    names: list[str]
    rows: list[list[str]]
    findings: list[str] = field(default_factory=list)


def read(raw: bytes, *, encoding: str = "cp1252", end: str = "\r\n") -> Batch:
    """Take a file apart and look at every rule."""
    text = raw.decode(encoding)
    findings = [] if text.endswith(end) else ["the last line has no end"]
    lines = text.removesuffix(end).split(end)
    if end == "\r\n" and any("\r" in line or "\n" in line for line in lines):
        findings.append("a line end inside a line")
    cut = [raw_fields(line) for line in lines]
    batch = Batch(
        [unquoted(one) for one in cut[0]], cut[1], [[unquoted(one) for one in line] for line in cut[2:]], findings
    )
    _header(batch, cut[0])
    for number, line in enumerate(cut[2:], start=1):
        _row(batch, number, line)
    return batch


def raw_fields(line: str) -> list[str]:
    """Fields with their quotes."""
    return re.findall(r'(?:^|;)("(?:[^"]|"")*"|[^;]*)', line) if line else []


def unquoted(one: str) -> str:
    return next(csv.reader(io.StringIO(one), delimiter=";"), [""])[0] if one else ""


def _header(batch: Batch, fields: list[str]) -> None:
    say = batch.findings.append
    if len(fields) != 31:
        say(f"the header has {len(fields)} fields")
        return
    if fields[:4] != ['"EXTF"', "700", "21", '"Buchungsstapel"'] or fields[4] not in ("12", "13"):
        say("the header is none of a Buchungsstapel")
    for place, value in enumerate(fields, start=1):
        if (place in HEADER_QUOTED) != value.startswith('"') and value:
            say(f"header field {place} is quoted wrongly")
    for place, rule in {6: r"\d{17}", 11: r"\d{4,7}", 12: r"\d{1,5}", 13: r"\d{8}", 14: r"[4-8]", 15: r"\d{8}", 16: r"\d{8}",
                        21: r"[01]", 27: r'"\d{2}"', 17: r'"[\w.\-/ ]{0,30}"', 9: r'"\w{0,25}"', 31: r'".{0,16}"'}.items():  # fmt: skip
        if not re.fullmatch(rule, fields[place - 1]):
            say(f"header field {place} is {fields[place - 1]}")
    wanted = {"13": 125, "12": 124}.get(fields[4], 0)
    if len(batch.names) != wanted:
        say(f"{len(batch.names)} names of columns")


def _row(batch: Batch, number: int, fields: list[str]) -> None:
    say = batch.findings.append
    if len(fields) != len(batch.names):
        say(f"row {number} has {len(fields)} fields")
        return
    for place, value in enumerate(fields, start=1):
        if (place in TEXTS) != value.startswith('"') and not (place not in TEXTS and value in ("", '""')):
            say(f"row {number}, field {place}: quoted wrongly")
        if place in RULES and not re.fullmatch(RULES[place], unquoted(value)):
            say(f"row {number}, field {place}: {value}")
    _meaning(batch, number, [unquoted(one) for one in fields])


def _meaning(batch: Batch, number: int, fields: list[str]) -> None:
    say, length = batch.findings.append, int(batch.header[13])
    chart = batch.header[26]
    for account in (fields[6], fields[7]):
        if len(account) > length + 1:
            say(f"row {number}: account {account} is too long")
    if fields[8] not in ("", "40") and {fields[6], fields[7]} & AUTOMATIC.get(chart, set()):
        say(f"row {number}: key {fields[8]} on an automatic account")
    if fields[8] in ("240", "241") and not (fields[39] and fields[40]):
        say(f"row {number}: EU country or rate is missing")
    day = _day(batch, fields[9])
    if day is None or not batch.header[14] <= f"{day:%Y%m%d}" <= batch.header[15]:
        say(f"row {number}: {fields[9]} is outside of the batch")
    if len({row[113] for row in batch.rows}) > 1 or fields[113] != batch.header[20]:
        say(f"row {number}: Festschreibung differs")


def _day(batch: Batch, told: str) -> date | None:
    """The day of a row: its year is that of the fiscal year that begins in the header."""
    begin = date(int(batch.header[12][:4]), int(batch.header[12][4:6]), int(batch.header[12][6:]))
    for year in (begin.year, begin.year + 1):
        day = date(year, int(told[2:]), int(told[:2]))
        if day >= begin:
            return day
    return None
