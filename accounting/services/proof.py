"""The proof of an export: what its files hold, read back byte by byte, beside what the books hold."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db import connection as database

from ..models import ExportFile
from .scope import FROM, Scope

# account and tax key -> number of rows, debit and credit in cents
Sums = dict[tuple[str, str], list[int]]

_COUNT = "SELECT count(*) FROM {source} WHERE {where}"
# with a general reversal DATEV's row bears the side of what it takes back, with a negative amount in effect
_BOOKS = """
SELECT account, tax_key, count(*), sum(debit), sum(credit) FROM (
  SELECT p.account, '' AS tax_key, CASE WHEN {gu} THEN -p.credit ELSE p.debit END AS debit,
    CASE WHEN {gu} THEN -p.debit ELSE p.credit END AS credit FROM {source} WHERE {where}
  UNION ALL
  SELECT p.contra, p.tax_key, CASE WHEN {gu} THEN -p.debit ELSE p.credit END,
    CASE WHEN {gu} THEN -p.credit ELSE p.debit END FROM {source} WHERE {where}) both_sides
GROUP BY 1, 2
"""


@dataclass
class Read:
    """What files hold."""

    rows: int = 0
    size: int = 0
    sums: Sums = field(default_factory=dict)
    behind: int = 8  # fields from the general reversal (118) to the end; they hold no separator

    def as_json(self) -> dict[str, Any]:
        accounts = [
            {"account": account, "tax_key": key, "rows": count, "debit": _euros(debit), "credit": _euros(credit)}
            for (account, key), (count, debit, credit) in sorted(self.sums.items())
        ]
        return {"rows": self.rows, "size": self.size, "accounts": accounts}


def _euros(cents: int) -> str:
    return str(Decimal(cents).scaleb(-2).quantize(Decimal("0.01")))


def rows_of_books(scope: Scope) -> int:
    """How many rows the postings of this scope make."""
    with database.cursor() as cursor:
        cursor.execute(_COUNT.format(source=FROM, where=scope.where()), scope.params())
        return int((cursor.fetchone() or (0,))[0])


def of_books(scope: Scope, general_reversal: bool = True) -> tuple[int, Sums]:
    """Number of rows, and sums by account and tax key, as the postings say."""
    gu = "e.reverses_id IS NOT NULL" if general_reversal else "FALSE"
    rows = rows_of_books(scope)
    with database.cursor() as cursor:
        cursor.execute(_BOOKS.format(source=FROM, where=scope.where(), gu=gu), scope.params())
        found = cursor.fetchall()
    return rows, {(row[0], row[1]): [row[2], _cents(row[3]), _cents(row[4])] for row in found}


def _cents(amount: Decimal) -> int:
    return int(amount.scaleb(2).to_integral_value())


def of_files(files: Iterable[tuple[ExportFile, Iterable[bytes]]]) -> tuple[Read, bool]:
    """What the files hold, and whether each is byte for byte what was written."""
    read, whole = Read(), True
    for file, pieces in files:
        digest, before = hashlib.sha256(), read.size
        for number, line in enumerate(_lines(pieces, digest, read)):
            if number == 1:
                read.behind = line.count(b";") + 1 - 117
            elif number:
                _take(line, read)
        whole = whole and digest.hexdigest() == file.sha256 and read.size - before == file.size
    return read, whole


def _lines(pieces: Iterable[bytes], digest: Any, read: Read) -> Iterator[bytes]:
    """The lines of a file without their CR LF."""
    rest = b""
    for piece in pieces:
        digest.update(piece)
        read.size += len(piece)
        *lines, rest = (rest + piece).split(b"\r\n")
        yield from lines
    if rest:
        yield rest


def _take(line: bytes, read: Read) -> None:
    """Add a row up.  The first ten fields hold no separator, so they can be cut without looking at quotes."""
    fields = line.split(b";", 10)
    # what is in a foreign currency is summed in that of the books
    amount = int((fields[4] or fields[0]).replace(b",", b""))
    back = line.rsplit(b";", read.behind)[1] == b'"1"'
    debit = fields[1] == b'"S"'
    worth = -amount if back else amount
    _add(read.sums, fields[6].decode(), "", worth if debit else 0, 0 if debit else worth)
    _add(read.sums, fields[7].decode(), fields[8].strip(b'"').decode(), 0 if debit else worth, worth if debit else 0)
    read.rows += 1


def _add(sums: Sums, account: str, key: str, debit: int, credit: int) -> None:
    held = sums.setdefault((account, key), [0, 0, 0])
    held[0] += 1
    held[1] += debit
    held[2] += credit


def differences(wanted: Sums, found: Sums) -> list[str]:
    """The accounts whose number of rows or sums differ."""
    return sorted(
        {
            account
            for account, key in wanted.keys() | found.keys()
            if wanted.get((account, key)) != found.get((account, key))
        }
    )
