"""Stored words in the reader's language, amounts and names as people write them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from babel.dates import format_timedelta
from babel.numbers import format_currency, format_decimal, format_percent
from django.utils import formats, timezone
from django.utils.translation import get_language, gettext

from integration_hub.kernel.text import Text

# parameters that hold a code of ours; everything else is somebody's own word and stays as it is
CODED = frozenset({"old", "to", "state", "payment", "door", "outcome", "verb", "what"})

# parameters that hold marked words of ours without gaps, or what a vendor says, which no catalogue knows
PHRASES = frozenset({"why", "system"})

_TERMS: dict[str, Any] = {}


def learn(terms: Mapping[str, Any]) -> None:
    """Say what codes are called (``ACCEPTED``: accepted), so that no stored sentence shows a code.  Done by the wiring."""
    _TERMS.update(terms)


def term(code: str) -> str:
    """What a code of ours is called; the code itself if nobody said."""
    return str(_TERMS.get(code, code))


def _spoken(name: str, value: Any) -> str:
    """What fills a gap, as ``kernel.text.kept`` leaves it."""
    if isinstance(value, list):
        return "; ".join(_spoken(name, one) for one in value)
    if isinstance(value, Mapping):
        return _filled(value)
    if name in PHRASES:
        return gettext(str(value)) if value else ""
    return term(str(value)) if name in CODED else str(value)


def _filled(value: Mapping[str, Any]) -> str:
    """An amount, a moment, a day or a sentence inside a sentence."""
    if "amount" in value:
        return money(Decimal(value["amount"]), value["currency"])
    if "moment" in value:
        return formats.date_format(timezone.localtime(datetime.fromisoformat(value["moment"])), "SHORT_DATETIME_FORMAT")
    if "day" in value:
        return formats.date_format(date.fromisoformat(value["day"]), "SHORT_DATE_FORMAT")
    return words(value)


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
    except (KeyError, ValueError, TypeError, ArithmeticError):
        return str(msgid)


def ago(moment: datetime) -> str:
    """How long ago, or how long until, in one unit: ``vor 3 Tagen``, ``in 2 hours``."""
    away = moment - timezone.now()
    if abs(away) < timedelta(minutes=1):
        return gettext("just now")
    return format_timedelta(away, threshold=1, add_direction=True, locale=_locale())


def _locale() -> str:
    return (get_language() or "de").replace("-", "_")


def money(amount: Decimal | None, currency: str) -> str:
    """``1.234,50 €`` in German, ``€1,234.50`` in English."""
    if amount is None:
        return ""
    return format_currency(amount, currency or "EUR", locale=_locale())


def number(value: Decimal | int) -> str:
    """A count or quantity with separators."""
    return str(format_decimal(value, locale=_locale()))


def percentage(rate: Decimal) -> str:
    """A fraction as per cent, to a tenth: ``2,5 %``."""
    return str(format_percent(rate, format="#,##0.# %", locale=_locale()))


_UNITS = ((86_400_000, 2, "%s d"), (3_600_000, 2, "%s h"), (60_000, 2, "%s min"), (1000, 1, "%s s"))


def duration(ms: int | None) -> str:
    """A length of time in its largest unit that holds it more than once: ``240 ms``, ``2,3 s``, ``4 min``; a dash for none."""
    if ms is None:
        return "–"
    for size, least, unit in _UNITS:
        if ms >= size * least:
            value = Decimal(ms) / size
            return unit % format_decimal(round(value, 0 if value >= 10 else 1), locale=_locale())
    return f"{ms} ms"
