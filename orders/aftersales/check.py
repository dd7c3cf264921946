"""The nightly counter-check: does what the shop last said of an order fit what the ERP last said of it?

Both sides are polled, so what the hub holds of them is minutes old; which orders exist at all and for how much is compared by
``orders.completeness``.  What is under way or lies before a person already is left alone.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Now

from exceptions import services as cases
from exceptions.models import CaseState, CaseSubject, ExceptionCase
from exceptions.services import Trouble
from integration_hub.kernel.states import OrderStage, SaleStage
from integration_hub.kernel.text import Text, mark, say
from integration_hub.models import OutboundCommand
from integration_hub.models.outbound import OPEN_COMMANDS
from orders.models import Order, Sale

from .models import AfterSale
from .states import OPEN

KIND = "sides_disagree"
DAYS = timedelta(days=60)
QUIET = timedelta(hours=1)  # what moved within the hour may still be on its way to the other side
MOST = 500

_TAKEN = (SaleStage.CONFIRMED, SaleStage.PARTLY_SHIPPED, SaleStage.SHIPPED)
# why it cannot be so: stages of the sale beside stages of the order
_RULES: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...] = (
    (mark("cancelled in the shop, but not in the ERP"), _TAKEN, (OrderStage.CANCELLED, OrderStage.GONE)),
    (mark("cancelled in the ERP, but not in the shop"), (SaleStage.CANCELLED,), (OrderStage.PENDING, OrderStage.READY)),
    (mark("shipped by the ERP, but open in the shop"), (SaleStage.SHIPPED,), (OrderStage.PENDING, OrderStage.READY)),
    (
        mark("fulfilled in the shop, but not shipped by the ERP"),
        (SaleStage.DRAFT, SaleStage.CONFIRMED),
        (OrderStage.COMPLETED,),
    ),
)


def nightly() -> dict[str, Any]:
    """Open a case per contradiction, and close those that are none any more; says how many there are."""
    found = list(contradictions()[:MOST])
    for sale in found:
        with transaction.atomic():
            tell(sale)
    for case in ExceptionCase.objects.open().filter(kind=KIND).order_by("pk"):
        rerun(case)
    return {"found": len(found)}


def contradictions() -> QuerySet[Sale]:
    """Sales whose stage cannot stand beside their order's, quiet for an hour, with nothing under way."""
    impossible = Q()
    for _why, sale, order in _RULES:
        impossible |= Q(stage__in=sale, order__stage__in=order)
    rows = Sale.objects.filter(impossible, order__source_updated_at__gte=Now() - DAYS)
    quiet = rows.filter(order__source_updated_at__lt=Now() - QUIET, written_at__lt=Now() - QUIET).exclude(
        source_updated_at__gte=Now() - QUIET
    )
    return quiet.exclude(_under_way()).select_related("order__channel", "connection").order_by("pk")


def _under_way() -> Q:
    """A special case, a command or another exception is dealing with it."""
    kind = ContentType.objects.get_for_model(Order)
    special = AfterSale.objects.filter(order=OuterRef("order_id"), state__in=OPEN)
    command = OutboundCommand.objects.filter(
        subject_type=kind, subject_id=OuterRef("order_id"), state__in=OPEN_COMMANDS
    )
    case = CaseSubject.objects.filter(
        subject_type=kind, subject_id=OuterRef("order_id"), open=True, case__state=CaseState.OPEN
    ).exclude(case__kind=KIND)
    return Q(Exists(special)) | Q(Exists(command)) | Q(Exists(case))


def tell(sale: Sale) -> None:
    """Both sides next to each other."""
    why = next(text for text, sales, orders in _RULES if sale.stage in sales and sale.order.stage in orders)
    trouble = Trouble(
        kind=KIND,
        cause=f"sale:{sale.pk}",
        params={"number": sale.order.number},
        expected=say("%(shop)s: %(status)s", shop=sale.order.channel.name, status=sale.order.vendor_status),
        found=say(
            "%(erp)s: %(status)s (%(why)s)",
            erp=sale.connection.name,
            status=sale.vendor_status or sale.stage,
            why=Text(why),
        ),
        data={"sale": sale.pk},
    )
    cases.open_case(trouble, sale.order, connection=sale.order.channel)


def rerun(case: ExceptionCase) -> int:
    """Compare again; the case closes when the sides agree or somebody is dealing with it."""
    held = cases.held_up(case, Order)
    for order in Order.objects.filter(pk__in=held):
        if not contradictions().filter(pk=case.data.get("sale", 0)).exists():
            cases.settle(order, kinds=(KIND,))
    return len(held)
