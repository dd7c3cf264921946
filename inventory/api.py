"""Articles and what systems list, over REST."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import QuerySet
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers, viewsets

from integration_hub.backoffice.actions import Action
from integration_hub.backoffice.rest import Acting, ActionOut, described

from . import services
from .article_actions import ARTICLE_ACTIONS, LISTING_ACTIONS
from .models import BundlePart, Kind, Listing, Variant
from .services import Suggestion, normalised_gtin, normalised_sku


class OptionOut(serializers.Serializer[Any]):
    """A choice by which variants differ: its axis and its value."""

    axis = serializers.CharField(source="0")
    value = serializers.CharField(source="1")

    def to_representation(self, instance: Any) -> dict[str, Any]:
        return {"axis": instance[0], "value": instance[1]}


class ProductOut(serializers.ModelSerializer[Variant]):
    """One sellable article; ``price`` is gross where ``price_includes_tax``, ``weight`` in kg."""

    options = OptionOut(many=True)

    class Meta:
        model = Variant
        fields = [
            "id",
            "sku",
            "gtin",
            "title",
            "kind",
            "active",
            "product",
            "options",
            "unit",
            "pieces_only",
            "group",
            "tax_class",
            "weight",
            "deposit",
            "price",
            "currency",
            "price_includes_tax",
            "created_at",
        ]


class PartOut(serializers.ModelSerializer[BundlePart]):
    """A part of a bundle: how many of it are in one; ``share`` counts where the price is shared by fixed shares."""

    product = serializers.IntegerField(source="part_id")
    sku = serializers.CharField(source="part.sku")

    class Meta:
        model = BundlePart
        fields = ["product", "sku", "quantity", "share"]


class ListingOut(serializers.ModelSerializer[Listing]):
    """What one system says about one article; ``product`` is null as long as nobody has said which article it is."""

    connection = serializers.SlugRelatedField[Any](slug_field="slug", read_only=True)
    product = serializers.IntegerField(source="variant_id", allow_null=True)
    options = OptionOut(many=True)
    differs = serializers.ListField(child=serializers.CharField())

    class Meta:
        model = Listing
        fields = [
            "id",
            "connection",
            "external_id",
            "parent_id",
            "stock_id",
            "sku",
            "gtin",
            "title",
            "options",
            "price",
            "currency",
            "price_includes_tax",
            "active",
            "tracked",
            "gone",
            "ignored",
            "product",
            "how",
            "differs",
            "source_updated_at",
            "seen_at",
        ]


class ProductDetail(ProductOut):
    """An article with its parts, what systems say about it, and what can be done."""

    share_rule = serializers.CharField()
    parts = PartOut(many=True)
    listings = ListingOut(many=True)
    actions = serializers.SerializerMethodField()

    class Meta(ProductOut.Meta):
        fields = [*ProductOut.Meta.fields, "share_rule", "parts", "listings", "actions"]

    @extend_schema_field(ActionOut(many=True))
    def get_actions(self, variant: Variant) -> list[Mapping[str, Any]]:
        return [described(action, variant, self.context["request"].user) for action in ARTICLE_ACTIONS]


class SuggestionOut(serializers.Serializer[Suggestion]):
    """An article that may be meant: score from 0 to 100, and what it rests on."""

    product = serializers.IntegerField(source="variant.pk")
    sku = serializers.CharField(source="variant.sku")
    title = serializers.CharField(source="variant.title")
    score = serializers.IntegerField()
    why = serializers.CharField(help_text="gtin, same_sku, sku, title")


class ListingDetail(ListingOut):
    """A listing with what it may be, how many orders wait for it, and what can be done."""

    suggestions = serializers.SerializerMethodField()
    waiting_orders = serializers.SerializerMethodField()
    actions = serializers.SerializerMethodField()

    class Meta(ListingOut.Meta):
        fields = [*ListingOut.Meta.fields, "suggestions", "waiting_orders", "actions"]

    @extend_schema_field(SuggestionOut(many=True))
    def get_suggestions(self, listing: Listing) -> Any:
        found = services.suggest(services.named(listing)) if listing.variant_id is None else []
        return SuggestionOut(found, many=True).data  # type: ignore[arg-type]

    def get_waiting_orders(self, listing: Listing) -> int:
        return services.waiting([listing])[listing.pk]

    @extend_schema_field(ActionOut(many=True))
    def get_actions(self, listing: Listing) -> list[Mapping[str, Any]]:
        return [described(action, listing, self.context["request"].user) for action in LISTING_ACTIONS]


class ProductFilter(filters.FilterSet):  # type: ignore[misc]
    """Which products; ``search`` is the beginning of a SKU."""

    sku = filters.CharFilter(method="with_sku", max_length=80)
    gtin = filters.CharFilter(method="with_gtin", max_length=40)
    active = filters.BooleanFilter()
    kind = filters.ChoiceFilter(choices=Kind.choices)
    group = filters.CharFilter(max_length=120)
    search = filters.CharFilter(field_name="sku", lookup_expr="startswith", max_length=80)

    def with_sku(self, rows: QuerySet[Variant], _name: str, value: str) -> QuerySet[Variant]:
        return rows.filter(sku=normalised_sku(value))

    def with_gtin(self, rows: QuerySet[Variant], _name: str, value: str) -> QuerySet[Variant]:
        """Digits only, as stored; what is no GTIN finds nothing."""
        return rows.filter(gtin=normalised_gtin(value)).exclude(gtin="")


class ProductViewSet(Acting, viewsets.ReadOnlyModelViewSet[Variant]):
    """Articles: each field as its owner states it."""

    queryset = Variant.objects.all()
    filterset_class = ProductFilter
    orderings = ("-id", "id", "sku", "-sku")

    def get_serializer_class(self) -> type[ProductOut]:
        return ProductDetail if self.action == "retrieve" else ProductOut

    def get_queryset(self) -> QuerySet[Variant]:
        rows = super().get_queryset()
        return rows.prefetch_related("parts__part", "listings__connection") if self.action == "retrieve" else rows

    def actions_for(self, row: Variant) -> Iterable[Action]:
        return ARTICLE_ACTIONS


class ListingFilter(filters.FilterSet):  # type: ignore[misc]
    """Which listings; ``mapped=false`` is what waits for somebody to say which article it is."""

    connection = filters.CharFilter(field_name="connection__slug", max_length=40)
    external_id = filters.CharFilter(max_length=120)
    sku = filters.CharFilter(max_length=80)
    gtin = filters.CharFilter(max_length=14)
    product = filters.NumberFilter(field_name="variant")
    mapped = filters.BooleanFilter(method="with_meaning")
    differs = filters.CharFilter(method="differing", max_length=20)
    gone = filters.BooleanFilter()

    def with_meaning(self, rows: QuerySet[Listing], _name: str, value: bool) -> QuerySet[Listing]:
        return rows.filter(variant__isnull=False) if value else rows.filter(variant=None, ignored=False, gone=False)

    def differing(self, rows: QuerySet[Listing], _name: str, value: str) -> QuerySet[Listing]:
        """Listings that differ from their article in this field."""
        return rows.exclude(differs=[]).filter(differs__contains=[value])


class ListingViewSet(Acting, viewsets.ReadOnlyModelViewSet[Listing]):
    """What systems say about articles, mapped or not."""

    queryset = Listing.objects.select_related("connection")
    filterset_class = ListingFilter
    orderings = ("-id", "id")

    def get_serializer_class(self) -> type[ListingOut]:
        return ListingDetail if self.action == "retrieve" else ListingOut

    def actions_for(self, row: Listing) -> Iterable[Action]:
        return LISTING_ACTIONS
