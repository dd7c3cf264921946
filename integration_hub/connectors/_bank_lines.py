"""What all formats of statements share: keys by which a line is the same in any file, and sums that must hold."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal

from integration_hub.kernel.errors import Rejected, unreadable
from integration_hub.kernel.funds import StatementLine, StatementReport
from integration_hub.kernel.money import is_currency
from integration_hub.kernel.text import say

MAX_LINES = 200_000
MAX_TEXT = 2000
_NONE = frozenset({"", "NONREF", "NOTPROVIDED", "NOT PROVIDED", "NONE"})


def reference(text: str | None) -> str:
    """A reference, empty for the words that banks write where there is none."""
    found = " ".join((text or "").split())[:60]
    return "" if found.upper() in _NONE else found


def plain(text: str | None, limit: int = MAX_TEXT) -> str:
    """Text without line ends and doubled blanks, cut to ``limit``, without what PostgreSQL cannot keep."""
    return " ".join((text or "").replace("\x00", "").split())[:limit]


def keyed(lines: Iterable[StatementLine]) -> tuple[StatementLine, ...]:
    """The lines under keys made of what they say: the same in every file, counted where two say the same."""
    seen: Counter[str] = Counter()
    found = []
    for line in lines:
        key = _key(line)
        seen[key] += 1
        found.append(replace(line, key=key if seen[key] == 1 else f"{key}-{seen[key]}"))
    if len(found) > MAX_LINES:
        raise unreadable("the statement has more than %(most)s lines", most=MAX_LINES)
    return tuple(found)


def _key(line: StatementLine) -> str:
    amount = line.amount.normalize()
    said = [line.bank_reference] if line.bank_reference else [line.name, line.iban, line.text, line.end_to_end_id]
    text = "\x1f".join([line.booked_on.isoformat(), format(amount, "f"), *said])
    return hashlib.sha256(text.encode()).hexdigest()[:40]


def sound(report: StatementReport, accounts: Iterable[str]) -> StatementReport:
    """The statement, after a look that it is one of ours and that opening and lines make closing."""
    ours = {_bare(account) for account in accounts}
    if ours and _bare(report.account) not in ours:
        words = say("The statement is of the account %(account)s, which this connection does not name.",
                    account=report.account)  # fmt: skip
        raise Rejected(words, code="other_account")
    if not is_currency(report.currency):
        raise unreadable("%(name)s “%(code)s” is not a currency", name="currency", code=report.currency)
    moved = sum((line.amount for line in report.lines), Decimal(0))
    if report.opening is not None and report.closing is not None and report.opening + moved != report.closing:
        raise Rejected(
            say(
                "Statement %(number)s does not add up: %(opening)s and lines of %(moved)s are not %(closing)s. "
                "Nothing of the file was taken.",
                number=report.number, opening=report.opening, moved=moved, closing=report.closing,
            ),
            code="does_not_add_up",
        )  # fmt: skip
    return report


def _bare(account: str) -> str:
    return "".join(account.split()).upper()
