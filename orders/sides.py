"""Reading the three sides of a day: what the shop has listed, what the hub holds, and what the ERP answers."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db.models import Q

from integration_hub.kernel.errors import HubError
from integration_hub.kernel.messages import Listed
from integration_hub.kernel.money import rounded
from integration_hub.kernel.states import Capability, SaleStage
from integration_hub.kernel.text import Text, say
from integration_hub.models import Connection, InboundEvent, OutboundCommand, PollState, ProcessSwitch
from integration_hub.models.connection import ConnectionState
from integration_hub.models.inbound import UNFINISHED
from integration_hub.models.outbound import OPEN_COMMANDS

from .aftersales.models import AfterSaleStep
from .aftersales.steps import BY_HAND, CANCEL_SALE
from .comparing import Here, InErp, Sides, There, expected, figures
from .exported import WRITE_SALE
from .models import Order, OrderLine, Sale
from .states import ORDER_TO_ERP
from .tally import DayTally

BATCH = 50
LONGEST_LOOK = 25.0  # seconds; a day whose ERP answers more slowly is compared without it

__all__ = ["figures", "look", "plain"]

_COLUMNS = ("pk", "external_id", "number", "total", "currency", "state", "stage", "placed_at", "exchange_id")


def plain(row: Listed) -> list[Any]:
    """A listed order as JSON, short: a day may hold tens of thousands."""
    updated = row.updated_at.isoformat() if row.updated_at else None
    return [row.external_id, row.number, str(row.total), row.currency, updated]


def _there(listed: Iterable[Sequence[Any]]) -> list[There]:
    """Listed orders, each once, however often pages that moved have shown it."""
    rows = {row[0]: row for row in listed}
    return [
        There(
            external_id=str(name),
            number=str(number)[:60],
            total=Decimal(total),
            currency=str(currency),
            updated_at=datetime.fromisoformat(updated) if updated else None,
        )
        for name, number, total, currency, updated in rows.values()
    ]


def look(tally: DayTally, start: datetime) -> tuple[Sides, Text | None]:
    """The sides of a day whose list is whole, and what had to be left out."""
    there = _there(tally.listed)
    switch = (
        ProcessSwitch.objects.filter(channel=tally.connection, process=ORDER_TO_ERP, enabled=True)
        .select_related("target")
        .first()
    )
    here = _here(tally, there, start, switch)
    erp, note = _ask(switch.target, tally.connection, here) if switch else (None, None)
    until = _polled_until(tally.connection)
    note = note or (say("Orders are still being read for the first time.") if until is None else None)
    unsure = _arriving(tally.connection, there)
    sides = Sides(
        there=[row for row in there if row.external_id not in unsure],
        here=[order for order in here if order.external_id not in unsure],
        judged_until=until,
        erp=erp,
        asked=frozenset(order.pk for order in here if expected(order)) if erp is not None else frozenset(),
    )
    return sides, note


def _polled_until(shop: Connection) -> datetime | None:
    """What changed before this has been polled; None while the first poll is not through."""
    state = PollState.objects.filter(connection=shop, stream="orders").first()
    return state.since if state else None


def _arriving(shop: Connection, there: Sequence[There]) -> set[str]:
    """Orders with a message that waits to be processed."""
    names = [row.external_id for row in there]
    rows = InboundEvent.objects.filter(connection=shop, state__in=UNFINISHED, object_id__in=names)
    return set(rows.values_list("object_id", flat=True))


def _here(tally: DayTally, there: Sequence[There], start: datetime, switch: ProcessSwitch | None) -> list[Here]:
    """The hub's orders that were placed that day, and those that the shop lists for it."""
    listed = Q(external_id__in=[row.external_id for row in there])
    placed = Q(placed_at__gte=start, placed_at__lt=tally.until)
    rows = list(Order.objects.filter(listed | placed, channel=tally.connection).only(*_COLUMNS).order_by("pk"))
    ids = [row.pk for row in rows]
    moving, cancelled, taken = _moving(ids), _cancelled(ids), _taken(ids)
    since = switch.since if switch else None
    return [
        Here(
            pk=row.pk,
            external_id=row.external_id,
            number=row.number,
            total=row.total,
            currency=row.currency,
            state=row.state,
            stage=row.stage,
            in_scope=since is not None and row.placed_at >= since and row.pk not in cancelled,
            under_way=row.pk in moving,
            cancelled=sum(taken[row.pk], Decimal(0)),
            cancelled_lines=len(taken[row.pk]),
            ours=row.exchange_id is not None,
        )
        for row in rows
    ]


def _moving(ids: Sequence[int]) -> set[int]:
    """Orders whose writing or partial cancellation is not over: it is tried, or waits for a person who has a case of it."""
    kind = ContentType.objects.get_for_model(Order)
    rows = OutboundCommand.objects.filter(
        subject_type=kind, subject_id__in=ids, verb=WRITE_SALE, state__in=OPEN_COMMANDS
    )
    waiting = AfterSaleStep.objects.filter(
        after_sale__order__in=ids, code__in=(CANCEL_SALE, BY_HAND), done_at=None, skipped={}
    )
    return {*rows.values_list("subject_id", flat=True), *waiting.values_list("after_sale__order", flat=True)}


def _taken(ids: Sequence[int]) -> dict[int, list[Decimal]]:
    """By order, what its cancelled pieces cost, line by line."""
    found: dict[int, list[Decimal]] = defaultdict(list)
    rows = OrderLine.objects.filter(order__in=ids, cancelled__gt=0).order_by("pk")
    for order, currency, gross, quantity, cancelled in rows.values_list(
        "order", "order__currency", "gross", "quantity", "cancelled"
    ):
        found[order].append(rounded(gross * cancelled / quantity, currency))
    return found


def _cancelled(ids: Sequence[int]) -> set[int]:
    """Orders whose sale the ERP has cancelled and said so."""
    rows = Sale.objects.filter(order_id__in=ids, stage=SaleStage.CANCELLED)
    return set(rows.values_list("order_id", flat=True))


def _ask(erp: Connection, shop: Connection, here: Sequence[Here]) -> tuple[dict[int, InErp] | None, Text | None]:
    """The ERP's live sales of the orders it should hold; None and why where it cannot be asked."""
    if Capability.LIST_SALES not in erp.capabilities:
        return None, say("%(erp)s cannot list its sales.", erp=erp.name)
    if erp.state != ConnectionState.ACTIVE:
        return None, say("%(erp)s is not in use.", erp=erp.name)
    names = {f"{shop.slug}:{order.external_id}": order.pk for order in here if expected(order)}
    try:
        return _sales(erp, names), None
    except HubError as error:
        return None, say("%(erp)s was not compared: %(why)s", erp=erp.name, why=str(error.text))


def _sales(erp: Connection, names: dict[str, int]) -> dict[int, InErp]:
    connector = erp.connector()
    connector.http.deadline = time.monotonic() + LONGEST_LOOK
    found: dict[int, list[Listed]] = {}
    references = list(names)
    for place in range(0, len(references), BATCH):
        for sale in connector.list_sales(references[place : place + BATCH]):
            if sale.live and sale.reference in names:
                found.setdefault(names[sale.reference], []).append(sale)
    return {pk: InErp([sale.total for sale in held], held[0].currency) for pk, held in found.items()}
