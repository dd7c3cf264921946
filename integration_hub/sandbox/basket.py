"""What is ordered, before a shop puts it into its own words; also baskets that are wrong on purpose."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal

from . import people
from .catalogue import ARTICLES, ODD, REDUCED, STANDARD, UNKNOWN, Article

CENT = Decimal("0.01")
TROUBLES = {
    "unknown_sku": "An article that nobody knows (always the same, so that several orders share the cause)",
    "missing_address": "No postcode and no city",
    "totals_disagree": "The shop's total is 2.00 more than its lines",
    "unknown_tax_rate": "A line with 12 % tax",
    "unknown_currency": "The currency turns into a code that is none, in a later update",
}


def cents(amount: Decimal) -> Decimal:
    """Commercial rounding to cents."""
    return amount.quantize(CENT, rounding=ROUND_HALF_UP)


@dataclass(frozen=True)
class Sum:
    """An amount with its tax; ``gross`` = net + tax."""

    gross: Decimal
    rate: Decimal

    @property
    def net(self) -> Decimal:
        return cents(self.gross / (1 + self.rate))

    @property
    def tax(self) -> Decimal:
        return self.gross - self.net


@dataclass(frozen=True)
class Item:
    """An article in the basket; ``percent`` is the coupon's part."""

    article: Article
    quantity: int
    rate: Decimal
    percent: int = 0

    @property
    def before(self) -> Sum:
        return Sum(self.article.price * self.quantity, self.rate)

    @property
    def after(self) -> Sum:
        return Sum(cents(self.before.gross * (100 - self.percent) / 100), self.rate)


@dataclass(frozen=True)
class Basket:
    """One order.  Amounts are gross in ``currency``; ``trouble`` says what is wrong with it."""

    buyer: people.Person
    recipient: people.Person
    items: tuple[Item, ...]
    shipping: Sum
    fee: Sum | None
    coupon: str
    percent: int
    payment: str
    note: str
    placed_at: datetime
    currency: str = "EUR"
    trouble: str = ""

    @property
    def total(self) -> Decimal:
        parts = [item.after.gross for item in self.items] + [self.shipping.gross]
        wrong = Decimal("2.00") if self.trouble == "totals_disagree" else Decimal(0)
        return sum(parts, Decimal(0)) + (self.fee.gross if self.fee else 0) + wrong

    def by_rate(self) -> dict[Decimal, tuple[Decimal, Decimal]]:
        """Tax of goods and fees, and of shipping, by rate."""
        found: dict[Decimal, tuple[Decimal, Decimal]] = {}
        for amount in [item.after for item in self.items] + ([self.fee] if self.fee else []):
            goods, shipping = found.get(amount.rate, (Decimal(0), Decimal(0)))
            found[amount.rate] = (goods + amount.tax, shipping)
        goods, shipping = found.get(self.shipping.rate, (Decimal(0), Decimal(0)))
        found[self.shipping.rate] = (goods, shipping + self.shipping.tax)
        return found


def _items(rng: random.Random, percent: int, trouble: str) -> tuple[Item, ...]:
    chosen = list(rng.sample(ARTICLES, rng.choice([1, 1, 2, 2, 3, 4])))
    if trouble == "unknown_sku":
        chosen.append(UNKNOWN)
    odd = trouble == "unknown_tax_rate"
    return tuple(
        Item(article, rng.choice([1, 1, 1, 2, 3]), ODD if odd and not place else article.rate, percent)
        for place, article in enumerate(chosen)
    )


def basket(rng: random.Random, placed_at: datetime, trouble: str = "", wanted: tuple[Item, ...] = ()) -> Basket:
    """A random order, wrong in the way ``trouble`` says, of what is ``wanted``; KeyError for a trouble that is none."""
    if trouble:
        TROUBLES[trouble]
    buyer = people.someone(rng)
    if trouble == "missing_address":
        buyer = replace(buyer, postcode="", city="")
    gift = not trouble and rng.random() < 1 / 6
    percent = rng.choice([10, 15]) if rng.random() < 1 / 5 else 0
    items = wanted or _items(rng, percent, trouble)
    payment = rng.choice(["paypal", "stripe", "bacs", "cod"])
    rate = REDUCED if all(item.rate == REDUCED for item in items) else STANDARD
    return Basket(
        buyer=buyer,
        recipient=replace(people.someone(rng), company="", vat_id="") if gift else buyer,
        items=items,
        shipping=Sum(Decimal("4.90") if sum(item.after.gross for item in items) < 80 else Decimal(0), rate),
        fee=Sum(Decimal("3.50"), STANDARD) if payment == "cod" else None,
        coupon=f"TEE{percent}" if percent else "",
        percent=percent,
        payment=payment,
        note=rng.choice(people.NOTES),
        placed_at=placed_at,
        trouble=trouble,
    )
