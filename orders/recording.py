"""From a report to canonical rows: make or find the order, compare, replace what may still change."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django.db.models import F, ProtectedError

from customers import services as customers
from integration_hub.kernel import codec
from integration_hub.kernel.errors import Rejected
from integration_hub.kernel.messages import Address, OrderReport, ReportedLine
from integration_hub.kernel.money import Money, is_currency
from integration_hub.kernel.states import LineKind, OrderStage
from integration_hub.kernel.text import Text, say
from integration_hub.models import Connection
from inventory import services as inventory
from inventory.services import Named

from . import addresses
from .models import AddressRole, Order, OrderLine
from .states import OrderState, Payment

LARGEST = Decimal(10) ** 13
MOST = Decimal(10) ** 9
MOST_LINES = 2000
_FOUR = Decimal("0.0001")
ONLY_PLACE = say("address or note")
_STATED = [
    field.name
    for field in OrderLine._meta.concrete_fields
    if field.name not in ("id", "order", "external_id", "cancelled", "returned")
]


def digest(report: OrderReport) -> str:
    """A fingerprint of what the ERP would be told: lines, sums, addresses, buyer, note; not of statuses or wording.

    Webhook and poll word the same order differently (1.5 and 1.50, blanks, titles), so only the meaning counts.
    """
    said = [
        report.number,
        report.currency,
        report.prices_include_tax,
        _same(report.total),
        _same(report.total_tax),
        [_meaning(line) for line in report.lines],
        addresses.place(report.billing),
        addresses.place(report.shipping or Address()),
        [report.buyer.external_id, customers.normalised_email(report.buyer.email)],
        " ".join(report.note.split()),
    ]
    return hashlib.sha256(codec.canonical(said)).hexdigest()


def _same(amount: Decimal) -> str:
    return f"{amount.quantize(_FOUR).normalize():f}"


def _meaning(line: ReportedLine) -> list[str]:
    amounts = (line.quantity, line.net, line.tax)
    return [line.kind, inventory.normalised_sku(line.sku), line.product_id, *map(_same, amounts)]


def bounded(report: OrderReport) -> None:
    """Refuse what no order can hold, before a row is written."""
    if not report.external_id.strip() or not is_currency(report.currency):
        raise Rejected(say("An order needs an id and a currency of ISO 4217."), code="unreadable")
    amounts = [report.total, report.total_tax, report.refunded]
    amounts += [amount for line in report.lines for amount in (line.unit_price, line.net, line.tax, line.discount)]
    numbers = [line.quantity for line in report.lines]
    rates = [sum((part.rate for part in line.taxes), Decimal(0)) for line in report.lines]
    if not all(number.is_finite() for number in (*amounts, *numbers, *rates)):
        raise Rejected(say("An amount is not a number."), code="unreadable")
    if any(abs(amount) >= LARGEST for amount in amounts) or any(abs(number) >= MOST for number in numbers):
        raise Rejected(say("An amount is too large to be true."), code="out_of_bounds")
    if any(abs(rate) > 10 for rate in rates):
        raise Rejected(say("A tax rate is too large to be true."), code="out_of_bounds")
    if len(report.lines) > MOST_LINES:
        raise Rejected(say("The order has more than %(most)s lines.", most=MOST_LINES), code="out_of_bounds")


def create(channel: Connection, report: OrderReport) -> None:
    """Make the order's row if it is not there; a rival that makes it at the same time wins without harm."""
    Order.objects.bulk_create(
        [
            Order(
                channel=channel,
                external_id=report.external_id[:120],
                state=OrderState.RECORDED,
                digest="",
                **header(report),
            )
        ],
        ignore_conflicts=True,
    )


def header(report: OrderReport) -> dict[str, Any]:
    """The columns of the order itself, as stated."""
    return {
        "number": report.number[:60],
        "placed_at": report.placed_at,
        "currency": report.currency,
        "prices_include_tax": report.prices_include_tax,
        "total": report.total.quantize(_FOUR),
        "total_tax": report.total_tax.quantize(_FOUR),
        "note": report.note[:5000],
        "buyer": dict(vars(report.buyer)),
        **standing(report),
    }


def standing(report: OrderReport) -> dict[str, Any]:
    """What may change without being an edit: the shop's status and the payment it states."""
    return {
        "source_updated_at": report.updated_at,
        "stage": report.stage,
        "vendor_status": report.vendor_status[:60],
        "payment": _payment(report),
        "payment_method": (report.payment.title or report.payment.method)[:120],
        "paid_at": report.payment.paid_at,
        "transaction_id": report.payment.transaction_id[:120],
        "refunded": report.refunded.quantize(_FOUR),
    }


TELLING = ("stage", "vendor_status", "payment", "refunded")  # what of the standing people and processes go by


def stands(order: Order, report: OrderReport) -> bool:
    """Whether the report leaves the order where it is."""
    stated = standing(report)
    return all(getattr(order, name) == stated[name] for name in TELLING)


def _payment(report: OrderReport) -> Payment:
    if report.stage == OrderStage.REFUNDED or (report.refunded > 0 and report.refunded >= report.total):
        return Payment.REFUNDED
    if report.refunded > 0:
        return Payment.PARTLY_REFUNDED
    return Payment.PAID if report.payment.paid else Payment.OPEN


def fill(order: Order, report: OrderReport) -> None:
    """Replace lines, addresses and customer by what is stated; only while nothing was written to a target.

    What the shop has said of its status and the payment since then stands.
    """
    fresh = not order.digest
    stated = header(report)
    if not fresh and report.updated_at < order.source_updated_at:
        stated = {name: value for name, value in stated.items() if name not in standing(report)}
    if order.buyer != vars(report.buyer):
        order.customer_chosen = False  # a person chose for another buyer
    for name, value in stated.items():
        setattr(order, name, value)
    order.digest = digest(report)
    if not order.customer_chosen:
        order.customer = customers.recognise(order.channel, report.buyer)
    order.save()
    lines = [line(order, place, item) for place, item in enumerate(report.lines, start=1)]
    match_lines(order.channel, lines)
    OrderLine.objects.bulk_create(lines if fresh else _replaced(order, lines))
    places = {AddressRole.BILLING: report.billing, AddressRole.SHIPPING: report.shipping or Address()}
    addresses.keep(order, places, fresh=fresh)


def _replaced(order: Order, lines: Sequence[OrderLine]) -> list[OrderLine]:
    """The lines as stated now: one that the shop still names stays its row, as special cases may speak of it; returns the new ones."""
    held = {line.external_id: line for line in order.lines.all()}
    order.lines.update(position=F("position") + len(held) + len(lines))  # out of the way: positions are unique
    kept: list[OrderLine] = []
    for line in lines:
        if old := held.pop(line.external_id, None):
            line.pk, line.cancelled, line.returned = old.pk, old.cancelled, old.returned
            kept.append(line)
    if any(line.cancelled + line.returned > line.quantity for line in kept if line.cancelled or line.returned):
        raise Rejected(say("The shop states fewer pieces of a line than were cancelled or returned."), code="too_few")
    try:
        order.lines.filter(pk__in=[line.pk for line in held.values()]).delete()
    except ProtectedError as error:
        raise Rejected(say("The shop has removed a line that a special case is about."), code="too_few") from error
    OrderLine.objects.bulk_update(kept, _STATED)
    return [line for line in lines if line not in kept]


def line(order: Order, position: int, stated: ReportedLine) -> OrderLine:
    """A line as a row, not written yet."""
    net, tax = stated.net.quantize(_FOUR), stated.tax.quantize(_FOUR)
    return OrderLine(
        order=order,
        position=position,
        external_id=stated.external_id[:60],
        kind=stated.kind,
        title=stated.title[:250],
        sku=inventory.normalised_sku(stated.sku),
        gtin=stated.gtin[:40],
        product_id=stated.product_id[:60],
        quantity=stated.quantity,
        unit_price=stated.unit_price.quantize(_FOUR),
        discount=stated.discount.quantize(_FOUR),
        net=net,
        tax=tax,
        gross=net + tax,
        tax_rate=sum((part.rate for part in stated.taxes), Decimal(0)),
        taxes=[{"rate": str(part.rate), "amount": str(part.amount), "title": part.title[:80]} for part in stated.taxes],
    )


def match_products(order: Order) -> bool:
    """Say for each product line which product it is, as the mappings stand now; returns whether that changed a line."""
    changed = match_lines(order.channel, list(order.lines.all()))
    OrderLine.objects.bulk_update(changed, ["variant"])
    return bool(changed)


def match_lines(channel: Connection, lines: Sequence[OrderLine]) -> list[OrderLine]:
    """Set the product on each line that is one; returns the lines whose product changed."""
    goods = [line for line in lines if line.kind in (LineKind.ITEM, LineKind.GIFT_CARD)]
    found = inventory.match(channel, [named(line) for line in goods])
    changed: list[OrderLine] = []
    for line, variant in zip(goods, found, strict=True):
        if line.variant_id != (variant.pk if variant else None):
            line.variant = variant
            changed.append(line)
    return changed


def named(line: OrderLine) -> Named:
    return Named(product_id=line.product_id, sku=line.sku, gtin=line.gtin, title=line.title)


def differences(order: Order, report: OrderReport) -> list[str | Text]:
    """In short words what the shop changed against what we hold, for people."""
    ours = {line.external_id: line for line in order.lines.all()}
    theirs = {line.external_id[:60]: line for line in report.lines}
    found: list[str | Text] = [_new_total(order, report)] if order.total != report.total else []
    found += [f"- {ours[key].title}" for key in ours.keys() - theirs.keys()]
    found += [f"+ {theirs[key].title}" for key in theirs.keys() - ours.keys()]
    found += _changed(ours, theirs)
    return found[:20] or [ONLY_PLACE]


def _new_total(order: Order, report: OrderReport) -> Text:
    was, will_be = Money(order.total, order.currency), Money(report.total, report.currency)
    return say("total %(was)s → %(now)s", was=was, now=will_be)


def _changed(ours: dict[str, OrderLine], theirs: dict[str, ReportedLine]) -> Sequence[str]:
    both = sorted(ours.keys() & theirs.keys())
    return [
        f"{ours[key].title}: {ours[key].quantity.normalize():f} → {theirs[key].quantity.normalize():f}"
        for key in both
        if ours[key].quantity != theirs[key].quantity
    ]
