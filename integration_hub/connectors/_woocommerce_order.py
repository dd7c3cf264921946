"""WooCommerce's order object (REST ``wc/v3``) into an OrderReport.  Pure translation.

Line ``subtotal`` and ``total`` are always net, whatever ``prices_include_tax`` says; the tax stands beside them.
``price`` is a float and is never read.  Trouble of shape is Rejected; trouble of business (no lines, a negative
quantity, sums that differ) is reported as stated, for the hub's own checks to show.
"""

from __future__ import annotations

import html
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from integration_hub.kernel import fields
from integration_hub.kernel.errors import unreadable
from integration_hub.kernel.fields import Object
from integration_hub.kernel.messages import Address, Buyer, OrderReport, ReportedLine, StatedPayment
from integration_hub.kernel.money import minor_digits
from integration_hub.kernel.states import LineKind, OrderStage

from ._woocommerce_tax import TaxTable

ZERO = Decimal(0)

STAGES = {
    "completed": OrderStage.COMPLETED,
    "cancelled": OrderStage.CANCELLED,
    "failed": OrderStage.CANCELLED,
    "refunded": OrderStage.REFUNDED,
    "trash": OrderStage.GONE,
}
UNFINISHED = frozenset({"checkout-draft", "auto-draft", "draft", "new"})  # a checkout that is still being filled in
VAT_ID_KEYS = frozenset(
    {"_billing_vat_id", "billing_vat_id", "_billing_vat_number", "billing_vat_number", "_vat_number", "vat_number"}
)


def status_of(raw: Object) -> str:
    """The order's status without the prefix that the database has."""
    return fields.words(raw, "status").removeprefix("wc-")


def stage_of(status: str, ready: Iterable[str]) -> OrderStage:
    """Our stage; a status of a plugin that nobody named is one that waits."""
    if status in STAGES:
        return STAGES[status]
    return OrderStage.READY if status in {word.removeprefix("wc-") for word in ready} else OrderStage.PENDING


def order_report(raw: Object, ready: Iterable[str]) -> OrderReport:
    """The report of one order object; Rejected where it makes no sense."""
    order_id, status = fields.identifier(raw, "id"), status_of(raw)
    currency = fields.currency(raw, "currency")
    placed_at, updated_at = _times(raw)
    total = fields.amount(raw, "total")
    lines = _with_gift_cards(raw, _lines(raw, currency), total)
    return OrderReport(
        external_id=order_id,
        number=fields.identifier(raw, "number", required=False) or order_id,
        stage=stage_of(status, ready),
        vendor_status=status,
        placed_at=placed_at,
        updated_at=updated_at,
        currency=currency,
        prices_include_tax=fields.flag(raw, "prices_include_tax"),
        total=total,
        total_tax=fields.amount(raw, "total_tax", sum((line.tax for line in lines), ZERO)),
        lines=lines,
        buyer=_buyer(raw),
        billing=_address(fields.child(raw, "billing")),
        shipping=_shipping(raw),
        payment=_payment(raw),
        refunded=abs(sum((fields.amount(item, "total", ZERO) for item in fields.children(raw, "refunds")), ZERO)),
        note=html.unescape(fields.words(raw, "customer_note", 5000)),
    )


def _times(raw: Object) -> tuple[datetime, datetime]:
    placed, updated = fields.moment(raw, "date_created_gmt"), fields.moment(raw, "date_modified_gmt")
    first, last = placed or updated, updated or placed
    if first is None or last is None:
        raise unreadable("date_created_gmt and date_modified_gmt are missing")
    return first, last


def _lines(raw: Object, currency: str) -> tuple[ReportedLine, ...]:
    table, gross_prices = TaxTable(raw, currency), fields.flag(raw, "prices_include_tax")
    reader = _LineReader(table, gross_prices, currency)
    lines = [
        *(reader.item(line) for line in fields.children(raw, "line_items")),
        *(
            reader.single(line, LineKind.SHIPPING, "method_title", place)
            for place, line in enumerate(fields.children(raw, "shipping_lines"))
        ),
        *(
            reader.single(line, LineKind.FEE, "name", place)
            for place, line in enumerate(fields.children(raw, "fee_lines"))
        ),
    ]
    return fields.sound_lines(lines)


class _LineReader:
    """Reads the lines of one order."""

    def __init__(self, table: TaxTable, gross_prices: bool, currency: str) -> None:
        self.table = table
        self.gross_prices = gross_prices
        self.digits = minor_digits(currency)

    def item(self, raw: Object) -> ReportedLine:
        """A line of goods, before and after coupons."""
        net, tax = fields.amount(raw, "total", ZERO), fields.amount(raw, "total_tax", ZERO)
        quantity = fields.quantity(raw, "quantity")
        before, after = self._before(raw, net, tax), net + tax if self.gross_prices else net
        before = max(before, after) if after >= 0 else after
        return ReportedLine(
            external_id=fields.identifier(raw, "id"),
            kind=LineKind.ITEM,
            title=_plain(raw, "name"),
            quantity=quantity,
            unit_price=self._unit_price(before, quantity),
            discount=before - after,
            net=net,
            tax=tax,
            gross=net + tax,
            taxes=self.table.parts(raw, net, tax),
            sku=fields.identifier(raw, "sku", required=False),
            gtin=fields.identifier(raw, "global_unique_id", required=False),
            product_id=_product_id(raw),
        )

    def single(self, raw: Object, kind: LineKind, title: str, place: int) -> ReportedLine:
        """A shipping or fee line: one piece; a fee may be negative."""
        net, tax = fields.amount(raw, "total", ZERO), fields.amount(raw, "total_tax", ZERO)
        return ReportedLine(
            external_id=fields.identifier(raw, "id", required=False) or f"{kind.lower()}:{place}",
            kind=kind,
            title=_plain(raw, title),
            quantity=Decimal(1),
            unit_price=net + tax if self.gross_prices else net,
            net=net,
            tax=tax,
            gross=net + tax,
            taxes=self.table.parts(raw, net, tax),
        )

    def _before(self, raw: Object, net: Decimal, tax: Decimal) -> Decimal:
        """The line before coupons, in the order's pricing."""
        subtotal = fields.amount(raw, "subtotal", net)
        if not self.gross_prices:
            return subtotal
        return subtotal + fields.amount(raw, "subtotal_tax", tax)

    def _unit_price(self, before: Decimal, quantity: Decimal) -> Decimal:
        """The price with the fewest digits that gives the line exactly; where none does, eight come close."""
        if not quantity:
            return before
        for digits in (self.digits, 4):
            price = round(before / quantity, digits)
            if price * quantity == before:
                return price
        return round(before / quantity, 8)


def _product_id(raw: Object) -> str:
    return fields.identifier(raw, "variation_id", required=False) or fields.identifier(
        raw, "product_id", required=False
    )


def _with_gift_cards(raw: Object, lines: tuple[ReportedLine, ...], total: Decimal) -> tuple[ReportedLine, ...]:
    """Cards of the gift card plugin have already reduced the total, so they are lines with a negative amount."""
    if sum((line.gross for line in lines), ZERO) == total:
        return lines
    cards = [
        _gift_card(card, place)
        for place, card in enumerate(fields.children(raw, "gift_cards"))
        if fields.amount(card, "amount", ZERO)
    ]
    return (*lines, *cards)


def _gift_card(card: Object, place: int) -> ReportedLine:
    taken = -abs(fields.amount(card, "amount"))
    return ReportedLine(
        external_id=f"gift_card:{fields.identifier(card, 'id', required=False) or place}:{place}",
        kind=LineKind.FEE,
        title=f"Gift card …{fields.words(card, 'code')[-4:]}",  # the whole code is worth money
        quantity=Decimal(1),
        unit_price=taken,
        net=taken,
        tax=ZERO,
        gross=taken,
    )


def _plain(raw: Object, name: str) -> str:
    return html.unescape(fields.words(raw, name)).replace("\x00", "").strip()


def _address(raw: Object) -> Address:
    return Address(
        name=f"{_plain(raw, 'first_name')} {_plain(raw, 'last_name')}".strip(),
        company=_plain(raw, "company"),
        street=_plain(raw, "address_1"),
        street2=_plain(raw, "address_2"),
        postal_code=_plain(raw, "postcode"),
        city=_plain(raw, "city"),
        region=_plain(raw, "state"),
        country=fields.country(raw, "country"),
        email=fields.words(raw, "email"),
        phone=fields.words(raw, "phone"),
    )


def _shipping(raw: Object) -> Address | None:
    address = _address(fields.child(raw, "shipping"))
    return None if address == Address() else address


def _buyer(raw: Object) -> Buyer:
    billing = fields.child(raw, "billing")
    address = _address(billing)
    return Buyer(
        external_id=fields.identifier(raw, "customer_id", required=False),
        email=address.email,
        name=address.name,
        company=address.company,
        phone=address.phone,
        vat_id=fields.words(billing, "vat_id") or _vat_id_in_meta(raw),
    )


def _vat_id_in_meta(raw: Object) -> str:
    """Plugins write what they like into ``meta_data``, so nothing in there is held against an order."""
    found = raw.get("meta_data")
    for item in found if isinstance(found, list) else ():
        if isinstance(item, dict) and str(item.get("key")) in VAT_ID_KEYS and isinstance(item.get("value"), str):
            return fields.words(item, "value")
    return ""


def _payment(raw: Object) -> StatedPayment:
    paid_at = fields.moment(raw, "date_paid_gmt")
    return StatedPayment(
        method=fields.words(raw, "payment_method"),
        title=_plain(raw, "payment_method_title"),
        paid=paid_at is not None or bool(fields.words(raw, "date_paid")),
        paid_at=paid_at,
        transaction_id=fields.words(raw, "transaction_id"),
    )
