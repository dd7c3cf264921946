"""``manage.py web``: granian with the application loaded before its processes fork, so that they share its memory.

Started by granian's own command each process loads all for itself, seventy megabytes more (measured).  What must not be
shared is not there yet when they fork: no connection to the database, no thread of ours.
"""

from __future__ import annotations

import gc
import importlib
import multiprocessing
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import connections
from django.urls import get_resolver
from granian.constants import Interfaces
from granian.server import Server

from integration_hub.connectors import registry

TARGET = "integration_hub.wsgi:application"


def _load() -> None:
    """What every process would load for itself: the application, its pages, the connectors."""
    importlib.import_module(TARGET.partition(":")[0])
    registry()
    for found in get_resolver().url_patterns:
        found.check()
    connections.close_all()  # each process and thread opens its own
    gc.collect()
    gc.freeze()  # what is loaded stays as it is, so that the processes need no copies of it


class Command(BaseCommand):
    """Serve until SIGTERM or SIGINT."""

    help = "Run the web server (granian, WSGI)"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--workers", type=int, default=2, help="processes")
        parser.add_argument("--threads", type=int, default=4, help="threads of each process")

    def handle(self, *_args: Any, **options: Any) -> None:
        multiprocessing.set_start_method("fork", force=True)  # spawned processes would share nothing
        _load()
        Server(
            TARGET,
            address=options["host"],
            port=options["port"],
            interface=Interfaces.WSGI,
            workers=options["workers"],
            blocking_threads=options["threads"],
            websockets=False,
            respawn_failed_workers=True,
        ).serve()
