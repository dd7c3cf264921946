"""What the environment says: data folder, database, keys, allowed networks.  Read once by settings."""

from __future__ import annotations

import ipaddress
import os
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote, urlsplit

BASE_DIR = Path(__file__).resolve().parent.parent


def data_dir() -> Path:
    """HUB_DATA_DIR, or ``.data`` in the checkout; made if missing."""
    folder = Path(os.environ.get("HUB_DATA_DIR") or BASE_DIR / ".data").resolve()
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def folder(name: str) -> Path:
    """A folder inside the data folder; made if missing."""
    path = data_dir() / name
    path.mkdir(exist_ok=True)
    return path


def words(name: str, default: str = "") -> list[str]:
    """A comma-separated variable as a list without blanks."""
    return [word.strip() for word in os.environ.get(name, default).split(",") if word.strip()]


def flag(name: str) -> bool:
    return os.environ.get(name, "").lower() in ("1", "true", "yes", "on")


def networks(name: str) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    """Private networks (CIDR) that connections may reach, e.g. ``192.168.10.0/24`` for an ERP in the house."""
    return [ipaddress.ip_network(word) for word in words(name)]


def seconds(name: str, default: float) -> float:
    """A positive number of seconds; ValueError for anything else."""
    value = float(os.environ.get(name) or default)
    if not 0 < value < 86_400:
        raise ValueError(f"{name} must be between 0 and 86400 seconds")
    return value


def whole(name: str, default: int) -> int:
    """A whole number from 1; ValueError for anything else."""
    value = int(os.environ.get(name) or default)
    if not 0 < value < 1_000_000:
        raise ValueError(f"{name} must be between 1 and 999999")
    return value


def mail() -> dict[str, object]:
    """Django's e-mail settings for HUB_EMAIL_URL: ``smtp://user:password@host:587`` (STARTTLS where the server offers a
    user), ``smtps://…:465`` (TLS from the start), ``smtp://host:25?tls=0`` (plain, for a relay in the house).
    """
    parts = urlsplit(os.environ.get("HUB_EMAIL_URL", ""))
    if parts.scheme not in ("", "smtp", "smtps"):
        raise ValueError("HUB_EMAIL_URL must begin with smtp:// or smtps://")
    plain = "tls=0" in parts.query
    return {
        "EMAIL_HOST": parts.hostname or "localhost",
        "EMAIL_PORT": parts.port or (465 if parts.scheme == "smtps" else 587),
        "EMAIL_HOST_USER": unquote(parts.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
        "EMAIL_USE_SSL": parts.scheme == "smtps",
        "EMAIL_USE_TLS": parts.scheme == "smtp" and not plain,
    }


def secret_key() -> str:
    """HUB_SECRET_KEY, else one made once for this data folder."""
    return os.environ.get("HUB_SECRET_KEY") or _kept("secret_key", lambda: secrets.token_urlsafe(48))


def encryption_keys() -> list[str]:
    """HUB_ENCRYPTION_KEYS (Fernet keys, the first one encrypts, all decrypt), else one made for this data folder."""
    return words("HUB_ENCRYPTION_KEYS") or [
        _kept("encryption_key", lambda: urlsafe_b64encode(secrets.token_bytes(32)).decode())
    ]


def _kept(name: str, make: Callable[[], str]) -> str:
    path = data_dir() / name
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text()
    with os.fdopen(descriptor, "w") as file:
        value = make()
        file.write(value)
    return value
