"""Alerts for people: what was told and what becomes of it, who is told by which channel, and the rules behind it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from exceptions.kinds import known, team_label
from integration_hub.backoffice import keyset
from integration_hub.backoffice.buttons import buttons, press
from integration_hub.backoffice.pages import context, person, required
from integration_hub.backoffice.words import words
from integration_hub.messaging.alerts import rules
from integration_hub.messaging.alerts.actions import ALERT_ACTIONS, CHANNEL_ACTIONS
from integration_hub.messaging.alerts.channels import keep, keep_rule, subscribe
from integration_hub.messaging.alerts.forms import ChannelForm, RuleForm, SubscriptionForm, plain
from integration_hub.models import Alert, AlertChannel, AlertDelivery, AlertRule, User
from integration_hub.models.alert import AlertState

VIEW = "integration_hub.view_alert"
SET_UP = "integration_hub.change_alertchannel"
TABS = (
    (AlertState.OPEN, gettext_lazy("Open alerts")),
    (AlertState.TAKEN, gettext_lazy("Taken alerts")),
    (AlertState.OVER, gettext_lazy("Alerts that are over")),
)
DELIVERIES, MOST_DELIVERIES = 5, 1000


@required(VIEW)
@require_GET
def listing(request: HttpRequest) -> HttpResponse:
    """What was told, newest first, with each delivery."""
    wanted = request.GET.get("state", AlertState.OPEN)
    state = wanted if wanted in AlertState.values else AlertState.OPEN
    rows = keyset.newest(Alert.objects.filter(state=state).select_related("rule", "taken_by"), request)
    sent = _deliveries(rows.rows)
    shown = [
        {
            "alert": alert,
            "about": subject(alert.rule),
            "deliveries": sent.get(alert.pk, []),
            "buttons": buttons(request, ALERT_ACTIONS, alert, "alert_action"),
        }
        for alert in rows.rows
    ]
    page = context(request, _("Alerts"), slice=rows, shown=shown, state=state, tabs=TABS, **_troubles())
    return render(request, "alerts/list.html", page)


def _deliveries(alerts: list[Alert]) -> dict[int, list[AlertDelivery]]:
    """The last messages about each of the alerts."""
    found: dict[int, list[AlertDelivery]] = {alert.pk: [] for alert in alerts}
    since = min((alert.first_at for alert in alerts), default=timezone.now())
    recent = AlertDelivery.objects.filter(created_at__gte=since).select_related("channel").order_by("-pk")
    for row in recent[:MOST_DELIVERIES]:
        for one in found.keys() & set(row.about):
            if len(found[one]) < DELIVERIES:
                found[one].append(row)
    return found


def _troubles() -> dict[str, Any]:
    """What keeps alerts from their readers: no channel at all, or one that does not work."""
    channels = list(AlertChannel.objects.filter(enabled=True))
    return {"no_channel": not channels, "broken": [channel for channel in channels if channel.broken_since]}


def subject(rule: AlertRule) -> str:
    """What a rule is about, in the reader's language."""
    figure = rules.figures().get(rule.subject)
    if figure and rule.condition in rules.OVER_FIGURES:
        return str(figure.label)
    return plain(str(known(rule.subject).title))


@required(VIEW)
@require_POST
def act(request: HttpRequest, pk: int, code: str) -> HttpResponse:
    """Press a button of an alert."""
    press(request, ALERT_ACTIONS, code, get_object_or_404(Alert, pk=pk))
    return redirect("alerts")


@required(VIEW)
@require_GET
def channels(request: HttpRequest) -> HttpResponse:
    """By which ways people are told."""
    rows = AlertChannel.objects.all()
    shown = [(channel, team_label(channel.role), words(channel.last_error)) for channel in rows]
    return render(request, "alerts/channels.html", context(request, _("Alert channels"), channels=shown))


@required(VIEW)
@require_GET
def channel(request: HttpRequest, pk: int) -> HttpResponse:
    """One channel: what it is told, and what became of the last messages."""
    row = get_object_or_404(AlertChannel, pk=pk)
    deliveries = AlertDelivery.objects.filter(channel=row).order_by("-pk")[:50]
    shown = {
        "channel": row,
        "team": team_label(row.role),
        "error": words(row.last_error),
        "deliveries": deliveries,
        "buttons": buttons(request, CHANNEL_ACTIONS, row, "alert_channel_action"),
        "subscriptions": SubscriptionForm(row, subject),
        "may_subscribe": _may_subscribe(person(request), row),
    }
    return render(request, "alerts/channel.html", context(request, row.name, **shown))


def _may_subscribe(user: User, channel: AlertChannel) -> bool:
    """Who sets channels up, and the people of the role for their own."""
    return user.has_perm(SET_UP) or (user.role == channel.role and user.has_perm("integration_hub.take_alert"))


@required(SET_UP)
def channel_edit(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """The settings of a channel, new or known.  Its address and secret go in and never come out."""
    row = get_object_or_404(AlertChannel, pk=pk) if pk else AlertChannel()
    form = ChannelForm(request.POST if request.method == "POST" else None, instance=row)
    if form.is_valid():
        secret = keep(form, by=person(request))
        messages.success(request, _("Saved. Send a test message to see whether it arrives."))
        if secret:
            messages.warning(request, _("Messages are signed with this secret; it is shown only now: %s") % secret)
        return redirect("alert_channel", pk=form.instance.pk)
    page = context(request, row.name or _("New channel"), form=form, channel=row)
    return render(request, "alerts/edit.html", page, status=200 if request.method == "GET" else 422)


@required(VIEW)
@require_POST
def channel_action(request: HttpRequest, pk: int, code: str) -> HttpResponse:
    """Press a button of a channel."""
    press(request, CHANNEL_ACTIONS, code, get_object_or_404(AlertChannel, pk=pk))
    return redirect("alert_channel", pk=pk)


@required(VIEW)
@require_POST
def channel_subscribe(request: HttpRequest, pk: int) -> HttpResponse:
    """Choose what a channel is told."""
    with transaction.atomic():
        row = get_object_or_404(AlertChannel.objects.select_for_update(), pk=pk)
        if not _may_subscribe(person(request), row):
            raise PermissionDenied
        form = SubscriptionForm(row, subject, request.POST)
        if form.is_valid():
            subscribe(row, form.wanted(), by=person(request))
            messages.success(request, _("Saved."))
    return redirect("alert_channel", pk=pk)


@required(VIEW)
@require_GET
def rule_list(request: HttpRequest) -> HttpResponse:
    """When people are told, and whom."""
    found = AlertRule.objects.prefetch_related(
        Prefetch("alert_set", Alert.objects.exclude(state=AlertState.OVER).only("pk", "rule"), to_attr="open_now")
    )
    rows = [(rule, subject(rule), team_label(rule.role), _unit(rule)) for rule in found]
    rows.sort(key=lambda row: (row[0].condition not in rules.OVER_FIGURES, row[1].casefold()))
    return render(request, "alerts/rules.html", context(request, _("Alert rules"), rules=rows))


def _unit(rule: AlertRule) -> str:
    figure = rules.figures().get(rule.subject)
    return str(figure.unit) if figure and rule.condition in rules.OVER_FIGURES else ""


@required("integration_hub.change_alertrule")
def rule_edit(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """Change a rule, or make one."""
    row = get_object_or_404(AlertRule, pk=pk) if pk else AlertRule()
    form = RuleForm(request.POST if request.method == "POST" else None, instance=row)
    if form.is_valid():
        keep_rule(form, by=person(request))
        messages.success(request, _("Saved."))
        return redirect("alert_rules")
    page = context(request, subject(row) if pk else _("New rule"), form=form, rule=row)
    return render(request, "alerts/rule.html", page, status=200 if request.method == "GET" else 422)
