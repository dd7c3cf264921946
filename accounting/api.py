"""Documents over REST: found by number, order, customer, amount; with lines, taxes, files and what may be done."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import QuerySet
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers, viewsets

from integration_hub.backoffice.actions import Action
from integration_hub.backoffice.rest import Acting, ActionOut, Masked, described

from .actions import DOCUMENT_ACTIONS
from .models import Document, DocumentFile, DocumentLine, DocumentTax
from .states import DocumentKind, DocumentState, Issuer

Slug = serializers.SlugRelatedField[Any]


class DocumentOut(serializers.ModelSerializer[Document]):
    """A document as the list shows it; corrections and cancellations are negative."""

    channel = Slug(slug_field="slug", read_only=True)

    class Meta:
        model = Document
        fields = [
            "id",
            "kind",
            "state",
            "issuer",
            "number",
            "channel",
            "order",
            "customer",
            "corrects",
            "currency",
            "net",
            "tax",
            "gross",
            "prepaid",
            "issued_on",
            "supplied_from",
            "supplied_on",
            "due_on",
            "country",
            "buyer_vat_id",
            "external_id",
            "digest",
        ]
        read_only_fields = fields


class DocumentLineOut(serializers.ModelSerializer[DocumentLine]):
    """A line; net + tax = gross."""

    class Meta:
        model = DocumentLine
        fields = [
            "position",
            "kind",
            "title",
            "sku",
            "quantity",
            "unit_price",
            "discount",
            "group",
            "location",
            "tax_case",
            "country",
            "rate",
            "net",
            "tax",
            "gross",
            "stated_tax",
            "stated_rate",
        ]


class TaxOut(serializers.ModelSerializer[DocumentTax]):
    """The sums of one tax case, country and rate."""

    class Meta:
        model = DocumentTax
        fields = ["tax_case", "country", "rate", "net", "tax", "gross"]
        ref_name = "DocumentTax"


class DocumentFileOut(serializers.ModelSerializer[DocumentFile]):
    """A stored file of a document; its bytes are on the document's page."""

    class Meta:
        model = DocumentFile
        fields = ["kind", "name", "size", "sha256", "made_at"]


class DocumentDetail(Masked, DocumentOut):
    """A document with its parts and what may be done."""

    personal = ("buyer", "delivery")
    lines = DocumentLineOut(many=True)
    taxes = TaxOut(many=True)
    files = DocumentFileOut(many=True)
    actions = serializers.SerializerMethodField()

    class Meta(DocumentOut.Meta):
        fields = [*DocumentOut.Meta.fields, "seller", "buyer", "delivery", "lines", "taxes", "files", "actions"]

    @extend_schema_field(ActionOut(many=True))
    def get_actions(self, row: Document) -> list[Mapping[str, Any]]:
        return [described(action, row, self.context["request"].user) for action in DOCUMENT_ACTIONS]


class DocumentApiFilter(filters.FilterSet):  # type: ignore[misc]
    """Which documents."""

    kind = filters.ChoiceFilter(choices=DocumentKind.choices)
    state = filters.ChoiceFilter(choices=DocumentState.choices)
    issuer = filters.ChoiceFilter(choices=Issuer.choices)
    channel = filters.CharFilter(field_name="channel__slug", max_length=40)
    number = filters.CharFilter(max_length=60)
    order = filters.NumberFilter(field_name="order_id")
    customer = filters.NumberFilter(field_name="customer_id")
    gross = filters.NumberFilter()
    issued_from = filters.DateFilter(field_name="issued_on", lookup_expr="gte")
    issued_until = filters.DateFilter(field_name="issued_on", lookup_expr="lte")


class DocumentViewSet(Acting, viewsets.ReadOnlyModelViewSet[Document]):
    """Documents of the books."""

    queryset = Document.objects.select_related("channel")
    filterset_class = DocumentApiFilter
    orderings = ("-issued_on", "issued_on", "-id", "id")

    def get_queryset(self) -> QuerySet[Document]:
        rows = super().get_queryset()
        return rows.prefetch_related("lines", "taxes", "files") if self.action == "retrieve" else rows

    def get_serializer_class(self) -> type[DocumentOut]:
        return DocumentDetail if self.action == "retrieve" else DocumentOut

    def actions_for(self, row: Document) -> Iterable[Action]:
        return DOCUMENT_ACTIONS
