"""What a person may do to compared days: compare one again, or a shop's last days and today."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from integration_hub.backoffice.actions import Action
from integration_hub.kernel.states import Capability
from integration_hub.kernel.text import Text, say
from integration_hub.models import Connection
from integration_hub.models.access import User
from integration_hub.models.connection import ConnectionState

from . import completeness
from .tally import DayTally

DAYS = 7


def _again(tally: DayTally, *, by: User) -> Text:
    completeness.again([tally.pk])
    return say("The day is compared again; the result is here in a moment.")


def _in_use(connection: Connection) -> Text | None:
    return None if connection.state == ConnectionState.ACTIVE else say("The connection is not in use.")


def _comparable(connection: Connection) -> Text | None:
    if Capability.LIST_ORDERS not in connection.capabilities:
        return say("This system cannot list its orders.")
    return _in_use(connection)


def _compare(connection: Connection, *, by: User) -> Text:
    count = completeness.compare(DAYS, of=connection, today=True)
    return say("%(count)s days are compared; the results are here in a moment.", count=count)


AGAIN = Action(
    code="completeness.again",
    label=_("Compare again"),
    permission="exceptions.retry_exceptioncase",
    run=_again,
    allowed=lambda tally: _in_use(tally.connection),
    help=_("Asks shop and ERP for the orders of this day and changes nothing there."),
)
COMPARE = Action(
    code="completeness.compare",
    label=_("Compare now"),
    permission="exceptions.retry_exceptioncase",
    run=_compare,
    allowed=_comparable,
    help=_("Compares the last seven days and today. It also runs by itself every night."),
)
