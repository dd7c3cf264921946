"""Which rate holds where on which day, and which level an article has: the tables in memory for one run."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from ..models import GoodsTax, TaxRate
from ..states import BuyerKind, Level

_Steps = list[tuple[date, Decimal | None]]


@dataclass
class RateTable:
    """All rates and rules of articles, read once; a few hundred rows."""

    rates: dict[tuple[str, str], _Steps] = field(default_factory=dict)
    rules: list[GoodsTax] = field(default_factory=list)

    @classmethod
    def load(cls) -> RateTable:
        return cls.of(TaxRate.objects.order_by("valid_from"), GoodsTax.objects.order_by("valid_from"))

    @classmethod
    def of(cls, rates: Iterable[TaxRate], rules: Iterable[GoodsTax] = ()) -> RateTable:
        table = cls(rules=list(rules))
        for row in sorted(rates, key=lambda row: row.valid_from):
            table.rates.setdefault((row.country, row.level), []).append((row.valid_from, row.rate))
        return table

    def rate(self, country: str, level: str, on: date) -> Decimal | None:
        """The rate of this level there on that day, as a fraction; None where there is none."""
        steps = self.rates.get((country, level), [])
        at = bisect_right([since for since, _rate in steps], on)
        return steps[at - 1][1] if at else None

    def levels(self, country: str, rate: Decimal, on: date) -> list[str]:
        """The levels that have this rate there on that day."""
        return [level for state, level in self.rates if state == country and self.rate(state, level, on) == rate]

    def level_of(self, group: str, tax_class: str, country: str, buyer: BuyerKind, on: date) -> str | None:
        """What the merchant's table says about such an article; None where it says nothing."""
        best: tuple[tuple[bool, bool, bool, bool], str] | None = None
        for rule in self.rules:  # in order of their days: a later one of the same scope goes before
            if rule.valid_from <= on and _fits(rule, group, tax_class, country, buyer):
                weight = (bool(rule.tax_class), bool(rule.group), bool(rule.country), bool(rule.buyer))
                if best is None or weight >= best[0]:
                    best = (weight, rule.level)
        return best[1] if best else None


def _fits(rule: GoodsTax, group: str, tax_class: str, country: str, buyer: BuyerKind) -> bool:
    said = ((rule.group, group), (rule.tax_class, tax_class), (rule.country, country), (rule.buyer, buyer))
    return all(not wanted or wanted == found for wanted, found in said)


def percent(rate: Decimal) -> str:
    """0.19 as 19, 0.255 as 25.5: for sentences, without the sign."""
    return f"{(rate * 100).normalize():f}"


REDUCED = (Level.REDUCED, Level.REDUCED_2, Level.SUPER_REDUCED, Level.PARKING)
