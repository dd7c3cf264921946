"""From where a change comes: who is at work, at which address, by which session or token, on which page, and why.

It is told to the database just before a write (``hub.origin``), so that the triggers of the audit trail can write it down
whatever the write is.  A reader's page costs nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from django.db import connection as database
from django.db import models

_WRITES = frozenset({"INSERT", "UPDATE", "DELETE", "WITH"})
_NOT_AUDITED = ('"django_session"', '"axes_')
_SET = "SELECT set_config('hub.origin', %s, %s)"


@dataclass
class Origin:
    """``actor`` is asked for when it is needed: who calls is known only after the door."""

    actor: Callable[[], int | None]
    address: str = ""
    session: str = ""
    token: str = ""
    page: str = ""
    action: str = ""
    why: str = ""
    told: bool = False
    seen: dict[str, list[str]] = field(default_factory=dict)

    def where(self) -> dict[str, str]:
        """What is kept of it, without what is empty."""
        found = {"address": self.address, "session": self.session, "token": self.token, "page": self.page}
        return {name: value for name, value in found.items() if value}

    def as_json(self) -> str:
        told = {"actor": self.actor(), "where": self.where(), "action": self.action, "why": self.why}
        return json.dumps(told).replace("\\u0000", "")


_current: ContextVar[Origin | None] = ContextVar("origin", default=None)


def current() -> Origin | None:
    """From where the present work comes; None for what the hub does by itself."""
    return _current.get()


def fingerprint(secret: str | None) -> str:
    """A session or token by a name that opens nothing: the beginning of its digest."""
    return hashlib.sha256(secret.encode()).hexdigest()[:12] if secret else ""


@contextmanager
def at_work(origin: Origin) -> Iterator[None]:
    """Whatever is written meanwhile comes from there."""
    token = _current.set(origin)
    try:
        with database.execute_wrapper(_tell_before_writes):
            yield
    finally:
        _current.reset(token)
        if origin.told and database.in_atomic_block and not database.needs_rollback:
            database.connection.execute(_SET, ["", True])  # what goes on in this transaction is somebody else's


def by_token(user_id: int, token: str) -> None:
    """The caller turned out to be this person with this token."""
    if (origin := _current.get()) is not None:
        origin.actor, origin.token = (lambda: user_id), token


def saw(model: type[models.Model], ids: Iterable[object]) -> None:
    """Personal data of these rows is shown to whoever asked; written down once for the whole page, by the middleware."""
    if (origin := _current.get()) is not None:
        kept = origin.seen.setdefault(model._meta.db_table, [])
        kept.extend(dict.fromkeys(str(one) for one in ids if str(one) not in kept))


def took(sheet: str) -> None:
    """Whoever asked takes a file with personal data along."""
    if (origin := _current.get()) is not None:
        origin.seen[f"sheet:{sheet}"] = ["*"]


@contextmanager
def because(action: str, why: str) -> Iterator[None]:
    """Whatever is written meanwhile belongs to this action and has this reason."""
    origin = _current.get()
    if origin is None:
        yield
        return
    before = origin.action, origin.why
    origin.action, origin.why = action, why
    try:
        yield
    finally:
        origin.action, origin.why = before


def _tell_before_writes(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
    origin = _current.get()
    if origin is None or not _writes(sql):
        return execute(sql, params, many, context)
    connection = context["connection"]
    told = origin.as_json()
    origin.told = True
    if connection.in_atomic_block:
        connection.connection.execute(_SET, [told, True])
        return execute(sql, params, many, context)
    connection.connection.execute(_SET, [told, False])
    try:
        return execute(sql, params, many, context)
    finally:
        connection.connection.execute(_SET, ["", False])


def _writes(sql: Any) -> bool:
    head = str(sql)[:200].lstrip()
    return head.partition(" ")[0].strip().upper() in _WRITES and not any(table in head for table in _NOT_AUDITED)
