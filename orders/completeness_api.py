"""Compared days over REST: what shop, hub and ERP hold of each, where they differ, and comparing one again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers, viewsets

from integration_hub.backoffice.actions import Action
from integration_hub.backoffice.rest import Acting, ActionOut, WordsField, described

from .completeness_actions import AGAIN
from .tally import DayTally, Difference


class SideOut(serializers.Serializer[Any]):
    """How many orders one side holds, and their sums by currency."""

    count = serializers.IntegerField()
    sums = serializers.DictField(child=serializers.CharField())


class SidesOut(serializers.Serializer[Any]):
    """In the shop, in the hub, to be in the ERP, of those still on their way, and in the ERP; a side not asked is missing."""

    there = SideOut(required=False)
    here = SideOut(required=False)
    expected = SideOut(required=False)
    under_way = SideOut(required=False)
    erp = SideOut(required=False)


class DifferenceOut(serializers.ModelSerializer[Difference]):
    """One order about which the sides differ; ``case`` is the exception that says so."""

    case = serializers.IntegerField(source="case_id", allow_null=True)

    class Meta:
        model = Difference
        fields = ["what", "external_id", "number", "order", "currency", "there", "here", "erp", "case"]


class DayOut(serializers.ModelSerializer[DayTally]):
    """One day of one shop."""

    connection = serializers.SlugRelatedField(slug_field="slug", read_only=True)  # type: ignore[var-annotated]
    figures = SidesOut()
    note = WordsField()
    waiting = serializers.SerializerMethodField()

    class Meta:
        model = DayTally
        fields = ["id", "connection", "day", "checked_at", "waiting", "figures", "note", "differing"]

    def get_waiting(self, tally: DayTally) -> bool:
        return tally.due_at is not None


class DayDetail(DayOut):
    """A day with its differences (at most 300; ``differing`` counts them all) and what can be done."""

    differences = DifferenceOut(many=True)
    actions = serializers.SerializerMethodField()

    class Meta(DayOut.Meta):
        fields = [*DayOut.Meta.fields, "differences", "actions"]

    @extend_schema_field(ActionOut(many=True))
    def get_actions(self, tally: DayTally) -> list[Mapping[str, Any]]:
        return [described(AGAIN, tally, self.context["request"].user)]


class DayFilter(filters.FilterSet):  # type: ignore[misc]
    connection = filters.CharFilter(field_name="connection__slug", max_length=40)
    day = filters.DateFilter()
    day_after = filters.DateFilter(field_name="day", lookup_expr="gt")


class CompletenessViewSet(Acting, viewsets.ReadOnlyModelViewSet[DayTally]):
    """Whether shops, hub and ERP hold the same orders, day by day."""

    queryset = DayTally.objects.select_related("connection").defer("listed")
    filterset_class = DayFilter
    orderings = ("-id", "id")

    def get_serializer_class(self) -> type[DayOut]:
        return DayDetail if self.action == "retrieve" else DayOut

    def actions_for(self, row: DayTally) -> Iterable[Action]:
        return (AGAIN,)
