"""The enemy: kills, pauses, crashes of the database, outages and moods of the ERP, each at the time the plan says."""

from __future__ import annotations

import signal
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import psutil

from .outside import FAULTS, Outside
from .plan import Step
from .postgres import Postgres
from .services import Service, signalled

NOBODY_HOME = 0.5  # seconds until a victim is looked for again


class Nemesis:
    """Call ``act`` often; ``did`` counts what really struck, ``paused_until`` says how long a pause may still show."""

    def __init__(
        self, steps: Sequence[Step], services: Mapping[str, Service], postgres: Postgres, outside: Outside
    ) -> None:
        self.did: Counter[str] = Counter()
        self.paused_until = 0.0
        self._services = services
        self._postgres = postgres
        self._outside = outside
        self._began = time.monotonic()
        self._steps = list(steps)
        self._later: list[tuple[float, Callable[[], object]]] = []
        self._deeds: dict[str, Callable[[Step], bool]] = {
            "kill": self._kill,
            "pause": self._pause,
            "crash": self._crash,
            "outage": self._outage,
            "mood": self._mood,
        }

    def act(self) -> None:
        """Do what is due."""
        passed = time.monotonic() - self._began
        while self._steps and self._steps[0].at <= passed:
            step = self._steps.pop(0)
            if self._deeds[step.what](step):
                self.did[f"{step.what} {step.whom}".strip()] += 1
            else:
                self._steps = sorted([*self._steps, replace(step, at=passed + NOBODY_HOME)])
        due = [job for at, job in self._later if at <= passed]
        self._later = [(at, job) for at, job in self._later if at > passed]
        for job in due:
            job()

    def over(self) -> bool:
        return not self._steps and not self._later

    def release(self) -> None:
        """End at once whatever would still last."""
        for _at, job in self._later:
            job()
        self._steps, self._later = [], []

    def _kill(self, step: Step) -> bool:
        victims = self._victims(step.whom)
        return bool(victims) and signalled(victims[step.number % len(victims)], signal.SIGKILL)

    def _victims(self, kind: str) -> list[psutil.Process]:
        if kind == "web main":
            return [main for main in [self._services["web"].main()] if main]
        if kind == "web worker":
            return self._services["web"].below()
        workers = [service for name, service in self._services.items() if name.startswith("worker")]
        if kind == "watchdog":
            return [main for service in workers if (main := service.main())]
        mains = [process for service in workers for process in service.children()]
        if kind == "cluster main":
            return mains
        return [process for service in workers for process in service.below() if process not in mains]

    def _pause(self, step: Step) -> bool:
        victims = self._victims(step.whom)
        if not victims:
            return False
        victim = victims[step.number % len(victims)]
        self.paused_until = max(self.paused_until, time.monotonic() + step.seconds + 2)
        self._after(step.seconds, lambda: signalled(victim, signal.SIGCONT))
        return signalled(victim, signal.SIGSTOP)

    def _crash(self, _step: Step) -> bool:
        self._postgres.crash()
        return True

    def _outage(self, step: Step) -> bool:
        self._outside.pull("faults", target=step.whom, error_rate=1)
        usual = FAULTS[step.whom]["error_rate"]
        self._after(step.seconds, lambda: self._outside.pull("faults", target=step.whom, error_rate=usual))
        return True

    def _mood(self, step: Step) -> bool:
        self._outside.pull("faults", target=step.whom, status=step.number)
        return True

    def _after(self, seconds: float, job: Callable[[], object]) -> None:
        self._later.append((time.monotonic() - self._began + seconds, job))
