"""The filters above the ledgers: events, commands, activity."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import django_filters
from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from integration_hub.backoffice.words import term
from integration_hub.messaging import dispatch
from integration_hub.models import Activity, Connection, InboundEvent, OutboundCommand, User
from integration_hub.models.inbound import UNFINISHED, Door, EventState
from integration_hub.models.outbound import MOVING, CommandState

ALL = _("all")
UNSETTLED = "UNSETTLED"
_WAITING = (UNSETTLED, _("waiting or under way"))


def in_state(states: tuple[str, ...]) -> Callable[[QuerySet[Any], str, str], QuerySet[Any]]:
    """A filter on one state, or on all of those that are not over yet."""

    def narrow(rows: QuerySet[Any], _name: str, state: str) -> QuerySet[Any]:
        return rows.filter(state__in=states) if state == UNSETTLED else rows.filter(state=state)

    return narrow


def connections(_request: object) -> QuerySet[Connection]:
    return Connection.objects.all()


def people(_request: object) -> QuerySet[User]:
    return User.objects.order_by("username")


def verbs() -> list[tuple[str, str]]:
    return [(code, term(code)) for code in dispatch.verbs()]


class EventFilter(django_filters.FilterSet):  # type: ignore[misc]
    """What came in, by state, system, door and the object it is about."""

    object_id = django_filters.CharFilter(
        label=_("Object"), method="about", widget=forms.TextInput(attrs={"type": "search", "maxlength": 120})
    )
    state = django_filters.ChoiceFilter(
        label=_("State"), choices=[_WAITING, *EventState.choices], empty_label=ALL, method=in_state(UNFINISHED)
    )
    connection = django_filters.ModelChoiceFilter(label=_("Connection"), queryset=connections, empty_label=ALL)
    door = django_filters.ChoiceFilter(label=_("Door"), choices=Door.choices, empty_label=ALL)

    class Meta:
        model = InboundEvent
        fields = ["object_id", "state", "connection", "door"]

    def about(self, events: QuerySet[InboundEvent], _name: str, text: str) -> QuerySet[InboundEvent]:
        """The sender's own id, exactly; naming every connection lets the index find it."""
        return events.filter(connection__in=list(Connection.objects.values_list("pk", flat=True)), object_id=text)


class CommandFilter(django_filters.FilterSet):  # type: ignore[misc]
    """What goes out, by state, target and command."""

    state = django_filters.ChoiceFilter(
        label=_("State"), choices=[_WAITING, *CommandState.choices], empty_label=ALL, method=in_state(MOVING)
    )
    connection = django_filters.ModelChoiceFilter(label=_("Target"), queryset=connections, empty_label=ALL)
    verb = django_filters.ChoiceFilter(label=_("Command"), choices=verbs, empty_label=ALL)

    class Meta:
        model = OutboundCommand
        fields = ["state", "connection", "verb"]


class ActivityFilter(django_filters.FilterSet):  # type: ignore[misc]
    """Who did what."""

    actor = django_filters.ModelChoiceFilter(label=_("Person"), queryset=people, empty_label=ALL)

    class Meta:
        model = Activity
        fields = ["actor"]
