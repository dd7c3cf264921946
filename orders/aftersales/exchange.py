"""An exchange: what comes back pays for what is sent instead, and the difference goes one way or the other.

returned + difference = sent.  A positive difference is still to be paid by the customer, a negative one goes back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Sum

from integration_hub.kernel.aftersales import AfterSaleKind, Instead
from integration_hub.kernel.money import rounded
from integration_hub.models import Connection
from inventory import services as inventory
from inventory.models import Listing, Variant
from inventory.services import Named
from orders.models import Order, OrderLine

from .models import AfterSale, AfterSaleInstead

ZERO = Decimal(0)


@dataclass(frozen=True)
class Goods:
    """What is to be sent: pieces of an article for this gross price each, taxed at this rate."""

    variant: Variant
    quantity: Decimal
    price: Decimal
    tax_rate: Decimal


@dataclass(frozen=True)
class Balance:
    """Both sides of an exchange, gross in the order's currency."""

    returned: Decimal
    sent: Decimal

    @property
    def difference(self) -> Decimal:
        """What the customer still pays; negative: what goes back."""
        return self.sent - self.returned

    @property
    def credit(self) -> Decimal:
        """How much of the returned goods' worth pays for the replacement."""
        return min(self.returned, self.sent)


def balance(row: AfterSale) -> Balance:
    sent = row.instead.aggregate(sum=Sum("amount"))["sum"] or ZERO
    return Balance(row.amount, sent)


def money_back(row: AfterSale) -> Decimal:
    """What goes back to the customer: all of it, or for an exchange what the replacement costs less."""
    return max(-balance(row).difference, ZERO) if row.kind == AfterSaleKind.EXCHANGE else row.amount


def keep(row: AfterSale, goods: Sequence[Goods]) -> None:
    """Write down what a person wants to be sent."""
    AfterSaleInstead.objects.bulk_create(
        AfterSaleInstead(
            after_sale=row,
            variant=one.variant,
            sku=one.variant.sku,
            title=one.variant.title,
            quantity=one.quantity,
            amount=rounded(one.quantity * one.price, row.currency),
            tax_rate=one.tax_rate,
        )
        for one in goods
    )


def take_over(row: AfterSale, stated: Sequence[Instead]) -> None:
    """Write down what a system says is sent; an amount that it leaves out is that of what comes back, piece by piece."""
    assert row.order is not None  # noqa: S101  only what is tied is taken over
    names = [Named(product_id=one.product_id, sku=one.sku, gtin="", title=one.title) for one in stated]
    found = [
        known or _listed(row.order.channel, name)
        for known, name in zip(inventory.match(row.order.channel, names), names, strict=True)
    ]
    usual, rate = per_piece(row), rate_of(row)
    row.instead.all().delete()
    AfterSaleInstead.objects.bulk_create(
        AfterSaleInstead(
            after_sale=row,
            variant=variant,
            sku=inventory.normalised_sku(one.sku) or (variant.sku if variant else ""),
            product_id=one.product_id[:60],
            title=(one.title or (variant.title if variant else one.sku))[:250],
            quantity=one.quantity,
            amount=rounded(one.quantity * usual if one.amount is None else one.amount, row.currency),
            tax_rate=rate,
        )
        for one, variant in zip(stated, found, strict=True)
    )


def _listed(channel: Connection, name: Named) -> Variant | None:
    """What the shop offers under this id, where its order lines have not named it yet."""
    rows = Listing.objects.filter(connection=channel, external_id=name.product_id, gone=False)
    offer = rows.select_related("variant").first() if name.product_id else None
    return offer.variant if offer else None


def per_piece(row: AfterSale) -> Decimal:
    """What a piece that comes back was worth, on average."""
    sums = row.lines.filter(quantity__gt=0).aggregate(amount=Sum("amount"), pieces=Sum("quantity"))
    return sums["amount"] / sums["pieces"] if sums["pieces"] else ZERO


def rate_of(row: AfterSale) -> Decimal:
    """The tax rate of what comes back: that of the replacement unless somebody says otherwise."""
    first = row.lines.filter(quantity__gt=0).select_related("line").order_by("line__position").first()
    return first.line.tax_rate if first else ZERO


def lines_of(order: Order, row: AfterSale) -> list[OrderLine]:
    """The lines of the replacement order, not written yet."""
    return [_line(order, place, one) for place, one in enumerate(row.instead.all(), start=1)]


def _line(order: Order, place: int, one: AfterSaleInstead) -> OrderLine:
    tax = rounded(one.amount * one.tax_rate / (1 + one.tax_rate), order.currency)
    net = one.amount - tax
    whole = one.amount if order.prices_include_tax else net
    return OrderLine(
        order=order,
        position=place,
        external_id=f"new:{one.pk}",
        kind="ITEM",
        title=one.title,
        sku=one.sku,
        product_id=one.product_id,
        variant=one.variant,
        quantity=one.quantity,
        unit_price=(whole / one.quantity).quantize(Decimal("0.0001")),
        net=net,
        tax=tax,
        gross=one.amount,
        tax_rate=one.tax_rate,
        taxes=[{"rate": str(one.tax_rate), "amount": str(tax), "title": ""}] if one.tax_rate else [],
    )
