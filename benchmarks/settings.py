"""The hub's settings with the benchmark's two connectors known."""

from __future__ import annotations

from benchmarks import targets
from integration_hub.settings import *  # noqa: F403

KNOWN = (targets.BenchErp, targets.BenchShop)
