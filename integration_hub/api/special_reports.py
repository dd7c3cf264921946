"""The door for special cases of orders: what a returns portal, a warehouse or a service desk knows and no shop says."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from integration_hub.backoffice.rest import refusals
from integration_hub.kernel.aftersales import AfterSaleKind, AfterSaleStage
from integration_hub.messaging import reports
from integration_hub.models import Connection

from .auth import needs
from .fields import AmountField, CurrencyField, FlagField, IdField, MomentField, StrictSerializer, TextField
from .reports import KEY, Taken, optional, taken

MOST = 500
# what is found in an order or a parcel by itself is not reported
KINDS = [
    kind.value
    for kind in AfterSaleKind
    if kind not in (AfterSaleKind.PARTIAL_DELIVERY, AfterSaleKind.EDIT, AfterSaleKind.ADDRESS_CHANGE)
]
STAGES = [stage.value for stage in AfterSaleStage]


class PositionIn(StrictSerializer):
    """Pieces of a line: by the id the order's own system gave the line, else by SKU."""

    line = IdField(max_length=60, required=False)
    sku = optional(80)
    quantity = AmountField(floor=0)
    amount = AmountField(floor=0, required=False, help_text=_("gross; left out: what the pieces cost in the order"))
    tax = AmountField(floor=0, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not attrs.get("line") and not attrs.get("sku"):
            raise serializers.ValidationError({"line": [_("Name the line or its SKU.")]})
        return attrs


class InsteadIn(StrictSerializer):
    """What an exchange sends instead."""

    sku = TextField(max_length=80)
    title = optional(250)
    quantity = AmountField(floor=0)
    amount = AmountField(floor=0, required=False, help_text=_("gross for all pieces; left out: as much as comes back"))


class SpecialCaseIn(StrictSerializer):
    """A special case of an order as your system knows it now.  Report it again when it moves on, with a later updated_at."""

    channel = TextField(max_length=40, help_text=_("short name of the connection “Own system (API)”"))
    id = IdField(max_length=100, help_text=_("your own id of it; never changes"))
    kind = serializers.ChoiceField(KINDS)
    stage = serializers.ChoiceField(STAGES)
    order = IdField(max_length=100, help_text=_("the order's id in the channel it belongs to"))
    order_channel = optional(40, help_text=_("short name of that channel; left out: the one that reports"))
    status = optional(60, help_text=_("your own word for the status"))
    occurred_at = MomentField(required=False)
    updated_at = MomentField(help_text=_("an older report than the one held changes nothing"))
    positions = PositionIn(many=True, required=False, max_length=MOST)  # type: ignore[call-arg]
    instead = InsteadIn(many=True, required=False, max_length=MOST)  # type: ignore[call-arg]
    currency = CurrencyField(max_length=3, required=False)
    amount = AmountField(floor=0, required=False, help_text=_("all that goes back, gross"))
    shipping_amount = AmountField(floor=0, required=False)
    money_moved = FlagField(required=False, help_text=_("the money has gone back already"))
    reason = optional(300)

    def validate_order_channel(self, value: str) -> str:
        if value and not Connection.objects.filter(slug=value).exists():
            raise serializers.ValidationError(_("No connection has this name."))
        return value

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs.get("instead") and attrs["kind"] != AfterSaleKind.EXCHANGE:
            raise serializers.ValidationError({"instead": [_("Only an exchange sends something instead.")]})
        return attrs


class ReportSpecialCases(APIView):
    """Report a special case of an order.  202: taken; 200: this very report is known, nothing changes."""

    permission_classes = [needs("integration_hub.report_orders")]

    @extend_schema(
        operation_id="report_special_case",
        request=SpecialCaseIn,
        responses={202: Taken, 200: Taken} | refusals(400, 401, 403, 409, 411, 413, 415),
        parameters=[KEY],
    )
    def post(self, request: Request) -> Response:
        return taken(request, SpecialCaseIn, reports.SPECIAL_TOPIC)
