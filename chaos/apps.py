"""The harness as a Django app: its command, and the hub broken on purpose where HUB_BREAK says so."""

from __future__ import annotations

import os

from django.apps import AppConfig

from . import breaks, naps, witness


class ChaosConfig(AppConfig):
    """No models, one command, a failpoint in the children."""

    name = "chaos"

    def ready(self) -> None:
        if which := os.environ.get("HUB_BREAK"):
            breaks.ON_CODE[which]()
        if "HUB_BREAK" in os.environ:  # one of the hub's processes, not the harness itself
            witness.install()
        if rate := float(os.environ.get("HUB_NAPS") or 0):
            naps.install(rate)
