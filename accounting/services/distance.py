"""The threshold of section 3c (4) UStG: 10,000 EUR net a year with consumers in other EU countries, watched as documents go out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from django.db.models import F

from ..models import DistanceSales, DocumentTax
from ..states import TaxCase

THRESHOLD = Decimal(10_000)
WARN_AT = Decimal("0.8")
CASES = (TaxCase.OSS, TaxCase.EU_BELOW_THRESHOLD)
ZERO = Decimal(0)


@dataclass
class Watch:
    """Turnover by year, with what this run has added."""

    net: dict[int, Decimal] = field(default_factory=dict)
    added: dict[int, Decimal] = field(default_factory=dict)

    @classmethod
    def load(cls) -> Watch:
        return cls(dict(DistanceSales.objects.values_list("year", "net")))

    def over(self, year: int, more: Decimal = ZERO) -> bool:
        """Whether a supply of this net is taxed at its destination: last year was above, or this one is with it."""
        return max(self.net.get(year - 1, ZERO), self.net.get(year, ZERO) + more) > THRESHOLD

    def add(self, day: date, currency: str, taxes: Iterable[DocumentTax]) -> None:
        """Count a document; other currencies are left out, as their conversion is the adviser's."""
        net = sum((row.net for row in taxes if row.tax_case in CASES), ZERO)
        if net and currency == "EUR":
            self.net[day.year] = self.net.get(day.year, ZERO) + net
            self.added[day.year] = self.added.get(day.year, ZERO) + net

    def store(self) -> None:
        """Write down what was added."""
        DistanceSales.objects.bulk_create([DistanceSales(year=year) for year in self.added], ignore_conflicts=True)
        for year in sorted(self.added):
            DistanceSales.objects.filter(year=year).update(net=F("net") + self.added[year])
