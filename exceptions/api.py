"""The exception list over REST: what is wrong, what it holds up, and the actions that fix it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers, viewsets

from integration_hub.backoffice import masking
from integration_hub.backoffice.actions import Action
from integration_hub.backoffice.rest import Acting, ActionOut, described, sees_personal_data

from .actions import actions_of
from .kinds import known
from .models import CaseState, CaseSubject, ExceptionCase
from .presentation import Shown

MOST_SUBJECTS = 100


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
        fields = [*CaseOut.Meta.fields, "explanation", "blocks", "close_reason", "subjects", "actions"]

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


class CaseFilter(filters.FilterSet):  # type: ignore[misc]
    """Which cases; without ``state`` all of them, closed ones too."""

    state = filters.ChoiceFilter(choices=CaseState.choices)
    kind = filters.CharFilter(max_length=40)
    role = filters.CharFilter(max_length=20)
    assignee = filters.CharFilter(field_name="assignee__username", max_length=150)
    connection = filters.CharFilter(field_name="connection__slug", max_length=40)
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
