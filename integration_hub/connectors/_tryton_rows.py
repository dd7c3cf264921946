"""Reading Tryton's records: windows by time of change, pages by id, equal bytes for equal content, fields one by one.

``write_date`` is the start of the writing transaction and is empty until the first change, so a window asks for both
dates and overlaps the last one.  A page holds records by ascending id: what changes while pages are read is not lost.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from typing import Any

from integration_hub.kernel import codec
from integration_hub.kernel.errors import unreadable

from ._tryton_rest import Rest, Row, moment
from .base import Delivery

PAGE = 50
BATCH = 1000
DATES = ("create_date", "write_date")
MAX_QUANTITY = 10**9


def changed(since: datetime, *prefixes: str) -> list[Any]:
    """The domain of what changed after this moment, itself or what hangs on it."""
    at = moment(since)
    return ["OR", *([f"{prefix}{name}", ">", at] for prefix in ("", *prefixes) for name in DATES)]


def rows_after(
    rest: Rest, model: str, domain: Sequence[Any], fields: Sequence[str], token: str | None, limit: int
) -> list[Row]:
    """The next records by id, deactivated ones as well, as sent."""
    after = ["id", ">", int(token or 0)]
    return rest.rows(model, [*domain, after], fields, limit=limit, order=[["id", "ASC"]], inactive=True)


def every(rest: Rest, model: str, domain: Sequence[Any], fields: Sequence[str]) -> Iterator[Row]:
    """All records of a domain, however many, as sent."""
    token, full = "0", True
    while full:
        rows = rows_after(rest, model, domain, fields, token, BATCH)
        yield from rows
        token, full = str(rows[-1]["id"]) if rows else token, len(rows) == BATCH


def delivery(topic: str, row: Row) -> Delivery:
    return Delivery(topic, str(row["id"]), codec.canonical(in_order(row)))


def in_order(value: Any) -> Any:
    """Tryton sends some lists in no fixed order; equal content must give equal bytes."""
    if isinstance(value, dict):
        return {name: in_order(item) for name, item in value.items()}
    if isinstance(value, list):
        return sorted(map(in_order, value), key=lambda item: item["id"] if isinstance(item, dict) else 0)
    return value


@contextmanager
def reading(what: str) -> Iterator[None]:
    """Whatever else a record may be, it is Rejected."""
    try:
        yield
    except (KeyError, TypeError, AttributeError, ValueError, ArithmeticError) as error:
        raise unreadable("not a %(what)s of Tryton (%(error)s)", what=what, error=error.__class__.__name__) from error


def number_of(row: Mapping[str, Any]) -> str:
    """The record's id."""
    if type(row["id"]) is not int:
        raise TypeError("id")
    return str(row["id"])


def text(value: Any) -> str:
    """Text of at most a thousand characters; nothing is empty."""
    if value is not None and not isinstance(value, str):
        raise TypeError("text")
    return (value or "")[:1000]


def quantity(value: Any, name: str) -> Decimal:
    """A quantity; Tryton reckons in floats, so what is finer than a ten-thousandth is noise."""
    found = round(codec.money_amount(value, name), 4)
    if abs(found) >= MAX_QUANTITY:
        raise unreadable("%(name)s is out of bounds", name=name)
    return found


def updated(row: Mapping[str, Any]) -> datetime:
    """When the record was last written."""
    at = row["write_date"] or row["create_date"]
    if not isinstance(at, datetime):
        raise TypeError("date")
    return at
