"""The money of an order on its page: what is open, every movement, refunds, and what may be done."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from integration_hub.backoffice.buttons import buttons
from orders.models import Order
from orders.panels import Panel

from .models import Allocation, OpenItem, Refund, WriteOff
from .process_actions import ORDER_ACTIONS

MOST = 50


def _facts(request: HttpRequest, order: Order) -> dict[str, Any]:
    rows = Allocation.objects.filter(order_id=order.pk).select_related("transaction__connection")
    return {
        "item": OpenItem.objects.filter(pk=order.pk).first(),
        "rows": list(rows.order_by("transaction__occurred_at", "pk")[:MOST]),
        "refunds": list(Refund.objects.filter(order=order).select_related("requested_by", "approved_by")[:MOST]),
        "write_offs": list(WriteOff.objects.filter(order=order).select_related("requested_by", "approved_by")[:MOST]),
        "buttons": buttons(request, ORDER_ACTIONS, order, "order_money_action"),
        "order": order,
    }


PANEL = Panel(template="payments/order_panel.html", permission="payments.view_openitem", facts=_facts)
