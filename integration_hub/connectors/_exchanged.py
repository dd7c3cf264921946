"""An exchange in a sentence, for the shops that have no place of their own for it but a note."""

from __future__ import annotations

from collections.abc import Sequence

from integration_hub.kernel.aftersales import GoodsLine, TellExchanged
from integration_hub.kernel.money import Money
from integration_hub.kernel.text import say


def sentence(command: TellExchanged) -> str:
    """What comes back, what is sent instead under which number, and who still owes whom; or where its parcel is."""
    if command.tracking:
        words = say(
            "Exchange %(number)s: %(sent)s is on its way, %(parcel)s.",
            number=command.number,
            sent=_goods(command.sent),
            parcel=" ".join(filter(None, (command.tracking, command.tracking_url))),
        )
        return str(words)
    words = say(
        "Exchange %(number)s: %(returned)s comes back, %(sent)s is sent instead as %(sale)s.",
        number=command.number,
        returned=_goods(command.returned),
        sent=_goods(command.sent),
        sale=command.sale_number,
    )
    return f"{words} {_difference(command)}".strip()


def _goods(lines: Sequence[GoodsLine]) -> str:
    return ", ".join(f"{line.quantity.normalize():f} × {line.sku}" for line in lines)


def _difference(command: TellExchanged) -> str:
    if not command.difference:
        return ""
    amount = Money(abs(command.difference), command.currency)
    if command.difference > 0:
        return str(say("The customer still pays %(amount)s.", amount=amount))
    return str(say("The customer gets back %(amount)s.", amount=amount))
