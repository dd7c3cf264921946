"""Sums of a document to the cent: tax is computed once per tax case, country and rate, and shared among the lines.

Stated method.  Gross prices: the gross sum G of a rate is what the customer pays; tax = G·r/(1+r) rounded half up, net = G
less tax.  Net prices: the net sum N of a rate is what was agreed; the gross sum is what the customer pays, tax the rest, as
long as that is N·r within the tolerance; else the method of gross prices.  Either way the nets are shared among the lines by
largest remainder, so that every sum is exact (EN 16931, BR-CO-10 to 16).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_FLOOR, Decimal

from integration_hub.kernel.money import Money, minor_digits, rounded

from ..states import LineKind
from .tax import Treatment

ZERO = Decimal(0)


@dataclass(kw_only=True)
class Draft:
    """A line on its way to a document; ``net`` and ``tax`` are set by ``settle``.

    ``shared``: its tax follows that of the goods (shipping, fees, discounts of the whole order).
    """

    kind: LineKind
    title: str
    gross: Decimal
    quantity: Decimal = Decimal(1)
    unit_price: Decimal = ZERO
    discount: Decimal = ZERO
    sku: str = ""
    group: str = ""
    location: str = ""
    order_line_id: int | None = None
    variant_id: int | None = None
    treatment: Treatment | None = None
    shared: bool = False
    stated_net: Decimal | None = None
    stated_tax: Decimal | None = None
    stated_rate: Decimal | None = None
    net: Decimal = ZERO
    tax: Decimal = ZERO

    @property
    def treated(self) -> Treatment:
        assert self.treatment is not None  # noqa: S101  the composer treats every line before it sums
        return self.treatment


@dataclass
class TaxSum:
    """The sums of one treatment."""

    treatment: Treatment
    net: Decimal = ZERO
    tax: Decimal = ZERO
    gross: Decimal = ZERO
    stated_tax: Decimal | None = None
    lines: list[Draft] = field(default_factory=list)


def settle(lines: Sequence[Draft], currency: str, *, includes_tax: bool, tolerance: Decimal) -> list[TaxSum]:
    """Compute tax and nets of all lines, in place; the sums per treatment, highest rate first."""
    found: dict[Treatment, TaxSum] = {}
    for line in lines:
        found.setdefault(line.treated, TaxSum(line.treated)).lines.append(line)
    for one in found.values():
        _compute(one, currency, includes_tax=includes_tax, tolerance=tolerance)
    return sorted(found.values(), key=lambda one: (-one.treatment.rate, one.treatment.case, one.treatment.country))


def _compute(one: TaxSum, currency: str, *, includes_tax: bool, tolerance: Decimal) -> None:
    rate = one.treatment.rate
    one.gross = sum((line.gross for line in one.lines), ZERO)
    stated = [line.stated_tax for line in one.lines]
    one.stated_tax = None if None in stated else sum((tax for tax in stated if tax is not None), ZERO)
    nets = None if includes_tax else _stated_nets(one, currency, tolerance)
    if nets is not None:
        _give(one, nets)
        return
    one.tax = rounded(one.gross * rate / (1 + rate), currency)
    one.net = one.gross - one.tax
    _give(one, shares(one.net, [line.gross / (1 + rate) for line in one.lines], currency))


def _stated_nets(one: TaxSum, currency: str, tolerance: Decimal) -> list[Decimal] | None:
    """The agreed nets, where they and the paid gross make a tax that is right within the tolerance."""
    if any(line.stated_net is None for line in one.lines):
        return None
    nets = [rounded(line.stated_net or ZERO, currency) for line in one.lines]
    tax = one.gross - sum(nets, ZERO)
    right = rounded(sum(nets, ZERO) * one.treatment.rate, currency)
    return nets if abs(tax - right) <= tolerance * len(nets) else None


def _give(one: TaxSum, nets: Iterable[Decimal]) -> None:
    for line, net in zip(one.lines, nets, strict=True):
        line.net, line.tax = net, line.gross - net
    one.net = sum((line.net for line in one.lines), ZERO)
    one.tax = one.gross - one.net


def shares(total: Decimal, exact: Sequence[Decimal], currency: str) -> list[Decimal]:
    """Whole coins near these exact amounts that sum up to the total: largest remainders are rounded up.

    ``total`` is the sum of the exact amounts to within half a coin per line.
    """
    coin = Decimal(1).scaleb(-minor_digits(currency))
    floors = [(amount / coin).to_integral_value(ROUND_FLOOR) for amount in exact]
    missing = int(total / coin - sum(floors, ZERO))
    by_rest = sorted(range(len(exact)), key=lambda at: (floors[at] - exact[at] / coin, at))
    for step in range(abs(missing)):
        at = by_rest[step % len(exact)] if missing > 0 else by_rest[-1 - step % len(exact)]
        floors[at] += 1 if missing > 0 else -1
    return [floor * coin for floor in floors]


def spread(line: Draft, over: Sequence[Draft], currency: str) -> list[Draft]:
    """A line whose tax follows the goods, as one line per treatment, pro rata by gross value after discounts."""
    weights: dict[Treatment, Decimal] = {}
    for one in over:
        weights[one.treated] = weights.get(one.treated, ZERO) + one.gross
    positive = {treatment: value for treatment, value in weights.items() if value > 0}
    if len(positive) < 2:
        line.treatment = next(iter(positive or weights), None)
        return [line]
    parts = [part.amount for part in Money(abs(line.gross), currency).split(list(positive.values()))]
    sign = 1 if line.gross >= 0 else -1
    return [_part(line, treatment, sign * amount) for treatment, amount in zip(positive, parts, strict=True) if amount]


def _part(line: Draft, treatment: Treatment, gross: Decimal) -> Draft:
    """A share of a line; the shop's figures of the whole are compared in the sum of all, not in the share."""
    return Draft(
        kind=line.kind,
        title=line.title,
        gross=gross,
        quantity=line.quantity,
        unit_price=rounded(gross / line.quantity, "EUR") if line.quantity else gross,
        sku=line.sku,
        group=line.group,
        location=line.location,
        order_line_id=line.order_line_id,
        variant_id=line.variant_id,
        treatment=treatment,
    )
