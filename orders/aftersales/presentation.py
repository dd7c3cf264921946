"""A special case as screens show it: its checklist, its positions, what waits for whom."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_lazy as _

from integration_hub.kernel.aftersales import AfterSaleKind
from integration_hub.models import OutboundCommand
from integration_hub.models.outbound import CommandState
from orders.models import Order

from . import effects, exchange, steps
from .models import AfterSale, AfterSaleStep
from .states import AfterSaleState

TITLES = {
    steps.CANCEL_SALE: _("Cancel the sale in the ERP"),
    steps.WRITE_RETURN: _("Book the return in the ERP"),
    steps.RETURNED: _("Tell the shop that the goods are back"),
    steps.REFUNDED: _("Note the refund in the shop"),
    steps.CANCEL_ORDER: _("Cancel the order in the shop"),
    steps.BY_HAND: _("Change it by hand"),
    steps.REPLACE: _("Send the replacement"),
    steps.EXCHANGED: _("Tell the shop what is sent instead"),
    steps.COLLECT: _("The customer pays the difference"),
    steps.MONEY: _("Give the money back"),
    steps.REST: _("Deliver the rest"),
}
TONES = {
    AfterSaleState.UNTIED: "bad",
    AfterSaleState.PROPOSED: "warn",
    AfterSaleState.ANNOUNCED: "info",
    AfterSaleState.ARRIVED: "warn",
    AfterSaleState.RUNNING: "info",
    AfterSaleState.DONE: "good",
}


@dataclass(frozen=True)
class Target:
    """One line of the checklist."""

    title: Any
    system: str
    word: Any
    tone: str
    at: datetime | None = None
    why: Any = None
    command: OutboundCommand | None = None


@dataclass(frozen=True)
class Lane:
    """A special case beside the main line of its order."""

    row: AfterSale
    tone: str
    targets: list[Target]
    replacement: Order | None = None


def lanes(rows: Iterable[AfterSale]) -> list[Lane]:
    """With their checklists; ``rows`` come with steps, connections and commands prefetched."""
    return [
        Lane(row, TONES.get(AfterSaleState(row.state), "none"), targets(row), getattr(row, "replacement", None))
        for row in rows
    ]


def targets(row: AfterSale) -> list[Target]:
    return [_target(step) for step in row.steps.all()]


def _target(step: AfterSaleStep) -> Target:
    word, tone = _standing(step)
    return Target(
        title=TITLES.get(step.code, step.code),
        system=step.connection.name if step.connection else "",
        word=word,
        tone=tone,
        at=step.done_at,
        why=step.skipped or (step.command.reason if step.command and not step.done_at else None),
        command=step.command,
    )


def _standing(step: AfterSaleStep) -> tuple[Any, str]:
    if step.done_at:
        return _("done"), "good"
    if step.skipped:
        return _("not needed"), "none"
    if step.command and step.command.state == CommandState.PARKED:
        return _("failed"), "bad"
    if step.command is None:
        return _("waits for a person") if step.code != steps.REST else _("waits"), "warn"
    return _("waits"), "info"


PREFETCH = ("steps__connection", "steps__command", "lines__line", "replacement")


WHAT = {
    "total": _("Total"),
    "note": _("Customer's note"),
    "BILLING": _("billing address"),
    "SHIPPING": _("shipping address"),
}


@dataclass(frozen=True)
class Side:
    """One thing that was changed: as the ERP holds it and as the shop says it now, pieces and money or a text."""

    what: Any
    was: Sequence[Any] | str | None
    now: Sequence[Any] | str | None

    @property
    def in_words(self) -> bool:
        return isinstance(self.was, str) or isinstance(self.now, str)


def sides(row: AfterSale, *, personal: bool) -> list[Side]:
    """Both sides of a change next to each other; addresses only for those who may see them."""
    found = []
    for one in row.stated.get("sides", []):
        hidden = one.get("personal") and not personal
        was, now = ("•••", "•••") if hidden else (_amounts(one["was"]), _amounts(one["now"]))
        found.append(Side(WHAT.get(one["what"], one["what"]), was, now))
    return found


def _amounts(value: Any) -> Any:
    """Pieces and money as numbers, words as they are."""
    return [Decimal(one) if one is not None else None for one in value] if isinstance(value, list) else value


@dataclass(frozen=True)
class Exchanged:
    """Both sides of an exchange and the amount between them, without a sign."""

    returned: Decimal
    sent: Decimal
    difference: Decimal

    @property
    def amount(self) -> Decimal:
        return abs(self.difference)


def exchanged(row: AfterSale) -> Exchanged | None:
    """The control sum of an exchange; None for other kinds."""
    if row.kind != AfterSaleKind.EXCHANGE:
        return None
    sums = exchange.balance(row)
    return Exchanged(sums.returned, sums.sent, sums.difference)


def preview(row: AfterSale) -> Any:
    """What will be written where, once it is confirmed."""
    return effects.of(row) if row.state in (AfterSaleState.PROPOSED, AfterSaleState.RECORDED) else None
