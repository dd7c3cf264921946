"""Laying the lists of shop, hub and ERP side by side: counts, sums, and every order about which they differ."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from integration_hub.kernel.money import is_currency, minor_digits, rounded
from integration_hub.kernel.states import OrderStage

from .states import OrderState
from .tally import What


@dataclass(frozen=True)
class There:
    """An order as the shop lists it."""

    external_id: str
    number: str
    total: Decimal
    currency: str
    updated_at: datetime | None


@dataclass(frozen=True)
class Here:
    """An order as the hub holds it; ``under_way``: a command about its sale is not over yet, ``ours``: no shop knows it.

    ``cancelled``: what its cancelled pieces cost, which the ERP's sale does not count any more, in ``cancelled_lines`` lines.
    """

    pk: int
    external_id: str
    number: str
    total: Decimal
    currency: str
    state: str
    stage: str
    in_scope: bool
    under_way: bool
    cancelled: Decimal = Decimal(0)
    cancelled_lines: int = 0
    ours: bool = False

    @property
    def left(self) -> Decimal:
        """What the ERP's sale is to come to."""
        return self.total - self.cancelled


@dataclass(frozen=True)
class InErp:
    """The live sales under one order's reference."""

    totals: Sequence[Decimal]
    currency: str


@dataclass(frozen=True)
class Gap:
    """One order about which the sides differ."""

    what: What
    external_id: str
    number: str
    currency: str
    order: int | None = None
    there: Decimal | None = None
    here: Decimal | None = None
    erp: Decimal | None = None


@dataclass(frozen=True)
class Sides:
    """One day as the three sides see it.

    ``judged_until``: what changed in the shop after it may not have reached us yet.  ``erp`` is None where the ERP was not
    asked, else by order; ``asked`` are the orders it was asked about.
    """

    there: Sequence[There]
    here: Sequence[Here]
    judged_until: datetime | None
    erp: dict[int, InErp] | None = None
    asked: frozenset[int] = field(default_factory=frozenset)


def gaps(sides: Sides) -> list[Gap]:
    """Every difference, in a fixed order."""
    held = {order.external_id: order for order in sides.here}
    found = [gap for row in sides.there for gap in _shop(sides, row, held.get(row.external_id))]
    listed = {row.external_id for row in sides.there}
    found += [_gap(What.NOT_THERE, order) for order in sides.here if _vanished(order, listed)]
    if sides.erp is not None:
        found += [gap for order in sides.here for gap in _erp(sides, order, sides.erp.get(order.pk))]
    return sorted(found, key=lambda gap: (gap.what, gap.external_id))


def _shop(sides: Sides, row: There, order: Here | None) -> list[Gap]:
    until = sides.judged_until
    if until is None or (row.updated_at is not None and row.updated_at > until):
        return []
    if order is None:
        return [Gap(What.MISSING_HERE, row.external_id, row.number, row.currency, there=row.total)]
    if _same(row.total, order.total, row.currency) and row.currency == order.currency:
        return []
    return [_gap(What.SUM, order, there=row.total)]


def _vanished(order: Here, listed: set[str]) -> bool:
    return order.external_id not in listed and order.stage != OrderStage.GONE and not order.ours


def _erp(sides: Sides, order: Here, sales: InErp | None) -> list[Gap]:
    if order.pk not in sides.asked or not expected(order) or order.under_way:
        return []
    if sales is None or not sales.totals:
        return [_gap(What.MISSING_IN_ERP, order)]
    total = sum(sales.totals, Decimal(0))
    if len(sales.totals) > 1:
        return [_gap(What.TWICE_IN_ERP, order, erp=total)]
    same = _as_left(total, order) and sales.currency == order.currency
    return [] if same else [replace(_gap(What.SUM, order, erp=total), here=order.left)]


def _as_left(total: Decimal, order: Here) -> bool:
    """Pieces of a line seldom divide to the cent, and each system rounds its own way: a cent for each line."""
    if not order.cancelled_lines or not is_currency(order.currency):
        return _same(total, order.left, order.currency)
    cent = Decimal(1).scaleb(-minor_digits(order.currency))
    return abs(total - order.left) <= cent * order.cancelled_lines


def expected(order: Here) -> bool:
    """Whether the ERP is to hold the order."""
    return order.state == OrderState.ACCEPTED and order.in_scope and order.stage != OrderStage.REFUNDED


def _gap(what: What, order: Here, **sides: Decimal) -> Gap:
    return Gap(what, order.external_id, order.number, order.currency, order=order.pk, here=order.total, **sides)


def _same(one: Decimal, other: Decimal, currency: str) -> bool:
    return rounded(one, currency) == rounded(other, currency) if is_currency(currency) else one == other


def merged(found: Iterable[Gap]) -> list[Gap]:
    """One gap per order and kind: a sum that differs from shop and ERP is one difference with both figures."""
    kept: dict[tuple[What, str], Gap] = {}
    for gap in found:
        known = kept.get((gap.what, gap.external_id))
        kept[gap.what, gap.external_id] = gap if known is None else _both(known, gap)
    return list(kept.values())


def _both(one: Gap, other: Gap) -> Gap:
    there = one.there if one.there is not None else other.there
    erp = one.erp if one.erp is not None else other.erp
    return Gap(one.what, one.external_id, one.number, one.currency, one.order, there, one.here, erp)


def figures(sides: Sides) -> dict[str, Any]:
    """Counts and sums by currency: there, here, to be in the ERP, in the ERP, on the way."""
    present = [order for order in sides.here if order.stage != OrderStage.GONE and not order.ours]
    wanted = [order for order in sides.here if expected(order)]
    shown = {
        "there": _tally((row.total, row.currency) for row in sides.there),
        "here": _tally((order.total, order.currency) for order in present),
        "expected": _tally((order.left, order.currency) for order in wanted),
        "under_way": _tally((order.left, order.currency) for order in wanted if order.under_way),
    }
    if sides.erp is not None:
        shown["erp"] = _tally((total, sale.currency) for sale in sides.erp.values() for total in sale.totals)
    return shown


def _tally(rows: Iterable[tuple[Decimal, str]]) -> dict[str, Any]:
    sums: dict[str, Decimal] = defaultdict(Decimal)
    count = 0
    for amount, currency in rows:
        sums[currency] += amount
        count += 1
    return {"count": count, "sums": {currency: str(amount) for currency, amount in sorted(sums.items())}}
