"""Orders over REST: where each stands, what it is made of, what became of it, and what may be done."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import Q, QuerySet
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers, viewsets

from exceptions.api import CaseBrief
from exceptions.services import open_cases_of
from integration_hub.backoffice.actions import Action
from integration_hub.backoffice.rest import Acting, ActionOut, Masked, described

from .actions import ORDER_ACTIONS
from .models import ADDRESS_FIELDS, Order, OrderAddress, OrderLine, Sale, Shipment, ShipmentLine
from .states import Fulfilment, OrderState, Payment

MOST_FOUND = 200


class BuyerOut(Masked):
    """Who ordered, as the shop states it."""

    personal = ("email", "name", "company", "phone", "vat_id")
    external_id = serializers.CharField(default="")
    email = serializers.CharField(default="")
    name = serializers.CharField(default="")
    company = serializers.CharField(default="")
    phone = serializers.CharField(default="")
    vat_id = serializers.CharField(default="")


class AddressOut(Masked, serializers.ModelSerializer[OrderAddress]):
    """An address; all of it but the country is personal."""

    personal = tuple(name for name in ADDRESS_FIELDS if name != "country")

    class Meta:
        model = OrderAddress
        fields = ["role", *ADDRESS_FIELDS, "corrected"]


class TaxOut(serializers.Serializer[Any]):
    """One tax of a line; ``rate`` is a fraction."""

    rate = serializers.CharField()
    amount = serializers.CharField()
    title = serializers.CharField()


class LineOut(serializers.ModelSerializer[OrderLine]):
    """A line as stated; ``product`` is the hub's product, null while unknown."""

    product = serializers.PrimaryKeyRelatedField[Any](source="variant", read_only=True)
    taxes = TaxOut(many=True)

    class Meta:
        model = OrderLine
        fields = [
            "position",
            "external_id",
            "kind",
            "title",
            "sku",
            "gtin",
            "product",
            "quantity",
            "unit_price",
            "discount",
            "net",
            "tax",
            "gross",
            "tax_rate",
            "taxes",
        ]


class SaleOut(serializers.ModelSerializer[Sale]):
    """The order as an ERP holds it."""

    erp = serializers.SlugRelatedField[Any](source="connection", slug_field="slug", read_only=True)

    class Meta:
        model = Sale
        fields = ["id", "erp", "external_id", "number", "stage", "vendor_status", "total", "url", "written_at"]


class ShippedOut(serializers.ModelSerializer[ShipmentLine]):
    """How much of which line (its position) is in the parcel."""

    position = serializers.IntegerField(source="line.position")

    class Meta:
        model = ShipmentLine
        fields = ["position", "quantity"]


class ShipmentOut(serializers.ModelSerializer[Shipment]):
    """A parcel that left the house."""

    lines = ShippedOut(many=True)

    class Meta:
        model = Shipment
        fields = ["id", "number", "carrier", "tracking_number", "tracking_url", "shipped_at", "lines"]


class OrderOut(serializers.ModelSerializer[Order]):
    """An order as the list shows it; amounts are decimal strings in ``currency``."""

    channel = serializers.SlugRelatedField[Any](slug_field="slug", read_only=True)

    class Meta:
        model = Order
        fields = [
            "id",
            "channel",
            "external_id",
            "number",
            "reference",
            "state",
            "fulfilment",
            "payment",
            "stage",
            "vendor_status",
            "currency",
            "total",
            "total_tax",
            "refunded",
            "prices_include_tax",
            "customer",
            "placed_at",
            "source_updated_at",
            "recorded_at",
        ]
        read_only_fields = fields


class OrderDetail(Masked, OrderOut):
    """An order with everything that belongs to it."""

    personal = ("note",)
    reference = serializers.CharField(read_only=True)
    buyer = BuyerOut()
    lines = LineOut(many=True)
    addresses = AddressOut(many=True)
    sales = SaleOut(many=True)
    shipments = ShipmentOut(many=True)
    exceptions = serializers.SerializerMethodField()
    actions = serializers.SerializerMethodField()

    class Meta(OrderOut.Meta):
        fields = [
            *OrderOut.Meta.fields,
            "payment_method",
            "paid_at",
            "transaction_id",
            "note",
            "buyer",
            "lines",
            "addresses",
            "sales",
            "shipments",
            "exceptions",
            "actions",
        ]

    @extend_schema_field(CaseBrief(many=True))
    def get_exceptions(self, order: Order) -> Any:
        return CaseBrief(open_cases_of(order).order_by("due_at", "pk"), many=True).data

    @extend_schema_field(ActionOut(many=True))
    def get_actions(self, order: Order) -> list[Mapping[str, Any]]:
        return [described(action, order, self.context["request"].user) for action in ORDER_ACTIONS]


class OrderFilter(filters.FilterSet):  # type: ignore[misc]
    """Which orders; ``search`` is a whole number, the shop's or the ERP's."""

    state = filters.ChoiceFilter(choices=OrderState.choices)
    fulfilment = filters.ChoiceFilter(choices=Fulfilment.choices)
    payment = filters.ChoiceFilter(choices=Payment.choices)
    channel = filters.CharFilter(field_name="channel__slug", max_length=40)
    number = filters.CharFilter(max_length=60)
    external_id = filters.CharFilter(max_length=120)
    customer = filters.NumberFilter()
    placed_from = filters.IsoDateTimeFilter(field_name="placed_at", lookup_expr="gte")
    placed_before = filters.IsoDateTimeFilter(field_name="placed_at", lookup_expr="lt")
    updated_from = filters.IsoDateTimeFilter(field_name="source_updated_at", lookup_expr="gte")
    updated_before = filters.IsoDateTimeFilter(field_name="source_updated_at", lookup_expr="lt")
    search = filters.CharFilter(method="with_number", max_length=60)

    def with_number(self, rows: QuerySet[Order], _name: str, value: str) -> QuerySet[Order]:
        """Two look-ups by index; joined by OR they would read the whole table."""
        ours = Order.objects.filter(number=value).values_list("pk", flat=True)[:MOST_FOUND]
        theirs = Sale.objects.filter(number=value).values_list("order", flat=True)[:MOST_FOUND]
        return rows.filter(Q(pk__in={*ours, *theirs}))


class OrderViewSet(Acting, viewsets.ReadOnlyModelViewSet[Order]):
    """Orders of all channels."""

    queryset = Order.objects.select_related("channel")
    filterset_class = OrderFilter
    orderings = ("-placed_at", "placed_at", "source_updated_at", "-source_updated_at", "-id", "id")

    def get_serializer_class(self) -> type[OrderOut]:
        return OrderDetail if self.action == "retrieve" else OrderOut

    def get_queryset(self) -> QuerySet[Order]:
        rows = super().get_queryset()
        if self.action != "retrieve":
            return rows
        return rows.prefetch_related("lines", "addresses", "sales__connection", "shipments__lines__line")

    def actions_for(self, row: Order) -> Iterable[Action]:
        return ORDER_ACTIONS
