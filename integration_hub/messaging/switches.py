"""Process switches: which business process runs for a channel, with which system at its other end, since when."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from integration_hub.kernel.errors import NotNow
from integration_hub.kernel.states import Capability, Role
from integration_hub.kernel.text import Text, say
from integration_hub.models import Connection, ProcessSwitch
from integration_hub.models.access import User
from integration_hub.models.activity import note

from . import pump

CHANNELS = (Role.SHOP,)


@dataclass(frozen=True, kw_only=True)
class Process:
    """A process: its code, what it is called, what it does, and the role of the system at its other end.

    ``needs``: one of these the channel's system must be able to do.  ``looks_back``: orders recorded before are taken up
    when it is switched on.
    """

    code: str
    label: Any
    help: Any
    target_role: Role
    needs: frozenset[Capability] = frozenset()
    looks_back: bool = False


_processes: dict[str, Process] = {}


def register(processes: Iterable[Process]) -> None:
    """Called once, by the wiring."""
    _processes.update({process.code: process for process in processes})


def process_of(code: str) -> Process | None:
    return _processes.get(code)


def processes_of(channel: Connection) -> list[Process]:
    """The processes that can run for this connection: those of a sales channel, none for other systems."""
    return list(_processes.values()) if channel.role in CHANNELS else []


def possible(process: Process, channel: Connection) -> bool:
    """Whether the channel's system can do what the process needs."""
    return not process.needs or bool(process.needs & channel.capabilities)


@dataclass(frozen=True)
class Setting:
    """How a process is to run: on or off, with which system, for orders placed since when."""

    enabled: bool
    target: Connection
    since: datetime


@transaction.atomic
def put(channel: Connection, process: Process, setting: Setting, *, by: User) -> Text:
    """Switch a process on or off; NotNow where the two systems do not fit.  Earlier orders are taken up by the lane."""
    _refuse_misfits(channel, process, setting)
    known = ProcessSwitch.objects.select_for_update().filter(channel=channel, process=process.code).first()
    switch = known or ProcessSwitch(channel=channel, process=process.code)
    reaches_back = process.looks_back and setting.enabled and _widens(known, setting)
    switch.enabled, switch.target, switch.since = setting.enabled, setting.target, setting.since
    if reaches_back:
        switch.catch_up_after = 0
        pump.kick("catchup")
    switch.save()
    text = _words(process, setting)
    data = {"process": process.code, "target": setting.target.slug, "since": setting.since.isoformat()}
    note(channel, "connections.switched", text, by=by, data=data)
    return text


def _refuse_misfits(channel: Connection, process: Process, setting: Setting) -> None:
    target = setting.target
    if target.role != process.target_role:
        raise NotNow(say("%(target)s is not the kind of system this process needs.", target=target.name))
    if setting.enabled and target.mode != channel.mode:
        raise NotNow(
            say(
                "%(channel)s and %(target)s are not both live or both test connections. Test orders must not reach live systems.",
                channel=channel.name,
                target=target.name,
            )
        )
    if setting.enabled and not possible(process, channel):
        raise NotNow(say("%(channel)s cannot do what this process needs.", channel=channel.name))


def _widens(known: ProcessSwitch | None, setting: Setting) -> bool:
    return known is None or not known.enabled or setting.since < known.since


def _words(process: Process, setting: Setting) -> Text:
    if not setting.enabled:
        return say("Process switched off: %(verb)s", verb=f"process:{process.code}")
    return say("Process switched on: %(verb)s → %(target)s", verb=f"process:{process.code}", target=setting.target.name)


def crosses_modes(connection: Connection, mode: str) -> bool:
    """Whether a running process would join a test and a live system if the connection had this mode."""
    running = ProcessSwitch.objects.filter(enabled=True)
    return (
        running.filter(channel=connection).exclude(target__mode=mode).exists()
        or running.filter(target=connection).exclude(channel__mode=mode).exists()
    )
