"""The worker under its watchdog: a child that dies silently stops nothing, and SIGTERM leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
import pytest
from django.conf import settings
from psycopg import sql

from integration_hub.sandbox.app import Sandbox
from tests.stories.full_stack import basket, item

from .programs import ROOT, Program, environment, is_alive, parent, started

PATIENCE = 5
RECOVERED = 60


def address(database: str) -> str:
    """The address of a database on the server that the tests use."""
    at = settings.DATABASES["default"]
    account = f"{quote(at['USER'])}:{quote(at['PASSWORD'])}"
    return f"postgresql://{account}@localhost/{database}?host={quote(at['HOST'], safe='')}&port={at['PORT'] or 5432}"


@contextmanager
def own_database(name: str) -> Iterator[str]:
    """An empty database of this name on the tests' server, gone afterwards; its address."""
    name = f"{name}_{os.getpid()}"
    drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
    make = sql.SQL("CREATE DATABASE {} ENCODING 'UTF8' TEMPLATE template0").format(sql.Identifier(name))
    with psycopg.connect(address("postgres"), autocommit=True) as server:
        server.execute(drop)
        server.execute(make)
        try:
            yield address(name)
        finally:
            server.execute(drop)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(seed=7) as found:
        found.world.turn(odoo_ship_after=0)
        yield found


@pytest.fixture
def given(sandbox: Sandbox, tmp_path: Path) -> Iterator[dict[str, str]]:
    """The environment of a hub with a database of its own, connected to the sandbox."""
    with own_database("hub_worker") as url:
        made = environment(tmp_path, DATABASE_URL=url, HUB_ALLOWED_NETWORKS="127.0.0.0/8", HUB_WORKERS="2")
        made |= {"DJANGO_SETTINGS_MODULE": "integration_hub.settings"}
        for command in (["manage.py", "migrate", "-v0"], ["-m", "tests.demo.given", sandbox.url]):
            subprocess.run([sys.executable, *command], cwd=ROOT, env=made, timeout=120, check=True)
        yield made


def ordered(sandbox: Sandbox, given: dict[str, str], count: int) -> None:
    """Customers order, and it is time to look."""
    for _ in range(count):
        sandbox.woo.shop.place(basket(item("SIEB-01")), announce=False)
    with psycopg.connect(given["DATABASE_URL"]) as hub:
        hub.execute("UPDATE integration_hub_pollstate SET due_at = now()")


def cluster(worker: Program) -> list[int]:
    """The processes of django-q2, in the order in which they were started."""
    return sorted(pid for pid in worker.left() if pid != worker.process.pid and is_alive(pid))


def idle_child(worker: Program) -> int:
    """A worker of the cluster: a process without children, the first that its guard started."""
    found = cluster(worker)
    parents = {parent(pid) for pid in found}
    return next(pid for pid in found if pid not in parents)


def in_hub(given: dict[str, str], question: str) -> Any:
    with psycopg.connect(given["DATABASE_URL"]) as hub:
        row = hub.execute(question).fetchone()
    return row[0] if row else None


def booked(given: dict[str, str]) -> int:
    """The sales that the hub knows to be in the ERP."""
    return int(in_hub(given, "SELECT count(*) FROM orders_sale"))


def test_work_goes_on_after_a_child_was_killed(sandbox: Sandbox, given: dict[str, str], tmp_path: Path) -> None:
    ordered(sandbox, given, 3)
    with started("worker", "--patience", str(PATIENCE), output=tmp_path / "out", given=given) as worker:
        worker.until(lambda: booked(given) == 3, RECOVERED, "the first sales")
        os.kill(idle_child(worker), signal.SIGKILL)
        ordered(sandbox, given, 4)
        worker.until(lambda: booked(given) == 7, RECOVERED, "the sales after the kill")
        for pid in cluster(worker):
            os.kill(pid, signal.SIGKILL)
        ordered(sandbox, given, 2)
        worker.until(lambda: booked(given) == 9, RECOVERED, "the sales after all of them were killed")
        assert "starting it anew" in worker.said()
        assert worker.stop(signal.SIGTERM, 45) == 0
        assert worker.left() == []
    sales = [(row["client_order_ref"], row["state"]) for row in sandbox.world.store.rows("sale.order")]
    assert len(sales) == len(set(sales)) == 9
    assert in_hub(given, "SELECT count(*) FROM exceptions_exceptioncase WHERE kind <> 'webhook_disabled'") == 0
