"""The lines of a Shopify order in the REST shape."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from itertools import chain, combinations

from integration_hub.kernel import fields
from integration_hub.kernel.errors import unreadable
from integration_hub.kernel.fields import Object
from integration_hub.kernel.messages import ReportedLine, TaxPart
from integration_hub.kernel.states import LineKind

ZERO = Decimal(0)

# amounts of the order that are no line of it, and that the total may or may not hold
_APART = (
    ("original_total_duties", "Duties"),
    ("original_total_additional_fees", "Additional fees"),
    ("total_tip_received", "Tip"),
)


def shop_amount(raw: Object, name: str, default: Decimal | None = None) -> Decimal:
    """An amount in the shop's currency: the set's ``shop_money`` where there is one, else the plain field."""
    money = fields.child(fields.child(raw, f"{name}_set"), "shop_money")
    return fields.amount(money, "amount") if money else fields.amount(raw, name, default)


def lines_of(raw: Object, total: Decimal) -> tuple[ReportedLine, ...]:
    """Items, shipping and what else the total holds."""
    gross_prices = fields.flag(raw, "taxes_included")
    tip = shop_amount(raw, "total_tip_received", ZERO)
    lines = [
        *(_item(line, gross_prices, tip) for line in fields.children(raw, "line_items")),
        *(
            _shipping(line, place, gross_prices)
            for place, line in enumerate(fields.children(raw, "shipping_lines"))
            if not fields.flag(line, "is_removed")
        ),
    ]
    missing = total - sum((line.gross for line in lines), ZERO)
    return fields.sound_lines((*lines, *_apart(raw, missing)))


def _item(raw: Object, gross_prices: bool, tip: Decimal) -> ReportedLine:
    price, quantity = shop_amount(raw, "price"), fields.quantity(raw, "quantity")
    variant = "" if raw.get("product_exists") is False else fields.identifier(raw, "variant_id", required=False)
    discount = _allocated(raw) or shop_amount(raw, "total_discount", ZERO)
    net, tax, taxes = _amounts(raw, price * quantity - discount, gross_prices)
    return ReportedLine(
        external_id=fields.identifier(raw, "id"),
        kind=_kind(raw, price * quantity, tip),
        title=fields.words(raw, "name") or fields.words(raw, "title"),
        quantity=quantity,
        unit_price=price,
        discount=discount,
        net=net,
        tax=tax,
        gross=net + tax,
        taxes=taxes,
        sku=fields.identifier(raw, "sku", required=False),
        product_id=variant,
    )


def _kind(raw: Object, value: Decimal, tip: Decimal) -> LineKind:
    """A tip stands among the items; GraphQL does not mark it, so it is also known by its amount."""
    if fields.flag(raw, "gift_card"):
        return LineKind.GIFT_CARD
    custom = not raw.get("variant_id") and not raw.get("product_id")
    return LineKind.FEE if raw.get("tip") or (custom and tip > 0 and value == tip) else LineKind.ITEM


def _shipping(raw: Object, place: int, gross_prices: bool) -> ReportedLine:
    price = shop_amount(raw, "price", ZERO)
    discount = _allocated(raw) or price - shop_amount(raw, "discounted_price", price)
    net, tax, taxes = _amounts(raw, price - discount, gross_prices)
    return ReportedLine(
        external_id=f"shipping:{fields.identifier(raw, 'id', required=False) or place}",
        kind=LineKind.SHIPPING,
        title=fields.words(raw, "title"),
        quantity=Decimal(1),
        unit_price=price,
        discount=discount,
        net=net,
        tax=tax,
        gross=net + tax,
        taxes=taxes,
    )


def _allocated(raw: Object) -> Decimal:
    """The line's share of all discounts; ``total_discount`` has been seen as 0.00 beside real ones."""
    return sum((shop_amount(item, "amount") for item in fields.children(raw, "discount_allocations")), ZERO)


def _amounts(raw: Object, priced: Decimal, gross_prices: bool) -> tuple[Decimal, Decimal, tuple[TaxPart, ...]]:
    stated = [(item, shop_amount(item, "price")) for item in fields.children(raw, "tax_lines")]
    tax = sum((amount for _, amount in stated), ZERO)
    net = priced - tax if gross_prices else priced
    taxes = tuple(
        TaxPart(rate=_rate(i, amount, net), amount=amount, title=fields.words(i, "title")) for i, amount in stated
    )
    return net, tax, taxes


def _rate(raw: Object, tax: Decimal, net: Decimal) -> Decimal:
    """The rate as a fraction; where none is stated, what the amounts suggest."""
    rate = fields.amount(raw, "rate", Decimal(-1))
    if rate > 1:
        raise unreadable("a tax rate is out of bounds")
    if rate >= 0:
        return rate
    return round(tax / net, 4) if net and 0 <= tax / net <= 1 else ZERO


def _apart(raw: Object, missing: Decimal) -> list[ReportedLine]:
    """Of duties, fees and tip those that explain best what the lines lack of the total."""
    known = [
        (name, title, shop_amount(raw, name, ZERO)) for name, title in _APART if shop_amount(raw, name, ZERO) != ZERO
    ]
    choices = chain.from_iterable(combinations(known, count) for count in range(len(known) + 1))
    best = min(choices, key=lambda choice: abs(missing - _sum(choice)))
    return [_fee(name, title, amount) for name, title, amount in best]


def _sum(choice: Sequence[tuple[str, str, Decimal]]) -> Decimal:
    return sum((amount for _, _, amount in choice), ZERO)


def _fee(name: str, title: str, amount: Decimal) -> ReportedLine:
    return ReportedLine(
        external_id=name,
        kind=LineKind.FEE,
        title=title,
        quantity=Decimal(1),
        unit_price=amount,
        net=amount,
        tax=ZERO,
        gross=amount,
    )
