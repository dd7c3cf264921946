"""Starting the hub's programs as people start them, seeing what they say, and who of them is left."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
_OURS = ("HUB_", "DATABASE_URL", "REDIS_URL", "PORT")


@dataclass
class Program:
    """A running ``manage.py`` command; ``mark`` is the environment variable that all its descendants carry."""

    process: subprocess.Popen[bytes]
    output: Path
    mark: str

    def said(self) -> str:
        return self.output.read_text(errors="replace")

    def until(self, happened: Callable[[], object], seconds: float, what: str) -> None:
        """Wait; fails with the program's last words if it ends or the time does."""
        end = time.monotonic() + seconds
        while not happened():
            assert self.process.poll() is None, f"it ended before {what}: {self.said()[-3000:]}"
            assert time.monotonic() < end, f"{what} took more than {seconds} s: {self.said()[-3000:]}"
            time.sleep(0.2)

    def stop(self, number: signal.Signals, seconds: float) -> int:
        """Signal the program itself, as Ctrl-C or systemd does; its exit status."""
        self.process.send_signal(number)
        return self.process.wait(seconds)

    def left(self) -> list[int]:
        """The processes that carry its mark."""
        return [pid for pid in _pids() if self.mark.encode() in _read(pid, "environ").split(b"\0")]

    def bury(self) -> None:
        """Whatever is left ends now."""
        for _ in range(50):
            found = self.left()
            for pid in found:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            if self.process.poll() is not None and not found:
                return
            time.sleep(0.1)


def _pids() -> Iterator[int]:
    return (int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit())


def _read(pid: int, name: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/{name}").read_bytes()
    except OSError:
        return b""


def parent(pid: int) -> int:
    """The process that started this one, 0 where it is gone."""
    words = _read(pid, "stat").rpartition(b")")[2].split()
    return int(words[1]) if words else 0


def is_alive(pid: int) -> bool:
    """Whether the process runs; a zombie does not."""
    words = _read(pid, "stat").rpartition(b")")[2].split()
    return bool(words) and words[0] != b"Z"


def command_line(pid: int) -> str:
    return _read(pid, "cmdline").replace(b"\0", b" ").decode(errors="replace")


def environment(folder: Path, **variables: str) -> dict[str, str]:
    """Ours without what configures another hub; with a data folder of its own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
    return kept | {"HUB_DATA_DIR": str(folder), "PYTHONUNBUFFERED": "1"} | variables


@contextmanager
def started(*command: str, output: Path, given: Mapping[str, str], script: str = "manage.py") -> Iterator[Program]:
    """``manage.py`` with this command, in a session of its own; nothing of it is left afterwards."""
    with output.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, script, *command],
            cwd=ROOT,
            env=dict(given),
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            start_new_session=True,
        )
    program = Program(process, output, f"HUB_DATA_DIR={given['HUB_DATA_DIR']}")
    try:
        yield program
    finally:
        program.bury()


def free_port() -> int:
    """A port that nobody uses, and no other run of these tests at the same time; the sandbox's lies beside it."""
    first = 18000 + os.getpid() % 100 * 97
    for port in range(first, first + 97, 7):
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("no port is free")
