"""Filters and tags of the hub's pages: stored words, amounts, moments, badges, links that keep a filter."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from babel.numbers import format_decimal, format_percent
from django import template
from django.db import models
from django.template.context import RequestContext
from django.utils import formats, timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from integration_hub.backoffice import tones
from integration_hub.backoffice import words as spoken

register = template.Library()


def _locale() -> str:
    return (get_language() or "de").replace("-", "_")


@register.filter
def words(text: Any) -> str:
    """A stored or live Text in the reader's language."""
    return spoken.words(text)


@register.filter
def money(amount: Decimal | None, currency: str) -> str:
    """An amount with its currency, as people write it."""
    return spoken.money(amount, currency)


@register.filter
def number(value: Decimal | int | None) -> str:
    """A quantity or count with separators and without trailing zeros."""
    return "" if value is None else _decimal(value, _locale())


@lru_cache(maxsize=4096)
def _decimal(value: Decimal | int, locale: str) -> str:
    """Babel reads its patterns anew each time, and a page says the same few numbers over and over."""
    return str(format_decimal(value, locale=locale))


@register.filter
def percent(rate: Decimal | None) -> str:
    """A fraction as per cent: 0.19 is 19 %."""
    return "" if rate is None else format_percent(rate, format="#,##0.## %", locale=_locale())


@register.filter
def is_ahead(moment: datetime | None) -> bool:
    """Whether a moment is yet to come."""
    return moment is not None and moment > timezone.now()


@register.filter
def clock(moment: datetime | None) -> str:
    """Time of day to the millisecond."""
    return f"{timezone.localtime(moment):%H:%M:%S}.{moment.microsecond // 1000:03d}" if moment else ""


@register.filter
def ago(moment: datetime | None) -> str:
    """How long ago, or how long until, in one unit."""
    return "" if moment is None else spoken.ago(moment)


@register.filter
def term(code: str) -> str:
    """What a code of the hub is called: a command, a door, an outcome."""
    return spoken.term(code)


@register.filter
def tone(state: str) -> str:
    """The tone of a state that has no choices of its own."""
    return tones.of(state)


@register.filter
def weblink(url: str) -> str:
    """The address if it is one of the web; anything else (``javascript:``) gives none."""
    return url if url.startswith(("https://", "http://")) else ""


@register.filter
def duration(ms: int | None) -> str:
    """Milliseconds in the largest unit that fits."""
    return spoken.duration(ms)


@register.simple_tag
def when(moment: datetime | None) -> str | SafeString:
    """A moment as date and time, with how long ago as a hint; a dash for none."""
    if moment is None:
        return "–"
    local = timezone.localtime(moment)
    shown = formats.date_format(local, "SHORT_DATETIME_FORMAT")
    return format_html('<time datetime="{}" title="{}">{}</time>', local.isoformat(), ago(moment), shown)


@register.simple_tag
def badge(label: Any, tone: str = "plain") -> SafeString:
    """A word with a colour and a mark."""
    return format_html('<span class="hub-badge" data-tone="{}">{}</span>', tone, label)


@register.simple_tag
def standing(row: models.Model, field: str = "state") -> SafeString:
    """The state of a row as a badge: its word in the reader's language, its tone from the one table of tones."""
    value = getattr(row, field)
    return badge(getattr(row, f"get_{field}_display")(), tones.of(value))


@register.simple_tag(takes_context=True)
def keep(context: RequestContext, **changes: Any) -> str:
    """The page's own query string with these changes; None takes a parameter out."""
    query = context["request"].GET.copy()
    for name, value in changes.items():
        query.pop(name, None)
        if value not in (None, ""):
            query[name] = str(value)
    return f"?{query.urlencode()}"
