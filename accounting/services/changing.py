"""Changing the account mapping: what would change is shown before, each change is a version, nothing is overwritten."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Count, F, Max, Q

from integration_hub.kernel.errors import HubError, NotNow
from integration_hub.kernel.text import say
from integration_hub.models.access import User

from ..events import PeriodState, Side
from ..models import Account, AccountRule, Booking, MappingVersion, Period, Posting
from . import finding
from .mapping import WEIGHTS, Table, key_of


@dataclass(frozen=True)
class Change:
    """Rows that would be posted otherwise: how many, from which account and tax key to which; empty: not at all."""

    rows: int
    old: str
    new: str


def lock(chart: str) -> None:
    """One change of a chart's mapping at a time."""
    MappingVersion.objects.select_for_update().filter(chart=chart, number=1).first()


@transaction.atomic
def change(
    chart: str, *, bring: Sequence[AccountRule] = (), retire: Sequence[int] = (), by: User | None, why: str
) -> MappingVersion:
    """Make a new version: these rules come, those go.  NotNow where a rule stands already or names no account."""
    lock(chart)
    _known_accounts(chart, bring)
    last = MappingVersion.objects.filter(chart=chart).aggregate(last=Max("number"))["last"] or 0
    version = MappingVersion.objects.create(chart=chart, number=last + 1, made_by=by, why=why)
    gone = AccountRule.objects.filter(chart=chart, pk__in=retire, until=None).update(until=version)
    if gone != len(set(retire)):
        raise NotNow(say("One of these rules was changed by somebody else meanwhile; look again."))
    for rule in bring:
        rule.since = version
    try:
        with transaction.atomic():
            AccountRule.objects.bulk_create(bring)
    except IntegrityError as error:
        raise NotNow(say("There is a rule for exactly this from this day on; change that one.")) from error
    return version


def _known_accounts(chart: str, rules: Sequence[AccountRule]) -> None:
    there = set(Account.objects.filter(chart=chart).values_list("number", flat=True))
    for rule in rules:
        if rule.account not in there:
            raise NotNow(say("The chart of accounts has no account %(account)s.", account=rule.account))


_QUESTION = ("event", *WEIGHTS)


def _open_lines(chart: str, events: set[str]) -> Any:
    """Lines that stand, of months that are open."""
    locked = Q(pk=None)
    for period in Period.objects.filter(state=PeriodState.LOCKED):
        locked |= Q(entry__booked_on__year=period.year, entry__booked_on__month=period.month)
    standing = Posting.objects.filter(entry__chart=chart, entry__booking__isnull=False, event__in=events)
    return standing.exclude(side=Side.TAX).exclude(locked)


def _otherwise(
    chart: str, bring: Sequence[AccountRule], retire: Sequence[int]
) -> Iterator[tuple[dict[str, Any], str, str]]:
    """Questions that were answered so and would be answered otherwise, with the old and the new answer."""
    named = set(AccountRule.objects.filter(pk__in=retire).values_list("event", flat=True)) | {
        rule.event for rule in bring
    }
    table = Table.load(chart, instead=bring, without=retire)
    lines = _open_lines(chart, named)
    for line in (
        lines.values(*_QUESTION, "account", day=F("entry__booked_on")).annotate(rows=Count("pk")).order_by(*_QUESTION)
    ):
        new = _answer(table, line)
        if new != line["account"]:
            yield line, line["account"], new


def _answer(table: Table, line: dict[str, Any]) -> str:
    asked = type("Asked", (), line)
    try:
        return str(table.find(key_of(asked, line["day"])).account.number)
    except HubError:
        return ""


def preview(chart: str, *, bring: Sequence[AccountRule] = (), retire: Sequence[int] = ()) -> list[Change]:
    """What of the postings in open months would be on another account, most rows first.  Nothing is changed."""
    sums: dict[tuple[str, str], int] = {}
    for line, old, new in _otherwise(chart, bring, retire):
        sums[old, new] = sums.get((old, new), 0) + line["rows"]
    return sorted((Change(rows, old, new) for (old, new), rows in sums.items()), key=lambda one: -one.rows)


def post_again(chart: str, since: date, events: set[str]) -> int:
    """Let what stands in open months since this day be posted by the rules of now; returns how many are looked at."""
    entries = _open_lines(chart, events).filter(entry__booked_on__gte=since).values("entry_id")
    return finding.again(Booking.objects.filter(entry_id__in=entries).values_list("pk", flat=True))
