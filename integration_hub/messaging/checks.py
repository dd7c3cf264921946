"""Testing a connection: ask the system, keep what was found, and use a connection again that turned out well."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import uuid4

from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from exceptions import services as cases
from exceptions.actions import is_open
from exceptions.models import ExceptionCase
from integration_hub.backoffice.actions import Action
from integration_hub.connectors.base import Finding
from integration_hub.kernel.errors import HubError, NotNow
from integration_hub.kernel.text import Text, say
from integration_hub.models import Activity, Connection, InboundEvent, OutboundCommand, PollState
from integration_hub.models.access import User
from integration_hub.models.connection import ConnectionState
from integration_hub.models.inbound import EventState
from integration_hub.models.outbound import CommandState

from . import pump

logger = logging.getLogger(__name__)

CHECKED = "connections.check"
SETTINGS_CODES = ("misconfigured", "incomplete", "no_key")  # why events were parked while the settings were wrong


def look(connection: Connection) -> dict[str, Any]:
    """Ask the system without changing anything there; HTTP, so never in a transaction.  The findings as JSON."""
    return {"findings": [{"ok": found.ok, "text": found.text.as_json()} for found in _findings(connection)]}


def _findings(connection: Connection) -> Sequence[Finding]:
    try:
        return connection.connector().check()
    except HubError as error:
        return [Finding(False, error.text)]
    except Exception:  # the edge that records: the person sees a sentence, the log the trace
        trace = uuid4().hex[:12]
        logger.exception("defect %s while testing connection %s", trace, connection.pk)
        return [Finding(False, say("A defect of the hub (trace %(trace)s).", trace=trace))]


def judge(connection: Connection, *, by: User, found: Mapping[str, Any]) -> Text:
    """What a test means: all well resumes a misconfigured connection, else the first trouble is said."""
    wrong = [item for item in found["findings"] if not item["ok"]]
    if wrong:
        first = Text(**wrong[0]["text"])
        return say("The test found %(count)s problems. %(first)s", count=len(wrong), first=first)
    cases.settle(connection, kinds=("connection_misconfigured",))
    if connection.state == ConnectionState.MISCONFIGURED:
        resume(connection)
        return say("The connection works and is used again.")
    return say("The connection works.")


def resume(connection: Connection) -> None:
    """Use the connection again: what waited is due now, what was parked for its settings runs again.

    What a target may still be writing keeps its pause.
    """
    Connection.objects.filter(pk=connection.pk).update(state=ConnectionState.ACTIVE, state_reason={})
    events = InboundEvent.objects.filter(connection=connection)
    events.filter(state=EventState.DUE).update(due_at=Now())
    events.filter(state=EventState.PARKED, reason_code__in=SETTINGS_CODES).update(
        state=EventState.DUE, due_at=Now(), crashes=0, finished_at=None
    )
    OutboundCommand.objects.filter(connection=connection, state=CommandState.DUE, maybe_sent=False).update(due_at=Now())
    PollState.objects.filter(connection=connection, lease_token=None).update(due_at=Now())
    for lane in pump.LANES:
        pump.kick(lane)


def last(connection: Connection) -> Activity | None:
    """The last test of this connection, with its findings in ``data``."""
    of = {"subject_type__app_label": "integration_hub", "subject_type__model": "connection"}
    rows = Activity.objects.filter(subject_id=connection.pk, action=CHECKED, **of).select_related("actor")
    return rows.order_by("-pk").first()


def _look_from_case(case: ExceptionCase) -> dict[str, Any]:
    if case.connection is None:
        raise NotNow(say("This exception belongs to no connection."), code="not_now")
    return look(case.connection)


def _judge_from_case(case: ExceptionCase, *, by: User, found: Mapping[str, Any]) -> Text:
    assert case.connection is not None  # noqa: S101  _look_from_case has seen to it
    return judge(Connection.objects.select_for_update().get(pk=case.connection.pk), by=by, found=found)


_HELP = _("Asks the system with the stored settings and changes nothing there.")

CHECK = Action(
    code=CHECKED,
    label=_("Test connection"),
    permission="integration_hub.check_connection",
    run=judge,
    outside=look,
    help=_HELP,
    primary=True,
)
CHECK_FROM_CASE = Action(
    code="connections.check_case",
    label=_("Test connection"),
    permission="integration_hub.check_connection",
    run=_judge_from_case,
    outside=_look_from_case,
    allowed=is_open,
    help=_HELP,
    primary=True,
)
