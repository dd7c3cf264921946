"""Tokens of leases say who holds them: parent of the workers, process, and a number that never comes twice.

So a process that lost the database gives back what it held, and a parent that had to kill its workers gives back theirs.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import F
from django.db.models.functions import Greatest, Now

from integration_hub.models import InboundEvent, OutboundCommand, PollState

from . import stop

UNCLEAR = timedelta(seconds=settings.HUB_UNCLEAR_WAIT)

_owner = secrets.token_hex(4)


def new_owner() -> str:
    """A name for the leases of a parent's children."""
    return secrets.token_hex(4)


def own(owner: str) -> None:
    """In a child: the leases of this process are those of this owner."""
    global _owner  # noqa: PLW0603  one per process
    _owner = owner


def token() -> UUID:
    """A new token of this process."""
    return UUID(hex=f"{_owner}{os.getpid() & 0xFFFFFFFF:08x}{secrets.token_hex(8)}")


def release(model: type[InboundEvent | OutboundCommand], held: UUID, *, but: Collection[int] = ()) -> int:
    """Rows leased with this token are due again as if they had not been taken; those of ``but`` keep their lease."""
    rows = model._default_manager.filter(lease_token=held, state="LEASED").exclude(pk__in=but)
    return rows.update(state="DUE", lease_token=None, due_at=Now(), attempts=Greatest(F("attempts") - 1, 0))


@dataclass
class Turn:
    """How far a worker has come with what it took: the row (or rows) it is at, and whether it is through."""

    at: int | None = None
    together: Collection[int] = ()
    over: bool = False


@contextmanager
def turn(model: type[InboundEvent | OutboundCommand], held: UUID) -> Iterator[Turn]:
    """What has not been come to is given back at once; the row that was being worked on keeps its lease.

    A worker that dies over many rows at once gives none back: each is then taken alone, so the culprit is found.
    """
    mine = Turn()
    try:
        yield mine
    finally:
        if not mine.over and (mine.at is not None or stop.asked()):
            release(model, held, but=[*mine.together, *([mine.at] if mine.at else [])])


def release_process() -> int:
    """What this process still holds is due now.  Only for a process of one thread that works on nothing at the moment."""
    return _let_go(f"{_owner}{os.getpid() & 0xFFFFFFFF:08x}", {"state": "DUE", "lease_token": None}, timedelta(0))


def release_owner(owner: str) -> int:
    """What stopped children of this owner held is due; what one of them may just have been sending, after a while."""
    return _let_go(owner, {"state": "DUE", "lease_token": None}, UNCLEAR)


def expire_owner(owner: str) -> int:
    """The leases of children that died are over: each row is taken alone, and counts it as a crash."""
    return _let_go(owner, {}, UNCLEAR)


def expire_dead(owner: str) -> int:
    """The same for single children that were killed while the others live on, so that nobody waits for their leases."""
    mine = _held(owner) | {"due_at__gt": Now() + UNCLEAR}  # what was let go of before waits for nobody
    rows = [model._default_manager.filter(**mine) for model in (OutboundCommand, InboundEvent, PollState)]
    tokens = {token for found in rows for token in found.values_list("lease_token", flat=True).distinct() if token}
    held = {token.hex[:16] for token in tokens}
    return sum(_let_go(prefix, {}, UNCLEAR) for prefix in held if not _lives(int(prefix[8:], 16)))


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # it lives, and is somebody else's
    return True


def _held(prefix: str) -> dict[str, Any]:
    return {
        "lease_token__gte": UUID(hex=prefix.ljust(32, "0")),
        "lease_token__lte": UUID(hex=prefix.ljust(32, "f")),
    }


def _let_go(prefix: str, changes: dict[str, Any], unclear: timedelta) -> int:
    held = _held(prefix)
    commands = OutboundCommand.objects.filter(state="LEASED", **held)
    released = commands.filter(maybe_sent=False).update(due_at=Now(), **changes)
    released += commands.filter(maybe_sent=True).update(due_at=Now() + unclear, **changes)
    released += InboundEvent.objects.filter(state="LEASED", **held).update(due_at=Now(), **changes)
    return released + PollState.objects.filter(**held).update(lease_token=None, due_at=Now())
