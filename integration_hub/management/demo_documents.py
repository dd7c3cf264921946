"""The demo merchant's books: who the seller is, two number ranges, and a rule for each shop."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from accounting.models import IssuingRule, NumberRange, Seller
from accounting.services import due
from accounting.states import SharedTax, Trigger
from integration_hub.models import Connection

_SELLER = {
    "name": "Teekontor Nord GmbH",
    "street": "Speicherstraße 12",
    "postal_code": "20457",
    "city": "Hamburg",
    "country": "DE",
    "tax_number": "27/123/45678",
    "vat_id": "DE136695976",
    "register": "HRB 123456, Amtsgericht Hamburg",
    "managers": "Ina Muster",
    "contact": "Buchhaltung",
    "phone": "+49 40 1234567",
    "email": "buchhaltung@teekontor.example",
    "bank": "Hausbank Hamburg",
    "iban": "DE02120300000000202051",
    "bic": "BYLADEM1001",
    "oss": True,
}
# the one shop bills what has left the house, the other what is paid
_TRIGGERS = {"laden": Trigger.SHIPPED, "teehaus": Trigger.PAID}


def make(connections: Mapping[str, Connection]) -> None:
    """Set the books up once; what a person has changed stays."""
    Seller.objects.get_or_create(valid_from=date(2020, 1, 1), defaults=_SELLER)
    for slug, trigger in _TRIGGERS.items():
        shop = connections[slug]
        invoices = _numbers(f"Rechnungen {shop.name}", f"{slug[:1].upper()}R-{{year}}-{{number}}")
        corrections = _numbers(f"Korrekturen {shop.name}", f"{slug[:1].upper()}K-{{year}}-{{number}}")
        IssuingRule.objects.get_or_create(
            channel=shop,
            defaults={
                "trigger": trigger,
                "invoices": invoices,
                "corrections": corrections,
                "shared_tax": SharedTax.STATED,
            },
        )
    due.sweep()


def _numbers(name: str, pattern: str) -> NumberRange:
    return NumberRange.objects.get_or_create(name=name, defaults={"pattern": pattern})[0]
