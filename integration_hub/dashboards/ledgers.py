"""The ledgers: what came in, what goes out, who did what.  Read-only, but for the buttons that let a message run again."""

from __future__ import annotations

from typing import Any

from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from exceptions import services as cases
from exceptions.presentation import Shown
from integration_hub.backoffice import exports, keyset, masking
from integration_hub.backoffice.buttons import buttons, press
from integration_hub.backoffice.exports import Sheet
from integration_hub.backoffice.pages import context, person, required
from integration_hub.messaging.actions import COMMAND_ACTIONS, EVENT_ACTIONS
from integration_hub.models import Activity, InboundEvent, OutboundCommand, origin

from . import sheets
from .differences import differences
from .filters import ActivityFilter, CommandFilter, EventFilter

PERSONAL = "orders.see_personal_data"

# what a target answered, in the order in which it is shown
_ANSWER = {
    "number": gettext_lazy("number there"),
    "external_id": gettext_lazy("id there"),
    "vendor_status": gettext_lazy("state there"),
    "url": gettext_lazy("address there"),
    "was_there": gettext_lazy("was already there"),
}


def _ledger(request: HttpRequest, template: str, made: Sheet, found: Any, route: str) -> HttpResponseBase:
    if file := exports.asked(request, made, found.qs.order_by("-pk")):
        return file
    rows = keyset.newest(found.qs, request)
    filtered = any(request.GET.get(name) for name in found.base_filters)
    shown = context(request, made.title, slice=rows, form=found.form, filtered=filtered, route=route)
    return render(request, template, shown)


@required("integration_hub.view_inboundevent")
def events(request: HttpRequest) -> HttpResponseBase:
    """What came in, newest first."""
    rows = InboundEvent.objects.select_related("connection").defer("body", "context")
    return _ledger(
        request, "messaging/events.html", sheets.EVENTS, EventFilter(request.GET, rows, request=request), "events"
    )


@required("integration_hub.view_inboundevent")
def event(request: HttpRequest, pk: int) -> HttpResponse:
    """One event: what was said, what became of it."""
    row = get_object_or_404(InboundEvent.objects.select_related("connection"), pk=pk)
    personal = person(request).has_perm(PERSONAL)
    if personal:
        origin.saw(InboundEvent, [pk])
    shown = {
        "event": row,
        "payload": masking.pretty(bytes(row.body), personal=personal),
        "size": len(row.body),
        "headers": masking.masked(row.context, personal=personal),
        "personal": personal,
        "activities": _with_subjects(Activity.objects.filter(event=row).order_by("pk"))[:100],
        "cases": _cases(row),
        "buttons": buttons(request, EVENT_ACTIONS, row, "event_action"),
    }
    return render(request, "messaging/event.html", context(request, _("Event %(id)s") % {"id": pk}, **shown))


@require_POST
@required("integration_hub.view_inboundevent")
def event_action(request: HttpRequest, pk: int, code: str) -> HttpResponse:
    """Press a button of the event's page."""
    press(request, EVENT_ACTIONS, code, get_object_or_404(InboundEvent, pk=pk))
    return redirect("event", pk=pk)


@required("integration_hub.view_outboundcommand")
def commands(request: HttpRequest) -> HttpResponseBase:
    """What goes out, newest first."""
    rows = OutboundCommand.objects.select_related("connection").prefetch_related("subject")
    found = CommandFilter(request.GET, rows, request=request)
    return _ledger(request, "messaging/commands.html", sheets.COMMANDS, found, "commands")


@required("integration_hub.view_outboundcommand")
def command(request: HttpRequest, pk: int) -> HttpResponse:
    """One command: its state, its tries, and what changed between them."""
    row = get_object_or_404(OutboundCommand.objects.select_related("connection"), pk=pk)
    personal = person(request).has_perm(PERSONAL)
    if personal:
        origin.saw(OutboundCommand, [pk])
    shown = {
        "command": row,
        "tries": _tries(row, personal=personal),
        "personal": personal,
        "cases": _cases(row.subject or row),
        "answer": [(label, row.result[name]) for name, label in _ANSWER.items() if row.result.get(name)],
        "buttons": buttons(request, COMMAND_ACTIONS, row, "command_action"),
    }
    return render(request, "messaging/command.html", context(request, _("Command %(id)s") % {"id": pk}, **shown))


@require_POST
@required("integration_hub.view_outboundcommand")
def command_action(request: HttpRequest, pk: int, code: str) -> HttpResponse:
    """Press a button of the command's page."""
    press(request, COMMAND_ACTIONS, code, get_object_or_404(OutboundCommand, pk=pk))
    return redirect("command", pk=pk)


def _tries(row: OutboundCommand, *, personal: bool) -> list[dict[str, Any]]:
    """The newest fifty tries, newest first, each with what changed in what was to be written since the one before."""
    rows = list(row.tries.order_by("-number")[:50])
    shown = []
    for attempt, before in zip(rows, [*rows[1:], None], strict=True):
        payload = masking.masked(attempt.payload, personal=personal)
        earlier = masking.masked(before.payload, personal=personal) if before and before.payload else None
        changed = differences(earlier, payload) if earlier is not None and payload else []
        shown.append(
            {
                "attempt": attempt,
                "payload": masking.indented(payload) if payload else "",
                "compared": earlier is not None and bool(payload),
                "changes": changed,
                "exchanges": [_exchange(item, personal=personal) for item in attempt.exchanges],
            }
        )
    return shown


def _exchange(item: dict[str, Any], *, personal: bool) -> dict[str, Any]:
    """A request and its answer, as this person may see them."""
    texts = {
        name: masking.pretty(str(item.get(name) or "").encode(), personal=personal) if item.get(name) else ""
        for name in ("request", "answer")
    }
    return item | texts | {"url": masking.text(str(item.get("url", "")), personal=personal)}


@required("integration_hub.view_activity")
def activity(request: HttpRequest) -> HttpResponseBase:
    """Who did what, newest first."""
    rows = _with_subjects(Activity.objects.all())
    found = ActivityFilter(request.GET, rows, request=request)
    return _ledger(request, "messaging/activity.html", sheets.ACTIVITY, found, "activity")


def _with_subjects(rows: QuerySet[Activity]) -> QuerySet[Activity]:
    return rows.select_related("actor", "subject_type").prefetch_related("subject")


def _cases(subject: Model) -> list[Shown]:
    return [Shown(case) for case in cases.open_cases_of(subject).order_by("due_at")]
