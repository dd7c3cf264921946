"""Writes one sale into Odoo: looks first, creates a draft, proves its total, confirms it."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from integration_hub.kernel import fields
from integration_hub.kernel.errors import Misconfigured, Rejected
from integration_hub.kernel.messages import Address, SaleLine, WriteSale, Written
from integration_hub.kernel.money import Money
from integration_hub.kernel.states import LineKind
from integration_hub.kernel.text import Text, say

from . import _odoo_sale as words
from ._odoo_reports import name_of
from ._odoo_rpc import OdooRpc, Row

TOLERANCE = Decimal("0.05")  # what rounding per line can explain; more is a disagreement
_DRAFT = ("draft", "sent")
_SALE = ["name", "state", "amount_total", "currency_id"]
_TAX = ["amount", "price_include"]
_PLACE = ["name", "street", "street2", "zip", "city", "country_id", "state_id", "type"]
_NAMES: dict[LineKind, Text] = {LineKind.SHIPPING: say("shipping costs"), LineKind.FEE: say("fees and rounding")}


class SaleWriter:
    """Everything one WriteSale needs from Odoo; made for one command."""

    def __init__(self, rpc: OdooRpc, config: Any) -> None:
        self._rpc = rpc
        self._config = config
        self._countries: dict[str, int | None] = {}

    def find(self, command: WriteSale) -> Written | None:
        """The sale as it stands; a draft that is to be confirmed, or comes to another total, is unfinished."""
        sale = self._sale(command.reference)
        if sale is None:
            return None
        draft = _state(sale) in _DRAFT
        unfinished = draft and (self._config.confirm or bool(self._difference(sale, command)))
        return replace(self._written(sale, True), unfinished=unfinished)

    def write(self, command: WriteSale) -> Written:
        """Bring the sale to where the command wants it, from wherever an earlier try left it."""
        sale = self._sale(command.reference)
        was_there = sale is not None
        if sale is None:
            sale = self._create(command)
        if _state(sale) in _DRAFT:
            sale = self._agreeing(sale, command, repair=was_there)
            if self._config.confirm:
                self._rpc.call("sale.order", "action_confirm", ids=[sale["id"]])
                sale = self._read(sale["id"])
        return self._written(sale, was_there)

    def _written(self, sale: Row, was_there: bool) -> Written:
        number = sale["id"]
        url = f"{self._config.url.rstrip('/')}/web#id={number}&model=sale.order&view_type=form"
        return Written(
            external_id=str(number),
            number=fields.identifier(sale, "name"),
            vendor_status=_state(sale),
            url=url,
            was_there=was_there,
        )

    def _sale(self, reference: str) -> Row | None:
        """The live sale of this reference, else a cancelled one."""
        domain = [["client_order_ref", "=", reference]]
        found = self._rpc.rows("sale.order", "search_read", domain=domain, names=_SALE, order="id", limit=20)
        ranks = {"sale": 0, "done": 0, "cancel": 2}
        return min(found, key=lambda sale: (ranks.get(_state(sale), 1), sale["id"]), default=None)

    def _read(self, number: int) -> Row:
        rows = self._rpc.rows("sale.order", "read", ids=[number], names=_SALE)
        if not rows:
            raise Rejected(say("The sale is gone from Odoo."), code="sale_gone")
        return rows[0]

    def _create(self, command: WriteSale) -> Row:
        """A draft; everything that can be refused is looked up before the first write."""
        lines = self._lines(command)
        values: Row = self._pricelist(command.currency) | self._warehouse()
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
        return self._read(self._rpc.create("sale.order", values))

    def _agreeing(self, sale: Row, command: WriteSale, repair: bool) -> Row:
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
                    "Odoo comes to %(erp)s, the order says %(order)s.",
                    erp=Money(command.total - difference, command.currency),
                    order=Money(command.total, command.currency),
                ),
                code="totals_disagree",
            )
        return sale

    def _difference(self, sale: Row, command: WriteSale) -> Decimal:
        return command.total - fields.amount(sale, "amount_total")

    def _rewrite(self, number: int, lines: Sequence[Any]) -> Row:
        self._rpc.call("sale.order", "write", ids=[number], vals={"order_line": lines})
        return self._read(number)

    def _lines(self, command: WriteSale) -> list[Row]:
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
        rows = self._rpc.rows("product.product", "search_read", domain=domain, names=["default_code"], order="id")
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
        rows = self._rpc.rows("account.tax", "search_read", domain=domain, names=_TAX, order="sequence,id", limit=500)
        return [
            words.Tax(row["id"], fields.amount(row, "amount") / 100, fields.flag(row, "price_include")) for row in rows
        ]

    def _tax_field(self) -> str:
        """Odoo 19 calls the taxes of a line ``tax_ids``, before that ``tax_id``."""
        names = ["tax_id", "tax_ids"]
        return "tax_ids" if "tax_ids" in self._rpc.known("sale.order.line", names) else "tax_id"

    def _digits(self) -> int:
        """How many decimals Odoo keeps of a unit price."""
        domain = [["name", "=", "Product Price"]]
        rows = self._rpc.rows("decimal.precision", "search_read", domain=domain, names=["digits"], limit=1)
        return min(int(fields.quantity(rows[0], "digits")), 8) if rows else 2

    def _pricelist(self, currency: str) -> dict[str, int]:
        """What makes the sale's currency: a pricelist in it, or nothing where the company's own will do."""
        domain = [["currency_id.name", "=", currency]]
        rows = self._rpc.rows("product.pricelist", "search_read", domain=domain, names=["id"], order="id", limit=1)
        if rows:
            return {"pricelist_id": rows[0]["id"]}
        companies = self._rpc.rows("res.company", "search_read", names=["currency_id"], order="id", limit=1)
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
        rows = self._rpc.rows("stock.warehouse", "search_read", domain=[["code", "=", code]], names=["id"], limit=1)
        if not rows:
            raise Misconfigured(say("Odoo has no warehouse %(code)s.", code=code), code="unknown_warehouse")
        return {"warehouse_id": rows[0]["id"]}

    def _partners(self, command: WriteSale, billing: Row, shipping: Row) -> tuple[int, int, int]:
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

    def _customer(self, command: WriteSale, billing: Row) -> Row:
        domain = [["ref", "=", command.customer_code], ["parent_id", "=", False]]
        rows = self._rpc.rows("res.partner", "search_read", domain=domain, names=_PLACE, order="id", limit=1)
        if rows:
            return rows[0]
        values = words.partner_values(command, billing)
        return {**values, "id": self._rpc.create("res.partner", values)}

    def _child(self, partner: int, kind: str, values: Row) -> int:
        domain = [["parent_id", "=", partner], ["type", "=", kind]]
        rows = self._rpc.rows("res.partner", "search_read", domain=domain, names=_PLACE, order="id")
        known = next((int(row["id"]) for row in rows if words.same_place(row, values)), None)
        if known is not None:
            return known
        return self._rpc.create("res.partner", {**values, "parent_id": partner, "type": kind})

    def _address(self, address: Address) -> Row:
        country = self._country(address.country)
        return words.address_values(address, country, self._state(country, address.region))

    def _country(self, code: str) -> int | None:
        if not code:
            return None
        if code not in self._countries:
            rows = self._rpc.rows("res.country", "search_read", domain=[["code", "=", code]], names=["id"], limit=1)
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
        rows = self._rpc.rows("res.country.state", "search_read", domain=domain, names=["id"], limit=1)
        return int(rows[0]["id"]) if rows else None


def _state(sale: Row) -> str:
    return fields.words(sale, "state")
