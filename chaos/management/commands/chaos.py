"""``make chaos``: run the hub under fire and compare all books in the end."""

from __future__ import annotations

import os
import signal
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from chaos import breaks, plan, report, run


class Command(BaseCommand):
    """Exit status 0 only if nothing was lost, doubled or stuck and every invariant holds."""

    help = "Run the hub under fire (started by python -m chaos)"
    stopping = False

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--orders", type=int, default=400)
        parser.add_argument("--kills", type=int, default=30)
        parser.add_argument("--seed", type=int, default=7)
        parser.add_argument("--pauses", type=int, default=None, help="default: a fifth of the kills")
        parser.add_argument("--naps", type=float, default=0.005, help="share of sends after which a worker oversleeps")
        parser.add_argument("--workers", type=int, default=2, help="how many manage.py worker")
        parser.add_argument(
            "--patience", type=float, default=300.0, help="seconds to come to rest after the last fault"
        )
        parser.add_argument("--break", dest="broken", choices=sorted(breaks.ON_CODE), default="", help="break the hub")

    def handle(self, *_args: Any, **options: Any) -> None:
        if os.environ.get("DJANGO_SETTINGS_MODULE") != "chaos.settings":
            raise CommandError("start it with: python -m chaos")
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._stop)
        drawn = plan.draw(options["orders"], options["kills"], options["seed"], options["pauses"])
        self._say(f"chaos: {options['orders']} orders, {options['kills']} kills, seed {options['seed']}")
        stage = run.Stage(options["seed"], options["workers"], options["broken"], options["naps"], self._say)
        try:
            stage.build()
            self._say(f"  the hub stands at {stage.hub}; {drawn.window:.0f} s of fire begin")
            found, judged = run.perform(stage, drawn, options["patience"], lambda: self.stopping)
        finally:
            stage.close()
        for line in report.lines(found, judged):
            self._say(line)
        sys.exit(0 if judged.holds and not self.stopping else 1)

    def _stop(self, *_signal: object) -> None:
        self.stopping = True

    def _say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()
