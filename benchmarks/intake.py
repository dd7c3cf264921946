"""Intake: a signed 3 KB WooCommerce webhook, durable before the answer, against a bare Django view on the same server."""

from __future__ import annotations

import os
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from django.db import connection as database

from benchmarks import load
from integration_hub.models import Connection, InboundEvent

ROUNDS, PER_ROUND, GOAL = 7, 1500, 0.85
OURS = "integration_hub.wsgi:application"


def run() -> None:
    """Alternate between both, so that the machine's moods hit both; the median of the rounds' ratios counts."""
    _prepare()
    with server(OURS) as ours, server("benchmarks.bare:application") as bare:
        number = 1
        rates: list[tuple[float, float]] = []
        for turn in range(ROUNDS + 1):
            requests = [load.request(number + place) for place in range(PER_ROUND)]
            number += PER_ROUND
            pair = (_rate(ours.port, requests), _rate(bare.port, requests))
            rates += [pair] if turn else []  # the first round warms both up
    ratio = statistics.median(mine / theirs for mine, theirs in rates)
    figure = statistics.median(mine for mine, _theirs in rates)
    yardstick = statistics.median(theirs for _mine, theirs in rates)
    assert InboundEvent.objects.count() == number - 1, "not every acknowledged webhook is stored"
    print(f"  intake: ours {figure:.0f}/s, bare view {yardstick:.0f}/s, {len(rates)} rounds of {PER_ROUND}")
    print(f"bench intake {figure:.1f} webhooks/s ratio={ratio:.2f} goal={GOAL}", flush=True)


def _rate(port: int, requests: list[bytes]) -> float:
    rate, counts = load.send(port, requests)
    assert set(counts) == {200}, f"answers: {dict(counts)}"
    return rate


def _prepare() -> None:
    with database.cursor() as cursor:
        cursor.execute("CREATE TABLE bare_event (id bigserial PRIMARY KEY, topic text, body bytea)")
    shop = Connection(kind="woocommerce", slug="laden", name="Laden", role="SHOP", config={"url": "http://127.0.0.1:9"})
    shop.set_secrets({"consumer_key": "ck", "consumer_secret": "cs", "webhook_secret": load.SECRET.decode()})
    shop.save()


@dataclass(frozen=True)
class Server:
    """A running web server."""

    port: int
    pid: int


@contextmanager
def server(application: str) -> Iterator[Server]:
    """Granian with the settings of the demo, on a free port; the hub's own as in production, by ``manage.py web``."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    command = [sys.executable, "manage.py", "web", "--port", str(port)]
    if application != OURS:
        options = ["--interface", "wsgi", "--port", str(port), "--workers", "2", "--blocking-threads", "4", "--no-ws"]
        command = [str(Path(sys.executable).with_name("granian")), *options, application]
    child = subprocess.Popen(
        command,
        cwd=Path(__file__).parent.parent,
        env=os.environ
        | {"PYTHONPATH": str(Path(__file__).parent.parent), "DJANGO_SETTINGS_MODULE": "benchmarks.settings"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait(port)
        yield Server(port, child.pid)
    finally:
        child.terminate()
        child.wait(20)


def _wait(port: int) -> None:
    for _try in range(200):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError("the server did not start")
