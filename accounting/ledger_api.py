"""The ledger over REST: entries with their lines, rules of the account mapping, exports to ask for, watch and take."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import QuerySet
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django_filters import rest_framework as filters
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers, viewsets
from rest_framework.decorators import action as route
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from integration_hub.backoffice.actions import Action
from integration_hub.backoffice.rest import Acting, ActionOut, described, refusals
from integration_hub.models.access import User

from .events import Chart, Event, ExportState, Source
from .export_actions import EXPORT_ACTIONS
from .ledger_actions import ENTRY_ACTIONS
from .models import AccountRule, Entry, Export, ExportFile, Posting
from .services import exporting
from .views.exports import sent

Slug = serializers.SlugRelatedField[Any]


class MayExport(BasePermission):
    """Whoever makes exports."""

    def has_permission(self, request: Any, view: Any) -> bool:
        return bool(request.user.has_perm("accounting.make_export"))


class PostingOut(serializers.ModelSerializer[Posting]):
    """A line: debit or credit in the currency of the books; ``row`` numbers DATEV's booking rows."""

    channel = Slug(slug_field="slug", read_only=True)

    class Meta:
        model = Posting
        fields = ["position", "row", "side", "account", "contra", "debit", "credit", "currency", "foreign", "exchange",
                  "tax_key", "cost_centre", "eu_id", "eu_rate", "belegfeld1", "text", "event", "channel", "location",
                  "product_group", "payment_method", "country", "rate", "tax_case", "rule"]  # fmt: skip


class EntryOut(serializers.ModelSerializer[Entry]):
    """An entry; ``source`` and ``subject_id`` name what it is about, ``reverses`` the entry that it takes back."""

    class Meta:
        model = Entry
        fields = ["id", "chart", "source", "subject_id", "revision", "reverses", "booked_on", "belegfeld1", "belegfeld2", "text",
                  "order", "document", "transaction", "payout", "posted_at", "digest", "previous"]  # fmt: skip
        read_only_fields = fields


class EntryDetail(EntryOut):
    """An entry with its lines and what may be done."""

    lines = PostingOut(many=True)
    actions = serializers.SerializerMethodField()

    class Meta(EntryOut.Meta):
        fields = [*EntryOut.Meta.fields, "lines", "actions"]

    @extend_schema_field(ActionOut(many=True))
    def get_actions(self, row: Entry) -> list[Mapping[str, Any]]:
        return [described(action, row, self.context["request"].user) for action in ENTRY_ACTIONS]


class EntryFilter(filters.FilterSet):  # type: ignore[misc]
    """Which entries."""

    source = filters.ChoiceFilter(choices=Source.choices)
    order = filters.NumberFilter(field_name="order_id")
    document = filters.NumberFilter(field_name="document_id")
    payout = filters.NumberFilter(field_name="payout_id")
    belegfeld1 = filters.CharFilter(max_length=60)
    account = filters.CharFilter(max_length=9, method="on_account")
    booked_from = filters.DateFilter(field_name="booked_on", lookup_expr="gte")
    booked_until = filters.DateFilter(field_name="booked_on", lookup_expr="lte")

    def on_account(self, rows: QuerySet[Entry], _name: str, value: str) -> QuerySet[Entry]:
        return rows.filter(pk__in=Posting.objects.filter(account=value).values("entry_id"))


class EntryViewSet(Acting, viewsets.ReadOnlyModelViewSet[Entry]):
    """What is posted."""

    queryset = Entry.objects.all()
    filterset_class = EntryFilter
    orderings = ("-id", "id")

    def get_serializer_class(self) -> type[EntryOut]:
        return EntryDetail if self.action == "retrieve" else EntryOut

    def get_queryset(self) -> QuerySet[Entry]:
        rows = super().get_queryset()
        return rows.prefetch_related("lines__channel") if self.action == "retrieve" else rows

    def actions_for(self, row: Entry) -> Iterable[Action]:
        return ENTRY_ACTIONS


class RuleOut(serializers.ModelSerializer[AccountRule]):
    """A rule of the account mapping; empty fields mean any; ``until`` is the version that retired it."""

    channel = Slug(slug_field="slug", read_only=True)
    since = serializers.IntegerField(source="since.number")
    until = serializers.IntegerField(source="until.number", allow_null=True, default=None)

    class Meta:
        model = AccountRule
        fields = ["id", "chart", "event", "channel", "location", "product_group", "payment_method", "country", "rate",
                  "tax_case", "account", "tax_key", "cost_centre", "text", "valid_from", "valid_until", "since", "until"]  # fmt: skip


class RuleFilter(filters.FilterSet):  # type: ignore[misc]
    """Which rules; ``in_force`` leaves out what was retired."""

    chart = filters.ChoiceFilter(choices=Chart.choices)
    event = filters.ChoiceFilter(choices=Event.choices)
    account = filters.CharFilter(max_length=9)
    in_force = filters.BooleanFilter(field_name="until", lookup_expr="isnull")


class RuleViewSet(viewsets.ReadOnlyModelViewSet[AccountRule]):
    """Which account is used for what, and was."""

    queryset = AccountRule.objects.select_related("channel", "since", "until")
    serializer_class = RuleOut
    filterset_class = RuleFilter
    orderings = ("id", "-id")


class ExportFileOut(serializers.ModelSerializer[ExportFile]):
    """A file of a batch."""

    class Meta:
        model = ExportFile
        fields = ["part", "name", "rows", "size", "sha256"]


class ExportOut(serializers.ModelSerializer[Export]):
    """A batch for the adviser; ``done`` of ``total`` rows are written."""

    class Meta:
        model = Export
        fields = ["id", "chart", "year", "month", "number", "version", "state", "total", "done", "sha256", "without", "asked_at",
                  "ready_at"]  # fmt: skip
        read_only_fields = fields


class ExportDetail(ExportOut):
    """A batch with its files, its proof and what may be done."""

    files = ExportFileOut(many=True)
    proof = serializers.JSONField()
    actions = serializers.SerializerMethodField()

    class Meta(ExportOut.Meta):
        fields = [*ExportOut.Meta.fields, "files", "proof", "actions"]

    @extend_schema_field(ActionOut(many=True))
    def get_actions(self, row: Export) -> list[Mapping[str, Any]]:
        return [described(action, row, self.context["request"].user) for action in EXPORT_ACTIONS]


class ExportIn(serializers.Serializer[Any]):
    """Which month, and the reason for leaving out what would be refused (empty: then nothing is exported)."""

    year = serializers.IntegerField(min_value=2000, max_value=2100)
    month = serializers.IntegerField(min_value=1, max_value=12)
    without = serializers.CharField(max_length=500, required=False, default="", allow_blank=True)


class ExportFilter(filters.FilterSet):  # type: ignore[misc]
    """Which batches."""

    state = filters.ChoiceFilter(choices=ExportState.choices)
    year = filters.NumberFilter()
    month = filters.NumberFilter()


class ExportViewSet(Acting, viewsets.ReadOnlyModelViewSet[Export]):
    """Batches of postings for DATEV."""

    queryset = Export.objects.all()
    filterset_class = ExportFilter
    orderings = ("-id", "id")

    def get_serializer_class(self) -> type[ExportOut]:
        return ExportDetail if self.action == "retrieve" else ExportOut

    def actions_for(self, row: Export) -> Iterable[Action]:
        return EXPORT_ACTIONS

    @extend_schema(request=ExportIn, responses={201: ExportOut} | refusals(400, 401, 403, 409, 422))
    @route(detail=False, methods=["post"], url_path="make", permission_classes=[MayExport], url_name="make")
    def make(self, request: Request, **_kwargs: Any) -> Response:
        """Ask for the next batch of a month; it is written in the background."""
        asked = ExportIn(data=request.data)
        asked.is_valid(raise_exception=True)
        by = request.user if isinstance(request.user, User) else None
        made = exporting.request(by=by, **asked.validated_data)
        return Response(ExportOut(made).data, status=201)

    @extend_schema(request=None, responses={(200, "text/csv"): OpenApiTypes.BINARY} | refusals(401, 403, 404, 409, 422))
    @route(
        detail=True,
        methods=["post"],
        url_path=r"files/(?P<part>\d{1,4})",
        permission_classes=[MayExport],
        url_name="file",
    )
    def file(self, request: Request, part: str, **_kwargs: Any) -> HttpResponseBase:
        """Take a file; each time is written down, and from the second on its name says so."""
        file = get_object_or_404(ExportFile.objects.select_related("export"), export=self.get_object(), part=int(part))
        assert isinstance(request.user, User)  # noqa: S101  the permission lets nobody else in
        return sent(file, exporting.take(file, by=request.user))
