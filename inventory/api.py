"""Products over REST."""

from __future__ import annotations

from django.db.models import QuerySet
from django_filters import rest_framework as filters
from rest_framework import serializers, viewsets

from .models import Variant
from .services import normalised_gtin, normalised_sku


class ProductOut(serializers.ModelSerializer[Variant]):
    """One sellable article."""

    class Meta:
        model = Variant
        fields = ["id", "sku", "gtin", "title", "active", "created_at"]


class ProductFilter(filters.FilterSet):  # type: ignore[misc]
    """Which products; ``search`` is the beginning of a SKU."""

    sku = filters.CharFilter(method="with_sku", max_length=80)
    gtin = filters.CharFilter(method="with_gtin", max_length=40)
    active = filters.BooleanFilter()
    search = filters.CharFilter(field_name="sku", lookup_expr="startswith", max_length=80)

    def with_sku(self, rows: QuerySet[Variant], _name: str, value: str) -> QuerySet[Variant]:
        return rows.filter(sku=normalised_sku(value))

    def with_gtin(self, rows: QuerySet[Variant], _name: str, value: str) -> QuerySet[Variant]:
        """Digits only, as stored; what is no GTIN finds nothing."""
        return rows.filter(gtin=normalised_gtin(value)).exclude(gtin="")


class ProductViewSet(viewsets.ReadOnlyModelViewSet[Variant]):
    """Products as the ERP owns them."""

    queryset = Variant.objects.all()
    serializer_class = ProductOut
    filterset_class = ProductFilter
    orderings = ("-id", "id", "sku", "-sku")
