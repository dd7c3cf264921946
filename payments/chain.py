"""Where the money is: order, payment, fee, payout, bank line, from whichever end, with one control sum.

A fixed number of queries, however many orders or movements hang on it: of each hop the sums are whole, the rows the first few.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db.models import Count, F, QuerySet, Sum
from django.urls import reverse
from django.utils.translation import gettext as _

from integration_hub.kernel.money import Money
from orders.models import Order

from . import payouts
from .models import Allocation, BankLine, OpenItem, Payout, Transaction, TransactionFee
from .states import NO_ITEM, Kind

SHOWN = 20
GOOD, BAD, NONE = "good", "bad", "none"
Sums = list[tuple[str, Decimal]]


@dataclass(frozen=True)
class Link:
    """One row of a hop: what it is called, where it leads, its amount."""

    label: str
    url: str
    amount: Decimal
    currency: str
    tone: str = GOOD


@dataclass(frozen=True, kw_only=True)
class Hop:
    """One station of the money: its sums by currency, the first of its rows, whether it is well (grey: nothing to say)."""

    title: str
    tone: str
    sums: Sums = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    number: int = 0
    note: str = ""

    @property
    def more(self) -> int:
        """How many rows are not shown."""
        return max(self.number - len(self.links), 0)


@dataclass(frozen=True)
class Chain:
    """All hops, and what does not add up, by currency; nothing where all does."""

    title: str
    hops: list[Hop]
    control: list[Money]

    @property
    def is_good(self) -> bool:
        return not any(self.control)


def of_order(pk: int) -> Chain:
    """From an order to the bank; the control sum is what the order lacks or has too much, and what its payouts leave open."""
    order = Order.objects.select_related("channel").get(pk=pk)
    item = OpenItem.objects.filter(pk=pk).first()
    tied = Allocation.objects.filter(order_id=pk)
    moved = Transaction.objects.filter(pk__in=tied.values("transaction_id"))
    paid_out = Payout.objects.filter(items__transaction__in=moved).distinct()
    rows = list(paid_out.select_related("connection", "accepted").order_by("pk")[: SHOWN + 1])
    control = [Money(item.overpaid - item.open, item.currency)] if item else []
    hops = [
        _order(order, item),
        *_exchanges(order, item),
        _payments(tied, order),
        _fees(moved),
        _payouts(rows, moved),
        _bank(rows, moved),
    ]
    return Chain(f"{order.channel.name} {order.number}", hops, _together([*control, *_open_rest(rows)]))


def of_payout(pk: int) -> Chain:
    """From a payout to its orders and to the bank; the control sum is its remainder and what the bank shows otherwise."""
    payout = Payout.objects.select_related("connection", "bank_line", "accepted").get(pk=pk)
    moved = Transaction.objects.filter(item__payout=payout)
    tied = Allocation.objects.filter(transaction_id__in=moved.values("pk"))
    hops = [_orders(tied), _movements(moved), _fees(moved), _payouts([payout], moved), _bank([payout], moved)]
    return Chain(f"{payout.connection.name} {payout.external_id}", hops, _together(_open_rest([payout])))


def of_bank_line(pk: int) -> Chain:
    """From a bank line back: through its payout, or its payment, to the orders."""
    line = BankLine.objects.select_related("account", "transaction").get(pk=pk)
    payout = Payout.objects.filter(bank_line=line).first()
    if payout:
        return of_payout(payout.pk)
    moved = Transaction.objects.filter(pk=line.transaction_id or 0)
    tied = Allocation.objects.filter(transaction_id=line.transaction_id or 0)
    given = tied.aggregate(sum=Sum("amount"))["sum"] or Decimal(0)
    settled = line.purpose == "OTHER"
    control = [] if settled else [Money(line.amount - given, line.currency)]
    bank = Hop(
        title=_("Bank"), tone=GOOD, sums=[(line.currency, line.amount)], number=1, links=[_line(line)],
        note=str(line.get_purpose_display()),
    )  # fmt: skip
    return Chain(str(line), [_orders(tied), _movements(moved), _fees(moved), bank], _together(control))


STARTS: Mapping[str, Callable[[int], Chain]] = {"order": of_order, "payout": of_payout, "bankline": of_bank_line}


def _order(order: Order, item: OpenItem | None) -> Hop:
    tone = NONE if item is None else BAD if item.open or item.overpaid else GOOD
    link = Link(order.number, reverse("order", args=[order.pk]), order.total, order.currency, tone)
    return Hop(
        title=_("Order"),
        tone=tone,
        sums=[(order.currency, item.expected if item else order.total)],
        links=[link],
        number=1,
        note=str(item.get_state_display()) if item else _("no payments are reported yet"),
    )


def _exchanges(order: Order, item: OpenItem | None) -> list[Hop]:
    """What exchanges moved between this order and its replacements, with both ends; no hop where there was none."""
    if item is None or not item.moved:
        return []
    given = [(row, -row.credit) for row in order.after_sales.filter(credit__gt=0).order_by("pk")[:SHOWN]]
    taken = [(order.exchange, order.exchange.credit)] if order.exchange else []
    links = [Link(row.number, row.get_absolute_url(), amount, order.currency) for row, amount in [*given, *taken]]
    return [Hop(title=_("Exchange"), tone=GOOD, sums=[(order.currency, item.moved)], links=links, number=len(links))]


def _payments(tied: QuerySet[Allocation], order: Order) -> Hop:
    rows = list(tied.select_related("transaction").order_by("transaction__occurred_at", "pk")[:SHOWN])
    found = tied.aggregate(sum=Sum("order_amount"), number=Count("pk"))
    links = [
        Link(
            f"{row.transaction.get_kind_display()} {row.transaction.external_id}",
            reverse("transaction", args=[row.transaction_id]),
            row.order_amount,
            order.currency,
            GOOD if row.transaction.state == "SUCCEEDED" else NONE,
        )
        for row in rows
    ]
    tone = GOOD if rows else NONE
    return Hop(
        title=_("Payment"),
        tone=tone,
        sums=[(order.currency, found["sum"] or Decimal(0))],
        links=links,
        number=found["number"],
    )


def _orders(tied: QuerySet[Allocation]) -> Hop:
    found: Any = tied.values(currency=F("order__currency")).annotate(
        sum=Sum("order_amount"), number=Count("order_id", distinct=True)
    )
    sums = [(row["currency"], row["sum"], row["number"]) for row in found.order_by("currency")]
    rows = tied.select_related("order").order_by("order_id")[:SHOWN]
    links = [
        Link(row.order.number, reverse("order", args=[row.order_id]), row.order_amount, row.order.currency)
        for row in rows
    ]
    number = sum(row[2] for row in sums)
    return Hop(
        title=_("Orders"),
        tone=GOOD if links else NONE,
        sums=[(currency, amount) for currency, amount, _number in sums],
        links=links,
        number=max(number, len(links)),
    )


def _movements(moved: QuerySet[Transaction]) -> Hop:
    found: Any = moved.values("settlement_currency").annotate(sum=Sum("settled_gross"), number=Count("pk"))
    sums = list(found.order_by("settlement_currency"))
    rows = moved.select_related("unassigned").order_by("-occurred_at", "-pk")[:SHOWN]
    links = [
        Link(
            f"{row.get_kind_display()} {row.external_id}",
            reverse("transaction", args=[row.pk]),
            row.settled_gross or row.gross,
            row.settlement_currency or row.currency,
            BAD if getattr(row, "unassigned", None) else GOOD,
        )
        for row in rows
    ]
    lost = moved.filter(unassigned__isnull=False).count()
    note = _("%(count)s without order") % {"count": lost} if lost else ""
    return Hop(
        title=_("Payment"),
        tone=BAD if lost else GOOD if links else NONE,
        sums=[(row["settlement_currency"], row["sum"] or Decimal(0)) for row in sums],
        links=links,
        number=sum(row["number"] for row in sums),
        note=note,
    )


def _fees(moved: QuerySet[Transaction]) -> Hop:
    found: Any = (
        TransactionFee.objects.filter(transaction__in=moved)
        .values("kind", currency=F("transaction__settlement_currency"))
        .annotate(sum=Sum("amount"))
        .order_by("currency", "kind")
    )
    labels = dict(TransactionFee._meta.get_field("kind").choices or ())
    links = [Link(str(labels[row["kind"]]), "", -row["sum"], row["currency"]) for row in found]
    beyond = moved.filter(fee_check__beyond=True).count()
    return Hop(
        title=_("Fee"),
        tone=BAD if beyond else GOOD if links else NONE,
        sums=_summed((link.currency, link.amount) for link in links),
        links=links,
        number=len(links),
        note=_("%(count)s beyond what was agreed") % {"count": beyond} if beyond else "",
    )


def _payouts(rows: list[Payout], moved: QuerySet[Transaction]) -> Hop:
    links = [
        Link(
            row.external_id,
            reverse("payout", args=[row.pk]),
            row.amount,
            row.currency,
            GOOD if payouts.is_explained(row) else BAD,
        )
        for row in rows[:SHOWN]
    ]
    waiting = (
        moved.filter(item=None, bank_line=None, net__isnull=False).exclude(kind__in=NO_ITEM).count() if not rows else 0
    )
    tone = BAD if any(link.tone == BAD for link in links) else GOOD if links else NONE
    return Hop(
        title=_("Payout"),
        tone=tone,
        sums=_summed((row.currency, row.amount) for row in rows),
        links=links,
        number=len(rows),
        note=_("not paid out yet") if waiting else "",
    )


def _bank(rows: list[Payout], moved: QuerySet[Transaction]) -> Hop:
    lines = list(
        BankLine.objects.filter(pk__in=[row.bank_line_id for row in rows if row.bank_line_id])
        | BankLine.objects.filter(transaction__in=moved.filter(kind=Kind.CAPTURE), payout=None)
    )[: SHOWN + 1]
    missing = any(row.bank_line_id is None for row in rows)
    return Hop(
        title=_("Bank"),
        tone=GOOD if lines and not missing else NONE,
        sums=_summed((line.currency, line.amount) for line in lines),
        links=[_line(line) for line in lines[:SHOWN]],
        number=len(lines),
        note=_("not seen yet") if missing else "",
    )


def _line(line: BankLine) -> Link:
    return Link(f"{line.booked_on:%d.%m.%Y}", reverse("chain", args=["bankline", line.pk]), line.amount, line.currency)


def _open_rest(rows: Iterable[Payout]) -> list[Money]:
    """What is left of these payouts, beyond what a person accepted, and what the bank shows otherwise."""
    lines = BankLine.objects.in_bulk([row.bank_line_id for row in rows if row.bank_line_id])
    found: list[Money] = []
    for row in rows:
        accepted = getattr(row, "accepted", None)
        found.append(Money(row.remainder - (accepted.amount if accepted else 0), row.currency))
        line = lines.get(row.bank_line_id or 0)
        if line:
            found.append(Money(line.amount, line.currency))
            found.append(Money(-row.amount, row.currency))
    return found


def _summed(pairs: Iterable[tuple[str, Decimal]]) -> Sums:
    sums: dict[str, Decimal] = {}
    for currency, amount in pairs:
        sums[currency] = sums.get(currency, Decimal(0)) + amount
    return sorted(sums.items())


def _together(parts: Iterable[Money]) -> list[Money]:
    """Each currency for itself: different kinds of money are never added."""
    sums: dict[str, Money] = {}
    for part in parts:
        sums[part.currency] = sums[part.currency] + part if part.currency in sums else part
    return [sums[currency] for currency in sorted(sums)]
