"""Words for people, kept apart from their parameters so that a screen can translate them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Text:
    """An English sentence with named gaps (``%(name)s``) and what fills them."""

    msgid: str
    params: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.msgid % self.params if self.params else self.msgid

    def as_json(self) -> dict[str, Any]:
        return {"msgid": self.msgid, "params": {name: str(value) for name, value in self.params.items()}}


def say(msgid: str, **params: Any) -> Text:
    """Mark a sentence for translation (``manage.py messages`` finds this name) and fill it later."""
    return Text(msgid, params)
