"""The shell in a real browser: the way in, the language, the sidebar, a connection from form to test, tablet width."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from integration_hub.models import Connection, OutboundCommand, User
from orders.models import Order
from tests import standin
from tests.dashboards.filled import Filled, fill

TABLET: ViewportSize = {"width": 820, "height": 1180}


@pytest.fixture
def filled(joined: Connection, erp: Connection, world: standin.World) -> Filled:
    return fill(joined, erp, world)


def test_the_language_is_chosen_before_and_after_the_door(page: Page, sign_in: Callable[..., User]) -> None:
    page.goto("/admin/login/")
    expect(page.locator("html")).to_have_attribute("lang", "de")
    page.get_by_role("button", name="English").click()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(page).to_have_url("/admin/login/")
    user = sign_in("operations")
    expect(page.locator("html")).to_have_attribute("lang", "en")
    page.locator("#nav-sidebar").get_by_text(user.username).click()
    page.locator("#nav-sidebar").get_by_role("button", name="Deutsch").click()
    expect(page.locator("html")).to_have_attribute("lang", "de")
    user.refresh_from_db()
    assert user.language == "de"


def test_a_number_leads_to_its_list_and_a_row_to_its_order(
    page: Page, filled: Filled, sign_in: Callable[..., User]
) -> None:
    sign_in("operations")
    expect(page).to_have_url("/start/operations/")
    page.locator("a.hub-tile[href='/orders/?state=HELD']").click()
    expect(page).to_have_url("/orders/?state=HELD")
    page.get_by_role("link", name="#3", exact=True).click()
    expect(page).to_have_url(f"/orders/{Order.objects.get(external_id='3').pk}/")
    page.go_back()
    expect(page).to_have_url("/orders/?state=HELD")


def test_a_filter_is_a_link_and_the_slash_key_finds_the_search(
    page: Page, filled: Filled, sign_in: Callable[..., User]
) -> None:
    sign_in("operations")
    page.goto("/orders/")
    page.select_option("select[name=state]", "WAITING")
    page.wait_for_url("**/orders/?state=WAITING")
    expect(page.locator("tbody tr")).to_have_count(1)
    page.keyboard.press("/")
    expect(page.locator("input[name=q]")).to_be_focused()
    page.keyboard.type("2")
    page.keyboard.press("Enter")
    page.wait_for_url("**/orders/?q=2&state=WAITING")
    expect(page.locator(".hub-empty")).to_be_visible()


def test_a_connection_is_made_and_tested(page: Page, shop: Connection, sign_in: Callable[..., User]) -> None:
    sign_in("integrator")
    page.goto("/connections/new/standin-erp/")
    page.fill("input[name=name]", "Unser ERP")
    page.fill("input[name=slug]", "unser-erp")
    page.fill("input[name=config_secret]", "s3cret")
    page.locator(".hub-form button[data-look=primary]").click()
    page.wait_for_url("**/connections/*/")
    made = Connection.objects.get(slug="unser-erp")
    page.locator(f"form[action='/connections/{made.pk}/do/connections.check/'] button").click()
    expect(page.locator(".hub-checks li[data-ok=yes]")).to_have_count(1)
    page.goto(f"/connections/{made.pk}/settings/")
    expect(page.locator("input[name=config_secret]")).to_have_value("")


def test_a_command_is_taken_back_with_a_reason(page: Page, filled: Filled, sign_in: Callable[..., User]) -> None:
    sign_in("operations")
    command = OutboundCommand.objects.get(state="PARKED")
    page.goto(f"/commands/{command.pk}/")
    page.locator("summary[data-look=danger]").click()
    page.fill("textarea[name=why]", "the customer wrote to us")
    page.locator(".hub-panel button[data-look=danger]").click()
    expect(page.locator(".hub-card .hub-badge").first).to_have_attribute("data-tone", "none")
    command.refresh_from_db()
    assert command.state == "CANCELLED"


def test_nothing_is_wider_than_a_tablet_and_every_page_has_one_heading(
    page: Page, filled: Filled, sign_in: Callable[..., User]
) -> None:
    sign_in("administrator")
    page.set_viewport_size(TABLET)
    order, command = Order.objects.get(external_id="1"), OutboundCommand.objects.get(state="PARKED")
    places = ["start/administrator", "orders", f"orders/{order.pk}", "connections", f"connections/{filled.shop.pk}"]
    places += [
        f"connections/{filled.shop.pk}/settings",
        "connections/new",
        "events",
        "commands",
        f"commands/{command.pk}",
    ]
    titles = set()
    for place in [*places, "activity", "tokens", "admin/customers/customer", "admin/integration_hub/user"]:
        page.goto(f"/{place}/")
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert (wide, page.locator("h1").count()) == (0, 1), place
        titles.add(page.title())
    assert len(titles) == len(places) + 4
