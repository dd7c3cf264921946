"""People and what other packages would show: one role each, administrators only, nothing foreign in the admin."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group
from django.test import Client

from customers.models import Customer
from integration_hub.dashboards.start import PAGES
from integration_hub.models import Activity, ApiToken, User
from inventory.models import Variant

pytestmark = pytest.mark.django_db

PASSWORD = "quite-long-enough-7"


@pytest.fixture
def chief(person: Callable[..., User]) -> Client:
    client = Client()
    client.force_login(person("administrator"))
    return client


def add(client: Client, role: str) -> User:
    group = Group.objects.get(name=role)
    client.post(
        "/admin/integration_hub/user/add/",
        {
            "username": "newcomer",
            "role": group.pk,
            "password1": PASSWORD,
            "password2": PASSWORD,
            "usable_password": "true",
        },
    )
    return User.objects.get(username="newcomer")


def test_a_new_person_has_a_role_and_comes_in(chief: Client) -> None:
    made = add(chief, "finance")
    assert (made.role, made.is_staff, made.is_superuser) == ("finance", True, False)
    client = Client()
    answer = client.post("/admin/login/", {"username": "newcomer", "password": PASSWORD}, follow=True)
    assert answer.redirect_chain[-1][0] == "/start/finance/"


def test_a_person_has_one_role_and_its_change_is_written_down(chief: Client) -> None:
    made = add(chief, "finance")
    form = {
        "username": made.username,
        "role": Group.objects.get(name="auditor").pk,
        "is_active": "on",
        "language": "en",
    }
    chief.post(f"/admin/integration_hub/user/{made.pk}/change/", form)
    made.refresh_from_db()
    assert ([group.name for group in made.groups.all()], made.language) == (["auditor"], "en")
    latest = Activity.objects.filter(action="users.role").latest("pk")
    assert latest.text["params"] == {"old": "role:finance", "to": "role:auditor"}


def test_roles_for_systems_are_not_for_people(chief: Client) -> None:
    Group.objects.get_or_create(name="some-system")
    page = chief.get("/admin/integration_hub/user/add/")
    offered = {group.name for group in page.context["adminform"].form.fields["role"].queryset}
    assert offered == set(PAGES)


def test_people_are_not_deleted(chief: Client, person: Callable[..., User]) -> None:
    somebody = person("finance")
    assert chief.post(f"/admin/integration_hub/user/{somebody.pk}/delete/", {"post": "yes"}).status_code == 403


@pytest.mark.parametrize("role", ["finance", "operations", "marketing", "integrator", "auditor"])
def test_only_administrators_see_people(role: str, person: Callable[..., User]) -> None:
    client, other = Client(), person("administrator")
    client.force_login(person(role))
    assert client.get("/admin/integration_hub/user/").status_code == 403
    assert client.get(f"/admin/integration_hub/user/{other.pk}/change/").status_code == 403


def test_the_admin_holds_only_what_is_ours() -> None:
    shown = {model._meta.label for model in admin.site._registry}
    money = {"payments.PaymentTerm", "payments.FeeContract", "payments.NumberRule", "payments.Policy"}
    books = {f"accounting.{name}" for name in ("GoodsTax", "IssuingRule", "NumberRange", "Seller", "TaxRate")}
    assert shown == {
        "integration_hub.User",
        "customers.Customer",
        "inventory.Variant",
        "orders.AfterSaleRule",
        *money,
        *books,
        "exceptions.AmountLimit",
        "exceptions.ServiceLevel",
        "exceptions.WorkCalendar",
    }


def test_customers_are_found_by_what_has_an_index(chief: Client) -> None:
    one = Customer.objects.create(name="Erika", email="erika@example.com")
    Customer.objects.create(name="Max", email="max@example.com")
    for words in ("erika@example.com", "ERIKA@example.com ", one.code, str(one.pk)):
        found = chief.get("/admin/customers/customer/", {"q": words}).context["cl"].result_list
        assert [row.pk for row in found] == [one.pk], words
    assert chief.get(f"/admin/customers/customer/{one.pk}/change/").status_code == 200
    assert chief.post(f"/admin/customers/customer/{one.pk}/change/", {"name": "x"}).status_code == 403
    assert chief.post("/admin/customers/customer/add/", {"name": "x"}).status_code == 403


def test_products_are_found_by_number(chief: Client) -> None:
    pot = Variant.objects.create(sku="TK-100", title="Teekanne", gtin="4006381333931")
    Variant.objects.create(sku="X-1", title="Anderes")
    for words in ("TK", "TK-100", "4006381333931"):
        found = chief.get("/admin/inventory/variant/", {"q": words}).context["cl"].result_list
        assert [row.pk for row in found] == [pot.pk], words
    assert chief.post(f"/admin/inventory/variant/{pot.pk}/delete/", {"post": "yes"}).status_code == 403


def test_one_changes_ones_own_password(person: Callable[..., User]) -> None:
    client, user = Client(), person("finance")
    client.force_login(user)
    form = {"old_password": "pw-for-tests-1", "new_password1": PASSWORD, "new_password2": PASSWORD}
    assert client.post("/admin/password_change/", form).status_code == 302
    user.refresh_from_db()
    assert user.check_password(PASSWORD)


def test_too_many_wrong_passwords_are_told_in_words(person: Callable[..., User], settings: Any) -> None:
    settings.AXES_FAILURE_LIMIT = 2
    person("finance")
    client = Client()
    answers = [client.post("/admin/login/", {"username": "finance", "password": "wrong"}) for _ in range(2)]
    assert (answers[-1].status_code, "hub/plain.css" in answers[-1].content.decode()) == (429, True)
    right = client.post("/admin/login/", {"username": "finance", "password": "pw-for-tests-1"})
    assert right.status_code == 429


def test_a_token_is_shown_once_and_belongs_to_who_made_it(person: Callable[..., User]) -> None:
    mine, theirs = Client(), Client()
    mine.force_login(person("integrator"))
    theirs.force_login(person("integrator", "another"))
    form = {"name": "till", "role": Group.objects.get(name="integrator").pk, "days": "30"}
    made = mine.post("/tokens/new/", form)
    token = ApiToken.objects.get()
    plain = made.context["made"]
    assert plain
    assert plain in made.content.decode()
    assert plain not in mine.get("/tokens/").content.decode()
    assert list(theirs.get("/tokens/").context["tokens"]) == []
    assert theirs.post(f"/tokens/{token.pk}/revoke/").status_code == 404
    assert Client().get("/api/v1/orders/", headers={"Authorization": f"Bearer {plain}"}).status_code == 200
    mine.post(f"/tokens/{token.pk}/revoke/")
    assert Client().get("/api/v1/orders/", headers={"Authorization": f"Bearer {plain}"}).status_code == 401


def test_a_token_is_never_stronger_than_its_maker(person: Callable[..., User]) -> None:
    client = Client()
    client.force_login(person("integrator"))
    form = {"name": "more", "role": Group.objects.get(name="administrator").pk, "days": "0"}
    assert client.post("/tokens/new/", form).status_code == 422
    assert not ApiToken.objects.exists()


def test_administrators_and_auditors_see_every_token(chief: Client, person: Callable[..., User]) -> None:
    maker, reader = Client(), Client()
    maker.force_login(person("integrator"))
    reader.force_login(person("auditor"))
    maker.post("/tokens/new/", {"name": "till", "role": Group.objects.get(name="integrator").pk, "days": "0"})
    assert len(chief.get("/tokens/").context["tokens"]) == len(reader.get("/tokens/").context["tokens"]) == 1
    token = ApiToken.objects.get()
    assert chief.post(f"/tokens/{token.pk}/revoke/").status_code == 302
    assert not ApiToken.objects.exists()


@pytest.mark.parametrize("path", ["/start/", "/orders/999999/", "/nothing/here/", "/start/king/"])
def test_what_is_not_there_says_so_in_our_own_words(path: str, chief: Client) -> None:
    answer = chief.get(path)
    assert answer.status_code == 404
    assert "hub/plain.css" in answer.content.decode()


def test_a_persons_form_leaves_the_model_as_it_is(person: Callable[..., User]) -> None:
    client, somebody = Client(), person("administrator")
    client.force_login(somebody)
    assert b"Deutsch (Standard)" in client.get(f"/admin/integration_hub/user/{somebody.pk}/change/").content
    assert not User._meta.get_field("language").choices
