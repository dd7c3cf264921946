"""A bank, by the statement files that somebody uploads: CAMT.053, MT940, CSV; or several of them in a ZIP archive.

A file is taken whole or not at all: what it says is read before it is stored, and read the same way again when it is worked.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Sequence
from typing import ClassVar

from integration_hub.kernel.errors import Rejected, unreadable
from integration_hub.kernel.funds import StatementReport
from integration_hub.kernel.messages import Report
from integration_hub.kernel.text import Text, mark, say

from . import _bank_camt, _bank_csv, _bank_mt940
from ._bank_config import BankConfig
from ._bank_lines import sound
from .base import Capability, Connector, Delivery, Finding, Role

CAMT, MT940, CSV = "statement.camt053", "statement.mt940", "statement.csv"
MOST_FILES = 100
MOST_BYTES = 50 * 1024 * 1024  # of an archive, unpacked


class Bank(Connector):
    """Accounts at one bank."""

    code: ClassVar[str] = "bank"
    label: ClassVar[str] = mark("Bank statements (CAMT, MT940, CSV)")
    roles: ClassVar[frozenset[Role]] = frozenset({Role.BANK})
    capabilities: ClassVar[frozenset[Capability]] = frozenset({Capability.TAKE_FILES})
    cannot: ClassVar[tuple[Text, ...]] = (
        say(
            "The hub does not fetch statements from the bank; you upload them, or your banking program does over the API."
        ),
        say("A CSV file without a column of balances cannot show that a line is missing."),
    )
    Config = BankConfig
    config: BankConfig

    def take(self, name: str, body: bytes) -> Sequence[Delivery]:
        if body.startswith(b"PK\x03\x04"):
            return [found for inner, unpacked in _unpacked(body) for found in self._taken(inner, unpacked)]
        return self._taken(name, body)

    def _taken(self, name: str, body: bytes) -> Sequence[Delivery]:
        topic = _format(body)
        accounts = {report.account for report in self._statements(topic, body)}
        about = accounts.pop() if len(accounts) == 1 else ""
        return (Delivery(topic, about, body, {"name": name[-120:]}),)

    def parse(self, delivery: Delivery) -> Sequence[Report]:
        return self._statements(delivery.topic, delivery.body)

    def _statements(self, topic: str, body: bytes) -> list[StatementReport]:
        if topic == CAMT:
            found = _bank_camt.read(body)
        elif topic == MT940:
            found = _bank_mt940.read(body)
        elif topic == CSV:
            found = _bank_csv.read(body, self.config)
        else:
            raise unreadable("a file of an unknown kind")
        return [sound(one, self.config.accounts) for one in found]

    def check(self) -> Sequence[Finding]:
        taken = Finding(True, say("CAMT.053 and MT940 files are taken as they are."))
        if not self.config.csv_account.strip():
            return (taken, Finding(True, say("CSV files are not taken: no account is named for them.")))
        amount = self.config.csv_debit or self.config.csv_amount
        words = say("CSV files of %(account)s are read by the columns %(columns)s.", account=self.config.csv_account,
                    columns=", ".join((self.config.csv_booked, amount, *self.config.csv_text)))  # fmt: skip
        return (taken, Finding(True, words))


def _format(body: bytes) -> str:
    start = body.removeprefix(b"\xef\xbb\xbf").lstrip()
    if not start:
        raise Rejected(say("The file is empty."), code="empty")
    if start.startswith(b"<"):
        return CAMT
    return MT940 if _bank_mt940.START.search(body[:20_000]) else CSV


def _unpacked(body: bytes) -> list[tuple[str, bytes]]:
    """The files of an archive, as long as there are not too many and they are not too large."""
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            inside = [one for one in archive.infolist() if not one.is_dir()]
            if len(inside) > MOST_FILES or sum(one.file_size for one in inside) > MOST_BYTES:
                raise Rejected(say("The archive holds too much."), code="too_large")
            found = [(one.filename, _bounded(archive, one)) for one in inside]
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, OSError) as error:
        raise Rejected(say("The archive cannot be unpacked; is it whole?"), code="broken_file") from error
    if not found:
        raise Rejected(say("The archive is empty."), code="empty")
    return found


def _bounded(archive: zipfile.ZipFile, one: zipfile.ZipInfo) -> bytes:
    with archive.open(one) as file:
        content = file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise Rejected(say("The archive holds too much."), code="too_large")
    return content
