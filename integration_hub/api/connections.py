"""Connections over REST, to read: what each is, whether it works and what waits for it.  Never its secrets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers, viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from integration_hub.backoffice.rest import WordsField
from integration_hub.models import Breaker, Connection, PollState

from . import figures
from .figures import Backlog


class PollOut(serializers.ModelSerializer[PollState]):
    """How polling one stream goes."""

    last_error = WordsField()

    class Meta:
        model = PollState
        fields = ["stream", "due_at", "last_ok_at", "failures", "last_error", "found"]


class BacklogOut(serializers.Serializer[Backlog]):
    """What waits, what is parked for a person, and how old the oldest waiting one is."""

    waiting = serializers.IntegerField()
    parked = serializers.IntegerField()
    oldest = serializers.DateTimeField(allow_null=True)
    age_seconds = serializers.FloatField()


class BreakerOut(serializers.ModelSerializer[Breaker]):
    """Whether calls to the system are interrupted, why, and when the next one is tried."""

    reason = WordsField()

    class Meta:
        model = Breaker
        fields = ["state", "reason", "opened_at", "probe_at", "rest_until"]


class HealthOut(serializers.Serializer[Any]):
    """How the connection is doing now."""

    last_event_at = serializers.DateTimeField(allow_null=True)
    events = BacklogOut()
    commands = BacklogOut()
    open_exceptions = serializers.IntegerField()
    breaker = BreakerOut(allow_null=True)
    polls = PollOut(many=True)


class ConnectionOut(serializers.ModelSerializer[Connection]):
    """An account at a system of the merchant's; settings and secrets are not shown."""

    reason = WordsField(source="state_reason")
    health = serializers.SerializerMethodField()

    class Meta:
        model = Connection
        fields = [
            "id",
            "slug",
            "name",
            "kind",
            "role",
            "mode",
            "state",
            "reason",
            "max_concurrent",
            "per_minute",
            "created_at",
            "health",
        ]

    @extend_schema_field(HealthOut)
    def get_health(self, connection: Connection) -> Mapping[str, Any]:
        return dict(HealthOut(self.context["health"][connection.pk]).data)


class ConnectionViewSet(viewsets.ReadOnlyModelViewSet[Connection]):
    """The merchant's connections and their health."""

    queryset = Connection.objects.all()
    serializer_class = ConnectionOut
    lookup_field = "slug"
    lookup_value_regex = "[a-z0-9-]+"
    orderings = ("id", "-id")

    def list(self, request: Request, *_args: Any, **_kwargs: Any) -> Response:
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset())) or []
        return self.get_paginated_response(self._shown(list(page), many=True))

    def retrieve(self, request: Request, *_args: Any, **_kwargs: Any) -> Response:
        row = self.get_object()
        return Response(self._shown([row], many=False))

    def _shown(self, rows: Sequence[Connection], *, many: bool) -> Any:
        context = {**self.get_serializer_context(), "health": _health([row.pk for row in rows])}
        return ConnectionOut(rows if many else rows[0], many=many, context=context).data


def _health(ids: list[int]) -> dict[int, dict[str, Any]]:
    """The health of these connections, in six queries however many."""
    incoming, outgoing, last = figures.incoming(ids), figures.outgoing(ids), figures.last_events(ids)
    cases, polls, breakers = figures.open_cases(ids), figures.polls(ids), Breaker.objects.in_bulk(ids)
    return {
        pk: {
            "last_event_at": last.get(pk),
            "events": incoming.get(pk, Backlog()),
            "commands": outgoing.get(pk, Backlog()),
            "open_exceptions": cases.get(pk, 0),
            "breaker": breakers.get(pk),
            "polls": polls.get(pk, []),
        }
        for pk in ids
    }
