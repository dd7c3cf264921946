"""What changed between two payloads, as paths with the value before and after."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

MOST = 50


def differences(old: Any, new: Any) -> list[tuple[str, str, str]]:
    """The first fifty places where two JSON values differ: path, before, after; empty text for what is not there."""
    before, after = dict(_flat("", old)), dict(_flat("", new))
    paths = [path for path in before | after if before.get(path) != after.get(path)]
    return [(path, before.get(path, ""), after.get(path, "")) for path in paths[:MOST]]


def _flat(path: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict) and value:
        for name, item in value.items():
            yield from _flat(f"{path}.{name}" if path else str(name), item)
    elif isinstance(value, list) and value:
        for place, item in enumerate(value, start=1):
            yield from _flat(f"{path}[{place}]", item)
    else:
        yield path, "" if value is None else str(value)
