"""The merchant's own system: reports orders over our API in the JSON that docs/api.md describes; nothing goes back.

What arrived was checked field by field at the door, for the sender's sake.  Here it is read once more, strictly, since a
message is data whoever stored it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, ClassVar

from integration_hub.kernel import codec
from integration_hub.kernel import fields as read
from integration_hub.kernel.errors import unreadable
from integration_hub.kernel.fields import Object
from integration_hub.kernel.messages import (
    Address,
    Buyer,
    Ignored,
    OrderReport,
    Report,
    ReportedLine,
    StatedPayment,
    TaxPart,
)
from integration_hub.kernel.states import LineKind, OrderStage
from integration_hub.kernel.text import mark, say

from . import _report_values as values
from ._report_special import special_case
from .base import Connector, Delivery, Finding, Role, option

TOPIC, SPECIAL_TOPIC = "order.reported", "after_sale.reported"
MAX_NOTE = 5000


@dataclass(frozen=True, kw_only=True)
class ReportConfig:
    """Nothing is needed to be reported to; the sender has an API token."""

    note: str = option(say("What reports here"), default="", help=say("For people, for example: B2B portal, Ms Weber"))


class OwnSystem(Connector):
    """A system that reports its orders over our API."""

    code: ClassVar[str] = "report"
    label: ClassVar[str] = mark("Own system (API)")
    roles: ClassVar[frozenset[Role]] = frozenset({Role.SHOP})
    cannot: ClassVar[tuple[Any, ...]] = (
        say("It reports orders itself, with an API token; the hub neither polls it nor writes to it."),
        say("What became of an order is asked over the API: the event, the order, its shipments."),
    )
    Config = ReportConfig

    def parse(self, delivery: Delivery) -> Sequence[Report]:
        if delivery.topic == SPECIAL_TOPIC:
            return (special_case(codec.load_object(delivery.body)),)
        if delivery.topic != TOPIC:
            return (Ignored(reason=say("topic %(topic)s means nothing to the hub", topic=delivery.topic or "?")),)
        return (_order(codec.load_object(delivery.body)),)

    def check(self) -> Sequence[Finding]:
        return (Finding(True, say("There is nothing to reach: this system reports to the hub with an API token.")),)


def _order(body: Object) -> OrderReport:
    shipping = read.child(body, "shipping")
    return OrderReport(
        external_id=read.identifier(body, "id"),
        number=read.identifier(body, "number"),
        stage=values.word(OrderStage, body, "stage"),
        vendor_status=read.words(body, "status", 60),
        placed_at=values.moment(body, "placed_at"),
        updated_at=values.moment(body, "updated_at"),
        currency=read.currency(body, "currency"),
        prices_include_tax=read.flag(body, "prices_include_tax"),
        total=values.amount(body, "total"),
        total_tax=values.amount(body, "total_tax"),
        refunded=values.not_negative(body, "refunded"),
        lines=read.sound_lines(map(_line, read.children(body, "lines"))),
        buyer=_buyer(read.child(body, "buyer")),
        billing=_address(read.child(body, "billing")),
        shipping=_address(shipping) if shipping else None,
        payment=_payment(read.child(body, "payment")),
        note=read.words(body, "note", MAX_NOTE),
        is_test=read.flag(body, "test"),
    )


def _line(line: Object) -> ReportedLine:
    net, tax = values.amount(line, "net"), values.amount(line, "tax")
    taxes = tuple(map(_tax, read.children(line, "taxes")))
    if taxes and sum(part.amount for part in taxes) != tax:
        raise unreadable("taxes of a line do not add up to its tax")
    return ReportedLine(
        external_id=read.identifier(line, "id"),
        kind=values.word(LineKind, line, "kind") if line.get("kind") else LineKind.ITEM,
        title=read.words(line, "title"),
        quantity=read.quantity({"quantity": values.amount(line, "quantity")}, "quantity"),
        unit_price=values.amount(line, "unit_price"),
        discount=values.not_negative(line, "discount"),
        net=net,
        tax=tax,
        gross=net + tax,
        taxes=taxes,
        sku=read.identifier(line, "sku", required=False),
        gtin=read.identifier(line, "gtin", required=False),
        product_id=read.identifier(line, "product_id", required=False),
    )


def _tax(part: Object) -> TaxPart:
    rate = values.not_negative(part, "rate")
    if rate > 1:
        raise unreadable("rate is a fraction: 0.19 for 19 percent")
    return TaxPart(rate=rate, amount=values.amount(part, "amount"), title=read.words(part, "title", 80))


def _buyer(buyer: Object) -> Buyer:
    return Buyer(
        external_id=read.identifier(buyer, "id", required=False),
        **{name: read.words(buyer, name) for name in ("email", "name", "company", "phone", "vat_id")},
    )


def _address(address: Object) -> Address:
    said = {item.name: read.words(address, item.name) for item in fields(Address) if item.name != "country"}
    return Address(country=read.country(address, "country"), **said)


def _payment(payment: Object) -> StatedPayment:
    return StatedPayment(
        method=read.words(payment, "method", 120),
        title=read.words(payment, "title", 120),
        paid=read.flag(payment, "paid"),
        paid_at=values.moment(payment, "paid_at") if payment.get("paid_at") else None,
        transaction_id=read.words(payment, "transaction_id", 120),
    )
