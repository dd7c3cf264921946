"""Writes one sale into ERPNext: looks first, creates a draft, proves its total and its tax, submits it."""

from __future__ import annotations

import html
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from functools import cached_property
from typing import Any
from urllib.parse import quote

from integration_hub.kernel import fields
from integration_hub.kernel.errors import Misconfigured, Rejected
from integration_hub.kernel.messages import SaleLine, WriteSale, Written
from integration_hub.kernel.money import Money
from integration_hub.kernel.states import LineKind
from integration_hub.kernel.text import Text, say

from . import _erpnext_sale as words
from ._erpnext_api import CANCELLED, DRAFT, SUBMITTED, ErpNextApi, Row
from ._erpnext_customer import Customers

TOLERANCE = Decimal("0.05")  # what rounding can explain; more is a disagreement
PER_LINE = Decimal("0.01")
SALE = ["docstatus", "status", "modified", "grand_total", "total_taxes_and_charges", "currency", "amended_from"]
_ITEM = ["item_name", "stock_uom", "disabled", "has_variants"]
_NAMES: dict[LineKind, Text] = {LineKind.SHIPPING: say("shipping costs"), LineKind.FEE: say("fees and rounding")}


class SaleWriter:
    """Everything one WriteSale needs from ERPNext; made for one command."""

    def __init__(self, api: ErpNextApi, config: Any) -> None:
        self._api = api
        self._config = config

    def find(self, command: WriteSale) -> Written | None:
        """The sale as it stands; a draft that is to be submitted, or comes to another total, is unfinished."""
        sale = the_sale(self._api, self._config, command.reference)
        if sale is None:
            return None
        draft = sale["docstatus"] == DRAFT
        unfinished = draft and (self._config.confirm or not _agrees(sale, command))
        return replace(written(self._config, sale, was_there=True), unfinished=unfinished)

    def write(self, command: WriteSale) -> Written:
        """Bring the sale to where the command wants it, from wherever an earlier try left it."""
        sale = the_sale(self._api, self._config, command.reference)
        was_there = sale is not None
        if sale is None:
            sale, was_there = self._create(command)
        first = first_of(sale)
        if sale["docstatus"] == DRAFT:
            sale = self._agreeing(sale, command, repair=was_there)
            if self._config.confirm:
                sale = self._api.update("Sales Order", sale, {"docstatus": SUBMITTED})
        return written(self._config, {**sale, "first": first}, was_there=was_there)

    def _create(self, command: WriteSale) -> tuple[Row, bool]:
        """A draft; everything that can be refused is looked up before the first write."""
        rows = self._rows(command)
        customers = Customers(self._api, self._config)
        billing, shipping = customers.prepare(command)
        values = {**self._head(command), **rows, **customers.settle(command, billing, shipping)}
        try:
            return self._api.create("Sales Order", values), False
        except Rejected as error:  # the field is unique, and another try was quicker
            found = the_sale(self._api, self._config, command.reference) if error.code == "duplicate" else None
            if found is None:
                raise
            return found, True

    def _head(self, command: WriteSale) -> Row:
        day = self._api.day(command.placed_at).isoformat()
        number = f"{command.channel} {command.number}"
        values: Row = {
            "company": self.company["name"],
            "order_type": "Sales",
            "transaction_date": day,
            "delivery_date": day,
            "po_date": day,
            "po_no": number,
            "title": f"{number} {command.buyer.name or command.billing.name}"[:140],
            "currency": command.currency,
            "ignore_pricing_rule": 1,
            "disable_rounded_total": 1,
            "terms": html.escape(command.note),
            "set_warehouse": self._config.warehouse,
        }
        return {
            **{name: value for name, value in values.items() if value},
            self._config.reference_field: command.reference,
        }

    def _agreeing(self, sale: Row, command: WriteSale, repair: bool) -> Row:
        """The draft with exactly the command's total; an older draft that says something else gets the command's rows first."""
        if sale["currency"] != command.currency:
            words_ = say("ERPNext made the sale in %(currency)s.", currency=sale["currency"])
            raise Rejected(words_, code="currency_unknown_in_erp")
        if repair and not _agrees(sale, command):
            sale = self._rewritten(sale, command, Decimal(0))
        difference = command.total - fields.amount(sale, "grand_total")
        if difference and abs(difference) <= TOLERANCE and self._config.fee_product:
            sale = self._rewritten(sale, command, difference)
        if fields.amount(sale, "grand_total") != command.total:
            raise _disagree("grand_total", sale, command.total, command.currency)
        if not _tax_agrees(sale, command):
            raise _disagree("total_taxes_and_charges", sale, command.total_tax, command.currency)
        return sale

    def _rewritten(self, sale: Row, command: WriteSale, difference: Decimal) -> Row:
        """The draft with the command's rows and, where it needs one, a row of rounding."""
        rows = self._rows(command)
        if difference:
            item = self._items([self._config.fee_product]).get(self._config.fee_product)
            if item is None:
                return sale
            free = words.choose_template(self.templates, Decimal(0))
            rows["items"] = [*rows["items"], words.rounding_row(item, difference, free, self._fixed(command))]
        return self._api.update("Sales Order", sale, rows)

    def _rows(self, command: WriteSale) -> Row:
        """Items and taxes."""
        config = self._config
        codes = {"shipping": config.shipping_product, "fee": config.fee_product, "discount": config.discount_product}
        wanted = [(line, words.product_code(line, codes)) for line in command.lines]
        items = self._items(sorted({code for _, code in wanted} - {""}))
        rates = {line.tax_rate for line in command.lines}
        used = {rate: words.choose_template(self.templates, rate) for rate in sorted(rates)} if any(rates) else {}
        rows: list[Row] = []
        for line, code in wanted:
            item = self._item(line, code, items)
            rows += words.item_rows(line, item, used.get(line.tax_rate), command, self._fixed(command))
        taxes = words.tax_rows([one for one in used.values() if one], command.prices_include_tax)
        return {"items": rows, "taxes": taxes or words.untaxed_rows(self.templates)}

    def _fixed(self, command: WriteSale) -> Row:
        day = {"delivery_date": self._api.day(command.placed_at).isoformat()}
        return day | ({"warehouse": self._config.warehouse} if self._config.warehouse else {})

    def _item(self, line: SaleLine, code: str, items: dict[str, Row]) -> Row:
        if code in items:
            return items[code]
        if line.kind in _NAMES:
            what = _NAMES[line.kind]
            words_ = say("The settings name no item of ERPNext's for %(what)s (%(code)s).", what=what, code=code)
            raise Misconfigured(words_, code="service_product_missing")
        raise Rejected(say("ERPNext does not know the product %(sku)s.", sku=code), code="unknown_product_in_erp")

    def _items(self, codes: Sequence[str]) -> dict[str, Row]:
        """Sellable items by their code."""
        found = self._api.every("Item", _ITEM, [["name", "in", list(codes)]]) if codes else ()
        return {row["name"]: row for row in found if not row["has_variants"]}

    @cached_property
    def templates(self) -> list[words.TaxTemplate]:
        """The company's item tax templates, or those of the settings."""
        wanted = self._config.tax_templates
        filters = [["company", "=", self.company["name"]], ["disabled", "=", 0]]
        names = [row["name"] for row in self._api.every("Item Tax Template", [], filters)]
        names = [name for name in names if not wanted or name in wanted]
        rates: defaultdict[str, dict[str, Decimal]] = defaultdict(dict)
        detail = [["parent", "in", names]]
        rows = self._api.every(
            "Item Tax Template Detail", ["parent", "tax_type", "tax_rate"], detail, "Item Tax Template"
        )
        for row in rows if names else ():
            rates[row["parent"]][row["tax_type"]] = fields.amount(row, "tax_rate") / 100
        return [words.TaxTemplate(name, rates[name]) for name in names]

    @cached_property
    def company(self) -> Row:
        return the_company(self._api, self._config.company)


def the_company(api: ErpNextApi, wanted: str) -> Row:
    """The company of the settings, or the only one there is."""
    filters = [["name", "=", wanted]] if wanted else []
    found = api.rows("Company", ["default_currency"], filters, limit=2)
    if len(found) != 1:
        words_ = (
            say("ERPNext has no company %(name)s.", name=wanted)
            if wanted
            else say("Name the company: ERPNext has several.")
        )
        raise Misconfigured(words_, code="unknown_company")
    return found[0]


def the_sale(api: ErpNextApi, config: Any, reference: str, *more: str) -> Row | None:
    """The submitted sale of this reference, else a draft, else a cancelled one that was not amended."""
    filters = [[config.reference_field, "=", reference]]
    found = heads(api.rows("Sales Order", [*SALE, *more], filters, order="creation asc", limit=50))
    ranks = {SUBMITTED: 0, DRAFT: 1, CANCELLED: 2}
    return min(found, key=lambda sale: ranks.get(sale["docstatus"], 3), default=None)


def heads(sales: Sequence[Row]) -> list[Row]:
    """The sales that were not amended, each with the name that the ``first`` of its line had: by that one it is known."""
    before = {row["name"]: row["amended_from"] for row in sales}
    amended = set(before.values())
    found = []
    for row in sales:
        first = row["name"]
        for _ in sales:  # no more steps than there are, should they ever go round in a circle
            first = before[first] if before[first] in before else first
        if row["name"] not in amended:
            found.append({**row, "first": first})
    return found


def first_of(sale: Row) -> str:
    """The name by which a sale is known, whatever it was amended to since."""
    return fields.identifier(sale, "first", required=False) or fields.identifier(sale, "name")


def written(config: Any, sale: Row, *, was_there: bool, unfinished: bool = False) -> Written:
    name = fields.identifier(sale, "name")
    return Written(
        external_id=first_of(sale),
        number=name,
        vendor_status=fields.words(sale, "status"),
        url=f"{config.url.rstrip('/')}/app/sales-order/{quote(name, safe='')}",
        was_there=was_there,
        unfinished=unfinished,
    )


def _agrees(sale: Row, command: WriteSale) -> bool:
    return fields.amount(sale, "grand_total") == command.total and _tax_agrees(sale, command)


def _tax_agrees(sale: Row, command: WriteSale) -> bool:
    difference = fields.amount(sale, "total_taxes_and_charges", Decimal(0)) - command.total_tax
    return abs(difference) <= max(TOLERANCE, PER_LINE * len(command.lines))


def _disagree(name: str, sale: Row, stated: Decimal, currency: str) -> Rejected:
    theirs = Money(fields.amount(sale, name), currency)
    if name == "grand_total":
        words_ = say("ERPNext comes to %(erp)s, the order says %(order)s.", erp=theirs, order=Money(stated, currency))
        return Rejected(words_, code="totals_disagree")
    words_ = say(
        "ERPNext comes to %(erp)s of tax, the order says %(order)s.", erp=theirs, order=Money(stated, currency)
    )
    return Rejected(words_, code="totals_disagree")
