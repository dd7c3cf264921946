"""Recognising who ordered: by the shop's own id, else by normalised e-mail; the rest is new."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from django.contrib.contenttypes.models import ContentType

from integration_hub.kernel.messages import Buyer
from integration_hub.models import Connection, ExternalReference

from .models import Customer

KIND = "customer"


def normalised_email(email: str) -> str:
    """Trimmed, composed, lower case; empty for what cannot be an address (too long is none: cut it would be another's)."""
    text = unicodedata.normalize("NFC", email.strip()).lower()
    return (
        text
        if len(text) <= 254 and text.count("@") == 1 and not text.startswith("@") and not text.endswith("@")
        else ""
    )


def recognise(connection: Connection, buyer: Buyer) -> Customer:
    """The customer of this buyer, made if unknown."""
    customer = named(connection, buyer.external_id) or with_email(normalised_email(buyer.email)) or _make(buyer)
    if buyer.external_id:
        _refer(connection, buyer.external_id, customer)
    return customer


def named(connection: Connection, external_id: str) -> Customer | None:
    """The customer that this system calls so."""
    if not external_id:
        return None
    found = ExternalReference.objects.filter(connection=connection, kind=KIND, external_id=external_id[:120]).first()
    return Customer.objects.filter(pk=found.subject_id).first() if found else None


def with_email(email: str) -> Customer | None:
    return Customer.objects.filter(email=email).first() if email else None


def by_emails(emails: set[str]) -> dict[str, Customer]:
    """The customers of these normalised e-mails, by e-mail."""
    return {row.email: row for row in Customer.objects.filter(email__in=emails)} if emails else {}


def make_all(buyers: Sequence[Buyer]) -> dict[str, Customer]:
    """Customers for buyers with different e-mails, by e-mail; who was made meanwhile is taken as found."""
    rows = [_fresh(buyer) for buyer in buyers]
    Customer.objects.bulk_create(rows, ignore_conflicts=True)
    return by_emails({row.email for row in rows})


def rival(customer: Customer, buyer: Buyer) -> Customer | None:
    """Another customer who has this buyer's e-mail: then it is unclear who ordered."""
    if not buyer.external_id:
        return None  # recognised by the e-mail itself
    other = with_email(normalised_email(buyer.email))
    return other if other and other.pk != customer.pk and customer.email else None


def _fresh(buyer: Buyer) -> Customer:
    return Customer(
        name=buyer.name[:200],
        company=buyer.company[:200],
        email=normalised_email(buyer.email),
        phone=buyer.phone[:60],
        vat_id=buyer.vat_id[:20],
    )


def _make(buyer: Buyer) -> Customer:
    fresh = _fresh(buyer)
    Customer.objects.bulk_create([fresh], ignore_conflicts=bool(fresh.email))
    return fresh if fresh.pk else Customer.objects.get(email=fresh.email)


def _refer(connection: Connection, external_id: str, customer: Customer) -> None:
    reference = ExternalReference(
        connection=connection,
        kind=KIND,
        external_id=external_id[:120],
        subject_type=ContentType.objects.get_for_model(Customer),
        subject_id=customer.pk,
    )
    ExternalReference.objects.bulk_create([reference], ignore_conflicts=True)
