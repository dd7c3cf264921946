"""Which order a movement is for, where nobody states it: by numbers in the text, and by amount, time and payer together.

Never by amount alone.  Each candidate keeps its score (0 to 100) and its reason in words.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from difflib import SequenceMatcher
from typing import Any

from django.db import connection as database

from integration_hub.kernel.money import Money
from integration_hub.kernel.text import Text, say
from orders.models import Order

from .models import NumberRule, OpenItem, Transaction
from .names import PLAIN_SQL, numbers_in, plain

SURE, LIKELY, POSSIBLE, AHEAD = 95, 75, 50, 15
BEFORE, AFTER = timedelta(days=60), timedelta(days=3)  # an order is placed so long before its payment, or after it
SAME_NAME = 0.85
MOST = 200
KEPT = 5

_BY_NUMBER = f"""
SELECT o.id FROM orders_order o JOIN integration_hub_connection c ON c.id = o.channel_id AND c.role = 'SHOP' AND c.mode = %s
WHERE {PLAIN_SQL.format(column="o.number")} = ANY(%s) OR (o.external_id = %s AND o.external_id <> '') LIMIT {MOST}
"""
_BY_AMOUNT = f"""
SELECT o.id FROM orders_order o JOIN integration_hub_connection c ON c.id = o.channel_id AND c.role = 'SHOP' AND c.mode = %s
WHERE o.total = %s AND o.currency = %s AND o.placed_at BETWEEN %s AND %s
ORDER BY abs(extract(epoch FROM o.placed_at - %s)) LIMIT {MOST}
"""


@dataclass(frozen=True)
class Fit:
    """An order that a movement may be for."""

    order: Order
    score: int
    reason: Text
    same_money: bool


def fits(row: Transaction) -> list[Fit]:
    """The orders that this movement may be for, the likeliest first; at most five."""
    numbers = _numbers(row)
    ids = {*_named(row, numbers), *_of_amount(row)}
    orders = Order.objects.filter(pk__in=ids).select_related("channel").prefetch_related("addresses")
    rules = _rules(orders)
    settled = _settled(ids)
    found = [fit for order in orders if (fit := _fit(row, order, numbers, rules, paid=order.pk in settled))]
    return sorted(found, key=lambda fit: (-fit.score, fit.order.pk))[:KEPT]


def best(found: Sequence[Fit]) -> Fit | None:
    """The one that is likely and clearly ahead of the others; None where it is not clear."""
    return found[0] if stands_out([fit.score for fit in found]) else None


def stands_out(scores: Sequence[int]) -> bool:
    """Whether the first of these scores, best first, is likely and clearly ahead of the second."""
    if not scores or scores[0] < LIKELY:
        return False
    return len(scores) == 1 or scores[0] - scores[1] >= AHEAD


def is_sure(fit: Fit) -> bool:
    """Whether number and amount leave no doubt."""
    return fit.score >= SURE and fit.same_money


def _numbers(row: Transaction) -> list[str]:
    stated = [row.reference] if row.reference else []
    return list(dict.fromkeys([*stated, *numbers_in(f"{row.order_reference} {row.text}")]))


def _named(row: Transaction, numbers: Sequence[str]) -> list[int]:
    """Orders whose number is there, with and without what stands before numbers in a channel."""
    prefixes = {plain(prefix) for prefix in NumberRule.objects.values_list("prefix", flat=True)}
    bare = {number.removeprefix(prefix) for number in numbers for prefix in prefixes if number.startswith(prefix)}
    wanted = sorted({*numbers, *bare} - {""})
    if not wanted and not row.order_reference:
        return []
    return _ids(_BY_NUMBER, [row.connection.mode, wanted, row.order_reference])


def _of_amount(row: Transaction) -> list[int]:
    if not (row.email or row.payer):
        return []
    at = row.occurred_at
    return _ids(_BY_AMOUNT, [row.connection.mode, abs(row.gross), row.currency, at - BEFORE, at + AFTER, at])


def _ids(statement: str, params: Sequence[Any]) -> list[int]:
    with database.cursor() as cursor:
        cursor.execute(statement, params)
        return [found[0] for found in cursor.fetchall()]


def _rules(orders: Iterable[Order]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    for channel, prefix in NumberRule.objects.filter(channel_id__in={order.channel_id for order in orders}).values_list(
        "channel_id", "prefix"
    ):
        found.setdefault(channel, []).append(plain(prefix))
    return found


def _settled(ids: Iterable[int]) -> set[int]:
    """Orders that are paid already."""
    return set(OpenItem.objects.filter(pk__in=ids, captured__gt=0, open=0).values_list("pk", flat=True))


def _fit(
    row: Transaction, order: Order, numbers: Sequence[str], rules: dict[int, list[str]], *, paid: bool
) -> Fit | None:
    same_money = order.currency == row.currency and order.total == abs(row.gross)
    named = _is_named(row, order, numbers, rules.get(order.channel_id, []))
    score, reason = _by_number(row, order, same_money=same_money) if named else _by_payer(row, order)
    if row.gross > 0 and paid:
        score -= 20
    return Fit(order, score, reason, same_money) if score >= POSSIBLE else None


def _is_named(row: Transaction, order: Order, numbers: Sequence[str], prefixes: Sequence[str]) -> bool:
    number = plain(order.number)
    if row.order_reference and row.order_reference == order.external_id:
        return True
    return number in numbers or any(f"{prefix}{number}" in numbers for prefix in prefixes)


def _by_number(row: Transaction, order: Order, *, same_money: bool) -> tuple[int, Text]:
    total = Money(order.total, order.currency)
    if order.currency != row.currency:
        return POSSIBLE, say(
            "names %(number)s, but that is in another currency (%(total)s)", number=order.number, total=total
        )
    if same_money:
        return SURE, say("names %(number)s and has its amount (%(total)s)", number=order.number, total=total)
    return LIKELY, say("names %(number)s, whose total is %(total)s", number=order.number, total=total)


def _by_payer(row: Transaction, order: Order) -> tuple[int, Text]:
    """Same amount and about the same time, and a payer whom the order knows."""
    if order.currency != row.currency or order.total != abs(row.gross):
        return 0, Text("")
    emails = {order.buyer.get("email", "").strip().lower(), *(one.email.lower() for one in order.addresses.all())}
    near = 5 if abs(order.placed_at - row.occurred_at) <= timedelta(days=3) else 0
    if row.email and row.email in emails - {""}:
        return 80 + near, say("same amount, same e-mail address, placed about then")
    likeness = _likeness(row.payer, order)
    if likeness >= SAME_NAME:
        score = 70 + near + int((Decimal(str(likeness)) - Decimal("0.85")) * 40)
        return score, say(
            "same amount, similar name (%(likeness)s %%), placed about then", likeness=int(likeness * 100)
        )
    return 0, Text("")


def _likeness(payer: str, order: Order) -> float:
    names = {order.buyer.get("name", ""), order.buyer.get("company", "")}
    names |= {name for one in order.addresses.all() for name in (one.name, one.company)}
    mine = _words(payer)
    return (
        max((SequenceMatcher(None, mine, _words(name)).ratio() for name in names if name), default=0.0) if mine else 0
    )


def _words(name: str) -> str:
    """Names in any order: banks write the family name first."""
    return " ".join(sorted(name.lower().replace(",", " ").split()))
