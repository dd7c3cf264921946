"""What people do with alerts: take one, test a channel; and the kind of case of a channel that does not work."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

from django.utils.translation import gettext_lazy as _

from exceptions import services as cases
from exceptions.kinds import Kind
from exceptions.models import ExceptionCase
from integration_hub.backoffice.actions import Action
from integration_hub.kernel.text import Text, say
from integration_hub.messaging import pump
from integration_hub.models import Alert, AlertChannel, AlertDelivery, User
from integration_hub.models.alert import AlertState, Occasion

from . import delivery


def _open(alert: Alert) -> Text | None:
    return None if alert.state == AlertState.OPEN else say("Somebody has taken it, or it is over.")


def _take(alert: Alert, *, by: User) -> Text:
    alert.state, alert.taken_by = AlertState.TAKEN, by
    alert.save(update_fields=["state", "taken_by"])
    case = ExceptionCase.objects.open().filter(pk=alert.case_id, assignee=None).first() if alert.case_id else None
    if case and by.has_perm("exceptions.assign_exceptioncase"):
        cases.assign(case, to=by)
    return say("Taken; it is not escalated any more.")


TAKE = Action(
    code="alerts.take",
    label=_("Take it"),
    permission="integration_hub.take_alert",
    run=_take,
    allowed=_open,
    bulk=True,
    help=_("You take care of it: it is not escalated. The exception behind it is assigned to you."),
)


def _test(channel: AlertChannel, *, by: User) -> Text:
    AlertDelivery.objects.create(channel=channel, occasion=Occasion.TEST, key=f"TEST:{uuid4().hex}")
    pump.kick(delivery.LANE)
    return say("A test message is on its way; the list below shows what becomes of it.")


TEST = Action(
    code="alerts.test",
    label=_("Send a test message"),
    permission="integration_hub.change_alertchannel",
    run=_test,
    primary=True,
)

ALERT_ACTIONS = (TAKE,)
CHANNEL_ACTIONS = (TEST,)


def _rerun(case: ExceptionCase) -> int:
    """What failed goes out once more."""
    held = cases.held_up(case, AlertChannel)
    again = delivery.send_again(held)
    pump.kick(delivery.LANE)
    return again or len(held)


KINDS = (
    Kind(
        code=delivery.KIND,
        title=_("Alerts do not reach %(channel)s"),
        explanation=_(
            "The channel refuses the messages of the hub or does not answer. What other channels are told is not touched."
        ),
        blocks=_("Being told through this channel"),
        role="integrator",
        due=timedelta(hours=4),
        rerun=_rerun,
        help=_("Correct the channel and send a test message. The exception closes itself when a message gets through."),
    ),
)
