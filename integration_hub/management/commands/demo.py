"""``manage.py demo``: the whole hub and the world around it on one machine, until Ctrl-C.

Starts (in this order) the embedded PostgreSQL, migrations, the sandbox, the web server, the worker; builds the demo world;
stops all in reverse.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import requests
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from integration_hub.management import demo_people, demo_world
from integration_hub.management.commands.messages import compile_all

Child = subprocess.Popen[bytes]
STOP_WITHIN = 20.0


class Command(BaseCommand):
    """Run the demo until SIGINT or SIGTERM."""

    help = "Start the hub with a demo world (PORT, HUB_DATA_DIR)"

    def handle(self, *_args: Any, **_options: Any) -> None:
        self.stopping = False
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._stop)
        self.children: list[Child] = []
        try:
            self._run(int(os.environ.get("PORT", "8000")))
        except demo_world.Interrupted:
            pass
        finally:
            self._end()

    def _stop(self, *_signal: object) -> None:
        self.stopping = True

    def _run(self, port: int) -> None:
        if not _is_free(port):
            raise CommandError(f"port {port} is taken; choose another: PORT=8010 make demo")
        began = time.monotonic()
        compile_all()
        call_command("migrate", verbosity=0)
        demo_people.make()
        sandbox = f"http://127.0.0.1:{self._sandbox(port)}"
        address = f"http://127.0.0.1:{port}"
        web = self._start("web", *web_command(port))
        self._wait(f"{address}/healthz", web)
        self._say(began, address, sandbox)
        self._start("worker", sys.executable, sys.argv[0], "worker")
        demo_world.build(sandbox, address, say=self._line, stopped=lambda: self.stopping)
        self._line(f"ready after {time.monotonic() - began:.0f} s: {address} (Ctrl-C stops everything)")
        while not self.stopping and all(child.poll() is None for child in self.children):
            time.sleep(0.3)
        if not self.stopping:
            self._line("a part of the demo ended by itself; see its log in " + str(_logs()))

    def _sandbox(self, port: int) -> int:
        """Start the outside world beside the hub; its port."""
        chosen = next(number for number in range(port + 900, port + 1000) if _is_free(number))
        state, hub = str(settings.DATA_DIR / "sandbox"), f"http://127.0.0.1:{port}"
        options = ["--port", str(chosen), "--state", state, "--hub", hub, "--order-every", "8"]
        child = self._start("sandbox", sys.executable, "-m", "integration_hub.sandbox", *options)
        self._wait(f"http://127.0.0.1:{chosen}/control/state", child)
        return chosen

    def _start(self, name: str, *command: str) -> Child:
        """Start a part of the demo in a session of its own, so that Ctrl-C reaches us only, and we stop it in order."""
        log = (_logs() / f"{name}.log").open("ab")
        child = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True, env=_environment())  # noqa: S603
        self.children.append(child)
        return child

    def _wait(self, url: str, child: Child) -> None:
        for _try in range(400):
            if self.stopping:
                raise demo_world.Interrupted
            if child.poll() is not None:
                raise CommandError(f"a part of the demo did not start; see {_logs()}")
            try:
                if requests.get(url, timeout=5).status_code < 500:
                    return
            except requests.RequestException:
                time.sleep(0.15)
        raise CommandError(f"{url} does not answer; see {_logs()}")

    def _say(self, began: float, address: str, sandbox: str) -> None:
        self._line(f"\nIntegration Hub   {address}   (first page after {time.monotonic() - began:.0f} s)")
        self._line(f"the world outside {sandbox}   (shops and ERP to play with: orders, trouble, faults)\n")
        for name, password in demo_people.logins():
            self._line(f"  {name:<14} {password}")
        self._line("")

    def _line(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()

    def _end(self) -> None:
        for child in reversed(self.children):
            if child.poll() is None:
                child.terminate()
        until = time.monotonic() + STOP_WITHIN
        for child in reversed(self.children):
            try:
                child.wait(max(0.1, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                os.killpg(child.pid, signal.SIGKILL)
        self._line("stopped")


def web_command(port: int) -> list[str]:
    """The web server: granian in WSGI mode, two processes with a few threads each (measured in docs/operations)."""
    return [sys.executable, str(settings.BASE_DIR / "manage.py"), "web", "--port", str(port)]


def _environment() -> dict[str, str]:
    """The children join our database and may reach the sandbox on the loopback."""
    return os.environ | {
        "DATABASE_URL": database_url(),
        "HUB_DATA_DIR": str(settings.DATA_DIR),
        "HUB_ALLOWED_NETWORKS": "127.0.0.0/8",
        "PYTHONUNBUFFERED": "1",
    }


def database_url() -> str:
    """The address of the database that this process uses, for its children."""
    found = settings.DATABASES["default"]
    return (
        f"postgresql://{found['USER']}:{found['PASSWORD']}@/{found['NAME']}?host={found['HOST']}&port={found['PORT']}"
    )


def _logs() -> Path:
    folder = Path(settings.DATA_DIR) / "log"
    folder.mkdir(exist_ok=True)
    return folder


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
