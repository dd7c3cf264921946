"""Special cases over REST: what they are about, their checklist, what may be done."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers, viewsets

from integration_hub.backoffice.actions import Action
from integration_hub.backoffice.rest import Acting, ActionOut, WordsField, described

from .actions import AFTER_SALE_ACTIONS
from .models import AfterSale, AfterSaleInstead, AfterSaleLine
from .presentation import PREFETCH, targets
from .states import KINDS, AfterSaleState


class PositionOut(serializers.ModelSerializer[AfterSaleLine]):
    """Pieces of a line of the order (its position) with their gross amount and the tax in it."""

    position = serializers.IntegerField(source="line.position")
    sku = serializers.CharField(source="line.sku")

    class Meta:
        model = AfterSaleLine
        fields = ["id", "position", "sku", "quantity", "amount", "tax", "outcome"]


class TargetOut(serializers.Serializer[Any]):
    """One line of the checklist: what is to be done in which system, and how it stands."""

    title = serializers.CharField()
    system = serializers.CharField()
    standing = serializers.CharField(source="word")
    at = serializers.DateTimeField()
    why = WordsField()
    command = serializers.IntegerField(source="command.pk", default=None)


class AfterSaleOut(serializers.ModelSerializer[AfterSale]):
    """A special case as the list shows it."""

    connection = serializers.SlugRelatedField[Any](slug_field="slug", read_only=True)

    class Meta:
        model = AfterSale
        fields = [
            "id",
            "number",
            "kind",
            "state",
            "order",
            "order_external_id",
            "connection",
            "vendor_status",
            "occurred_at",
            "finished_at",
            "currency",
            "amount",
            "tax",
            "shipping_amount",
            "money_moved",
            "reason",
        ]
        read_only_fields = fields


class InsteadOut(serializers.ModelSerializer[AfterSaleInstead]):
    """What an exchange sends instead; the amount is gross for all pieces, the rate a fraction."""

    class Meta:
        model = AfterSaleInstead
        fields = ["sku", "title", "quantity", "amount", "tax_rate"]


class AfterSaleDetail(AfterSaleOut):
    """A special case with its positions, checklist and actions."""

    number = serializers.CharField(read_only=True)
    lines = PositionOut(many=True)
    instead = InsteadOut(many=True)
    replacement = serializers.SerializerMethodField()
    checklist = serializers.SerializerMethodField()
    actions = serializers.SerializerMethodField()

    class Meta(AfterSaleOut.Meta):
        fields = [*AfterSaleOut.Meta.fields, "credit", "lines", "instead", "replacement", "checklist", "actions"]

    def get_replacement(self, row: AfterSale) -> int | None:
        """The order that is sent instead."""
        order = getattr(row, "replacement", None)
        return order.pk if order else None

    @extend_schema_field(TargetOut(many=True))
    def get_checklist(self, row: AfterSale) -> Any:
        return TargetOut(targets(row), many=True).data

    @extend_schema_field(ActionOut(many=True))
    def get_actions(self, row: AfterSale) -> list[Mapping[str, Any]]:
        return [described(action, row, self.context["request"].user) for action in AFTER_SALE_ACTIONS]


class AfterSaleFilter(filters.FilterSet):  # type: ignore[misc]
    """Which special cases."""

    state = filters.ChoiceFilter(choices=AfterSaleState.choices)
    kind = filters.ChoiceFilter(choices=[(kind.value, label) for kind, label in KINDS.items()])
    order = filters.NumberFilter()


class AfterSaleViewSet(Acting, viewsets.ReadOnlyModelViewSet[AfterSale]):
    """Cancellations, returns, refunds and changes of orders; new ones are started by the actions of an order."""

    queryset = AfterSale.objects.select_related("connection").prefetch_related(*PREFETCH)
    filterset_class = AfterSaleFilter
    orderings = ("-id", "id")

    def get_serializer_class(self) -> type[AfterSaleOut]:
        return AfterSaleDetail if self.action == "retrieve" else AfterSaleOut

    def actions_for(self, row: AfterSale) -> Iterable[Action]:
        return AFTER_SALE_ACTIONS
