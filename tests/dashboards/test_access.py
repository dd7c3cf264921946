"""Every page and every button as every role and as nobody: the table says who comes in, and nothing is left out of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, get_resolver, reverse

from integration_hub.models import Connection, InboundEvent, OutboundCommand, User
from inventory.models import FieldOwner, Listing, Variant
from orders.aftersales.models import AfterSale
from orders.models import Order
from orders.tally import DayTally
from tests.accounting import books
from tests.dashboards import book_pages, stock_pages, watch_pages
from tests.dashboards.filled import Filled
from tests.payments import money

pytestmark = pytest.mark.django_db

ROLES = ("finance", "operations", "marketing", "integrator", "auditor", "administrator")
ORDERS = {"finance", "operations", "integrator", "auditor", "administrator"}
TRAFFIC = {"operations", "integrator", "auditor", "administrator"}
INTEGRATORS = {"integrator", "administrator"}
EVERYBODY = set(ROLES)
MONEY = {"finance", "auditor", "administrator"}

PAGES: dict[str, set[str]] = (
    {
        "start": EVERYBODY,
        "orders": ORDERS,
        "order": ORDERS,
        "case_figures": ORDERS,
        "connections": ORDERS,
        "connection": ORDERS,
        "connection_new": INTEGRATORS,
        "connection_add": INTEGRATORS,
        "connection_edit": INTEGRATORS,
        "events": TRAFFIC,
        "event": TRAFFIC,
        "commands": TRAFFIC,
        "command": TRAFFIC,
        "activity": TRAFFIC,
        "statements": {"finance", "administrator"},
        "completeness": ORDERS,
        "after_sales": ORDERS,
        "after_sale": ORDERS,
        "tokens": {"integrator", "auditor", "administrator"},
        "article": EVERYBODY,
        "article_export": EVERYBODY,
        "article_files": EVERYBODY,
        "article_lookup": EVERYBODY,
        "article_differences": ORDERS,
        "article_owners": ORDERS,
        "mapping": ORDERS,
        "mapping_history": ORDERS,
        "listing": ORDERS,
        "open_items": MONEY | {"operations"},
        "transactions": MONEY | {"operations"},
        "transaction": MONEY | {"operations"},
        "chain": MONEY | {"operations"},
        "payouts": MONEY,
        "payout": MONEY,
        "refunds": MONEY,
        "documents": MONEY | {"operations"},
        "document": MONEY | {"operations"},
        "document_file": MONEY | {"operations"},
        "number_ranges": MONEY,
        "disputes": MONEY,
        "bank_lines": MONEY,
        "fees": MONEY,
    }
    | stock_pages.PAGES
    | book_pages.PAGES
    | watch_pages.PAGES
)
DEEDS: dict[str, set[str]] = (
    {
        "order_action": {"finance", "operations", "administrator"},
        "connection_action": INTEGRATORS,
        "connection_switch": INTEGRATORS,
        "event_action": {"operations", "integrator", "administrator"},
        "command_action": {"operations", "integrator", "administrator"},
        "after_sale_action": {"finance", "operations", "administrator"},
        "after_sales_bulk": {"finance", "operations", "administrator"},
        "completeness_again": {"finance", "operations", "integrator", "administrator"},
        "completeness_compare": {"finance", "operations", "integrator", "administrator"},
        "article_action": {"operations", "integrator", "administrator"},
        "article_apply": {"operations", "integrator", "administrator"},
        "article_check": {"operations", "integrator", "administrator"},
        "article_own": INTEGRATORS,
        "listing_action": {"operations", "integrator", "administrator"},
        "mapping_confirm": {"operations", "integrator", "administrator"},
        "token_issue": INTEGRATORS,
        "token_revoke": INTEGRATORS,
        "transaction_action": {"finance", "administrator"},
        "payout_action": {"finance", "administrator"},
        "refund_action": {"finance", "administrator"},
        "document_action": {"finance", "administrator"},
        "number_range_action": {"finance", "administrator"},
        "order_document_action": {"finance", "administrator"},
        "write_off_action": {"finance", "administrator"},
        "order_money_action": {"finance", "operations", "administrator"},
    }
    | stock_pages.DEEDS
    | book_pages.DEEDS
    | watch_pages.DEEDS
)
ELSEWHERE = {
    "start_page",
    "start_live",
    "set_language",
    "refund",
    "dispute",
}  # have tests of their own below and in tests/backoffice


@pytest.fixture
def signed_in(person: Callable[..., User]) -> Callable[[str], Client]:
    def make(role: str) -> Client:
        client = Client()
        client.force_login(person(role))
        return client

    return make


def arguments(name: str) -> list[Any]:
    """What the address needs; made by the fixture ``filled``."""
    order, shop = Order.objects.earliest("pk").pk, Connection.objects.get(slug="laden").pk
    event, command = (
        InboundEvent.objects.filter(state="PARKED").earliest("pk").pk,
        OutboundCommand.objects.latest("pk").pk,
    )
    tally = DayTally.objects.get_or_create(connection_id=shop, day="2026-11-20")[0].pk
    pot = Variant.objects.get(sku="TK-100")
    listing = Listing.objects.get_or_create(connection_id=shop, external_id="9")[0].pk
    owner = FieldOwner.objects.get_or_create(field="title")[0].pk
    special = AfterSale.objects.get_or_create(
        order_id=order, kind="REFUND", defaults={"state": "PROPOSED", "occurred_at": "2026-11-20T10:00:00Z"}
    )[0].pk
    known: dict[str, list[Any]] = {
        "after_sale": [special],
        "after_sale_action": [special, "orders.confirm_after_sale"],
        "after_sales_bulk": ["orders.confirm_after_sale"],
        "article": [pot.pk],
        "article_action": [pot.pk, "inventory.edit"],
        "article_apply": ["articles"],
        "article_check": ["articles"],
        "article_export": ["articles"],
        "article_lookup": ["sku"],
        "article_own": [owner],
        "listing": [listing],
        "listing_action": [listing, "inventory.map"],
        "completeness_again": [tally, "completeness.again"],
        "completeness_compare": [shop, "completeness.compare"],
        "order": [order],
        "order_action": [order, "orders.retry"],
        "connection": [shop],
        "connection_add": ["woocommerce"],
        "connection_edit": [shop],
        "connection_action": [shop, "connections.check"],
        "connection_switch": [shop, "order_to_erp"],
        "event": [event],
        "event_action": [event, "events.process_again"],
        "command": [command],
        "command_action": [command, "commands.try_now"],
        "token_revoke": ["0" * 64],
        "chain": ["order", order],
        "order_money_action": [order, "payments.refund"],
        **money.arguments(),
        **books.arguments(),
        **stock_pages.arguments(),
        **book_pages.arguments(),
        **watch_pages.arguments(),
    }
    return known.get(name, [])


def names(patterns: Any, inside: str = "") -> Iterator[tuple[str, str]]:
    for pattern in patterns:
        here = f"{inside}{pattern.pattern}"
        if isinstance(pattern, URLPattern):
            yield here, pattern.name or ""
        else:
            yield from names(pattern.url_patterns, here)


def test_the_table_names_every_page_of_ours() -> None:
    others = ("api/", "admin/", "exceptions/", "webhooks/", "static/")
    ours = {name for path, name in names(get_resolver().url_patterns) if not path.startswith(others)}
    assert ours - {"healthz", "readyz", "metrics"} == set(PAGES) | set(DEEDS) | ELSEWHERE


@pytest.mark.parametrize("role", ROLES)
def test_pages_open_for_who_may_see_them(role: str, filled: Filled, signed_in: Callable[[str], Client]) -> None:
    client = signed_in(role)
    found = {name: client.get(reverse(name, args=arguments(name))).status_code for name in PAGES}
    wanted = {name: (302 if name == "start" else 200) if role in roles else 403 for name, roles in PAGES.items()}
    assert found == wanted


@pytest.mark.parametrize("role", ROLES)
def test_only_those_may_act_who_are_named(role: str, filled: Filled, signed_in: Callable[[str], Client]) -> None:
    client = signed_in(role)
    addresses = {name: reverse(name, args=arguments(name)) for name in DEEDS}
    found = {name: client.post(address).status_code for name, address in addresses.items()}
    assert {name for name, status in found.items() if status != 403} == {
        name for name, roles in DEEDS.items() if role in roles
    }


def test_nobody_gets_the_login_page_and_nothing_else(filled: Filled) -> None:
    client = Client()
    for name in [*PAGES, *DEEDS]:
        address = reverse(name, args=arguments(name))
        answer = client.post(address) if name in DEEDS else client.get(address)
        assert (answer.status_code, answer.headers["Location"].split("?")[0]) == (302, "/admin/login/"), name


def test_nothing_changes_by_reading(filled: Filled, signed_in: Callable[[str], Client]) -> None:
    client = signed_in("administrator")
    assert {client.get(reverse(name, args=arguments(name))).status_code for name in DEEDS} == {405}


def test_what_changes_something_needs_the_token_of_the_page(filled: Filled, person: Callable[..., User]) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(person("administrator"))
    assert {client.post(reverse(name, args=arguments(name))).status_code for name in DEEDS} == {403}


def test_start_pages_are_everybodys_own(filled: Filled, signed_in: Callable[[str], Client]) -> None:
    for role in ROLES:
        client = signed_in(role)
        found = {other for other in ROLES if client.get(reverse("start_page", args=[other])).status_code == 200}
        assert found == (set(ROLES) if role == "administrator" else {role})
        assert client.get("/").headers["Location"] == reverse("start_page", args=[role])


def test_the_sidebar_leads_nowhere_in_vain(filled: Filled, signed_in: Callable[[str], Client]) -> None:
    for role in ROLES:
        client = signed_in(role)
        groups = client.get("/", follow=True).context["sidebar_navigation"]
        links = [item["link"] for group in groups for item in group["items"]]
        assert len(links) > 2
        assert {client.get(link, follow=True).status_code for link in links} == {200}, role
