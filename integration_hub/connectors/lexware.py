"""Lexware Office (formerly lexoffice): documents become vouchers in its bookkeeping, each once.

Sources: developers.lexware.io (vouchers, voucherlist, posting-categories, profile).  There is no idempotency key and a
voucher's number is not unique there, so the hub writes its own key into the remark and looks for it before it writes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, ClassVar

from integration_hub.kernel import fields
from integration_hub.kernel.books import VoucherPart, WriteVoucher
from integration_hub.kernel.errors import HubError, Rejected, Unsupported
from integration_hub.kernel.fields import Object
from integration_hub.kernel.messages import Command, Report, Written
from integration_hub.kernel.text import Text, say

from ._lexware_api import Api
from .base import Capability, Connector, Delivery, Finding, Role, option
from .http import Http

MOST = 250  # vouchers of one number that are looked through


@dataclass(frozen=True, kw_only=True)
class LexwareConfig:
    """One company at Lexware Office, and which of its posting categories takes what."""

    api_key: str = option(
        say("API key"), secret=True, help=say("Lexware Office, Extensions, Public API. A key lives at most 24 months.")
    )
    goods: str = option(
        say("Posting category of sales"),
        help=say("Its id; the connection test lists all that Lexware Office offers. It must allow splitting."),
    )
    community: str = option(
        say("Posting category of intra-community supplies"), default="", help=say("Empty: such documents are refused.")
    )
    export: str = option(say("Posting category of exports"), default="", help=say("Empty: such documents are refused."))
    distance: str = option(
        say("Posting category of distance sales (OSS)"), default="", help=say("Empty: such documents are refused.")
    )
    reverse: str = option(
        say("Posting category of services with reverse charge"),
        default="",
        help=say("Empty: such documents are refused."),
    )
    unchecked: bool = option(
        say("Vouchers wait for a check there"), default=False, help=say("They come in as “to be checked”.")
    )
    url: str = option(say("Address of the interface"), default="https://api.lexware.io/v1")


# which option names the category of a tax case; what is not here cannot be told to Lexware
_OPTION: Mapping[str, str] = {
    "DOMESTIC": "goods",
    "EU_BELOW_THRESHOLD": "goods",
    "SMALL_BUSINESS": "goods",
    "EU_B2B": "community",
    "EXPORT": "export",
    "OSS": "distance",
    "EU_B2B_SERVICE": "reverse",
    "DOMESTIC_REVERSE_CHARGE": "reverse",
}


class Lexware(Connector):
    """The books of one company."""

    code: ClassVar[str] = "lexware"
    label: ClassVar[str] = "Lexware Office"
    roles: ClassVar[frozenset[Role]] = frozenset({Role.BOOKS})
    capabilities: ClassVar[frozenset[Capability]] = frozenset({Capability.WRITE_VOUCHER})
    cannot: ClassVar[tuple[Text, ...]] = (
        say("Payments cannot be booked over the interface of Lexware Office; assign them there."),
        say("The images of documents are not uploaded; they stay downloadable here."),
        say("A voucher that was changed or deleted there is not noticed here."),
        say("Vouchers are written in euro only."),
        say("Vouchers (Gutscheine) and deposits of their own need a posting that the interface does not offer."),
    )
    Config = LexwareConfig
    config: LexwareConfig

    def __init__(self, config: LexwareConfig, http: Http) -> None:
        super().__init__(config, http)
        http.base_url = config.url.strip().rstrip("/")
        http.headers = {**http.headers, "Authorization": f"Bearer {config.api_key}"}
        self.api = Api(http)

    def parse(self, delivery: Delivery) -> Sequence[Report]:
        raise Rejected(say("%(system)s reports nothing to us.", system=self.label), code="unreadable")

    def send(self, command: Command) -> Written:
        voucher = _voucher(command)
        body = self._body(voucher)
        if known := self.find(voucher):
            return known
        made = self.api.write("/vouchers", body)
        return Written(external_id=fields.identifier(made, "id"), number=voucher.number, vendor_status="open")

    def find(self, command: Command) -> Written | None:
        voucher = _voucher(command)
        params = {
            "voucherType": "salescreditnote" if voucher.credit else "salesinvoice",
            "voucherStatus": "any",
            "voucherNumber": voucher.number,
            "size": MOST,
        }
        for one in fields.children(self.api.read("/voucherlist", params), "content"):
            found = self.api.read(f"/vouchers/{fields.identifier(one, 'id')}")
            if _mark(voucher) in fields.words(found, "remark", 5000):
                status = fields.words(found, "voucherStatus", 60)
                external_id = fields.identifier(found, "id")
                return Written(external_id=external_id, number=voucher.number, vendor_status=status, was_there=True)
        return None

    def check(self) -> Sequence[Finding]:
        try:
            profile = self.api.read("/profile")
            offered = {fields.identifier(one, "id"): one for one in self.api.rows("/posting-categories")}
        except HubError as error:
            return (Finding(False, error.text),)
        company = fields.words(profile, "companyName", 120)
        if not company:
            return (Finding(False, say("The address answers, but names no company.")),)
        return (
            Finding(True, say("Lexware Office answers for %(company)s.", company=company)),
            *self._categories(offered),
        )

    def _categories(self, offered: Mapping[str, Object]) -> list[Finding]:
        found = []
        for name in ("goods", "community", "export", "distance", "reverse"):
            wanted = str(getattr(self.config, name)).strip()
            if wanted:
                found.append(_category(wanted, offered.get(wanted)))
        if not all(finding.ok for finding in found):
            income = [one for one in offered.values() if fields.words(one, "type", 20) == "income"]
            names = ", ".join(f"{fields.words(one, 'name', 80)} = {fields.words(one, 'id', 80)}" for one in income[:60])
            found.append(Finding(False, say("Lexware Office offers: %(names)s", names=names)))
        return found

    def _body(self, voucher: WriteVoucher) -> dict[str, Any]:
        if voucher.currency != "EUR":
            words = say("Lexware Office takes vouchers in euro only, not in %(currency)s.", currency=voucher.currency)
            raise Rejected(words, code="other_currency")
        return {
            "type": "salescreditnote" if voucher.credit else "salesinvoice",
            **({"voucherStatus": "unchecked"} if self.config.unchecked else {}),
            "voucherNumber": voucher.number,
            "voucherDate": _day(voucher.issued_on),
            "shippingDate": _day(voucher.supplied_on),
            "dueDate": _day(voucher.issued_on),
            "totalGrossAmount": voucher.gross,
            "totalTaxAmount": voucher.tax,
            "taxType": "gross",
            "useCollectiveContact": True,
            "remark": _remark(voucher),
            "voucherItems": [self._item(part) for part in voucher.parts],
        }

    def _item(self, part: VoucherPart) -> dict[str, Any]:
        percent = (part.rate * 100).normalize()
        return {
            "amount": part.gross,
            "taxAmount": part.tax,
            "taxRatePercent": Decimal(format(percent, "f")),
            "categoryId": self._category_of(part.case),
        }

    def _category_of(self, case: str) -> str:
        name = _OPTION.get(case)
        if name is None:
            words = say("Lexware Office has no posting for what this document holds (%(case)s).", case=case)
            raise Unsupported(words, code="no_posting")
        wanted = str(getattr(self.config, name)).strip()
        if not wanted:
            words = say("No posting category is named for this kind of sale (%(case)s).", case=case)
            raise Rejected(words, code="no_category")
        return wanted


def _voucher(command: Command) -> WriteVoucher:
    if not isinstance(command, WriteVoucher):
        raise Unsupported(say("%(system)s cannot carry this out.", system=Lexware.label))
    return command


def _mark(voucher: WriteVoucher) -> str:
    """What the remark begins with; closed on both sides, so that no key is part of another."""
    return f"[hub:{voucher.key}]"


def _remark(voucher: WriteVoucher) -> str:
    return f"{_mark(voucher)} {voucher.order_number}".strip()


def _day(day: date) -> str:
    return day.isoformat()


def _category(wanted: str, found: Object | None) -> Finding:
    if found is None:
        return Finding(False, say("Lexware Office knows no posting category %(id)s.", id=wanted))
    name = fields.words(found, "name", 120)
    if fields.words(found, "type", 20) != "income":
        return Finding(False, say("The posting category %(name)s is not one of income.", name=name))
    if not fields.flag(found, "splitAllowed"):
        return Finding(False, say("The posting category %(name)s does not allow several rates.", name=name))
    return Finding(True, say("Posting category: %(name)s", name=name))
