"""Deliveries of which nobody can say yet whether or how they are billed: a document in doubt, and a case for its order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from exceptions import services as cases
from exceptions.services import Trouble
from orders.models import Order

from ..models import Document
from ..states import DocumentState

if TYPE_CHECKING:
    from .planning import Plan

KINDS = (
    "document_incomplete",
    "document_tax_differs",
    "document_tax_undecided",
    "document_sum_differs",
    "document_elsewhere",
)


def record(plan: Plan) -> list[Order]:
    """Write the doubt down for every order it is about; the same doubt again changes nothing."""
    doubts = [{"kind": one.kind, "found": one.found.as_json()} for one in plan.troubles]
    for order, scope in plan.scopes:
        Document.objects.filter(order=order, scope=scope, state=DocumentState.DOUBT).delete()
        row = plan.document
        Document.objects.create(
            kind=row.kind,
            state=DocumentState.DOUBT,
            issuer=row.issuer,
            channel=order.channel,
            order=order,
            scope=scope,
            customer=order.customer,
            currency=order.currency,
            net=order.total - order.total_tax,
            tax=order.total_tax,
            gross=order.total,
            country=row.country,
            doubts=doubts,
        )
        tell(order, plan)
    return [order for order, _scope in plan.scopes]


def tell(order: Order, plan: Plan) -> None:
    """Open the cases of this doubt, and let go of those that are over."""
    for one in plan.troubles:
        cases.open_case(
            Trouble(
                kind=one.kind,
                cause=f"{one.kind}:{order.pk}",
                params={"number": order.number},
                expected=one.expected,
                found=one.found,
            ),
            order,
            connection=order.channel,
        )
    cases.settle(order, kinds=KINDS, still=[(one.kind, f"{one.kind}:{order.pk}") for one in plan.troubles])


def decided(issued: Sequence[int]) -> None:
    """These documents were issued: their orders' doubts of the same scope are gone, and with the last one their cases."""
    rows = Document.objects.filter(pk__in=issued).values_list("origins__order_id", "origins__scope")
    scopes = {(order, scope) for order, scope in rows if order is not None}
    found = Document.objects.filter(state=DocumentState.DOUBT, order_id__in={order for order, _scope in scopes})
    gone = [doubt for doubt in found if (doubt.order_id, doubt.scope) in scopes]
    Document.objects.filter(pk__in=[doubt.pk for doubt in gone], state=DocumentState.DOUBT).delete()
    for order in Order.objects.filter(pk__in={doubt.order_id for doubt in gone}).select_related("channel"):
        cases.settle(order, kinds=KINDS)
