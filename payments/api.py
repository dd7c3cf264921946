"""Money over REST: movements, payouts, refunds, disputes, bank lines and open items, with what may be done to them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import QuerySet
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers, viewsets

from integration_hub.backoffice.actions import Action
from integration_hub.backoffice.rest import Acting, ActionOut, Masked, described

from .actions import MOVEMENT_ACTIONS
from .models import Allocation, BankLine, Dispute, OpenItem, Payout, Refund, RefundLine, Transaction, TransactionFee
from .process_actions import PAYOUT_ACTIONS, REFUND_ACTIONS
from .states import DisputeState, Kind, PayoutState, Purpose, RefundState, Standing
from .states import Money as Paid

Slug = serializers.SlugRelatedField[Any]


class FeeOut(serializers.ModelSerializer[TransactionFee]):
    """A fee as a positive cost in the currency of settlement."""

    class Meta:
        model = TransactionFee
        fields = ["kind", "amount", "title"]


class AllocationOut(serializers.ModelSerializer[Allocation]):
    """How much of a movement is for which order, and why."""

    order = serializers.IntegerField(source="order_id")

    class Meta:
        model = Allocation
        fields = ["order", "amount", "order_amount", "how", "ground", "score"]


class MovementOut(serializers.ModelSerializer[Transaction]):
    """A movement as the list shows it; gross less fees is net, in the currency of settlement."""

    connection = Slug(slug_field="slug", read_only=True)

    class Meta:
        model = Transaction
        fields = [
            "id",
            "connection",
            "external_id",
            "kind",
            "state",
            "vendor_status",
            "occurred_at",
            "gross",
            "currency",
            "settlement_currency",
            "settled_gross",
            "fees",
            "fee_tax",
            "net",
            "reserve",
            "rate",
            "booked_currency",
            "booked",
            "booked_rate",
            "rate_source",
            "method",
            "country",
            "card",
            "order_reference",
        ]
        read_only_fields = fields


class MovementDetail(Masked, MovementOut):
    """A movement with its fees, its orders and what may be done."""

    personal = ("text", "payer", "email", "iban")
    fee_rows = FeeOut(many=True)
    allocations = AllocationOut(many=True)
    actions = serializers.SerializerMethodField()

    class Meta(MovementOut.Meta):
        fields = [
            *MovementOut.Meta.fields,
            "payment_ids",
            "text",
            "payer",
            "email",
            "iban",
            "fee_rows",
            "allocations",
            "actions",
        ]

    @extend_schema_field(ActionOut(many=True))
    def get_actions(self, row: Transaction) -> list[Mapping[str, Any]]:
        return [described(action, row, self.context["request"].user) for action in MOVEMENT_ACTIONS]


class MovementFilter(filters.FilterSet):  # type: ignore[misc]
    """Which movements; ``without_order`` those that still look for theirs."""

    kind = filters.ChoiceFilter(choices=Kind.choices)
    state = filters.ChoiceFilter(choices=Standing.choices)
    connection = filters.CharFilter(field_name="connection__slug", max_length=40)
    external_id = filters.CharFilter(max_length=120)
    order = filters.NumberFilter(field_name="allocations__order_id")
    payout = filters.NumberFilter(field_name="item__payout_id")
    occurred_from = filters.IsoDateTimeFilter(field_name="occurred_at", lookup_expr="gte")
    occurred_before = filters.IsoDateTimeFilter(field_name="occurred_at", lookup_expr="lt")
    without_order = filters.BooleanFilter(method="looking")

    def looking(self, rows: QuerySet[Transaction], _name: str, value: bool) -> QuerySet[Transaction]:
        return rows.filter(unassigned__isnull=not value)


class MovementViewSet(Acting, viewsets.ReadOnlyModelViewSet[Transaction]):
    """Movements of money at every provider and bank."""

    queryset = Transaction.objects.select_related("connection")
    filterset_class = MovementFilter
    orderings = ("-occurred_at", "occurred_at", "-id", "id")

    def get_serializer_class(self) -> type[MovementOut]:
        return MovementDetail if self.action == "retrieve" else MovementOut

    def get_queryset(self) -> QuerySet[Transaction]:
        rows = super().get_queryset()
        return rows.prefetch_related("fee_rows", "allocations") if self.action == "retrieve" else rows

    def actions_for(self, row: Transaction) -> Iterable[Action]:
        return MOVEMENT_ACTIONS


class PayoutOut(serializers.ModelSerializer[Payout]):
    """A payout; explained and remainder make its amount."""

    connection = Slug(slug_field="slug", read_only=True)

    class Meta:
        model = Payout
        fields = [
            "id",
            "connection",
            "external_id",
            "state",
            "stage",
            "amount",
            "currency",
            "explained",
            "remainder",
            "created_at",
            "arrives_on",
            "reference",
            "has_items",
            "balance_before",
            "balance_after",
            "bank_line",
        ]
        read_only_fields = fields


class PayoutDetail(PayoutOut):
    """A payout with what may be done; its items are the movements filtered by ``payout``."""

    actions = serializers.SerializerMethodField()

    class Meta(PayoutOut.Meta):
        fields = [*PayoutOut.Meta.fields, "actions"]

    @extend_schema_field(ActionOut(many=True))
    def get_actions(self, row: Payout) -> list[Mapping[str, Any]]:
        return [described(action, row, self.context["request"].user) for action in PAYOUT_ACTIONS]


class PayoutFilter(filters.FilterSet):  # type: ignore[misc]
    """Which payouts."""

    state = filters.ChoiceFilter(choices=PayoutState.choices)
    connection = filters.CharFilter(field_name="connection__slug", max_length=40)
    external_id = filters.CharFilter(max_length=120)


class PayoutViewSet(Acting, viewsets.ReadOnlyModelViewSet[Payout]):
    """Payouts of every provider."""

    queryset = Payout.objects.select_related("connection")
    filterset_class = PayoutFilter
    orderings = ("-created_at", "created_at", "-id", "id")

    def get_serializer_class(self) -> type[PayoutOut]:
        return PayoutDetail if self.action == "retrieve" else PayoutOut

    def actions_for(self, row: Payout) -> Iterable[Action]:
        return PAYOUT_ACTIONS


class RefundLineOut(serializers.ModelSerializer[RefundLine]):
    """What of a refund is for which line, with its tax."""

    class Meta:
        model = RefundLine
        fields = ["line", "title", "tax_rate", "net", "tax", "gross"]


class RefundOut(serializers.ModelSerializer[Refund]):
    """A refund; new ones are requested by the action of an order's page."""

    lines = RefundLineOut(many=True)
    actions = serializers.SerializerMethodField()

    class Meta:
        model = Refund
        fields = [
            "id",
            "order",
            "capture",
            "amount",
            "currency",
            "state",
            "why",
            "requested_by",
            "requested_at",
            "approved_by",
            "external_id",
            "transaction",
            "settled_at",
            "lines",
            "actions",
        ]
        read_only_fields = fields

    @extend_schema_field(ActionOut(many=True))
    def get_actions(self, row: Refund) -> list[Mapping[str, Any]]:
        return [described(action, row, self.context["request"].user) for action in REFUND_ACTIONS]


class RefundFilter(filters.FilterSet):  # type: ignore[misc]
    """Which refunds."""

    state = filters.ChoiceFilter(choices=RefundState.choices)
    order = filters.NumberFilter()


class RefundViewSet(Acting, viewsets.ReadOnlyModelViewSet[Refund]):
    """Refunds as processes."""

    queryset = Refund.objects.prefetch_related("lines")
    serializer_class = RefundOut
    filterset_class = RefundFilter
    orderings = ("-id", "id")

    def actions_for(self, row: Refund) -> Iterable[Action]:
        return REFUND_ACTIONS


class DisputeOut(serializers.ModelSerializer[Dispute]):
    """A dispute and when its evidence is due."""

    connection = Slug(slug_field="slug", read_only=True)

    class Meta:
        model = Dispute
        fields = [
            "id",
            "connection",
            "external_id",
            "transaction",
            "state",
            "amount",
            "currency",
            "fee",
            "reason",
            "opened_at",
            "evidence_due",
        ]
        read_only_fields = fields


class DisputeFilter(filters.FilterSet):  # type: ignore[misc]
    """Which disputes."""

    state = filters.ChoiceFilter(choices=DisputeState.choices)


class DisputeViewSet(viewsets.ReadOnlyModelViewSet[Dispute]):
    """Disputes of every provider."""

    queryset = Dispute.objects.select_related("connection")
    serializer_class = DisputeOut
    filterset_class = DisputeFilter
    orderings = ("-id", "id")


class BankLineOut(Masked, serializers.ModelSerializer[BankLine]):
    """A line of a bank account."""

    personal = ("name", "iban", "text")
    account = Slug(slug_field="number", read_only=True)

    class Meta:
        model = BankLine
        fields = [
            "id",
            "account",
            "key",
            "booked_on",
            "valued_on",
            "amount",
            "currency",
            "name",
            "iban",
            "text",
            "purpose",
            "transaction",
        ]
        read_only_fields = fields


class BankLineFilter(filters.FilterSet):  # type: ignore[misc]
    """Which bank lines."""

    purpose = filters.ChoiceFilter(choices=Purpose.choices)
    booked_from = filters.DateFilter(field_name="booked_on", lookup_expr="gte")


class BankLineViewSet(viewsets.ReadOnlyModelViewSet[BankLine]):
    """Lines of all bank accounts."""

    queryset = BankLine.objects.select_related("account")
    serializer_class = BankLineOut
    filterset_class = BankLineFilter
    orderings = ("-id", "id")


class OpenItemOut(serializers.ModelSerializer[OpenItem]):
    """How an order stands with its money."""

    order = serializers.IntegerField(source="order_id")

    class Meta:
        model = OpenItem
        fields = [
            "order",
            "currency",
            "state",
            "expected",
            "authorised",
            "captured",
            "refunded",
            "disputed",
            "written_off",
            "open",
            "overpaid",
            "due_on",
        ]
        read_only_fields = fields


class OpenItemFilter(filters.FilterSet):  # type: ignore[misc]
    """Which open items; ``is_open`` those where money is missing, ``is_overpaid`` where it is too much."""

    state = filters.ChoiceFilter(choices=Paid.choices)
    is_open = filters.BooleanFilter(method="missing")
    is_overpaid = filters.BooleanFilter(method="too_much")

    def missing(self, rows: QuerySet[OpenItem], _name: str, value: bool) -> QuerySet[OpenItem]:
        return rows.filter(open__gt=0) if value else rows.filter(open=0)

    def too_much(self, rows: QuerySet[OpenItem], _name: str, value: bool) -> QuerySet[OpenItem]:
        return rows.filter(overpaid__gt=0) if value else rows.filter(overpaid=0)


class OpenItemViewSet(viewsets.ReadOnlyModelViewSet[OpenItem]):
    """How orders stand with their money, by the order's id."""

    queryset = OpenItem.objects.all()
    serializer_class = OpenItemOut
    filterset_class = OpenItemFilter
    orderings = ("due_on", "-due_on")
