"""Shopify's order into an OrderReport.  Pure translation of the REST shape, which webhooks have.

GraphQL nodes are brought into the same shape first (``_shopify_graphql.rest_shape``), so both give equal reports.
Amounts are those of the shop's currency throughout (``shop_money``), as placed: the ``current_*`` fields shrink with
refunds and are never read.  Gift cards as a means of payment do not reduce the total; as a product they are a line.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from integration_hub.kernel import fields
from integration_hub.kernel.errors import unreadable
from integration_hub.kernel.fields import Object
from integration_hub.kernel.messages import Address, Buyer, OrderReport, StatedPayment
from integration_hub.kernel.states import OrderStage

from ._shopify_lines import ZERO, lines_of, shop_amount

STAGES = {
    "refunded": OrderStage.REFUNDED,
    "voided": OrderStage.CANCELLED,
}
PAID = frozenset({"paid", "partially_refunded", "refunded"})
VOUCHERS = frozenset({"gift_card", "shopify_store_credit"})
TOLD_CANCELLED = "Cancelled in the ERP:"  # how the line begins that tell_cancelled adds to the note
TOLD = "[hub "  # what every other line of ours carries
VAT_ID_NAMES = frozenset({"vat_id", "vat id", "vat_number", "vat number", "ust-idnr", "ust-idnr.", "ustid"})


def order_report(raw: Object, ready: Iterable[str], *, is_test: bool = False) -> OrderReport:
    """The report of one order in the REST shape; Rejected where it makes no sense."""
    order_id = fields.identifier(raw, "id")
    total = shop_amount(raw, "total_price")
    lines = lines_of(raw, total)
    placed = fields.moment(raw, "processed_at") or fields.moment(raw, "created_at")
    updated = fields.moment(raw, "updated_at") or placed
    if placed is None or updated is None:
        raise unreadable("created_at is missing")
    return OrderReport(
        external_id=order_id,
        number=fields.identifier(raw, "name", required=False) or order_id,
        stage=stage_of(raw, ready),
        vendor_status=vendor_status(raw),
        placed_at=placed,
        updated_at=updated,
        currency=fields.currency(raw, "currency"),
        prices_include_tax=fields.flag(raw, "taxes_included"),
        total=total,
        total_tax=shop_amount(raw, "total_tax", sum((line.tax for line in lines), ZERO)),
        lines=lines,
        buyer=_buyer(raw),
        billing=_address(fields.child(raw, "billing_address"), _email(raw)),
        shipping=_shipping(raw),
        payment=_payment(raw),
        refunded=_refunded(raw),
        note=_buyers_words(fields.words(raw, "note", 5000)),
        is_test=is_test or fields.flag(raw, "test"),
    )


def _buyers_words(note: str) -> str:
    """The note without what the hub wrote behind it: our own words are no change of the order."""
    ours = (TOLD_CANCELLED, TOLD)
    return "\n".join(line for line in note.splitlines() if not any(mark in line for mark in ours)).strip()


def stage_of(raw: Object, ready: Iterable[str]) -> OrderStage:
    """Cancelled wins over everything, then returned money, then fulfilment, then payment."""
    financial = fields.words(raw, "financial_status").lower()
    if fields.words(raw, "cancelled_at"):
        return OrderStage.CANCELLED
    if financial in STAGES:
        return STAGES[financial]
    if fields.words(raw, "fulfillment_status").lower() == "fulfilled":
        return OrderStage.COMPLETED
    return OrderStage.READY if financial in set(ready) else OrderStage.PENDING


def vendor_status(raw: Object) -> str:
    """Shopify has no single word: payment/fulfilment, and before them whether it is cancelled."""
    words = [
        "cancelled" if fields.words(raw, "cancelled_at") else "",
        fields.words(raw, "financial_status", 40).lower() or "unpaid",
        fields.words(raw, "fulfillment_status", 40).lower() or "unfulfilled",
    ]
    return "/".join(filter(None, words))


def _email(raw: Object) -> str:
    customer = fields.child(raw, "customer")
    return fields.words(raw, "email") or fields.words(raw, "contact_email") or fields.words(customer, "email")


def _buyer(raw: Object) -> Buyer:
    customer, billing = fields.child(raw, "customer"), fields.child(raw, "billing_address")
    name = f"{fields.words(customer, 'first_name')} {fields.words(customer, 'last_name')}".strip()
    return Buyer(
        external_id=fields.identifier(customer, "id", required=False),
        email=_email(raw),
        name=name or _address(billing).name,
        company=fields.words(billing, "company"),
        phone=fields.words(raw, "phone") or fields.words(customer, "phone") or fields.words(billing, "phone"),
        vat_id=_vat_id(raw),
    )


def _vat_id(raw: Object) -> str:
    for item in fields.children(raw, "note_attributes"):
        if fields.words(item, "name").lower() in VAT_ID_NAMES:
            return fields.words(item, "value")
    return ""


def _address(raw: Object, email: str = "") -> Address:
    parts = f"{fields.words(raw, 'first_name')} {fields.words(raw, 'last_name')}".strip()
    return Address(
        name=fields.words(raw, "name") or parts,
        company=fields.words(raw, "company"),
        street=fields.words(raw, "address1"),
        street2=fields.words(raw, "address2"),
        postal_code=fields.words(raw, "zip"),
        city=fields.words(raw, "city"),
        region=fields.words(raw, "province"),
        country=fields.country(raw, "country_code"),
        email=email if raw else "",
        phone=fields.words(raw, "phone"),
    )


def _shipping(raw: Object) -> Address | None:
    address = _address(fields.child(raw, "shipping_address"))
    return None if address == Address() else address


def _payment(raw: Object) -> StatedPayment:
    gateways = fields.texts(raw, "payment_gateway_names")
    real = [name for name in gateways if name not in VOUCHERS]
    return StatedPayment(
        method=next(iter(real or gateways), ""),
        title=", ".join(gateways)[: fields.MAX_WORDS],
        paid=fields.words(raw, "financial_status").lower() in PAID,
    )


def _refunded(raw: Object) -> Decimal:
    """Money that went back.  A refund has no amount of its own: its successful transactions have."""
    if raw.get("total_refunded") is not None:
        return fields.amount(raw, "total_refunded")
    currency = fields.words(raw, "currency")
    return sum((money_back(refund, raw, currency) for refund in fields.children(raw, "refunds")), ZERO)


def money_back(refund: Object, raw: Object, currency: str) -> Decimal:
    """What went back with a refund, in the shop's currency."""
    sent = [
        item
        for item in fields.children(refund, "transactions")
        if item.get("kind") == "refund" and item.get("status") == "success"
    ]
    if all((fields.words(item, "currency") or currency) == currency for item in sent):
        return sum((shop_amount(item, "amount") for item in sent), ZERO)
    return _goods_back(refund, fields.flag(raw, "taxes_included"))


def _goods_back(refund: Object, taxes_included: bool) -> Decimal:
    """Transactions are in the buyer's currency; goods and adjustments are stated in the shop's as well."""
    back = ZERO
    for line in fields.children(refund, "refund_line_items"):
        back += shop_amount(line, "subtotal", ZERO)
        back += ZERO if taxes_included else shop_amount(line, "total_tax", ZERO)
    for adjustment in fields.children(refund, "order_adjustments"):
        back -= shop_amount(adjustment, "amount", ZERO) + shop_amount(adjustment, "tax_amount", ZERO)
    return max(back, ZERO)
