"""The place where the built Tryton is kept, and its installation from pinned requirements."""

from __future__ import annotations

import fcntl
import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
REQUIREMENTS = CHECKOUT / "requirements"
INGREDIENTS = (
    REQUIREMENTS / "tryton.txt",
    REQUIREMENTS / "tryton-no-deps.txt",
    CHECKOUT / "tests" / "erp" / "bootstrap.py",
    CHECKOUT / "integration_hub" / "sandbox" / "catalogue.py",
)
MODULES = (
    "account_de_skr03",
    "account_invoice_stock",
    "product_attribute",
    "product_kit",
    "product_measurements",
    "sale_discount",
    "web_shop",
)
MINUTES = 60


class Unavailable(Exception):
    """Tryton cannot be installed or started here; the text says why."""


def cache() -> Path:
    """The folder for this very build: named by what goes into it, the Python, the place and the year of its books."""
    root = Path(os.environ.get("HUB_DATA_DIR") or CHECKOUT / ".cache").resolve()
    digest = hashlib.sha256(f"{root} {sys.version_info[:3]} {MODULES} {datetime.now(UTC).year}".encode())
    for path in (
        REQUIREMENTS / "tryton.txt",
        REQUIREMENTS / "tryton-no-deps.txt",
        Path(__file__).parent / "bootstrap.py",
    ):
        digest.update(path.read_bytes())
    folder = root / f"tryton-{digest.hexdigest()[:12]}"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Only one process builds in a folder at a time."""
    with (folder / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def run(*command: str | Path, seconds: int, env: dict[str, str] | None = None, told: str = "") -> None:
    """Run to its end with ``told`` as its input; raises Unavailable with the last words of its output."""
    try:
        done = subprocess.run(  # noqa: PLW1510  the exit code is looked at below
            [str(part) for part in command],
            env=environment() | (env or {}),
            timeout=seconds,
            input=told,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
    except subprocess.TimeoutExpired:
        raise Unavailable(f"{Path(command[0]).name} did not end within {seconds} s") from None
    if done.returncode:
        raise Unavailable(f"{Path(command[0]).name} failed: {done.stdout[-1500:]}")


def environment() -> dict[str, str]:
    """Our environment without what configures the hub or another Tryton."""
    strange = ("DJANGO_", "HUB_", "TRYTON", "DATABASE_URL", "PYTHON", "VIRTUAL_ENV")
    return {name: value for name, value in os.environ.items() if not name.startswith(strange)}


def install(folder: Path) -> Path:
    """The ``bin`` folder of an environment with Tryton in it, made where missing."""
    home = folder / "venv"
    if not (folder / "installed").exists():
        run(sys.executable, "-m", "venv", "--clear", home, seconds=2 * MINUTES)
        pip = (home / "bin" / "python", "-m", "pip", "install", "--quiet", "--retries", "2", "--require-hashes")
        run(*pip, "-r", REQUIREMENTS / "tryton.txt", seconds=10 * MINUTES)
        run(*pip, "--no-deps", "-r", REQUIREMENTS / "tryton-no-deps.txt", seconds=2 * MINUTES)
        (folder / "installed").touch()
    return home / "bin"
