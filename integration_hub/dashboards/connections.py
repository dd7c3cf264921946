"""The pages of connections: which there are, how they fare, their settings, their processes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from exceptions.models import ExceptionCase
from exceptions.presentation import Shown
from integration_hub.backoffice import exports
from integration_hub.backoffice.buttons import buttons, press
from integration_hub.backoffice.pages import context, person, required
from integration_hub.backoffice.words import words
from integration_hub.kernel.errors import HubError
from integration_hub.messaging import checks, connections, polling, switches
from integration_hub.messaging.forms import ConnectionForm, SwitchForm
from integration_hub.messaging.switches import Process
from integration_hub.models import Connection, InboundEvent, PollState, ProcessSwitch
from integration_hub.models.connection import ConnectionState
from integration_hub.models.inbound import Door
from orders import silence

from . import health, sheets

SHARE_OF = 1000
VIEW = "integration_hub.view_connection"
ADD = "integration_hub.add_connection"
CHANGE = "integration_hub.change_connection"


@required(VIEW)
def listing(request: HttpRequest) -> HttpResponseBase:
    """Every connection on one line."""
    state = request.GET.get("state", "")
    rows = Connection.objects.filter(state=state) if state in ConnectionState.values else None
    lines = health.lines(rows)
    if file := exports.asked(request, sheets.CONNECTIONS, lines):
        return file
    shown = {"lines": lines, "filtered": rows is not None}
    return render(request, "connections/list.html", context(request, _("Connections"), **shown))


@required(VIEW)
def page(request: HttpRequest, pk: int) -> HttpResponse:
    """One connection: how it fares, what it is polled for, what it cannot, which processes run over it."""
    connection = get_object_or_404(Connection, pk=pk)
    cls = connections.connector_of(connection)
    shown = {
        "connection": connection,
        "system": connections.system_name(connection),
        "line": health.lines(Connection.objects.filter(pk=pk))[0],
        "webhook": _webhook(request, connection) if connections.receives(connection) else "",
        "polls": _polls(connection),
        "share": found_by_poll(connection),
        "silence": silence.seen(connection),
        "cannot": cls.cannot if cls else (),
        "check": checks.last(connection),
        "cases": [Shown(case) for case in ExceptionCase.objects.open().filter(connection=connection).by_urgency()[:20]],
        "processes": _processes(connection),
        "targeted": connection.targeted_by.filter(enabled=True).select_related("channel"),
        "buttons": buttons(request, connections.ACTIONS, connection, "connection_action"),
    }
    return render(request, "connections/connection.html", context(request, connection.name, **shown))


@require_POST
@required(VIEW)
def act(request: HttpRequest, pk: int, code: str) -> HttpResponse:
    """Press a button of the connection's page."""
    press(request, connections.ACTIONS, code, get_object_or_404(Connection, pk=pk))
    return redirect("connection", pk=pk)


def _webhook(request: HttpRequest, connection: Connection) -> str:
    return request.build_absolute_uri(reverse("webhook", args=[connection.slug]))


@dataclass(frozen=True)
class Poll:
    """A stream with the words of its connector."""

    label: Any
    state: PollState


def _polls(connection: Connection) -> list[Poll]:
    labels = {stream.name: stream.label for stream in polling.streams(connection)}
    return [Poll(labels.get(row.stream, row.stream), row) for row in connection.polls.order_by("stream")]


def found_by_poll(connection: Connection) -> dict[str, int] | None:
    """Of the last thousand events, how many polling found that no webhook had brought; None without webhooks."""
    if not connections.receives(connection):
        return None
    doors = list(
        InboundEvent.objects.filter(connection=connection).order_by("-pk").values_list("door", flat=True)[:SHARE_OF]
    )
    polled = sum(door == Door.POLL for door in doors)
    return {"of": len(doors), "polled": polled, "percent": round(100 * polled / len(doors)) if doors else 0}


@dataclass(frozen=True)
class Running:
    """A process of this channel: its switch, its form, whether the system can do what it needs."""

    process: Process
    switch: ProcessSwitch | None
    form: SwitchForm
    possible: bool


def _processes(connection: Connection) -> list[Running]:
    known = {row.process: row for row in connection.switches.select_related("target")}
    return [
        Running(
            process,
            known.get(process.code),
            SwitchForm(process, known.get(process.code)),
            switches.possible(process, connection),
        )
        for process in switches.processes_of(connection)
    ]


@require_POST
@required(CHANGE)
def switch(request: HttpRequest, pk: int, code: str) -> HttpResponse:
    """Switch a process of this channel on or off."""
    connection, process = get_object_or_404(Connection, pk=pk), switches.process_of(code)
    if process is None or process not in switches.processes_of(connection):
        raise Http404
    known = connection.switches.filter(process=code).first()
    form = SwitchForm(process, known, request.POST)
    if not form.is_valid():
        messages.error(request, _("Please choose the system and the date: nothing was switched."))
        return redirect("connection", pk=pk)
    try:
        messages.success(request, words(switches.put(connection, process, form.setting(), by=person(request))))
    except HubError as error:
        messages.error(request, words(error.text))
    return redirect("connection", pk=pk)


@required(ADD)
def choose(request: HttpRequest) -> HttpResponse:
    """Which system is to be connected."""
    kinds = [(cls.code, _(cls.label)) for cls in connections.kinds()]
    return render(request, "connections/choose.html", context(request, _("New connection"), kinds=kinds))


@required(ADD)
def add(request: HttpRequest, kind: str) -> HttpResponse:
    """The settings of a new connection."""
    connection = Connection(kind=kind)
    if connections.connector_of(connection) is None:
        raise Http404
    return _edited(request, connection, _("New connection"))


@required(CHANGE)
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    """The settings of a connection."""
    connection = get_object_or_404(Connection, pk=pk)
    if connections.connector_of(connection) is None:
        raise Http404
    return _edited(request, connection, _("Settings of %(name)s") % {"name": connection.name})


def _edited(request: HttpRequest, connection: Connection, title: str) -> HttpResponse:
    form = ConnectionForm(connection.connector_class, connection, request.POST if request.method == "POST" else None)
    if form.is_valid():
        connections.keep(
            connection, plain=form.plain(), config=form.config(), secrets=form.secrets(), by=person(request)
        )
        messages.success(request, _("Saved. Test the connection to see whether the settings are right."))
        return redirect("connection", pk=connection.pk)
    shown = {"form": form, "connection": connection, "system": connections.system_name(connection)}
    return render(
        request,
        "connections/edit.html",
        context(request, title, **shown),
        status=200 if request.method == "GET" else 422,
    )
