"""The invariants: each says what must hold and names what breaks it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal

from .facts import Erp, Facts, Held, Placed
from .ledgers import CHECKS

EDITED, CANCELLED, UNKNOWN = "edited_after_export", "cancelled_after_export", "unknown_product"
CONFLICT = "after_sale_conflict"  # cancelled here, shipped there
REFUSED = "target_refused"  # what was to be cancelled had left the house before the ERP was told
CENT = Decimal("0.01")
TOLD = frozenset({EDITED, CANCELLED, CONFLICT})
UNCLEAR = "customer_unclear"  # the played shops draw accounts and addresses at random, so some contradict each other
DEAD, LIVE = ("cancel",), ("sale", "done")


@dataclass(frozen=True)
class Invariant:
    """A sentence that must hold, and what breaks it."""

    says: str
    broken: tuple[str, ...]


@dataclass
class Verdict:
    """The three figures of the last line, and the invariants behind them."""

    lost: int = 0
    doubled: int = 0
    stuck: int = 0
    invariants: list[Invariant] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        return not (self.lost or self.doubled or self.stuck or any(found.broken for found in self.invariants))


def judge(
    facts: Facts, *, planted: Collection[str], noted: Collection[str], longest_idle: float, entangled: int = 0
) -> Verdict:
    """Compare the books; ``planted`` orders are wrong on purpose, ``noted`` ones got another note in the shop.

    ``entangled`` requests left within a transaction, and one was open and idle for ``longest_idle`` seconds.
    """
    lost = [*_missing(facts), *_unwritten(facts, planted)]
    doubled = [*_doubled(facts), *(["orders twice in the hub"] * facts.twice_here), *_told_twice(facts)]
    verdict = Verdict(len(lost), len(doubled))
    add = verdict.invariants.append
    add(Invariant("every order of the shops is in the hub, and every valid one is in the ERP", tuple(lost)))
    add(Invariant("no order is in the hub or the ERP twice, and no shop was told anything twice", tuple(doubled)))
    add(_over(facts, "a cancelled order is cancelled here, and not live in the ERP unless a case says so", _cancelled))
    add(_over(facts, "shop, hub and ERP agree on every total, unless a case says so", _sums))
    add(Invariant("every refund of the shops is a special case here, once and with its amount", tuple(_refunds(facts))))
    add(Invariant("no special case waits without a case", facts.waiting))
    add(Invariant("a changed note is in the hub, or a case says so", tuple(_notes(facts, noted))))
    add(Invariant("the hub holds nothing that no shop has", tuple(facts.held.keys() - facts.placed.keys())))
    add(Invariant("the cases about products are those of the orders planted for it", tuple(_planted(facts, planted))))
    add(Invariant("no transaction waits for the network", _waits(longest_idle, entangled)))
    for says, check in CHECKS:
        add(Invariant(says, tuple(check(facts))))
        if "waits" in says or "parked" in says:
            verdict.stuck += len(verdict.invariants[-1].broken)
    verdict.stuck += len(facts.waiting)
    verdict.stuck += sum(held.state == "WAITING" and not placed.unpaid for _ref, placed, held, _sales in _joined(facts))
    return verdict


def _missing(facts: Facts) -> Iterator[str]:
    yield from (f"{reference} is not in the hub" for reference in facts.placed.keys() - facts.held.keys())


def _unwritten(facts: Facts, planted: Collection[str]) -> Iterator[str]:
    for reference, placed, held, sales in _joined(facts):
        if placed.cancelled or (held.state == "HELD" and (reference in planted or UNCLEAR in held.cases)):
            continue
        if placed.unpaid:
            if held.state != "WAITING" or sales:
                yield f"{reference} is unpaid, but {held.state} with {len(sales)} sales"
            continue
        if held.state != "ACCEPTED" or not any(sale.state in LIVE for sale in sales):
            yield f"{reference} is {held.state} with sales {[sale.state for sale in sales]}"


def _doubled(facts: Facts) -> Iterator[str]:
    for reference, sales in facts.erp.items():
        yield from [f"{reference} is {len(sales)} times in the ERP"] * (len(sales) - 1)


def _told_twice(facts: Facts) -> Iterator[str]:
    for (order, note), times in facts.told.items():
        yield from [f"order {order} was told {times} times: {note[:60]}"] * (times - 1)


def _cancelled(reference: str, placed: Placed, held: Held, sales: list[Erp]) -> str:
    live = any(sale.state not in DEAD for sale in sales)
    if placed.cancelled and (held.state != "CANCELLED" or (live and not held.cases & {CANCELLED, CONFLICT, REFUSED})):
        return f"{reference} is {held.state}, {len(sales)} sales, cases {sorted(held.cases)}"
    return ""


def _sums(reference: str, placed: Placed, held: Held, sales: list[Erp]) -> str:
    if placed.total != held.total and not held.cases & TOLD:
        return f"{reference}: shop {placed.total}, hub {held.total:.2f}"
    if not sales:
        return ""
    left = held.total - held.cancelled
    same = abs(sales[0].total - left) <= CENT * held.cancelled_lines or (REFUSED in held.cases and held.cancelled_lines)
    if not same or held.sale_total != sales[0].total or held.sale != sales[0].id:
        return f"{reference}: hub {left:.2f} of {held.total:.2f} as sale {held.sale}, ERP {sales[0].total} as {sales[0].id}"
    return ""


def _refunds(facts: Facts) -> Iterator[str]:
    for name in facts.refunds.keys() | facts.refunds_here.keys():
        there, here = facts.refunds.get(name), facts.refunds_here.get(name)
        if there != here:
            yield f"refund {name}: {there} in the shop, {here} in the hub"


def _notes(facts: Facts, noted: Collection[str]) -> Iterator[str]:
    for reference, placed, held, _sales in _joined(facts):
        if reference in noted and placed.note != held.note and not held.cases & TOLD:
            yield f"{reference}: {held.note!r} for {placed.note!r}"


def _planted(facts: Facts, planted: Collection[str]) -> Iterator[str]:
    for reference, placed, held, sales in _joined(facts):
        wrong = reference in planted and not placed.cancelled and not placed.unpaid
        if wrong != (UNKNOWN in held.cases) or (wrong and sales):
            yield f"{reference} is {held.state}, {len(sales)} sales, cases {sorted(held.cases)}"


LONGEST_IDLE = 1.0


def _waits(longest: float, entangled: int) -> tuple[str, ...]:
    """A transaction that is open while nothing asks the database: the network, or a process that is paused."""
    idle = [f"one was open and idle for {longest:.1f} s"] if longest > LONGEST_IDLE else []
    return (*idle, *([f"{entangled} requests left while one was open"] if entangled else []))


def _joined(facts: Facts) -> Iterator[tuple[str, Placed, Held, list[Erp]]]:
    for reference, placed in facts.placed.items():
        if held := facts.held.get(reference):
            yield reference, placed, held, facts.erp.get(reference, [])


def _over(facts: Facts, says: str, check: Callable[[str, Placed, Held, list[Erp]], str]) -> Invariant:
    found: Iterable[str] = (check(*row) for row in _joined(facts))
    return Invariant(says, tuple(filter(None, found)))
