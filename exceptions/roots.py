"""Which cases have one and the same root: what the list shows as one row, and what one fix can mend together.

A case has one cause and many objects; some causes name a single object (one refused command each), although what is behind
them is the same everywhere: the same answer of the same system.  The root leaves out what differs from object to object.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any

from integration_hub.kernel import codec
from integration_hub.kernel.text import Text

from .kinds import kind_of

_OWN = re.compile(r"[0-9a-f]{8,}|\d+")  # numbers, and traces of defects


def root_of(kind: str, connection_id: int | None, cause: str, found: Text | None) -> str:
    """A key of 64 hexadecimal digits, the same for troubles of the same kind, connection and root."""
    shared = kind_of(kind).root
    said: Any = cause if shared is None or found is None else shared(found)
    return hashlib.sha256(codec.canonical([kind, connection_id, said])).hexdigest()


def words(found: Text) -> Any:
    """What was found or answered, without the numbers in it, since those are the objects'."""
    return _bare(found.as_json())


def exactly(found: Text) -> Any:
    """What was found, numbers and all: where they are the trouble itself."""
    return found.as_json()


def _bare(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _bare(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_bare(item) for item in value]
    return _OWN.sub("#", str(value))
