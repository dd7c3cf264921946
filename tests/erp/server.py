"""Build, keep and start a real Tryton server.

``python -m tests.erp.server prepare`` installs Tryton and fills the template database (a few minutes, once);
``python -m tests.erp.server start`` runs a fresh copy and prints its address, database and key until Ctrl-C.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path

import requests

from integration_hub.sandbox.catalogue import ARTICLES, title

from .install import MINUTES, MODULES, Unavailable, cache, environment, install, locked, run
from .postgres import RUN, Postgres

_TIED = ("setpriv", "--pdeathsig", "TERM") if shutil.which("setpriv") else ()  # it dies with us, however we die
BOOTSTRAP = Path(__file__).with_name("bootstrap.py")
_PASSED = {"ADMIN_PASSWORD": "admin", "HUB_PASSWORD": "hub", "HUB_KEY": "key"}


@dataclass(frozen=True)
class Built:
    """What ``prepare`` leaves: programs, database server, the name of the template and its secrets."""

    folder: Path
    programs: Path
    postgres: Postgres
    template: str
    secrets: dict[str, str]


@dataclass(frozen=True)
class Erp:
    """A running Tryton: where it listens, its database, the bearer key and the password of the user ``hub``."""

    url: str
    database: str
    key: str
    password: str
    built: Built

    @contextmanager
    def without_worker(self) -> Iterator[Erp]:
        """A second server over the same database that confirms sales and leaves them unprocessed."""
        with serving(self.built, self.database, worker=True) as url:
            yield replace(self, url=url)


def prepare() -> Built:
    """Install and fill whatever is missing.  Raises Unavailable where that is impossible."""
    folder = cache()
    with locked(folder):
        built = Built(folder, install(folder), Postgres(folder), folder.name.replace("-", "_"), _secrets(folder))
        if not ((folder / "filled").exists() and built.template in built.postgres.names()):
            _fill(built)
            (folder / "filled").touch()
    return built


def _secrets(folder: Path) -> dict[str, str]:
    path = folder / "secrets.json"
    if not path.exists():
        path.touch(0o600)
        path.write_text(json.dumps({name: secrets.token_urlsafe(24) for name in ("admin", "hub", "key")}))
    return dict(json.loads(path.read_text()))


def _fill(built: Built) -> None:
    built.postgres.create(built.template)
    conf, password = _conf(built, _free_port()), built.folder / "admin_password"
    password.touch(0o600)
    password.write_text(built.secrets["admin"])
    run(
        *(built.programs / "trytond-admin", "-c", conf, "-d", built.template, "--email", "admin@example.com"),
        *("-u", *MODULES, "--activate-dependencies"),
        seconds=15 * MINUTES,
        env={"TRYTONPASSFILE": str(password)},
    )
    conf.unlink()
    password.unlink()
    with serving(built, built.template) as url:
        address = f"{url}/{built.template}/rpc/"
        passed = {f"TRYTON_{name}": built.secrets[old] for name, old in _PASSED.items()}
        run(built.programs / "python", BOOTSTRAP, address, seconds=10 * MINUTES, env=passed, told=_articles())


def _articles() -> str:
    """What the played shops sell, so that their orders find their products here."""
    coin = Decimal("0.0001")
    return json.dumps(
        [
            {
                "sku": article.sku,
                "title": title(article),
                "net": str((article.price / (1 + article.rate)).quantize(coin)),
                "percent": int(article.rate * 100),
                "gtin": article.gtin,
            }
            for article in ARTICLES
        ]
    )


def _conf(built: Built, port: int, *, worker: bool = False) -> Path:
    path = built.folder / f"trytond-{port}.conf"
    path.touch(0o600)
    path.write_text(
        f"[database]\nuri = {built.postgres.url()}\n[web]\nlisten = 127.0.0.1:{port}\n"
        f"[session]\nauthentications = password\n[queue]\nworker = {worker}\n"
    )
    return path


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def serving(built: Built, database: str, *, worker: bool = False) -> Iterator[str]:
    """Tryton over this database, in a process group of its own; ends when the block does.

    With ``worker`` it leaves what comes after a confirmation to a worker process that nobody starts: just what is left
    behind when a server is killed between the two commits of a confirmation.
    """
    port = _free_port()
    conf, log = _conf(built, port, worker=worker), built.folder / f"trytond-{port}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*_TIED, built.programs / "trytond", "-c", conf, "-d", database, "-v"],
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    url = f"http://127.0.0.1:{port}"
    try:
        _wait(url, process, log)
        yield url
    finally:
        _end(process)
        conf.unlink()
        log.unlink()


def _wait(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    question = {"id": 0, "method": "common.server.version", "params": []}
    until = time.monotonic() + MINUTES
    while time.monotonic() < until and process.poll() is None:
        with suppress(requests.RequestException):
            if requests.post(f"{url}/rpc/", json=question, timeout=2).ok:
                return
        time.sleep(0.1)
    raise Unavailable(f"Tryton did not start: {log.read_text()[-1500:]}")


def _end(process: subprocess.Popen[bytes]) -> None:
    for sign in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, sign)
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=10)
            return


@contextmanager
def running() -> Iterator[Erp]:
    """A fresh copy of the built database with Tryton over it; gone afterwards."""
    built = prepare()
    database = f"{RUN}{os.getpid()}"
    with locked(built.folder):
        built.postgres.create(database, built.template)
    try:
        with serving(built, database) as url:
            yield Erp(url, database, built.secrets["key"], built.secrets["hub"], built)
    finally:
        built.postgres.drop(database)


def main(verb: str) -> None:
    """The command line: ``prepare`` or ``start``."""
    if verb == "prepare":
        print(f"Tryton is built in {prepare().folder}")  # noqa: T201  a command line speaks to its user
        return
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with running() as erp:
        print(f"url       {erp.url}\ndatabase  {erp.database}\nkey       {erp.key}", flush=True)  # noqa: T201
        with suppress(KeyboardInterrupt):
            signal.pause()


if __name__ == "__main__":
    if sys.argv[1:] not in (["prepare"], ["start"]):
        sys.exit(__doc__)
    main(sys.argv[1])
