"""A WriteSale in ERPNext's words: rows of items whose prices keep the total to the cent, rows of taxes, addresses.

Prices go out as the order states them; where they contain the tax, so do ERPNext's rows (``included_in_print_rate``).
Each item names the Item Tax Template of its rate, and each account of those templates has a row of taxes at rate 0, as
ERPNext's own setup for Germany does it.  Source: frappe/erpnext ``controllers/taxes_and_totals.py``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_FLOOR, ROUND_HALF_UP, Decimal
from typing import Any

from integration_hub.kernel.errors import Misconfigured, Rejected
from integration_hub.kernel.messages import Address, SaleLine, WriteSale
from integration_hub.kernel.money import minor_digits
from integration_hub.kernel.states import LineKind
from integration_hub.kernel.text import say

Row = dict[str, Any]

_PHONE = re.compile(r"[0-9 +_\-,.*#()]{1,20}")  # frappe.utils.validate_phone_number refuses the rest
_PLACE = ("address_title", "address_line1", "address_line2", "pincode", "city", "state", "country")


@dataclass(frozen=True)
class TaxTemplate:
    """An Item Tax Template of ERPNext's: by account, its rate as a fraction."""

    name: str
    rates: Mapping[str, Decimal]

    @property
    def rate(self) -> Decimal:
        return sum(self.rates.values(), Decimal(0))


def choose_template(templates: Sequence[TaxTemplate], rate: Decimal) -> TaxTemplate | None:
    """The one of this rate; None for no tax at all, where ERPNext has no template of that kind."""
    same = [one for one in templates if one.rate == rate]
    percent = format((rate * 100).normalize(), "f")
    if len(same) > 1:
        names = ", ".join(one.name for one in same)
        words = say("Several tax templates have %(percent)s %%: %(names)s. Name one.", percent=percent, names=names)
        raise Misconfigured(words, code="tax_ambiguous")
    if not same and rate:
        words = say("ERPNext has no item tax template of %(percent)s %%.", percent=percent)
        raise Rejected(words, code="tax_rate_unknown")
    return same[0] if same else None


def pieces(total: Decimal, quantity: Decimal, digits: int) -> list[tuple[Decimal, Decimal]]:
    """How many at which price, so that rounded prices give the total: two prices a cent apart where one does not."""
    coin = Decimal(1).scaleb(-digits)
    if quantity != quantity.to_integral_value():
        return [(quantity, (total / quantity).quantize(coin, ROUND_HALF_UP))]
    low = (total / quantity).quantize(coin, ROUND_FLOOR)
    dearer = (total - low * quantity) / coin
    return [(number, price) for number, price in ((quantity - dearer, low), (dearer, low + coin)) if number]


def item_rows(
    line: SaleLine, item: Row, template: TaxTemplate | None, command: WriteSale, fixed: Mapping[str, Any]
) -> Iterator[Row]:
    """A line as rows of items; nothing for a line of no pieces."""
    total = line.gross if command.prices_include_tax else line.net
    digits = minor_digits(command.currency)
    listed = line.unit_price.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)
    for number, rate in pieces(total, line.quantity, digits) if line.quantity else ():
        yield {
            "item_code": item["name"],
            "item_name": (line.title or item["item_name"] or item["name"])[:140],
            "description": line.title or item["item_name"] or item["name"],
            "qty": number,
            "uom": item["stock_uom"],
            "conversion_factor": 1,
            "price_list_rate": max(listed, rate),
            "rate": rate,
            "item_tax_template": template.name if template else "",
            **fixed,
        }


def rounding_row(item: Row, amount: Decimal, template: TaxTemplate | None, fixed: Mapping[str, Any]) -> Row:
    """A row without tax that takes up the cents by which ERPNext's rounding differs from the shop's."""
    words = {"item_name": "Rounding difference", "description": "Rounding difference", "uom": item["stock_uom"]}
    price = {"qty": 1, "rate": amount, "price_list_rate": amount, "conversion_factor": 1}
    named = {"item_code": item["name"], "item_tax_template": template.name if template else ""}
    return {**named, **words, **price, **fixed}


def untaxed_rows(templates: Sequence[TaxTemplate]) -> list[Row]:
    """A row that says that there is no tax.  Without any row ERPNext adds its own for the templates that the items have."""
    account = min((account for one in templates for account in one.rates), default="")
    fixed = {"charge_type": "Actual", "tax_amount": 0, "rate": 0, "included_in_print_rate": 0}
    return [{**fixed, "account_head": account, "description": account}] if account else []


def tax_rows(templates: Sequence[TaxTemplate], inside: bool) -> list[Row]:
    """A row for every account of these templates."""
    accounts = sorted({account for one in templates for account in one.rates})
    fixed = {"charge_type": "On Net Total", "rate": 0, "included_in_print_rate": int(inside)}
    return [{**fixed, "account_head": account, "description": account} for account in accounts]


def product_code(line: SaleLine, codes: Mapping[str, str]) -> str:
    """The item a line is written with: the article's, or that of the settings for what is none."""
    if line.kind == LineKind.SHIPPING:
        return codes["shipping"]
    if line.kind == LineKind.FEE:
        return (codes["discount"] if line.gross < 0 else "") or codes["fee"]
    return line.product_id or line.sku


def phone(text: str) -> str:
    """A phone number that Frappe takes, else none."""
    return text if _PHONE.fullmatch(text) else ""


def address_values(address: Address, kind: str, country: str) -> Row:
    """The values of an Address; ERPNext wants a street and a city."""
    return {
        "address_title": (address.company or address.name)[:140],
        "address_type": kind,
        "address_line1": address.street or "-",
        "address_line2": ", ".join(filter(None, (address.name if address.company else "", address.street2))),
        "pincode": address.postal_code,
        "city": address.city or "-",
        "state": address.region,
        "country": country,
        "email_id": address.email,
        "phone": phone(address.phone),
    }


def same_place(there: Mapping[str, Any], values: Mapping[str, Any]) -> bool:
    """Whether an address shows this name and place (mail and phone do not make another one)."""
    return all((there.get(name) or "") == (values.get(name) or "") for name in _PLACE)


def customer_values(command: WriteSale) -> Row:
    """The values of a new customer: a company when the buyer names one, else a person."""
    buyer = command.buyer
    company = buyer.company or command.billing.company
    name = company or buyer.name or command.billing.name or buyer.email or command.customer_code
    values = {
        "customer_name": name[:140],
        "customer_type": "Company" if company else "Individual",
        "email_id": buyer.email or command.billing.email,
        "mobile_no": phone(buyer.phone or command.billing.phone),
        "tax_id": buyer.vat_id,
    }
    return {key: value for key, value in values.items() if value}
