"""Places orders: a new one every few seconds, or as many and as wrong as asked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol

from .basket import Basket, Item, basket
from .catalogue import by_sku
from .later import Later
from .store import Record
from .till import Till
from .world import World

CHANGES_AFTER = 2.0
TRANSFER = timedelta(days=1)  # a transfer takes
MAX_AT_ONCE = 5000


class Shop(Protocol):
    """What both played shops can do for the generator."""

    def place(self, basket: Basket, announce: bool = True) -> Record: ...

    def pay(self, order_id: int) -> None: ...

    def spoil_currency(self, order_id: int) -> None: ...


@dataclass(frozen=True)
class Wanted:
    """How many orders of which kind, and how long ago they were placed; ``sku``: so many pieces of this and nothing else."""

    shop: str
    count: int = 1
    trouble: str = ""
    days_ago: int = 0
    announce: bool = True
    sku: str = ""
    pieces: int = 1

    @property
    def items(self) -> tuple[Item, ...]:
        if not self.sku:
            return ()
        article = by_sku(self.sku)
        return (Item(article, self.pieces, article.rate),)


class Orders:
    """The customers of all shops."""

    def __init__(self, world: World, shops: dict[str, Shop], later: Later, till: Till) -> None:
        self._world = world
        self._shops = shops
        self._later = later
        self._till = till

    def place(self, wanted: Wanted) -> list[int]:
        """Ids of the new orders; KeyError for an unknown shop or trouble, ValueError for too many."""
        shop = self._shops[wanted.shop]
        if not 0 < wanted.count <= MAX_AT_ONCE:
            raise ValueError(f"1 to {MAX_AT_ONCE} orders at once")
        return [self._one(shop, wanted) for _ in range(wanted.count)]

    def _one(self, shop: Shop, wanted: Wanted) -> int:
        with self._world.lock:
            now = self._world.now() - timedelta(days=wanted.days_ago)
            chosen = basket(self._world.random, now, wanted.trouble, wanted.items)
            order = shop.place(chosen, wanted.announce)
            number = int(order["id"])
            self._till.placed(wanted.shop, order, chosen)
            self._world.store.add("placed", {"shop": wanted.shop, "order_id": number, "trouble": wanted.trouble})
        if wanted.trouble == "unknown_currency":
            self._later.push(CHANGES_AFTER, lambda: shop.spoil_currency(number))
        elif chosen.payment == "bacs" and wanted.days_ago:
            shop.pay(number)
            self._till.transferred(order, chosen, now + TRANSFER)
        elif chosen.payment == "bacs":
            self._later.push(self._world.switch("pays_after"), lambda: self._pay(shop, order, chosen))
        return number

    def _pay(self, shop: Shop, order: Record, chosen: Basket) -> None:
        shop.pay(int(order["id"]))
        self._till.transferred(order, chosen, self._world.now())

    def pending(self) -> int:
        """How many customers are still to pay or to change their order."""
        return self._later.pending()

    def next(self) -> None:
        """One ordinary order in a shop by chance, a wrong one every now and then."""
        if not self._world.switch("ordering"):
            return
        rng = self._world.random
        name = rng.choice(sorted(self._shops))
        trouble = rng.choice(["unknown_sku", "missing_address", "totals_disagree"]) if rng.random() < 1 / 25 else ""
        self.place(Wanted(name, trouble=trouble))

    def summary(self) -> dict[str, Any]:
        """How many were placed per shop, and how many of them wrong on purpose."""
        rows = self._world.store.rows("placed")
        return {
            name: {
                "placed": sum(row["shop"] == name for row in rows),
                "wrong": sum(row["shop"] == name and bool(row["trouble"]) for row in rows),
            }
            for name in self._shops
        }
