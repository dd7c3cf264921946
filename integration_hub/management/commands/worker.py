"""``manage.py worker``: runs django-q2 under a watchdog that sees progress, not self-reported status.

Two clusters: one for what is new, one for backfill, polling and duties, so that the second never delays the first.  Killing
one idle worker of a django-q2 cluster with SIGKILL hangs it silently while its own status stays green (measured).  So the
parent looks at our rows: work is due, nobody holds a lease, no lane has moved for a while: kill and start anew.
"""

from __future__ import annotations

import gc
import logging
import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from multiprocessing import get_context
from multiprocessing.context import ForkProcess
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.db import Error as DatabaseError
from django.db import connection, connections
from django_q.cluster import Cluster as QCluster
from django_q.conf import Conf

from integration_hub.connectors import registry
from integration_hub.messaging import leases, pump, stop, watch
from integration_hub.models import Connection, InboundEvent

logger = logging.getLogger(__name__)

TICK = 0.5
LONGEST_PAUSE = 30.0  # seconds before a cluster that dies again and again is started anew
LOOK_EVERY = 2.0  # seconds between looks for workers that were killed
SETTLED = 60.0  # seconds after which a cluster counts as well


class Cluster:
    """One django-q2 cluster as a session of its own, forked from this process so that it shares its memory."""

    def __init__(self, name: str, pipe: int) -> None:
        self.name, self._pipe = name, pipe
        self._deaths, self._not_before, self._looked_at = 0, 0.0, 0.0
        self.process = self._start()

    def _start(self) -> ForkProcess:
        watch.started(self.name)
        self._started_at, self._owner = time.monotonic(), leases.new_owner()
        connections.close_all()  # nobody may share a connection with its child
        process = get_context("fork").Process(target=_run, args=(self.name, self._owner, self._pipe))
        process.start()
        return process

    def tend(self, patience: float) -> None:
        """Start the cluster anew when it is gone or stands still; one that keeps dying is given time."""
        if self.process.is_alive() and not self._stalled(patience):
            self._bury()
            return
        now = time.monotonic()
        if self._not_before == 0.0:
            self._deaths = 0 if now - self._started_at > SETTLED else self._deaths + 1
            self._not_before = now + min(0.5 * 2**self._deaths, LONGEST_PAUSE)
            logger.warning("cluster %s is gone or stands still; starting it anew", self.name)
            self.kill()
            _quietly(lambda: leases.expire_owner(self._owner))
        if now >= self._not_before:
            self._not_before = 0.0
            self.process = self._start()

    def _bury(self) -> None:
        """Let go of what single workers held that were killed; django-q2 replaces them by itself."""
        now = time.monotonic()
        if now - self._looked_at >= LOOK_EVERY:
            self._looked_at = now
            _quietly(lambda: leases.expire_dead(self._owner))

    def _stalled(self, patience: float) -> bool:
        """Kick what is due; True when kicks lead to nothing.  A database that is away is not the cluster's fault."""
        try:
            return watch.look(self.name, patience)
        except DatabaseError as error:
            logger.warning("the database fails: %s", type(error).__name__)
            connection.close()
            watch.started(self.name)
            return False

    def kill(self) -> None:
        """Kill the whole session: nothing of it can write any more."""
        pid = self.process.pid
        with suppress(ProcessLookupError):
            if pid:
                os.killpg(pid, signal.SIGKILL)
        self.process.kill()  # it may not lead its session yet
        self.process.join()

    def ask_to_end(self) -> None:
        """SIGTERM to the first process only: a signal to the whole group hangs it (measured)."""
        self.process.terminate()

    def end(self, until: float) -> None:
        """Wait for the end that was asked for, then the hard way; what it held is due again."""
        self.process.join(max(0.1, until - time.monotonic()))
        if self.process.is_alive():
            logger.warning("cluster %s did not stop in time", self.name)
        self.kill()
        _quietly(lambda: leases.release_owner(self._owner))


def _run(name: str, owner: str, pipe: int) -> None:
    """The life of a cluster, in its own process: until it is told to end, or its parent is gone."""
    os.setsid()
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    leases.own(owner)
    stop.watch(pipe)
    Conf.CLUSTER_NAME = name
    Conf.WORKERS = settings.Q_CLUSTER.get("ALT_CLUSTERS", {}).get(name, settings.Q_CLUSTER)["workers"]
    cluster = QCluster()
    cluster.start()
    while cluster.sentinel.is_alive():
        cluster.sentinel.join(TICK)
        if stop.orphaned():
            cluster.stop()  # nobody watches it any more


def _quietly(let_go: Callable[[], int]) -> None:
    """Leases that cannot be let go of now run out by themselves."""
    try:
        if rows := let_go():
            logger.warning("%s rows were let go of unfinished", rows)
    except DatabaseError as error:
        logger.warning("leases are left to run out: %s", type(error).__name__)


def _load() -> None:
    """What every child would load for itself, a second's work and ten megabytes each: connectors, database, models."""
    registry()
    with suppress(DatabaseError):  # it may come later
        for lane in pump.LANES:
            pump.is_due(lane)
        Connection.objects.select_related("breaker").first()
        InboundEvent.objects.filter(pk__in=[]).count()


class Command(BaseCommand):
    """Run the workers until SIGTERM or SIGINT."""

    help = "Run the workers (django-q2 under a watchdog)"
    stopping = False

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--patience", type=float, default=30.0, help="seconds without progress before a restart")

    def handle(self, *_args: Any, **options: Any) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        children, ours = os.pipe()
        stop.keep(ours)
        _load()
        gc.collect()
        gc.freeze()  # what is loaded stays as it is, so that the children need no copies of it
        clusters = [Cluster(name, children) for name in pump.CLUSTERS]
        while not self.stopping:
            time.sleep(TICK)
            for cluster in clusters:
                cluster.tend(options["patience"])
        os.write(ours, b"stop")
        self._end(clusters)

    def _stop(self, *_signal: object) -> None:
        self.stopping = True

    def _end(self, clusters: list[Cluster]) -> None:
        """The pumps stop after the row they are at; what is still at it when the grace is over is killed."""
        for cluster in clusters:
            cluster.ask_to_end()
        until = time.monotonic() + settings.HUB_STOP_GRACE
        for cluster in clusters:
            cluster.end(until)
