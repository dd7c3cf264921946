"""Recognising who ordered: by the shop's own number, else by e-mail; the rest is new, and doubt is said."""

from __future__ import annotations

import pytest

from customers import services
from customers.models import Customer
from integration_hub.kernel.messages import Buyer
from integration_hub.models import Connection
from tests.conftest import make_connection

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("stated", "kept"),
    [
        (" Erika@Example.COM ", "erika@example.com"),
        ("zoe\u0308@example.com", "zo\u00eb@example.com"),
        ("no address", ""),
        ("@example.com", ""),
        ("erika@", ""),
        ("a@b@c", ""),
        ("", ""),
        ("x" * 300 + "@example.com", ""),
    ],
)
def test_addresses_are_brought_into_one_form(stated: str, kept: str) -> None:
    assert services.normalised_email(stated) == kept


def test_one_address_is_one_customer_over_all_shops(shop: Connection) -> None:
    other = make_connection("standin-shop", "laden-2", "SHOP")
    one = services.recognise(shop, Buyer(email="erika@example.com", name="Erika"))
    two = services.recognise(other, Buyer(email="ERIKA@example.com", name="E. Mustermann"))
    assert one == two
    assert Customer.objects.get().name == "Erika"


def test_the_shops_number_goes_before_the_address(shop: Connection) -> None:
    one = services.recognise(shop, Buyer(external_id="7", email="old@example.com"))
    assert services.recognise(shop, Buyer(external_id="7", email="new@example.com")) == one
    assert services.named(shop, "7") == one
    assert services.named(make_connection("standin-shop", "laden-2", "SHOP"), "7") is None


def test_guests_without_address_are_people_of_their_own(shop: Connection) -> None:
    assert services.recognise(shop, Buyer(name="A")) != services.recognise(shop, Buyer(name="A"))


def test_whose_address_belongs_to_another_is_a_rival(shop: Connection) -> None:
    one = services.recognise(shop, Buyer(external_id="7", email="a@example.com"))
    two = services.recognise(shop, Buyer(email="b@example.com"))
    assert services.rival(one, Buyer(external_id="7", email="b@example.com")) == two
    assert services.rival(one, Buyer(external_id="7", email="a@example.com")) is None
    assert services.rival(one, Buyer(external_id="7")) is None


def test_long_names_are_cut_and_codes_are_stable(shop: Connection) -> None:
    customer = services.recognise(shop, Buyer(external_id="i" * 300, name="n" * 999, phone="1" * 99, vat_id="2" * 99))
    assert (len(customer.name), customer.code) == (200, f"HUB-{customer.pk}")
    assert services.recognise(shop, Buyer(external_id="i" * 300)) == customer
