"""Bytes and values that make no sense, for the contract suite."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

BROKEN_BODIES = (
    b"",
    b"null",
    b"[]",
    b'"text"',
    b"17",
    b"{",
    b"not json",
    b"\xff\xfe{}",
    b'{"id": NaN}',
    b'{"id": Infinity}',
    b'{"id": 1e2000000}',
    b'{"id": 1e-2000000}',
    b'{"id": ' + b"9" * 5000 + b"}",
    b'{"id": 1, "id": 2}',
    b'{"id": "\\u0000"}',
    b'{"id": "\\ud800"}',
    b'{"id": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    b'{"id": ' + b"[" * 70 + b"]" * 70 + b"}",
)

VALUES: tuple[Any, ...] = (
    None,
    "",
    "0",
    0,
    -1,
    1,
    True,
    False,
    "NaN",
    "-Infinity",
    "1e9999999",
    "1e27",
    10**20,
    10**27,
    0.1,
    1e-9,
    "-0.005",
    "9" * 40,
    "1.000000000000000000000001",
    "1,50",
    "abc",
    "&#0;&lt;b&gt;",
    "🙂" * 3000,
    "0001-01-01T00:00:00+23:59",
    "9999-12-31T23:59:59-23:59",
    "2026-13-01T00:00:00",
    [],
    [None],
    [[]],
    [{}],
    {},
    {"a": [1]},
)


def _paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    names = value.keys() if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for name in names:
        yield (*path, name)
        yield from _paths(value[name], (*path, name))


def _put(value: Any, path: tuple[Any, ...], what: Any) -> None:
    for name in path[:-1]:
        value = value[name]
    value[path[-1]] = what


def _take(value: Any, path: tuple[Any, ...]) -> None:
    for name in path[:-1]:
        value = value[name]
    del value[path[-1]]


@st.composite
def mutations(draw: st.DrawFn, body: Any) -> Any:
    """The body with one to three of its values replaced by nonsense or taken away."""
    changed = copy.deepcopy(body)
    for _ in range(draw(st.integers(1, 3))):
        paths = list(_paths(changed))
        if not paths:
            break
        path = draw(st.sampled_from(paths))
        if draw(st.integers(0, 4)):
            _put(changed, path, copy.deepcopy(draw(st.sampled_from(VALUES))))
        else:
            _take(changed, path)
    return changed
