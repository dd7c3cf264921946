"""Why this account: the rule that answered, what it names, who brought it, and which others would have fitted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from ..models import Account, AccountRule, Entry, Posting
from .mapping import WEIGHTS, Table, key_of, specificity
from .rows import percent


@dataclass(frozen=True)
class Reason:
    """A line with the account's name and why it is there."""

    line: Posting
    name: str
    why: str
    rule: AccountRule | None
    others: Sequence[AccountRule]


def of_entry(entry: Entry) -> list[Reason]:
    """Each line of an entry with its reason; a fixed number of queries."""
    lines = list(entry.lines.select_related("rule__since__made_by", "rule__channel").order_by("position"))
    names = dict(Account.objects.filter(chart=entry.chart).values_list("number", "name"))
    table = Table.load(entry.chart)
    return [_reason(line, entry, names, table) for line in lines]


def _reason(line: Posting, entry: Entry, names: dict[str, str], table: Table) -> Reason:
    if line.rule is None:
        rate = percent(line.rate) if line.rate else ""
        why = _("DATEV adds this by itself: %(account)s is automatic or bears a tax key, rate %(rate)s %%.") % {
            "account": line.contra,
            "rate": rate,
        }
        return Reason(line, names.get(line.account, ""), why, None, ())
    others = [rule for rule in table.fitting(key_of(line, entry.booked_on)) if rule.pk != line.rule_id]
    return Reason(line, names.get(line.account, ""), told(line.rule), line.rule, others[:3])


def told(rule: AccountRule) -> str:
    """A rule in words: for what, by what it names, how specific that is."""
    named = [_named(rule, name) for name in WEIGHTS if getattr(rule, name) not in (None, "")]
    about = ", ".join(named) or _("everything")
    return _("%(event)s for %(about)s (weight %(weight)s)") % {
        "event": rule.get_event_display(),
        "about": about,
        "weight": specificity(rule),
    }


def _named(rule: AccountRule, name: str) -> str:
    value: Any = getattr(rule, name)
    if name == "channel_id":
        return str(rule.channel)
    if name == "rate":
        return f"{percent(value)} %"
    return str(rule.get_tax_case_display()) if name == "tax_case" else str(value)
