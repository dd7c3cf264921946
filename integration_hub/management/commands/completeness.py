"""``manage.py completeness``: compare shops, hub and ERP day by day now, and list where they differ."""

from __future__ import annotations

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from orders import completeness, differences
from orders.tally import DayTally

SIDES = ("there", "here", "expected", "under_way", "erp")


class Command(BaseCommand):
    """Compare the last days and wait for the result."""

    help = "Compare the orders of shops, hub and ERP day by day"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--days", type=int, default=3, help="how many days back, from yesterday on")
        parser.add_argument("--today", action="store_true", help="today too")
        parser.add_argument("--seconds", type=float, default=600.0, help="stop after this time")

    def handle(self, *_args: Any, **options: Any) -> None:
        started = completeness.compare(options["days"], today=options["today"])
        until = time.monotonic() + options["seconds"]
        while time.monotonic() < until and completeness.work():
            pass
        tallies = list(DayTally.objects.select_related("connection").order_by("-day", "connection__name")[:started])
        found = differences.of_days(tallies)
        for tally in tallies:
            sides = ", ".join(f"{name} {side['count']}" for name in SIDES if (side := tally.side(name)))
            self.stdout.write(
                f"{tally.day} {tally.connection.slug}: {sides or 'not compared'}; {tally.differing} differ"
            )
            for row in found.get(tally.pk, []):
                self.stdout.write(f"  {row.what} {row} there={row.there} here={row.here} erp={row.erp}")
