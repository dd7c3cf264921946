"""Reading what a system states about levels: which article each of them means, the last word on each name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from django.db.models import Q
from django.utils import timezone

from integration_hub.kernel.errors import Rejected
from integration_hub.kernel.goods import Level, StockReport
from integration_hub.kernel.text import say
from integration_hub.models import Connection

from ..models import Listing, Variant
from .ledger import MOST
from .naming import Named, match


@dataclass(frozen=True)
class Stated:
    """One level as a system states it: its names, how many, when, and what that is here (None: nobody can say)."""

    product_id: str
    stock_id: str
    sku: str
    place: str
    on_hand: Decimal
    at: datetime
    variant: Variant | None = None

    @property
    def name(self) -> str:
        """What the system calls the article."""
        return self.product_id or self.stock_id or self.sku


def read(connection: Connection, stated: StockReport) -> list[Stated]:
    """The levels of a report with the articles they mean; Rejected for what no quantity can be."""
    return named(connection, _bounded(stated))


def _bounded(stated: StockReport) -> list[Stated]:
    """Levels with a quantity, the last word on each name; Rejected for what no quantity can be."""
    at = min(stated.stated_at, timezone.now())  # a clock that runs ahead must not silence what comes after
    found: dict[tuple[str, str], Stated] = {}
    for level in stated.levels:
        on_hand = level.on_hand if level.on_hand is not None else level.available
        if on_hand is None:
            continue
        if not on_hand.is_finite() or abs(on_hand) > MOST:
            raise Rejected(say("A quantity is too large to be true."), code="out_of_bounds")
        one = _of(level, on_hand, at)
        found[one.name, one.place] = one
    return list(found.values())


def _of(level: Level, on_hand: Decimal, at: datetime) -> Stated:
    return Stated(level.product_id[:120], level.stock_id[:120], level.sku[:80], level.location_id[:120], on_hand, at)


def named(connection: Connection, found: Sequence[Stated]) -> list[Stated]:
    """With the article each of them means: by what the system listed, else by its name."""
    ids = {one.product_id for one in found} - {""}
    stock_ids = {one.stock_id for one in found} - {""}
    listed = Listing.objects.filter(connection=connection, variant__isnull=False).filter(
        Q(external_id__in=ids) | Q(stock_id__in=stock_ids)
    )
    by_id: dict[tuple[str, str], Variant] = {}
    for row in listed.select_related("variant").only(
        "external_id", "stock_id", "variant__sku", "variant__kind", "variant__pieces_only"
    ):
        if row.variant:
            by_id["id", row.external_id] = by_id["stock", row.stock_id] = row.variant
    first = [
        by_id.get(("id", one.product_id)) or (by_id.get(("stock", one.stock_id)) if one.stock_id else None)
        for one in found
    ]
    rest = [place for place, variant in enumerate(first) if variant is None]
    names = [Named(product_id=found[place].product_id, sku=found[place].sku) for place in rest]
    for place, variant in zip(rest, match(connection, names) if names else [], strict=True):
        first[place] = variant
    return [replace(one, variant=variant) for one, variant in zip(found, first, strict=True)]
