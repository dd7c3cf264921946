"""Words for people, kept apart from their parameters so that a screen can translate them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from .money import Money


@dataclass(frozen=True)
class Text:
    """An English sentence with named gaps (``%(name)s``) and what fills them: words, Money, moments, days, Texts, lists."""

    msgid: str
    params: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.msgid % {name: _plain(value) for name, value in self.params.items()} if self.params else self.msgid

    def as_json(self) -> dict[str, Any]:
        return {"msgid": self.msgid, "params": {name: kept(value) for name, value in self.params.items()}}


def _plain(value: Any) -> Any:
    return "; ".join(str(one) for one in value) if isinstance(value, list) else value


def kept(value: Any) -> Any:
    """As JSON, so that a screen can say it in the reader's language later: see ``backoffice.words``."""
    if isinstance(value, Text):
        return value.as_json()
    if isinstance(value, Money):
        return {"amount": str(value.rounded().amount), "currency": value.currency}
    if isinstance(value, datetime):
        return {"moment": value.isoformat()}
    if isinstance(value, date):
        return {"day": value.isoformat()}
    if isinstance(value, dict):
        return value  # kept before
    return [kept(one) for one in value] if isinstance(value, list) else str(value)


def say(msgid: str, **params: Any) -> Text:
    """Mark a sentence for translation (``manage.py messages`` finds this name) and fill it later."""
    return Text(msgid, params)


def mark(msgid: str) -> str:
    """Mark words for translation that are kept as they are, such as why a report changed nothing."""
    return msgid
