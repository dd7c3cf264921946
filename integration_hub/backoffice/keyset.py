"""Pages by key: the same cost on page one and page one thousand, and no count."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest

Row = TypeVar("Row", bound=Model)
SIZE = 50


@dataclass(frozen=True)
class Slice:
    """One page: its rows, the key that the next older page begins below (empty: none), whether newer ones exist."""

    rows: list[Any]
    older: str
    first: bool


def newest(rows: QuerySet[Row], request: HttpRequest, *, moment: str = "", size: int = SIZE) -> Slice:
    """A page of rows, newest first by id, or by ``moment`` and id; ``?before=`` says where it begins."""
    key = request.GET.get("before", "")
    order = ["-pk"] if not moment else [f"-{moment}", "-pk"]
    found = list(rows.filter(_below(key, moment)).order_by(*order)[: size + 1])
    older = _key(found[size - 1], moment) if len(found) > size else ""
    return Slice(found[:size], older, not key)


def _key(row: Model, moment: str) -> str:
    return f"{getattr(row, moment).isoformat()}|{row.pk}" if moment else str(row.pk)


def _below(key: str, moment: str) -> Q:
    """The condition for what comes after the key; a key that makes no sense begins at the top."""
    at, _bar, pk = key.rpartition("|")
    if not (pk.isascii() and pk.isdigit() and len(pk) < 19):
        return Q()
    if not moment:
        return Q(pk__lt=int(pk))
    try:
        parsed = datetime.fromisoformat(at)
    except ValueError:
        return Q()
    if parsed.tzinfo is None:
        return Q()
    # the redundant first half lets the index begin at the right place
    return Q(**{f"{moment}__lte": parsed}) & (Q(**{f"{moment}__lt": parsed}) | Q(pk__lt=int(pk)))
