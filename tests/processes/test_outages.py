"""The database restarted the hard way, Redis gone, the disk full, tables changed underneath: everything goes on."""

from __future__ import annotations

import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from django.db import connection
from django.test import Client

from chaos.postgres import Postgres
from integration_hub.models import Connection, InboundEvent
from orders.models import Sale
from tests import spine, standin
from tests.demo.programs import ROOT, Program, environment, free_port, started

from .outside import post, ready, web
from .running import SCRIPT, Books, until, worker

pytestmark = pytest.mark.django_db(transaction=True)

_FULL = """
CREATE FUNCTION no_space() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100'; END $$
"""
_GROWING = ("inboundevent", "outboundcommand", "attempt", "activity", "heartbeat")


@contextmanager
def full_disk() -> Iterator[None]:
    """No row can be added to the hub's growing tables, nor a heartbeat written, as where no page can be had."""
    with connection.cursor() as cursor:
        cursor.execute(_FULL)
        for table in _GROWING:
            events = "INSERT OR UPDATE" if table == "heartbeat" else "INSERT"
            cursor.execute(
                f"CREATE TRIGGER no_space BEFORE {events} ON integration_hub_{table} "
                "FOR EACH ROW EXECUTE FUNCTION no_space()"
            )
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP FUNCTION no_space CASCADE")


def test_a_full_disk_turns_messages_away_and_says_so(sold: Connection) -> None:
    with full_disk():
        answer = spine.deliver(standin.order(1))
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "30")
        ready = Client().get("/readyz")
        assert (ready.status_code, ready.json()["checks"]["writable"]) == (503, False)
    assert spine.deliver(standin.order(1)).status_code == 200
    assert Client().get("/readyz").json()["checks"]["writable"] is True
    assert InboundEvent.objects.count() == 1


def test_workers_wait_for_space_and_go_on(sold: Connection, books: Books, tmp_path: Path) -> None:
    for number in range(1, 6):
        spine.say(sold, standin.order(number))
    with worker(tmp_path, books) as running:
        with full_disk():
            running.until(
                lambda: "the database fails: DiskFull" in running.said() or _failing(running), 60, "a failure"
            )
            clusters = set(_clusters(running))
            time.sleep(8)
            assert set(_clusters(running)) == clusters  # no crash loop
            assert running.said().count("\n") < 400
        running.until(lambda: Sale.objects.count() == 5, 60, "the sales")
        assert running.stop(signal.SIGTERM, 20) == 0
    assert books.doubled() == []


def _failing(running: Program) -> bool:
    return "the database fails" in running.said() or "the database was busy" in running.said().lower()


def _clusters(running: Program) -> list[int]:
    """The main processes of the clusters: the children of the parent."""
    children = Path(f"/proc/{running.process.pid}/task/{running.process.pid}/children").read_text()
    return [int(pid) for pid in children.split()]


def test_a_column_is_added_while_workers_run(sold: Connection, books: Books, tmp_path: Path) -> None:
    for number in range(1, 41):
        spine.say(sold, standin.order(number))
    tables = ("orders_order", "integration_hub_inboundevent", "integration_hub_outboundcommand")
    with worker(tmp_path, books) as running:
        running.until(lambda: len(books.written()) > 2, 60, "the first sales")
        try:
            with connection.cursor() as cursor:
                for table in tables:
                    cursor.execute(f"ALTER TABLE {table} ADD COLUMN of_the_next_version integer NOT NULL DEFAULT 0")
            running.until(lambda: Sale.objects.count() == 40, 90, "the rest")
        finally:
            running.stop(signal.SIGTERM, 20)
            with connection.cursor() as cursor:
                for table in tables:
                    cursor.execute(f"ALTER TABLE {table} DROP COLUMN of_the_next_version")
    assert (len(books.written()), books.doubled()) == (40, [])
    assert not InboundEvent.objects.exclude(state="DONE").exists()


@pytest.fixture
def redis() -> tuple[str, list[str]]:
    """A Redis of our own: its address and the command that starts it."""
    binary = shutil.which("redis-server")
    if not binary:
        pytest.skip("there is no redis-server on this machine")
    port = free_port() + 3
    return f"redis://127.0.0.1:{port}/0", [binary, "--port", str(port), "--bind", "127.0.0.1", "--save", ""]


def test_redis_goes_and_comes_back(
    sold: Connection, books: Books, tmp_path: Path, redis: tuple[str, list[str]]
) -> None:
    address, command = redis
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        spine.say(sold, standin.order(1))
        with worker(tmp_path, books, REDIS_URL=address) as running:
            running.until(lambda: Sale.objects.count() == 1, 60, "a sale, kicked over Redis")
            clusters = _clusters(running)
            server.kill()
            server.wait()
            spine.say(sold, standin.order(2))
            time.sleep(5)
            assert _clusters(running) == clusters  # the clusters outlive it
            server = subprocess.Popen(command, stdout=subprocess.DEVNULL)
            running.until(lambda: Sale.objects.count() == 2, 40, "a sale after Redis came back")
            assert running.stop(signal.SIGTERM, 20) == 0
    finally:
        server.kill()
        server.wait()
    assert books.doubled() == []


@pytest.fixture
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Postgres, str]]:
    """A database server of our own, which may crash."""
    folder = tmp_path_factory.mktemp("hub")
    (folder / "log").mkdir()
    server = Postgres(folder / "postgres")
    try:
        yield server, server.start()
    finally:
        server.stop()


@pytest.fixture
def given(postgres: tuple[Postgres, str], tmp_path: Path, books: Books) -> dict[str, str]:
    """The environment of a hub over that server, with forty orders waiting."""
    books.path.touch()
    made = environment(tmp_path, DATABASE_URL=postgres[1], STANDIN_LEDGER=str(books.path), STANDIN_DELAY="0.1")
    made |= {"DJANGO_SETTINGS_MODULE": "integration_hub.settings"}
    for command in ([SCRIPT, "migrate", "-v0"], [SCRIPT, "shell", "-v0", "-c", _WORLD]):
        subprocess.run([sys.executable, *command], cwd=ROOT, env=made, timeout=180, check=True)
    return made


def test_the_database_is_restarted_the_hard_way(
    postgres: tuple[Postgres, str], given: dict[str, str], tmp_path: Path, books: Books
) -> None:
    """Web and workers lose every connection in the middle of work; orders go on, once each."""
    server, url = postgres
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    with (
        started(*web(port), script=SCRIPT, output=tmp_path / "web", given=given),
        started("worker", script=SCRIPT, output=tmp_path / "out", given=given) as running,
    ):
        until(lambda: ready(address) == 200, 60, "the web")
        running.until(lambda: len(books.written()) > 5, 60, "the first sales")
        assert post(address, 41) == 200
        server.crash()
        until(lambda: post(address, 42) == 200, 30, "a message after the restart")
        options = shlex.join(shlex.split((server.folder / "postmaster.opts").read_text())[1:])
        server._control("-m", "immediate", "stop")
        assert (ready(address), post(address, 43)) == (503, 503)
        time.sleep(3)
        assert running.process.poll() is None
        server._control("-o", options, "start")
        until(lambda: ready(address) == 200, 30, "readiness")
        assert post(address, 43) == 200
        running.until(lambda: _count(url) == 43, 120, "all sales")
        assert running.stop(signal.SIGTERM, 20) == 0
        assert running.left()  # the web goes on
    assert (len(books.written()), books.doubled()) == (43, [])


_WORLD = """
from tests.conftest import make_connection, switch_on
from tests import spine, standin
shop, erp = make_connection("standin-shop", "laden", "SHOP"), make_connection("standin-erp", "erp", "ERP")
switch_on(shop, erp)
spine.teapot()
for number in range(1, 41): spine.say(shop, standin.order(number))
"""


def _count(url: str) -> int:
    try:
        with psycopg.connect(url, connect_timeout=3) as hub:
            row = hub.execute("SELECT count(*) FROM orders_sale").fetchone()
    except psycopg.OperationalError:
        return 0
    return int(row[0]) if row else 0
