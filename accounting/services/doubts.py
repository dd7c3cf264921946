"""Deliveries of which nobody can say yet whether or by whom they are billed: a document in doubt and a case for its order."""

from __future__ import annotations

from collections.abc import Sequence

from exceptions import services as cases
from orders.models import Order

from ..models import Document
from ..states import DocumentState

KINDS: tuple[str, ...] = ()


def decided(issued: Sequence[int]) -> None:
    """These documents were issued: their orders' doubts of the same scope are gone, and with the last one their cases."""
    rows = Document.objects.filter(pk__in=issued).values_list("origins__order_id", "origins__scope")
    scopes = {(order, scope) for order, scope in rows if order is not None}
    found = Document.objects.filter(state=DocumentState.DOUBT, order_id__in={order for order, _scope in scopes})
    gone = [doubt for doubt in found if (doubt.order_id, doubt.scope) in scopes]
    Document.objects.filter(pk__in=[doubt.pk for doubt in gone], state=DocumentState.DOUBT).delete()
    for order in Order.objects.filter(pk__in={doubt.order_id for doubt in gone}).select_related("channel"):
        cases.settle(order, kinds=KINDS)
