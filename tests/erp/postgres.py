"""PostgreSQL for Tryton: the server of TRYTON_PG, or the embedded one with its data in the cache."""

from __future__ import annotations

import json
import os
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

from integration_hub import embedded

RUN = "erp_"  # and the process id: the database of one run
HANDLES = ".handle_pids.json"  # whom the embedded server counts as its users; it stops with the last of them


def _alive(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


class Postgres:
    """Makes and drops databases; ``url(name)`` is what a client connects to."""

    def __init__(self, folder: Path) -> None:
        given = os.environ.get("TRYTON_PG", "")
        if not given:
            _forget_the_killed(folder / "pgdata" / HANDLES)
        self._base = urlsplit(given or embedded.start(folder / "pgdata"))
        if not given:
            self._drop_what_the_killed_left()

    def url(self, name: str = "") -> str:
        return urlunsplit(self._base._replace(path=f"/{name}"))

    def names(self) -> list[str]:
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            return [name for (name,) in connection.execute("SELECT datname FROM pg_database").fetchall()]

    def drop(self, name: str) -> None:
        self._run(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def create(self, name: str, template: str = "template0") -> None:
        """A new database instead of any old one of this name."""
        self.drop(name)
        words = "CREATE DATABASE {} ENCODING 'UTF8' TEMPLATE {}"
        self._run(sql.SQL(words).format(sql.Identifier(name), sql.Identifier(template)))

    def _run(self, statement: sql.Composed) -> None:
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(statement)

    def _drop_what_the_killed_left(self) -> None:
        for name in self.names():
            pid = name.removeprefix(RUN)
            if name.startswith(RUN) and pid.isdecimal() and not _alive(int(pid)):
                self.drop(name)


def _forget_the_killed(path: Path) -> None:
    """Processes that were killed could not sign off; for their sake the server would run for ever."""
    if path.exists():
        path.write_text(json.dumps([pid for pid in json.loads(path.read_text() or "[]") if _alive(pid)]))
