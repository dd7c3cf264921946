"""Money as a person uses it: a payout is explained, a refund approved by somebody else."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from integration_hub.models import Connection, User
from orders.models import Order
from payments.models import Payout, Refund
from tests import spine, standin
from tests.browser.test_exception_list import german
from tests.conftest import make_connection
from tests.payments import provider

SignIn = Callable[..., User]


@pytest.fixture
def psp(db: None) -> Connection:
    provider.TILL = provider.Till()
    return make_connection(provider.StandinProvider.code, "stripe", "PAYMENT")


def test_a_payout_made_by_hand_is_explained(
    page: Page, sign_in: SignIn, psp: Connection, picture: Callable[[str], None]
) -> None:
    for number, net in enumerate(["189.90", "49.99", "-12.50", "20.00"]):
        kind = "CAPTURE" if net[0] != "-" else "REFUND"
        at = f"2026-11-1{number}T10:00:00Z"
        provider.tell(psp, {"id": f"ch_{number}", "gross": net, "settled": net, "kind": kind, "at": at})
    provider.tell(psp, {"id": "po_77", "amount": "227.39", "has_items": False}, topic="payout")
    payout = Payout.objects.get()
    sign_in("finance")
    page.goto(reverse("payouts"))
    page.get_by_role("link", name="po_77").click()
    page.get_by_role("link", name=german("Propose movements")).click()
    expect(page.get_by_role("row").filter(has_text="ch_")).to_have_count(3)
    picture("payout")
    page.locator("summary", has_text=german("These movements make it up")).click()
    page.get_by_role("button", name=german("These movements make it up")).click()
    expect(page.get_by_text(german("explained"), exact=True).first).to_be_visible()
    payout.refresh_from_db()
    assert (payout.state, payout.remainder) == ("EXPLAINED", 0)


def test_a_refund_is_approved_by_a_second_person(
    page: Page, sign_in: SignIn, psp: Connection, shop: Connection, person: Callable[..., User]
) -> None:
    spine.say(shop, standin.order(7, total="280.00"))
    spine.run()
    provider.tell(psp, provider.capture(gross="280.00", order="7"))
    order = Order.objects.get()
    sign_in("finance", "anna")
    page.goto(reverse("order", args=[order.pk]))
    page.locator("summary", has_text=german("Give money back")).click()
    form = page.locator("form[action*='payments.refund']")
    form.locator("input[name=amount]").fill("150")
    form.locator("textarea[name=why]").fill("nie angekommen")
    form.get_by_role("button", name=german("Give money back")).click()
    page.goto(reverse("refunds"))
    page.get_by_role("button", name=german("Approve")).click()
    assert Refund.objects.get().state == "REQUESTED"
    page.context.clear_cookies()
    sign_in("finance", "berta")
    page.goto(reverse("refunds"))
    page.get_by_role("button", name=german("Approve")).click()
    expect(page.get_by_role("row").filter(has_text="#7").first).to_be_visible()
    assert Refund.objects.get().state == "APPROVED"
