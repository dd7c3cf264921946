"""PostgreSQL for Tryton: the server of TRYTON_PG, or the embedded one with its data in the cache."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

from integration_hub import embedded


class Postgres:
    """Makes and drops databases; ``url(name)`` is what a client connects to."""

    def __init__(self, folder: Path) -> None:
        self._base = urlsplit(os.environ.get("TRYTON_PG") or embedded.start(folder / "pgdata"))

    def url(self, name: str = "") -> str:
        return urlunsplit(self._base._replace(path=f"/{name}"))

    def exists(self, name: str) -> bool:
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            return bool(connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone())

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
