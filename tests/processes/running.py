"""Starting workers over the test's database, and seeing what they did."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from django.db import connection

from integration_hub.models import InboundEvent, OutboundCommand, PollState
from tests.demo.programs import ROOT, Program, environment

SCRIPT = str(Path(__file__).with_name("hub.py"))


def address() -> str:
    """The test's own database."""
    at = connection.settings_dict
    account = f"{quote(at['USER'])}:{quote(at['PASSWORD'])}"
    return f"postgresql://{account}@localhost/{at['NAME']}?host={quote(at['HOST'], safe='')}&port={at['PORT'] or 5432}"


@dataclass
class Books:
    """What the ERP holds, one line for each time it was told to write."""

    path: Path

    def written(self) -> list[str]:
        return self.path.read_text().split() if self.path.exists() else []

    def doubled(self) -> list[str]:
        held = self.written()
        return sorted({name for name in held if held.count(name) > 1})


def environment_of(folder: Path, books: Books) -> dict[str, str]:
    """The environment of a host with a data folder of its own, over the test's database."""
    given = environment(folder, DATABASE_URL=address(), STANDIN_LEDGER=str(books.path), HUB_WORKERS="1")
    return given | keys() | {"DJANGO_SETTINGS_MODULE": "integration_hub.settings"}


@contextmanager
def worker(folder: Path, books: Books, *, name: str = "worker", **variables: str) -> Iterator[Program]:
    """``manage.py worker`` of a host of its own; nothing of it is left afterwards."""
    given = environment_of(folder / name, books) | variables
    (folder / name).mkdir(exist_ok=True)
    books.path.touch()
    output = folder / f"{name}.log"
    with output.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, SCRIPT, "worker", "--patience", "8"],
            cwd=ROOT,
            env=given,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            start_new_session=True,
        )
    program = Program(process, output, f"HUB_DATA_DIR={given['HUB_DATA_DIR']}")
    try:
        yield program
    finally:
        program.bury()


def until(happened: Callable[[], object], seconds: float, what: str) -> float:
    """Wait for it; the seconds it took."""
    began = time.monotonic()
    while not happened():
        assert time.monotonic() - began < seconds, f"{what} took more than {seconds} s"
        time.sleep(0.1)
    return time.monotonic() - began


def leased() -> int:
    """How many rows anybody holds."""
    held = InboundEvent.objects.filter(state="LEASED").count() + OutboundCommand.objects.filter(state="LEASED").count()
    return held + PollState.objects.exclude(lease_token=None).count()


def keys() -> dict[str, str]:
    """The keys of the test process, so that other processes read what it sealed."""
    return {name: os.environ[name] for name in ("HUB_SECRET_KEY", "HUB_ENCRYPTION_KEYS") if name in os.environ}
