"""News becomes calls of services; translation only."""

from __future__ import annotations

from collections.abc import Sequence

from integration_hub.kernel.messages import (
    AfterSaleMoved,
    DocumentIssued,
    OrderAccepted,
    OrderMoneyChanged,
    ShipmentRecorded,
)
from orders.aftersales.models import AfterSale
from orders.aftersales.states import AfterSaleState
from orders.models import Order, Shipment
from orders.states import OrderState, Payment
from payments.states import Money

from .services import doubts, due


def orders_accepted(news: Sequence[OrderAccepted]) -> None:
    """Orders that are billed when they are confirmed, or that came paid."""
    orders = list(Order.objects.filter(pk__in=[one.order_id for one in news]).order_by("pk"))
    due.confirmed(orders)
    due.paid([order for order in orders if order.payment == Payment.PAID])


def money_changed(news: Sequence[OrderMoneyChanged]) -> None:
    """Orders that are paid now, as providers and bank say."""
    ids = [one.order_id for one in news if one.status == Money.PAID]
    due.paid(list(Order.objects.filter(pk__in=ids, state=OrderState.ACCEPTED).order_by("pk")))


def shipments_recorded(news: Sequence[ShipmentRecorded]) -> None:
    """Parcels that left the house."""
    rows = Shipment.objects.filter(pk__in=[one.shipment_id for one in news]).select_related("order")
    due.shipped(list(rows.order_by("pk")))


def after_sales_moved(news: Sequence[AfterSaleMoved]) -> None:
    """Special cases that are done give something back."""
    ids = [one.after_sale_id for one in news if one.state == AfterSaleState.DONE]
    if ids:
        due.given_back(list(AfterSale.objects.filter(pk__in=ids).select_related("order").order_by("pk")))


def documents_issued(news: Sequence[DocumentIssued]) -> None:
    """What was in doubt about these deliveries is decided."""
    doubts.decided([one.document_id for one in news])
