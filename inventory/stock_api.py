"""Stock over REST: levels, the ledger and booking in it, reservations, what shops are told and what was found there."""

from __future__ import annotations

from typing import Any

from django.http import Http404
from django.shortcuts import get_object_or_404
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from integration_hub.backoffice.actions import perform
from integration_hub.backoffice.rest import ActionDone, WordsField, refusals
from integration_hub.backoffice.words import words
from integration_hub.models.access import User

from .models import (
    ChannelAvailability,
    Drift,
    Location,
    Movement,
    Reservation,
    StockLevel,
    StockMovement,
    Variant,
)
from .services import normalised_sku
from .stock_actions import BOOK, BOOKED, TRANSFER
from .stock_filters import LevelFilter


class LevelOut(serializers.ModelSerializer[StockLevel]):
    """What lies of an article at a location; ``free`` is on hand less reserved."""

    product = serializers.IntegerField(source="variant_id")
    sku = serializers.CharField(source="variant.sku")
    location = serializers.CharField(source="location.code")
    free = serializers.DecimalField(max_digits=15, decimal_places=4)

    class Meta:
        model = StockLevel
        fields = [
            "id",
            "product",
            "sku",
            "location",
            "on_hand",
            "reserved",
            "free",
            "stated_at",
            "confirmed_at",
            "changed_at",
        ]


class StockMovementOut(serializers.ModelSerializer[StockMovement]):
    """One step of the ledger: signed changes of on hand and reserved, with their cause."""

    product = serializers.IntegerField(source="variant_id")
    sku = serializers.CharField(source="variant.sku")
    location = serializers.CharField(source="location.code")
    cause = WordsField(source="text")
    stated_by = serializers.SlugRelatedField[Any](slug_field="slug", read_only=True)
    by = serializers.CharField(source="by.username", default=None)

    class Meta:
        model = StockMovement
        fields = [
            "id",
            "at",
            "product",
            "sku",
            "location",
            "kind",
            "quantity",
            "reserved",
            "cause",
            "why",
            "stated_by",
            "by",
            "pair",
        ]


class StockMovementIn(serializers.Serializer[Any]):
    """What is to be booked: a receipt, return, correction (the change), count (what was counted) or transfer."""

    sku = serializers.CharField(max_length=80)
    kind = serializers.ChoiceField(choices=[kind.value for kind in (*BOOKED, Movement.TRANSFER)])
    location = serializers.CharField(max_length=40)
    to = serializers.CharField(max_length=40, required=False)
    quantity = serializers.DecimalField(max_digits=14, decimal_places=4)
    why = serializers.CharField(max_length=500, min_length=5)


class ReservationOut(serializers.ModelSerializer[Reservation]):
    """What is promised to whom; ``location`` is null as long as nothing covers it."""

    product = serializers.IntegerField(source="variant_id")
    sku = serializers.CharField(source="variant.sku")
    location = serializers.CharField(source="location.code", default=None)
    channel = serializers.SlugRelatedField[Any](slug_field="slug", read_only=True)
    order = serializers.IntegerField(source="subject_id")

    class Meta:
        model = Reservation
        fields = [
            "id",
            "product",
            "sku",
            "location",
            "channel",
            "order",
            "label",
            "quantity",
            "open",
            "shipped",
            "taken",
            "due",
            "until",
            "promised_at",
        ]


class AvailabilityOut(serializers.ModelSerializer[ChannelAvailability]):
    """What a shop is to show of an article at one of its places, and what it was told."""

    product = serializers.IntegerField(source="listing.variant_id")
    sku = serializers.CharField(source="listing.sku")
    channel = serializers.SlugRelatedField[Any](slug_field="slug", read_only=True)
    problem = WordsField()

    class Meta:
        model = ChannelAvailability
        fields = [
            "id",
            "channel",
            "product",
            "sku",
            "place",
            "wanted",
            "told",
            "told_at",
            "dirty_since",
            "problem",
            "problem_code",
        ]


class DriftOut(serializers.ModelSerializer[Drift]):
    """A shop showed ``found`` where it was told ``told``."""

    product = serializers.IntegerField(source="variant_id")
    sku = serializers.CharField(source="variant.sku")
    channel = serializers.SlugRelatedField[Any](slug_field="slug", read_only=True)

    class Meta:
        model = Drift
        fields = ["id", "at", "channel", "product", "sku", "place", "told", "told_at", "found", "cause", "seen"]


class _OfArticle(filters.FilterSet):  # type: ignore[misc]
    """By the article's number or id and by the location's code."""

    sku = filters.CharFilter(field_name="variant__sku", max_length=80)
    product = filters.NumberFilter(field_name="variant_id", min_value=1)
    location = filters.CharFilter(field_name="location__code", max_length=40)


class LevelsFilter(_OfArticle):
    show = LevelFilter.base_filters["show"]

    shown = LevelFilter.shown


class MovementsFilter(_OfArticle):
    kind = filters.ChoiceFilter(choices=Movement.choices)
    since = filters.IsoDateTimeFilter(field_name="at", lookup_expr="gte")


class ReservationsFilter(_OfArticle):
    channel = filters.CharFilter(field_name="channel__slug", max_length=40)
    order = filters.NumberFilter(field_name="subject_id", min_value=1)
    open = filters.BooleanFilter(method="still_open")

    def still_open(self, rows: Any, _name: str, wanted: bool) -> Any:
        return rows.filter(open__gt=0) if wanted else rows.filter(open=0)


class _OfChannel(filters.FilterSet):  # type: ignore[misc]
    channel = filters.CharFilter(field_name="channel__slug", max_length=40)


class LevelViewSet(viewsets.ReadOnlyModelViewSet[StockLevel]):
    """What lies where."""

    queryset = StockLevel.objects.select_related("variant", "location")
    serializer_class = LevelOut
    filterset_class = LevelsFilter
    orderings = ("-id", "id")


class MayBook(BasePermission):
    """Reading needs the right to see the ledger, writing the right to book in it."""

    def has_permission(self, request: Any, view: Any) -> bool:
        wanted = BOOK.permission if request.method == "POST" else "inventory.view_stockmovement"
        return bool(request.user.has_perm(wanted))


class StockMovementViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[StockMovement]):
    """The stock ledger; a POST books where the hub itself counts."""

    queryset = StockMovement.objects.select_related("variant", "location", "stated_by", "by")
    serializer_class = StockMovementOut
    filterset_class = MovementsFilter
    orderings = ("-id", "id")
    permission_classes = (MayBook,)

    @extend_schema(request=StockMovementIn, responses={201: ActionDone} | refusals(400, 401, 403, 404, 409, 422))
    def create(self, request: Request) -> Response:
        """Book a receipt, return, correction, count or transfer."""
        given = StockMovementIn(data=request.data)
        given.is_valid(raise_exception=True)
        asked = given.validated_data
        variant = get_object_or_404(Variant, sku=normalised_sku(asked["sku"]))
        place = get_object_or_404(Location, code=asked["location"])
        if not isinstance(request.user, User):
            raise Http404
        data = {"quantity": asked["quantity"], "why": asked["why"]}
        if asked["kind"] == Movement.TRANSFER:
            target = get_object_or_404(Location, code=asked.get("to", ""))
            done = perform(TRANSFER, variant, by=request.user, data=data | {"source": place.pk, "target": target.pk})
        else:
            done = perform(BOOK, variant, by=request.user, data=data | {"kind": asked["kind"], "location": place.pk})
        return Response({"result": words(done)}, status=status.HTTP_201_CREATED)


class ReservationViewSet(viewsets.ReadOnlyModelViewSet[Reservation]):
    """What is promised to whom."""

    queryset = Reservation.objects.select_related("variant", "location", "channel")
    serializer_class = ReservationOut
    filterset_class = ReservationsFilter
    orderings = ("-id", "id")


class AvailabilityViewSet(viewsets.ReadOnlyModelViewSet[ChannelAvailability]):
    """What shops are to show, and were told."""

    queryset = ChannelAvailability.objects.select_related("listing", "channel")
    serializer_class = AvailabilityOut
    filterset_class = _OfChannel
    orderings = ("-id", "id")


class DriftViewSet(viewsets.ReadOnlyModelViewSet[Drift]):
    """What shops showed instead of what they were told."""

    queryset = Drift.objects.select_related("variant", "channel")
    serializer_class = DriftOut
    filterset_class = _OfChannel
    orderings = ("-id", "id")
