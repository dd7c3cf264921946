"""Orders that a target holds or may hold: our rows stay as written, and what the shop changes is a case for a person."""

from __future__ import annotations

from collections.abc import Sequence

from django.contrib.contenttypes.models import ContentType

from exceptions import services as cases
from exceptions.models import CaseState, CaseSubject, ExceptionCase
from exceptions.services import Trouble
from integration_hub.kernel.messages import OrderReport
from integration_hub.kernel.states import SaleStage
from integration_hub.kernel.text import Text, kept, say
from integration_hub.models import Connection, InboundEvent, OutboundCommand
from integration_hub.models.outbound import OPEN_COMMANDS, CommandState

from . import edits, recording
from .aftersales import services as aftersales
from .aftersales.states import TAKING
from .models import Order
from .recording import ONLY_PLACE

WRITE_SALE = "sale.write"
EDITED = "edited_after_export"
CANCELLED = "cancelled_after_export"
KINDS = (EDITED, CANCELLED)


def is_written(order: Order) -> bool:
    """Whether a target holds the order or may hold it."""
    return (
        order.sales.exists()
        or OutboundCommand.objects.filter(
            subject_type=ContentType.objects.get_for_model(Order), subject_id=order.pk, verb=WRITE_SALE, maybe_sent=True
        )
        .exclude(state=CommandState.CANCELLED)
        .exists()
    )


def is_under_way(erp: Connection, reference: str) -> bool:
    """Whether the ERP may hold a sale of this reference whose answer the hub has not booked yet."""
    slug, _colon, external_id = reference.partition(":")
    orders = Order.objects.filter(channel__slug=slug, external_id=external_id)
    return OutboundCommand.objects.filter(
        connection=erp,
        verb=WRITE_SALE,
        subject_type=ContentType.objects.get_for_model(Order),
        subject_id__in=list(orders.values_list("pk", flat=True)),
        state__in=OPEN_COMMANDS,
        maybe_sent=True,
    ).exists()


def edited(order: Order, report: OrderReport, event: InboundEvent, changes: list[str | Text]) -> None:
    """The shop changed it to this.  Changed back to what was written, the case closes."""
    digest = recording.digest(report)
    known = cases.open_cases_of(order).filter(kind=EDITED).first()
    written = known.data.get("written") if known else order.digest
    Order.objects.filter(pk=order.pk).update(digest=digest)
    if digest == written:
        cases.settle(order, kinds=(EDITED,))
        aftersales.changed_back(order)
        return
    aftersales.edited(
        order,
        digest,
        event,
        only_place=changes == [ONLY_PLACE],
        sides=edits.sides(order, report),
        dropped=edits.dropped(order, report),
    )
    found = say("Changed in the shop: %(changes)s", changes=changes)
    _differs(order, found, {"changes": kept(changes), "event": event.pk, "written": written}, event)


def cancelled(order: Order) -> None:
    """The shop cancelled it; the case closes when the ERP says that it did too."""
    sale = order.sales.exclude(stage=SaleStage.CANCELLED).first()
    if sale is None and order.sales.exists():
        return
    if aftersales.is_cancelled(order):
        return  # the hub's own cancellation comes back from the shop; its steps say what the ERP still has to do
    begun = aftersales.cancelled_in_shop(order) if sale else None
    if begun and (begun.state in TAKING or aftersales.in_conflict(begun)):
        return  # the ERP is being told, or both sides lie before a person already
    cases.open_case(
        Trouble(
            kind=CANCELLED,
            cause=f"order:{order.pk}",
            params={"number": order.number},
            expected=say("The sale is cancelled in the ERP too"),
            found=say("Sale %(sale)s is still open there", sale=sale.number if sale else "?"),
            data={"sale": sale.pk if sale else None, "after_sale": begun.pk if begun else 0},
        ),
        order,
        connection=order.channel,
    )


def restored(order: Order) -> None:
    """The shop wants again what it had cancelled."""
    aftersales.restored_in_shop(order)
    cases.settle(order, kinds=(CANCELLED,))
    if order.sales.exists() and not order.sales.exclude(stage=SaleStage.CANCELLED).exists():
        _differs(order, say("Restored in the shop, but the sale is cancelled in the ERP"), {})


def _differs(order: Order, found: Text, data: dict[str, object], event: InboundEvent | None = None) -> None:
    cases.open_case(
        Trouble(
            kind=EDITED,
            cause=f"order:{order.pk}",
            params={"number": order.number},
            expected=_written(order),
            found=found,
            data=data,
        ),
        order,
        connection=order.channel,
        event_id=event.pk if event else None,
    )


def _written(order: Order) -> Text:
    """What the ERP holds, and how far it has gone with it: after shipping a change is another thing than before."""
    sale = order.sales.exclude(stage=SaleStage.CANCELLED).select_related("connection").order_by("pk").first()
    if sale is None:
        return say("The order as written to the ERP")
    return say(
        "The order as written to the ERP: %(erp)s holds it as %(number)s (%(status)s), shipping %(shipping)s",
        erp=sale.connection.name,
        number=sale.number,
        status=sale.vendor_status or sale.stage,
        shipping=order.fulfilment,
    )


def open_cases(order: Order) -> list[ExceptionCase]:
    """What is open because the order was, or may have been, written already."""
    return list(cases.open_cases_of(order).filter(kind__in=KINDS))


def held(orders: Sequence[int]) -> set[int]:
    """Those of these orders that have such an open case."""
    rows = CaseSubject.objects.filter(
        subject_type=ContentType.objects.get_for_model(Order),
        subject_id__in=orders,
        open=True,
        case__state=CaseState.OPEN,
        case__kind__in=KINDS,
    )
    return set(rows.values_list("subject_id", flat=True))
