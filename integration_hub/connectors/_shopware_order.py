"""Shopware's order entity (Admin API, plain JSON) into an OrderReport.  Pure translation."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal

from integration_hub.kernel import fields
from integration_hub.kernel.errors import unreadable
from integration_hub.kernel.fields import Object
from integration_hub.kernel.messages import Address, Buyer, Listed, OrderReport, StatedPayment

from ._shopware_api import safe_id
from ._shopware_config import ShopwareConfig
from ._shopware_lines import GROSS, TAX_FREE, ZERO, number, order_lines, tax_status, taxes_of, translated
from ._shopware_states import PAID, delivery_of, method_of, payment_of, stage_of, state_of, status_of

_CHILDREN = ("transactions", "deliveries", "lineItems", "addresses")
_GONE_BACK = "completed"
# where the plugins of payment providers keep the id that the provider knows
_PAYMENT_IDS = (("swag_paypal_resource_id",), ("mollie_payments", "payment_id"), ("mollie_payments", "order_id"))


def order_report(raw: Object, config: ShopwareConfig) -> OrderReport:
    """The report of one order; Rejected where it makes no sense."""
    currency = _currency(raw)
    lines = order_lines(raw, currency)
    status = tax_status(raw)
    return OrderReport(
        external_id=safe_id(fields.identifier(raw, "id")),
        number=fields.identifier(raw, "orderNumber"),
        stage=stage_of(raw, config.ready_states, config.ready_methods),
        vendor_status="/".join(status_of(raw))[:60],
        placed_at=_placed_at(raw),
        updated_at=_updated_at(raw),
        currency=currency,
        prices_include_tax=status == GROSS,
        total=_total(raw),
        total_tax=ZERO if status == TAX_FREE else sum((tax for tax, _ in _taxes(raw)), ZERO),
        lines=lines,
        buyer=_buyer(raw),
        billing=_billing(raw),
        shipping=_shipping(raw),
        payment=_payment(raw),
        refunded=_refunded(raw),
        note=fields.words(raw, "customerComment", 5000),
    )


def listed(raw: Object) -> Listed:
    """The order as one line of a list."""
    return Listed(
        external_id=safe_id(fields.identifier(raw, "id")),
        number=fields.identifier(raw, "orderNumber"),
        total=_total(raw),
        currency=_currency(raw),
        live=state_of(raw) != "cancelled",
        updated_at=_updated_at(raw),
    )


def _currency(raw: Object) -> str:
    return fields.currency(fields.child(raw, "currency"), "isoCode")


def _total(raw: Object) -> Decimal:
    """What the customer owes.  With net prices, too, ``amountTotal`` holds the tax."""
    price = fields.child(raw, "price")
    return number(raw, "amountTotal") if "amountTotal" in raw else number(price, "totalPrice")


def _taxes(raw: Object) -> Iterator[tuple[Decimal, Decimal]]:
    yield from taxes_of(fields.child(raw, "price")).values()


def _placed_at(raw: Object) -> datetime:
    found = fields.moment(raw, "orderDateTime") or fields.moment(raw, "createdAt")
    if found is None:
        raise unreadable("orderDateTime and createdAt are missing")
    return found


def _updated_at(raw: Object) -> datetime:
    """The latest change of the order or of its parts: a payment or a delivery does not touch the order itself."""
    rows = [raw, *(row for name in _CHILDREN for row in fields.children(raw, name))]
    found = [fields.moment(row, name) for row in rows for name in ("createdAt", "updatedAt")]
    return max((moment for moment in found if moment is not None), default=_placed_at(raw))


def _address(raw: Object) -> Address:
    lines = [fields.words(raw, f"additionalAddressLine{place}") for place in (1, 2)]
    return Address(
        name=f"{fields.words(raw, 'firstName')} {fields.words(raw, 'lastName')}".strip(),
        company=" ".join(filter(None, (fields.words(raw, "company"), fields.words(raw, "department")))),
        street=fields.words(raw, "street"),
        street2=", ".join(filter(None, lines)),
        postal_code=fields.words(raw, "zipcode"),
        city=fields.words(raw, "city"),
        region=translated(fields.child(raw, "countryState"), "name"),
        country=fields.country(fields.child(raw, "country"), "iso"),
        phone=fields.words(raw, "phoneNumber"),
    )


def _billing(raw: Object) -> Address:
    return _address(fields.child(raw, "billingAddress"))


def _shipping(raw: Object) -> Address | None:
    address = _address(fields.child(delivery_of(raw), "shippingOrderAddress"))
    return None if address == Address() else address


def _buyer(raw: Object) -> Buyer:
    person, billing = fields.child(raw, "orderCustomer"), _billing(raw)
    is_guest = fields.flag(fields.child(person, "customer"), "guest")
    return Buyer(
        external_id="" if is_guest else fields.identifier(person, "customerId", required=False),
        email=fields.words(person, "email"),
        name=f"{fields.words(person, 'firstName')} {fields.words(person, 'lastName')}".strip(),
        company=fields.words(person, "company") or billing.company,
        phone=billing.phone,
        vat_id=next(iter(fields.texts(person, "vatIds")), ""),
    )


def _payment(raw: Object) -> StatedPayment:
    payment = payment_of(raw)
    return StatedPayment(
        method=method_of(payment),
        title=translated(fields.child(payment, "paymentMethod"), "name"),
        paid=state_of(payment) in PAID,
        transaction_id=_transaction_id(payment),
    )


def _transaction_id(payment: Object) -> str:
    """The provider's id, as far as the capture or the provider's plugin keeps one."""
    for capture in fields.children(payment, "captures"):
        if stated := fields.words(capture, "externalReference", 100):
            return stated
    for *way, name in _PAYMENT_IDS:
        place = fields.child(payment, "customFields")
        for step in way:
            place = fields.child(place, step)
        if stated := fields.words(place, name, 100):
            return stated
    return ""


def _refunded(raw: Object) -> Decimal:
    """The refunds that Shopware knows of; else all of a payment whose state says that it went back."""
    payment = payment_of(raw)
    refunds = [
        abs(number(fields.child(refund, "amount"), "totalPrice"))
        for capture in fields.children(payment, "captures")
        for refund in fields.children(capture, "refunds")
        if state_of(refund) == _GONE_BACK
    ]
    if not refunds and state_of(payment) == "refunded":
        return abs(number(fields.child(payment, "amount"), "totalPrice", ZERO))
    return sum(refunds, ZERO)
