"""Money of special cases: the refund is asked for when the case is confirmed, and ticks its step when it has arrived."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction

from integration_hub.kernel.errors import NotNow
from integration_hub.kernel.messages import AfterSaleMoneyDue
from integration_hub.models.access import User
from orders.aftersales import services
from orders.aftersales.models import AfterSale

from . import refunds
from .models import Refund
from .states import RefundState


def money_due(news: Sequence[AfterSaleMoneyDue]) -> None:
    """Ask for the refunds of what a person has confirmed; what the hub cannot pay back waits on the checklist for a person."""
    for one in news:
        row = AfterSale.objects.select_related("order__channel").get(pk=one.after_sale_id)
        by = User.objects.filter(pk=one.by or 0).first()
        if by and row.order and not row.refunds.exclude(state=RefundState.DECLINED).exists():
            _ask(row, by)


def _ask(row: AfterSale, by: User) -> None:
    assert row.order is not None  # noqa: S101  the caller looked
    lines = row.lines.select_related("line").filter(amount__gt=0)
    parts = [refunds.Part(one.line, one.amount) for one in lines]
    why = row.reason or row.number
    try:
        with transaction.atomic():
            refunds.request(row.order, row.amount, by=by, why=why, parts=parts, after_sale=row)
    except NotNow:
        return  # not paid through a provider that the hub can ask: the step says that a person does it


def settled(refund: Refund) -> None:
    """Tick the step once all refunds of the special case have arrived."""
    if refund.after_sale_id is None:
        return
    asked = Refund.objects.filter(after_sale=refund.after_sale_id).exclude(state=RefundState.DECLINED)
    if not asked.exclude(state=RefundState.SETTLED).exists():
        services.money_returned(refund.after_sale_id)
