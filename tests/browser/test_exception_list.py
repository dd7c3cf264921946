"""The exception list as a person uses it: from the login to solved orders, with the mouse and by keyboard alone."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone, translation
from playwright.sync_api import Page, expect

from exceptions.models import CaseState, ExceptionCase
from integration_hub.messaging import pump
from integration_hub.models import Connection, User
from orders.models import Order
from tests import standin
from tests.exceptions import scene

SignIn = Callable[..., User]


def german(text: str) -> str:
    """The sentence as a German reader gets it."""
    with translation.override("de"):
        return str(translation.gettext(text))


def title_of(case: ExceptionCase) -> str:
    return str(german("Product %(sku)s is unknown") % case.params)


@pytest.fixture
def waiting(joined: Connection, world: standin.World) -> ExceptionCase:
    """Three orders wait because nobody knows TK-100-B; TK-100 is there."""
    scene.teapot()
    return scene.unknown_product(1, 2, 3)


def test_three_orders_wait_for_one_product_and_run_on(
    page: Page, sign_in: SignIn, waiting: ExceptionCase, world: standin.World
) -> None:
    sign_in("operations", "anna")
    page.goto("/exceptions/")
    expect(page.locator("html")).to_have_attribute("lang", "de")
    row = page.get_by_role("row").filter(has_text="TK-100-B")
    expect(row).to_contain_text("86,10 €")
    expect(row).to_contain_text("(3)")
    row.get_by_role("link", name=title_of(waiting)).click()

    expect(page.get_by_role("heading", name=title_of(waiting))).to_be_visible()
    assert page.get_by_role("radio", name=re.compile("TK-100")).is_checked()
    page.get_by_role("button", name=german("Solve and process %(n)s again") % {"n": 3}).click()

    expect(page.locator("[data-released]")).to_have_text("3")
    expect(page.locator("[data-on-the-way]")).to_be_visible()
    pump.drain()
    expect(page.locator("[data-on-the-way]")).to_be_hidden()  # told by polling, without a reload
    expect(page.locator(".ex-objects .hub-badge[data-tone=good]")).to_have_count(3)
    waiting.refresh_from_db()
    assert (waiting.state, waiting.closed_by) == (CaseState.SOLVED, User.objects.get(username="anna"))
    assert list(Order.objects.values_list("state", flat=True)) == ["ACCEPTED"] * 3
    assert sorted(len(sales) for sales in world.sales.values()) == [1, 1, 1]


def test_the_list_says_what_to_do_next(
    page: Page, sign_in: SignIn, joined: Connection, world: standin.World, picture: Callable[[str], None]
) -> None:
    scene.teapot()
    scene.unknown_product(*range(10190, 10231))
    scene.unknown_product(10231, 10232, sku="BECHER-7")
    scene.wrong_total(10233)
    scene.incomplete_address(10234)
    scene.not_understood(10235)
    user = sign_in("operations", "anna")
    hours = {":sku:TK-100-B": (2, 3), ":sku:BECHER-7": (26, -22), "": (5, 30)}
    for case in ExceptionCase.objects.order_by("pk"):
        age, due = next(value for ending, value in hours.items() if case.cause.endswith(ending))
        now = timezone.now()
        case.first_seen_at, case.due_at = now - timedelta(hours=age), now + timedelta(hours=due)
        case.assignee = user if case.kind == "totals_disagree" else None
        case.save()
    page.goto("/exceptions/?tab=all")
    amounts = page.locator("tbody .ex-risk")
    expect(amounts).to_have_text(["1.176,70 €", "57,40 €", "189,90 €", "28,70 €", "–"])
    expect(page.locator("tr[data-overdue]")).to_have_count(1)
    expect(page.locator("tr[data-overdue] .ex-due")).to_contain_text("▲")
    page.keyboard.press("j")
    picture("exception-list")
    page.keyboard.press("Enter")
    page.wait_for_url("**/exceptions/*/")
    expect(page.locator("[name=fix][open] input:checked")).to_be_visible()
    picture("exception")


def test_the_list_is_worked_by_keyboard_alone(page: Page, sign_in: SignIn, waiting: ExceptionCase) -> None:
    other = scene.unknown_product(9, sku="CUP-7")
    sign_in("operations", "anna")
    page.goto("/exceptions/?tab=all")
    current = page.locator("tr[aria-current]")
    page.keyboard.press("j")
    expect(current).to_have_attribute("data-case", str(waiting.pk))
    page.keyboard.press("j")
    expect(current).to_have_attribute("data-case", str(other.pk))
    page.keyboard.press("a")
    expect(current.locator("[data-who]")).to_have_text("anna")
    expect(page.get_by_role("status")).to_contain_text("anna")
    page.keyboard.press("k")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.keyboard.type("j")  # letters typed into the search move nothing
    expect(current).to_have_attribute("data-case", str(waiting.pk))
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    page.keyboard.press("k")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/exceptions/{waiting.pk}/")
    page.keyboard.press("f")
    expect(page.get_by_role("radio", name=re.compile("TK-100"))).to_be_focused()
    page.keyboard.press("u")
    page.wait_for_url("**/exceptions/?tab=all")
    expect(current).to_have_attribute("data-case", str(waiting.pk))
    assert ExceptionCase.objects.get(pk=other.pk).assignee == User.objects.get(username="anna")


def test_f_leads_from_the_list_to_the_first_fix(page: Page, sign_in: SignIn, waiting: ExceptionCase) -> None:
    sign_in("operations")
    page.goto("/exceptions/")
    page.keyboard.press("j")
    page.keyboard.press("f")
    expect(page.get_by_role("radio", name=re.compile("TK-100"))).to_be_focused()


def test_several_are_assigned_at_once(page: Page, sign_in: SignIn, waiting: ExceptionCase) -> None:
    scene.unknown_product(9, sku="CUP-7")
    sign_in("operations", "anna")
    page.goto("/exceptions/")
    take = page.get_by_role("button", name=german("Assign to me"))
    expect(take).to_be_hidden()
    page.keyboard.press("j")
    page.keyboard.press("x")
    page.keyboard.press("j")
    page.keyboard.press("x")
    take.click()
    expect(page.locator(".hub-badge[data-tone=good]").first).to_contain_text("2")
    assert set(ExceptionCase.objects.values_list("assignee__username", flat=True)) == {"anna"}
    page.goto("/exceptions/?tab=mine")
    expect(page.locator("tr[data-case]")).to_have_count(2)


def test_another_product_is_found_while_typing(page: Page, sign_in: SignIn, waiting: ExceptionCase) -> None:
    sign_in("operations")
    page.goto(f"/exceptions/{waiting.pk}/")
    page.locator("input[data-lookup=sku]").press_sequentially("TK-1")
    expect(page.locator("datalist option")).to_have_attribute("value", "TK-100")


def test_an_integrator_sees_the_payload_without_personal_data(
    page: Page, sign_in: SignIn, joined: Connection, world: standin.World
) -> None:
    scene.teapot()
    case = scene.incomplete_address(10231)
    sign_in("integrator")
    page.goto(f"/exceptions/{case.pk}/")
    page.get_by_text(german("Message as received")).click()
    payload = page.locator("pre")
    expect(payload).to_contain_text("TK-100")
    expect(payload).to_contain_text("•••")
    expect(payload).not_to_contain_text("kunde10231@example.com")
    expect(page.locator("body")).not_to_contain_text("Erika")


@pytest.mark.parametrize("width", [820, 390])
def test_nothing_runs_out_of_a_narrow_screen(page: Page, sign_in: SignIn, waiting: ExceptionCase, width: int) -> None:
    sign_in("operations")
    page.set_viewport_size({"width": width, "height": 1000})
    for address in ("/exceptions/", f"/exceptions/{waiting.pk}/"):
        page.goto(address)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
