"""The fate of an event: what became of a message that came in, in words."""

from __future__ import annotations

from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db.models import QuerySet
from django.urls import reverse
from drf_spectacular.utils import extend_schema_field
from rest_framework import mixins, serializers, viewsets
from rest_framework.permissions import BasePermission

from exceptions.api import CaseBrief
from exceptions.models import ExceptionCase
from exceptions.services import open_cases_of
from integration_hub.backoffice.rest import WordsField
from integration_hub.models import Activity, InboundEvent
from integration_hub.models.inbound import Door
from orders.models import Order

VIEW, REPORT = "integration_hub.view_inboundevent", "integration_hub.report_orders"


class MaySeeFate(BasePermission):
    """Whoever may see events; whoever reports orders sees what came in through that door."""

    def has_permission(self, request: Any, view: Any) -> bool:
        return bool(request.user.has_perm(VIEW) or request.user.has_perm(REPORT))


class ResultingOrder(serializers.ModelSerializer[Order]):
    """The order that an event is about, as it stands now."""

    url = serializers.SerializerMethodField()

    class Meta:
        model = Order
        fields = ["id", "number", "state", "fulfilment", "payment", "url"]

    @extend_schema_field(serializers.URLField())
    def get_url(self, order: Order) -> str:
        return str(self.context["request"].build_absolute_uri(reverse("api:order-detail", args=[order.pk])))


class EventOut(serializers.ModelSerializer[InboundEvent]):
    """What came in and what became of it; ``reason`` says why nothing did, or why it waits."""

    connection = serializers.SlugRelatedField[Any](slug_field="slug", read_only=True)
    reason = WordsField()
    order = serializers.SerializerMethodField()
    exceptions = serializers.SerializerMethodField()

    class Meta:
        model = InboundEvent
        fields = [
            "id",
            "connection",
            "door",
            "topic",
            "object_id",
            "received_at",
            "state",
            "attempts",
            "reason_code",
            "reason",
            "finished_at",
            "order",
            "exceptions",
        ]

    @extend_schema_field(ResultingOrder(allow_null=True))
    def get_order(self, event: InboundEvent) -> Any:
        order = order_of(event)
        return ResultingOrder(order, context=self.context).data if order else None

    @extend_schema_field(CaseBrief(many=True))
    def get_exceptions(self, event: InboundEvent) -> Any:
        order = order_of(event)
        found = {case.pk: case for case in self._cases(event)} | {case.pk: case for case in self._cases(order)}
        return CaseBrief([found[pk] for pk in sorted(found)], many=True).data

    def _cases(self, subject: InboundEvent | Order | None) -> list[ExceptionCase]:
        return list(open_cases_of(subject)) if subject else []


def order_of(event: InboundEvent) -> Order | None:
    """The order that the event moved, else the one it names."""
    moved = Activity.objects.filter(event=event, subject_type=ContentType.objects.get_for_model(Order)).first()
    if moved:
        return Order.objects.filter(pk=moved.subject_id).first()
    if not event.topic.startswith("order") or not event.object_id:
        return None
    return Order.objects.filter(channel=event.connection_id, external_id=event.object_id).first()


class EventViewSet(mixins.RetrieveModelMixin, viewsets.GenericViewSet[InboundEvent]):
    """What became of a message."""

    queryset = InboundEvent.objects.select_related("connection").defer("body", "digest")
    serializer_class = EventOut
    permission_classes = [MaySeeFate]
    filter_backends = ()

    def get_queryset(self) -> QuerySet[InboundEvent]:
        rows = super().get_queryset()
        return rows if self.request.user.has_perm(VIEW) else rows.filter(door=Door.API)
