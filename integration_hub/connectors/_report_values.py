"""Values in the JSON of the merchant's own systems, read strictly: amounts as text, moments of this century, known words."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import TypeVar

from integration_hub.kernel import fields as read
from integration_hub.kernel.errors import unreadable
from integration_hub.kernel.fields import Object

Word = TypeVar("Word", bound=StrEnum)

EARLIEST, LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
_AMOUNT = re.compile(r"-?[0-9]{1,12}(\.[0-9]{1,4})?", re.ASCII)


def amount(source: Object, name: str) -> Decimal:
    """A decimal string, never a JSON number: a number has been a float somewhere."""
    value = source.get(name)
    if not isinstance(value, str) or not _AMOUNT.fullmatch(value):
        raise unreadable("%(name)s is not an amount as text, like 11.90", name=name)
    return Decimal(value)


def not_negative(source: Object, name: str) -> Decimal:
    value = Decimal(0) if source.get(name) is None else amount(source, name)
    if value < 0:
        raise unreadable("%(name)s is negative", name=name)
    return value


def moment(source: Object, name: str) -> datetime:
    found = read.moment(source, name)
    if found is None or not EARLIEST <= found < LATEST:
        raise unreadable("%(name)s is missing or not of this century", name=name)
    return found


def word(words: type[Word], source: Object, name: str) -> Word:
    try:
        return words(read.words(source, name))
    except ValueError:
        raise unreadable("%(name)s is none of %(words)s", name=name, words=", ".join(words)) from None
