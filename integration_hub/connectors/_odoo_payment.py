"""Register in Odoo that money for a sale came in or went back: an ``account.payment`` of the customer, posted.

Its memo (``ref`` before 18) holds our reference and key and is what we look for; Odoo does not keep it unique, so we look
before we create.  Matching it with the invoice is Odoo's business.  Source: odoo/odoo ``addons/account/models/account_payment.py``.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from integration_hub.kernel import fields
from integration_hub.kernel.errors import Misconfigured, Rejected
from integration_hub.kernel.funds import RegisterPayment
from integration_hub.kernel.messages import Written
from integration_hub.kernel.money import Money
from integration_hub.kernel.text import say

from ._odoo_cancel import gone, the_sale
from ._odoo_reports import name_of
from ._odoo_rpc import OdooRpc, Row

_PAYMENT = ["name", "state", "amount", "payment_type", "currency_id"]
_UNDONE = ("cancel", "canceled", "rejected")  # before 18, since, and what a bank sends back


@dataclass
class Cashier:
    """Registers one payment in the journal of this code."""

    rpc: OdooRpc
    journal: str
    command: RegisterPayment

    def find(self) -> Written | None:
        """The payment, unfinished where it is not posted."""
        found = self._payment(self._memo_field())
        if found is None:
            return None
        return _written(found, was_there=True, unfinished=found["state"] in ("draft", *_UNDONE))

    def register(self) -> Written:
        """The payment, posted.  Raises Rejected where somebody has cancelled or changed it."""
        memo = self._memo_field()
        found = self._payment(memo)
        was_there = found is not None
        if found is None:
            self.rpc.create("account.payment", self._values(memo))
            found = self._again(memo)
        if found["state"] in _UNDONE:
            raise Rejected(say("The payment was cancelled in Odoo."), code="payment_cancelled")
        if found["state"] == "draft":
            self._agrees(found)
            self.rpc.call("account.payment", "action_post", ids=[found["id"]])
            found = self._again(memo)
        if found["state"] == "draft":
            raise Rejected(say("Odoo did not post the payment %(name)s.", name=found["id"]), code="not_posted")
        return _written(found, was_there=was_there)

    def _memo_field(self) -> str:
        """Since 18 a payment has a memo of its own; before that it is the reference of its entry."""
        try:
            return "memo" if "memo" in self.rpc.known("account.payment", ["memo", "ref"]) else "ref"
        except Rejected:  # no such model
            raise Misconfigured(say("Odoo's Invoicing app is not there."), code="no_invoicing") from None

    def _memo(self) -> str:
        return f"{self.command.reference} [{self.command.key}]"

    def _payment(self, memo: str) -> Row | None:
        """The live payment with this memo, else one that was cancelled."""
        domain = [[memo, "=", self._memo()]]
        found = self.rpc.rows("account.payment", "search_read", domain=domain, names=_PAYMENT, order="id", limit=20)
        return min(found, key=lambda row: (row["state"] in _UNDONE, row["id"]), default=None)

    def _again(self, memo: str) -> Row:
        found = self._payment(memo)
        if found is None:
            raise Rejected(say("The payment is gone from Odoo."), code="payment_gone")
        return found

    @property
    def _type(self) -> str:
        return "inbound" if self.command.amount > 0 else "outbound"

    def _values(self, memo: str) -> Row:
        sale = the_sale(self.rpc, self.command.reference)
        if sale is None:
            raise gone()
        values = {
            "payment_type": self._type,
            "partner_type": "customer",
            "partner_id": sale["partner_id"][0],
            "amount": abs(self.command.amount),
            "currency_id": self._currency(),
            "date": self.command.paid_at.date().isoformat(),
            "journal_id": journal_of(self.rpc, self.journal),
            memo: self._memo(),
        }
        return {**values, "payment_reference": self.command.payment_id} if self.command.payment_id else values

    def _currency(self) -> int:
        domain = [["name", "=", self.command.currency]]
        rows = self.rpc.rows("res.currency", "search_read", domain=domain, names=["name"], limit=1)
        if not rows:
            words = say("The currency %(currency)s is not active in Odoo.", currency=self.command.currency)
            raise Rejected(words, code="currency_unknown_in_erp")
        return int(rows[0]["id"])

    def _agrees(self, found: Row) -> None:
        """Nothing else is posted than what is stated: Odoo rounds to what the currency has, and drafts can be edited."""
        wanted = abs(self.command.amount), self.command.currency, self._type
        there = _amount(found), name_of(found["currency_id"]), found["payment_type"]
        if there != wanted:
            words = say("The payment in Odoo says %(erp)s, it was %(paid)s.", erp=_money(there), paid=_money(wanted))
            raise Rejected(words, code="payment_differs")


def journal_of(rpc: OdooRpc, code: str) -> int:
    """The bank or cash journal of this short code; Misconfigured where there is none."""
    domain = [["code", "=", code], ["type", "in", ["bank", "cash", "credit"]]]
    rows = (
        rpc.rows("account.journal", "search_read", domain=domain, names=["name"], order="id", limit=1) if code else []
    )
    if not rows:
        words = say("The settings name no bank journal of Odoo's for payments (%(code)s).", code=code)
        raise Misconfigured(words, code="journal_missing")
    return int(rows[0]["id"])


def _amount(row: Row) -> Decimal:
    return fields.amount(row, "amount")


def _money(of: tuple[Decimal, str, str]) -> Money:
    return Money(of[0] if of[2] == "inbound" else -of[0], of[1])


def _written(found: Row, *, was_there: bool, unfinished: bool = False) -> Written:
    return Written(
        external_id=str(found["id"]),
        number=fields.words(found, "name"),
        vendor_status=fields.words(found, "state"),
        was_there=was_there,
        unfinished=unfinished,
    )
