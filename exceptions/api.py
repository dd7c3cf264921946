"""The exception list over REST: what is wrong, what it holds up, and the actions that fix it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.http import Http404
from django_filters import rest_framework as filters
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers, viewsets
from rest_framework.decorators import action as route
from rest_framework.request import Request
from rest_framework.response import Response

from integration_hub.backoffice import masking
from integration_hub.backoffice.actions import Action
from integration_hub.backoffice.rest import (
    Acting,
    ActionOut,
    MayLook,
    WordsField,
    described,
    form_data,
    refusals,
    sees_personal_data,
)
from integration_hub.models.access import User

from . import preview
from .actions import actions_of
from .kinds import known
from .models import CaseState, CaseSubject, CloseCode, ExceptionCase, Waits
from .presentation import Shown

MOST_SUBJECTS = 100
TRY = r"try/(?P<code>[a-z_]+\.[a-z_]+)"


class CaseBrief(serializers.ModelSerializer[ExceptionCase]):
    """A case in one line, as other rows show the cases they are held up by."""

    title = serializers.SerializerMethodField()

    class Meta:
        model = ExceptionCase
        fields = ["id", "kind", "title", "role", "due_at"]

    def get_title(self, case: ExceptionCase) -> str:
        return Shown(case).title


class SubjectOut(serializers.ModelSerializer[CaseSubject]):
    """An object that the case holds up."""

    type = serializers.CharField(source="subject_type.model")
    id = serializers.IntegerField(source="subject_id")

    class Meta:
        model = CaseSubject
        fields = ["type", "id", "label", "amount", "currency", "open"]


class CaseOut(CaseBrief):
    """A case as the list shows it."""

    root_cause = serializers.CharField(source="root", read_only=True)
    expected = serializers.SerializerMethodField()
    found = serializers.SerializerMethodField()
    connection = serializers.SlugRelatedField[Any](slug_field="slug", read_only=True)
    assignee = serializers.SlugRelatedField[Any](slug_field="username", read_only=True)

    class Meta(CaseBrief.Meta):
        fields = [
            *CaseBrief.Meta.fields,
            "state",
            "expected",
            "found",
            "connection",
            "amount",
            "currency",
            "size",
            "assignee",
            "root_cause",
            "severity",
            "waits_for",
            "waits_until",
            "occurrences",
            "first_seen_at",
            "last_seen_at",
            "closed_at",
        ]

    def get_expected(self, case: ExceptionCase) -> str:
        return self._said(case, case.expected)

    def get_found(self, case: ExceptionCase) -> str:
        return self._said(case, case.found)

    def _said(self, case: ExceptionCase, text: Mapping[str, Any]) -> str:
        """A system's answer may quote what it was sent."""
        return masking.text(Shown(case).said(text), personal=sees_personal_data(self.context))


class CaseDetail(CaseOut):
    """A case with what it holds up (at most 100 objects; ``size`` counts them all) and what can be done."""

    explanation = serializers.SerializerMethodField()
    blocks = serializers.SerializerMethodField()
    subjects = serializers.SerializerMethodField()
    actions = serializers.SerializerMethodField()

    class Meta(CaseOut.Meta):
        fields = [
            *CaseOut.Meta.fields,
            "explanation",
            "blocks",
            "close_code",
            "close_reason",
            "reopened",
            "subjects",
            "actions",
        ]

    def get_explanation(self, case: ExceptionCase) -> str:
        return str(known(case.kind).explanation)

    def get_blocks(self, case: ExceptionCase) -> str:
        return str(known(case.kind).blocks)

    @extend_schema_field(SubjectOut(many=True))
    def get_subjects(self, case: ExceptionCase) -> Any:
        held = case.subjects.select_related("subject_type").order_by("-open", "pk")
        return SubjectOut(held[:MOST_SUBJECTS], many=True).data

    @extend_schema_field(ActionOut(many=True))
    def get_actions(self, case: ExceptionCase) -> list[Mapping[str, Any]]:
        return [described(action, case, self.context["request"].user) for action in actions_of(case)]


class MovedOut(serializers.Serializer[Any]):
    """Where an object stands now and would stand afterwards."""

    label = serializers.CharField()  # type: ignore[assignment]
    before = serializers.CharField(source="before.label", default="")
    after = serializers.CharField(source="after.label", default="")


class PreviewOut(serializers.Serializer[Any]):
    """What an action would change."""

    said = WordsField()
    tried = serializers.IntegerField()
    total = serializers.IntegerField()
    rows = MovedOut(many=True)
    writes = serializers.SerializerMethodField()
    solved = serializers.ListField(child=serializers.CharField())
    remain = serializers.ListField(child=serializers.CharField())
    opened = serializers.ListField(child=serializers.CharField())

    @extend_schema_field(serializers.DictField(child=serializers.IntegerField()))
    def get_writes(self, found: preview.Preview) -> dict[str, int]:
        return {f"{verb} {target}": number for (verb, target), number in found.writes.items()}


class CaseFilter(filters.FilterSet):  # type: ignore[misc]
    """Which cases; without ``state`` all of them, closed ones too."""

    state = filters.ChoiceFilter(choices=CaseState.choices)
    kind = filters.CharFilter(max_length=40)
    role = filters.CharFilter(max_length=20)
    assignee = filters.CharFilter(field_name="assignee__username", max_length=150)
    connection = filters.CharFilter(field_name="connection__slug", max_length=40)
    root_cause = filters.CharFilter(field_name="root", max_length=64)
    severity = filters.NumberFilter(lookup_expr="gte", min_value=1, max_value=3)
    waits_for = filters.ChoiceFilter(choices=Waits.choices)
    close_code = filters.ChoiceFilter(choices=CloseCode.choices)
    due_before = filters.IsoDateTimeFilter(field_name="due_at", lookup_expr="lt")


class ExceptionViewSet(Acting, viewsets.ReadOnlyModelViewSet[ExceptionCase]):
    """The exception list."""

    queryset = ExceptionCase.objects.select_related("connection", "assignee")
    filterset_class = CaseFilter
    orderings = ("due_at", "-id", "id")

    def get_serializer_class(self) -> type[CaseOut]:
        return CaseDetail if self.action == "retrieve" else CaseOut

    def actions_for(self, row: ExceptionCase) -> Iterable[Action]:
        return actions_of(row)

    @extend_schema(request=OpenApiTypes.OBJECT, responses={200: PreviewOut} | refusals(400, 401, 403, 404, 409, 422))
    @route(detail=True, methods=["post"], url_path=TRY, permission_classes=[MayLook], url_name="try")
    def try_out(self, request: Request, code: str, **_kwargs: Any) -> Response:
        """What the action would change; nothing is kept of it."""
        case = self.get_object()
        action = next((item for item in actions_of(case) if item.code == code), None)
        if action is None or not isinstance(request.user, User):
            raise Http404
        found = preview.of(action, case, by=request.user, data=form_data(request.data))
        return Response(PreviewOut(found).data)
