"""Odoo's search domains: prefix notation with implicit "and", dotted paths through many2one."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from .odoo_schema import OdooError, kept_as, kind, related, schema_of
from .store import Record, Store

Leaf = tuple[str, str, Any]


def _like(pattern: bool) -> Callable[[Any, Any], bool]:
    def match(found: Any, wanted: Any) -> bool:
        return str(wanted).lower() in str(found or "").lower() if pattern else str(wanted) in str(found or "")

    return match


def _order(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    def match(found: Any, wanted: Any) -> bool:
        return found not in (None, False, "") and compare(found, wanted)

    return match


def _equal(found: Any, wanted: Any) -> bool:
    return (found or False) == (wanted or False) if wanted in (None, False, "") else bool(found == wanted)


OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "=": _equal,
    "!=": lambda found, wanted: not _equal(found, wanted),
    "in": lambda found, wanted: (found or False) in wanted,
    "not in": lambda found, wanted: (found or False) not in wanted,
    "<": _order(operator.lt),
    "<=": _order(operator.le),
    ">": _order(operator.gt),
    ">=": _order(operator.ge),
    "like": _like(False),
    "ilike": _like(True),
    "=ilike": lambda found, wanted: str(found or "").lower() == str(wanted).lower(),
}


class Search:
    """Finds the records of one model that a domain describes."""

    def __init__(self, store: Store, model: str, version: str) -> None:
        self._store = store
        self._model = model
        self._version = version

    def find(self, domain: list[Any], active_test: bool = True) -> list[Record]:
        """Matching records in order of id; archived ones only where the domain or the context asks for them."""
        schema = schema_of(self._model, self._version)
        names = {term[0] for term in domain if not isinstance(term, str)}
        for name in names:
            self._check(self._model, name.split("."))
        if active_test and "active" in schema and "active" not in names:
            domain = [*domain, ["active", "=", True]]
        return [row for row in self._candidates(domain) if self._matches(row, domain)]

    def _check(self, model: str, path: list[str]) -> None:
        """Odoo refuses an unknown field even where there is nothing to search."""
        of = kind(schema_of(model, self._version), model, path[0])
        if path[1:]:
            self._check(of.model, path[1:])

    def _candidates(self, domain: list[Any]) -> list[Record]:
        """Rows by an index where the domain is a plain "and" with an equality on an indexed field."""
        if not any(term in ("|", "!") for term in domain if isinstance(term, str)):
            for name, compare, wanted in (term for term in domain if not isinstance(term, str)):
                if name == "id" and compare in ("=", "in"):
                    numbers = wanted if compare == "in" else [wanted]
                    return [row for number in sorted(set(numbers)) if (row := self._store.get(self._model, number))]
                if compare in ("=", "in") and self._store.indexed(self._model, name) and wanted:
                    values = dict.fromkeys(wanted if compare == "in" else [wanted])
                    return [row for value in values for row in self._store.where(self._model, name, value)]
        return self._store.rows(self._model)

    def _matches(self, row: Record, domain: list[Any]) -> bool:
        stack: list[bool] = []
        for term in reversed(domain):
            if term == "!":
                stack.append(not stack.pop())
            elif term in ("&", "|"):
                first, second = stack.pop(), stack.pop()
                stack.append(first and second if term == "&" else first or second)
            else:
                stack.append(self._leaf(row, term))
        return all(stack)

    def _leaf(self, row: Record, leaf: Any) -> bool:
        name, compare, wanted = leaf
        if compare not in OPERATORS:
            raise OdooError("builtins.ValueError", f"Invalid operator {compare!r} in domain term {leaf!r}", 500)
        found = self._values(self._model, row, name.split("."))
        return any(OPERATORS[compare](value, wanted) for value in found)

    def _values(self, model: str, row: Record | None, path: list[str]) -> list[Any]:
        if row is None:
            return [False]
        of = kind(schema_of(model, self._version), model, path[0])
        if of.type == "one2many":
            rows = related(self._store, of.model, of.back, row["id"])
            return [value for item in rows for value in self._values(of.model, item, path[1:] or ["id"])] or [False]
        value = kept_as(model, row, path[0], self._version)
        if of.type == "many2one" and len(path) > 1:
            return self._values(of.model, self._store.get(of.model, value or 0), path[1:])
        return list(value) if of.type == "many2many" and value else [value]
