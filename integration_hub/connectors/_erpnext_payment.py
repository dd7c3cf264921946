"""Register in ERPNext that money for a sale came in or went back: a Payment Entry of the customer, submitted.

Its ``reference_no`` holds our reference and key and is what we look for; ERPNext does not keep it unique, so we look before we
create.  What comes in is set against the sales order as far as that is not paid or billed yet, as ERPNext's own button does it.
Source: frappe/erpnext ``accounts/doctype/payment_entry/payment_entry.py``.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from integration_hub.kernel import fields
from integration_hub.kernel.errors import Misconfigured, Rejected
from integration_hub.kernel.funds import RegisterPayment
from integration_hub.kernel.messages import Written
from integration_hub.kernel.money import Money
from integration_hub.kernel.text import say

from ._erpnext_api import CANCELLED, DRAFT, SUBMITTED, ErpNextApi, Row
from ._erpnext_notes import ZERO, gone
from ._erpnext_writer import the_company, the_sale

_PAYMENT = ["docstatus", "status", "payment_type", "paid_amount", "paid_from_account_currency", "modified"]
_ACCOUNT = ["account_type", "account_currency", "company", "is_group"]
_ACCOUNT_OF = "erpnext.accounts.party.get_party_account"


@dataclass
class Cashier:
    """Registers one payment at the account of the settings."""

    api: ErpNextApi
    config: Any
    command: RegisterPayment

    def find(self) -> Written | None:
        """The payment, unfinished where it is not submitted."""
        found = self._payment()
        if found is None:
            return None
        return _written(found, was_there=True, unfinished=found["docstatus"] != SUBMITTED)

    def register(self) -> Written:
        """The payment, submitted.  Raises Rejected where somebody has cancelled or changed it."""
        found = self._payment()
        was_there = found is not None
        if found is None:
            found = self.api.create("Payment Entry", self._values())
        if found["docstatus"] == CANCELLED:
            raise Rejected(say("The payment was cancelled in ERPNext."), code="payment_cancelled")
        if found["docstatus"] == DRAFT:
            self._agrees(found)
            found = self.api.update("Payment Entry", found, {"docstatus": SUBMITTED})
        return _written(found, was_there=was_there)

    @property
    def _memo(self) -> str:
        return f"{self.command.reference} [{self.command.key}]"

    @property
    def _type(self) -> str:
        return "Receive" if self.command.amount > 0 else "Pay"

    def _payment(self) -> Row | None:
        """The live payment with this reference, else one that was cancelled."""
        filters = [["reference_no", "=", self._memo]]
        found = self.api.rows("Payment Entry", _PAYMENT, filters, order="creation asc", limit=20)
        return min(found, key=lambda row: row["docstatus"] == CANCELLED, default=None)

    def _values(self) -> Row:
        more = ("customer", "advance_paid", "per_billed")
        sale = the_sale(self.api, self.config, self.command.reference, *more)
        if sale is None:
            raise gone()
        company = the_company(self.api, self.config.company)
        bank = account_of(self.api, self.config.payment_account, company["name"])
        if not self.command.currency == bank["account_currency"] == company["default_currency"]:
            words = say("ERPNext takes no payment in %(currency)s at this account.", currency=self.command.currency)
            raise Rejected(words, code="currency_unknown_in_erp")
        party = {"party_type": "Customer", "party": sale["customer"], "company": company["name"]}
        own = self.api.call(_ACCOUNT_OF, **party)
        ends = (own, bank["name"]) if self.command.amount > 0 else (bank["name"], own)
        day = self.api.day(self.command.paid_at).isoformat()
        money = abs(self.command.amount)
        return {
            **party,
            "payment_type": self._type,
            "posting_date": day,
            "paid_from": ends[0],
            "paid_to": ends[1],
            "paid_amount": money,
            "received_amount": money,
            "source_exchange_rate": 1,
            "target_exchange_rate": 1,
            "reference_no": self._memo,
            "reference_date": day,
            "custom_remarks": 1,
            "remarks": self.command.payment_id or self._memo,
            "references": self._references(sale),
        }

    def _references(self, sale: Row) -> list[Row]:
        """Against the order, as far as it is not paid; a billed one is matched with its invoice in ERPNext."""
        open_amount = fields.amount(sale, "grand_total") - fields.amount(sale, "advance_paid", ZERO)
        allocated = min(self.command.amount, open_amount)
        if allocated <= 0 or sale["docstatus"] != SUBMITTED or fields.amount(sale, "per_billed", ZERO) > 0:
            return []
        at = {"reference_doctype": "Sales Order", "reference_name": sale["name"]}
        return [{**at, "allocated_amount": allocated}]

    def _agrees(self, found: Row) -> None:
        """Nothing else is submitted than what is stated: drafts can be edited."""
        wanted = abs(self.command.amount), self.command.currency, self._type
        there = fields.amount(found, "paid_amount"), found["paid_from_account_currency"], found["payment_type"]
        if there != wanted:
            erp, paid = _money(there), _money(wanted)
            words = say("The payment in ERPNext says %(erp)s, it was %(paid)s.", erp=erp, paid=paid)
            raise Rejected(words, code="payment_differs")


def account_of(api: ErpNextApi, name: str, company: str) -> Row:
    """The bank or cash account of the settings; Misconfigured where there is none."""
    found = api.rows("Account", _ACCOUNT, [["name", "=", name], ["company", "=", company]], limit=1) if name else []
    if not found or found[0]["is_group"] or found[0]["account_type"] not in ("Bank", "Cash"):
        words = say("The settings name no bank account of ERPNext's for payments (%(name)s).", name=name)
        raise Misconfigured(words, code="account_missing")
    return found[0]


def _money(of: tuple[Decimal, str, str]) -> Money:
    return Money(of[0] if of[2] == "Receive" else -of[0], of[1])


def _written(found: Row, *, was_there: bool, unfinished: bool = False) -> Written:
    name = fields.identifier(found, "name")
    status = fields.words(found, "status")
    return Written(external_id=name, number=name, vendor_status=status, was_there=was_there, unfinished=unfinished)
