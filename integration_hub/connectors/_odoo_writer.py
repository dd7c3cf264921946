"""Writes one sale into Odoo: looks first, creates a draft, proves its total, confirms it."""

from __future__ import annotations

import html
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from integration_hub.kernel import codec
from integration_hub.kernel.errors import Misconfigured, Rejected
from integration_hub.kernel.messages import Address, SaleLine, WriteSale, Written
from integration_hub.kernel.states import LineKind
from integration_hub.kernel.text import Text, say

from . import _odoo_sale as words
from ._odoo_reports import name_of
from ._odoo_rpc import OdooRpc

TOLERANCE = Decimal("0.05")  # what rounding per line can explain; more is a disagreement
_DRAFT = ("draft", "sent")
_SALE = ["name", "state", "amount_total", "currency_id"]
_PLACE = ["name", "street", "street2", "zip", "city", "country_id", "state_id", "type"]
_NAMES: dict[LineKind, Text] = {LineKind.SHIPPING: say("shipping costs"), LineKind.FEE: say("fees and rounding")}


class SaleWriter:
    """Everything one WriteSale needs from Odoo; made for one command."""

    def __init__(self, rpc: OdooRpc, config: Any) -> None:
        self._rpc = rpc
        self._config = config
        self._countries: dict[str, int | None] = {}

    def find(self, command: WriteSale) -> Written | None:
        """The sale, if nothing is left to do about it."""
        sale = self._sale(command.reference)
        if sale is None or (sale["state"] in _DRAFT and self._config.confirm):
            return None
        return self._written(sale, True)

    def write(self, command: WriteSale) -> Written:
        """Bring the sale to where the command wants it, from wherever an earlier try left it."""
        sale = self._sale(command.reference)
        was_there = sale is not None
        if sale is None:
            sale = self._create(command)
        if sale["state"] in _DRAFT:
            sale = self._agreeing(sale, command, repair=was_there)
            if self._config.confirm:
                self._rpc.call("sale.order", "action_confirm", ids=[sale["id"]])
                sale = self._read(sale["id"])
        return self._written(sale, was_there)

    def _written(self, sale: dict[str, Any], was_there: bool) -> Written:
        number = sale["id"]
        url = f"{self._config.url.rstrip('/')}/web#id={number}&model=sale.order&view_type=form"
        status = str(sale["state"])
        return Written(
            external_id=str(number), number=str(sale["name"]), vendor_status=status, url=url, was_there=was_there
        )

    def _sale(self, reference: str) -> dict[str, Any] | None:
        """The live sale of this reference, else a cancelled one."""
        domain = [["client_order_ref", "=", reference]]
        found = self._rpc.call("sale.order", "search_read", domain=domain, fields=_SALE, order="id", limit=20)
        ranks = {"sale": 0, "done": 0, "cancel": 2}
        return min(found, key=lambda sale: (ranks.get(sale["state"], 1), sale["id"]), default=None)

    def _read(self, number: int) -> dict[str, Any]:
        rows = self._rpc.call("sale.order", "read", ids=[number], fields=_SALE)
        if not rows:
            raise Rejected(say("The sale is gone from Odoo."), code="sale_gone")
        found: dict[str, Any] = rows[0]
        return found

    def _create(self, command: WriteSale) -> dict[str, Any]:
        """A draft; everything that can be refused is looked up before the first write."""
        lines = self._lines(command)
        values: dict[str, Any] = self._pricelist(command.currency) | self._warehouse()
        billing, shipping = self._address(command.billing), self._address(command.shipping)
        partner, invoice, delivery = self._partners(command, billing, shipping)
        values |= {
            "partner_id": partner,
            "partner_invoice_id": invoice,
            "partner_shipping_id": delivery,
            "client_order_ref": command.reference,
            "origin": f"{command.channel} {command.number}",
            "date_order": command.placed_at.strftime("%Y-%m-%d %H:%M:%S"),
            "order_line": [[0, 0, line] for line in lines],
        }
        if command.note:
            values["note"] = html.escape(command.note)
        created = self._rpc.call("sale.order", "create", vals_list=[values])
        return self._read(created[0])

    def _agreeing(self, sale: dict[str, Any], command: WriteSale, repair: bool) -> dict[str, Any]:
        """The draft with exactly the command's total; an older draft gets the command's lines first."""
        if name_of(sale["currency_id"]) != command.currency:
            raise self._no_currency(command.currency)
        difference = self._difference(sale, command)
        if difference and repair:
            lines = [[5, 0, 0], *([0, 0, line] for line in self._lines(command))]
            sale = self._rewrite(sale["id"], lines)
            difference = self._difference(sale, command)
        if difference and abs(difference) <= TOLERANCE and self._config.fee_product:
            product = self._products([self._config.fee_product]).get(self._config.fee_product)
            if product:
                line = words.rounding_line(product, difference, self._tax_field())
                sale = self._rewrite(sale["id"], [[0, 0, line]])
                difference = self._difference(sale, command)
        if difference:
            raise Rejected(
                say(
                    "Odoo comes to %(erp)s, the order says %(order)s %(currency)s.",
                    erp=command.total - difference,
                    order=command.total,
                    currency=command.currency,
                ),
                code="totals_disagree",
            )
        return sale

    def _difference(self, sale: dict[str, Any], command: WriteSale) -> Decimal:
        return command.total - codec.money_amount(sale["amount_total"], "amount_total")

    def _rewrite(self, number: int, lines: Sequence[Any]) -> dict[str, Any]:
        self._rpc.call("sale.order", "write", ids=[number], vals={"order_line": lines})
        return self._read(number)

    def _lines(self, command: WriteSale) -> list[dict[str, Any]]:
        codes = {
            "shipping": self._config.shipping_product,
            "fee": self._config.fee_product,
            "discount": self._config.discount_product,
        }
        wanted = {words.product_code(line, codes) for line in command.lines if not line.product_id}
        products = self._products(sorted(wanted - {""}))
        taxes, tax_field, digits = self.taxes(), self._tax_field(), self._digits()
        rows = []
        for line in command.lines:
            product = self._product(line, words.product_code(line, codes), products)
            tax = words.choose_tax(taxes, line.tax_rate, command.prices_include_tax)
            rows.append(words.line_values(line, product, tax, command.prices_include_tax, digits, tax_field))
        return rows

    def _product(self, line: SaleLine, code: str, products: dict[str, int]) -> int:
        if line.product_id.isascii() and line.product_id.isdigit():
            return int(line.product_id)
        if code in products:
            return products[code]
        if line.kind in _NAMES:
            raise Misconfigured(
                say(
                    "The settings name no product of Odoo's for %(what)s (%(code)s).", what=_NAMES[line.kind], code=code
                ),
                code="service_product_missing",
            )
        raise Rejected(say("Odoo does not know the product %(sku)s.", sku=code), code="unknown_product_in_erp")

    def _products(self, codes: Sequence[str]) -> dict[str, int]:
        """Product ids by internal reference, which Odoo does not keep unique."""
        if not codes:
            return {}
        domain = [["default_code", "in", list(codes)]]
        rows = self._rpc.call("product.product", "search_read", domain=domain, fields=["default_code"], order="id")
        found: dict[str, int] = {}
        for row in rows:
            if row["default_code"] in found:
                raise Rejected(
                    say("Odoo has several products with the reference %(sku)s.", sku=row["default_code"]),
                    code="product_ambiguous_in_erp",
                )
            found[row["default_code"]] = row["id"]
        return found

    def taxes(self) -> list[words.Tax]:
        """Odoo's active sale taxes in percent, in its own order of preference."""
        domain = [["type_tax_use", "=", "sale"], ["amount_type", "=", "percent"]]
        fields = ["amount", "price_include"]
        rows = self._rpc.call(
            "account.tax", "search_read", domain=domain, fields=fields, order="sequence,id", limit=500
        )
        return [words.Tax(row["id"], Decimal(row["amount"]) / 100, row["price_include"] is True) for row in rows]

    def _tax_field(self) -> str:
        """Odoo 19 calls the taxes of a line ``tax_ids``, before that ``tax_id``."""
        names = ["tax_id", "tax_ids"]
        found = self._rpc.call("sale.order.line", "fields_get", allfields=names, attributes=["type"])
        return "tax_ids" if "tax_ids" in found else "tax_id"

    def _digits(self) -> int:
        """How many decimals Odoo keeps of a unit price."""
        domain = [["name", "=", "Product Price"]]
        rows = self._rpc.call("decimal.precision", "search_read", domain=domain, fields=["digits"], limit=1)
        return int(rows[0]["digits"]) if rows else 2

    def _pricelist(self, currency: str) -> dict[str, int]:
        """What makes the sale's currency: a pricelist in it, or nothing where the company's own will do."""
        domain = [["currency_id.name", "=", currency]]
        rows = self._rpc.call("product.pricelist", "search_read", domain=domain, fields=["id"], order="id", limit=1)
        if rows:
            return {"pricelist_id": rows[0]["id"]}
        companies = self._rpc.call("res.company", "search_read", fields=["currency_id"], order="id", limit=1)
        if not companies or name_of(companies[0]["currency_id"]) != currency:
            raise self._no_currency(currency)
        return {}

    def _no_currency(self, currency: str) -> Rejected:
        return Rejected(
            say("Odoo has no pricelist in %(currency)s.", currency=currency), code="currency_unknown_in_erp"
        )

    def _warehouse(self) -> dict[str, int]:
        code = self._config.warehouse
        if not code:
            return {}
        rows = self._rpc.call("stock.warehouse", "search_read", domain=[["code", "=", code]], fields=["id"], limit=1)
        if not rows:
            raise Misconfigured(say("Odoo has no warehouse %(code)s.", code=code), code="unknown_warehouse")
        return {"warehouse_id": rows[0]["id"]}

    def _partners(self, command: WriteSale, billing: dict[str, Any], shipping: dict[str, Any]) -> tuple[int, int, int]:
        """Customer, invoice address, delivery address; each made only where Odoo has none like it."""
        partner = self._customer(command, billing)
        invoice = (
            partner["id"] if words.same_place(partner, billing) else self._child(partner["id"], "invoice", billing)
        )
        if words.same_place(partner, shipping):
            return partner["id"], invoice, partner["id"]
        if words.same_place(billing, shipping):
            return partner["id"], invoice, invoice
        return partner["id"], invoice, self._child(partner["id"], "delivery", shipping)

    def _customer(self, command: WriteSale, billing: dict[str, Any]) -> dict[str, Any]:
        domain = [["ref", "=", command.customer_code], ["parent_id", "=", False]]
        rows = self._rpc.call("res.partner", "search_read", domain=domain, fields=_PLACE, order="id", limit=1)
        if rows:
            found: dict[str, Any] = rows[0]
            return found
        values = words.partner_values(command, billing)
        created = self._rpc.call("res.partner", "create", vals_list=[values])
        return {**values, "id": created[0]}

    def _child(self, partner: int, kind: str, values: dict[str, Any]) -> int:
        domain = [["parent_id", "=", partner], ["type", "=", kind]]
        rows = self._rpc.call("res.partner", "search_read", domain=domain, fields=_PLACE, order="id")
        known = next((int(row["id"]) for row in rows if words.same_place(row, values)), None)
        if known is not None:
            return known
        created = self._rpc.call("res.partner", "create", vals_list=[{**values, "parent_id": partner, "type": kind}])
        return int(created[0])

    def _address(self, address: Address) -> dict[str, Any]:
        country = self._country(address.country)
        return words.address_values(address, country, self._state(country, address.region))

    def _country(self, code: str) -> int | None:
        if not code:
            return None
        if code not in self._countries:
            rows = self._rpc.call("res.country", "search_read", domain=[["code", "=", code]], fields=["id"], limit=1)
            if not rows:
                raise Rejected(
                    say("Odoo does not know the country %(code)s.", code=code), code="country_unknown_in_erp"
                )
            self._countries[code] = int(rows[0]["id"])
        return self._countries[code]

    def _state(self, country: int | None, region: str) -> int | None:
        """Odoo's state for a region by code or name; most German addresses have none."""
        if not region or country is None:
            return None
        domain = [["country_id", "=", country], "|", ["code", "=ilike", region], ["name", "=ilike", region]]
        rows = self._rpc.call("res.country.state", "search_read", domain=domain, fields=["id"], limit=1)
        return int(rows[0]["id"]) if rows else None
