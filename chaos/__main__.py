"""``python -m chaos``: start a PostgreSQL that may crash, run the harness on it, stop it again."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from .postgres import Postgres

ROOT = Path(__file__).resolve().parent.parent


def main(arguments: list[str]) -> int:
    """The harness's own exit status; 2 when it could not run at all."""
    folder = Path(os.environ.get("HUB_CHAOS_DIR") or ROOT / ".data" / "chaos").resolve()
    folder.mkdir(parents=True, exist_ok=True)
    for stale in ("sandbox", "log"):
        shutil.rmtree(folder / stale, ignore_errors=True)
        (folder / stale).mkdir()
    for ledger in ("naps", "entangled"):
        (folder / ledger).unlink(missing_ok=True)
    postgres = Postgres(folder / "postgres")
    url = postgres.start()
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "chaos.settings",
        "DATABASE_URL": url,
        "HUB_DATA_DIR": str(folder),
        "HUB_ALLOWED_NETWORKS": "127.0.0.0/8",
        "HUB_LOG_LEVEL": "WARNING",
    }
    try:
        return _run([sys.executable, str(ROOT / "manage.py"), "chaos", *arguments], environment)
    finally:
        postgres.stop()


def _run(command: list[str], environment: dict[str, str]) -> int:
    """The command's end; it gets our signals and stops its children itself."""
    child = subprocess.Popen(command, env=environment, cwd=ROOT, start_new_session=True)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: child.terminate())
    return child.wait()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
