"""Bring one order into Tryton as one confirmed sale, whatever breaks in between.

``(web_shop, web_id)`` is unique in Tryton's database: a second create is refused, so after every refusal it is looked up
again, and after a silence the next try begins with looking.  ``confirm`` there is two commits; a sale found between them is pushed on with ``process``.

The invoice method is "order": one order, one invoice.  With "fulfillment" a service line such as shipping would be
billed at once in an invoice of its own, and the customer has paid the whole order in one sum.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from integration_hub.kernel.errors import Misconfigured, Rejected, RetryLater
from integration_hub.kernel.messages import Address, WriteSale
from integration_hub.kernel.text import say

from ._tryton_basket import Basket, disagreement, lines
from ._tryton_records import Records
from ._tryton_rest import Rest, Row, day

FIELDS = ("number", "state", "total_amount", "lines.id")
NEXT_BUTTON = {"draft": "quote", "quotation": "confirm", "confirmed": "process"}


def named(reference: str, shop: int) -> list[list[object]]:
    """The search for the one sale of this reference."""
    return [["web_shop", "=", shop], ["web_id", "=", reference]]


@dataclass
class SaleWriter:
    """Writes one command.  ``codes`` are the service products for shipping, fee, discount and rounding."""

    rest: Rest
    records: Records
    codes: Mapping[str, str]
    command: WriteSale

    def find(self) -> Row | None:
        """The sale of this command as it stands, if there is one."""
        self.records.company  # noqa: B018  sets the context of the search
        found = self.rest.search("sale.sale", named(self.command.reference, self.records.shop["id"]), FIELDS)
        return found[0] if found else None

    def write(self, *, confirm: bool) -> tuple[Row, bool]:
        """The sale, through to processing where ``confirm``; and whether it had been there.  Raises the hub's errors."""
        sale = self.find()
        was_there = sale is not None
        if sale is None or sale["state"] == "draft":
            sale = self._drafted(sale)
        return (self._pushed(sale) if confirm else sale), was_there

    def _drafted(self, sale: Row | None) -> Row:
        """The draft with the right content and total.  Raises Rejected where Tryton insists on another total."""
        basket, values = self._basket(), self._values()
        sale = self._stored(sale, values, basket)
        if self.off(sale):
            sale = self._stored(sale, values, basket.balanced(sale["total_amount"]))
        if self.off(sale):
            raise disagreement(self.command.total, sale["total_amount"], self.command.currency)
        return sale

    def off(self, sale: Row) -> bool:
        """Whether it is a draft that comes to another total than the command's."""
        return bool(sale["state"] == "draft" and sale["total_amount"] != self.command.total)

    def _basket(self) -> Basket:
        """The lines with the correction that Tryton's way of rounding will need."""
        command, codes = self.command, self.codes
        catalogue = self.records.catalogue(command.lines, sorted(set(codes.values())), self._date())
        made = lines(command.lines, catalogue, codes, gross=command.prices_include_tax)
        basket = Basket(tuple(made), catalogue.product(code=codes["rounding"]), command.total, command.currency)
        return basket.balanced(basket.reckoned())

    def _stored(self, sale: Row | None, values: Row, basket: Basket) -> Row:
        """Created, or where it is there as a draft, brought to this content; as it stands then."""
        change: list[Any] = [["create", basket.values()]]
        try:
            if sale is None:
                self.rest.create("sale.sale", values | {"lines": change})
            else:
                old = [line["id"] for line in sale["lines"]]
                self.rest.write("sale.sale", sale["id"], values | {"lines": [["delete", old], *change]})
        except Rejected:
            found = self.find()
            if found is None or (sale is not None and found["state"] == sale["state"]):
                raise
            return found
        return self._seen()

    def _values(self) -> Row:
        command, records = self.command, self.records
        party = records.party(command)
        billing, shipping = command.billing, command.shipping
        invoice = records.address(party, billing if billing != Address() else shipping)
        values: Row = {
            "web_shop": records.shop["id"],
            "web_id": command.reference,
            "reference": command.number,
            "sale_date": day(self._date()),
            "party": party["id"],
            "invoice_address": invoice,
            "shipment_address": records.address(party, shipping) if shipping != Address() else invoice,
            "currency": records.currency(command.currency),
            "comment": command.note or None,
            "invoice_method": "order",
            "shipment_method": "order",
        }
        return values | ({"warehouse": records.warehouse} if records.warehouse else {})

    def _date(self) -> date:
        """The day of the order at the company's place: it decides about the tax."""
        name = self.records.company["timezone"] or "UTC"
        try:
            return self.command.placed_at.astimezone(ZoneInfo(name)).date()
        except ZoneInfoNotFoundError:
            raise Misconfigured(say("The time zone %(zone)s is not known here.", zone=name), code="time_zone") from None

    def _seen(self) -> Row:
        found = self.find()
        if found is None:
            raise RetryLater(say("The sale is not there any more."), code="gone_meanwhile")
        return found

    def _pushed(self, sale: Row) -> Row:
        """Buttons until it is processed.  Its lines are fixed from quotation on, so the total is proved there."""
        for _ in NEXT_BUTTON:
            if sale["state"] not in NEXT_BUTTON:
                return sale
            if sale["state"] == "quotation" and sale["total_amount"] != self.command.total:
                self._press(sale, "draft")
                raise RetryLater(say("The sale was changed while it was being written."), code="changed_meanwhile")
            sale = self._press(sale, NEXT_BUTTON[sale["state"]])
        return sale

    def _press(self, sale: Row, button: str) -> Row:
        """After a click; a refusal does not matter where somebody else has moved the sale on."""
        try:
            self.rest.press("sale.sale", sale["id"], button)
        except Rejected:
            now = self._seen()
            if now["state"] == sale["state"]:
                raise
            return now
        return self._seen()
