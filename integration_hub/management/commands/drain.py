"""``manage.py drain``: work until nothing is due, then end.  For cron-only installs."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from integration_hub.messaging import pump


class Command(BaseCommand):
    """Poll, take up, process and deliver once."""

    help = "Poll, process and deliver until nothing is due"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--seconds", type=float, default=600.0, help="stop after this time")

    def handle(self, *_args: Any, **options: Any) -> None:
        moved = pump.drain(longest=options["seconds"], lanes=pump.LANES)
        self.stdout.write(f"{moved} moved")
