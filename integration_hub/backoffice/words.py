"""Stored words in the reader's language, amounts and names as people write them."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from babel.numbers import format_currency
from django.utils.translation import get_language, gettext

from integration_hub.kernel.text import Text

# parameters that hold a code of ours; everything else is somebody's own word and stays as it is
CODED = frozenset({"old", "to", "state", "payment", "door", "outcome", "verb", "what"})

_TERMS: dict[str, Any] = {}


def learn(terms: Mapping[str, Any]) -> None:
    """Say what codes are called (``ACCEPTED``: accepted), so that no stored sentence shows a code.  Done by the wiring."""
    _TERMS.update(terms)


def term(code: str) -> str:
    """What a code of ours is called; the code itself if nobody said."""
    return str(_TERMS.get(code, code))


def _spoken(name: str, value: Any) -> Any:
    if name == "why":  # why a report changed nothing: a sentence of ours without gaps
        return gettext(str(value)) if value else value
    return term(str(value)) if name in CODED else value


def words(text: Text | Mapping[str, Any] | None) -> str:
    """Translate a Text, live or as stored in a JSON column; empty for nothing."""
    if not text:
        return ""
    stored = text.as_json() if isinstance(text, Text) else text
    msgid, params = stored.get("msgid", ""), stored.get("params", {})
    if not msgid:
        return ""
    try:
        spoken = {name: _spoken(name, value) for name, value in params.items()}
        return gettext(msgid) % spoken if params else gettext(msgid)
    except (KeyError, ValueError, TypeError):
        return str(msgid)


def money(amount: Decimal | None, currency: str) -> str:
    """``1.234,50 €`` in German, ``€1,234.50`` in English."""
    if amount is None:
        return ""
    return format_currency(amount, currency or "EUR", locale=(get_language() or "de").replace("-", "_"))
