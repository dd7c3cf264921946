"""The taxes of a WooCommerce order: which rate stands behind the amounts of its lines."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from decimal import Decimal

from integration_hub.kernel import fields
from integration_hub.kernel.errors import unreadable
from integration_hub.kernel.fields import Object
from integration_hub.kernel.messages import TaxPart
from integration_hub.kernel.money import rounded

ZERO = Decimal(0)
CENT = Decimal("0.01")
_PERCENT = re.compile(r"(\d{1,2}(?:[.,]\d{1,4})?)\s*%")
_LISTS = ("line_items", "shipping_lines", "fee_lines")


class TaxTable:
    """Rates by WooCommerce's ``rate_id``, as fractions (19 % is 0.19)."""

    def __init__(self, raw: Object, currency: str) -> None:
        self._raw = raw
        self._currency = currency
        self._lines = {
            fields.identifier(line, "rate_id", required=False): line for line in fields.children(raw, "tax_lines")
        }
        self._rates: dict[str, Decimal] = {}

    def parts(self, line: Object, net: Decimal, tax: Decimal) -> tuple[TaxPart, ...]:
        """The taxes of a line; they sum up to its ``total_tax``, because Woo states its parts unrounded."""
        stated = list(_stated(line))
        if not stated:
            return self._guessed(net, tax)
        parts = [
            TaxPart(rate=self._rate(key), amount=rounded(part, self._currency), title=self._title(key))
            for key, part in stated
        ]
        last = parts.pop()
        rest = tax - sum((part.amount for part in parts), ZERO)
        return (*parts, TaxPart(rate=last.rate, amount=rest, title=last.title))

    def _guessed(self, net: Decimal, tax: Decimal) -> tuple[TaxPart, ...]:
        if not tax or not net:
            return ()
        known = [key for key in self._lines if abs(net * self._rate(key) - tax) <= CENT]
        if known:
            return (TaxPart(rate=self._rate(known[0]), amount=tax, title=self._title(known[0])),)
        return (TaxPart(rate=_fraction(tax, net), amount=tax),)

    def _title(self, key: str) -> str:
        return html.unescape(fields.words(self._lines.get(key, {}), "label"))

    def _rate(self, key: str) -> Decimal:
        if key not in self._rates:
            self._rates[key] = self._find_rate(key)
        return self._rates[key]

    def _find_rate(self, key: str) -> Decimal:
        line = self._lines.get(key, {})
        percent = fields.amount(line, "rate_percent", Decimal(-1))
        if percent > 100:
            raise unreadable("rate_percent is out of bounds")
        if percent >= 0:
            return percent / 100
        for name in ("label", "rate_code"):
            if found := _PERCENT.search(fields.words(line, name)):
                return Decimal(found[1].replace(",", ".")) / 100
        return self._from_amounts(key)

    def _from_amounts(self, key: str) -> Decimal:
        """Older shops state no percentage: over all lines of the rate the unrounded parts give it away."""
        net, tax = ZERO, ZERO
        for name in _LISTS:
            for line in fields.children(self._raw, name):
                for found, part in _stated(line):
                    if found == key:
                        net += fields.amount(line, "total", ZERO)
                        tax += part
        return _fraction(tax, net) if net else ZERO


def _stated(line: Object) -> Iterator[tuple[str, Decimal]]:
    """The rates that apply to a line; an empty amount says that the rate does not."""
    for tax in fields.children(line, "taxes"):
        key = fields.identifier(tax, "id", required=False) or fields.identifier(tax, "rate_id", required=False)
        if tax.get("total") not in ("", None):
            yield key, fields.amount(tax, "total")


def _fraction(tax: Decimal, net: Decimal) -> Decimal:
    """The rate that the amounts suggest; 0 where they suggest none."""
    return round(tax / net, 4) if 0 <= tax / net <= 1 else ZERO
