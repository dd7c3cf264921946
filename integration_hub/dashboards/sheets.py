"""Connections and ledgers as files."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from integration_hub.backoffice import masking
from integration_hub.backoffice.exports import Column, choice, column, sheet
from integration_hub.backoffice.words import term, words

CONNECTIONS = sheet(
    "connections",
    _("Connections"),
    column(_("Connection"), "connection.name"),
    column(_("System"), "system"),
    Column(_("Role"), lambda line: line.connection.get_role_display()),
    Column(_("State"), lambda line: line.connection.get_state_display()),
    column(_("Last event"), "last_event"),
    column(_("Events waiting"), "events"),
    column(_("Commands waiting"), "commands"),
    column(_("Exceptions"), "cases"),
)

EVENTS = sheet(
    "incoming",
    _("Incoming"),
    column(_("id"), "pk"),
    column(_("received"), "received_at"),
    column(_("Connection"), "connection.name"),
    choice(_("Door"), "door"),
    column(_("topic"), "topic"),
    column(_("Object"), "object_id"),
    choice(_("State"), "state"),
    column(_("finished"), "finished_at"),
    column(_("attempts"), "attempts"),
    column(_("reason"), "reason").through(words),
)

COMMANDS = sheet(
    "outgoing",
    _("Outgoing"),
    column(_("id"), "pk"),
    column(_("created"), "created_at"),
    column(_("Target"), "connection.name"),
    column(_("Command"), "verb").through(term),
    column(_("key"), "key"),
    choice(_("State"), "state"),
    column(_("finished"), "finished_at"),
    column(_("attempts"), "attempts"),
    column(_("reason"), "reason").through(words),
)

ACTIVITY = sheet(
    "activity",
    _("Activity"),
    column(_("id"), "pk"),
    column(_("at"), "at"),
    column(_("who"), "actor.username"),
    column(_("system"), "system"),
    column(_("About"), "subject").through(str),
    column(_("What"), "text").through(words),
    column(_("why"), "why"),
    column(_("action"), "action"),
)


def _side(name: str) -> Column:
    """One side of a change, as JSON without secrets; personal, since it may be an address."""
    label = _("before") if name == "before" else _("after")
    return Column(label, lambda entry: _json(getattr(entry, name)), personal=True)


def _json(side: Any) -> str | None:
    return masking.indented(masking.masked(side, personal=True)) if side else None


def _where(name: str, label: Any) -> Column:
    return Column(label, lambda entry: entry.origin.get(name, ""))


AUDIT = sheet(
    "audit_trail",
    _("Audit trail"),
    column("#", "pk"),
    column(_("at"), "at"),
    choice(_("deed"), "deed"),
    column(_("table"), "relation"),
    column(_("row"), "row_id"),
    column(_("who"), "actor.username"),
    column(_("action"), "action"),
    column(_("why"), "why"),
    _where("address", _("Address")),
    _where("session", _("Session")),
    _where("token", _("Token")),
    _where("page", _("Page")),
    column(_("program"), "program"),
    column(_("database user"), "db_user"),
    _side("before"),
    _side("after"),
    Column(_("hash"), lambda entry: bytes(entry.digest).hex()),
)
