"""A clearing account for each provider: the first movement of one that has none takes the next free account of the chart."""

from __future__ import annotations

from collections.abc import Iterable

from django.utils import timezone
from django.utils.translation import gettext_noop as mark

from integration_hub.kernel.errors import Rejected
from integration_hub.kernel.text import say
from integration_hub.models import Connection

from ..events import Chart, Event
from ..models import AccountRule
from . import changing
from .mapping import Key, Table

# individual accounts in DATEV's range for money in transit; the second of it is for what providers hold back
FREE = {
    Chart.SKR03: ("1361", "1363", "1364", "1365", "1366", "1367", "1368", "1369"),
    Chart.SKR04: ("1461", "1463", "1464", "1465", "1466", "1467", "1468", "1469"),
}


def provide(chart: str, connections: Iterable[int]) -> None:
    """See that each of these providers has its clearing account."""
    missing = sorted(set(connections) - _provided(chart))
    for connection in Connection.objects.filter(pk__in=missing).order_by("pk"):
        _take(chart, connection)


def _provided(chart: str) -> set[int]:
    rules = AccountRule.objects.filter(chart=chart, event=Event.CLEARING, until=None)
    found = set(rules.values_list("channel_id", flat=True))
    return found if None not in found else set(Connection.objects.values_list("pk", flat=True))


def _take(chart: str, connection: Connection) -> None:
    changing.lock(chart)
    table, today = Table.load(chart), timezone.localdate()
    if table.fitting(Key(event=Event.CLEARING, day=today, channel_id=connection.pk)):
        return
    taken = set(AccountRule.objects.filter(chart=chart).values_list("account", flat=True))
    free = next((number for number in FREE[Chart(chart)] if number not in taken and number in table.accounts), None)
    if free is None:
        raise Rejected(say("All clearing accounts of the chart are taken; add one to the mapping."), code="no_account")
    rule = AccountRule(chart=chart, event=Event.CLEARING, channel=connection, account=free)
    changing.change(chart, bring=[rule], by=None, why=mark("first movement of a provider"))
