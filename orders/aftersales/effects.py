"""What will be written where, said before a person confirms."""

from __future__ import annotations

from integration_hub.kernel.aftersales import AfterSaleKind
from integration_hub.kernel.money import Money
from integration_hub.kernel.text import Text, mark, say
from integration_hub.models import Connection

from . import exchange, steps
from .models import AfterSale
from .states import RETURNING

WORDS = {
    steps.CANCEL_SALE: mark("the sale is cancelled in %(system)s"),
    steps.WRITE_RETURN: mark("the return is booked in %(system)s"),
    steps.RETURNED: mark("%(system)s is told that the goods are back"),
    steps.CANCEL_ORDER: mark("the order is cancelled in %(system)s"),
    steps.REFUNDED: mark("the refund is noted in %(system)s"),
    steps.BY_HAND: mark("somebody changes it by hand in %(system)s"),
    steps.REST: mark("it ends with the last parcel"),
    steps.REPLACE: mark("goods worth %(sent)s are sent instead, as a sale of their own"),
    steps.EXCHANGED: mark("%(system)s is told what is sent instead"),
    steps.COLLECT: mark("the customer still pays %(difference)s"),
    steps.MONEY: mark("%(amount)s go back to the customer"),
}


def preview(row: AfterSale) -> list[tuple[str, Connection | None]]:
    """The steps it would take, in order."""
    return [(code, connection) for code, connection, _ask in steps.planned(row)]


def of(row: AfterSale) -> Text:
    """The same as one sentence."""
    if row.order is None:
        return say("Nothing can be written: it is not tied to an order.")
    parts = [_words(row, code, connection) for code, connection in preview(row)]
    if row.kind in RETURNING:
        parts.insert(0, say("the goods are awaited"))
    if row.kind == AfterSaleKind.EXCHANGE:
        parts.insert(1, say("stock is promised to the replacement at once"))
    if row.kind == AfterSaleKind.CANCELLATION and not row.lines.exists():
        parts.append(say("the order counts as cancelled"))
    return say("%(parts)s", parts=parts) if parts else say("Nothing has to be written anywhere; it is only kept.")


_PIECES = mark("the pieces are taken out of the sale in %(system)s")


def _words(row: AfterSale, code: str, connection: Connection | None) -> Text:
    sums = exchange.balance(row)
    amounts = {"amount": exchange.money_back(row), "sent": sums.sent, "difference": sums.difference}
    shown = {name: Money(amount, row.currency) if row.currency else "" for name, amount in amounts.items()}
    words = _PIECES if code == steps.CANCEL_SALE and row.lines.exists() else WORDS[code]
    return Text(words, {"system": connection.name if connection else "", **shown})
