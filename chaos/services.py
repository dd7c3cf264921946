"""The hub's processes as services: started, watched and started anew as systemd would, and killed on purpose."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import psutil

MARK = "HUB_CHAOS_SERVICE"
PATIENT = 0.5  # seconds before a dead service is started anew


class Service:
    """One service: a main process and whatever it started.  A dead main takes the rest with it, as its cgroup would."""

    def __init__(self, name: str, command: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
        self.name = name
        self.mark = f"{os.getpid()}-{name}"
        self.starts = 0
        self._command = command
        self._environment = {**os.environ, **environment, MARK: self.mark}
        self._log = log
        self._died_at = 0.0
        self._main: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self._log.open("ab") as log:
            self._main = subprocess.Popen(
                self._command, stdout=log, stderr=log, env=self._environment, start_new_session=True
            )
        self.starts += 1
        self._died_at = 0.0

    def tend(self) -> None:
        """Start it anew a moment after it has died, once nothing is left of it."""
        if self._main is None or self._main.poll() is None:
            return
        if not self._died_at:
            self._died_at = time.monotonic()
            self._sweep()
        elif time.monotonic() - self._died_at > PATIENT:
            self.start()

    def stop(self, patience: float) -> bool:
        """SIGTERM to the main process, as systemd with KillMode=mixed; whether it ended in time."""
        if self._main is None:
            return True
        self._main.terminate()
        try:
            self._main.wait(patience)
        except subprocess.TimeoutExpired:
            self._main.kill()
            self._main.wait()
            return False
        finally:
            self._sweep()
            self._main = None
        return True

    def main(self) -> psutil.Process | None:
        return _process(self._main.pid) if self._main and self._main.poll() is None else None

    def children(self, *, all_of_them: bool = False) -> list[psutil.Process]:
        """What the main process started; with ``all_of_them`` also what those started."""
        main = self.main()
        try:
            return main.children(recursive=all_of_them) if main else []
        except psutil.NoSuchProcess:
            return []

    def below(self) -> list[psutil.Process]:
        """All living descendants."""
        return self.children(all_of_them=True)

    def _sweep(self) -> None:
        """Kill every process that carries our mark, orphans too."""
        for process in marked(self.mark):
            signalled(process, signal.SIGKILL)


class Ledger:
    """CPU seconds of all processes ever seen, also of those that were killed; call ``look`` often."""

    def __init__(self) -> None:
        self._seen: dict[tuple[str, int, float], float] = {}

    def look(self, group: str, processes: Sequence[psutil.Process]) -> None:
        for process in processes:
            try:
                with process.oneshot():
                    times = process.cpu_times()
                    key = (group, process.pid, process.create_time())
            except psutil.Error:
                continue
            self._seen[key] = max(self._seen.get(key, 0.0), times.user + times.system)

    def seconds(self) -> dict[str, float]:
        sums: Counter[str] = Counter()
        for (group, _pid, _started), spent in self._seen.items():
            sums[group] += spent  # type: ignore[assignment]
        return dict(sums)


def tree(pid: int) -> list[psutil.Process]:
    """A process and its descendants; empty when it is gone."""
    process = _process(pid) if pid else None
    try:
        return [process, *process.children(recursive=True)] if process else []
    except psutil.NoSuchProcess:
        return []


def marked(mark: str) -> Iterator[psutil.Process]:
    for process in psutil.process_iter():
        try:
            if process.environ().get(MARK) == mark:
                yield process
        except psutil.Error:
            continue


def signalled(process: psutil.Process, number: signal.Signals) -> bool:
    """Whether the signal could be sent: the process was still there."""
    try:
        process.send_signal(number)
    except psutil.Error:
        return False
    return True


def _process(pid: int) -> psutil.Process | None:
    try:
        return psutil.Process(pid)
    except psutil.NoSuchProcess:
        return None
