"""Who buys, in ERPNext: the customer of a code and its addresses, each made only where there is none like it."""

from __future__ import annotations

from typing import Any

from integration_hub.kernel.errors import Rejected
from integration_hub.kernel.messages import Address, WriteSale
from integration_hub.kernel.text import say

from . import _erpnext_sale as words
from ._erpnext_api import ErpNextApi, Row

_ADDRESS = ["address_title", "address_line1", "address_line2", "pincode", "city", "state", "country"]


class Customers:
    """Finds and makes customers and addresses."""

    def __init__(self, api: ErpNextApi, config: Any) -> None:
        self._api = api
        self._config = config
        self._countries: dict[str, str] = {}

    def prepare(self, command: WriteSale) -> tuple[Row, Row]:
        """The values of the billing and the shipping address; what can be refused is looked up here."""
        return self._values(command.billing, "Billing"), self._values(command.shipping, "Shipping")

    def settle(self, command: WriteSale, billing: Row, shipping: Row) -> dict[str, str]:
        """The customer and both addresses as fields of a sales order."""
        customer = self._customer(command)
        first = self._address(customer, billing)
        second = first if words.same_place(billing, shipping) else self._address(customer, shipping)
        return {"customer": customer, "customer_address": first, "shipping_address_name": second}

    def _customer(self, command: WriteSale) -> str:
        found = self._of_code(command.customer_code)
        if found:
            return found
        defaults = {"customer_group": self._config.customer_group, "territory": self._config.territory}
        values = {**words.customer_values(command), **{name: value for name, value in defaults.items() if value}}
        try:
            made = self._api.create("Customer", {**values, self._config.customer_field: command.customer_code})
        except Rejected as error:  # another order of this customer has made it just now, where the field is unique
            found = self._of_code(command.customer_code) if error.code == "duplicate" else ""
            if not found:
                raise
            return found
        return str(made["name"])

    def _of_code(self, code: str) -> str:
        """The oldest customer of this code."""
        filters = [[self._config.customer_field, "=", code]]
        found = self._api.rows("Customer", [], filters, order="creation asc", limit=1)
        return str(found[0]["name"]) if found else ""

    def _address(self, customer: str, values: Row) -> str:
        linked = [["link_doctype", "=", "Customer"], ["link_name", "=", customer], ["parenttype", "=", "Address"]]
        names = sorted({row["parent"] for row in self._api.every("Dynamic Link", ["parent"], linked, "Address")})
        there = self._api.every("Address", _ADDRESS, [["name", "in", names]]) if names else ()
        known = next((row["name"] for row in there if words.same_place(row, values)), None)
        if known is not None:
            return str(known)
        link = {"link_doctype": "Customer", "link_name": customer}
        return str(self._api.create("Address", {**values, "links": [link]})["name"])

    def _values(self, address: Address, kind: str) -> Row:
        return words.address_values(address, kind, self._country(address.country))

    def _country(self, code: str) -> str:
        """ERPNext's name of a country; its codes are small letters."""
        if not code:
            return ""
        if code not in self._countries:
            found = self._api.rows("Country", [], [["code", "=", code.lower()]], limit=1)
            if not found:
                words_ = say("ERPNext does not know the country %(code)s.", code=code)
                raise Rejected(words_, code="country_unknown_in_erp")
            self._countries[code] = found[0]["name"]
        return self._countries[code]
