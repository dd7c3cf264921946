"""The lines of a sale as Tryton wants them, and the total it will reckon from them.  Pure.

Tryton's prices are net with four digits.  It rounds each line's amount, and the tax of each set of taxes over the whole
document (positive and negative lines apart), half to even.  Where that misses the shop's total by cents, one more line
without tax makes it exact.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from typing import Any

from integration_hub.kernel.errors import Rejected
from integration_hub.kernel.messages import SaleLine
from integration_hub.kernel.money import Money, minor_digits
from integration_hub.kernel.states import LineKind
from integration_hub.kernel.text import say

from ._tryton_rest import Row, numeric

PRICE = Decimal("0.0001")


@dataclass(frozen=True)
class Taxes:
    """A set of taxes by their ids, and the rate they come to (None: not a percentage)."""

    ids: tuple[int, ...] = ()
    rate: Decimal | None = Decimal(0)


@dataclass(frozen=True)
class Product:
    """What a line needs to know of a product."""

    id: int
    code: str
    unit: int
    taxes: Taxes


@dataclass(frozen=True)
class Catalogue:
    """The products of one sale by id and by code, and all sets of taxes that products of this ERP carry."""

    products: tuple[Product, ...]
    taxes: tuple[Taxes, ...] = ()

    def product(self, *, code: str, id: str = "") -> Product:
        """By id where given, else by code.  Raises Rejected."""
        for product in self.products:
            if (id and str(product.id) == id) or (not id and code and product.code == code):
                return product
        named = f"{code} (no. {id})" if id else code or "—"
        words = say("Tryton has no active product with the code %(sku)s.", sku=named)
        raise Rejected(words, code="unknown_product_in_erp", detail=code or id)

    def taxes_for(self, product: Product, rate: Decimal) -> Taxes:
        """The product's own taxes where they come to this rate, else another product's, none for zero.  Raises Rejected."""
        fitting = (taxes for taxes in (product.taxes, *self.taxes) if taxes.rate == rate)
        if found := next(fitting, Taxes() if rate == 0 else None):
            return found
        words = say(
            "The shop charges %(shop)s tax on %(sku)s, Tryton %(erp)s; Tryton has no other tax with that rate.",
            shop=percent(rate),
            sku=product.code,
            erp=percent(product.taxes.rate),
        )
        raise Rejected(words, code="tax_rate_unknown", detail=f"{product.code}: {rate} / {product.taxes.rate}")


def percent(rate: Decimal | None) -> str:
    return "—" if rate is None else f"{(rate * 100).normalize():f} %"


def taxes_of(rows: Iterable[Row], on: date) -> Taxes:
    """Customer taxes as sent (plain values); dated ones hang under a parent, and one of them is valid on the day."""
    rows = list(rows)
    rates = [_rate(row, on) for row in rows]
    known = [rate for rate in rates if rate is not None]
    return Taxes(tuple(row["id"] for row in rows), sum(known, Decimal(0)) if len(known) == len(rates) else None)


def _rate(row: Row, on: date) -> Decimal | None:
    if row["type"] == "percentage":
        return Decimal(row["rate"])
    if row["type"] == "none":
        valid = [child for child in row.get("childs") or () if _covers(child, on)]
        rates = [Decimal(child["rate"]) for child in valid if child["type"] == "percentage"]
        return sum(rates, Decimal(0)) if len(rates) == len(valid) else None
    return None


def _covers(row: Row, on: date) -> bool:
    return (row["start_date"] or date.min) <= on <= (row["end_date"] or date.max)


@dataclass(frozen=True)
class Line:
    """A line as Tryton reckons it; ``base_price`` is the net price before a discount."""

    product: Product
    title: str
    quantity: Decimal
    unit_price: Decimal
    taxes: Taxes
    base_price: Decimal | None = None

    def values(self, sequence: int) -> Row:
        row: dict[str, Any] = {"type": "line", "sequence": sequence, "product": self.product.id}
        row |= {"quantity": self.quantity, "unit": self.product.unit, "unit_price": numeric(self.unit_price)}
        row |= {"description": self.title or None, "taxes": [["add", list(self.taxes.ids)]]}
        return row | ({} if self.base_price is None else {"base_price": numeric(self.base_price)})


def price(amount: Decimal) -> Decimal:
    return amount.quantize(PRICE, rounding=ROUND_HALF_UP)


def _net(line: SaleLine, *, gross: bool) -> Decimal:
    """From the gross total where the shop thinks in gross prices: its net is rounded, and would cost cents more often."""
    return line.gross / (1 + line.tax_rate) if gross else line.net


def item_line(line: SaleLine, catalogue: Catalogue, *, gross: bool) -> Line:
    """A line of goods; ``gross`` says how the shop states its prices."""
    product = catalogue.product(code=line.sku, id=line.product_id)
    before = price(line.unit_price / (1 + line.tax_rate) if gross else line.unit_price) if line.discount else None
    unit_price = price(_net(line, gross=gross) / line.quantity)
    return Line(product, line.title, line.quantity, unit_price, catalogue.taxes_for(product, line.tax_rate), before)


def service_line(line: SaleLine, code: str, catalogue: Catalogue, *, gross: bool) -> Line:
    """Shipping, a fee or a rebate: one piece of the service product with this code."""
    product = catalogue.product(code=code)
    taxes = catalogue.taxes_for(product, line.tax_rate)
    return Line(product, line.title, Decimal(1), price(_net(line, gross=gross)), taxes)


def service_code(line: SaleLine, codes: Mapping[str, str]) -> str | None:
    """The service product that bills this line; None for goods."""
    if line.kind == LineKind.SHIPPING:
        return codes["shipping"]
    if line.kind == LineKind.FEE:
        return codes["fee"] if line.net >= 0 else codes["discount"]
    return None


def lines(wanted: Sequence[SaleLine], catalogue: Catalogue, codes: Mapping[str, str], *, gross: bool) -> list[Line]:
    """All lines of the sale without rounding.  Raises Rejected."""
    made = []
    for line in wanted:
        service = service_code(line, codes)
        if service is not None:
            made.append(service_line(line, service, catalogue, gross=gross))
        elif line.quantity:
            made.append(item_line(line, catalogue, gross=gross))
        elif line.gross:
            words = say("%(title)s costs something, but its quantity is zero.", title=line.title or line.sku)
            raise Rejected(words, code="no_quantity")
    return made


def total(made: Iterable[Line], currency: str) -> Decimal:
    """What Tryton will show as the total."""
    coin = Decimal(1).scaleb(-minor_digits(currency))
    net, bases = Decimal(0), defaultdict[tuple[Taxes, bool], Decimal](Decimal)
    for line in made:
        amount = line.quantity * line.unit_price
        net += amount.quantize(coin, rounding=ROUND_HALF_EVEN)
        bases[line.taxes, amount >= 0] += amount
    taxes = ((base * (key[0].rate or 0)).quantize(coin, rounding=ROUND_HALF_EVEN) for key, base in bases.items())
    return net + sum(taxes, Decimal(0))


@dataclass(frozen=True)
class Basket:
    """The lines of one sale and the total they must come to; ``correction`` is billed as one line without tax."""

    lines: tuple[Line, ...]
    rounding: Product
    wanted: Decimal
    currency: str
    correction: Decimal = Decimal(0)

    def all_lines(self) -> tuple[Line, ...]:
        """With the line that makes the total exact; without a title Tryton shows the product's name."""
        extra = Line(self.rounding, "", Decimal(1), self.correction, Taxes())
        return (*self.lines, extra) if self.correction else self.lines

    def values(self) -> list[Row]:
        return [line.values(sequence) for sequence, line in enumerate(self.all_lines(), 1)]

    def reckoned(self) -> Decimal:
        return total(self.all_lines(), self.currency)

    def balanced(self, reckoned: Decimal) -> Basket:
        """Corrected by what is missing between Tryton's total and ours.  Raises Rejected where that is no rounding."""
        correction = self.correction + self.wanted - reckoned
        if abs(correction) > self.tolerance():
            raise disagreement(self.wanted, reckoned, self.currency)
        return replace(self, correction=correction)

    def tolerance(self) -> Decimal:
        """How far rounding alone can lead: a coin for each line and sum, and a price step for each piece."""
        coin = Decimal(1).scaleb(-minor_digits(self.currency))
        pieces = sum((abs(line.quantity) for line in self.lines), Decimal(0))
        return coin * (len(self.lines) + 2) + pieces * PRICE


def disagreement(wanted: Decimal, reckoned: Decimal, currency: str) -> Rejected:
    words = say(
        "The shop's total is %(shop)s, Tryton reckons %(erp)s.",
        shop=Money(wanted, currency),
        erp=Money(reckoned, currency),
    )
    return Rejected(words, code="totals_disagree", detail=f"{wanted} / {reckoned}")
