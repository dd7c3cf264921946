"""Fixtures over the real ERP; name this module in ``pytest_plugins``."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from .install import Unavailable
from .office import Office
from .server import Erp, running


@pytest.fixture(scope="session")
def real_erp() -> Iterator[Erp]:
    """A running Tryton with a fresh database.  Without network for its installation: skipped, but a failure in CI."""
    with ExitStack() as stack:
        try:
            server = stack.enter_context(running())
        except Unavailable as error:
            if os.environ.get("CI", "").lower() in ("1", "true"):
                pytest.fail(f"The real ERP must run in CI: {error}", pytrace=False)
            pytest.skip(f"No real ERP here: {error}")
        yield server


@pytest.fixture(scope="session")
def office(real_erp: Erp) -> Office:
    """The people who work in the ERP."""
    return Office(real_erp)
