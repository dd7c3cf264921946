"""The verbs of connections: keep settings, pause, resume, poll.  Secrets go in and never come out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from exceptions.actions import Why
from integration_hub.backoffice.actions import Action
from integration_hub.connectors import registry
from integration_hub.connectors.base import Connector
from integration_hub.kernel.states import Capability
from integration_hub.kernel.text import Text, say
from integration_hub.models import Connection
from integration_hub.models.access import User
from integration_hub.models.activity import note
from integration_hub.models.connection import ConnectionState

from . import breakers, checks, polling, pump


def kinds() -> list[type[Connector]]:
    """The systems that can be connected, in order of name."""
    return sorted(registry().values(), key=lambda cls: cls.label.lower())


def system_name(connection: Connection) -> str:
    """What the system behind the connection is called; its code where this version has no connector for it."""
    cls = connector_of(connection)
    return gettext(cls.label) if cls else connection.kind


def connector_of(connection: Connection) -> type[Connector] | None:
    """The connector of this connection, None where this version has none for it."""
    return registry().get(connection.kind)


def receives(connection: Connection) -> bool:
    """Whether the system sends webhooks to us."""
    return Capability.RECEIVE in connection.capabilities


@transaction.atomic
def keep(
    connection: Connection, *, plain: Mapping[str, Any], config: Mapping[str, Any], secrets: Mapping[str, str], by: User
) -> list[str]:
    """Save a connection, new or known, and write down which fields changed, never what a secret is.

    An empty secret keeps the stored one.  Returns the names of the changed fields.
    """
    made = connection.pk is None
    changed = [name for name, value in plain.items() if getattr(connection, name) != value]
    changed += [name for name, value in config.items() if connection.config.get(name) != value]
    changed += sorted(name for name, value in secrets.items() if value)
    for name, value in plain.items():
        setattr(connection, name, value)
    connection.config = connection.config | dict(config)
    connection.set_secrets(dict(secrets))
    connection.save()
    polling.prepare(connection)
    text = say("Connection made") if made else say("Settings changed: %(fields)s", fields=", ".join(changed))
    if made or changed:
        action = "connections.made" if made else "connections.changed"
        note(connection, action, text, by=by, data={"fields": changed})
    return changed


def _pause(connection: Connection, *, by: User, why: str) -> Text:
    text = say("Paused by %(who)s: %(because)s", who=by.get_username(), because=why)
    Connection.objects.filter(pk=connection.pk).update(state=ConnectionState.PAUSED, state_reason=text.as_json())
    return say("Paused; what arrives is kept, nothing is sent.")


def _resume(connection: Connection, *, by: User) -> Text:
    checks.resume(connection)
    return say("The connection is used again.")


def _poll(connection: Connection, *, by: User) -> Text:
    polling.poll_now(connection)
    pump.kick("poll")
    return say("Polling starts now.")


def _try_now(connection: Connection, *, by: User) -> Text:
    breakers.try_now(connection)
    return say("One piece of work is let through now. If the system answers, the rest follows.")


def _interrupted(connection: Connection) -> Text | None:
    return say("Calls to this system are not interrupted.") if breakers.is_closed(connection) else None


def _not_paused(connection: Connection) -> Text | None:
    return say("The connection is paused.") if connection.state == ConnectionState.PAUSED else None


def _paused(connection: Connection) -> Text | None:
    return None if connection.state == ConnectionState.PAUSED else say("The connection is not paused.")


def _can_poll(connection: Connection) -> Text | None:
    if connection.state != ConnectionState.ACTIVE:
        return say("The connection is not in use.")
    return None if polling.streams(connection) else say("This system cannot be polled.")


POLL_NOW = Action(
    code="connections.poll",
    label=_("Poll now"),
    permission="integration_hub.check_connection",
    run=_poll,
    allowed=_can_poll,
    help=_("Looks now for what changed, instead of waiting for the next turn."),
)
TRY_NOW = Action(
    code="connections.try",
    label=_("Try now"),
    permission="integration_hub.check_connection",
    run=_try_now,
    allowed=_interrupted,
    primary=True,
    help=_("Does not wait for the next try: one piece of work goes to the system now."),
)
RESUME = Action(
    code="connections.resume",
    label=_("Resume"),
    permission="integration_hub.change_connection",
    run=_resume,
    allowed=_paused,
    primary=True,
    help=_("What has waited goes out at once."),
)
PAUSE = Action(
    code="connections.pause",
    label=_("Pause"),
    permission="integration_hub.change_connection",
    run=_pause,
    form=Why,
    allowed=_not_paused,
    destructive=True,
    help=_(
        "Webhooks are still accepted and kept. Nothing is processed, polled or sent until the connection is resumed."
    ),
)

ACTIONS: tuple[Action, ...] = (checks.CHECK, TRY_NOW, RESUME, POLL_NOW, PAUSE)
