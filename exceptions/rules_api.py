"""Rules and what mended itself, over REST."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers, viewsets

from integration_hub.backoffice.actions import Action
from integration_hub.backoffice.rest import Acting, ActionOut, MayLook, WordsField, described

from . import rule_actions
from .models import Healing, How, Rule, RuleVersion


class HabitRuleOut(serializers.ModelSerializer[Rule]):
    """A rule as it stands."""

    words = WordsField()
    by = serializers.SlugRelatedField[Any](slug_field="username", read_only=True)
    connection = serializers.SlugRelatedField[Any](slug_field="slug", read_only=True)

    class Meta:
        model = Rule
        fields = [
            "id", "habit", "kind", "connection", "match", "words", "most", "currency", "enabled", "version", "by",
            "created_at",
        ]  # fmt: skip


class HabitRuleVersionOut(serializers.ModelSerializer[RuleVersion]):
    """How it stood since then."""

    by = serializers.SlugRelatedField[Any](slug_field="username", read_only=True)

    class Meta:
        model = RuleVersion
        fields = ["version", "enabled", "match", "most", "by", "why", "at"]


class HabitRuleDetail(HabitRuleOut):
    """A rule with its versions and what can be done to it."""

    versions = serializers.SerializerMethodField()
    actions = serializers.SerializerMethodField()

    class Meta(HabitRuleOut.Meta):
        fields = [*HabitRuleOut.Meta.fields, "versions", "actions"]

    @extend_schema_field(HabitRuleVersionOut(many=True))
    def get_versions(self, rule: Rule) -> Any:
        return HabitRuleVersionOut(rule.versions.select_related("by").order_by("-version")[:100], many=True).data

    @extend_schema_field(ActionOut(many=True))
    def get_actions(self, rule: Rule) -> list[Mapping[str, Any]]:
        return [described(action, rule, self.context["request"].user) for action in rule_actions.ALL]


class RuleFilter(filters.FilterSet):  # type: ignore[misc]
    """Which rules."""

    enabled = filters.BooleanFilter()
    kind = filters.CharFilter(max_length=40)


class HabitRuleViewSet(Acting, viewsets.ReadOnlyModelViewSet[Rule]):
    """Rules made of habits."""

    queryset = Rule.objects.select_related("by", "connection")
    permission_classes = [MayLook]
    filterset_class = RuleFilter
    orderings = ("-id", "id")

    def get_serializer_class(self) -> type[HabitRuleOut]:
        return HabitRuleDetail if self.action == "retrieve" else HabitRuleOut

    def actions_for(self, row: Rule) -> Iterable[Action]:
        return rule_actions.ALL


class HealingOut(serializers.ModelSerializer[Healing]):
    """One thing that went on without a person, with its proof."""

    text = WordsField()
    connection = serializers.SlugRelatedField[Any](slug_field="slug", read_only=True)

    class Meta:
        model = Healing
        fields = ["id", "at", "how", "number", "case", "connection", "text", "proof", "since"]


class HealingFilter(filters.FilterSet):  # type: ignore[misc]
    """Which of them."""

    how = filters.ChoiceFilter(choices=How.choices)
    since = filters.IsoDateTimeFilter(field_name="at", lookup_expr="gte")


class HealingViewSet(viewsets.ReadOnlyModelViewSet[Healing]):
    """What mended itself."""

    queryset = Healing.objects.select_related("connection")
    permission_classes = [MayLook]
    filterset_class = HealingFilter
    serializer_class = HealingOut
    orderings = ("-id", "id")
