"""What must always be true of the stored rows, as sentences with a query that finds what breaks them.

Each floor states its own in ``invariants.py``; the wiring table puts them in.  A query is one statement, so it sees one
moment of the database, and it is made to be fast at a million rows: sets, no loops, and a bounded sample of ids.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db import connection as database

SAMPLE = 10
COUNTED = 10_000  # more than that are "more than"


@dataclass(frozen=True, kw_only=True)
class Invariant:
    """``sql`` selects one column: what names each row that breaks it.  A callable makes the query when it is asked."""

    code: str
    title: Any
    sql: str | Callable[[], str]
    params: Callable[[], Mapping[str, Any]] = field(default=dict)


@dataclass(frozen=True)
class Verdict:
    """How many rows break an invariant, a few of them by name, and how long it took to see."""

    invariant: Invariant
    count: int
    sample: Sequence[str]
    ms: int

    @property
    def kept(self) -> bool:
        return self.count == 0


_REGISTER: dict[str, Invariant] = {}


def register(invariants: Iterable[Invariant]) -> None:
    """Called once, by the wiring."""
    _REGISTER.update({invariant.code: invariant for invariant in invariants})


def all_invariants() -> list[Invariant]:
    return list(_REGISTER.values())


def invariant_of(code: str) -> Invariant:
    """The invariant of this code; KeyError if nobody states it."""
    return _REGISTER[code]


def judge(invariant: Invariant) -> Verdict:
    """Look whether it holds now."""
    started = time.monotonic()
    sql = invariant.sql if isinstance(invariant.sql, str) else invariant.sql()
    if not sql:
        return Verdict(invariant, 0, (), 0)
    with database.cursor() as cursor:
        cursor.execute(
            f"SELECT broken.name::text FROM ({sql}) AS broken (name) LIMIT {COUNTED + 1}",  # noqa: S608  our own statements
            dict(invariant.params()),
        )
        names = [str(row[0]) for row in cursor.fetchall()]
    ms = round((time.monotonic() - started) * 1000)
    return Verdict(invariant, len(names), tuple(names[:SAMPLE]), ms)


def dangling(table: str, name: str = "p.id", where: str = "TRUE") -> Callable[[], str]:
    """A query for the rows of ``table`` (as ``p``) whose generic ``subject`` is not there."""

    def query() -> str:
        quoted = database.ops.quote_name(table)
        with database.cursor() as cursor:
            cursor.execute(f"SELECT DISTINCT subject_type_id FROM {quoted}")  # noqa: S608  a table of ours
            ids = [row[0] for row in cursor.fetchall()]
        parts = [_dangling(quoted, name, where, kind) for kind in ContentType.objects.filter(pk__in=ids)]
        return " UNION ALL ".join(parts)

    return query


def _dangling(table: str, name: str, where: str, kind: ContentType) -> str:
    model = kind.model_class()
    missing = "TRUE"
    if model is not None:
        there, key = (database.ops.quote_name(part) for part in (model._meta.db_table, str(model._meta.pk.column)))
        missing = f"NOT EXISTS (SELECT 1 FROM {there} t WHERE t.{key} = p.subject_id)"  # noqa: S608  a table of ours
    return f"SELECT {name} FROM {table} p WHERE p.subject_type_id = {kind.pk} AND {where} AND {missing}"  # noqa: S608  a table of ours
