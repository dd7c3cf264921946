"""The prices of a Shopware order as lines: goods, shipping, promotions, and the rounding of the whole.

A price states its total in the order's pricing (``taxStatus``): gross holds the tax, net does not, tax-free has none.  One
price may hold several rates; shipping and promotions are then one line for each.  Numbers are JSON floats, so digits
behind the fourth are noise.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

from integration_hub.kernel import fields
from integration_hub.kernel.errors import unreadable
from integration_hub.kernel.fields import Object
from integration_hub.kernel.messages import ReportedLine, TaxPart
from integration_hub.kernel.money import minor_digits, rounded
from integration_hub.kernel.states import LineKind

ZERO, CENT, HALF_CENT = Decimal(0), Decimal("0.01"), Decimal("0.005")
GROSS, NET, TAX_FREE = "gross", "net", "tax-free"
_REBATES = frozenset({"promotion", "credit", "discount"})
_DEPTH = 20


def number(source: Object, name: str, default: Decimal | None = None) -> Decimal:
    """An amount without the noise of a float."""
    value = fields.amount(source, name, default)
    return value if round(value, 4) == value else round(value, 4)


def tax_status(order: Object) -> str:
    """How the order's prices are to be read."""
    found = fields.words(order, "taxStatus") or fields.words(fields.child(order, "price"), "taxStatus")
    if found not in (GROSS, NET, TAX_FREE):
        raise unreadable("taxStatus “%(status)s” is unknown", status=found[:60])
    return found


def taxes_of(price: Object) -> dict[Decimal, tuple[Decimal, Decimal]]:
    """By rate (19 % is 0.19): the tax and the part of the price that it is of."""
    found: dict[Decimal, tuple[Decimal, Decimal]] = {}
    for item in fields.children(price, "calculatedTaxes"):
        rate = number(item, "taxRate") / 100
        if not 0 <= rate <= 10:
            raise unreadable("taxRate is out of bounds")
        tax, part = found.get(rate, (ZERO, ZERO))
        found[rate] = (tax + number(item, "tax"), part + number(item, "price", ZERO))
    return found


def order_lines(order: Object, currency: str) -> tuple[ReportedLine, ...]:
    """All lines.  Their sum is the order's total, as far as the shop's own figures allow that."""
    reader = _Reader(tax_status(order), currency)
    lines = [line for raw in _sold(fields.children(order, "lineItems")) for line in reader.item(raw)]
    lines += reader.shipping(order)
    price = fields.child(order, "price")
    return fields.sound_lines([*reader.settled(lines, price), *reader.rounding(price)])


def _sold(items: list[Object]) -> Iterator[Object]:
    """What is sold.  A container (such as a customised product) is its parts where they add up to its price."""
    ids = {fields.identifier(item, "id") for item in items}
    inside: dict[str, list[Object]] = defaultdict(list)
    for item in sorted(items, key=lambda one: number(one, "position", ZERO)):
        parent = fields.words(item, "parentId", 100)
        inside[parent if parent in ids else ""].append(item)
    for item in inside[""]:
        yield from _parts(item, inside, 0)


def _parts(item: Object, inside: dict[str, list[Object]], depth: int) -> Iterator[Object]:
    parts = inside.get(fields.identifier(item, "id"), [])
    whole = fields.identifier(item, "productId", required=False) or depth > _DEPTH
    if whole or not parts or sum(map(_total, parts), ZERO) != _total(item):
        yield item
        return
    for part in parts:
        yield from _parts(part, inside, depth + 1)


def _total(item: Object) -> Decimal:
    return number(fields.child(item, "price"), "totalPrice", number(item, "totalPrice", ZERO))


class _Reader:
    """Reads the prices of one order."""

    def __init__(self, status: str, currency: str) -> None:
        self.status = status
        self.currency = currency

    def item(self, raw: Object) -> list[ReportedLine]:
        """A position: goods as one line; a promotion or a credit as one line for each rate."""
        total, price = _total(raw), fields.child(raw, "price")
        line_id, title = fields.identifier(raw, "id"), fields.words(raw, "label")
        goods = raw.get("good") is not False and total >= 0 and fields.words(raw, "type") not in _REBATES
        if not goods:
            return self._singles(price, total, LineKind.FEE, line_id, title)
        quantity = fields.quantity(raw, "quantity")
        payload = fields.child(raw, "payload")
        line = self._line(price, total, LineKind.ITEM, line_id, title)
        sold = replace(
            line,
            quantity=quantity,
            unit_price=self._unit_price(number(price, "unitPrice", number(raw, "unitPrice", total)), quantity, total),
            sku=fields.identifier(payload, "productNumber", required=False),
            gtin=fields.identifier(fields.child(raw, "product"), "ean", required=False),
            product_id=fields.identifier(raw, "productId", required=False),
        )
        return [sold]

    def shipping(self, order: Object) -> list[ReportedLine]:
        """What each delivery costs; a discount on shipping is a delivery of its own with negative costs."""
        found = fields.children(order, "deliveries")
        if not found:
            return self._shipped(fields.child(order, "shippingCosts"), "shipping", "")
        lines: list[ReportedLine] = []
        for one in found:
            title = translated(fields.child(one, "shippingMethod"), "name")
            lines += self._shipped(fields.child(one, "shippingCosts"), fields.identifier(one, "id"), title)
        return lines

    def _shipped(self, price: Object, line_id: str, title: str) -> list[ReportedLine]:
        total = number(price, "totalPrice", ZERO)
        return self._singles(price, total, LineKind.SHIPPING, line_id, title) if total else []

    def _singles(self, price: Object, total: Decimal, kind: LineKind, line_id: str, title: str) -> list[ReportedLine]:
        """One piece for each rate; the last one takes what the parts lack of the total."""
        taxes = [(rate, *found) for rate, found in taxes_of(price).items()]
        if self.status == TAX_FREE or len(taxes) < 2:
            return [self._line(price, total, kind, line_id, title)]
        lines, left = [], total
        for place, (rate, tax, part) in enumerate(taxes, 1):
            share = left if place == len(taxes) else part
            left -= share
            own = {"calculatedTaxes": [{"taxRate": rate * 100, "tax": tax}]}
            lines.append(self._line(own, share, kind, f"{line_id}:{(rate * 100).normalize():f}", title))
        return lines

    def _line(self, price: Object, total: Decimal, kind: LineKind, line_id: str, title: str) -> ReportedLine:
        found = {} if self.status == TAX_FREE else taxes_of(price)
        taxes = tuple(TaxPart(rate=rate, amount=rounded(tax, self.currency)) for rate, (tax, _) in found.items())
        tax = sum((part.amount for part in taxes), ZERO)
        net = total - tax if self.status == GROSS else total
        return ReportedLine(
            external_id=line_id,
            kind=kind,
            title=title,
            quantity=Decimal(1),
            unit_price=total,
            net=net,
            tax=tax,
            gross=net + tax,
            taxes=taxes,
        )

    def _unit_price(self, stated: Decimal, quantity: Decimal, total: Decimal) -> Decimal:
        """The stated one, unless the shop has rounded the total otherwise."""
        if abs(stated * quantity - total) < HALF_CENT or not quantity:
            return stated
        for digits in (minor_digits(self.currency), 4):
            price = round(total / quantity, digits)
            if price * quantity == total:
                return price
        return round(total / quantity, 8)

    def settled(self, lines: list[ReportedLine], price: Object) -> list[ReportedLine]:
        """A shop that taxes the sum of a rate, not each line, states cents that no line has: the largest one takes them."""
        if self.status == TAX_FREE:
            return lines
        found = list(lines)
        for rate, (tax, _) in taxes_of(price).items():
            places = [at for at, line in enumerate(found) if [part.rate for part in line.taxes] == [rate]]
            lacking = rounded(tax, self.currency) - sum((found[at].tax for at in places), ZERO)
            if places and 0 < abs(lacking) <= CENT * len(places):
                largest = max(places, key=lambda at: abs(found[at].gross))
                found[largest] = self._with_tax(found[largest], found[largest].tax + lacking)
        return found

    def _with_tax(self, line: ReportedLine, tax: Decimal) -> ReportedLine:
        net = line.gross - tax if self.status == GROSS else line.net
        return replace(line, net=net, tax=tax, gross=net + tax, taxes=(replace(line.taxes[0], amount=tax),))

    def rounding(self, price: Object) -> list[ReportedLine]:
        """Where the shop rounds the total to coins that exist (5 Rappen), what that gives or takes."""
        total = number(price, "totalPrice", ZERO)
        difference = total - number(price, "rawTotal", total)
        return [self._line({}, difference, LineKind.FEE, "rounding", "Rounding")] if difference else []


def translated(raw: Object, name: str) -> str:
    """A word that shops translate: their own language's, else the default."""
    return fields.words(fields.child(raw, "translated"), name) or fields.words(raw, name)
