"""Everything that planning reads once for all deliveries of a run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Max, Prefetch

from orders.models import Order, OrderLine, Shipment

from ..models import DocumentLine, IssuingRule, Origin, Seller, TaxDecision, VatCheck
from ..states import ORIGINATING, DocumentKind, Vies
from . import advances, distance, vat_ids
from .rates import RateTable

ZERO = Decimal(0)


@dataclass
class Facts:
    """Everything that is read once for all deliveries of a run."""

    orders: dict[int, Order]
    rules: dict[int, IssuingRule]
    sellers: list[Seller]
    table: RateTable
    shipments: dict[int, list[Shipment]]
    billed: dict[int, dict[int, Decimal]]
    origins: dict[int, list[Origin]]
    denied: set[str]
    figures: dict[int, str]
    watch: distance.Watch
    advances: dict[int, advances.Open]
    elsewhere: bool = False


def read(ids: Sequence[int]) -> Facts:
    orders = (
        Order.objects.select_for_update(of=("self",), no_key=True)
        .filter(pk__in=ids)
        .order_by("pk")
        .select_related("channel", "customer")
        .prefetch_related(Prefetch("lines", OrderLine.objects.select_related("variant")), "addresses")
    )
    found = {order.pk: order for order in orders}
    shipments: dict[int, list[Shipment]] = {}
    for row in Shipment.objects.filter(order_id__in=ids).prefetch_related("lines").order_by("pk"):
        shipments.setdefault(row.order_id, []).append(row)
    origins: dict[int, list[Origin]] = {}
    for origin in Origin.objects.filter(order_id__in=ids, released_by=None):
        origins.setdefault(origin.order_id, []).append(origin)
    channels = {order.channel_id for order in found.values()}
    rules = IssuingRule.objects.filter(channel_id__in=channels).select_related("invoices", "corrections")
    return Facts(
        orders=found,
        rules={rule.channel_id: rule for rule in rules},
        sellers=list(Seller.objects.order_by("-valid_from")),
        table=RateTable.load(),
        shipments=shipments,
        billed=_billed(list(origins)),
        origins=origins,
        denied=_denied(found.values()),
        figures=dict(TaxDecision.objects.filter(order_id__in=ids).order_by("pk").values_list("order_id", "figures")),
        watch=distance.Watch.load(),
        advances=advances.of(ids),
    )


def _billed(ids: Sequence[int]) -> dict[int, dict[int, Decimal]]:
    """Pieces that stand on documents already, by order and line; several lines of a document for one are the same pieces."""
    if not ids:
        return {}
    rows = (
        DocumentLine.objects.filter(order_line__order_id__in=ids, document__kind__in=ORIGINATING)
        .exclude(document__corrections__kind=DocumentKind.CANCELLATION)
        .values("order_line__order_id", "order_line_id", "document_id")
        .annotate(pieces=Max("quantity"))
    )
    found: dict[int, dict[int, Decimal]] = {}
    for row in rows:
        lines = found.setdefault(row["order_line__order_id"], {})
        lines[row["order_line_id"]] = lines.get(row["order_line_id"], ZERO) + row["pieces"]
    return found


def _denied(orders: Iterable[Order]) -> set[str]:
    """VAT ids whose last answer from the register was no; new ones are put down for it."""
    ids = {str((order.buyer or {}).get("vat_id", "")).replace(" ", "").upper() for order in orders} - {""}
    vat_ids.seen(ids)
    asked = VatCheck.objects.filter(vat_id__in=ids).exclude(vies__in=(Vies.UNASKED, Vies.SILENT)).order_by("pk")
    return {vat_id for vat_id, vies in dict(asked.values_list("vat_id", "vies")).items() if vies == Vies.INVALID}
