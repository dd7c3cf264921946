"""Whether this process is to stop taking work: asked between rows, so that a stop waits for one row and no more.

The parent of the workers (``manage.py worker``) holds one end of a pipe, all of them inherit the other one.  A byte means
stop; an end without a byte means that the parent was killed.
"""

from __future__ import annotations

import os
import select
import threading

VARIABLE = "HUB_STOP_PIPE"  # set by the parent for its children only

_asked = threading.Event()


def ask() -> None:
    """Let the pumps of this process end after the row they are at."""
    _asked.set()


def asked() -> bool:
    return _asked.is_set() or bool(_seen())


def orphaned() -> bool:
    """The parent is gone without a word."""
    seen = _seen()
    return bool(seen & select.POLLHUP) and not seen & select.POLLIN


def _seen() -> int:
    number = os.environ.get(VARIABLE)
    if not number:
        return 0
    poll = select.poll()
    poll.register(int(number), select.POLLIN)
    found = poll.poll(0)
    return found[0][1] if found else 0
