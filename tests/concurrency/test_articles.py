"""Articles under fire: one number is one article, no bundle closes a circle, and a mapping misses no order."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from integration_hub.backoffice.actions import perform
from integration_hub.messaging import pump
from integration_hub.models import Connection, User
from inventory.article_actions import MAP
from inventory.models import BundlePart, Listing, Variant
from orders.models import Order
from tests import spine, standin
from tests.inventory.catalogue import says

from .together import together

pytestmark = pytest.mark.django_db(transaction=True)


def reports(connection: Connection, number: int, sku: str) -> None:
    found = {"id": str(number), "sku": sku, "title": f"Sieb {number}"}
    spine.say(connection, found, topic="product.polled" if connection.role == "ERP" else "product.updated")


def test_two_halves_of_a_circle_never_stand_side_by_side() -> None:
    refused: list[IntegrityError] = []

    def put(bundle: Variant, part: Variant) -> None:
        try:
            with transaction.atomic():
                BundlePart.objects.create(bundle=bundle, part=part, quantity=Decimal(1))
        except IntegrityError as error:
            refused.append(error)

    for number in range(6):
        a, b = (Variant.objects.create(sku=f"{side}{number}", title="x", kind="BUNDLE") for side in "AB")
        together(lambda a=a, b=b: put(a, b), lambda a=a, b=b: put(b, a))  # type: ignore[misc]
        assert (BundlePart.objects.count(), len(refused)) == (number + 1, number + 1)


def test_articles_that_come_in_at_once_are_made_once(erp: Connection, shop: Connection) -> None:
    for number in range(8):
        reports(erp, number, f"TK-{number % 4}")  # each number twice: the second is another product of the ERP
        reports(shop, number, f"TK-{number}")
    together(*[lambda: pump.run("in")] * 4)
    spine.later()
    assert sorted(Variant.objects.values_list("sku", flat=True)) == ["TK-0", "TK-1", "TK-2", "TK-3"]
    assert spine.open_cases() == [("sku_twice", 1)] * 4
    linked = Listing.objects.filter(connection=erp).exclude(variant=None)
    assert linked.count() == 4
    known = Listing.objects.filter(connection=shop, variant__isnull=False)
    assert sorted(known.values_list("external_id", flat=True)) == ["0", "1", "2", "3"]


def test_a_listing_is_mapped_while_orders_of_it_come(
    joined: Connection, erp: Connection, world: standin.World, person: Callable[..., User]
) -> None:
    says(erp, id="1", sku="KANNE-1")
    says(joined, id="900", sku="TK-100")
    somebody, listing = person("operations"), Listing.objects.get(connection=joined)
    kanne = Variant.objects.get()
    for number in range(12):
        spine.say(joined, standin.order(number + 1))
    together(spine.run, spine.run, lambda: perform(MAP, listing, by=somebody, data={"variant": str(kanne.pk)}))
    spine.later()
    assert (Order.objects.filter(state="HELD").count(), spine.open_cases()) == (0, [])
    assert spine.sales(world) == [1] * 12
