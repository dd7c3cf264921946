"""The stock ledger's verbs: receive, take back, correct, count, transfer.  A person's word counts where the hub is the source."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID, uuid4

from django.contrib.contenttypes.models import ContentType
from django.db import models, transaction

from integration_hub.kernel.errors import NotNow
from integration_hub.kernel.text import Text, say
from integration_hub.messaging import pump
from integration_hub.models import Connection
from integration_hub.models.access import User

from ..models import Location, Movement, StockLevel, StockMovement, Variant

LANE = "stock"
ZERO = Decimal(0)
MOST = Decimal(10) ** 9  # a larger quantity is a mistake


@dataclass(frozen=True, kw_only=True)
class Step:
    """One row to be: signed changes of on hand and reserved in the article's unit, and what they are for."""

    variant_id: int
    location_id: int
    kind: Movement
    quantity: Decimal = ZERO
    reserved: Decimal = ZERO
    cause: models.Model | None = None
    text: Text | None = None
    pair: UUID | None = None


def book(
    steps: Iterable[Step], *, by: User | None = None, why: str = "", stated_by: Connection | None = None
) -> list[StockMovement]:
    """Write the rows in one statement; the database keeps the levels and refuses what breaks a rule of the ledger."""
    rows = [_row(step, by, why, stated_by) for step in steps]
    if rows:
        StockMovement.objects.bulk_create(rows)
        pump.kick(LANE)
    return rows


def _row(step: Step, by: User | None, why: str, stated_by: Connection | None) -> StockMovement:
    cause = step.cause
    return StockMovement(
        variant_id=step.variant_id,
        location_id=step.location_id,
        kind=step.kind,
        quantity=step.quantity,
        reserved=step.reserved,
        cause_type=ContentType.objects.get_for_model(cause) if cause else None,
        cause_id=cause.pk if cause else None,
        text=step.text.as_json() if step.text else {},
        why=why[:500],
        stated_by=stated_by,
        by=by,
        pair=step.pair,
    )


def receive(
    variant: Variant,
    location: Location,
    quantity: Decimal,
    *,
    by: User,
    why: str,
    returned: bool = False,
    cause: models.Model | None = None,
) -> StockMovement:
    """Goods have come in, from a supplier or ``returned`` by a customer."""
    _possible(variant, location, quantity)
    kind, text = (Movement.RETURN, say("Return")) if returned else (Movement.RECEIPT, say("Goods receipt"))
    step = Step(variant_id=variant.pk, location_id=location.pk, kind=kind, quantity=quantity, cause=cause, text=text)
    return book([step], by=by, why=why)[0]


def correct(variant: Variant, location: Location, change: Decimal, *, by: User, why: str) -> StockMovement:
    """More or less lies there than the ledger says, by this much."""
    _possible(variant, location, abs(change))
    step = Step(
        variant_id=variant.pk,
        location_id=location.pk,
        kind=Movement.CORRECTION,
        quantity=change,
        text=say("Corrected by hand"),
    )
    return book([step], by=by, why=why)[0]


@transaction.atomic
def count(variant: Variant, location: Location, counted: Decimal, *, by: User, why: str) -> StockMovement | None:
    """So many were counted there; the difference is booked, None where there is none."""
    _possible(variant, location, counted, zero=True)
    level = hold([variant.pk], [location.pk]).get((variant.pk, location.pk))
    change = counted - (level.on_hand if level else ZERO)
    text = say("Counted: %(counted)s", counted=f"{counted.normalize():f}")
    step = Step(variant_id=variant.pk, location_id=location.pk, kind=Movement.COUNT, quantity=change, text=text)
    return book([step], by=by, why=why)[0] if change else None


def transfer(
    variant: Variant, source: Location, target: Location, quantity: Decimal, *, by: User, why: str
) -> list[StockMovement]:
    """Move goods from one place to another; two rows that balance."""
    if source.pk == target.pk:
        raise NotNow(say("Source and target are the same location."))
    for location in (source, target):
        _possible(variant, location, quantity)
    text, pair = say("From %(source)s to %(target)s", source=source.name, target=target.name), uuid4()
    steps = [
        Step(
            variant_id=variant.pk,
            location_id=location.pk,
            kind=Movement.TRANSFER,
            quantity=change,
            text=text,
            pair=pair,
        )
        for location, change in ((source, -quantity), (target, quantity))
    ]
    return book(steps, by=by, why=why)


def _possible(variant: Variant, location: Location, quantity: Decimal, *, zero: bool = False) -> None:
    """NotNow where the hub is not the source of truth, or the quantity makes no sense."""
    if location.source_id is not None:
        raise NotNow(
            say(
                "%(system)s says what lies at %(location)s. Book it there; the hub takes it over.",
                system=location.source.name if location.source else "",
                location=location.name,
            )
        )
    if not variant.moves_stock or variant.kind == "BUNDLE":
        raise NotNow(say("%(sku)s has no stock of its own.", sku=variant.sku))
    if not quantity.is_finite() or quantity > MOST or (quantity <= 0 and not (zero and quantity == 0)):
        raise NotNow(say("This quantity is not possible."))
    if variant.pieces_only and quantity != quantity.to_integral_value():
        raise NotNow(say("%(sku)s comes in whole pieces only.", sku=variant.sku))


def hold(variants: Sequence[int], locations: Sequence[int]) -> dict[tuple[int, int], StockLevel]:
    """The levels of these articles at these locations, locked until the transaction ends, in the one order for all."""
    rows = (
        StockLevel.objects.select_for_update()
        .filter(variant_id__in=variants, location_id__in=locations)
        .order_by("variant_id", "location_id")
    )
    return {(row.variant_id, row.location_id): row for row in rows}
