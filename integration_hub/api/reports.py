"""The door through which the merchant's own systems report orders: checked at once, kept, processed later."""

from __future__ import annotations

import re
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from integration_hub.backoffice.rest import refusals
from integration_hub.kernel.states import LineKind, OrderStage
from integration_hub.messaging import reports

from .auth import needs
from .fields import (
    AmountField,
    CountryField,
    CurrencyField,
    FlagField,
    IdField,
    MomentField,
    StrictSerializer,
    TextField,
)

MOST_LINES = 2000
_KEY = re.compile(r"[\x21-\x7e]{1,255}")
STAGES = [stage.value for stage in OrderStage]
KINDS = [kind.value for kind in LineKind]


def optional(limit: int, **extra: Any) -> TextField:
    return TextField(max_length=limit, required=False, allow_blank=True, **extra)


class TaxIn(StrictSerializer):
    """One tax of a line; the amounts add up to the line's tax."""

    rate = AmountField(rate=True, help_text=_("as a fraction: 0.19"))
    amount = AmountField()
    title = optional(80)


class LineIn(StrictSerializer):
    """A line. net and tax are totals of the line after discount; gross is their sum."""

    id = IdField(max_length=60)
    kind = serializers.ChoiceField(KINDS, required=False)
    title = TextField(max_length=250)
    sku = optional(80)
    gtin = optional(40)
    product_id = optional(60)
    quantity = AmountField()
    unit_price = AmountField(help_text=_("gross where prices_include_tax, else net"))
    discount = AmountField(floor=0, required=False)
    net = AmountField()
    tax = AmountField()
    taxes = TaxIn(many=True, required=False, max_length=20)  # type: ignore[call-arg]

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        parts = attrs.get("taxes")
        if parts and sum(part["amount"] for part in parts) != attrs["tax"]:
            raise serializers.ValidationError({"taxes": [_("These do not add up to the line's tax.")]})
        return attrs


class BuyerIn(StrictSerializer):
    """Who ordered; without an id a guest."""

    id = optional(100)
    email = optional(254)
    name = optional(200)
    company = optional(200)
    phone = optional(60)
    vat_id = optional(20)


class AddressIn(StrictSerializer):
    """A postal address."""

    name = optional(200)
    company = optional(200)
    street = optional(250)
    street2 = optional(250)
    postal_code = optional(20)
    city = optional(120)
    region = optional(80)
    country = CountryField(max_length=2, required=False, allow_blank=True)
    email = optional(254)
    phone = optional(60)


class PaymentIn(StrictSerializer):
    """How the order is paid, as your system knows it."""

    method = optional(60)
    title = optional(120)
    paid = FlagField(required=False)
    paid_at = MomentField(required=False, allow_null=True)
    transaction_id = optional(120)


class OrderIn(StrictSerializer):
    """An order as it stands in your system now.  Report it again whenever it changes, with a later updated_at."""

    channel = TextField(max_length=40, help_text=_("short name of the connection “Own system (API)”"))
    id = IdField(max_length=100, help_text=_("your own id of the order; never changes"))
    number = IdField(max_length=60)
    stage = serializers.ChoiceField(STAGES)
    status = optional(60, help_text=_("your own word for the status"))
    placed_at = MomentField()
    updated_at = MomentField(help_text=_("an older report than the one held changes nothing"))
    currency = CurrencyField(max_length=3)
    prices_include_tax = FlagField()
    total = AmountField(help_text=_("what the customer owes, tax included, refunds not taken off"))
    total_tax = AmountField()
    refunded = AmountField(floor=0, required=False)
    lines = LineIn(many=True, max_length=MOST_LINES)  # type: ignore[call-arg]
    buyer = BuyerIn(required=False)
    billing = AddressIn(required=False)
    shipping = AddressIn(required=False, allow_null=True, help_text=_("where it differs from billing"))
    payment = PaymentIn(required=False)
    note = optional(5000)
    test = FlagField(required=False)

    def validate_lines(self, value: list[dict[str, Any]]) -> list[dict[str, Any]]:
        if len({line["id"] for line in value}) != len(value):
            raise serializers.ValidationError(_("Two lines have the same id."))
        return value


class Taken(serializers.Serializer[Any]):
    """The event that keeps the report; ask ``status_url`` what became of it."""

    event = serializers.IntegerField()
    state = serializers.CharField()
    status_url = serializers.URLField()


KEY = OpenApiParameter(
    "Idempotency-Key",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description="1 to 255 printable ASCII characters. The same key stands for the same report for ever.",
)


class LengthRequired(APIException):
    """A body sent in chunks: WSGI hands over none of it, and an empty report would be blamed instead."""

    status_code = 411
    default_code = "length_required"
    default_detail = _("Send the body with its Content-Length, not in chunks.")


class ReportOrders(APIView):
    """Report an order.  202: taken; 200: this very report is known, nothing changes."""

    permission_classes = [needs("integration_hub.report_orders")]

    @extend_schema(
        operation_id="report_order",
        request=OrderIn,
        responses={202: Taken, 200: Taken} | refusals(400, 401, 403, 409, 411, 413, 415),
        parameters=[KEY],
    )
    def post(self, request: Request) -> Response:
        return taken(request, OrderIn, reports.TOPIC)


def taken(request: Request, form: type[StrictSerializer], topic: str) -> Response:
    """Check a report field by field, keep it, and say under which event; 200 where it is known already."""
    if "Transfer-Encoding" in request.headers and not request.headers.get("Content-Length"):
        raise LengthRequired
    key = _key(request)
    wanted = form(data=request.data)
    wanted.is_valid(raise_exception=True)
    connection = reports.channel(wanted.validated_data["channel"])
    if connection is None:
        raise serializers.ValidationError({"channel": [_("No connection of this name takes reports.")]})
    said = {name: value for name, value in dict(request.data).items() if name != "channel"}
    event, new = reports.take(connection, said, key=key, topic=topic)
    where = request.build_absolute_uri(reverse("api:event-detail", args=[event.pk]))
    answer = {"event": event.pk, "state": event.state, "status_url": where}
    return Response(answer, status=202 if new else 200, headers={"Location": where})


def _key(request: Request) -> str:
    key = request.headers.get("Idempotency-Key", "")
    if "Idempotency-Key" in request.headers and not _KEY.fullmatch(key):
        raise serializers.ValidationError({"Idempotency-Key": [_("1 to 255 printable ASCII characters are needed.")]})
    return str(key)
