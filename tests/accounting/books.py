"""Books for tests: a seller, a number range, a channel where the hub issues, and orders in any shape."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from accounting import shipped
from accounting.models import Document, IssuingRule, NumberRange, Seller
from accounting.services import issuing
from accounting.services.planning import Delivery
from integration_hub.models import Connection
from inventory.models import Variant
from orders.models import Order, OrderAddress
from tests import spine, standin

SELLER = {
    "valid_from": "2020-01-01",
    "name": "Musterladen GmbH",
    "street": "Ladenstraße 1",
    "postal_code": "10115",
    "city": "Berlin",
    "country": "DE",
    "tax_number": "29/123/45678",
    "vat_id": "DE136695976",
    "email": "buchhaltung@example.com",
    "phone": "+49 30 123456",
    "contact": "Ina Muster",
    "bank": "Hausbank",
    "iban": "DE02120300000000202051",
    "bic": "BYLADEM1001",
}


def seller(**changes: Any) -> Seller:
    shipped.sync()
    values = SELLER | changes
    return Seller.objects.update_or_create(valid_from=values["valid_from"], defaults=values)[0]


def numbers(name: str = "Rechnungen", pattern: str = "RE-{year}-{number}") -> NumberRange:
    return NumberRange.objects.get_or_create(name=name, defaults={"pattern": pattern, "digits": 4})[0]


def rule(channel: Connection, **changes: Any) -> IssuingRule:
    """The hub issues in this channel, in a world with a seller."""
    seller()
    values: dict[str, Any] = {"invoices": numbers(), "trigger": "CONFIRMED"} | changes
    return IssuingRule.objects.update_or_create(channel=channel, defaults=values)[0]


def line(gross: str, rate: str = "0.19", *, tax: str | None = None, kind: str = "ITEM", **more: Any) -> dict[str, Any]:
    """A line in the stand-in's JSON: gross, and the tax in it as a shop computes it."""
    whole, share = Decimal(gross), Decimal(rate)
    amount = Decimal(tax) if tax is not None else (whole * share / (1 + share)).quantize(Decimal("0.01"))
    base = {"id": "1", "kind": kind, "title": "Ware", "quantity": "1", "price": gross, "rate": rate}
    return base | {"net": str(whole - amount), "tax": str(amount)} | more


def ordered(shop: Connection, number: int, *lines: dict[str, Any], **changes: Any) -> Order:
    """An order of these lines; ``country``, ``vat_id``, ``company`` and whatever the stand-in takes."""
    vat_id, company = changes.pop("vat_id", ""), changes.pop("company", "")
    country = changes.pop("country", "DE")
    numbered = [one | {"id": str(at)} for at, one in enumerate(lines, 1)]
    total = sum((Decimal(one["net"]) + Decimal(one["tax"]) for one in numbered), Decimal(0))
    tax = sum((Decimal(one["tax"]) for one in numbered), Decimal(0))
    said = standin.order(number, lines=numbered, total=str(total), total_tax=str(tax)) | changes
    spine.say(shop, said)
    spine.run()
    order = Order.objects.get(channel=shop, external_id=str(number))
    OrderAddress.objects.filter(order=order).update(country=country, company=company)
    if vat_id:
        Order.objects.filter(pk=order.pk).update(buyer=order.buyer | {"vat_id": vat_id})
    return Order.objects.get(pk=order.pk)


def article(sku: str, **more: Any) -> Variant:
    return Variant.objects.create(sku=sku, title=sku, **more)


def arguments() -> dict[str, list[Any]]:
    """What the addresses of the pages of documents need: an issued document and its range."""
    order = Order.objects.earliest("pk")
    rule(order.channel)
    document = Document.objects.filter(state="ISSUED", kind="INVOICE").first() or issuing.issue(Delivery(order.pk))
    return {
        "document": [document.pk],
        "document_file": [document.pk, "XML"],
        "document_action": [document.pk, "accounting.cancel"],
        "number_range_action": [numbers().pk, "accounting.void_numbers"],
        "order_document_action": [order.pk, "accounting.record_elsewhere"],
    }
