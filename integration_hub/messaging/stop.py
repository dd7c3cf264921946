"""Whether this process is to stop taking work: asked between rows, so that a stop waits for one row and no more.

The parent of the workers (``manage.py worker``) holds one end of a pipe, all of them inherit the other one.  A byte means
stop; an end without a byte means that the parent was killed.
"""

from __future__ import annotations

import os
import select
import threading

_asked = threading.Event()
_pipe: int | None = None
_parents_end: int | None = None


def ask() -> None:
    """Let the pumps of this process end after the row they are at."""
    _asked.set()


def keep(number: int) -> None:
    """The parent's end of the pipe: its children, forked, close theirs."""
    global _parents_end  # noqa: PLW0603  one per process
    _parents_end = number


def watch(number: int) -> None:
    """In a child: look at this end from now on, and let go of the parent's."""
    global _pipe, _parents_end  # noqa: PLW0603  one per process
    _pipe = number
    if _parents_end is not None:
        os.close(_parents_end)
        _parents_end = None


def asked() -> bool:
    return _asked.is_set() or bool(_seen())


def orphaned() -> bool:
    """The parent is gone without a word."""
    seen = _seen()
    return bool(seen & select.POLLHUP) and not seen & select.POLLIN


def _seen() -> int:
    if _pipe is None:
        return 0
    poll = select.poll()
    poll.register(_pipe, select.POLLIN)
    found = poll.poll(0)
    return found[0][1] if found else 0
