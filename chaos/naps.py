"""A failpoint: a worker falls asleep right after the other system has answered, for longer than its lease.

A SIGSTOP hardly ever hits these milliseconds; here it is certain.  When it wakes up, another worker has taken over and
settled the command, and only the fence keeps the sleeper from settling it once more.
"""

from __future__ import annotations

import functools
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.conf import settings

from integration_hub.connectors import registry

OVERSLEEP = 4.0  # seconds after the end of the lease


def install(rate: float) -> None:
    """Let this share of all successful sends in this process be followed by a nap."""
    for connector in registry().values():
        connector.send = _drowsy(connector.send, rate)  # type: ignore[method-assign]


def taken(folder: Path) -> int:
    """How many naps there were."""
    ledger = folder / "naps"
    return ledger.stat().st_size if ledger.exists() else 0


def _drowsy(send: Callable[..., Any], rate: float) -> Callable[..., Any]:
    @functools.wraps(send)
    def then_nap(*args: Any, **kwargs: Any) -> Any:
        written = send(*args, **kwargs)
        if random.random() < rate:
            with (Path(settings.DATA_DIR) / "naps").open("ab") as ledger:
                ledger.write(b".")
            time.sleep(settings.HUB_COMMAND_LEASE + OVERSLEEP)
        return written

    return then_nap
