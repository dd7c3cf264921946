"""Reading the fields of a JSON object from outside: typed, bounded, or Rejected with the field's name.

Shops write numbers as strings and strings as numbers, and ``""``, ``null`` or ``[]`` where there is nothing; all of
that is read.  A list where an amount belongs, or an object where a word belongs, is not.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from . import codec
from .errors import unreadable
from .messages import ReportedLine
from .money import is_currency

Object = Mapping[str, Any]

MAX_ID = 100
MAX_WORDS = 500
MAX_LIST = 2000
MAX_QUANTITY = 10**9
MAX_EPOCH = 10**11

_YES = frozenset({"1", "true", "yes"})
_NO = frozenset({"0", "false", "no", ""})
_COUNTRY = re.compile(r"[A-Z]{2}")


def words(source: Object, name: str, limit: int = MAX_WORDS) -> str:
    """Free text, trimmed and cut to ``limit`` characters; empty where there is none."""
    value = source.get(name)
    if value is None or value is False:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise unreadable("%(name)s is not a text", name=name)
    return str(value).strip()[:limit]


def identifier(source: Object, name: str, *, required: bool = True) -> str:
    """An id or number as text.  Empty, null and 0 mean none; too long is Rejected, never cut."""
    text = words(source, name, MAX_ID + 1)
    if len(text) > MAX_ID:
        raise unreadable("%(name)s is too long", name=name)
    if text not in ("", "0"):
        return text
    if required:
        raise unreadable("%(name)s is missing", name=name)
    return ""


def amount(source: Object, name: str, default: Decimal | None = None) -> Decimal:
    """An amount from a number or a decimal string; empty or missing gives ``default``, and without one is Rejected."""
    value = source.get(name)
    if default is not None and (value is None or value == ""):
        return default
    return codec.money_amount(value, name)


def quantity(source: Object, name: str) -> Decimal:
    """A number of pieces: below a billion and not finer than a ten-thousandth."""
    number = amount(source, name)
    if abs(number) >= MAX_QUANTITY or round(number, 4) != number:
        raise unreadable("%(name)s is out of bounds", name=name)
    return number


def flag(source: Object, name: str) -> bool:
    """A yes or no; missing or null means no."""
    value = source.get(name)
    text = "" if value is None else str(value).lower()
    if isinstance(value, list | dict) or text not in _YES | _NO:
        raise unreadable("%(name)s is neither yes nor no", name=name)
    return text in _YES


def child(source: Object, name: str) -> Object:
    """An object inside; null, missing and PHP's empty ``[]`` give an empty one."""
    value = source.get(name)
    if value is None or value in ("", []):
        return {}
    if not isinstance(value, dict):
        raise unreadable("%(name)s is not an object", name=name)
    return value


def children(source: Object, name: str) -> list[Object]:
    """A list of objects inside; null, missing and an empty object or text give an empty one.

    PHP writes a list with gaps as an object whose names are numbers; that is a list, too.
    """
    value = source.get(name)
    if value is None or value in ("", {}):
        return []
    if isinstance(value, dict) and all(key.isdigit() for key in value):
        value = list(value.values())
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise unreadable("%(name)s is not a list of objects", name=name)
    if len(value) > MAX_LIST:
        raise unreadable("%(name)s is too long a list", name=name)
    return value


def texts(source: Object, name: str) -> list[str]:
    """A list of words inside; what is null or missing is left out."""
    value = source.get(name)
    if value is None or value == "":
        return []
    if not isinstance(value, list) or len(value) > MAX_LIST or not all(isinstance(item, str) for item in value):
        raise unreadable("%(name)s is not a list of texts", name=name)
    return [item.strip()[:MAX_WORDS] for item in value if item.strip()]


def moment(source: Object, name: str) -> datetime | None:
    """A moment in UTC (without an offset it is taken as UTC), None where there is none."""
    value = source.get(name)
    if value is None or value == "":
        return None
    return codec.utc(value, name)


def currency(source: Object, name: str) -> str:
    """An ISO 4217 code in upper case."""
    code = words(source, name).upper()
    if not is_currency(code):
        raise unreadable("%(name)s “%(code)s” is not a currency", name=name, code=code)
    return code


def country(source: Object, name: str) -> str:
    """An ISO 3166-1 alpha-2 code in upper case; anything else counts as none."""
    code = words(source, name).upper()
    return code if _COUNTRY.fullmatch(code) else ""


def epoch(source: Object, name: str) -> datetime | None:
    """A moment from whole seconds since 1970, None where there is none."""
    value = source.get(name)
    if value in (None, "", 0):
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value < MAX_EPOCH:
        raise unreadable("%(name)s is not a time", name=name)
    return datetime.fromtimestamp(value, UTC)


def sound_settlement(gross: Decimal, fees: Decimal, net: Decimal, what: str) -> None:
    """Gross less fees is net, to the last digit; a provider that says otherwise is not believed."""
    if gross - fees != net:
        raise unreadable(
            "the figures of %(what)s do not add up: %(gross)s less fees of %(fees)s is not %(net)s",
            what=what, gross=gross, fees=fees, net=net,
        )  # fmt: skip


def sound_lines(lines: Iterable[ReportedLine]) -> tuple[ReportedLine, ...]:
    """The lines of an order, after a look that their ids differ and that no product of theirs is out of bounds."""
    found = tuple(lines)
    if len({line.external_id for line in found}) != len(found):
        raise unreadable("two lines have the same id")
    for line in found:
        for value in (line.unit_price, line.discount, line.net, line.tax, line.gross):
            codec.money_amount(value, f"an amount of line {line.external_id}")
    return found
