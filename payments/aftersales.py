"""Money of special cases: the refund is asked for when the case is confirmed, and ticks its step when it has arrived."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction

from integration_hub.kernel.aftersales import AfterSaleKind
from integration_hub.kernel.errors import NotNow
from integration_hub.kernel.messages import AfterSaleMoneyDue, AfterSaleMoved, OrderMoneyChanged
from integration_hub.models.access import User
from orders.aftersales import exchange, services
from orders.aftersales.models import AfterSale

from . import balances, refunds
from .models import OpenItem, Refund
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
    due = exchange.money_back(row)
    lines = list(row.lines.select_related("line").filter(amount__gt=0)) if due == row.amount else []
    parts = [refunds.Part(one.line, one.amount) for one in lines]
    why = row.reason or row.number
    try:
        with transaction.atomic():
            refunds.request(row.order, due, by=by, why=why, parts=parts, after_sale=row)
    except NotNow:
        return  # not paid through a provider that the hub can ask: the step says that a person does it


def exchanged(news: Sequence[AfterSaleMoved]) -> None:
    """What comes back in an exchange pays for the replacement: both orders stand differently with their money now."""
    rows = AfterSale.objects.filter(pk__in=[one.after_sale_id for one in news], kind=AfterSaleKind.EXCHANGE)
    ids = [pk for pair in rows.values_list("order", "replacement") for pk in pair if pk]
    if ids and balances.is_kept():
        balances.refresh(ids)


def paid_up(news: Sequence[OrderMoneyChanged]) -> None:
    """A replacement whose price is all there: the exchange waits for no money any more."""
    items = OpenItem.objects.filter(order__in=[one.order_id for one in news], order__exchange__isnull=False, open=0)
    for pk in list(items.order_by("pk").values_list("order__exchange", flat=True)):
        services.difference_paid(pk)


def settled(refund: Refund) -> None:
    """Tick the step once all refunds of the special case have arrived."""
    if refund.after_sale_id is None:
        return
    asked = Refund.objects.filter(after_sale=refund.after_sale_id).exclude(state=RefundState.DECLINED)
    if not asked.exclude(state=RefundState.SETTLED).exists():
        services.money_returned(refund.after_sale_id)
