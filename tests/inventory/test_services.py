"""Which product is meant: by mapping, number or GTIN; never guessed, never made from an order."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext

from integration_hub.messaging import pump
from integration_hub.models import Connection, ExternalReference, InboundEvent
from inventory import services
from inventory.models import Variant
from inventory.services import Named
from tests import spine, standin
from tests.conftest import make_connection

pytestmark = pytest.mark.django_db


@pytest.fixture
def teapot(db: None) -> Variant:
    return spine.teapot()


def one(shop: Connection, **name: str) -> Variant | None:
    return services.match(shop, [Named(**name)])[0]


def test_by_number_by_gtin_and_by_what_a_person_said(shop: Connection, teapot: Variant) -> None:
    assert one(shop, sku=" TK-100 ") == teapot
    assert one(shop, sku="other", gtin="400638 1333931") == teapot
    assert one(shop, sku="other") is None
    assert one(shop) is None
    services.map_name(shop, Named(product_id="77", sku="other"), teapot)
    assert one(shop, sku="other") == one(shop, product_id="77") == teapot


def test_what_was_said_goes_before_the_number(shop: Connection, teapot: Variant) -> None:
    blue = Variant.objects.create(sku="TK-200", title="blau")
    services.map_name(shop, Named(sku="TK-100"), blue)
    assert one(shop, sku="TK-100") == blue
    other = make_connection("standin-shop", "laden-2", "SHOP")
    assert one(other, sku="TK-100") == teapot  # what a shop means is said for that shop


def test_a_gtin_of_two_products_is_not_guessed(shop: Connection, teapot: Variant) -> None:
    Variant.objects.create(sku="TK-101", title="same code", gtin=teapot.gtin)
    assert one(shop, sku="other", gtin=teapot.gtin) is None


@pytest.mark.parametrize("gtin", ["", "123", "abcdefghijklm", "40063813339311111", "٤٠٠٦٣٨١٣٣٣٩٣١"])
def test_what_is_no_gtin_matches_nothing(shop: Connection, teapot: Variant, gtin: str) -> None:
    Variant.objects.create(sku="X", title="without", gtin="")
    assert services.normalised_gtin(gtin) == ""
    assert one(shop, sku="other", gtin=gtin) is None


def test_matching_costs_the_same_for_one_and_for_a_hundred(shop: Connection, teapot: Variant) -> None:
    def cost(count: int) -> int:
        with CaptureQueriesContext(database) as seen:
            services.match(shop, [Named(sku=f"S{n}", product_id=str(n), gtin="4006381333931") for n in range(count)])
        return len(seen)

    services.map_name(shop, Named(sku="S1"), teapot)
    assert cost(100) == cost(2)


def says(connection: Connection, **found: Any) -> str:
    pk = spine.say(connection, {"id": "9", "sku": "TK-9", "title": "Sieb"} | found, topic="product.polled")
    pump.run("in")
    return str(InboundEvent.objects.get(pk=pk).state)


def test_the_erp_brings_products_and_changes_them(erp: Connection) -> None:
    assert says(erp) == "DONE"
    assert says(erp, title="Teesieb", gtin="4006381333931") == "DONE"
    variant = Variant.objects.get()
    assert (variant.sku, variant.title, variant.gtin) == ("TK-9", "Teesieb", "4006381333931")
    assert services.target_ids(erp, [variant.pk]) == {variant.pk: "9"}


def test_a_product_that_gets_another_number_is_found_under_it(erp: Connection) -> None:
    says(erp)
    says(erp, sku="TK-10")
    assert ExternalReference.objects.get(kind="variant").subject_id == Variant.objects.get(sku="TK-10").pk


def test_without_a_number_there_is_no_product(erp: Connection) -> None:
    assert says(erp, sku="  ") == "IGNORED"
    assert not Variant.objects.exists()


def test_waiting_orders_run_on_when_the_erp_brings_the_product(
    joined: Connection, erp: Connection, world: standin.World
) -> None:
    for number in (1, 2):
        spine.say(joined, standin.order(number))
    spine.run()
    assert spine.open_cases() == [("unknown_product", 2)]
    says(erp, sku="TK-100")
    spine.run()
    assert (spine.open_cases(), spine.sales(world)) == ([], [1, 1])


def test_suggestions_say_why_and_the_likeliest_is_first(teapot: Variant) -> None:
    Variant.objects.create(sku="ZZ-9", title="Teekanne 1,5 l")
    Variant.objects.create(sku="QQ-1", title="Fahrrad")
    found = services.suggest(Named(sku="TK100", title="Kanne"))
    assert (found[0].variant, found[0].why) == (teapot, "same_sku")
    assert services.suggest(Named(gtin="4006381333931", title="Fahrrad"))[0].score == 100
    assert services.suggest(Named(title="Teekanne 1,5 l"))[0].variant.sku == "ZZ-9"
    assert services.suggest(Named(sku="")) == []
