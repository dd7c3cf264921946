"""A filled hub for the tests of screens."""

from __future__ import annotations

import pytest

from integration_hub.models import Connection
from tests import standin
from tests.dashboards.filled import Filled, fill


@pytest.fixture
def filled(joined: Connection, erp: Connection, world: standin.World) -> Filled:
    return fill(joined, erp, world)
