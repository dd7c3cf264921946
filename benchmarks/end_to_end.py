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
from pathlib import Path

import psutil
from django.db import connection as database

from benchmarks import intake, load
from benchmarks.bare_rows import BARE_TABLES
from integration_hub.models import Connection, OutboundCommand, ProcessSwitch
from inventory.models import Variant

ORDERS = int(os.environ.get("E2E_ORDERS", "600"))
FIRST = 50_000_000
ROOT = Path(__file__).parent.parent


def run() -> None:
    """First ours, then the yardstick, on the same database; CPU without the database's."""
    port = _free_port()
    url = f"http://127.0.0.1:{port}"
    _prepare(url)
    requests = [load.request(FIRST + number, "/webhooks/strecke/") for number in range(ORDERS)]
    with _process(sys.executable, "-m", "benchmarks.mock", str(port)):
        ours, cpu, memory = _ours(requests)
        bare = _bare(url, [load.request(FIRST + number) for number in range(ORDERS)])
    print(f"  end to end: {ORDERS} orders, ours {ours:.1f}/s, bare pipeline {bare:.1f}/s")
    print(f"bench end_to_end {ours:.1f} orders/s ratio={ours / bare:.2f} goal=0.5", flush=True)
    print(f"bench cpu_per_order {cpu:.1f} ms ratio={15 / cpu:.2f} goal=1.0", flush=True)
    print(f"bench memory {memory:.0f} MB ratio={400 / memory:.2f} goal=1.0", flush=True)


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


def _ours(requests: Sequence[bytes]) -> tuple[float, float, float]:
    with intake.server("integration_hub.wsgi:application") as web, _process(sys.executable, "manage.py", "worker"):
        _settle()
        before, memory = _cpu(), 0.0
        began = time.perf_counter()
        load.send(web, requests)
        told = OutboundCommand.objects.filter(verb="shop.accepted", state="DONE")
        while _until(lambda: told.count() >= len(requests), began):
            memory = max(memory, _memory())
        taken = time.perf_counter() - began
        cpu = (_cpu() - before) * 1000 / len(requests)
    return len(requests) / taken, cpu, memory


def _settle() -> None:
    """Wait until starting up costs nothing any more."""
    time.sleep(5)
    for _try in range(60):
        before = _cpu()
        time.sleep(1)
        if _cpu() - before < 0.1:
            return


def _bare(url: str, requests: Sequence[bytes]) -> float:
    pipeline = (sys.executable, "-m", "benchmarks.bare_pipeline", url)
    with intake.server("benchmarks.bare:application") as web, _process(*pipeline), _process(*pipeline):
        time.sleep(2)
        began = time.perf_counter()
        load.send(web, requests)
        while _until(lambda: _told() >= len(requests), began):
            pass
        return len(requests) / (time.perf_counter() - began)


def _told() -> int:
    with database.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM bare_step WHERE text = 'told'")
        return int(cursor.fetchone()[0])


def _until(happened: Callable[[], bool], began: float) -> bool:
    if time.perf_counter() - began > 300:
        raise RuntimeError("not all orders went through")
    time.sleep(0.1)
    return not happened()


def _ours_running() -> list[psutil.Process]:
    """Web server, watchdog, clusters: our children but for the mock."""
    return [
        child
        for child in psutil.Process().children(recursive=True)
        if "benchmarks.mock" not in " ".join(child.cmdline())
    ]


def _cpu() -> float:
    return sum(sum(child.cpu_times()[:4]) for child in _ours_running())


def _memory() -> float:
    """Resident memory that is ours alone or shared once (PSS), in MB."""
    return sum(child.memory_full_info().pss for child in _ours_running()) / 1e6


@contextmanager
def _process(*command: str) -> Iterator[None]:
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "benchmarks.settings",
        "HUB_ALLOWED_NETWORKS": "127.0.0.0/8",
        "HUB_LOG_LEVEL": "ERROR",
        "PYTHONPATH": str(ROOT),
    }
    child = subprocess.Popen(command, env=environment, cwd=ROOT)
    try:
        yield
    finally:
        child.terminate()
        child.wait(60)
