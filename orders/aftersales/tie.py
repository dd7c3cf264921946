"""Which lines of the order a special case is about, and whether they have so many pieces left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from django.db.models import DecimalField, Sum
from django.db.models.functions import Coalesce

from integration_hub.kernel.aftersales import Position
from integration_hub.kernel.money import Money, rounded
from integration_hub.kernel.states import LineKind
from integration_hub.kernel.text import Text, say
from orders.models import Order, OrderLine
from orders.states import Fulfilment

ZERO = Decimal(0)


@dataclass(frozen=True)
class Share:
    """Pieces of one line with their gross money and the tax in it."""

    line: OrderLine
    quantity: Decimal
    amount: Decimal
    tax: Decimal


@dataclass
class Tied:
    """What could be tied; ``unknown`` names positions that fit no line, ``beyond`` those that exceed what there is."""

    shares: list[Share] = field(default_factory=list)
    unknown: list[Text] = field(default_factory=list)
    beyond: list[Text] = field(default_factory=list)


@dataclass
class Room:
    """How many pieces of a line are still to be delivered, and how many the customer has."""

    line: OrderLine
    shipped: Decimal

    @property
    def undelivered(self) -> Decimal:
        return max(self.line.quantity - self.line.cancelled - max(self.shipped, self.line.returned), ZERO)

    @property
    def delivered(self) -> Decimal:
        return max(self.shipped - self.line.returned, ZERO)


def rooms(order: Order) -> list[Room]:
    """The lines of the order with what has left the house, in the order of the document."""
    packed = Coalesce(Sum("shipmentline__quantity"), ZERO, output_field=DecimalField())
    whole = order.fulfilment == Fulfilment.FULL
    return [
        Room(line, _left_the_house(line, line.packed, whole=whole))
        for line in order.lines.select_related("variant").annotate(packed=packed)
    ]


def _left_the_house(line: OrderLine, packed: Decimal, *, whole: bool) -> Decimal:
    """The ERP may say that all is shipped without naming parcels; shipping costs and fees never leave a house."""
    return (line.quantity if whole else packed) if line.kind == LineKind.ITEM else ZERO


def tie(order: Order, positions: Sequence[Position], *, delivered: bool) -> Tied:
    """Find the lines; ``delivered``: pieces that the customer has (else those still to be delivered)."""
    tied, found = Tied(), rooms(order)
    left = {room.line.pk: room.delivered if delivered else room.undelivered for room in found}
    for position in positions:
        lines = [room.line for room in found if _fits(room.line, position)]
        if lines:
            _allot(tied, position, lines, left, order.currency)
        else:
            tied.unknown.append(_named(position))
    return tied


def _fits(line: OrderLine, position: Position) -> bool:
    if position.line_id:
        return line.external_id == position.line_id
    return bool(position.sku) and position.sku in {line.sku, line.variant.sku if line.variant else line.sku}


def _allot(tied: Tied, position: Position, lines: Sequence[OrderLine], left: dict[int, Decimal], currency: str) -> None:
    """First lines first; an amount without pieces (a discount on a line, shipping costs) goes to the first."""
    if not position.quantity or lines[0].kind != LineKind.ITEM:
        tied.shares.append(_share(lines[0], position, ZERO, currency))
        return
    open_quantity = position.quantity
    for line in lines:
        take = min(open_quantity, left[line.pk])
        if take > 0:
            left[line.pk] -= take
            open_quantity -= take
            tied.shares.append(_share(line, position, take, currency))
    if open_quantity > 0:
        tied.beyond.append(say("%(what)s: %(more)s more than there are", what=_named(position), more=open_quantity))


def _share(line: OrderLine, position: Position, quantity: Decimal, currency: str) -> Share:
    """As stated; else the pieces' part of the line's own gross and tax."""
    part = (quantity or position.quantity) / line.quantity if line.quantity else ZERO
    whole = position.quantity or Decimal(1)
    amount = position.amount * (quantity or whole) / whole if position.amount is not None else line.gross * part
    tax = position.tax * (quantity or whole) / whole if position.tax is not None else amount * _tax_part(line)
    return Share(line, quantity, rounded(amount, currency), rounded(tax, currency))


def _tax_part(line: OrderLine) -> Decimal:
    return line.tax / line.gross if line.gross else ZERO


def _named(position: Position) -> Text:
    return say("%(quantity)s × %(name)s", quantity=position.quantity, name=position.sku or position.line_id or "?")


def split_by_rate(order: Order, amount: Decimal) -> dict[Decimal, tuple[Decimal, Decimal]]:
    """An amount that is tied to no line, over the order's tax rates by their gross: rate -> (gross, tax in it).

    Loses no cent.  The split is a proposal: in which supply the reduction lies is for the merchant to say (section 17 UStG).
    """
    gross: dict[Decimal, Decimal] = {}
    for line in order.lines.all():
        gross[line.tax_rate] = gross.get(line.tax_rate, ZERO) + line.gross
    weights = {rate: total for rate, total in sorted(gross.items()) if total > 0}
    if not weights:
        return {}
    parts = Money(amount, order.currency).split(list(weights.values()))
    return {
        rate: (part.amount, rounded(part.amount * rate / (1 + rate), order.currency))
        for rate, part in zip(weights, parts, strict=True)
    }
