"""A WriteSale in Odoo's words: partner and address values, order lines, and prices that keep the total to the cent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from integration_hub.kernel.errors import Rejected
from integration_hub.kernel.messages import Address, SaleLine, WriteSale
from integration_hub.kernel.states import LineKind
from integration_hub.kernel.text import say

_PERCENT = Decimal("0.01")  # Odoo keeps a discount in percent with two digits


@dataclass(frozen=True)
class Tax:
    """A sale tax of Odoo's: its id, rate as a fraction, and whether prices contain it."""

    id: int
    rate: Decimal
    inside: bool


def choose_tax(taxes: Sequence[Tax], rate: Decimal, inside: bool) -> Tax | None:
    """The tax of this rate, by preference one that treats prices as the order does; None for no tax at all."""
    if rate == 0:
        return None
    same = [tax for tax in taxes if tax.rate == rate]
    if not same:
        percent = format((rate * 100).normalize(), "f")
        raise Rejected(say("Odoo has no sale tax of %(percent)s %%.", percent=percent), code="tax_rate_unknown")
    return next((tax for tax in same if tax.inside == inside), same[0])


def _whole(amount: Decimal, digits: int) -> Decimal:
    return amount.quantize(Decimal(1).scaleb(-digits), rounding=ROUND_HALF_UP)


def price(line: SaleLine, gross: bool, stated_gross: bool, digits: int) -> tuple[Decimal, Decimal]:
    """Unit price and discount in percent that give the line's total, as exactly as Odoo's digits allow.

    ``gross``: Odoo takes the price as gross; ``stated_gross``: the order states its prices so.
    """
    total = line.gross if gross else line.net
    if not line.quantity:
        return Decimal(0), Decimal(0)
    unit = _whole(line.unit_price, digits) if gross == stated_gross else None
    if unit is not None and unit == line.unit_price:
        if unit * line.quantity == total:
            return unit, Decimal(0)
        percent = _discount(unit * line.quantity, total)
        if percent is not None and _whole(unit * line.quantity * (1 - percent / 100), 2) == total:
            return unit, percent
    return _whole(total / line.quantity, digits), Decimal(0)


def _discount(before: Decimal, after: Decimal) -> Decimal | None:
    if before <= 0 or not 0 <= after < before:
        return None
    return (100 * (before - after) / before).quantize(_PERCENT, rounding=ROUND_HALF_UP)


def line_values(
    line: SaleLine, product: int, tax: Tax | None, stated_gross: bool, digits: int, tax_field: str
) -> dict[str, Any]:
    """The values of a ``sale.order.line``."""
    gross = tax.inside if tax else stated_gross
    unit, percent = price(line, gross, stated_gross, digits)
    return {
        "product_id": product,
        "name": line.title or line.sku,
        "product_uom_qty": line.quantity,
        "price_unit": unit,
        "discount": percent,  # always stated, else Odoo takes the customer's
        tax_field: [[6, 0, [tax.id] if tax else []]],
    }


def rounding_line(product: int, amount: Decimal, tax_field: str) -> dict[str, Any]:
    """A line without tax that takes up the cents by which Odoo's rounding differs from the shop's."""
    values = {"product_id": product, "name": "Rounding difference", "product_uom_qty": 1, "price_unit": amount}
    return {**values, tax_field: [[6, 0, []]]}


def product_code(line: SaleLine, codes: Mapping[str, str]) -> str:
    """The code of the product a line is written with: the article's, or that of the settings for what is none."""
    if line.kind == LineKind.SHIPPING:
        return codes["shipping"]
    if line.kind == LineKind.FEE:
        return (codes["discount"] if line.gross < 0 else "") or codes["fee"]
    return line.sku


def address_values(address: Address, country: int | None, state: int | None) -> dict[str, Any]:
    """The values of a ``res.partner`` that make an address; false for nothing, as Odoo reads it back."""
    values: dict[str, Any] = {
        "name": address.name or address.company,
        "street": address.street,
        "street2": address.street2,
        "zip": address.postal_code,
        "city": address.city,
        "email": address.email,
        "phone": address.phone,
    }
    return {
        **{name: value or False for name, value in values.items()},
        "country_id": country or False,
        "state_id": state or False,
    }


def partner_values(command: WriteSale, address: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a new customer: a company when the buyer names one, else a person."""
    buyer = command.buyer
    company = buyer.company or command.billing.company
    values = dict(address)
    values["name"] = company or buyer.name or command.billing.name or buyer.email or command.customer_code
    values["email"] = buyer.email or address["email"]
    values["phone"] = buyer.phone or address["phone"]
    values["ref"] = command.customer_code
    values["is_company"] = bool(company)
    return {**values, "vat": buyer.vat_id} if buyer.vat_id else values


def same_place(partner: Mapping[str, Any], values: Mapping[str, Any]) -> bool:
    """Whether a partner record shows this name and place (mail and phone do not make another address)."""
    names = ("name", "street", "street2", "zip", "city", "country_id", "state_id")
    return all(_plain(partner.get(name)) == _plain(values.get(name)) for name in names)


def _plain(value: Any) -> Any:
    """A many2one by its id, nothing as false."""
    return (value[0] if isinstance(value, list) and value else value) or False
