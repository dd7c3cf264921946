"""Doing a transaction again when it lost a race that nobody needs to hear of."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TypeVar

from django.db import OperationalError, transaction
from psycopg.errors import DeadlockDetected, SerializationFailure

from integration_hub.kernel.errors import RetryLater

logger = logging.getLogger(__name__)

T = TypeVar("T")
TRIES = 4
PAUSE = 0.05  # seconds, growing with each try


def lost_a_race(error: Exception) -> bool:
    """PostgreSQL undid this transaction so that another one could go on; the same again will do."""
    return isinstance(error, OperationalError) and isinstance(error.__cause__, DeadlockDetected | SerializationFailure)


def patiently(work: Callable[[], T]) -> T:
    """Run a transaction of its own, a few times if it loses a race; inside another transaction only once."""
    tries = 1 if transaction.get_connection().in_atomic_block else TRIES
    for number in range(1, tries):
        try:
            return work()
        except (OperationalError, RetryLater) as error:
            if not (isinstance(error, RetryLater) or lost_a_race(error)):
                raise
            logger.info("lost a race, try %s: %s", number, type(error).__name__)
            time.sleep(PAUSE * number)
    return work()
