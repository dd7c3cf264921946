"""``manage.py worker``: runs django-q2 under a watchdog that sees progress, not self-reported status.

Killing one idle worker of a django-q2 cluster with SIGKILL hangs it silently while its own status stays green (measured).
So the parent looks at our rows: work is due, nobody holds a lease, no lane has moved for a while: kill and start anew.
"""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import time
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import Error as DatabaseError
from django.db import close_old_connections, connection

from integration_hub.messaging import watch

logger = logging.getLogger(__name__)

TICK = 0.5
GRACE = 40.0  # longer than one pump run, so a stop finishes what is leased


class Command(BaseCommand):
    """Run the workers until SIGTERM or SIGINT."""

    help = "Run the workers (django-q2 under a watchdog)"
    stopping = False

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--patience", type=float, default=30.0, help="seconds without progress before a restart")

    def handle(self, *_args: Any, **options: Any) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        cluster = self._start()
        while not self.stopping:
            time.sleep(TICK)
            if cluster.poll() is not None or self._stalled(options["patience"]):
                logger.warning("the cluster is gone or stands still; starting it anew")
                kill(cluster)
                cluster = self._start()
        end(cluster)

    def _stop(self, *_signal: object) -> None:
        self.stopping = True

    def _start(self) -> subprocess.Popen[bytes]:
        watch.started()
        return subprocess.Popen([sys.executable, sys.argv[0], "qcluster"], start_new_session=True)  # noqa: S603  our own command

    def _stalled(self, patience: float) -> bool:
        """Kick what is due; True when kicks lead to nothing.  A database that is away is not the cluster's fault."""
        try:
            return watch.look(patience)
        except DatabaseError as error:
            logger.warning("the database does not answer: %s", type(error).__name__)
            connection.close()
            close_old_connections()
            watch.started()
            return False


def kill(cluster: subprocess.Popen[bytes]) -> None:
    """Kill the whole session; leases bring back what it held."""
    if cluster.poll() is None or _group_lives(cluster.pid):
        os.killpg(cluster.pid, signal.SIGKILL)
    cluster.wait()


def _group_lives(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def end(cluster: subprocess.Popen[bytes]) -> None:
    """SIGTERM to the main process only (a whole group hangs, measured), then the hard way."""
    cluster.terminate()
    try:
        cluster.wait(GRACE)
    except subprocess.TimeoutExpired:
        logger.warning("the cluster did not stop in time")
    if _group_lives(cluster.pid):
        os.killpg(cluster.pid, signal.SIGKILL)
