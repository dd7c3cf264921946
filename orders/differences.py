"""Differences between shop, hub and ERP: kept as rows, each with its case, and gone when the sides agree again."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Now

from exceptions import services as cases
from exceptions.models import CaseState, CaseSubject, ExceptionCase
from exceptions.services import Trouble
from integration_hub.kernel.money import Money
from integration_hub.kernel.text import Text, say
from integration_hub.models import InboundEvent, PollState
from integration_hub.models.inbound import EventState

from . import comparing
from .comparing import Gap, Sides
from .exported import EDITED
from .models import Order, Sale
from .states import OrderState
from .tally import DayTally, Difference, What

MOST = 300  # differences of a day that are kept; the figures count them all
MISSING_HERE = "order_missing_here"
MISSING_IN_ERP = "order_missing_in_erp"
TWICE_IN_ERP = "order_twice_in_erp"
SUM = "sum_differs"
KINDS = {
    What.MISSING_HERE: MISSING_HERE,
    What.MISSING_IN_ERP: MISSING_IN_ERP,
    What.TWICE_IN_ERP: TWICE_IN_ERP,
    What.SUM: SUM,
}


def keep(tally: DayTally, seen: Sides) -> int:
    """Make the day's rows and cases what was found now; returns how many differences there are.  In a transaction."""
    found = comparing.merged(comparing.gaps(seen))
    kept = found[:MOST]
    wanted = {(gap.what, gap.external_id) for gap in kept}
    for row in tally.differences.select_related("order", "tally__connection"):
        if (row.what, row.external_id) not in wanted:
            _let_go(row)
    for gap in kept:
        _hold(tally, gap)
    if any(gap.what == What.NOT_THERE for gap in found):
        PollState.objects.filter(connection=tally.connection, stream="sweep", lease_token=None).update(due_at=Now())
    return len(found)


def _let_go(row: Difference) -> None:
    """The difference is gone, and with it its case."""
    if kind := KINDS.get(What(row.what)):
        cases.settle(_subject(row), kinds=(kind,))
    row.delete()


def _hold(tally: DayTally, gap: Gap) -> None:
    row, _made = Difference.objects.update_or_create(
        tally=tally,
        what=gap.what,
        external_id=gap.external_id[:120],
        defaults={
            "number": gap.number[:60],
            "order_id": gap.order,
            "currency": gap.currency[:3],
            "there": gap.there,
            "here": gap.here,
            "erp": gap.erp,
        },
    )
    case_id = _explained(row) or _open(row)
    Difference.objects.filter(pk=row.pk).update(case_id=case_id)


def _subject(row: Difference) -> models.Model:
    return row if row.what == What.MISSING_HERE or row.order is None else row.order


def _explained(row: Difference) -> int | None:
    """An open case that already says why: the message could not be read, or the order was changed after export."""
    if row.what == What.MISSING_HERE:
        parked = InboundEvent.objects.filter(
            connection=row.tally.connection, object_id=row.external_id, state=EventState.PARKED
        )
        ids = list(parked.order_by("-pk").values_list("pk", flat=True)[:20])
        held = CaseSubject.objects.filter(
            subject_type=ContentType.objects.get_for_model(InboundEvent), subject_id__in=ids, open=True
        )
        return held.values_list("case_id", flat=True).first()
    if row.what == What.SUM and row.order is not None:
        return cases.open_cases_of(row.order).filter(kind=EDITED).values_list("pk", flat=True).first()
    return None


def _open(row: Difference) -> int | None:
    kind = KINDS.get(What(row.what))
    if kind is None:
        return None
    tally, cause = row.tally, f"{row.tally.connection_id}:{row.external_id}"
    if (settled := _accepted(kind, cause, _found(row))) is not None:
        return settled
    case = cases.open_case(
        Trouble(
            kind=kind,
            cause=cause,
            params={"number": str(row), "connection": tally.connection.name, "day": tally.day.isoformat()},
            expected=_expected(row),
            found=_found(row),
            data={"tally": tally.pk, "external_id": row.external_id},
        ),
        _subject(row),
        connection=tally.connection,
    )
    return case.pk


def _accepted(kind: str, cause: str, found: Text) -> int | None:
    """The case of this very finding that a person closed with a reason; it is not opened every night again."""
    closed = ExceptionCase.objects.filter(kind=kind, cause=cause, state=CaseState.DISMISSED).order_by("-pk").first()
    return closed.pk if closed and closed.found == found.as_json() else None


def _expected(row: Difference) -> Text:
    if row.what == What.MISSING_HERE:
        return say("The hub holds every order that the shop lists")
    if row.what == What.SUM:
        return say("%(amount)s, as the hub holds it", amount=_money(row.here, row))
    return say("The ERP holds the order once")


def _money(amount: Decimal | None, row: Difference) -> Money:
    return Money(amount or Decimal(0), row.currency)


def _found(row: Difference) -> Text:
    if row.what == What.MISSING_HERE:
        return say("The shop lists it on %(day)s with %(amount)s", day=row.tally.day, amount=_money(row.there, row))
    if row.what == What.SUM:
        return _other_sum(row)
    if row.what == What.TWICE_IN_ERP:
        return say("It stands there more than once")
    return say("It is accepted, nothing is on its way, and the ERP does not list it")


def _other_sum(row: Difference) -> Text:
    there, erp = _money(row.there, row), _money(row.erp, row)
    if row.there is not None and row.erp is not None:
        return say("%(there)s in the shop, %(erp)s in the ERP", there=there, erp=erp)
    if row.erp is not None:
        return say("%(erp)s in the ERP", erp=erp)
    return say("%(there)s in the shop", there=there)


def overtaken() -> list[int]:
    """Days with a difference that has become moot since they were compared."""
    come = Order.objects.filter(channel=OuterRef("tally__connection"), external_id=OuterRef("external_id"))
    written = Sale.objects.filter(order=OuterRef("order"), written_at__gt=OuterRef("tally__checked_at"))
    moot = Q(Exists(come), what=What.MISSING_HERE) | (
        Q(what=What.MISSING_IN_ERP) & (Q(Exists(written)) | ~Q(order__state=OrderState.ACCEPTED))
    )
    rows = Difference.objects.filter(moot, tally__due_at=None)
    return list(rows.order_by("tally").values_list("tally", flat=True).distinct()[:100])


def of_days(tallies: Sequence[DayTally]) -> dict[int, list[Difference]]:
    """The kept differences of these days, by day."""
    found: dict[int, list[Difference]] = {}
    rows = Difference.objects.filter(tally__in=tallies).select_related("order").order_by("what", F("number"), "pk")
    for row in rows:
        found.setdefault(row.tally_id, []).append(row)
    return found
