"""What an ERP lets us read of goods must not decide over its sales."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from integration_hub.kernel.errors import Misconfigured, RetryLater

RIGHTS = ("no_right_to_read", "refused_rights")
AGAIN = timedelta(hours=1)


@contextmanager
def apart() -> Iterator[None]:
    """A right that is missing for goods alone is asked for again later and told as a failing poll; sales go on."""
    try:
        yield
    except Misconfigured as error:
        if error.code not in RIGHTS:
            raise
        raise RetryLater(error.text, after=AGAIN, code=error.code, detail=error.detail) from error
