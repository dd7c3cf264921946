"""The documents of an order on its page, what is still to be issued, and what may be done."""

from __future__ import annotations

from typing import Any

from django.db.models import Q
from django.http import HttpRequest

from integration_hub.backoffice.buttons import buttons
from orders.models import Order
from orders.panels import Panel

from .actions import ORDER_ACTIONS
from .models import Document, Due, Origin

MOST = 50


def documents_of(order_pk: int) -> list[Document]:
    """The documents that bill an order, its corrections and doubts; collective ones included."""
    billed = Origin.objects.filter(order_id=order_pk).values_list("document_id", flat=True)
    rows = Document.objects.filter(Q(order_id=order_pk) | Q(pk__in=list(billed[:MOST])))
    return list(rows.select_related("corrects").order_by("pk")[:MOST])


def _facts(request: HttpRequest, order: Order) -> dict[str, Any]:
    return {
        "rows": documents_of(order.pk),
        "due": list(Due.objects.filter(order=order).order_by("pk")[:MOST]),
        "buttons": buttons(request, ORDER_ACTIONS, order, "order_document_action"),
        "order": order,
    }


PANEL = Panel(template="accounting/order_panel.html", permission="accounting.view_document", facts=_facts)
