"""Buyer and seller as they are printed, and what section 14 UStG wants that is missing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from integration_hub.kernel.text import Text, say
from orders.models import AddressRole, Order

from ..models import Seller
from ..states import DocumentKind, TaxCase

_ADDRESS = ("name", "company", "street", "street2", "postal_code", "city", "region", "country")
_SELLER = (
    "name street postal_code city country tax_number vat_id register managers contact phone email bank iban bic"
).split()


def seller_on(day: date, known: Sequence[Seller] | None = None) -> Seller | None:
    """Who the merchant is on that day; None where nobody has said so."""
    rows = Seller.objects.order_by("-valid_from") if known is None else known
    return next((row for row in rows if row.valid_from <= day), None)


def printed_seller(seller: Seller) -> dict[str, str]:
    return {name: str(getattr(seller, name)) for name in _SELLER}


def printed_buyer(order: Order) -> dict[str, str]:
    """The billing address with the buyer's e-mail and VAT id; ``routing_id`` where the shop passes one on."""
    found = _address(order, AddressRole.BILLING)
    buyer: Mapping[str, Any] = order.buyer or {}
    return found | {
        "email": found["email"] or str(buyer.get("email", "")),
        "name": found["name"] or ("" if found["company"] else str(buyer.get("name", ""))),
        "vat_id": str(buyer.get("vat_id", "")).replace(" ", "").upper(),
        "routing_id": str(buyer.get("routing_id", "")),
    }


def printed_delivery(order: Order) -> dict[str, str]:
    """Where it is delivered: the shipping address, else the billing address."""
    found = _address(order, AddressRole.SHIPPING)
    return found if found["country"] else _address(order, AddressRole.BILLING)


def _address(order: Order, role: str) -> dict[str, str]:
    row = next((one for one in order.addresses.all() if one.role == role), None)
    return {name: getattr(row, name, "") or "" for name in (*_ADDRESS, "email")}


def missing(
    kind: str, seller: Mapping[str, Any], buyer: Mapping[str, Any], cases: Iterable[str], delivery: Mapping[str, Any]
) -> list[Text]:
    """The mandatory fields that are not there: 14 (4), 14a UStG; 33 UStDV for small amounts."""
    wanted = [
        *_of_seller(seller),
        *([] if kind == DocumentKind.SMALL_INVOICE else _of_buyer(buyer)),
        *_of_cases(set(cases), seller, buyer),
    ]
    return wanted + ([] if delivery.get("country") else [say("the country of delivery")])


def _of_seller(seller: Mapping[str, Any]) -> list[Text]:
    named = {
        "name": say("the seller's name"),
        "street": say("the seller's street"),
        "postal_code": say("the seller's postal code"),
        "city": say("the seller's city"),
    }
    found = [text for field, text in named.items() if not seller.get(field)]
    return found + (
        [] if seller.get("tax_number") or seller.get("vat_id") else [say("the seller's tax number or VAT id")]
    )


def _of_buyer(buyer: Mapping[str, Any]) -> list[Text]:
    named = {
        "street": say("the buyer's street"),
        "city": say("the buyer's city"),
        "country": say("the buyer's country"),
    }
    found = [text for field, text in named.items() if not buyer.get(field)]
    return found + ([] if buyer.get("name") or buyer.get("company") else [say("the buyer's name")])


def _of_cases(cases: set[str], seller: Mapping[str, Any], buyer: Mapping[str, Any]) -> list[Text]:
    """Section 14a (3): both VAT ids on an intra-community supply and where the recipient owes the tax."""
    if not cases & {TaxCase.EU_B2B, TaxCase.EU_B2B_SERVICE}:
        return []
    ids = {"seller": seller.get("vat_id"), "buyer": buyer.get("vat_id")}
    texts = {"seller": say("the seller's VAT id"), "buyer": say("the buyer's VAT id")}
    return [texts[who] for who, value in ids.items() if not value]
