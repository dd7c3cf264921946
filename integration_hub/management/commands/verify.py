"""``manage.py verify``: prove on the live rows that nothing is lost, double or half done; exits 1 if it is not so."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import translation

from integration_hub.backoffice.invariants import Verdict, all_invariants, judge
from integration_hub.messaging import verification


class Command(BaseCommand):
    """Judge every invariant and list what breaks it."""

    help = "Prove the invariants on the live data; exits 1 and lists what breaks them"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--only", nargs="+", metavar="CODE", default=[], help="judge these invariants only")
        parser.add_argument("--cases", action="store_true", help="open and close the cases too, as every night")

    def handle(self, *_args: Any, only: list[str], cases: bool, **_options: Any) -> None:
        chosen = [one for one in all_invariants() if not only or one.code in only]
        if unknown := set(only) - {one.code for one in chosen}:
            raise CommandError(f"There is no invariant {', '.join(sorted(unknown))}.")
        verdicts = []
        for one in chosen:
            verdict = judge(one)
            self._say(verdict)
            verdicts.append(verdict)
            if cases:
                verification.verify(one.code)
        broken = [verdict for verdict in verdicts if not verdict.kept]
        self.stdout.write(f"{len(verdicts)} invariants, {len(broken)} broken, {sum(v.ms for v in verdicts)} ms")
        if broken:
            sys.exit(1)

    def _say(self, verdict: Verdict) -> None:
        with translation.override("en"):
            title = str(verdict.invariant.title)
        mark = "ok    " if verdict.kept else "BROKEN"
        self.stdout.write(f"{mark} {verdict.invariant.code}: {title} ({verdict.ms} ms)")
        if not verdict.kept:
            more = ", …" if verdict.count > len(verdict.sample) else ""
            self.stdout.write(f"       {verdict.count}: {', '.join(verdict.sample)}{more}")
