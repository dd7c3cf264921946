"""Runs GraphQL over plain dicts.

Objects are dicts with a ``__typename``; a value may be a function of the arguments.  A field that an object does not have
is an error, as in the real thing, so that a client's spelling mistakes show.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .graphql_reader import GraphqlError, Selection, Variable, read

__all__ = ["GraphqlError", "Result", "execute", "is_mutation"]


class _Run:
    """One execution."""

    def __init__(self, fragments: Mapping[str, Selection], variables: Mapping[str, Any]) -> None:
        self._fragments = fragments
        self._variables = variables
        self.fields = 0

    def resolve(self, parent: Mapping[str, Any], selections: list[Selection]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for item in selections:
            if not self._wanted(item):
                continue
            if item.name:
                value = self._field(parent, item)
                old = found.get(item.alias)
                found[item.alias] = {**old, **value} if isinstance(old, dict) and isinstance(value, dict) else value
            else:
                found |= self._fragment(parent, item)
        return found

    def _wanted(self, item: Selection) -> bool:
        include = self.filled(item.directives.get("include", {"if": True}))["if"]
        return bool(include) and not self.filled(item.directives.get("skip", {"if": False}))["if"]

    def _fragment(self, parent: Mapping[str, Any], item: Selection) -> dict[str, Any]:
        if item.spread and item.spread not in self._fragments:
            raise GraphqlError(f"Fragment {item.spread} was used, but not defined")
        part = self._fragments[item.spread] if item.spread else item
        fits = part.on in ("*", "Node", parent.get("__typename"))
        return self.resolve(parent, part.selections) if fits else {}

    def _field(self, parent: Mapping[str, Any], item: Selection) -> Any:
        self.fields += 1
        if item.name not in parent:
            raise GraphqlError(
                f"Field '{item.name}' doesn't exist on type '{parent.get('__typename', 'QueryRoot')}'", "undefinedField"
            )
        value = parent[item.name]
        if callable(value):
            value = value(**self.filled(item.arguments), **self._idempotent(item))
        return self._shape(value, item)

    def _idempotent(self, item: Selection) -> dict[str, Any]:
        """The key of Shopify's directive ``@idempotent`` goes to who carries the mutation out."""
        given = self.filled(item.directives.get("idempotent", {}))
        return {"idempotent": given["key"]} if "key" in given else {}

    def _shape(self, value: Any, item: Selection) -> Any:
        if isinstance(value, list):
            return [self._shape(part, item) for part in value]
        if isinstance(value, Mapping):
            if not item.selections:
                raise GraphqlError(f"Field must have selections (field '{item.name}' returns an object)")
            return self.resolve(value, item.selections)
        if item.selections and value is not None:
            raise GraphqlError(f"Selections can't be made on scalars (field '{item.name}')")
        return value

    def filled(self, value: Any) -> Any:
        """A value with its variables replaced; an argument whose variable was not given is left out."""
        if isinstance(value, Variable):
            return self._variables.get(value.name)
        if isinstance(value, dict):
            return {
                name: self.filled(part)
                for name, part in value.items()
                if not (isinstance(part, Variable) and part.name not in self._variables)
            }
        return [self.filled(part) for part in value] if isinstance(value, list) else value


@dataclass(frozen=True)
class Result:
    """What came out, and how many fields it took (the base of the cost)."""

    data: dict[str, Any]
    fields: int


def is_mutation(text: str) -> bool:
    """Whether a document's first operation changes something."""
    return re.match(r"\s*(#[^\n]*\n\s*)*mutation\b", text) is not None


def execute(
    text: str, variables: Mapping[str, Any], operation_name: str, roots: Mapping[str, Mapping[str, Any]]
) -> Result:
    """Run one operation of a document against its root object; raises GraphqlError."""
    operations, fragments = read(text)
    chosen = [item for item in operations if not operation_name or item.name == operation_name]
    if len(chosen) != 1:
        raise GraphqlError("No operation, or more than one and none was named")
    operation = chosen[0]
    missing = [name for name in sorted(operation.required) if variables.get(name) is None]
    if missing:
        raise GraphqlError(f"Variable ${missing[0]} was provided invalid value", "INVALID_VARIABLE")
    if operation.kind not in roots:
        raise GraphqlError(f"Schema is not configured for {operation.kind}s")
    run = _Run(fragments, {**operation.defaults, **variables})
    try:
        return Result(run.resolve(roots[operation.kind], operation.selections), run.fields)
    except TypeError as error:
        raise GraphqlError(f"argument mismatch: {error}", "argumentNotAccepted") from error
