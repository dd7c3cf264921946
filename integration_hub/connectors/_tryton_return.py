"""Bring a return into Tryton: a sale of negative quantities whose origin is the sale it belongs to.

``(web_shop, web_id)`` is unique, so there is one for ever.  Tryton makes the return shipment of it; ``receive`` and ``do``
book the goods in, or into the lost-and-found of the warehouse where they are not to be sold again.  No credit note is
made (invoice method ``manual``): that is for the documents.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from integration_hub.kernel.aftersales import GoodsLine, WriteReturn
from integration_hub.kernel.errors import Misconfigured, Rejected, RetryLater
from integration_hub.kernel.messages import Written
from integration_hub.kernel.text import say

from ._tryton_rest import Rest, Row, day, numeric
from ._tryton_rows import quantity

NEXT_BUTTON = {"draft": "quote", "quotation": "confirm", "confirmed": "process"}
_MOVE = ("product.id", "quantity", "state", "to_location.id")
FIELDS = ("number", "state", "shipment_returns.state", *(f"shipment_returns.inventory_moves.{name}" for name in _MOVE))
_LINE = ("type", "product.id", "product.code", "product.type", "quantity", "unit.id", "unit_price", "base_price")
_SALE = ("party.id", "invoice_address.id", "shipment_address.id", "currency.id", "payment_term.id", "warehouse.id")
ORIGINAL = (*_SALE, "number", "sale_date", *(f"lines.{name}" for name in _LINE), "lines.taxes.id", "lines.description")


@dataclass
class Returner:
    """Writes one return."""

    rest: Rest
    shop: int
    command: WriteReturn

    def find(self) -> Written | None:
        """The return, if it is as far as it shall be."""
        found = self._return()
        return self._written(found, was_there=True) if found and self._through(found) else None

    def write(self) -> Written:
        """The return, announced or booked in.  Raises Rejected for what was not in the sale."""
        found = self._return()
        was_there = found is not None
        if found is None:
            found = self._created()
        for _ in NEXT_BUTTON:
            if found["state"] not in NEXT_BUTTON:
                break
            found = self._press("sale.sale", found["id"], NEXT_BUTTON[found["state"]])
        if found["state"] == "cancelled":
            raise Rejected(say("The return was cancelled in Tryton."), code="return_cancelled")
        if self.command.received:
            found = self._booked_in(found)
        return self._written(found, was_there=was_there)

    def _through(self, found: Row) -> bool:
        booked = all(shipment["state"] == "done" for shipment in found["shipment_returns"])
        return found["state"] in ("processing", "done") and (booked or not self.command.received)

    def _return(self) -> Row | None:
        domain = [["web_shop", "=", self.shop], ["web_id", "=", self.command.reference]]
        found = self.rest.search("sale.sale", domain, FIELDS)
        return found[0] if found else None

    def _again(self) -> Row:
        found = self._return()
        if found is None:
            raise RetryLater(say("The record is not there any more."), code="gone_meanwhile")
        return found

    def _press(self, model: str, record: int, button: str) -> Row:
        """After a click; a refusal does not matter where somebody else has moved the return on."""
        before = self._again()
        try:
            self.rest.press(model, record, button)
        except Rejected:
            now = self._again()
            if now == before:
                raise
            return now
        return self._again()

    def _created(self) -> Row:
        values = self._values()
        try:
            self.rest.create("sale.sale", values)
        except Rejected:
            found = self._return()
            if found is None:
                raise
            return found
        return self._again()

    def _values(self) -> Row:
        domain = [["web_shop", "=", self.shop], ["web_id", "=", self.command.sale_reference]]
        found = self.rest.search("sale.sale", domain, ORIGINAL)
        if not found:
            raise Rejected(say("The sale is gone from Tryton."), code="sale_gone")
        sale = found[0]
        kept = {name.partition(".")[0]: (sale[name.partition(".")[0]] or {}).get("id") for name in _SALE}
        lines = [self._line(sale, wish) for wish in self.command.lines]
        return {
            **kept,
            "web_shop": self.shop,
            "web_id": self.command.reference,
            "origin": f"sale.sale,{sale['id']}",
            "reference": self.command.sale_number or sale["number"],
            "sale_date": day(self.rest.answered_at.date()) if self.rest.answered_at else None,
            "comment": self.command.reason or None,
            "invoice_method": "manual",
            "shipment_method": "order",
            "lines": [["create", lines]],
        }

    def _line(self, sale: Row, wish: GoodsLine) -> Row:
        """A line as it was sold, the other way round."""
        sold = [line for line in sale["lines"] if line["type"] == "line" and _means(wish, line["product"])]
        pieces = sum((quantity(line["quantity"], "quantity") for line in sold), Decimal(0))
        if not sold or wish.quantity > pieces:
            words = say("The sale in Tryton holds %(pieces)s of %(sku)s.", pieces=pieces, sku=wish.sku)
            raise Rejected(words, code="more_than_sold")
        line = sold[0]
        if line["product"]["type"] == "kit" and not wish.restock:
            words = say("The parts of the set %(sku)s must be written off in Tryton by hand.", sku=wish.sku)
            raise Rejected(words, code="set_written_off")
        return {
            "type": "line",
            "product": line["product"]["id"],
            "quantity": -wish.quantity,
            "unit": line["unit"]["id"],
            "unit_price": numeric(line["unit_price"]),
            "base_price": None if line["base_price"] is None else numeric(line["base_price"]),
            "taxes": [["add", [tax["id"] for tax in line["taxes"]]]],
            "description": line["description"],
        }

    def _booked_in(self, found: Row) -> Row:
        for shipment in found["shipment_returns"]:
            if shipment["state"] == "draft":
                found = self._press("stock.shipment.out.return", shipment["id"], "receive")
        self._write_off(found)
        for shipment in found["shipment_returns"]:
            if shipment["state"] == "received":
                found = self._press("stock.shipment.out.return", shipment["id"], "do")
        return found

    def _write_off(self, found: Row) -> None:
        """What is not to be sold again goes to the lost-and-found instead of the shelf."""
        wishes = [wish for wish in self.command.lines if not wish.restock]
        waiting = [shipment for shipment in found["shipment_returns"] if shipment["state"] == "received"]
        if not wishes or not waiting:
            return
        place = self._lost_and_found()
        moves = [move for shipment in waiting for move in shipment["inventory_moves"]]
        for wish in wishes:
            move = next((move for move in moves if _is(wish, move, self._product(wish))), None)
            if move is None:
                raise RetryLater(say("The return was changed in Tryton meanwhile."), code="changed_meanwhile")
            moves.remove(move)
            self.rest.write("stock.move", move["id"], {"to_location": place})

    def _product(self, wish: GoodsLine) -> int:
        if wish.product_id:
            return int(wish.product_id)
        found = self.rest.search("product.product", [["code", "=", wish.sku]], ["id"], inactive=True)
        return int(found[0]["id"]) if found else 0

    def _lost_and_found(self) -> int:
        domain = [["web_shop", "=", self.shop], ["web_id", "=", self.command.reference]]
        found = self.rest.search("sale.sale", domain, ["warehouse.lost_found_location.id"])
        place = (found[0]["warehouse"] or {}).get("lost_found_location") if found else None
        if not place:
            raise Misconfigured(say("The warehouse in Tryton has no lost-and-found location."), code="no_lost_found")
        return int(place["id"])

    def _written(self, found: Row, *, was_there: bool) -> Written:
        states = sorted({shipment["state"] for shipment in found["shipment_returns"]})
        return Written(
            external_id=str(found["id"]),
            number=found["number"] or "",
            vendor_status=" / ".join([found["state"], *states]),
            was_there=was_there,
        )


def _means(wish: GoodsLine, product: Row | None) -> bool:
    if product is None:
        return False
    return str(product["id"]) == wish.product_id if wish.product_id else product["code"] == wish.sku


def _is(wish: GoodsLine, move: Row, product: int) -> bool:
    return bool(move["product"]["id"] == product and quantity(move["quantity"], "quantity") == wish.quantity)
