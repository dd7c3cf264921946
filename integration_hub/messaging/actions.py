"""What a person may do to a message: let an event run again, try a command now, take a command back."""

from __future__ import annotations

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from exceptions import services as cases
from exceptions.actions import Why
from integration_hub.backoffice.actions import Action
from integration_hub.kernel.text import Text, say
from integration_hub.models import InboundEvent, OutboundCommand
from integration_hub.models.access import User
from integration_hub.models.inbound import EventState
from integration_hub.models.outbound import CommandState

from . import inbox, outbox

WAITING = (CommandState.DUE, CommandState.PARKED)


def _is_parked(event: InboundEvent) -> Text | None:
    return None if event.state == EventState.PARKED else say("Only a parked event can be processed again.")


def _again(event: InboundEvent, *, by: User) -> Text:
    inbox.requeue(event.pk)
    return say("The event runs again.")


def _waits(command: OutboundCommand) -> Text | None:
    return None if command.state in WAITING else say("This command does not wait.")


def _try_now(command: OutboundCommand, *, by: User) -> Text:
    outbox.requeue(command.pk)
    return say("The command is tried now.")


def _may_be_taken_back(command: OutboundCommand) -> Text | None:
    if command.maybe_sent:
        return say("The target may already hold this; it cannot be taken back here.")
    return _waits(command)


def _cancel(command: OutboundCommand, *, by: User, why: str) -> Text:
    """The command is over, and so are the troubles that only it had."""
    OutboundCommand.objects.filter(pk=command.pk).update(state=CommandState.CANCELLED, finished_at=timezone.now())
    if command.subject is not None:
        held = cases.open_cases_of(command.subject).exclude(cause=f"command:{command.pk}")
        cases.settle(
            command.subject,
            kinds=("target_refused", "defect"),
            still=[(case.kind, case.cause) for case in held],
        )
    return say("The command is cancelled; nothing was sent.")


PROCESS_AGAIN = Action(
    code="events.process_again",
    label=_("Process again"),
    permission="exceptions.retry_exceptioncase",
    run=_again,
    allowed=_is_parked,
    primary=True,
    help=_("The kept message is read once more. Nothing happens twice."),
)
TRY_NOW = Action(
    code="commands.try_now",
    label=_("Try now"),
    permission="exceptions.retry_exceptioncase",
    run=_try_now,
    allowed=_waits,
    primary=True,
    help=_("Does not wait for the next turn. What the target already holds is not made twice."),
)
CANCEL = Action(
    code="commands.cancel",
    label=_("Cancel"),
    permission="exceptions.dismiss_exceptioncase",
    run=_cancel,
    form=Why,
    allowed=_may_be_taken_back,
    destructive=True,
    help=_("Nothing was sent yet, and nothing will be."),
)

EVENT_ACTIONS: tuple[Action, ...] = (PROCESS_AGAIN,)
COMMAND_ACTIONS: tuple[Action, ...] = (TRY_NOW, CANCEL)
