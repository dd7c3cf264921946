"""End to end: signed webhook, canonical order, ERP write, status back, against targets that answer in five milliseconds.

Web server and workers are the real ones, as processes; the yardstick is a bare view with a threaded pipeline beside it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import psutil
from django.db import connection as database

from benchmarks import intake, load
from benchmarks.bare_rows import BARE_TABLES
from integration_hub.models import Connection, OutboundCommand, ProcessSwitch
from inventory.models import Variant

ROUNDS, ORDERS = 3, int(os.environ.get("E2E_ORDERS", "600"))  # per round and side
FIRST = 50_000_000
ROOT = Path(__file__).parent.parent


@dataclass(frozen=True)
class _Round:
    """One round of one side: orders per second, milliseconds of CPU per order (the database's apart), memory in MiB."""

    rate: float
    cpu: float
    memory: float


def run() -> None:
    """Both sides in turn on the same database, so that the machine's moods hit both; who waits is held still."""
    port = _free_port()
    url = f"http://127.0.0.1:{port}"
    _prepare(url)
    with _process(sys.executable, "-m", "benchmarks.mock", str(port)), _ours() as ours, _bare(url) as bare:
        rounds = [_pair(ours, bare, number) for number in range(ROUNDS + 1)][1:]  # the first warms both up
    _report([mine for mine, _theirs in rounds], [theirs for _mine, theirs in rounds])


def _report(ours: Sequence[_Round], bare: Sequence[_Round]) -> None:
    rate, yardstick = (median(one.rate for one in side) for side in (ours, bare))
    cpu, bare_cpu = (median(one.cpu for one in side) for side in (ours, bare))
    memory = max(one.memory for one in ours)
    ratio = median(mine.rate / theirs.rate for mine, theirs in zip(ours, bare, strict=True))
    each = ", ".join(f"{mine.rate:.0f}:{theirs.rate:.0f}" for mine, theirs in zip(ours, bare, strict=True))
    print(
        f"  end to end: {len(ours)} rounds of {ORDERS} orders, ours {rate:.1f}/s, bare pipeline {yardstick:.1f}/s ({each})"
    )
    print(f"  CPU per order: ours {cpu:.1f} ms, bare pipeline {bare_cpu:.1f} ms, both without the database's")
    print(f"bench end_to_end {rate:.1f} orders/s ratio={ratio:.2f} goal=0.5", flush=True)
    print(f"bench cpu_per_order {cpu:.1f} ms ratio={15 / cpu:.2f} goal=1.0", flush=True)
    print(f"bench memory {memory:.0f} MiB ratio={400 / memory:.2f} goal=1.0", flush=True)


@dataclass(frozen=True)
class _Side:
    """A pipeline: its web server's port, the path of its door, its processes, and how many orders are through."""

    port: int
    path: str
    parents: Sequence[int]
    through: Callable[[], int]

    def processes(self) -> list[psutil.Process]:
        parents = [psutil.Process(pid) for pid in self.parents]
        return parents + [child for parent in parents for child in parent.children(recursive=True)]

    def cpu(self) -> float:
        return sum(sum(one.cpu_times()[:4]) for one in self.processes())

    def memory(self) -> float:
        """Resident memory that is theirs alone or shared once (PSS), in MiB."""
        return sum(one.memory_full_info().pss for one in self.processes()) / 2**20

    @contextmanager
    def held_still(self) -> Iterator[None]:
        processes = self.processes()
        for one in processes:
            one.suspend()
        try:
            yield
        finally:
            for one in processes:
                one.resume()


def _pair(ours: _Side, bare: _Side, number: int) -> tuple[_Round, _Round]:
    with bare.held_still():
        mine = _round(ours, FIRST + number * ORDERS)
    with ours.held_still():
        theirs = _round(bare, FIRST + number * ORDERS)
    return mine, theirs


def _round(side: _Side, first: int) -> _Round:
    requests = [load.request(first + number, side.path) for number in range(ORDERS)]
    before, done = side.cpu(), side.through()
    began = time.perf_counter()
    load.send(side.port, requests)
    memory = side.memory()  # it costs much to look, so only once while it works
    while _until(lambda: side.through() - done >= ORDERS, began):
        pass
    taken = time.perf_counter() - began
    return _Round(ORDERS / taken, (side.cpu() - before) * 1000 / ORDERS, memory)


def _free_port() -> int:
    import socket  # noqa: PLC0415

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _prepare(url: str) -> None:
    Variant.objects.get_or_create(sku="TK-100", defaults={"title": "Teekanne"})
    shop = Connection(kind="bench-shop", slug="strecke", name="Strecke", role="SHOP", config={"url": url})
    shop.set_secrets({"consumer_key": "ck", "consumer_secret": "cs", "webhook_secret": load.SECRET.decode()})
    shop.save()
    erp = Connection.objects.create(kind="bench-erp", slug="ziel", name="Ziel", role="ERP", config={"url": url})
    for process in ("order_to_erp", "status_to_shop"):
        ProcessSwitch.objects.create(channel=shop, process=process, target=erp, since="2020-01-01T00:00:00Z")
    with database.cursor() as cursor:
        cursor.execute("CREATE TABLE IF NOT EXISTS bare_event (id bigserial PRIMARY KEY, topic text, body bytea)")
        cursor.execute(BARE_TABLES)
        cursor.execute("TRUNCATE bare_event, bare_order, bare_line, bare_address, bare_customer, bare_step, bare_out")


@contextmanager
def _ours() -> Iterator[_Side]:
    told = OutboundCommand.objects.filter(verb="shop.accepted", state="DONE")
    with intake.server(intake.OURS) as web, _process(sys.executable, "manage.py", "worker") as worker:
        side = _Side(web.port, "/webhooks/strecke/", (web.pid, worker), told.count)
        _settle(side)
        yield side


def _settle(side: _Side) -> None:
    """Wait until starting up costs nothing any more."""
    time.sleep(5)
    for _try in range(60):
        before = side.cpu()
        time.sleep(1)
        if side.cpu() - before < 0.1:
            return


@contextmanager
def _bare(url: str) -> Iterator[_Side]:
    pipeline = (sys.executable, "-m", "benchmarks.bare_pipeline", url)
    with (
        intake.server("benchmarks.bare:application") as web,
        _process(*pipeline) as one,
        _process(*pipeline) as other,
    ):
        yield _Side(web.port, "/webhooks/laden/", (web.pid, one, other), _told)


def _told() -> int:
    with database.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM bare_step WHERE text = 'told'")
        return int(cursor.fetchone()[0])


def _until(happened: Callable[[], bool], began: float) -> bool:
    if time.perf_counter() - began > 300:
        raise RuntimeError("not all orders went through")
    time.sleep(0.05)
    return not happened()


@contextmanager
def _process(*command: str) -> Iterator[int]:
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "benchmarks.settings",
        "HUB_ALLOWED_NETWORKS": "127.0.0.0/8",
        "HUB_LOG_LEVEL": "ERROR",
        "PYTHONPATH": str(ROOT),
    }
    child = subprocess.Popen(command, env=environment, cwd=ROOT)
    try:
        yield child.pid
    finally:
        child.terminate()
        child.wait(60)
