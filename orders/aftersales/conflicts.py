"""Where shop and ERP contradict each other about one order, and what each answer to it means."""

from __future__ import annotations

from dataclasses import dataclass

from exceptions import services as cases
from exceptions.services import Trouble
from integration_hub.kernel.aftersales import AfterSaleKind
from integration_hub.kernel.states import SaleStage
from integration_hub.kernel.text import Text, say

from .models import AfterSale, AfterSaleRule
from .states import Wins

CONFLICT = "after_sale_conflict"
SHIPPED = (SaleStage.PARTLY_SHIPPED, SaleStage.SHIPPED)


@dataclass(frozen=True)
class Conflict:
    """What both sides say."""

    code: str
    expected: Text
    found: Text


def of(row: AfterSale) -> Conflict | None:
    """The contradiction that stands in the way, if any."""
    order = row.order
    if order is None or row.kind != AfterSaleKind.CANCELLATION:
        return None
    gone = order.sales.filter(stage__in=SHIPPED).select_related("connection").first()
    if gone is None or _only_undelivered(row):
        return None
    return Conflict(
        "cancelled_but_shipped",
        say("%(shop)s: cancelled", shop=order.channel.name),
        say(
            "%(erp)s: %(status)s as %(number)s", erp=gone.connection.name, status=gone.vendor_status, number=gone.number
        ),
    )


def _only_undelivered(row: AfterSale) -> bool:
    """A cancellation of pieces that are still here contradicts nothing: tie() took them from the undelivered ones."""
    return row.lines.exists()


def rule(row: AfterSale) -> Wins:
    found = AfterSaleRule.objects.filter(channel=row.order.channel_id if row.order else None, kind=row.kind).first()
    return Wins(found.wins) if found else Wins.ASK


def open_case(row: AfterSale, conflict: Conflict) -> None:
    """Both sides next to each other, for a person."""
    trouble = Trouble(
        kind=CONFLICT,
        cause=f"after_sale:{row.pk}",
        params={"number": row.number, "order": row.order.number if row.order else ""},
        expected=conflict.expected,
        found=conflict.found,
        data={"after_sale": row.pk, "conflict": conflict.code},
    )
    cases.open_case(trouble, row, connection=row.connection, event_id=row.event_id)


def changed(row: AfterSale) -> None:
    """The system says something else about a case that is under way or done already."""
    open_case(
        row,
        Conflict(
            "changed_while_running",
            say("As it was when it began"),
            say(
                "%(system)s now states other positions or another amount",
                system=row.connection.name if row.connection else "?",
            ),
        ),
    )
