"""JSON at the door: bounded numbers as Decimal, bounded depth, no NaN, no duplicate keys, no characters that PostgreSQL cannot hold.

Nine bytes (``1e2000000``) turned into an int cost minutes of CPU; 5,000 brackets exhaust the stack. So both are
refused here, once, for every connector and endpoint.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import is_dataclass
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, NoReturn

from .errors import Rejected, unreadable

MAX_DIGITS = 28
MAX_EXPONENT = 12
MAX_DEPTH = 60
MAX_AMOUNT = Decimal(10) ** 15  # columns are numeric(19, 4)


def _decimal(text: str) -> Decimal:
    if len(text) > MAX_DIGITS + MAX_EXPONENT:
        raise unreadable("a number has too many digits")
    number = Decimal(text)
    if len(number.as_tuple().digits) > MAX_DIGITS or abs(number.adjusted()) > MAX_DIGITS:
        raise unreadable("a number is out of bounds")
    return number


def _integer(text: str) -> int:
    if len(text) > MAX_DIGITS:
        raise unreadable("a number has too many digits")
    return int(text)


def _constant(name: str) -> NoReturn:
    raise unreadable("%(name)s is not a number", name=name)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise unreadable("a name stands twice in one object")
    return found


def _check(value: Any, depth: int = 0) -> None:
    if depth > MAX_DEPTH:
        raise unreadable("nested too deeply")
    if isinstance(value, str):
        _check_text(value)
    elif isinstance(value, dict):
        for name, item in value.items():
            _check_text(name)
            _check(item, depth + 1)
    elif isinstance(value, list):
        for item in value:
            _check(item, depth + 1)


def _check_text(text: str) -> None:
    if "\x00" in text:
        raise unreadable("a text holds a NUL character")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise unreadable("a text holds half a character") from None


def loads(raw: bytes | str) -> Any:
    """Parse JSON; fractions become Decimal, never float.  Raises Rejected for everything else."""
    try:
        text = raw.decode() if isinstance(raw, bytes) else raw
        value = json.loads(
            text, parse_float=_decimal, parse_int=_integer, parse_constant=_constant, object_pairs_hook=_object
        )
    except (UnicodeDecodeError, json.JSONDecodeError, InvalidOperation) as error:
        raise unreadable("not JSON (%(error)s)", error=error.__class__.__name__) from error
    except RecursionError as error:
        raise unreadable("nested too deeply") from error
    _check(value)
    return value


_FIRST = re.compile(rb'\s*\{\s*"([a-z_]{1,40})"\s*:\s*([1-9][0-9]{0,18})\s*[,}]')


def peek(raw: bytes, name: str) -> str:
    """An identifier at the top of a JSON object, read cheaply and trusted with nothing; empty for anything odd.

    For the webhook door, which only needs to know what a delivery is about; ``loads`` judges the whole later.  Shops put
    the number first, and then nothing more is read.
    """
    first = _FIRST.match(raw)
    if first and first[1] == name.encode():
        return first[2].decode()
    try:
        value = json.loads(raw, object_pairs_hook=_object)[name]
    except (ValueError, LookupError, TypeError, RecursionError, Rejected):
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    text = str(value)
    return text[:120] if text.isprintable() else ""


def load_object(raw: bytes | str) -> dict[str, Any]:
    """Parse JSON that must be an object."""
    value = loads(raw)
    if not isinstance(value, dict):
        raise unreadable("an object was expected")
    return value


class _Encoder(json.JSONEncoder):
    def default(self, o: Any) -> Any:
        if isinstance(o, Decimal):
            return str(o)
        if isinstance(o, datetime | date):
            return o.isoformat()
        if is_dataclass(o):
            return vars(o)
        return super().default(o)


def dumps(value: Any) -> str:
    """JSON with Decimal as strings and messages as objects: what we write to our own columns."""
    return json.dumps(value, cls=_Encoder, ensure_ascii=False, separators=(",", ":"))


def _exact(value: Any) -> str:
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{json.dumps(name)}:{_exact(value[name])}" for name in sorted(value)) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(_exact, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def canonical(value: Any) -> bytes:
    """The same bytes for the same JSON value: sorted names, Decimal as exact JSON numbers.  For digests, poll bodies, requests."""
    return _exact(value).encode()


def money_amount(value: Any, name: str) -> Decimal:
    """An amount from a source field: decimal string, int or Decimal.  Empty is an error, so is a float or NaN."""
    if isinstance(value, (bool, float)) or value is None:
        raise unreadable("%(name)s is not an amount", name=name)
    try:
        number = _decimal(str(value).strip()) if not isinstance(value, Decimal) else value
    except InvalidOperation:
        raise unreadable("%(name)s is not an amount", name=name) from None
    if not number.is_finite():
        raise unreadable("%(name)s is not a finite amount", name=name)
    if abs(number) >= MAX_AMOUNT:
        raise unreadable("%(name)s is out of bounds", name=name)
    return number


def utc(text: str, name: str) -> datetime:
    """A moment from ISO 8601 text; without an offset it is taken as UTC (documented for the `_gmt` fields of WooCommerce)."""
    try:
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        raise unreadable("%(name)s is not a time", name=name) from None


__all__ = ["Rejected", "canonical", "dumps", "load_object", "loads", "money_amount", "utc"]
