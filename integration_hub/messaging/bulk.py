"""Backfill beside what is new: what a backfill sets off is backfill as well, and has lanes and workers of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_bulk: ContextVar[bool] = ContextVar("bulk", default=False)


def is_bulk() -> bool:
    """Whether what is being worked on here comes from a backfill."""
    return _bulk.get()


@contextmanager
def working(bulk: bool) -> Iterator[None]:
    """Commands asked for inside belong to a backfill, or do not."""
    token = _bulk.set(bulk)
    try:
        yield
    finally:
        _bulk.reset(token)


def as_bulk(work: Callable[[], int]) -> Callable[[], int]:
    """The work of a lane whose commands are backfill."""

    def run() -> int:
        with working(True):
            return work()

    return run
