"""The records a sale points at: looked up, and where they are the customer's, made.

``party.code`` and a product's code are unique in Tryton; addresses have no key and are found by what they say.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

from integration_hub.kernel.errors import Misconfigured, Rejected, RetryLater
from integration_hub.kernel.messages import Address, SaleLine, WriteSale
from integration_hub.kernel.text import say

from ._tryton_basket import Catalogue, Product, Taxes, taxes_of
from ._tryton_rest import Rest, Row

BATCH = 100
MERGES = 5  # a merged party may have been merged again
_ID = re.compile("[0-9]{1,9}")
_TAX = ("type", "rate", "start_date", "end_date")
_CUSTOMER_TAXES = tuple(f"customer_taxes.{name}" for name in (*_TAX, *(f"childs.{name}" for name in _TAX)))
_ADDRESS = ("party_name", "attn", "street_unstructured", "postal_code", "city", "country.code")


@dataclass
class Records:
    """Looks things up once each.  ``company`` 0 means the first one, ``warehouse`` "" the web shop's own."""

    rest: Rest
    company_id: int
    shop_name: str
    warehouse_code: str

    @cached_property
    def company(self) -> Row:
        """The company, which is from here on the context of everything.  Raises Misconfigured."""
        domain = [["id", "=", self.company_id]] if self.company_id else []
        found = self.rest.search(
            "company.company", domain, ["timezone", "party.name", "currency.code"], order=[["id", "ASC"]]
        )
        if not found:
            raise Misconfigured(say("Tryton shows us no such company."), code="no_company")
        self.rest.context = {"company": found[0]["id"]}
        return found[0]

    @cached_property
    def shop(self) -> Row:
        """The web shop that our sales belong to.  Raises Misconfigured."""
        domain = [["name", "=", self.shop_name], ["company", "=", self.company["id"]]]
        found = self.rest.search("web.shop", domain, ["warehouses.id"])
        if not found:
            words = say("Tryton has no web shop with the name %(name)s.", name=self.shop_name)
            raise Misconfigured(words, code="no_web_shop")
        return found[0]

    @cached_property
    def warehouse(self) -> int | None:
        """Where the sale ships from; None leaves it to Tryton.  Raises Misconfigured."""
        if not self.warehouse_code:
            return next((row["id"] for row in self.shop["warehouses"]), None)
        domain = [["type", "=", "warehouse"], ["code", "=", self.warehouse_code]]
        found = self.rest.search("stock.location", domain, ["id"])
        if not found:
            words = say("Tryton has no warehouse with the code %(code)s.", code=self.warehouse_code)
            raise Misconfigured(words, code="no_warehouse")
        return int(found[0]["id"])

    def currency(self, code: str) -> int:
        return self._by_code("currency.currency", code, say("Tryton has no currency %(code)s.", code=code))

    def country(self, code: str) -> int | None:
        if not code:
            return None
        return self._by_code("country.country", code, say("Tryton has no country %(code)s.", code=code))

    def _by_code(self, model: str, code: str, missing: Any) -> int:
        found = self.rest.search(model, [["code", "=", code]], ["id"])
        if not found:
            raise Rejected(missing, code="unknown_in_erp", detail=f"{model} {code}")
        return int(found[0]["id"])

    def catalogue(self, lines: Iterable[SaleLine], services: Sequence[str], on: date) -> Catalogue:
        """The products of these lines and of the services, and the sets of taxes there are."""
        lines = list(lines)
        ids = sorted({int(line.product_id) for line in lines if _ID.fullmatch(line.product_id)})
        codes = sorted({line.sku for line in lines if line.sku and not line.product_id} | set(services))
        fields = ["code", "default_uom.id", *(f"account_category.{name}" for name in _CUSTOMER_TAXES)]
        rows = [*self._products("id", ids, fields), *self._products("code", codes, fields)]
        categories = self.rest.search(
            "product.category", [["accounting", "=", True], ["customer_taxes", "!=", None]], _CUSTOMER_TAXES
        )
        taxes = dict.fromkeys(taxes_of(row["customer_taxes"], on) for row in categories)
        return Catalogue(tuple(_product(row, on) for row in rows), tuple(taxes))

    def _products(self, name: str, values: Sequence[Any], fields: Sequence[str]) -> Iterator[Row]:
        """In batches, because the search travels in the address of the request."""
        for start in range(0, len(values), BATCH):
            yield from self.rest.search("product.product", [[name, "in", values[start : start + BATCH]]], fields)

    def party(self, command: WriteSale) -> Row:
        """The customer by code, made where missing; two that make it at once end with one.  Raises Rejected."""
        found = self._party(command.customer_code)
        refused: Rejected | None = None
        for values in () if found else _party_values(command):
            try:
                self.rest.create("party.party", values)
            except Rejected as error:
                refused = error
            if found := self._party(command.customer_code):
                break
        if found is None:
            raise refused or RetryLater(say("The record is not there any more."), code="gone_meanwhile")
        return found

    def _party(self, code: str) -> Row | None:
        """The party of this code, or the one it was merged into.  Raises Rejected for one that was deactivated."""
        found = self._parties(["code", "=", code])
        for _ in range(MERGES):
            if not found or found[0]["active"]:
                break
            if not found[0]["replaced_by"]:
                words = say("The customer %(code)s is deactivated in Tryton.", code=code)
                raise Rejected(words, code="customer_deactivated", detail=code)
            found = self._parties(["id", "=", found[0]["replaced_by"]["id"]])
        return found[0] if found else None

    def _parties(self, clause: Sequence[Any]) -> list[Row]:
        fields = ["active", "replaced_by.id", *(f"addresses.{name}" for name in ("active", *_ADDRESS))]
        return self.rest.search("party.party", [clause], fields, inactive=True)

    def address(self, party: Row, wanted: Address) -> int:
        """The party's address with this content, made where missing."""
        values = _address_values(wanted)
        if (found := _same(party["addresses"], values)) is not None:
            return found
        country = self.country(wanted.country)
        self.rest.create("party.address", values | {"party": party["id"], "country": country})
        party["addresses"] = self.rest.search("party.address", [["party", "=", party["id"]]], ("active", *_ADDRESS))
        if (made := _same(party["addresses"], values)) is None:
            raise RetryLater(say("The record is not there any more."), code="gone_meanwhile")
        return made


def _address_values(address: Address) -> Row:
    """As Tryton keeps it: empty is None, and blanks at the ends are cut off."""
    values = {
        "party_name": address.company or address.name,
        "attn": address.name if address.company else "",
        "street_unstructured": "\n".join(filter(None, (address.street.strip(), address.street2.strip()))),
        "postal_code": address.postal_code,
        "city": address.city,
        "country": address.country,
    }
    return {name: value.strip() or None for name, value in values.items()}


def _same(rows: Iterable[Row], values: Row) -> int | None:
    """The first of these addresses that is in use and says just this."""
    for row in sorted((row for row in rows if row["active"]), key=lambda row: row["id"]):
        country = row["country"]["code"] if row["country"] else None
        if {**{name: row[name] or None for name in _ADDRESS[:-1]}, "country": country} == values:
            return int(row["id"])
    return None


def _product(row: Row, on: date) -> Product:
    category = row["account_category"]
    taxes = taxes_of(category["customer_taxes"], on) if category else Taxes()
    return Product(row["id"], row["code"] or "", row["default_uom"]["id"], taxes)


def _party_values(command: WriteSale) -> tuple[Row, Row]:
    """A new customer, and the same without contacts: a mail address that Tryton dislikes must not hold up an order."""
    buyer, billing = command.buyer, command.billing
    name = buyer.company or billing.company or buyer.name or billing.name or buyer.email or command.customer_code
    bare: Row = {"code": command.customer_code, "name": name, "addresses": []}
    contacts = {"email": buyer.email or billing.email, "phone": buyer.phone or billing.phone}
    rows = [{"type": kind, "value": value} for kind, value in contacts.items() if value]
    return bare | {"contact_mechanisms": [["create", rows]]}, bare
