"""Stored words in the reader's language, amounts and names as people write them."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from babel.numbers import format_currency
from django.utils.translation import get_language, gettext

from integration_hub.kernel.text import Text


def words(text: Text | Mapping[str, Any] | None) -> str:
    """Translate a Text, live or as stored in a JSON column; empty for nothing."""
    if not text:
        return ""
    stored = text.as_json() if isinstance(text, Text) else text
    msgid, params = stored.get("msgid", ""), stored.get("params", {})
    if not msgid:
        return ""
    try:
        return gettext(msgid) % params if params else gettext(msgid)
    except (KeyError, ValueError, TypeError):
        return str(msgid)


def money(amount: Decimal | None, currency: str) -> str:
    """``1.234,50 €`` in German, ``€1,234.50`` in English."""
    if amount is None:
        return ""
    return format_currency(amount, currency or "EUR", locale=(get_language() or "de").replace("-", "_"))
