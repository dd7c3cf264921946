"""What the hub takes of the machine's memory under load: web, workers of both clusters, watchdog."""

from __future__ import annotations

import sys
from pathlib import Path

import psutil
import pytest

from integration_hub.models import Connection
from orders.models import Sale
from tests import spine, standin
from tests.demo.programs import free_port, started

from .outside import post, ready, web
from .running import SCRIPT, Books, environment_of, until, worker

pytestmark = pytest.mark.django_db(transaction=True)
LIMIT = 400  # megabytes
ORDERS = 60


def resident(pids: list[int]) -> tuple[int, int]:
    """Megabytes: each shared page counted once (PSS), and the plain sum of what each process says (RSS)."""
    pss = rss = 0
    for pid in pids:
        try:
            found = psutil.Process(pid).memory_full_info()
        except psutil.NoSuchProcess:
            continue
        pss, rss = pss + found.pss, rss + found.rss
    return pss // 2**20, rss // 2**20


def test_web_and_workers_stay_small_under_load(
    sold: Connection, books: Books, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    for number in range(1, ORDERS + 1):
        spine.say(sold, standin.order(number))
    (tmp_path / "web").mkdir()
    given = environment_of(tmp_path / "web", books)
    with (
        started(*web(port, workers=2), script=SCRIPT, output=tmp_path / "web.log", given=given) as serving,
        worker(tmp_path, books, HUB_WORKERS="2") as running,
    ):
        until(lambda: ready(address) == 200, 60, "the web")
        for number in range(ORDERS + 1, ORDERS + 21):
            assert post(address, number) == 200
        running.until(lambda: Sale.objects.count() == ORDERS + 20, 120, "all sales")
        parts = {"web": resident(serving.left()), "workers": resident(running.left())}
        total = sum(pss for pss, _rss in parts.values())
        with capsys.disabled():
            sys.stdout.write(f"\nmemory: {parts} (PSS, RSS in MB), together {total} MB\n")
    assert 50 < total < LIMIT
