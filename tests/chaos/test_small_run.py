"""A small run under fire with real processes: web, workers, database and the world outside, each with its own trouble."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def folder() -> Iterator[Path]:
    """Not below pytest's own folder: every run of pytest closes that to others, and PostgreSQL refuses to run as root."""
    with tempfile.TemporaryDirectory(prefix="hub-chaos-") as name:
        yield Path(name)


def test_nothing_is_lost_doubled_or_stuck_under_fire(folder: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    command = [sys.executable, "-m", "chaos", "--orders", "30", "--kills", "5", "--seed", "7", "--patience", "180"]
    environment["HUB_CHAOS_DIR"] = str(folder)
    ended = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=360, check=False)
    rows = ended.stdout.splitlines()
    assert (rows[-1:], ended.returncode) == (["lost=0 doubled=0 stuck=0"], 0), ended.stdout + ended.stderr
    assert re.search(r"^kill -9 +5: ", ended.stdout, re.MULTILINE)
    assert re.search(r"^PostgreSQL crashes +1$", ended.stdout, re.MULTILINE)
    assert re.search(r"^orders here +30$", ended.stdout, re.MULTILINE)
