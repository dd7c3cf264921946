"""What django-q2 runs: one task, safe to run twice, lost without loss."""

from __future__ import annotations

import logging
import time

from django.db import Error as DatabaseError
from django.db import InterfaceError, OperationalError
from django.db import connection as database

from . import leases
from . import pump as pumps

logger = logging.getLogger(__name__)

PAUSE = 1.0
WAITS = 10  # pauses until the leases of this process are left to run out by themselves


def pump(lane: str) -> int:
    """Work one lane until it is empty or 20 seconds are over."""
    try:
        return pumps.run(lane)
    except (OperationalError, InterfaceError) as error:
        logger.warning("lane %s: the database fails: %s", lane, type(error).__name__)
        _give_back()
        return 0


def _give_back() -> None:
    """Wait for the database (restarted, or out of space), then let go of what we held, so that nobody waits for it."""
    for _time in range(WAITS):
        time.sleep(PAUSE)
        database.close()
        try:
            leases.release_process()
        except DatabaseError:
            continue
        return
