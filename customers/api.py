"""Customers over REST; personal data only for those who may see it."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django_filters import rest_framework as filters
from rest_framework import serializers, viewsets

from integration_hub.backoffice.rest import Masked, sees_personal_data

from .models import Customer
from .services import normalised_email


class CustomerOut(Masked, serializers.ModelSerializer[Customer]):
    """A person or company that orders."""

    personal = ("name", "company", "email", "phone", "vat_id")
    code = serializers.CharField(read_only=True)

    class Meta:
        model = Customer
        fields = ["id", "code", "name", "company", "email", "phone", "vat_id", "created_at"]


class CustomerFilter(filters.FilterSet):  # type: ignore[misc]
    """Which customers."""

    email = filters.CharFilter(method="with_email", max_length=254)

    def with_email(self, rows: QuerySet[Customer], _name: str, value: str) -> QuerySet[Customer]:
        """The customer of this address; whoever may not see addresses may not try them out either."""
        if not sees_personal_data({"request": self.request}):
            raise PermissionDenied(_("You may not look for personal data."))
        return rows.filter(email=normalised_email(value)).exclude(email="")


class CustomerViewSet(viewsets.ReadOnlyModelViewSet[Customer]):
    """Customers as the hub knows them."""

    queryset = Customer.objects.all()
    serializer_class = CustomerOut
    filterset_class = CustomerFilter
    orderings = ("-id", "id")
