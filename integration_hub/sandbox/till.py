"""The money around the shops: who pays an order where, daily payouts, the merchant's bank account, and levers to pull."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Protocol
from urllib.parse import urljoin
from xml.sax.saxutils import escape

from .basket import Basket
from .hooks import is_local
from .http import Response
from .purse import Paid, Purse
from .store import Record

# which provider a shop's way to pay leads to
PROVIDERS = {
    ("woo", "stripe"): "stripe",
    ("woo", "paypal"): "paypal",
    ("shopify", "stripe"): "mollie",
    ("shopify", "paypal"): "paypal",
}
IBAN = "DE89370400440532013000"
OPENING = 1_000_000  # cents on the account before the first line
DAYS_TO_BANK = timedelta(days=2)
_STATEMENT = """<Stmt><Id>SANDBOX-{number}</Id><ElctrncSeqNb>{number}</ElctrncSeqNb><Acct><Id><IBAN>{iban}</IBAN></Id><Ccy>EUR</Ccy></Acct>
{opening}{closing}{entries}</Stmt>"""
_BALANCE = """<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp><Amt Ccy="EUR">{amount}</Amt><CdtDbtInd>{mark}</CdtDbtInd><Dt><Dt>{day}</Dt></Dt></Bal>
"""
_ENTRY = """<Ntry><Amt Ccy="EUR">{amount}</Amt><CdtDbtInd>{mark}</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>{day}</Dt></BookgDt><ValDt><Dt>{day}</Dt></ValDt>
<AcctSvcrRef>SB{id:08}</AcctSvcrRef><NtryDtls><TxDtls><Refs><EndToEndId>{e2e}</EndToEndId></Refs><RltdPties><Dbtr><Pty><Nm>{name}</Nm></Pty></Dbtr></RltdPties>
<RmtInf><Ustrd>{text}</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry>
"""
_DOCUMENT = """<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt><GrpHdr><MsgId>SANDBOX</MsgId></GrpHdr>
{statements}</BkToCstmrStmt></Document>
"""


class Provider(Protocol):
    """What the levers need of a played provider."""

    def subscribe(self, url: str, secret: str) -> Record: ...


class Till:
    """Takes the money of orders, pays it out and keeps the bank account."""

    def __init__(self, purse: Purse, providers: Mapping[str, Provider]) -> None:
        self._purse = purse
        self._providers = providers
        self._world = purse.world

    def placed(self, shop: str, order: Record, basket: Basket) -> None:
        """An order was placed: who pays by card or PayPal has paid by now."""
        provider = PROVIDERS.get((shop, basket.payment))
        if provider and not basket.trouble:
            number = str(order.get("name") or order["number"])
            buyer = basket.buyer
            paid = Paid(shop, int(order["id"]), number, _cents(basket.total), basket.currency,
                        f"{buyer.first} {buyer.last}", buyer.email, buyer.country)  # fmt: skip
            self._purse.pay(provider, paid, basket.placed_at)

    def transferred(self, order: Record, basket: Basket, at: datetime) -> None:
        """A customer's transfer arrives at the bank."""
        number = str(order.get("name") or order["number"])
        text = f"Bestellung {number}"
        self._book(_cents(basket.total), f"{basket.buyer.first} {basket.buyer.last}", text, number.strip("#"), at)

    def routes(self) -> list[tuple[str, str, Callable[..., Any]]]:
        """The levers under /control/money and /control/bank."""
        purse = self._purse
        return [
            ("POST", "/control/money/subscribe", self._subscribe),
            ("POST", "/control/money/refund", lambda given: purse.refund(given["payment"], int(given["amount"]))),
            ("POST", "/control/money/fail", lambda given: purse.fail_refund(given["refund"])),
            ("POST", "/control/money/dispute", lambda given: purse.dispute(given["payment"])),
            ("POST", "/control/money/decide", lambda given: purse.decide(given["dispute"], bool(given.get("won")))),
            ("POST", "/control/money/fee", lambda given: purse.fee(given["provider"], int(given["amount"]), "fee")),
            ("POST", "/control/money/payout", self._payout),
            ("POST", "/control/money/arrive", lambda given: self.arrive(given["payout"])),
            ("POST", "/control/money/history", self._history),
            ("GET", "/control/money", self._state),
            ("GET", "/control/bank/statement", lambda given: _xml(self.statements())),
            ("GET", "/control/bank/statement/{number}", lambda given, number: _xml(self.statements(number))),
        ]

    def _state(self, given: Record) -> Record:
        tables = ("payments", "refunds", "disputes", "payouts")
        return {table: self._world.store.rows(f"purse.{table}") for table in tables}

    def _subscribe(self, given: Record) -> Record:
        """Send a provider's webhooks to ``url`` (absolute, or a path of the hub's), signed with ``secret``."""
        url = urljoin(f"{self._world.hub}/", given["url"])
        if not is_local(url):
            raise ValueError("webhooks go to this machine only")
        return {"subscription": self._providers[given["provider"]].subscribe(url, given.get("secret", ""))["id"]}

    def _payout(self, given: Record) -> Record:
        manual, wrong = bool(given.get("manual")), int(given.get("wrong") or 0)
        return self._purse.payout(given["provider"], manual=manual, wrong=wrong)

    def arrive(self, payout_key: str, at: datetime | None = None) -> Record:
        """A payout reaches the bank account."""
        payout = self._purse.arrive(payout_key, at)
        name = {"stripe": "STRIPE PAYMENTS EUROPE", "paypal": "PAYPAL EUROPE", "mollie": "STICHTING MOLLIE PAYMENTS"}
        reference = f"SANDBOX.{payout['id']:04}.{payout_key}" if payout["provider"] == "mollie" else payout_key
        text = f"{payout['provider'].upper()} {reference}"
        self._book(payout["amount"], name[payout["provider"]], text, payout_key, at or self._world.now())
        return payout

    def _history(self, given: Record) -> Record:
        """Pay out what was earned so far: every provider once a week, the last time by hand at Stripe."""
        now, made = self._world.now(), 0
        for days in range(int(given.get("days") or 45), 0, -7):
            for provider in self._providers:
                at = now - timedelta(days=days)
                if self._owed(provider, at) > 0:
                    payout = self._purse.payout(provider, at=at, manual=provider == "stripe" and days < 8)
                    made += 1
                    if at + DAYS_TO_BANK < now:
                        self.arrive(payout["key"], at + DAYS_TO_BANK)
        return {"payouts": made}

    def _owed(self, provider: str, at: datetime) -> int:
        until = int(at.timestamp())
        rows = self._purse.moves(provider)
        free = [row for row in rows if not row["payout"] and row["kind"] != "payout" and row["created"] <= until]
        return sum(row["gross"] - row["fee"] for row in free)

    def _book(self, amount: int, name: str, text: str, e2e: str, at: datetime) -> Record:
        row = {"day": at.astimezone(UTC).date().isoformat(), "amount": amount, "name": name, "text": text, "e2e": e2e}
        return self._world.store.add("bank.lines", row)

    def statements(self, number: int = 0) -> str:
        """A CAMT.053 file with a statement per day that has lines; ``number`` is one day's alone."""
        lines = sorted(self._world.store.rows("bank.lines"), key=lambda row: (row["day"], row["id"]))
        days = sorted({row["day"] for row in lines})
        balance, found = OPENING, []
        for place, day in enumerate(days, 1):
            of_day = [row for row in lines if row["day"] == day]
            after = balance + sum(row["amount"] for row in of_day)
            found.append((place, _statement(place, day, balance, after, of_day)))
            balance = after
        return _DOCUMENT.format(statements="".join(text for place, text in found if number in (0, place)))


def _statement(number: int, day: str, before: int, after: int, lines: list[Record]) -> str:
    entries = "".join(_ENTRY.format(**_escaped(row), **_amount(row["amount"])) for row in lines)
    evening = date.fromisoformat(day)
    opening = _BALANCE.format(code="OPBD", day=evening, **_amount(before))
    closing = _BALANCE.format(code="CLBD", day=evening, **_amount(after))
    return _STATEMENT.format(number=number, iban=IBAN, opening=opening, closing=closing, entries=entries)


def _escaped(row: Record) -> Record:
    return {name: escape(value) if isinstance(value, str) else value for name, value in row.items() if name != "amount"}


def _amount(cents: int) -> Record:
    return {"amount": Decimal(abs(cents)).scaleb(-2), "mark": "CRDT" if cents >= 0 else "DBIT"}


def _cents(amount: Decimal) -> int:
    return int(amount.scaleb(2))


def _xml(text: str) -> Response:
    return Response(200, text.encode(), {"Content-Type": "application/xml; charset=utf-8"})
