"""The money of the played payment providers: payments, refunds, disputes, fees and payouts, in minor units.

Each provider tells the same story in its own words; this is the story.  Every row of ``purse.moves`` moves a provider's
balance by ``gross - fee``; a payout takes the rows that are not in one yet, and so its items sum up to it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal

from .store import Record
from .world import World

PROVIDERS = ("stripe", "paypal", "mollie")
DISPUTE_FEE = 2000
_RATES = {"stripe": ("0.015", 25), "paypal": ("0.0299", 39), "mollie": ("0.018", 25)}
_WAIT = timedelta(days=2)  # until what was captured may be paid out
Listener = Callable[[str, str, Record], None]  # provider, what happened, the record it happened to


class PurseError(ValueError):
    """What a provider would refuse."""


@dataclass(frozen=True)
class Paid:
    """What a customer pays for an order."""

    shop: str
    order_id: int
    number: str
    amount: int
    currency: str = "EUR"
    name: str = ""
    email: str = ""
    country: str = "DE"


def payment_key(provider: str, shop: str, order_id: int) -> str:
    """The provider's id of the payment for an order of a shop, known to the shop before the provider is asked."""
    digest = hashlib.sha256(f"{provider}:{shop}:{order_id}".encode()).hexdigest()
    if provider == "stripe":
        return f"ch_3Sandbox{digest[:14]}"
    return f"tr_{digest[:10]}" if provider == "mollie" else digest[:17].upper()


def fee_of(provider: str, amount: int) -> int:
    """What a provider takes for a payment: a share and a fixed part."""
    share, fixed = _RATES[provider]
    return int((amount * Decimal(share)).quantize(Decimal(1), rounding=ROUND_HALF_UP)) + fixed


class Purse:
    """The accounts at all providers; hold the world's lock around what reads and then writes."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.listeners: list[Listener] = []
        for table in ("payments", "refunds", "disputes", "payouts"):
            world.store.index(f"purse.{table}", "key")
        world.store.index("purse.moves", "provider")
        world.store.index("purse.moves", "about")

    def pay(self, provider: str, paid: Paid, at: datetime | None = None) -> Record:
        """A customer pays: the money is captured at once."""
        key = payment_key(provider, paid.shop, paid.order_id)
        with self.world.lock:
            if known := self.find("payments", key):
                return known
            row = {"provider": provider, "key": key, "created": self._time(at), "refunded": 0, **vars(paid)}
            payment = self.world.store.add("purse.payments", row)
            self._move(payment, "charge", key, paid.amount, fee_of(provider, paid.amount))
        self._tell("paid", payment)
        return payment

    def refund(self, payment_key: str, amount: int, *, request: str = "", reason: str = "") -> Record:
        """Give money back; asked for twice under one ``request`` it is given once."""
        with self.world.lock:
            payment = self.payment(payment_key)
            for known in self.rows("refunds", payment["provider"]):
                if request and known["request"] == request:
                    return known
            if not 0 < amount <= payment["amount"] - payment["refunded"]:
                raise PurseError("the amount is more than what is left of the payment")
            row = {
                "provider": payment["provider"],
                "payment": payment_key,
                "amount": amount,
                "currency": payment["currency"],
                "status": "succeeded",
                "request": request,
                "reason": reason,
                "created": self._time(),
            }
            refund = self._keyed("refunds", "re_", row)
            self.world.store.put("purse.payments", {**payment, "refunded": payment["refunded"] + amount})
            self._move(refund, "refund", refund["key"], -amount, 0, payment_key)
        self._tell("refunded", refund)
        return refund

    def fail_refund(self, refund_key: str) -> Record:
        """The customer's bank sends a refund back."""
        with self.world.lock:
            refund = self._known("refunds", refund_key)
            if refund["status"] != "succeeded":
                raise PurseError("only a refund that went out can fail")
            refund = self.world.store.put("purse.refunds", {**refund, "status": "failed"})
            self._move(refund, "refund_failure", refund_key, refund["amount"], 0, refund["payment"])
        self._tell("refund_failed", refund)
        return refund

    def dispute(self, payment_key: str, reason: str = "fraudulent") -> Record:
        """The customer's bank takes the money back, and the provider its fee."""
        with self.world.lock:
            payment = self.payment(payment_key)
            row = {
                "provider": payment["provider"],
                "payment": payment_key,
                "amount": payment["amount"] - payment["refunded"],
                "currency": payment["currency"],
                "status": "open",
                "reason": reason,
                "created": self._time(),
                "due": self._time(self.world.now() + timedelta(days=9)),
            }
            dispute = self._keyed("disputes", "dp_", row)
            self._move(dispute, "dispute", dispute["key"], -dispute["amount"], DISPUTE_FEE, payment_key)
        self._tell("disputed", dispute)
        return dispute

    def decide(self, dispute_key: str, won: bool) -> Record:
        """The dispute is over; who won gets money and fee back."""
        with self.world.lock:
            dispute = self._known("disputes", dispute_key)
            if dispute["status"] != "open":
                raise PurseError("the dispute is decided")
            dispute = self.world.store.put("purse.disputes", {**dispute, "status": "won" if won else "lost"})
            if won:
                self._move(
                    dispute, "dispute_reversal", dispute_key, dispute["amount"], -DISPUTE_FEE, dispute["payment"]
                )
        self._tell("decided", dispute)
        return dispute

    def fee(self, provider: str, amount: int, title: str) -> Record:
        """A fee that stands alone, such as a subscription."""
        row = {"provider": provider, "currency": "EUR", "created": self._time()}
        with self.world.lock:
            return self._move(row, "fee", title, -amount, 0)

    def payout(self, provider: str, *, manual: bool = False, wrong: int = 0, at: datetime | None = None) -> Record:
        """Pay out what has come together by then; ``wrong`` makes it differ by so many cents from its items."""
        with self.world.lock:
            until = self._time(at)
            free = [row for row in self.moves(provider) if not row["payout"] and row["kind"] != "payout"]
            items = [row for row in free if row["created"] <= until]
            amount = sum(row["gross"] - row["fee"] for row in items) + wrong
            if amount <= 0:
                raise PurseError("there is nothing to pay out")
            row = {
                "provider": provider,
                "amount": amount,
                "currency": "EUR",
                "manual": manual,
                "status": "in_transit",
                "created": until,
            }
            payout = self._keyed("payouts", {"mollie": "stl_"}.get(provider, "po_"), row)
            for item in items:
                self.world.store.put("purse.moves", {**item, "payout": payout["key"]})
            self._move(payout, "payout", payout["key"], -amount, 0)
        self._tell("payout", payout)
        return payout

    def arrive(self, payout_key: str, at: datetime | None = None) -> Record:
        """The payout is in the bank."""
        with self.world.lock:
            payout = {**self._known("payouts", payout_key), "status": "paid", "arrived": self._time(at)}
            self.world.store.put("purse.payouts", payout)
        self._tell("payout_paid", payout)
        return payout

    def moves(self, provider: str) -> list[Record]:
        """All movements of a provider's balance, oldest first."""
        rows = self.world.store.where("purse.moves", "provider", provider)
        return sorted(rows, key=lambda row: (row["created"], row["id"]))

    def rows(self, table: str, provider: str) -> list[Record]:
        """The payments, refunds, disputes or payouts at a provider, oldest first."""
        rows = [row for row in self.world.store.rows(f"purse.{table}") if row["provider"] == provider]
        return sorted(rows, key=lambda row: (row["created"], row["id"]))

    def find(self, table: str, key: str) -> Record | None:
        """A record by the provider's id."""
        return next(iter(self.world.store.where(f"purse.{table}", "key", key)), None)

    def payment(self, key: str) -> Record:
        """A payment; PurseError where there is none."""
        return self._known("payments", key)

    def moves_of(self, provider: str, about: str) -> list[Record]:
        """The movements that one object has caused."""
        rows = self.world.store.where("purse.moves", "about", about)
        return [row for row in rows if row["provider"] == provider]

    def _known(self, table: str, key: str) -> Record:
        found = self.find(table, key)
        if found is None:
            raise PurseError(f"there is no {key}")
        return found

    def _keyed(self, table: str, prefix: str, row: Record) -> Record:
        number = self.world.store.next_id(f"purse.{table}")
        return self.world.store.put(f"purse.{table}", {"id": number, "key": f"{prefix}sandbox{number:06}", **row})

    def _move(self, of: Record, kind: str, about: str, gross: int, fee: int, payment: str = "") -> Record:
        created = of["created"] if kind in ("charge", "payout") else self._time()
        return self.world.store.add(
            "purse.moves",
            {
                "provider": of["provider"],
                "kind": kind,
                "about": about,
                "payment": payment or (about if kind == "charge" else ""),
                "gross": gross,
                "fee": fee,
                "currency": of["currency"],
                "created": created,
                "available": created + int(_WAIT.total_seconds()),
                "payout": "",
            },
        )

    def _time(self, at: datetime | None = None) -> int:
        return int((at or self.world.now()).timestamp())

    def _tell(self, what: str, record: Record) -> None:
        for listener in self.listeners:
            listener(record["provider"], what, record)
