"""Threads with database connections of their own, started at the same moment; processes that die on purpose."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

from django.db import connection, connections

ROOT = Path(__file__).parents[2]
PATIENCE = 60.0


def together(*works: Callable[[], object]) -> None:
    """Run them at once; the first error of any is raised here."""
    start = threading.Barrier(len(works))
    errors: list[BaseException] = []
    threads = [threading.Thread(target=_guarded, args=(work, start, errors)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert not any(thread.is_alive() for thread in threads), "a thread hangs"
    if errors:
        raise errors[0]


def _guarded(work: Callable[[], object], start: threading.Barrier, errors: list[BaseException]) -> None:
    try:
        start.wait(PATIENCE)
        work()
    except BaseException as error:  # noqa: BLE001  raised again in the thread of the test
        errors.append(error)
    finally:
        connections.close_all()


def elsewhere(work: Callable[[], object]) -> None:
    """Run it in another thread and wait: another worker, another database connection."""
    together(work)


def once(work: Callable[[], object]) -> Callable[[], None]:
    """A function that does the work at its first call only."""
    done = threading.Lock()

    def run() -> None:
        if done.acquire(blocking=False):
            work()

    return run


def process(script: str, *arguments: str) -> int:
    """Run a module of this folder in a process of its own on the test's database; its exit status."""
    command = [sys.executable, "-W", "error", "-m", f"tests.concurrency.{script}", *arguments]
    environment = os.environ | {"DATABASE_URL": _url(), "DJANGO_SETTINGS_MODULE": "integration_hub.settings"}
    return subprocess.run(command, cwd=ROOT, env=environment, timeout=PATIENCE, check=False).returncode


def _url() -> str:
    at = connection.settings_dict
    account = f"{quote(at['USER'])}:{quote(at['PASSWORD'])}"
    return f"postgresql://{account}@localhost/{at['NAME']}?host={quote(at['HOST'], safe='')}&port={at['PORT'] or 5432}"
